//! Due work: messages, timers, retention, the destroying of keys.

use super::{
    Authority, GrcError, Here, Instruction, Transport,
    host::Host,
    keys::{KeyDocument, NamedKey},
    kinds::{LinkKind, TaskKind},
    sealing::context_of,
    session::Who,
    write::{TRIES, parts_for},
};
use crate::{
    BlobId, InterventionId, KeyId, Moment, RequestId, Word,
    definition::Then,
    intervention::Intervention,
    request::{Command, Decision, Request},
    storage::{
        Claim, ConflictOn, Document, Expect, LinkKey, Load, Order, Parts, Query, Step, StorageError,
        StreamKey, Task,
    },
    vault::{KeyState, Slot, SlotBook, SlotKey, StreamContext},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// How much is to be done at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    tasks: u64,
    minutes: Option<i64>,
}

impl Budget {
    /// At most so many tasks.
    pub const fn tasks(tasks: u64) -> Self {
        Self { tasks, minutes: None }
    }

    /// At most so many minutes by the engine's clock.
    pub const fn minutes(minutes: i64) -> Self {
        Self { tasks: u64::MAX, minutes: Some(minutes) }
    }

    /// Everything that is due.
    pub const ALL: Self = Self { tasks: u64::MAX, minutes: None };
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WorkReport {
    /// Requests anonymised.
    pub anonymised: u64,
    /// Messages that left.
    pub sent: u64,
    /// Messages that failed and go on by another channel.
    pub rerouted: u64,
    /// Timers that fired.
    pub fired: u64,
    /// Erasures of which the keys were destroyed.
    pub destroyed: u64,
    /// Tasks that had become pointless.
    pub dropped: u64,
    /// Tasks that failed and will be tried again.
    pub later: u64,
    /// Tasks that were given up; they wait for somebody to look at them.
    pub dead: u64,
    /// Keys of past months that no link needs any more, destroyed.
    pub months: u64,
}

/// How long a claimed task is held, in milliseconds.
const LEASE: i64 = 5 * 60_000;
/// Tasks claimed at once.
const PAGE: u32 = 32;
/// After so many attempts a task is given up.
pub(super) const ATTEMPTS: u32 = 10;

#[derive(Deserialize)]
pub(super) struct Timer {
    transition: Word,
}

#[derive(Deserialize)]
pub(super) struct Destroy {
    keys: Vec<KeyId>,
    blobs: Vec<BlobId>,
}

pub(super) enum Done {
    Anonymised,
    Sent,
    Rerouted,
    Fired,
    Destroyed,
    Dropped,
    Later,
    Dead,
}

impl Host {
    /// Does what is due, at most a budget: fires timers, anonymises, destroys keys, and, if a transport is given,
    /// delivers messages. May run in as many processes as one likes. A task that fails is tried again later, and
    /// after ten attempts stands aside as dead, without holding up others; a message then goes on by the next
    /// channel, if there is one.
    ///
    /// A task that failed waits one minute, then two, four… up to about eight hours, and up to half as much again by
    /// chance. It is held for five minutes: what a worker that died or hangs had claimed is free then, and that it was
    /// claimed counts as an attempt. A transport that may hang longer must give up by itself: whoever goes on after
    /// five minutes hands over a message that another may have handed over meanwhile, under the same key.
    ///
    /// # Errors
    /// [`GrcError::Storage`] if the store cannot be reached. Failures of single tasks are in the report.
    pub async fn work(
        &self,
        transport: Option<&dyn Transport>,
        budget: Budget,
    ) -> Result<WorkReport, GrcError> {
        let authority = self.authority();
        let inner = authority.inner();
        let clock = &inner.grc.0.clock;
        let until = budget.minutes.map(|minutes| clock.now().plus_millis(minutes.saturating_mul(60_000)));
        let quick: Vec<Word> =
            [TaskKind::Destroy, TaskKind::Retention, TaskKind::Timer].map(TaskKind::word).to_vec();
        let mut report = WorkReport::default();
        let mut done = 0;
        // Messages that left since it was looked at what else is due.
        let mut told = 0;
        while done < budget.tasks && until.is_none_or(|until| clock.now() < until) {
            let claim = |kinds: &[Word], limit: u32| {
                let now = clock.now();
                let authority = inner.name.clone();
                Claim { authority, kinds: Some(kinds.to_vec()), now, until: now.plus_millis(LEASE), limit }
            };
            let limit = u32::try_from(budget.tasks - done).unwrap_or(PAGE).min(PAGE);
            let store = &inner.grc.0.stores.store;
            let looked = told == 0;
            let mut tasks = if looked { store.claim(&claim(&quick, limit)).await? } else { Vec::new() };
            if tasks.is_empty() && transport.is_some() {
                // One at a time: a transport may hang, and what waits behind it must not lose its lease by that.
                tasks = store.claim(&claim(&[TaskKind::Deliver.word()], 1)).await?;
                told = if tasks.is_empty() { 0 } else { (told + 1) % PAGE };
            }
            if tasks.is_empty() {
                if looked {
                    break;
                }
                continue;
            }
            done += tasks.len() as u64;
            for task in tasks {
                let outcome = match authority.run(&task, transport).await {
                    Ok(done) => done,
                    // Somebody else took it over, or an erasure took it away.
                    Err(error) if lease_lost(&error) => Done::Dropped,
                    Err(error) => authority.put_back(&task, &error).await?,
                };
                let count = match outcome {
                    Done::Anonymised => &mut report.anonymised,
                    Done::Sent => &mut report.sent,
                    Done::Rerouted => &mut report.rerouted,
                    Done::Fired => &mut report.fired,
                    Done::Destroyed => &mut report.destroyed,
                    Done::Dropped => &mut report.dropped,
                    Done::Later => &mut report.later,
                    Done::Dead => &mut report.dead,
                };
                *count += 1;
            }
        }
        report.months = match authority.close_months().await {
            Ok(closed) => closed,
            // The next run comes back to it; what was done is worth telling.
            Err(GrcError::Keyring(_)) => 0,
            Err(error) => return Err(error),
        };
        Ok(report)
    }

