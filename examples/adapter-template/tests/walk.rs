//! The engine on the template does step by step what it does on the reference store.
#![expect(clippy::panic, reason = "helpers of tests")]

use adapter_template::{Options, RedbStore};
use grc_core::{Definition, Stores, conformance::Walk, vault::MemoryKeyring};
use pollster::block_on;
use std::{path::Path, sync::Arc};

fn definition(name: &str) -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grc-core/tests/definitions").join(name);
    Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"))
}

fn stores(store: Arc<RedbStore>) -> Stores {
    Stores { store: store.clone(), blobs: store, keyring: Arc::new(MemoryKeyring::default()) }
}

#[test]
fn memory_and_the_template_agree_step_by_step() {
    for (name, seed) in [("voirie", 31), ("voirie", 32), ("urbanisme", 33)] {
        let directory = tempfile::tempdir().unwrap();
        let options = Options::new().create(uuid::Uuid::from_u128(7)).test(true);
        let store = options.open(directory.path().join("town.redb")).unwrap();
        block_on(async {
            let definition = definition(name);
            let mut reference = Walk::begin(Stores::memory(), &definition, seed).await.unwrap();
            let mut walk = Walk::begin(stores(Arc::new(store)), &definition, seed).await.unwrap();
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
