//! The engine: load, decide, commit, retry; sessions bound to an authority and an actor; due work.

mod asked;
mod authority;
mod deliver;
mod directory;
#[cfg(test)]
pub(crate) mod earlier;
mod erasure;
mod error;
mod figures;
mod files;
mod form;
mod history;
mod host;
mod instruction;
mod intervene;
mod keys;
pub(crate) mod kinds;
mod letters;
mod list;
mod outline;
mod parts;
mod rows;
mod sealing;
mod session;
mod site;
mod site_instruction;
#[cfg(all(feature = "conformance", not(test)))]
pub(crate) mod stored;
mod stream;
mod submit;
mod tokens;
mod transport;
mod verify;
mod view;
mod work;
mod write;

pub use authority::Authority;
pub(crate) use authority::{Current, OrganisationDocument};
pub use error::{Conflict, GrcError};
pub use form::{Form, FormField};
pub use history::HistoryEntry;
pub use host::{Host, Published};
pub use instruction::Instruction;
pub use intervene::Intervened;
pub use letters::{DeadLetter, DeadLetters};
pub use list::{List, Listed, Summary};
pub use parts::{Choice, FileView, MessageView, NoteView, OnSiteView, PersonView, PlaceView};
pub use session::{Acted, Session, Submitted};
pub use site::{
    EntryView, InterventionSummary, InterventionView, InterventionsListed, ServedView, SiteChoice,
};
pub use site_instruction::SiteInstruction;
pub use transport::{Delivery, Outgoing, RecordingTransport, Transport};
pub use verify::Verdict;
pub use view::Seen;
pub use work::{Budget, WorkReport};

use kinds::DocumentKind;

use crate::{
    BatchId, Clock, Entropy, Moment, Word,
    storage::{Batch, BlobStore, ConflictOn, Document, DocumentRange, Expect, Step, Store},
    vault::Keyring,
};
use std::{
    collections::HashMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};
use uuid::Uuid;

/// What an engine stands on: rows, attachments, and the keys apart from both.
#[derive(Debug, Clone)]
pub struct Stores {
    /// The rows.
    pub store: Arc<dyn Store>,
    /// The bytes of attachments.
    pub blobs: Arc<dyn BlobStore>,
    /// The keys.
    pub keyring: Arc<dyn Keyring>,
}

impl Stores {
    /// In memory, gone with the process; a test store, which accepts a seeded entropy.
    pub fn memory() -> Self {
        let store = Arc::new(crate::storage::MemoryStore::new());
        Self {
            store: Arc::<crate::storage::MemoryStore>::clone(&store),
            blobs: store,
            keyring: Arc::new(crate::vault::MemoryKeyring::default()),
        }
    }
}

pub(crate) struct Inner {
    pub(crate) stores: Stores,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    authorities: Mutex<HashMap<Word, Arc<authority::Known>>>,
}

/// A future that is compiled here. What an `async fn` does is compiled in every crate that awaits it: a program that embeds
/// the engine, and each program of tests, would compile all of it once more.
pub(crate) type Here<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The engine. Cheap to clone; every clone is the same engine. It starts no thread and no background work.
#[derive(Clone)]
pub struct Grc(pub(crate) Arc<Inner>);

impl fmt::Debug for Grc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grc").field("store", &self.0.stores.store.info()).finish_non_exhaustive()
    }
}

/// More authorities than a program serves at once. Whoever asks by names that somebody typed comes here too: past it, what is
/// known of those that nobody holds is forgotten, and read again when they are asked for.
const KNOWN: usize = 10_000;

/// Where the store's own documents are: those of no authority.
const STORE: &str = "store";

impl Grc {
    /// Opens an engine with the system's clock and random source.
    ///
    /// # Errors
    /// As [`Grc::with`].
    #[cfg(feature = "system")]
    pub async fn open(stores: Stores) -> Result<Self, GrcError> {
        Self::with(stores, Arc::new(crate::SystemClock), Arc::new(crate::SystemEntropy)).await
    }

