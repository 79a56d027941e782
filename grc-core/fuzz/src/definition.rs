//! Definitions: TOML and JSON, one file or several.

use grc_core::Definition;

/// Any bytes: the texts of files, with a null character between them.
pub fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let mut read = false;
    for ending in ["toml", "json"] {
        let files = text.split('\0').take(8).enumerate().map(|(n, text)| (format!("{n}.{ending}"), text));
        match Definition::from_files(files) {
            Ok(definition) => {
                read = true;
                let json = definition.to_json();
                assert_eq!(Definition::from_json(&json).as_ref().ok(), Some(&definition));
                let again = Definition::from_files([("a.json", json.to_string())]);
                assert_eq!(again.as_ref().ok(), Some(&definition));
                // As it is stored.
                let resolved = definition.resolved();
                let bytes = grc_core::canonical::to_bytes(&resolved).expect("whole numbers only");
                let read = serde_json::from_slice(&bytes).expect("what was written");
                assert_eq!(Definition::from_json(&read).ok(), Some(resolved));
            }
            Err(error) => {
                assert!((1..=1001).contains(&error.findings().len()));
                for finding in error.findings() {
                    assert!(finding.message.len() < 2_000, "{}", finding.message.len());
                    assert!(!finding.message.contains('\n'), "{:?}", finding.message);
                }
            }
        }
    }
    read
}
