//! Faults of the kind that a run must find: the store beneath, or the way out, does on purpose what it must not.

mod keyring;

use async_trait::async_trait;
use grc_core::{
    RequestId, Word,
    conformance::Over,
    storage::{
        Batch, ChangePage, Claim, ConflictOn, Cursor, Expect, Load, Parts, Receipt, Step, StorageError,
        Store, StoredEvent, Task, TaskRef,
    },
    vault::HEAD,
};
pub(crate) use keyring::WrongKeyring;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use uuid::Uuid;

/// What is wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mutant {
    /// Nothing.
    #[default]
    None,
    /// One commit in 500 is acknowledged and not made.
    ForgetsCommits,
    /// What is remembered of a command's key is not kept.
    ForgetsReceipts,
    /// Whoever held a task once may end it.
    IgnoresLeases,
    /// What a decision was made under is not compared.
    IgnoresDocuments,
    /// What is to be dropped from a vault stays.
    KeepsVaults,
    /// Links stay.
    KeepsLinks,
    /// The feed leaves out a batch now and then.
    ForgetsChanges,
    /// A message goes out under a key of its own each time.
    OtherKeys,
    /// Who comes later writes over who was faster.
    IgnoresVersions,
    /// One measure in 50 is not kept.
    LosesMeasures,
    /// One event in 500 is kept as if it had been recorded at another moment.
    ChangesEvents,
    /// That a request is under a hold is not kept with it.
    ForgetsHolds,
    /// A hold that is set takes the persons of its request away.
    ErasesUnderHolds,
    /// A key that is to be destroyed stays.
    KeepsKeys,
    /// A key that is to open some slots only opens all.
    KeepsSlots,
}

impl Mutant {
    pub(crate) const ALL: [Self; 15] = [
        Self::ForgetsCommits,
        Self::ForgetsReceipts,
        Self::IgnoresLeases,
        Self::IgnoresDocuments,
        Self::KeepsVaults,
        Self::KeepsLinks,
        Self::ForgetsChanges,
        Self::OtherKeys,
        Self::IgnoresVersions,
        Self::LosesMeasures,
        Self::ChangesEvents,
        Self::ForgetsHolds,
        Self::ErasesUnderHolds,
        Self::KeepsKeys,
        Self::KeepsSlots,
    ];
}

/// A store that is wrong on purpose.
#[derive(Debug)]
pub(crate) struct Wrong {
    inner: Arc<dyn Store>,
    mutant: Mutant,
    leases: Mutex<BTreeMap<Uuid, u64>>,
}

impl Wrong {
    pub(crate) fn new(inner: Arc<dyn Store>, mutant: Mutant) -> Self {
        Self { inner, mutant, leases: Mutex::default() }
    }

    fn last_lease(&self, task: &TaskRef) -> TaskRef {
        let lease = self.leases.lock().unwrap().get(&task.id.uuid()).copied().unwrap_or(task.lease);
        TaskRef { lease, ..task.clone() }
    }

    fn changed(&self, step: &Step) -> Option<Step> {
        match (self.mutant, step) {
            (Mutant::IgnoresLeases, Step::Finish(task)) => Some(Step::Finish(self.last_lease(task))),
            (Mutant::IgnoresLeases, Step::Release { task, due, dead, code, attempts }) => {
                let (task, code) = (self.last_lease(task), code.clone());
                Some(Step::Release { task, due: *due, dead: *dead, code, attempts: *attempts })
            }
            (Mutant::IgnoresDocuments, Step::Current { .. })
            | (Mutant::ForgetsReceipts, Step::PutReceipt(_))
            | (Mutant::KeepsVaults, Step::DropVault { .. })
            | (Mutant::KeepsLinks, Step::DropLinks { .. }) => None,
            (Mutant::LosesMeasures, Step::PutMeasure { bytes, .. }) if once_in(50, bytes) => None,
            (Mutant::ChangesEvents, Step::Append { stream, after, events }) => {
                let events = events.iter().map(another).collect();
                Some(Step::Append { stream: stream.clone(), after: *after, events })
            }
            (Mutant::ForgetsHolds, Step::PutStream { row, expect }) if row.key.kind == *RequestId::KIND => {
                let mut row = row.clone();
                let mut state: serde_json::Value = serde_json::from_slice(&row.body).unwrap();
                state["holds"] = serde_json::json!([]);
                row.body = serde_json::to_vec(&state).unwrap();
                Some(Step::PutStream { row, expect: *expect })
            }
            _ => Some(step.clone()),
        }
    }

