//! Tracking codes.

use grc_core::TrackingCode;

/// Any bytes, as what a citizen typed.
pub fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let Ok(code) = text.parse::<TrackingCode>() else { return false };
    let shown = code.to_string();
    assert_eq!(shown.len(), 14);
    assert_eq!(shown.parse::<TrackingCode>().as_ref(), Ok(&code));
    assert_eq!(shown.to_lowercase().replace('-', " ").parse::<TrackingCode>(), Ok(code.clone()));
    assert!(!format!("{code:?}").contains(shown.split('-').next().unwrap_or(&shown)));
    true
}
