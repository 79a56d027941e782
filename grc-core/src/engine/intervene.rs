//! The one way in which an intervention is written: load it with its requests, decide, seal, commit all together; and
//! again if somebody was faster.

use super::{
    Authority, Conflict, GrcError, Here, SiteInstruction,
    authority::Current,
    instruction::Canonical,
    kinds::{DocumentKind, TaskKind},
    sealing::{Envelope, Sealed, context_of, open_slots, seal_decision, stream_of},
    session::Who,
    write::{LoadedRequest, RECEIPT_DAYS, TRIES},
};
use crate::{
    InterventionId, KeyId, Moment, RequestId, TaskId, Word,
    definition::Action,
    intervention::{
        Intervention, InterventionDecision, InterventionEvent, Planning, Served, Site, Work, check_number,
        decide_plan, decide_work, may_for, may_on, touched_by,
    },
    request::{Acting, Event, Measure, Values},
    storage::{
        Batch, Expect, IndexValue, Load, Parts, ReceiptRow, Step, StreamKey, StreamRecord, StreamRow, Task,
    },
    vault::{DataKey, HEAD, Slot, StreamContext, VaultRow},
};
use std::collections::{BTreeMap, BTreeSet};

/// The index field that has the agents who do an intervention.
pub(super) const AGENTS: &str = "agents";

/// A command on an intervention was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervened {
    id: InterventionId,
    version: u64,
}

impl Intervened {
    /// The intervention.
    pub const fn id(&self) -> InterventionId {
        self.id
    }

    /// Its version after it.
    pub const fn version(&self) -> u64 {
        self.version
    }
}

/// An intervention as it was loaded, with the requests that it serves.
pub(crate) struct LoadedIntervention {
    pub(crate) record: StreamRecord,
    pub(crate) intervention: Intervention,
    pub(crate) current: Current,
    pub(crate) served: Vec<LoadedRequest>,
}

impl LoadedIntervention {
    pub(super) fn served(&self) -> Vec<Served<'_>> {
        served(&self.served)
    }

    /// Whether an actor may do something with it.
    pub(super) fn may(&self, acting: &Acting, action: Action) -> bool {
        may_on(acting, &self.current.document.organisation, action, &self.intervention, &self.served())
    }

    /// The request with this id, if it is served and an actor may do something for it.
    pub(super) fn allowed(&self, acting: &Acting, action: Action, id: uuid::Uuid) -> Option<&LoadedRequest> {
        let organisation = &self.current.document.organisation;
        let found = self.served.iter().find(|loaded| loaded.request.id.uuid() == id)?;
        may_for(acting, organisation, action, &self.intervention, &found.request).then_some(found)
    }
}

fn served(loaded: &[LoadedRequest]) -> Vec<Served<'_>> {
    loaded.iter().map(|l| Served { request: &l.request, procedure: &l.procedure }).collect()
}

fn key_of(authority: &Word, id: InterventionId) -> StreamKey {
    StreamKey::new(authority.clone(), Word::of(InterventionId::KIND), id.uuid())
}

/// What is asked.
pub(crate) enum Asked<'a> {
    Plan(InterventionId, &'a Planning),
    Work(InterventionId, &'a SiteInstruction),
}

impl Asked<'_> {
    const fn id(&self) -> InterventionId {
        match self {
            Self::Plan(id, _) | Self::Work(id, _) => *id,
        }
    }

    /// The requests that it is to serve.
    fn requests(&self) -> Vec<RequestId> {
        let planning = match self {
            Self::Plan(_, planning) => planning,
            Self::Work(_, SiteInstruction { work: Work::Plan(planning), .. }) => planning,
            Self::Work(..) => return Vec::new(),
        };
        planning.requests.iter().map(|(request, _)| *request).collect()
    }

    fn key(&self) -> Option<&str> {
        match self {
            Self::Plan(_, planning) => planning.key.as_deref(),
            Self::Work(_, instruction) => instruction.key.as_deref(),
        }
    }

    const fn occurred_at(&self) -> Option<Moment> {
        match self {
            Self::Plan(_, planning) => planning.occurred_at,
            Self::Work(_, instruction) => instruction.occurred_at,
        }
    }

    fn canonical(&self) -> Canonical {
        match self {
            Self::Plan(_, planning) => Canonical::of_planning(planning),
            Self::Work(id, instruction) => Canonical::of_work(*id, instruction),
        }
    }
}