    /// Takes away the bytes of attachments that no request names: what was stored a day ago or longer and never
    /// handed in. Answers how many.
    ///
    /// # Errors
    /// [`GrcError::Storage`] if a store fails.
    pub async fn sweep(&self) -> Result<u64, GrcError> {
        let inner = self.authority().inner();
        let grc = &inner.grc.0;
        let before = grc.clock.now().plus_days(-1);
        let mut after = None;
        let mut swept = 0;
        loop {
            let page = grc.stores.blobs.list(&inner.name, before, after, 500).await?;
            for blob in page.blobs {
                let mut query = Query::new(inner.name.clone(), Word::of(RequestId::KIND));
                query.linked =
                    Some(LinkKey { kind: LinkKind::Blob.word(), key: blob.id.as_bytes().to_vec() });
                query.limit = 1;
                if grc.stores.store.query(&query).await?.rows.is_empty() {
                    grc.stores.blobs.remove(&inner.name, blob.id).await?;
                    swept += 1;
                }
            }
            after = match page.next {
                Some(next) => Some(next),
                None => return Ok(swept),
            };
        }
    }
}

fn lease_lost(error: &GrcError) -> bool {
    matches!(error, GrcError::Storage(error) if error.conflict_on() == Some(ConflictOn::Lease))
}

impl Authority {
    fn run<'a>(
        &'a self,
        task: &'a Task,
        transport: Option<&'a dyn Transport>,
    ) -> Here<'a, Result<Done, GrcError>> {
        Box::pin(async move {
            match TaskKind::of(&task.kind) {
                Some(TaskKind::Retention) => self.retain(task).await,
                Some(TaskKind::Timer) => self.elapse(task).await,
                Some(TaskKind::Deliver) => match transport {
                    Some(transport) => self.deliver(task, transport).await,
                    None => Ok(Done::Later),
                },
                Some(TaskKind::Destroy) => self.destroy(task).await,
                None => Err(GrcError::Newer),
            }
        })
    }

    /// A task that failed: again later, or given up.
    fn put_back<'a>(&'a self, task: &'a Task, error: &'a GrcError) -> Here<'a, Result<Done, GrcError>> {
        Box::pin(async move {
            let code = match error {
                GrcError::Refused(refusal) | GrcError::NotPermitted(refusal) => {
                    refusal.problems().first().map_or("refused", |problem| problem.code)
                }
                GrcError::Storage(_) => "storage",
                GrcError::Keyring(_) | GrcError::KeyLost(_) => "keyring",
                GrcError::Corrupt(_) => "corrupt",
                GrcError::Busy => "busy",
                _ => "other",
            };
            if task.attempts < ATTEMPTS {
                return self.release(task, code, false).await;
            }
            match TaskKind::of(&task.kind) {
                // What must be forgotten is never given up, however long a keyring is away.
                Some(TaskKind::Retention | TaskKind::Destroy) => self.release(task, code, false).await,
                // A message is given up in its history, where somebody sees it; where even that fails for long, aside.
                Some(TaskKind::Deliver) => match self.undeliverable(task, code).await {
                    Err(_) => self.release(task, code, task.attempts >= 2 * ATTEMPTS).await,
                    done => done,
                },
                _ => self.release(task, code, true).await,
            }
        })
    }

    pub(super) async fn release(&self, task: &Task, code: &str, dead: bool) -> Result<Done, GrcError> {
        let grc = &self.inner().grc.0;
        let now = grc.clock.now();
        // One minute, two, four… at most about eight hours, and up to half as much again so that tasks that failed
        // together do not come back together.
        let minutes = 1_i64 << task.attempts.saturating_sub(1).min(9);
        let spread = i64::from(crate::entropy::bytes::<1>(&*grc.entropy)?[0]) * minutes * 30_000 / 255;
        self.release_until(task, code, dead, now.plus_millis(minutes * 60_000 + spread)).await
    }

    pub(super) async fn release_until(
        &self,
        task: &Task,
        code: &str,
        dead: bool,
        due: Moment,
    ) -> Result<Done, GrcError> {
        let grc = &self.inner().grc.0;
        let batch = grc.batch(&self.inner().name, grc.clock.now())?.with(Step::Release {
            task: task.reference(),
            due,
            dead,
            code: Some(Word::slug(code)),
            attempts: None,
        });
        self.settle(batch).await?;
        Ok(if dead { Done::Dead } else { Done::Later })
    }

    /// Commits what ends a task; that somebody else ended it is fine.
    async fn settle(&self, batch: crate::storage::Batch) -> Result<(), GrcError> {
        match self.commit(batch).await {
            Err(error) if error.conflict_on() == Some(ConflictOn::Lease) => Ok(()),
            other => other.map(|_| ()).map_err(GrcError::from),
        }
    }

    pub(super) async fn drop_task(&self, task: &Task) -> Result<Done, GrcError> {
        let grc = &self.inner().grc.0;
        let batch = grc.batch(&self.inner().name, grc.clock.now())?.with(Step::Finish(task.reference()));
        self.settle(batch).await?;
        Ok(Done::Dropped)
    }

    /// Retention is decided again when it is due: the rule may have changed, the request may be open again or held.
    async fn retain(&self, task: &Task) -> Result<Done, GrcError> {
        let id = RequestId::from_uuid(task.stream.id);
        let anonymise = Instruction::new(Command::Anonymise { rule: "retention".to_owned() });
        for _ in 0..TRIES {
            let (loaded, _) = self.load_request(id, parts_for(&anonymise.command), None).await?;
            let Some(loaded) = loaded else { return self.drop_task(task).await };
            let request = &loaded.request;
            let rule = loaded.procedure.retention;
            let closed_at = match request.closed_at {
                Some(closed_at) if request.anonymised_at.is_none() && rule.then == Then::Anonymise => {
                    closed_at
                }
                _ => return self.drop_task(task).await,
            };
            if !request.holds.is_empty() {
                // Lifting the last hold schedules it again.
                return self.drop_task(task).await;
            }
            let due = rule.delay().from(closed_at, loaded.current.document.organisation.time_zone);
            let grc = &self.inner().grc.0;
            let now = grc.clock.now();
            if due > now {
                let batch = grc.batch(&self.inner().name, now)?.with(Step::Release {
                    task: task.reference(),
                    due,
                    dead: false,
                    code: None,
                    attempts: Some(0),
                });
                self.settle(batch).await?;
                return Ok(Done::Dropped);
            }
            for served in &request.interventions {
                self.forget_items(InterventionId::from_uuid(served.intervention)).await?;
            }
            // Over the version that was loaded before that: whatever was bought for it since has written it too.
            let acting = &Who::timer().acting(&loaded.current.document.organisation)?;
            let ending = |_: &Decision| Step::Finish(task.reference());
            match self.try_execute(acting, &loaded, &anonymise, None, Some(&ending), now).await {
                Ok(Some(_)) => return Ok(Done::Anonymised),
                // An erasure was finished first: look again.
                Ok(None) => {}
                Err(error) => self.outrun(error)?,
            }
        }
        Err(GrcError::Busy)
    }

    async fn elapse(&self, task: &Task) -> Result<Done, GrcError> {
        let Timer { transition } = read(task)?;
        let id = RequestId::from_uuid(task.stream.id);
        let (loaded, _) = self.load_request(id, Parts::None, None).await?;
        let waits = loaded.is_some_and(|loaded| {
            loaded
                .procedure
                .transition(transition.as_str())
                .is_some_and(|transition| transition.from.contains(&loaded.request.state))
        });
        if !waits {
            return self.drop_task(task).await;
        }
        let command = Command::Elapsed { transition: transition.to_string() };
        match self
            .execute(
                &Who::timer(),
                id,
                None,
                &Instruction::new(command),
                Some(&|_: &Decision| Step::Finish(task.reference())),
            )
            .await
        {
            Ok(_) => Ok(Done::Fired),
            // A condition does not hold: the time has passed all the same.
            Err(GrcError::Refused(_)) => self.drop_task(task).await,
            Err(error) => Err(error),
        }
    }

    /// Destroys what opens erased slots. What lives is read from the state, so that doing it again, late, or by two
    /// at once comes to the same.
    async fn destroy(&self, task: &Task) -> Result<Done, GrcError> {
        let Destroy { keys, blobs } = read(task)?;
        let inner = self.inner();
        let grc = &inner.grc.0;
        let (context, book) = match self.book_of(&task.stream).await? {
            Some((context, book)) => (Some(context), book),
            None => (None, SlotBook::default()),
        };
        let mut living: BTreeMap<KeyId, BTreeSet<Slot>> = BTreeMap::new();
        for slot in book.slots.keys() {
            if let Some(key) = book.key_of(*slot) {
                living.entry(key).or_default().insert(*slot);
            }
        }
        let mut gone = Vec::new();
        let mut epoch = 0;
        for key in keys {
            match (living.get(&key), &context) {
                (Some(slots), Some(context)) => {
                    if let Some(state @ (KeyState::Whole(_) | KeyState::Kept(_))) =
                        grc.stores.keyring.open(&[key]).await?.pop()
                    {
                        let kept: BTreeMap<Slot, SlotKey> = slots
                            .iter()
                            .filter_map(|slot| Some((*slot, state.slot(context, *slot)?)))
                            .collect();
                        epoch = epoch.max(grc.stores.keyring.keep(key, &kept).await?);
                    }
                }
                _ => gone.push(key),
            }
        }
        if !gone.is_empty() {
            epoch = epoch.max(grc.stores.keyring.destroy(&gone).await?);
        }
        for blob in blobs {
            grc.stores.blobs.remove(&inner.name, blob).await?;
        }
        if epoch > 0 {
            grc.note_epoch(epoch).await?;
        }
        let batch = grc.batch(&inner.name, grc.clock.now())?.with(Step::Finish(task.reference()));
        self.settle(batch).await?;
        Ok(Done::Destroyed)
    }

    /// The slots of a stream, of whatever kind it is.
    async fn book_of(&self, stream: &StreamKey) -> Result<Option<(StreamContext, SlotBook)>, GrcError> {
        let inner = self.inner();
        let load = Load {
            authority: inner.name.clone(),
            streams: vec![stream.clone()],
            parts: Parts::None,
            receipt: None,
        };
        let record = inner.grc.0.stores.store.load(&load).await?.streams.pop().flatten();
        let Some(record) = record else { return Ok(None) };
        let context = context_of(&record.row);
        let book = match stream.kind.as_str() {
            RequestId::KIND => self.state_of::<Request>(&record.row).await?.book,
            InterventionId::KIND => self.state_of::<Intervention>(&record.row).await?.book,
            // What lives there is not known to this version: nothing of it is destroyed.
            _ => return Err(GrcError::Newer),
        };
        Ok(Some((context, book)))
    }

    /// Destroys the keys of past months that no link needs any more. First a month's key is marked as closing, so
    /// that no intake links under it any more; once nothing is linked under it, and no intake that saw it before can be
    /// under way any more ([`StoreInfo::lag`]), it goes, and its name after it, now or when this is done the next time.
    ///
    /// [`StoreInfo::lag`]: crate::storage::StoreInfo::lag
    fn close_months<'a>(&'a self) -> Here<'a, Result<u64, GrcError>> {
        Box::pin(async move {
            let inner = self.inner();
            let grc = &inner.grc.0;
            let now = grc.clock.now();
            let Ok(current) = self.organisation(None).await else { return Ok(0) };
            let this_month = now.month(current.document.organisation.time_zone);
            let lag = i64::try_from(grc.stores.store.info().lag.as_millis()).unwrap_or(i64::MAX);
            let mut closed = 0;
            for (Document { kind, name, version, .. }, key) in inner.months().await? {
                // `2026-11.1`; names sort as the months do.
                if name.as_str() >= this_month.as_str() || inner.month_is_linked(&name).await? {
                    continue;
                }
                let step = match key {
                    Some(NamedKey { id, closing: false, .. }) => {
                        let body = crate::canonical::to_bytes(&KeyDocument {
                            id,
                            closing: true,
                            since: Some(now.micros()),
                        })?;
                        let document = Document { kind, name, version: version + 1, body };
                        Step::PutDocument { document, expect: Expect::Version(version) }
                    }
                    Some(NamedKey { since: Some(since), .. }) if since.plus_millis(lag) > now => continue,
                    closing => {
                        if let Some(key) = closing {
                            let epoch = grc.stores.keyring.destroy(&[key.id]).await?;
                            grc.note_epoch(epoch).await?;
                        }
                        closed += 1;
                        Step::DropDocument { kind, name, version }
                    }
                };
                let batch = grc.batch(&inner.name, now)?.with(step);
                self.ignore_conflict(self.commit(batch).await)?;
                inner.forget_named();
            }
            Ok(closed)
        })
    }

    fn ignore_conflict(&self, result: Result<crate::storage::Receipt, StorageError>) -> Result<(), GrcError> {
        match result {
            Err(error) if error.conflict_on().is_some() => Ok(()),
            other => other.map(|_| ()).map_err(GrcError::from),
        }
    }
}

impl super::authority::AuthorityInner {
    /// Whether any link is made under a month's key.
    async fn month_is_linked(&self, name: &Word) -> Result<bool, GrcError> {
        for kind in [LinkKind::Contact, LinkKind::Source, LinkKind::Index] {
            let mut query = Query::new(self.name.clone(), Word::of(RequestId::KIND));
            // An empty key: any link of the kind.
            query.linked = Some(LinkKey { kind: kind.named(name), key: Vec::new() });
            query.limit = 1;
            // Of a past month what is still linked is old.
            query.order = Order::OldestFirst;
            loop {
                let page = self.grc.0.stores.store.query(&query).await?;
                if !page.rows.is_empty() {
                    return Ok(true);
                }
                // A short page is not the end: it looked at as many rows as it may.
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
        }
        Ok(false)
    }
}

pub(super) fn read<'a, T: Deserialize<'a>>(task: &'a Task) -> Result<T, GrcError> {
    serde_json::from_slice(&task.body)
        .map_err(|_| GrcError::Corrupt(format!("task {} cannot be read", task.id)))
}
