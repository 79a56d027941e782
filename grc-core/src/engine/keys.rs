//! Keys in the engine's hands: issued in small batches, so that an intake pays no second flush.

use super::{Authority, GrcError, authority::AuthorityInner, kinds::DocumentKind};
use crate::{
    KeyId, Moment, Word, entropy,
    request::Acting,
    storage::{ConflictOn, Document, DocumentRange, Expect, Step, Which},
    vault::{DataKey, KeyState},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};
use uuid::Uuid;

const FIRST: usize = 16;
const MOST: usize = 512;

/// The keys of one authority that this process holds.
#[derive(Default)]
pub(crate) struct Keys {
    pool: Mutex<Pool>,
    named: Mutex<BTreeMap<Word, NamedKey>>,
}

#[derive(Default)]
struct Pool {
    ready: VecDeque<(KeyId, DataKey)>,
    next: usize,
}

/// A key that a document names: the lookup key, or a month's.
#[derive(Clone)]
pub(crate) struct NamedKey {
    pub(crate) name: Word,
    pub(crate) version: u64,
    pub(crate) key: DataKey,
    pub(crate) closing: bool,
    /// Since when it is closing.
    pub(crate) since: Option<Moment>,
    pub(crate) id: KeyId,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct KeyDocument {
    pub(crate) id: KeyId,
    #[serde(default)]
    pub(crate) closing: bool,
    /// Since when it is closing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<i64>,
}

impl AuthorityInner {
    /// A data key that no stream has yet, durable in the keyring.
    pub(crate) async fn fresh_key(&self) -> Result<(KeyId, DataKey), GrcError> {
        let count = {
            let mut pool = self.keys.pool.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(ready) = pool.ready.pop_front() {
                return Ok(ready);
            }
            let count = pool.next.max(FIRST);
            pool.next = (count * 2).min(MOST);
            count
        };
        let grc = &self.grc.0;
        let mut keys = Vec::with_capacity(count);
        for _ in 0..count {
            let id: [u8; 16] = entropy::bytes(&*grc.entropy)?;
            keys.push((KeyId::from_uuid(Uuid::from_bytes(id)), DataKey::fresh(&*grc.entropy)?));
        }
        let epoch = grc.stores.keyring.issue(&keys).await?;
        // The store notes that these keys exist before any row needs them, so that a copy of the keyring from before
        // is known to be older.
        grc.note_epoch(epoch).await?;
        let mut pool = self.keys.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.ready.extend(keys);
        pool.ready.pop_front().ok_or(GrcError::Busy)
    }

    /// Puts a key back that was not used.
    pub(crate) fn give_back(&self, key: (KeyId, DataKey)) {
        self.keys.pool.lock().unwrap_or_else(PoisonError::into_inner).ready.push_front(key);
    }

    /// The key of this name, made if there is none; none if it was destroyed and its name not dropped yet.
    async fn named_key(&self, name: &Word) -> Result<Option<NamedKey>, GrcError> {
        if let Some(known) = self.keys.named.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(Some(known.clone()));
        }
        for _ in 0..3 {
            if let Some(document) = self.read_named(name).await? {
                let found = self.open_named(&document).await?;
                if let Some(found) = &found {
                    let mut named = self.keys.named.lock().unwrap_or_else(PoisonError::into_inner);
                    named.insert(name.clone(), found.clone());
                }
                return Ok(found);
            }
            let key = self.fresh_key().await?;
            let body = crate::canonical::to_bytes(&KeyDocument { id: key.0, closing: false, since: None })?;
            let document = Document { kind: DocumentKind::Key.word(), name: name.clone(), version: 1, body };
            let grc = &self.grc.0;
            let batch = grc
                .batch(&self.name, grc.clock.now())?
                .with(Step::PutDocument { document, expect: Expect::Absent });
            match grc.stores.store.commit(batch).await {
                Err(error) if error.conflict_on() == Some(ConflictOn::Document) => self.give_back(key),
                Err(error) => return Err(error.into()),
                Ok(_) => {}
            }
        }
        Err(GrcError::Busy)
    }