impl Authority {
    /// Loads requests, those that there are, each once.
    async fn load_served(
        &self,
        ids: BTreeSet<RequestId>,
        parts: Parts,
    ) -> Result<Vec<LoadedRequest>, GrcError> {
        let inner = self.inner();
        let streams = ids.into_iter().map(|id| stream_of(&inner.name, id)).collect();
        let load = Load { authority: inner.name.clone(), streams, parts, receipt: None };
        let loaded = inner.grc.0.stores.store.load(&load).await?;
        let current = self.organisation(Some(loaded.organisation)).await?;
        let mut out = Vec::new();
        for record in loaded.streams.into_iter().flatten() {
            let request: crate::request::Request = self.state_of(&record.row).await?;
            let procedure = self.procedure(&request.type_, request.procedure).await?;
            let context = context_of(&record.row);
            out.push(LoadedRequest { record, request, context, current: current.clone(), procedure });
        }
        Ok(out)
    }

    /// Loads an intervention, with the requests that it serves and parts of their vaults, and others besides.
    pub(super) async fn load_intervention(
        &self,
        id: InterventionId,
        besides: &[RequestId],
        parts: Parts,
    ) -> Result<Option<LoadedIntervention>, GrcError> {
        let inner = self.inner();
        let load = Load {
            authority: inner.name.clone(),
            streams: vec![key_of(&inner.name, id)],
            parts: Parts::These(BTreeSet::from([HEAD])),
            receipt: None,
        };
        let mut loaded = inner.grc.0.stores.store.load(&load).await?;
        let Some(record) = loaded.streams.pop().flatten() else { return Ok(None) };
        let intervention: Intervention = self.state_of(&record.row).await?;
        let own = intervention.requests.iter().map(|served| RequestId::from_uuid(served.request));
        let served = self.load_served(own.chain(besides.iter().copied()).collect(), parts).await?;
        let current = match served.first() {
            Some(first) => first.current.clone(),
            None => self.organisation(Some(loaded.organisation)).await?,
        };
        Ok(Some(LoadedIntervention { record, intervention, current, served }))
    }

