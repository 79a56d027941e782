//! The engine on SQLite does step by step what it does on the reference store.

#![expect(clippy::panic, reason = "helpers of tests")]

use grc_core::{Definition, Stores, conformance::Walk};
use grc_sqlite::Options;
use pollster::block_on;
use std::path::Path;

fn definition(name: &str) -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions").join(name);
    Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn memory_and_sqlite_agree_step_by_step() {
    for (name, seed) in [("voirie", 11), ("voirie", 12), ("urbanisme", 13)] {
        let directory = tempfile::tempdir().unwrap();
        let opened = Options::new().create(true).test(true).open(directory.path().join("town.db")).unwrap();
        block_on(async {
            let definition = definition(name);
            let mut reference = Walk::begin(Stores::memory(), &definition, seed).await.unwrap();
            let mut walk = Walk::begin(opened.into(), &definition, seed).await.unwrap();
            for n in 0..250 {
                reference.step().await.unwrap();
                walk.step().await.unwrap();
                // Cursors and incarnations differ between stores; what is said to the caller does not.
                assert_eq!(
                    walk.trace.steps.last(),
                    reference.trace.steps.last(),
                    "{name}, seed {seed}, step {n}"
                );
            }
            assert_eq!(walk.events().await.unwrap(), reference.events().await.unwrap(), "the same events");
            assert_eq!(walk.check().await, Ok(()));
            println!("{name}, seed {seed}:\n{}", walk.trace.summary());
        });
    }
}
