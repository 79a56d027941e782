//! An engine over an adapter's stores, with spies in between.

use super::{
    attack::Loot,
    scan::Secrets,
    spy::{Off, Spy},
};
use grc_core::{
    Actor, Authority, Definition, Grc, ManualClock, Moment, Session, Stores, SystemEntropy,
    storage::{BlobStore, Store},
    vault::{KeyState, Keyring},
};
use pollster::block_on;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) const TOWN: &str = "essai";
pub(crate) const PHONE: &str = "06 39 98 47 11";

/// What differs between adapters.
pub(crate) trait Adapter: Send + Sync + 'static {
    type Store: Store + BlobStore;
    type Keyring: Keyring + ?Sized;
    /// What the names of its tables begin with.
    const PREFIX: &'static str;

    /// Opens the stores. What is to be secret is not in any file that the store writes, from now on.
    fn open(&self, secrets: &Secrets) -> (Arc<Self::Store>, Arc<Self::Keyring>);

    /// Looks into every file that the store wrote, as it is now.
    fn look(&self, secrets: &Secrets);

    /// Keeps copies of everything as it is now.
    fn back_up(&self);

    /// Whatever somebody can try as a key who holds the keyring's own files as they are now; besides what the keyring
    /// answers.
    fn candidates(&self) -> Vec<[u8; 32]>;

    /// The first column of the rows of a statement with one value, past the adapter.
    fn rows(&self, sql: &str, id: Uuid) -> Vec<Vec<u8>>;
}

/// An engine that is watched.
pub(crate) struct Stage<A: Adapter> {
    pub(crate) grc: Grc,
    pub(crate) stores: Arc<Spy<A::Store>>,
    pub(crate) blobs: Arc<Spy<A::Store>>,
    pub(crate) keys: Arc<Spy<A::Keyring>>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) secrets: Secrets,
    pub(crate) adapter: A,
}

pub(crate) fn at(text: &str) -> Moment {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into()
}

impl<A: Adapter> Stage<A> {
    /// An engine with the town's definition, and a step of erasing left out.
    pub(crate) async fn new(adapter: A, off: Off) -> Self {
        let secrets = Secrets::default();
        let (store, keyring) = adapter.open(&secrets);
        let stores = Arc::new(Spy::new(Arc::clone(&store), off, &secrets));
        let blobs = Arc::new(Spy::new(store, off, &secrets));
        let keys = Arc::new(Spy::new(keyring, off, &secrets));
        let handles = Stores { store: stores.clone(), blobs: blobs.clone(), keyring: keys.clone() };
        let clock = Arc::new(ManualClock::at(at("2026-03-02T09:00:00Z")));
        let grc = Grc::with(handles, clock.clone(), Arc::new(SystemEntropy)).await.unwrap();
        let definition = Definition::from_files([("town.toml", include_str!("town.toml"))])
            .unwrap_or_else(|error| panic!("{error}"));
        grc.authority(TOWN).unwrap().host("essai").publish(&definition).await.unwrap();
        Self { grc, stores, blobs, keys, clock, secrets, adapter }
    }

    pub(crate) fn town(&self) -> Authority {
        self.grc.authority(TOWN).unwrap()
    }

    pub(crate) fn agent(&self) -> Session {
        self.town().session(Actor::agent("a-01"))
    }

    /// No typed value and no key is in clear in the store's files.
    pub(crate) fn look(&self) {
        self.adapter.look(&self.secrets);
    }

    pub(crate) fn loot(&self, stream: Uuid) -> Loot {
        Loot::of(&self.stores.batches.lock().unwrap(), stream)
    }

    /// Every key that the keyring answers with, of all that were ever issued, and what can be tried besides.
    pub(crate) fn candidates(&self) -> Vec<[u8; 32]> {
        let ids: Vec<_> = self.keys.issued.lock().unwrap().iter().map(|(id, _)| *id).collect();
        let mut out = self.adapter.candidates();
        for state in block_on(self.keys.inner.open(&ids)).unwrap() {
            match state {
                KeyState::Whole(key) => out.push(*key.expose()),
                KeyState::Kept(slots) => out.extend(slots.values().map(|key| *key.expose())),
                KeyState::Destroyed | KeyState::Unknown => {}
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// How many rows of a table there are. The condition is on one value.
    pub(crate) fn count(&self, table: &str, condition: &str, id: Uuid) -> usize {
        self.adapter.rows(&format!("SELECT id FROM {}{table} WHERE {condition}", A::PREFIX), id).len()
    }
}
