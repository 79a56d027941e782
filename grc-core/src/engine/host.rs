//! The embedding program's own errands: publishing, verification, holds.

use super::{
    Acted, Authority, GrcError, Here, Instruction, asked, authority::OrganisationDocument,
    kinds::DocumentKind, session::Who, verify::Verdict,
};
use crate::{
    Actor, InterventionId, RequestId, Word,
    definition::Definition,
    intervention::Intervention,
    refusal::{Problem, Refusal},
    request::{ActorKind, ActorRef, Command, Event, Request, head},
    storage::{
        ChangePage, ConflictOn, Cursor, Document, Expect, Facts, Load, Parts, ScrubReport, Step,
        StorageErrorKind, StoredEvent, StreamKey, StreamRow,
    },
    vault::StreamContext,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The embedding program, on an errand. What it does is not limited by roles: the host is trusted.
#[derive(Debug, Clone)]
pub struct Host {
    authority: Authority,
    errand: String,
}

/// What a publication made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The version of the organisation.
    pub organisation: u64,
    /// The procedures that are new or changed, and their versions.
    pub procedures: BTreeMap<Word, u64>,
    /// The types that were there and are not any more: nobody can hand one in; live requests go on.
    pub withdrawn: Vec<Word>,
}

/// What happened to an authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "kebab-case")]
pub(super) enum AuthorityEvent {
    /// A definition was published.
    Published { organisation: u64, procedures: BTreeMap<Word, u64> },
}

/// The state of an authority's own stream.
#[derive(Debug, Serialize, Deserialize)]
struct AuthorityState {
    version: u64,
    organisation: u64,
}

impl Host {
    pub(super) fn new(authority: Authority, errand: &str) -> Self {
        Self { authority, errand: errand.to_owned() }
    }

    pub(super) const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// As events name it.
    pub(super) fn who(&self) -> Who {
        Who::host(&Word::slug(&self.errand))
    }

    /// Publishes a definition. What did not change keeps its version; a definition equal to the one in force writes
    /// nothing.
    ///
    /// # Errors
    /// [`GrcError::Definition`] with every problem of a definition that cannot work; [`GrcError::Busy`] if others
    /// keep publishing; [`GrcError::Storage`]. Nothing is published then.
    pub async fn publish(&self, definition: &Definition) -> Result<Published, GrcError> {
        definition.check()?;
        for _ in 0..8 {
            match self.try_publish(definition).await {
                Err(GrcError::Storage(error))
                    if matches!(error.conflict_on(), Some(ConflictOn::Document | ConflictOn::Stream)) =>
                {
                    self.authority.forget_organisation();
                }
                other => return other,
            }
        }
        Err(GrcError::Busy)
    }

