"""The desk: citizens hand requests in and follow them, agents deal with them. Requests live in grc, not in models."""
