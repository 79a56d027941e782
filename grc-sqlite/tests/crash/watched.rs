//! What a process says of what it does, and who hears it.

use crate::support::say;
use async_trait::async_trait;
use grc_core::{
    Grc, GrcError, KeyId, ManualClock, Stores, SystemEntropy,
    conformance::Over,
    storage::{Batch, Receipt, Step, StorageError, Store},
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use grc_sqlite::Options;
use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};
use uuid::Uuid;

/// Hears what happens: the parent's ledger, or the child's output.
pub(crate) trait Ear: Send + Sync + 'static {
    fn hear(&self, line: &str);
}

/// The child's output. A line is written at once: what was written before the kill arrives.
pub(crate) struct Output;

impl Ear for Output {
    fn hear(&self, line: &str) {
        say(line);
    }
}

pub(crate) fn words(items: impl IntoIterator<Item = impl fmt::Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}

/// Says what goes through a store or a keyring, before and after.
#[derive(Clone)]
pub(crate) struct Watched<T: ?Sized>(Arc<T>, Arc<dyn Ear>);

impl<T: ?Sized> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl<T: ?Sized + Send + Sync> Watched<T> {
    /// What happens while a window is open is told in a line of its own after it was left.
    pub(crate) async fn window<R: Send, E: Send>(
        &self,
        window: &str,
        about: &str,
        doing: impl Future<Output = Result<R, E>> + Send,
    ) -> Result<R, E> {
        let thread = std::thread::current().name().unwrap_or("main").to_owned();
        self.1.hear(&format!("enter\t{thread}\t{window}\t{about}"));
        let out = doing.await;
        let done = if out.is_ok() { "done" } else { "failed" };
        self.1.hear(&format!("leave\t{thread}\t{window}\t{done}\t{about}"));
        out
    }
}

/// The window of a batch; the stream that it writes, its version after it, and the kinds of its events.
pub(crate) fn about(batch: &Batch) -> (&'static str, String) {
    let mut stream = String::new();
    let mut kinds = Vec::new();
    for step in batch.steps() {
        if let Step::Append { stream: key, after, events } = step {
            stream = format!("{}\t{}", key.id, after + events.len() as u64);
            for event in events {
                let body: serde_json::Value = serde_json::from_slice(&event.body).unwrap();
                kinds.push(body["kind"].as_str().unwrap().to_owned());
            }
        }
    }
    let window = if kinds.iter().any(|kind| kind == "erased" || kind == "anonymised") {
        "erase"
    } else if batch.steps().iter().any(|step| matches!(step, Step::DropDocument { .. })) {
        "month"
    } else {
        "commit"
    };
    (window, format!("{}\t{}\t{stream}\t{}", batch.authority(), batch.id(), kinds.join(",")))
}

#[async_trait]
impl Over for Watched<dyn Store> {
    fn under(&self) -> &dyn Store {
        &*self.0
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        let (window, about) = about(&batch);
        self.window(window, &about, self.0.commit(batch)).await
    }
}

#[async_trait]
impl Keyring for Watched<dyn Keyring> {
    fn info(&self) -> KeyringInfo {
        self.0.info()
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.0.epoch().await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        self.window("issue", &words(keys.iter().map(|(id, _)| id)), self.0.issue(keys)).await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.0.open(ids).await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        let about = format!("kept\t{id}\t{}", words(slots.keys()));
        self.window("destroy", &about, self.0.keep(id, slots)).await
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        let about = format!("gone\t{}", words(ids));
        self.window("destroy", &about, self.0.destroy(ids)).await
    }
}

/// An engine on the files of a directory.
pub(crate) async fn engine(
    directory: &Path,
    clock: &Arc<ManualClock>,
    ear: Arc<dyn Ear>,
) -> Result<Grc, GrcError> {
    let opened: Stores = Options::new().create(true).open(directory.join("town.db"))?.into();
    let stores = Stores {
        store: Arc::new(Watched(opened.store, Arc::clone(&ear))),
        blobs: opened.blobs,
        keyring: Arc::new(Watched(opened.keyring, ear)),
    };
    Grc::with(stores, Arc::<ManualClock>::clone(clock), Arc::new(SystemEntropy)).await
}