    fn try_publish<'a>(&'a self, definition: &'a Definition) -> Here<'a, Result<Published, GrcError>> {
        Box::pin(async move {
            let definition = definition.clone().resolved();
            let inner = self.authority.inner();
            let grc = &inner.grc.0;
            let now = grc.clock.now();
            let before = match self.authority.newest_organisation().await {
                Ok(current) => Some(current),
                Err(GrcError::NoDefinition(_)) => None,
                Err(error) => return Err(error),
            };
            let mut versions = BTreeMap::new();
            let mut changed = BTreeMap::new();
            let mut documents = Vec::new();
            for (type_, procedure) in &definition.procedures {
                let newest = self.newest_procedure(type_).await?;
                let same = match newest {
                    0 => false,
                    version => *self.authority.procedure(type_, version).await? == *procedure,
                };
                let version = if same { newest } else { newest + 1 };
                versions.insert(type_.clone(), version);
                if !same {
                    changed.insert(type_.clone(), version);
                    documents.push((type_.clone(), newest, procedure));
                }
            }
            let mut labels =
                before.as_ref().map_or_else(BTreeMap::new, |current| current.document.labels.clone());
            labels.extend(
                definition
                    .procedures
                    .iter()
                    .map(|(type_, procedure)| (type_.clone(), procedure.label.clone())),
            );
            let organisation = definition.organisation.clone();
            let document = OrganisationDocument { organisation, procedures: versions, labels };
            let old_version = before.as_ref().map_or(0, |current| current.version);
            let withdrawn = before.as_ref().map_or_else(Vec::new, |current| {
                let known = current.document.procedures.keys();
                known.filter(|type_| !document.procedures.contains_key(*type_)).cloned().collect()
            });
            if before.as_ref().is_some_and(|current| *current.document == document) {
                return Ok(Published { organisation: old_version, procedures: changed, withdrawn });
            }
            let expect = |version| if version == 0 { Expect::Absent } else { Expect::Version(version) };
            // Procedures first, in batches of their own: until the organisation names them, nothing uses them.
            for chunk in documents.chunks(500) {
                let mut batch = grc.batch(&inner.name, now)?;
                for (type_, newest, procedure) in chunk {
                    let body = crate::canonical::to_bytes(procedure)?;
                    let document = Document {
                        kind: DocumentKind::Procedure.word(),
                        name: type_.clone(),
                        version: newest + 1,
                        body,
                    };
                    batch.push(Step::PutDocument { document, expect: expect(*newest) });
                }
                self.authority.commit(batch).await?;
            }
            let version = old_version + 1;
            let mut batch = grc.batch(&inner.name, now)?;
            let published =
                AuthorityEvent::Published { organisation: version, procedures: document.procedures.clone() };
            self.record(&mut batch, published, version).await?;
            let body = crate::canonical::to_bytes(&document)?;
            let document =
                Document { kind: DocumentKind::Organisation.word(), name: Word::of("main"), version, body };
            batch.push(Step::PutDocument { document, expect: expect(old_version) });
            self.authority.commit(batch).await?;
            self.authority.forget_organisation();
            Ok(Published { organisation: version, procedures: changed, withdrawn })
        })
    }

    /// The definition in force, as [`Host::publish`] takes it: the newest organisation, and the procedures that new
    /// requests get. What is to be added to it can be added and published again.
    ///
    /// # Errors
    /// [`GrcError::NoDefinition`] if nothing is published yet; [`GrcError::Storage`].
    pub async fn definition(&self) -> Result<Definition, GrcError> {
        let current = self.authority.newest_organisation().await?;
        let mut procedures = BTreeMap::new();
        for (type_, version) in &current.document.procedures {
            let procedure = self.authority.procedure(type_, *version).await?;
            procedures.insert(type_.clone(), (*procedure).clone());
        }
        let organisation = current.document.organisation.clone();
        Ok(Definition { organisation, workflows: BTreeMap::new(), procedures })
    }

    async fn newest_procedure(&self, type_: &Word) -> Result<u64, GrcError> {
        let inner = self.authority.inner();
        let range = crate::storage::DocumentRange::newest(
            inner.name.clone(),
            DocumentKind::Procedure.word(),
            type_.clone(),
        );
        Ok(inner.grc.0.stores.store.documents(&range).await?.first().map_or(0, |document| document.version))
    }

