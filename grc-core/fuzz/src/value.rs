//! Values as they are sealed.

use grc_core::{Typed, conformance::fuzzing};

/// Any bytes, as the plain bytes of a slot.
pub fn run(data: &[u8]) -> bool {
    let Some(value) = fuzzing::value(data) else { return false };
    let _ = value.to_string();
    assert_eq!(format!("{:?}", Typed::new(value.clone())), "Typed(…)");
    if let Some(plain) = fuzzing::plain(&value) {
        assert_eq!(fuzzing::value(&plain), Some(value));
    }
    true
}
