//! Rows of the vault.

use grc_core::vault::VaultRow;

/// Any bytes, as a row.
pub fn run(data: &[u8]) -> bool {
    let Ok(row) = VaultRow::from_bytes(data) else { return false };
    let bytes = row.to_bytes().expect("no more keys than were read");
    assert!(bytes.len() <= data.len(), "a row holds the keys that it needs");
    assert_eq!(VaultRow::from_bytes(&bytes).as_ref(), Ok(&row));
    let gone = row.0.iter().take(1).map(|sealed| sealed.slot).collect();
    assert!(row.without(&gone).0.iter().all(|sealed| !gone.contains(&sealed.slot)));
    true
}
