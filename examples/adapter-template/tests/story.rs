//! The engine's main job on the template, from a definition to anonymisation, with the keyring of another crate beside it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use adapter_template::Options;
use grc_core::{
    Actor, Assignee, Budget, Clock, Definition, Grc, GrcError, Intake, List, ManualClock, Moment, Party,
    Stores, SystemEntropy, request::Fire,
};
use grc_sqlite::SqliteKeyring;
use pollster::block_on;
use std::{path::Path, sync::Arc};

/// An engine over a store and its keys, which are two files.
async fn grc(path: &Path, options: &Options, keys: &Path, clock: &Arc<ManualClock>) -> Result<Grc, GrcError> {
    let store = Arc::new(options.open(path).unwrap());
    let keyring = SqliteKeyring::open(keys, &grc_sqlite::Options::new().create(true)).unwrap();
    let stores = Stores { store: store.clone(), blobs: store, keyring: Arc::new(keyring) };
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    Grc::with(stores, clock, Arc::new(SystemEntropy)).await
}

#[test]
fn from_intake_to_anonymisation() {
    let directory = tempfile::tempdir().unwrap();
    let (path, keys) = (directory.path().join("town.redb"), directory.path().join("town.keys"));
    let clock = Arc::new(ManualClock::at(Moment::EPOCH.plus_days(20_000)));
    let town = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../grc-core/tests/definitions/voirie");
    let definition = Definition::from_dir(town).unwrap_or_else(|error| panic!("{error}"));
    let create = Options::new().create(uuid::Uuid::from_u128(77));
    block_on(async {
        let engine = grc(&path, &create, &keys, &clock).await.unwrap();
        let town = engine.authority("ville").unwrap();
        town.host("set-up").publish(&definition).await.unwrap();
        let intake = Intake::new("nid-de-poule", "telephone")
            .set("description", "un trou devant le 12")
            .set("danger", false)
            .party(Party::named("Anne", "Le Gall").phone("06 39 98 12 34"));
        let hole = town.session(Actor::agent("a-01")).submit(intake).await.unwrap();
        let chief = town.session(Actor::agent("a-03"));
        let listed = chief.list(&List::new()).await.unwrap();
        assert_eq!(listed.requests.len(), 1);
        for fire in [
            Fire::new("affecter").to(Assignee::agent("a-06")),
            Fire::new("traiter"),
            Fire::new("cloturer").outcome("repare"),
        ] {
            chief.act_on(hole.id(), None, fire).await.unwrap();
        }
        assert_eq!(town.host("audit").verify(hole.id()).await.unwrap().problems, [""; 0]);

        // Another day, another process.
        drop((chief, town, engine));
        let engine = grc(&path, &Options::new(), &keys, &clock).await.unwrap();
        let town = engine.authority("ville").unwrap();
        assert_eq!(town.host("worker").work(None, Budget::ALL).await.unwrap().anonymised, 0);
        clock.set(clock.now().plus_days(100));
        assert_eq!(town.host("worker").work(None, Budget::ALL).await.unwrap().anonymised, 1);
        let seen = town.session(Actor::agent("a-03")).open(hole.id()).await.unwrap();
        assert!(seen.anonymised_at().is_some());
        assert_eq!(town.host("audit").verify(hole.id()).await.unwrap().problems, [""; 0]);

        // The engine notes which keyring belongs to a store: other keys are refused.
        drop((town, engine));
        let others = directory.path().join("others.keys");
        assert!(grc(&path, &Options::new(), &others, &clock).await.is_err());
        assert!(grc(&path, &Options::new(), &keys, &clock).await.is_ok());
    });
}
