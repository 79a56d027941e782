//! What is in the files.

use std::{collections::HashSet, path::Path};

/// All stretches of twelve bytes in the files of a directory: looked for once, asked often.
pub(crate) fn on_disk(directory: &Path) -> HashSet<[u8; 12]> {
    let mut found = HashSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        found.extend(content.windows(12).map(|window| <[u8; 12]>::try_from(window).unwrap()));
    }
    found
}
