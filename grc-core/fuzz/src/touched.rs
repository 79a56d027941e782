//! Rows of the feed.

use grc_core::{Word, storage::touched};

/// Any bytes, as a row.
pub fn run(data: &[u8]) -> bool {
    let town = Word::slug("town");
    let Some(all) = touched::decode(&town, data) else { return false };
    let bytes = touched::encode(&all);
    assert!(bytes.len() <= data.len(), "a row is written in its shortest form");
    assert_eq!(touched::decode(&town, &bytes), Some(all));
    true
}
