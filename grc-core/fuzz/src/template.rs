//! Templates of messages, and the values put into them.

use grc_core::conformance::fuzzing;

/// Any bytes: a template; after a null character, the values of its variables, with null characters between them.
pub fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let source = parts.next().unwrap_or("");
    let names = ["type", "code", "message", "stage", "requester.name", "fields.description"];
    let values: Vec<_> = names.into_iter().zip(parts.chain(std::iter::repeat(""))).collect();
    let Some(out) = fuzzing::template(source, &values) else { return false };
    assert!(out.len() <= 80_000, "{}", out.len());
    true
}
