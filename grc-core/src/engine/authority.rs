//! An authority as the engine sees it: its definition, cached by version.

use super::{Grc, GrcError, Here, Host, Session, keys::Keys, kinds::DocumentKind};
use crate::{
    Actor, Word,
    definition::{Label, Organisation, Procedure},
    storage::{DocumentRange, Load, Parts, Which},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// The document `organisation` / `main`: the organisation, and which version of each procedure new requests get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrganisationDocument {
    pub(crate) organisation: Organisation,
    pub(crate) procedures: BTreeMap<Word, u64>,
    /// The names of all types that ever were, for figures.
    pub(crate) labels: BTreeMap<Word, Label>,
}

/// One version of the organisation, as the engine keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub(crate) version: u64,
    pub(crate) document: Arc<OrganisationDocument>,
}

/// An authority in one engine.
pub(crate) struct AuthorityInner {
    pub(crate) grc: Grc,
    known: Arc<Known>,
}

impl std::ops::Deref for AuthorityInner {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.known
    }
}

/// What an engine knows of an authority, for all handles. It does not hold the engine, which holds it: the engine ends,
/// and its stores with it, when the last handle is dropped.
pub(crate) struct Known {
    pub(crate) name: Word,
    pub(crate) keys: Keys,
    current: Mutex<Option<Current>>,
    procedures: Mutex<HashMap<(Word, u64), Arc<Procedure>>>,
}

/// An authority: the municipality or grouping that owns the data. Cheap to clone.
#[derive(Clone)]
pub struct Authority(pub(crate) Arc<AuthorityInner>);

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authority").field(&self.0.name).finish()
    }
}

impl Known {
    pub(super) fn new(name: Word) -> Self {
        Self { name, keys: Keys::default(), current: Mutex::default(), procedures: Mutex::default() }
    }
}

/// More versions of procedures than any authority has alive at once; past it the cache starts again.
const CACHED: usize = 20_000;

impl Authority {
    pub(super) fn new(grc: Grc, known: Arc<Known>) -> Self {
        Self(Arc::new(AuthorityInner { grc, known }))
    }

    /// Its name.
    pub fn name(&self) -> &Word {
        &self.0.name
    }

    /// A session of an actor. There is no read and no write without one. The actor is resolved against the newest
    /// organisation at each call.
    pub fn session(&self, actor: Actor) -> Session {
        Session::new(self.clone(), actor)
    }

    /// The embedding program itself, on an errand: publishing, due work, verification.
    pub fn host(&self, errand: &str) -> Host {
        Host::new(self.clone(), errand)
    }

    /// The organisation of a version, from the cache if that is the one it holds.
    pub(crate) async fn organisation(&self, version: Option<u64>) -> Result<Current, GrcError> {
        {
            let cached = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(current) = &*cached
                && version.is_none_or(|version| version == current.version)
            {
                return Ok(current.clone());
            }
        }
        let range =
            DocumentRange::newest(self.0.name.clone(), DocumentKind::Organisation.word(), Word::of("main"));
        let document = self.0.grc.0.stores.store.documents(&range).await?.into_iter().next();
        let document = document.ok_or_else(|| GrcError::NoDefinition(self.0.name.to_string()))?;
        let parsed = serde_json::from_slice(&document.body)
            .map_err(|error| GrcError::Corrupt(format!("the organisation cannot be read: {error}")))?;
        let current = Current { version: document.version, document: Arc::new(parsed) };
        *self.0.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(current.clone());
        Ok(current)
    }

    /// The newest organisation: what another process published is seen.
    pub(crate) fn newest_organisation<'a>(&'a self) -> Here<'a, Result<Current, GrcError>> {
        Box::pin(async move {
            let load = Load {
                authority: self.0.name.clone(),
                streams: Vec::new(),
                parts: Parts::None,
                receipt: None,
            };
            let version = self.0.grc.0.stores.store.load(&load).await?.organisation;
            self.organisation(Some(version)).await
        })
    }

    pub(crate) fn forget_organisation(&self) {
        *self.0.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A version of a procedure.
    pub(crate) async fn procedure(&self, type_: &Word, version: u64) -> Result<Arc<Procedure>, GrcError> {
        let key = (type_.clone(), version);
        if let Some(known) = self.0.procedures.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let range = DocumentRange {
            which: Which::Version(version),
            ..DocumentRange::newest(self.0.name.clone(), DocumentKind::Procedure.word(), type_.clone())
        };
        let document = self.0.grc.0.stores.store.documents(&range).await?.into_iter().next();
        let document = document
            .ok_or_else(|| GrcError::Corrupt(format!("procedure `{type_}` {version} is not stored")))?;
        let parsed: Arc<Procedure> =
            Arc::new(serde_json::from_slice(&document.body).map_err(|error| {
                GrcError::Corrupt(format!("procedure `{type_}` cannot be read: {error}"))
            })?);
        let mut known = self.0.procedures.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CACHED {
            known.clear();
        }
        known.insert(key, Arc::clone(&parsed));
        Ok(parsed)
    }
}