    /// Opens an engine with a clock and a random source of one's own.
    ///
    /// # Errors
    /// [`GrcError::Keyring`] if the keyring is not this store's, or older than the store (a copy from before an
    /// erasure would bring back what was forgotten); [`GrcError::Unsuitable`] if the random source is seeded and the
    /// store is not marked as a test store.
    pub async fn with(
        stores: Stores,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, GrcError> {
        if entropy.is_seeded() && !stores.store.info().test {
            return Err(GrcError::Unsuitable(
                "a seeded random source is accepted only by a store that was created as a test store"
                    .to_owned(),
            ));
        }
        let inner = Inner { stores, clock, entropy, authorities: Mutex::default() };
        inner.bind_keyring().await?;
        Ok(Self(Arc::new(inner)))
    }

    /// An authority, by the word under which its rows are kept. Nothing is written until something is published.
    ///
    /// # Errors
    /// [`GrcError::Unsuitable`] if the name is not a word, or is `store`, which is the library's own.
    pub fn authority(&self, name: &str) -> Result<Authority, GrcError> {
        let word = Word::new(name)
            .map_err(|error| GrcError::Unsuitable(format!("the authority's name is {error}")))?;
        if word == STORE {
            return Err(GrcError::Unsuitable("an authority cannot be called `store`".to_owned()));
        }
        let mut authorities = self.0.authorities.lock().unwrap_or_else(PoisonError::into_inner);
        if authorities.len() >= KNOWN && !authorities.contains_key(&word) {
            authorities.retain(|_, known| Arc::strong_count(known) > 1);
        }
        let known = authorities.entry(word.clone()).or_insert_with(|| Arc::new(authority::Known::new(word)));
        Ok(Authority::new(self.clone(), Arc::clone(known)))
    }

    /// What this engine stands on.
    pub fn stores(&self) -> &Stores {
        &self.0.stores
    }

    /// Now, by this engine's clock.
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }
}

impl Inner {
    pub(crate) fn batch(&self, authority: &Word, now: Moment) -> Result<Batch, GrcError> {
        Ok(Batch::new(BatchId::fresh(now, &*self.entropy)?, authority.clone(), now))
    }

    /// Ties the store and its keyring together, or refuses the pair.
    fn bind_keyring<'a>(&'a self) -> Here<'a, Result<(), GrcError>> {
        Box::pin(async move {
            let (kind, name, authority) = (DocumentKind::Keyring.word(), Word::of("main"), Word::of(STORE));
            for _ in 0..3 {
                let range = DocumentRange::newest(authority.clone(), kind.clone(), name.clone());
                let bound = self.stores.store.documents(&range).await?.into_iter().next();
                // After the note: another process may issue keys and note it meanwhile, and its keyring is no older for that.
                let (id, epoch) = self.stores.keyring.epoch().await?;
                if let Some(document) = bound {
                    let expected = serde_json::from_slice::<Uuid>(&document.body).map_err(|_| {
                        GrcError::Corrupt("the store's note of its keyring cannot be read".to_owned())
                    })?;
                    return if expected != id {
                        Err(GrcError::KeyringForeign)
                    } else if document.version > epoch + 1 {
                        Err(GrcError::KeyringOlder)
                    } else {
                        Ok(())
                    };
                }
                let now = self.clock.now();
                let body = crate::canonical::to_bytes(&id)?;
                let document = Document { kind: kind.clone(), name: name.clone(), version: 1, body };
                let batch =
                    self.batch(&authority, now)?.with(Step::PutDocument { document, expect: Expect::Absent });
                match self.stores.store.commit(batch).await {
                    Err(error) if error.conflict_on() == Some(ConflictOn::Document) => {}
                    other => return other.map(|_| ()).map_err(GrcError::from),
                }
            }
            Err(GrcError::Busy)
        })
    }

    /// The step that notes how far the keyring has come, in the store's own rows.
    pub(crate) async fn note_epoch(&self, epoch: u64) -> Result<(), GrcError> {
        let (id, _) = self.stores.keyring.epoch().await?;
        let document = Document {
            kind: DocumentKind::Keyring.word(),
            name: Word::of("main"),
            // Version 1 is epoch 0: documents begin at 1.
            version: epoch + 1,
            body: crate::canonical::to_bytes(&id)?,
        };
        let batch = self.batch(&Word::of(STORE), self.clock.now())?.with(Step::RaiseDocument(document));
        self.stores.store.commit(batch).await?;
        Ok(())
    }
}