    /// Appends an event to the authority's own stream.
    async fn record(
        &self,
        batch: &mut crate::storage::Batch,
        data: AuthorityEvent,
        organisation: u64,
    ) -> Result<(), GrcError> {
        let inner = self.authority.inner();
        let stream = StreamKey::new(inner.name.clone(), Word::of("authority"), Uuid::nil());
        let load = Load {
            authority: inner.name.clone(),
            streams: vec![stream.clone()],
            parts: Parts::None,
            receipt: None,
        };
        let row =
            inner.grc.0.stores.store.load(&load).await?.streams.pop().flatten().map(|record| record.row);
        let (version, previous) = row.as_ref().map_or((0, [0; 32]), |row| (row.version, row.head));
        let errand = Word::slug(&self.errand);
        let event = Event {
            v: Event::<AuthorityEvent>::VERSION,
            seq: version + 1,
            occurred_at: batch.at(),
            recorded_at: batch.at(),
            actor: ActorRef { kind: ActorKind::Host, id: Some(errand) },
            organisation,
            data,
            key: None,
            slots: BTreeMap::new(),
        };
        let birth = row.as_ref().map_or_else(|| inner.name.clone(), |row| row.birth.clone());
        let context = StreamContext::new(&birth, &stream.kind, stream.id);
        let body = event.to_bytes()?;
        let head = head(&context, version + 1, &previous, &body);
        let state = AuthorityState { version: version + 1, organisation };
        batch.push(Step::PutStream {
            row: StreamRow {
                key: stream.clone(),
                birth,
                version: version + 1,
                fold: 1,
                head,
                facts: Facts::new(),
                body: crate::canonical::to_bytes(&state)?,
            },
            expect: row.map_or(Expect::Absent, |row| Expect::Version(row.version)),
        });
        let stored = StoredEvent { sequence: version + 1, batch: batch.id(), head, body };
        batch.push(Step::Append { stream, after: version, events: vec![stored] });
        Ok(())
    }

    /// Gives a command that the host may give whatever the roles: a hold, its end, an erasure.
    ///
    /// # Errors
    /// As [`super::Session::act`].
    pub async fn act(&self, id: RequestId, command: Command) -> Result<Acted, GrcError> {
        let session = self.authority.session(Actor::host(Word::slug(&self.errand).to_string()));
        session.act_on(id, None, Instruction::new(command)).await
    }

    /// Follows the feed: what was written to the authority's rows since a cursor, at most `limit` batches (1 to 1000). The
    /// cursor of the answer goes on from there, now or later, also from text. A follower misses nothing.
    ///
    /// # Errors
    /// [`GrcError::Refused`] with `feed.cursor` if the cursor is of another store, or the store lost what was read up to it:
    /// everything is to be read again; with `list.limit` if the limit is out of range. [`GrcError::Storage`].
    pub async fn changes(&self, after: Option<&Cursor>, limit: u32) -> Result<ChangePage, GrcError> {
        asked::limit(limit)?;
        let inner = self.authority.inner();
        match inner.grc.0.stores.store.changes(&inner.name, after, limit).await {
            Err(error) if after.is_some() && error.kind() == StorageErrorKind::Unsupported => {
                let problem = Problem::new("feed.cursor", "after", "this feed cannot go on from here");
                Err(Refusal::from(problem.hint("read everything again, without a cursor")).into())
            }
            answer => Ok(answer?),
        }
    }

    /// Makes what was dropped physically gone, as far as the store can.
    ///
    /// # Errors
    /// [`GrcError::Storage`] if the store fails.
    pub async fn scrub(&self) -> Result<ScrubReport, GrcError> {
        Ok(self.authority.inner().grc.0.stores.store.scrub().await?)
    }

    /// Verifies the history of a request: the chain of heads, the commitments whose values are still there, and that
    /// folding the events gives the stored state.
    ///
    /// # Errors
    /// [`GrcError::NotFound`] if there is no such request, [`GrcError::Busy`] if others keep writing to it. What is wrong with
    /// it is in the verdict.
    pub async fn verify(&self, id: RequestId) -> Result<Verdict, GrcError> {
        self.authority.verify::<Request>(id.uuid()).await
    }

    /// Verifies the history of an intervention, as [`Host::verify`] does that of a request.
    ///
    /// # Errors
    /// [`GrcError::NotFound`] if there is no such intervention. What is wrong with it is in the verdict.
    pub async fn verify_intervention(&self, id: InterventionId) -> Result<Verdict, GrcError> {
        self.authority.verify::<Intervention>(id.uuid()).await
    }
}