    async fn read_named(&self, name: &Word) -> Result<Option<Document>, GrcError> {
        let range = DocumentRange::newest(self.name.clone(), DocumentKind::Key.word(), name.clone());
        Ok(self.grc.0.stores.store.documents(&range).await?.into_iter().next())
    }

    async fn open_named(&self, document: &Document) -> Result<Option<NamedKey>, GrcError> {
        let KeyDocument { id, closing, since } = serde_json::from_slice(&document.body)
            .map_err(|_| GrcError::Corrupt(format!("the note of key `{}` cannot be read", document.name)))?;
        match self.grc.0.stores.keyring.open(&[id]).await?.pop() {
            Some(KeyState::Whole(key)) => Ok(Some(NamedKey {
                name: document.name.clone(),
                version: document.version,
                key,
                closing,
                since: since.map(Moment::from_micros),
                id,
            })),
            Some(KeyState::Destroyed | KeyState::Kept(_)) => Ok(None),
            Some(KeyState::Unknown) | None => Err(GrcError::KeyLost(id.uuid())),
        }
    }

    /// Forgets what is cached of named keys: another process may have made or closed some.
    pub(crate) fn forget_named(&self) {
        self.keys.named.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The key under which tracking codes and command keys are looked up.
    pub(crate) async fn lookup_key(&self) -> Result<DataKey, GrcError> {
        self.named_key(&Word::of("lookup")).await?.map(|named| named.key).ok_or(GrcError::Busy)
    }

    /// The key of a month's tokens: the first generation that is not closing, nor destroyed by a closing that was
    /// interrupted before it dropped the name.
    pub(crate) async fn month_key(&self, month: &Word) -> Result<NamedKey, GrcError> {
        for generation in 1_u32..=64 {
            let name = Word::new(&format!("{month}.{generation}")).map_err(|_| GrcError::Busy)?;
            match self.named_key(&name).await? {
                Some(key) if !key.closing => return Ok(key),
                _ => {}
            }
        }
        Err(GrcError::Busy)
    }

    /// All month keys that live.
    pub(crate) async fn month_keys(&self) -> Result<Vec<NamedKey>, GrcError> {
        Ok(self.months().await?.into_iter().filter_map(|(_, key)| key).collect())
    }

    /// The documents of all month keys, each with its key, unless that was destroyed.
    pub(crate) async fn months(&self) -> Result<Vec<(Document, Option<NamedKey>)>, GrcError> {
        let mut out = Vec::new();
        let mut after = None;
        loop {
            let range = DocumentRange {
                authority: self.name.clone(),
                kind: DocumentKind::Key.word(),
                name: None,
                after,
                which: Which::Newest,
                limit: 1_000,
            };
            let documents = self.grc.0.stores.store.documents(&range).await?;
            let Some(last) = documents.last().map(|document| document.name.clone()) else { return Ok(out) };
            for document in documents.into_iter().filter(|document| document.name != "lookup") {
                let key = self.open_named(&document).await?;
                out.push((document, key));
            }
            after = Some(last);
        }
    }

    /// The token under which a tracking code is found.
    pub(crate) async fn tracking_token(&self, code: &crate::TrackingCode) -> Result<[u8; 16], GrcError> {
        Ok(self.lookup_key().await?.token("grc-tracking-1", &[code.symbols()]))
    }

    /// The token under which a command's receipt is found.
    pub(crate) async fn receipt_token(&self, acting: &Acting, key: &str) -> Result<[u8; 16], GrcError> {
        let kind = crate::canonical::to_bytes(&acting.kind())?;
        // A holder is who holds this request; other actors are their ids.
        let held = acting.held_request().map(|request| request.to_string());
        let id = held.as_deref().or(acting.id().map(Word::as_str)).unwrap_or_default();
        Ok(self.lookup_key().await?.token("grc-key-1", &[&kind, b"\0", id.as_bytes(), b"\0", key.as_bytes()]))
    }
}

impl Authority {
    pub(crate) fn inner(&self) -> &AuthorityInner {
        &self.0
    }
}
