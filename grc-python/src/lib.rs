//! The Python bindings. Nothing is here yet.