    /// Gives a command to an intervention, or plans one.
    pub(super) fn intervene<'a>(
        &'a self,
        who: &'a Who,
        asked: &'a Asked<'a>,
        seen: Option<u64>,
    ) -> Here<'a, Result<Intervened, GrcError>> {
        Box::pin(async move {
            let inner = self.inner();
            let token = match asked.key() {
                Some(key) => {
                    let acting = who.acting(&self.organisation(None).await?.document.organisation)?;
                    Some(inner.receipt_token(&acting, key).await?)
                }
                None => None,
            };
            for _ in 0..TRIES {
                if let Some(token) = token
                    && let Some(receipt) = self.receipt(token).await?
                {
                    self.check_receipt(&receipt, &asked.canonical()).await?;
                    let id = InterventionId::from_uuid(receipt.stream.id);
                    let loaded =
                        self.load_intervention(id, &[], Parts::None).await?.ok_or(GrcError::NotFound)?;
                    let acting = who.acting(&loaded.current.document.organisation)?;
                    if !acting.is_internal() && !loaded.may(&acting, Action::See) {
                        return Err(GrcError::NotFound);
                    }
                    return Ok(Intervened { id, version: receipt.version });
                }
                match self.try_intervene(who, asked, seen, token).await {
                    Ok(Some(done)) => return Ok(done),
                    // An erasure was finished first: look again.
                    Ok(None) => {}
                    // The same command sent twice at once, and the other was done since it was looked for.
                    Err(GrcError::Refused(_) | GrcError::NotPermitted(_) | GrcError::Conflict(_))
                        if self.is_done(token).await? => {}
                    Err(error) => self.outrun(error)?,
                }
            }
            Err(GrcError::Busy)
        })
    }

    async fn is_done(&self, token: Option<[u8; 16]>) -> Result<bool, GrcError> {
        Ok(match token {
            Some(token) => self.receipt(token).await?.is_some(),
            None => false,
        })
    }

    async fn try_intervene(
        &self,
        who: &Who,
        asked: &Asked<'_>,
        seen: Option<u64>,
        token: Option<[u8; 16]>,
    ) -> Result<Option<Intervened>, GrcError> {
        let inner = self.inner();
        let grc = &inner.grc.0;
        let id = asked.id();
        let asks = asked.requests();
        // Before they are looked for: a store loads only so many at once.
        check_number(asks.len()).map_err(crate::Refusal::from)?;
        let (before, requests, current) = match asked {
            Asked::Plan(..) => {
                let requests = self.load_served(asks.into_iter().collect(), Parts::None).await?;
                // Where none is there the decision says the same as where none is theirs.
                let current = match requests.first() {
                    Some(first) => first.current.clone(),
                    None => self.newest_organisation().await?,
                };
                (None, requests, current)
            }
            Asked::Work(..) => {
                let loaded = self.load_intervention(id, &asks, Parts::None).await?;
                let mut loaded = loaded.ok_or(GrcError::NotFound)?;
                let acting = who.acting(&loaded.current.document.organisation)?;
                if !acting.is_internal() && !loaded.may(&acting, Action::See) {
                    return Err(GrcError::NotFound);
                }
                if self.finish_site_erasure(&loaded).await? {
                    return Ok(None);
                }
                let requests = std::mem::take(&mut loaded.served);
                let current = loaded.current.clone();
                (Some(loaded), requests, current)
            }
        };
        let organisation = &current.document.organisation;
        let acting = &who.acting(organisation)?;
        let now = grc.clock.now();
        let site = Site { organisation, organisation_version: current.version, acting, now };
        let served = served(&requests);
        let decision = match asked {
            Asked::Plan(_, planning) => decide_plan(id, planning, asked.occurred_at(), &served, &site)?,
            Asked::Work(_, SiteInstruction { work, .. }) => {
                let before = before.as_ref().ok_or(GrcError::NotFound)?;
                self.check_site_stale(before, seen, work).await?;
                decide_work(&before.intervention, work, asked.occurred_at(), &served, &site)?
            }
        };
        let mut batch = grc.batch(&inner.name, now)?;
        let envelope = Envelope {
            occurred_at: asked.occurred_at().unwrap_or(now),
            recorded_at: now,
            acting,
            organisation: current.version,
            batch: batch.id(),
        };
        let mut key = None;
        if !decision.slots.is_empty() {
            let book = before.as_ref().map(|before| before.intervention.book.clone()).unwrap_or_default();
            key = Some(self.sealing_key(&book, id.uuid()).await?);
        }
        let version = if !decision.events.is_empty() {
            self.write_intervention(id, before.as_ref(), &decision, key.as_ref(), &envelope, &mut batch)?
        } else {
            before.as_ref().map_or(0, |before| before.intervention.version)
        };
        for loaded in &requests {
            let Some(decided) = decision.requests.get(&loaded.request.id) else { continue };
            let key = match decided.slots.is_empty() {
                true => None,
                false => Some(self.sealing_key(&loaded.request.book, loaded.request.id.uuid()).await?),
            };
            self.write(loaded, decided, &Values::new(), key.as_ref(), &envelope, &mut batch).await?;
        }
        if let (Some(token), Some(first)) = (token, requests.first()) {
            // What was typed is a request's: what remembers it goes with a request's key.
            let (key_id, key) = self.sealing_key(&first.request.book, first.request.id.uuid()).await?;
            let stream = key_of(&inner.name, id);
            let context = StreamContext::new(&stream.authority, &stream.kind, stream.id);
            batch.push(Step::PutReceipt(ReceiptRow {
                token,
                mac: key.receipt(&context, asked.canonical().as_bytes()),
                key: key_id,
                stream,
                version,
                expires: now.plus_days(RECEIPT_DAYS),
            }));
        }
        self.commit(batch).await?;
        Ok(Some(Intervened { id, version }))
    }

    /// Whether an event that touches what the command changes came after what its author saw.
    async fn check_site_stale(
        &self,
        loaded: &LoadedIntervention,
        seen: Option<u64>,
        work: &Work,
    ) -> Result<(), GrcError> {
        let version = loaded.intervention.version;
        if let Some(seen) = seen.filter(|seen| *seen > version) {
            // What its author saw is not there any more: rows were restored from before.
            return Err(GrcError::Conflict(Conflict { seen, version, changed: vec!["history".to_owned()] }));
        }
        let Some(seen) = seen.filter(|seen| *seen < version) else { return Ok(()) };
        let mine = touched_by(work);
        let since: Vec<Event<InterventionEvent>> =
            self.history_of(&loaded.record.row.key, seen, version).await?;
        let theirs: BTreeSet<&str> = since.iter().flat_map(|event| event.data.touches()).copied().collect();
        let changed: Vec<String> =
            theirs.into_iter().filter(|touched| mine.contains(touched)).map(str::to_owned).collect();
        if changed.is_empty() { Ok(()) } else { Err(GrcError::Conflict(Conflict { seen, version, changed })) }
    }

    /// Fills a batch with an intervention's own rows; answers its version after it.
    fn write_intervention(
        &self,
        id: InterventionId,
        before: Option<&LoadedIntervention>,
        decision: &InterventionDecision,
        key: Option<&(KeyId, DataKey)>,
        envelope: &Envelope<'_>,
        batch: &mut Batch,
    ) -> Result<u64, GrcError> {
        let inner = self.inner();
        let entropy = &*inner.grc.0.entropy;
        let stream = key_of(&inner.name, id);
        let row = before.map(|before| &before.record.row);
        let birth = row.map_or(&inner.name, |row| &row.birth).clone();
        let context = StreamContext::new(&birth, &stream.kind, stream.id);
        let (version, head) = row.map_or((0, [0; 32]), |row| (row.version, row.head));
        let decided = (decision.events.as_slice(), decision.slots.as_slice());
        let Sealed { events, stored, parts } =
            seal_decision(&context, version, head, decided, key, envelope, entropy)?;
        let after = match before {
            None => Intervention::fold(id, &events)?
                .ok_or_else(|| GrcError::Corrupt("an intervention begins with nothing".to_owned()))?,
            Some(before) => {
                let mut after = before.intervention.clone();
                for event in &events {
                    after.apply(event)?;
                }
                after
            }
        };
        let measure = Measure { facts: after.facts(), spans: after.spans() };
        let row = StreamRow {
            key: stream.clone(),
            birth,
            version: after.version,
            fold: Intervention::FOLD,
            head: stored.last().map_or(head, |event| event.head),
            facts: measure.facts.clone(),
            body: crate::canonical::to_bytes(&after)?,
        };
        let expect = if before.is_some() { Expect::Version(version) } else { Expect::Absent };
        batch.push(Step::PutStream { row, expect });
        if !stored.is_empty() {
            batch.push(Step::Append { stream: stream.clone(), after: version, events: stored });
        }
        batch.push(Step::PutMeasure { stream: stream.clone(), bytes: measure.to_bytes() });
        if decision.events.iter().any(|event| matches!(event, InterventionEvent::Planned { .. })) {
            let agents = after.agents.iter().map(|agent| IndexValue::Text(agent.to_string())).collect();
            batch.push(Step::PutIndex { stream: stream.clone(), field: Word::of(AGENTS), values: agents });
        }
        let gone: BTreeSet<Slot> = decision
            .events
            .iter()
            .flat_map(|event| match event {
                InterventionEvent::Erased { slots, .. } => slots.as_slice(),
                _ => &[],
            })
            .copied()
            .collect();
        let fresh = parts.into_values().flatten().collect::<Vec<_>>();
        if !gone.is_empty() || !fresh.is_empty() {
            let had = before.and_then(|before| before.record.vault.get(&HEAD));
            let mut vault = match had {
                Some(bytes) => VaultRow::from_bytes(bytes)?.without(&gone),
                None => VaultRow::default(),
            };
            vault.0.extend(fresh);
            batch.push(match vault.0.is_empty() {
                true => Step::DropVault { stream: stream.clone(), parts: vec![HEAD] },
                false => Step::PutVault { stream: stream.clone(), part: HEAD, bytes: vault.to_bytes()? },
            });
        }
        if !decision.destroy.is_empty() {
            let task = TaskId::fresh(envelope.recorded_at, entropy)?;
            let body = serde_json::json!({ "keys": decision.destroy, "blobs": [] });
            batch.push(Step::Schedule(Task {
                id: task,
                queue: format!("destroy/{task}"),
                order: 0,
                kind: TaskKind::Destroy.word(),
                stream,
                due: envelope.recorded_at,
                attempts: 0,
                lease: 0,
                leased_until: Moment::EPOCH,
                dead: false,
                code: None,
                body: crate::canonical::to_bytes(&body)?,
            }));
        }
        batch.push(Step::Current {
            kind: DocumentKind::Organisation.word(),
            name: Word::of("main"),
            version: envelope.organisation,
        });
        Ok(after.version)
    }

    /// Writes what the keyring knows already: slots whose key was destroyed are erased. Answers whether there were
    /// some.
    pub(super) fn finish_site_erasure<'a>(
        &'a self,
        loaded: &'a LoadedIntervention,
    ) -> Here<'a, Result<bool, GrcError>> {
        Box::pin(async move {
            let keyring = &*self.inner().grc.0.stores.keyring;
            let living = |slot| loaded.intervention.book.slots.contains_key(&slot);
            let opened = open_slots(keyring, &loaded.record, &living).await?;
            if opened.dead.is_empty() {
                return Ok(false);
            }
            let slots = opened.dead.into_iter().collect();
            match self.erase_of_site(loaded, slots, "key-destroyed", Vec::new()).await {
                // Somebody else does the same.
                Err(GrcError::Storage(error)) if error.conflict_on().is_some() => Ok(true),
                other => other.map(|()| true),
            }
        })
    }

    /// What was bought is told in words that a person typed, of any of the requests that it serves: it goes before the
    /// first of them is forgotten; or, while another of them is under a hold, before that one is. The numbers of quotes and
    /// invoices stay, with the accounts.
    pub(super) async fn forget_items(&self, id: InterventionId) -> Result<(), GrcError> {
        for _ in 0..TRIES {
            let Some(loaded) = self.load_intervention(id, &[], Parts::None).await? else { return Ok(()) };
            if loaded.served.iter().any(|served| !served.request.holds.is_empty()) {
                return Ok(());
            }
            let slots = &loaded.intervention.book.slots;
            let items = slots.iter().filter(|(_, path)| **path == *"item").map(|(slot, _)| *slot);
            let items: Vec<Slot> = items.collect();
            if items.is_empty() {
                return Ok(());
            }
            // Each request is written over itself: whoever sets a hold on one meanwhile is first, or finds the items gone.
            let sure = loaded
                .served
                .iter()
                .map(|served| &served.record.row)
                .map(|row| Step::PutStream { row: row.clone(), expect: Expect::Version(row.version) });
            match self.erase_of_site(&loaded, items, "retention", sure.collect()).await {
                Err(error) => self.outrun(error)?,
                done => return done,
            }
        }
        Err(GrcError::Busy)
    }

    async fn erase_of_site(
        &self,
        loaded: &LoadedIntervention,
        slots: Vec<Slot>,
        reason: &'static str,
        sure: Vec<Step>,
    ) -> Result<(), GrcError> {
        let grc = &self.inner().grc.0;
        let keys: BTreeSet<KeyId> =
            slots.iter().filter_map(|slot| loaded.intervention.book.key_of(*slot)).collect();
        let decision = InterventionDecision {
            events: vec![InterventionEvent::Erased { slots, reason: Word::of(reason) }],
            slots: Vec::new(),
            requests: BTreeMap::new(),
            destroy: keys.into_iter().collect(),
        };
        let now = grc.clock.now();
        let acting = Who::timer().acting(&loaded.current.document.organisation)?;
        let mut batch = grc.batch(&self.inner().name, now)?;
        sure.into_iter().for_each(|step| batch.push(step));
        let envelope = Envelope {
            occurred_at: now,
            recorded_at: now,
            acting: &acting,
            organisation: loaded.current.version,
            batch: batch.id(),
        };
        self.write_intervention(
            loaded.intervention.id,
            Some(loaded),
            &decision,
            None,
            &envelope,
            &mut batch,
        )?;
        Ok(self.commit(batch).await.map(|_| ())?)
    }
}
