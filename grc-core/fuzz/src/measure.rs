//! Rows that figures are made of.

use grc_core::request::Measure;

/// Any bytes, as a row.
pub fn run(data: &[u8]) -> bool {
    let Ok(measure) = Measure::from_bytes(data) else { return false };
    let bytes = measure.to_bytes();
    assert!(bytes.len() <= data.len(), "a row is written in its shortest form");
    assert_eq!(Measure::from_bytes(&bytes).as_ref(), Ok(&measure));
    true
}