    /// What is done besides.
    fn besides(&self, step: &Step) -> Option<Step> {
        match step {
            Step::Append { stream, events, .. } if self.mutant == Mutant::ErasesUnderHolds => {
                let holds = events.iter().any(|event| is(event, "held"));
                holds.then(|| Step::DropVault { stream: stream.clone(), parts: vec![HEAD] })
            }
            _ => None,
        }
    }

    /// A batch that came too late as if it had not: its rows over what is there, without the events.
    async fn over(&self, batch: &Batch) -> Result<Batch, StorageError> {
        let mut out = Batch::new(batch.id(), batch.authority().clone(), batch.at());
        for step in batch.steps() {
            match step {
                Step::Append { .. } => {}
                Step::PutStream { row, .. } => {
                    let (authority, streams) = (batch.authority().clone(), vec![row.key.clone()]);
                    let load = Load { authority, streams, parts: Parts::None, receipt: None };
                    let there = self.inner.load(&load).await?.streams.pop().flatten();
                    let expect = there.map_or(Expect::Absent, |there| Expect::Version(there.row.version));
                    out.push(Step::PutStream { row: row.clone(), expect });
                }
                other => out.push(other.clone()),
            }
        }
        Ok(out)
    }
}

/// By its bytes: the same again in another run.
fn once_in(times: u32, bytes: &[u8]) -> bool {
    bytes
        .iter()
        .fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)))
        .is_multiple_of(times)
}

fn is(event: &StoredEvent, kind: &str) -> bool {
    let body: serde_json::Value = serde_json::from_slice(&event.body).unwrap();
    body["kind"] == kind
}

/// An event that was recorded a microsecond earlier or later, once in 500 times.
fn another(event: &StoredEvent) -> StoredEvent {
    const NAME: &[u8] = b"\"rec\":";
    let mut event = event.clone();
    if once_in(500, &event.body)
        && let Some(at) = event.body.windows(NAME.len()).position(|part| part == NAME)
    {
        let figures = event.body[at + NAME.len()..].iter_mut().take_while(|byte| byte.is_ascii_digit());
        if let Some(last) = figures.last() {
            *last ^= 1;
        }
    }
    event
}

#[async_trait]
impl Over for Wrong {
    fn under(&self) -> &dyn Store {
        &*self.inner
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt, StorageError> {
        let [.., a, b] = *batch.id().as_bytes();
        if self.mutant == Mutant::ForgetsCommits && u16::from_be_bytes([a, b]).is_multiple_of(500) {
            return Ok(Receipt { batch: batch.id(), replayed: false });
        }
        let steps =
            batch.steps().iter().flat_map(|step| self.changed(step).into_iter().chain(self.besides(step)));
        let changed = steps.fold(Batch::new(batch.id(), batch.authority().clone(), batch.at()), Batch::with);
        match self.inner.commit(changed).await {
            Err(error)
                if self.mutant == Mutant::IgnoresVersions
                    && error.conflict_on() == Some(ConflictOn::Stream) =>
            {
                self.inner.commit(self.over(&batch).await?).await
            }
            answer => answer,
        }
    }

    async fn changes(
        &self,
        authority: &Word,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<ChangePage, StorageError> {
        let mut page = self.inner.changes(authority, after, limit).await?;
        if self.mutant == Mutant::ForgetsChanges && page.changes.len() > 10 {
            page.changes.remove(7);
        }
        Ok(page)
    }

    async fn claim(&self, claim: &Claim) -> Result<Vec<Task>, StorageError> {
        let tasks = self.inner.claim(claim).await?;
        for task in &tasks {
            self.leases.lock().unwrap().insert(task.id.uuid(), task.lease);
        }
        Ok(tasks)
    }
}
