//! Faults of the kind that a run must find: the store beneath, or the way out, does on purpose what it must not.

use async_trait::async_trait;
use grc_core::{
    Word,
    conformance::Over,
    storage::{Batch, ChangePage, Claim, Cursor, Receipt, Step, StorageError, Store, Task, TaskRef},
};
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
}

impl Mutant {
    pub(crate) const ALL: [Self; 8] = [
        Self::ForgetsCommits,
        Self::ForgetsReceipts,
        Self::IgnoresLeases,
        Self::IgnoresDocuments,
        Self::KeepsVaults,
        Self::KeepsLinks,
        Self::ForgetsChanges,
        Self::OtherKeys,
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
            _ => Some(step.clone()),
        }
    }
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
        let steps = batch.steps().iter().filter_map(|step| self.changed(step));
        let changed = steps.fold(Batch::new(batch.id(), batch.authority().clone(), batch.at()), Batch::with);
        self.inner.commit(changed).await
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
