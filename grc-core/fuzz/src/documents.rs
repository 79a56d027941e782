//! The bodies of documents, tasks and of the keys' notes.

use grc_core::conformance::fuzzing;

/// Any bytes, as each kind of body.
pub fn run(data: &[u8]) -> bool {
    fuzzing::bodies(data) > 0
}
