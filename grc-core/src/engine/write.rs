//! The one way in which a request is written: load, decide, seal, commit; and again if somebody was faster.

use super::{
    Authority, Conflict, GrcError, Instruction,
    authority::Current,
    instruction::Canonical,
    keys::NamedKey,
    sealing::{
        Envelope, Opened, Sealed, context_of, open_slots, point_of, read_request, seal_decision, stream_of,
    },
    session::Who,
};
use crate::{
    KeyId, Moment, RequestId, TaskId, TrackingCode, Typed, Value, Word, contact,
    definition::{Action, Procedure},
    refusal::Problem,
    request::{
        Acting, Command, Context, Decision, Event, Held, Intake, Plan, Request, RequestEvent, Values, decide,
        decide_intake, touched_by,
    },
    storage::{
        Batch, ConflictOn, EventRange, Expect, IndexValue, Link, LinkKey, Load, Loaded, Log, Parts, Receipt,
        ReceiptRow, Step, StorageErrorKind, StoreInfo, StreamKey, StreamRecord, StreamRow, Task, TaskRef,
    },
    vault::{DataKey, HEAD, KeyState, Part, Slot, StreamContext, TEXTS, VaultRow},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How often a command is decided again when others keep changing the same request.
const TRIES: u32 = 64;
/// How long a command key is remembered.
const RECEIPT_DAYS: i64 = 30;

/// A request as it was loaded.
pub(crate) struct LoadedRequest {
    pub(crate) record: StreamRecord,
    pub(crate) request: Request,
    pub(crate) context: StreamContext,
    pub(crate) current: Current,
    pub(crate) procedure: Arc<Procedure>,
}

/// What a command did.
pub(crate) struct Written {
    pub(crate) id: RequestId,
    pub(crate) version: u64,
}

/// Everything that goes into the batch of one decision.
struct Writing<'a> {
    now: Moment,
    current: &'a Current,
    procedure: &'a Procedure,
    stream: StreamKey,
    birth: Word,
    before: Option<&'a StreamRecord>,
    request: Request,
    point: Option<(i32, i32)>,
    sealed: Sealed,
    decision: &'a Decision,
    vault: BTreeMap<Part, Vec<u8>>,
}

impl Authority {
    /// Loads a request with parts of its vault.
    pub(crate) async fn load_request(
        &self,
        id: RequestId,
        parts: Parts,
        receipt: Option<[u8; 16]>,
    ) -> Result<(Option<LoadedRequest>, Loaded), GrcError> {
        let inner = self.inner();
        let load =
            Load { authority: inner.name.clone(), streams: vec![stream_of(&inner.name, id)], parts, receipt };
        let mut loaded = inner.grc.0.stores.store.load(&load).await?;
        let Some(record) = loaded.streams.pop().flatten() else { return Ok((None, loaded)) };
        let current = self.organisation(Some(loaded.organisation)).await?;
        let request = self.state_of(&record.row).await?;
        let procedure = self.procedure(&request.type_, request.procedure).await?;
        let context = context_of(&record.row);
        Ok((Some(LoadedRequest { record, request, context, current, procedure }), loaded))
    }

    /// The state of a row, folded again from its events if another version of the fold made it.
    pub(crate) async fn state_of(&self, row: &StreamRow) -> Result<Request, GrcError> {
        if let Some(request) = read_request(row)? {
            return Ok(request);
        }
        let events = self.history_of(&row.key, 0, row.version).await?;
        Request::fold(RequestId::from_uuid(row.key.id), &events)?
            .ok_or_else(|| GrcError::Corrupt(format!("request {} has no events", row.key.id)))
    }

    /// The events of a stream after a sequence, up to another.
    pub(crate) async fn history_of(
        &self,
        stream: &StreamKey,
        after: u64,
        until: u64,
    ) -> Result<Vec<Event>, GrcError> {
        let mut out = Vec::new();
        let mut after = after;
        while after < until {
            let range =
                EventRange { stream: stream.clone(), log: Log::History, after, limit: StoreInfo::MAX_PAGE };
            let page = self.inner().grc.0.stores.store.events(&range).await?;
            if page.is_empty() {
                break;
            }
            for stored in page.into_iter().filter(|stored| stored.sequence <= until) {
                after = stored.sequence;
                out.push(Event::from_bytes(&stored.body)?);
            }
        }
        Ok(out)
    }

    /// Commits a batch; a lost answer is asked for again with the same batch.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<Receipt, crate::storage::StorageError> {
        let store = &self.inner().grc.0.stores.store;
        let mut last = store.commit(batch.clone()).await;
        for _ in 0..3 {
            match &last {
                Err(error) if error.kind() == StorageErrorKind::OutcomeUnknown => {
                    last = store.commit(batch.clone()).await
                }
                _ => break,
            }
        }
        last
    }

    /// Hands a request in.
    pub(crate) async fn submit(
        &self,
        who: &Who,
        intake: Intake,
    ) -> Result<(Written, TrackingCode), GrcError> {
        let inner = self.inner();
        let grc = &inner.grc.0;
        let mut intake = intake;
        if intake.code.is_none() {
            intake.code = Some(TrackingCode::fresh(&*grc.entropy)?);
        }
        let code = intake.code.clone().ok_or(GrcError::Busy)?;
        let token = match &intake.key {
            Some(key) => {
                let acting = who.acting(&self.organisation(None).await?.document.organisation)?;
                let token = inner.receipt_token(&acting, key).await?;
                let load = Load {
                    authority: inner.name.clone(),
                    streams: Vec::new(),
                    parts: Parts::None,
                    receipt: Some(token),
                };
                let found = grc.stores.store.load(&load).await?.receipt;
                if let Some(receipt) = found.filter(|receipt| receipt.expires > grc.clock.now()) {
                    return self.replayed_intake(&receipt, &intake).await;
                }
                Some(token)
            }
            None => None,
        };
        let key = inner.fresh_key().await?;
        for _ in 0..TRIES {
            let current = self.organisation(None).await?;
            match self.try_submit(who, &intake, &code, token, &key, &current).await {
                Ok(written) => return Ok((written, code)),
                Err(GrcError::Storage(error)) => match error.conflict_on() {
                    // A new version of the organisation, or a month's key that is closing.
                    Some(ConflictOn::Document) => {
                        self.forget_organisation();
                        inner.forget_named();
                    }
                    Some(ConflictOn::Link) => {
                        inner.give_back(key);
                        return Err(duplicate());
                    }
                    Some(ConflictOn::Receipt) => {
                        inner.give_back(key);
                        // Somebody else committed under this key just now: answer as they were answered.
                        return Box::pin(self.submit(who, intake)).await;
                    }
                    _ => return Err(error.into()),
                },
                Err(error @ (GrcError::Refused(_) | GrcError::NotPermitted(_))) => {
                    inner.give_back(key);
                    return Err(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(GrcError::Busy)
    }

    async fn try_submit(
        &self,
        who: &Who,
        intake: &Intake,
        code: &TrackingCode,
        token: Option<[u8; 16]>,
        key: &(KeyId, DataKey),
        current: &Current,
    ) -> Result<Written, GrcError> {
        let inner = self.inner();
        let grc = &inner.grc.0;
        let now = grc.clock.now();
        let acting = &who.acting(&current.document.organisation)?;
        let (type_, version) = self.type_for(acting, &intake.type_, current)?;
        let procedure = self.procedure(&type_, version).await?;
        let context = Context {
            organisation: &current.document.organisation,
            organisation_version: current.version,
            procedure: &procedure,
            procedure_version: version,
            acting,
            now,
        };
        let decision = decide_intake(intake, &type_, &context)?;
        let id = RequestId::fresh(now, &*grc.entropy)?;
        let stream = stream_of(&inner.name, id);
        let month = match decision.events.first() {
            Some(RequestEvent::Submitted { month, .. }) => month.clone(),
            _ => return Err(GrcError::Busy),
        };
        // Before anything is written: has the same source row been taken in already, perhaps in another month?
        let needs_month = intake.source.is_some() || has_contact(&decision);
        let month_key = if needs_month { Some(inner.month_key(&month).await?) } else { None };
        let mut batch = grc.batch(&inner.name, now)?;
        let stream_context = StreamContext::new(&inner.name, &stream.kind, stream.id);
        let envelope = Envelope {
            occurred_at: intake.occurred_at.unwrap_or(now),
            recorded_at: now,
            acting,
            organisation: current.version,
            batch: batch.id(),
        };
        let sealed =
            seal_decision(&stream_context, 0, [0; 32], &decision, Some(key), &envelope, &*grc.entropy)?;
        let request = Request::fold(id, &sealed.events)?.ok_or(GrcError::Busy)?;
        let point = intake.place.as_ref().and_then(|place| place.point);
        let written = Written { id, version: request.version };
        let vault =
            sealed.parts.iter().map(|(part, slots)| (*part, VaultRow(slots.clone()).to_bytes())).collect();
        let writing = Writing {
            now,
            current,
            procedure: &procedure,
            stream: stream.clone(),
            birth: inner.name.clone(),
            before: None,
            request,
            point,
            sealed,
            decision: &decision,
            vault,
        };
        self.fill_batch(&writing, month_key.as_ref(), &mut batch)?;
        let link = |kind: Word, key: Vec<u8>, unique| {
            Step::PutLink(Link { key: LinkKey { kind, key }, stream: stream.clone(), unique })
        };
        batch.push(link(Word::of("tracking"), inner.tracking_token(code).await?.to_vec(), true));
        if let (Some(month), Some(source)) = (&month_key, &intake.source) {
            let token = source_token(&month.key, source);
            batch.push(link(named_kind("source", &month.name), token.to_vec(), true));
        }
        if let Some(month) = &month_key {
            batch.push(Step::Current {
                kind: Word::of("key"),
                name: month.name.clone(),
                version: month.version,
            });
        }
        if let Some(token) = token {
            batch.push(Step::PutReceipt(ReceiptRow {
                token,
                mac: key.1.receipt(&stream_context, Canonical::of_intake(intake).as_bytes()),
                key: key.0,
                stream,
                version: written.version,
                expires: now.plus_days(RECEIPT_DAYS),
            }));
        }
        self.commit(batch).await?;
        Ok(written)
    }

    /// The type of a name, answered to who may not hand it in like one that does not exist.
    fn type_for(&self, acting: &Acting, name: &str, current: &Current) -> Result<(Word, u64), GrcError> {
        let document = &current.document;
        let found = Word::new(name)
            .ok()
            .and_then(|word| document.procedures.get(&word).map(|version| (word, *version)));
        found.ok_or_else(|| {
            let near = document
                .procedures
                .keys()
                .filter(|known| acting.may(&document.organisation, Action::Submit, known, None, None))
                .map(|known| (strsim::levenshtein(known.as_str(), &crate::fold::folded(name)), known))
                .filter(|(distance, _)| *distance <= 2)
                .min();
            let problem = Problem::new("type.unknown", "type", "there is no such request type");
            crate::Refusal::from(match near {
                Some((_, known)) => problem.hint(format!("did you mean `{known}`?")),
                None => problem.hint("name a type that the authority has published"),
            })
            .into()
        })
    }

    /// The same intake again under its key: the first result, read again.
    async fn replayed_intake(
        &self,
        receipt: &ReceiptRow,
        intake: &Intake,
    ) -> Result<(Written, TrackingCode), GrcError> {
        self.check_receipt(receipt, &Canonical::of_intake(intake)).await?;
        let id = RequestId::from_uuid(receipt.stream.id);
        let parts = Parts::These(BTreeSet::from([HEAD]));
        let (loaded, _) = self.load_request(id, parts, None).await?;
        let loaded = loaded.ok_or(GrcError::NotFound)?;
        let code = loaded.request.code;
        let opened =
            open_slots(&*self.inner().grc.0.stores.keyring, &loaded.context, &loaded.record, &|slot| {
                Some(slot) == code
            })
            .await?;
        match code.and_then(|slot| opened.values.get(&slot)) {
            Some(Value::Text(text)) => {
                let code = text
                    .parse()
                    .map_err(|_| GrcError::Corrupt("a tracking code cannot be read".to_owned()))?;
                Ok((Written { id, version: receipt.version }, code))
            }
            _ => Err(GrcError::NotFound),
        }
    }

    /// Whether a receipt is that of this command.
    async fn check_receipt(&self, receipt: &ReceiptRow, command: &Canonical) -> Result<(), GrcError> {
        use subtle::ConstantTimeEq;
        let context = StreamContext::new(&receipt.stream.authority, &receipt.stream.kind, receipt.stream.id);
        let state = self.inner().grc.0.stores.keyring.open(&[receipt.key]).await?.pop();
        let Some(KeyState::Whole(key)) = state else {
            return Err(crate::Refusal::from(
                Problem::new(
                    "command.key-erased",
                    "key",
                    "a command with this key was given before, and what it wrote was erased",
                )
                .hint("use another key"),
            )
            .into());
        };
        if bool::from(key.receipt(&context, command.as_bytes()).ct_eq(&receipt.mac)) {
            Ok(())
        } else {
            Err(crate::Refusal::from(
                Problem::new("command.key-reused", "key", "another command was given with this key before")
                    .hint("use a key of its own for each command"),
            )
            .into())
        }
    }

    /// Gives a command to a request. `seen` is the version that its author saw; `lease` the task whose doing this is.
    pub(crate) async fn execute(
        &self,
        who: &Who,
        id: RequestId,
        seen: Option<u64>,
        instruction: &Instruction,
        lease: Option<&TaskRef>,
    ) -> Result<Written, GrcError> {
        let inner = self.inner();
        let grc = &inner.grc.0;
        let token = match &instruction.key {
            Some(key) => {
                let acting = who.acting(&self.organisation(None).await?.document.organisation)?;
                Some(inner.receipt_token(&acting, key).await?)
            }
            None => None,
        };
        for _ in 0..TRIES {
            let (loaded, answer) = self.load_request(id, parts_for(&instruction.command), token).await?;
            let loaded = loaded.ok_or(GrcError::NotFound)?;
            let organisation = &loaded.current.document.organisation;
            let acting = &who.acting(organisation)?;
            if !acting.is_internal() && !acting.may_with(organisation, Action::See, &loaded.request) {
                return Err(GrcError::NotFound);
            }
            let now = grc.clock.now();
            if let Some(receipt) = answer.receipt.filter(|receipt| receipt.expires > now) {
                let command = Canonical::of_command(&instruction.command, instruction.given);
                self.check_receipt(&receipt, &command).await?;
                return Ok(Written { id, version: receipt.version });
            }
            self.check_stale(acting, &loaded, seen, &instruction.command).await?;
            match self.try_execute(acting, &loaded, instruction, token, lease, now).await {
                Ok(Some(written)) => return Ok(written),
                // An erasure was finished first: look again.
                Ok(None) => {}
                Err(GrcError::Storage(error)) => match error.conflict_on() {
                    Some(ConflictOn::Stream | ConflictOn::Receipt) => {}
                    Some(ConflictOn::Document) => self.forget_organisation(),
                    _ => return Err(error.into()),
                },
                Err(error) => return Err(error),
            }
        }
        Err(GrcError::Busy)
    }

    /// Whether an event that touches what the command changes came after what its author saw.
    async fn check_stale(
        &self,
        acting: &Acting,
        loaded: &LoadedRequest,
        seen: Option<u64>,
        command: &Command,
    ) -> Result<(), GrcError> {
        let Some(seen) = seen.filter(|seen| *seen < loaded.request.version) else { return Ok(()) };
        let mine = touched_by(command, &loaded.procedure);
        if mine.is_empty() {
            return Ok(());
        }
        let since = self.history_of(&loaded.record.row.key, seen, loaded.request.version).await?;
        let theirs: BTreeSet<String> = since.iter().flat_map(|event| event.data.touches()).collect();
        let organisation = &loaded.current.document.organisation;
        let hit: Vec<String> = theirs
            .into_iter()
            .filter(|touched| touched == "*" || mine.contains(touched))
            // What the actor may not read is not named, and does not stand in their way.
            .filter(|touched| {
                touched.strip_prefix("field:").is_none_or(|field| {
                    acting.reads(organisation, &loaded.procedure, field, Some(&loaded.request))
                        || acting.writes(organisation, &loaded.procedure, field, Some(&loaded.request))
                })
            })
            .collect();
        if hit.is_empty() {
            return Ok(());
        }
        Err(GrcError::Conflict(Conflict { seen, version: loaded.request.version, changed: hit }))
    }

    async fn try_execute(
        &self,
        acting: &Acting,
        loaded: &LoadedRequest,
        instruction: &Instruction,
        token: Option<[u8; 16]>,
        lease: Option<&TaskRef>,
        now: Moment,
    ) -> Result<Option<Written>, GrcError> {
        let inner = self.inner();
        let grc = &inner.grc.0;
        let LoadedRequest { record, request, context, current, procedure } = loaded;
        let wanted = wanted_slots(request, &instruction.command);
        let opened =
            open_slots(&*grc.stores.keyring, context, record, &|slot| wanted.contains(&slot)).await?;
        if !opened.dead.is_empty() {
            self.finish_erasure(loaded).await?;
            return Ok(None);
        }
        let decision_context = Context {
            organisation: &current.document.organisation,
            organisation_version: current.version,
            procedure,
            procedure_version: request.procedure,
            acting,
            now,
        };
        let Opened { values, .. } = opened;
        let decision = decide(request, &values, &instruction.command, instruction.given, &decision_context)?;
        let mut key = None;
        if !decision.slots.is_empty() || token.is_some() {
            key = match request.sealing {
                Some(id) => match grc.stores.keyring.open(&[id]).await?.pop() {
                    Some(KeyState::Whole(key)) => Some((id, key)),
                    Some(KeyState::Unknown) | None => return Err(GrcError::KeyLost(record.row.key.id)),
                    Some(KeyState::Destroyed | KeyState::Kept(_)) => {
                        self.finish_erasure(loaded).await?;
                        return Ok(None);
                    }
                },
                None => Some(inner.fresh_key().await?),
            };
        }
        let mut batch = grc.batch(&inner.name, now)?;
        if let Some(lease) = lease {
            // First: what the decision cancels may be this very task.
            batch.push(Step::Finish(lease.clone()));
        }
        let envelope = Envelope {
            occurred_at: instruction.given.occurred_at.unwrap_or(now),
            recorded_at: now,
            acting,
            organisation: current.version,
            batch: batch.id(),
        };
        let written = self.write(loaded, &decision, &values, key.as_ref(), &envelope, &mut batch).await?;
        if let (Some(token), Some((id, key))) = (token, &key) {
            let command = Canonical::of_command(&instruction.command, instruction.given);
            batch.push(Step::PutReceipt(ReceiptRow {
                token,
                mac: key.receipt(context, command.as_bytes()),
                key: *id,
                stream: record.row.key.clone(),
                version: written.version,
                expires: now.plus_days(RECEIPT_DAYS),
            }));
        }
        self.commit(batch).await?;
        Ok(Some(written))
    }

    /// Fills a batch with what a decision on an existing request writes.
    async fn write(
        &self,
        loaded: &LoadedRequest,
        decision: &Decision,
        values: &Values,
        key: Option<&(KeyId, DataKey)>,
        envelope: &Envelope<'_>,
        batch: &mut Batch,
    ) -> Result<Written, GrcError> {
        let LoadedRequest { record, request, context, current, procedure } = loaded;
        let entropy = &*self.inner().grc.0.entropy;
        let row = &record.row;
        let sealed = seal_decision(context, row.version, row.head, decision, key, envelope, entropy)?;
        let mut after = request.clone();
        for event in &sealed.events {
            after.apply(event)?;
        }
        let gone = gone_slots(decision);
        let mut vault: BTreeMap<Part, Vec<u8>> = BTreeMap::new();
        if !gone.is_empty() {
            for (part, bytes) in &record.vault {
                let row = VaultRow::from_bytes(bytes)?;
                let kept = row.without(&gone);
                if kept.0.len() != row.0.len() {
                    vault.insert(*part, if kept.0.is_empty() { Vec::new() } else { kept.to_bytes() });
                }
            }
        }
        for (part, slots) in &sealed.parts {
            let mut row =
                match vault.get(part).filter(|bytes| !bytes.is_empty()).or_else(|| record.vault.get(part)) {
                    Some(bytes) => VaultRow::from_bytes(bytes)?,
                    None => VaultRow::default(),
                };
            row.0.extend(slots.iter().cloned());
            vault.insert(*part, row.to_bytes());
        }
        let written = Written { id: request.id, version: after.version };
        let writing = Writing {
            now: envelope.recorded_at,
            current,
            procedure,
            stream: row.key.clone(),
            birth: row.birth.clone(),
            before: Some(record),
            request: after,
            point: point_of(row),
            sealed,
            decision,
            vault,
        };
        let month_key = if indexes_personal(decision, procedure) {
            Some(self.inner().month_key(&request.month).await?)
        } else {
            None
        };
        self.fill_batch(&writing, month_key.as_ref(), batch)?;
        self.unlink(request, &gone, &writing, values, batch).await?;
        Ok(written)
    }

    /// Takes away the links, tokens and index rows of what was erased.
    async fn unlink(
        &self,
        before: &Request,
        gone: &BTreeSet<Slot>,
        writing: &Writing<'_>,
        values: &Values,
        batch: &mut Batch,
    ) -> Result<(), GrcError> {
        if gone.is_empty() {
            return Ok(());
        }
        let stream = writing.stream.clone();
        let drop = |prefix: &str| Step::DropLinks { stream: stream.clone(), prefix: prefix.to_owned() };
        for file in before.files.iter().filter(|file| gone.contains(&file.slot)) {
            let key = LinkKey { kind: Word::of("blob"), key: file.blob.as_bytes().to_vec() };
            batch.push(Step::DropLink { key, stream: stream.clone() });
        }
        let paths: BTreeSet<&Word> = gone.iter().filter_map(|slot| before.slots.get(slot)).collect();
        for field in &writing.procedure.fields {
            if field.indexed && paths.contains(&field.id) {
                let index =
                    Step::PutIndex { stream: stream.clone(), field: field.id.clone(), values: Vec::new() };
                batch.push(index);
            }
        }
        if writing.request.anonymised_at.is_some() {
            for prefix in ["contact.", "source.", "tracking"] {
                batch.push(drop(prefix));
            }
        } else if paths
            .iter()
            .any(|path| path.as_str().ends_with(".email") || path.as_str().ends_with(".phone"))
        {
            // The contacts that stay are linked again.
            batch.push(drop("contact."));
            let key = self.inner().month_key(&before.month).await?;
            let mut stays = Vec::new();
            for party in &writing.request.parties {
                for (detail, slot) in &party.details {
                    if let Some(value) = values.get(slot) {
                        stays.push((format!("{}.{detail}", party.role), value.clone()));
                    }
                }
            }
            let phone_code = writing.current.document.organisation.phone_code;
            for (path, value) in &stays {
                if let Some(token) = contact_token(&key.key, &before.sector, path, value, phone_code) {
                    batch.push(Step::PutLink(Link {
                        key: LinkKey { kind: named_kind("contact", &key.name), key: token.to_vec() },
                        stream: stream.clone(),
                        unique: false,
                    }));
                }
            }
            batch.push(Step::Current { kind: Word::of("key"), name: key.name.clone(), version: key.version });
        } else if paths.iter().any(|path| path.as_str() == "code") {
            batch.push(drop("tracking"));
        }
        Ok(())
    }

    /// The rows that every decision writes.
    fn fill_batch(
        &self,
        writing: &Writing<'_>,
        month: Option<&NamedKey>,
        batch: &mut Batch,
    ) -> Result<(), GrcError> {
        let Writing { now, current, stream, birth, before, request, point, sealed, decision, vault, .. } =
            writing;
        let measure = crate::request::Measure::of(request, *point);
        let version = before.map_or(0, |record| record.row.version);
        let row = StreamRow {
            key: stream.clone(),
            birth: birth.clone(),
            version: request.version,
            fold: Request::FOLD,
            head: sealed.stored.last().map_or([0; 32], |event| event.head),
            facts: measure.facts.clone(),
            body: crate::canonical::to_bytes(request)?,
        };
        let expect = before.map_or(Expect::Absent, |record| Expect::Version(record.row.version));
        batch.push(Step::PutStream { row, expect });
        batch.push(Step::Append { stream: stream.clone(), after: version, events: sealed.stored.clone() });
        for (part, bytes) in vault {
            let (stream, part) = (stream.clone(), *part);
            batch.push(if bytes.is_empty() {
                Step::DropVault { stream, part }
            } else {
                Step::PutVault { stream, part, bytes: bytes.clone() }
            });
        }
        batch.push(Step::PutMeasure { stream: stream.clone(), bytes: measure.to_bytes() });
        self.index_steps(writing, month, batch);
        for (index, event) in decision.events.iter().enumerate() {
            match event {
                RequestEvent::Attached { file } => batch.push(Step::PutLink(Link {
                    key: LinkKey { kind: Word::of("blob"), key: file.blob.as_bytes().to_vec() },
                    stream: stream.clone(),
                    unique: true,
                })),
                RequestEvent::Linked { kind, target } => batch.push(Step::PutLink(Link {
                    key: LinkKey { kind: named_kind("related", kind), key: target.as_bytes().to_vec() },
                    stream: stream.clone(),
                    unique: false,
                })),
                _ => {}
            }
            let slots = || decision.slots.iter().filter(move |(of, _)| *of == index).map(|(_, slot)| slot);
            if let (Some(month), RequestEvent::Submitted { .. }) = (month, event) {
                let phone_code = current.document.organisation.phone_code;
                let mut tokens = BTreeSet::new();
                for slot in slots() {
                    let value = slot.value.expose();
                    tokens.extend(contact_token(
                        &month.key,
                        &request.sector,
                        slot.path.as_str(),
                        value,
                        phone_code,
                    ));
                }
                for token in tokens {
                    batch.push(Step::PutLink(Link {
                        key: LinkKey { kind: named_kind("contact", &month.name), key: token.to_vec() },
                        stream: stream.clone(),
                        unique: false,
                    }));
                }
            }
        }
        self.plan_steps(writing, *now, batch)?;
        batch.push(Step::Current {
            kind: Word::of("organisation"),
            name: Word::of("main"),
            version: current.version,
        });
        Ok(())
    }

    /// The index rows of declared fields that were filled, changed or cleared.
    fn index_steps(&self, writing: &Writing<'_>, month: Option<&NamedKey>, batch: &mut Batch) {
        for (index, event) in writing.decision.events.iter().enumerate() {
            let fields: Vec<(&Word, Option<&Held>)> = match event {
                RequestEvent::Submitted { fields, .. } => {
                    fields.iter().map(|(id, held)| (id, Some(held))).collect()
                }
                RequestEvent::Corrected { fields } => {
                    fields.iter().map(|(id, held)| (id, held.as_ref())).collect()
                }
                _ => continue,
            };
            for (id, held) in fields {
                if !writing.procedure.field(id.as_str()).is_some_and(|field| field.indexed) {
                    continue;
                }
                let values = match held {
                    None => Vec::new(),
                    Some(Held::Clear(value)) => index_values(value),
                    Some(Held::Slot(slot)) => {
                        let typed =
                            writing.decision.slots.iter().find(|(of, new)| *of == index && new.slot == *slot);
                        match (typed, month) {
                            (Some((_, new)), Some(month)) => {
                                index_token(&month.key, id, new.value.expose()).into_iter().collect()
                            }
                            _ => Vec::new(),
                        }
                    }
                };
                batch.push(Step::PutIndex { stream: writing.stream.clone(), field: id.clone(), values });
            }
        }
    }

    fn plan_steps(&self, writing: &Writing<'_>, now: Moment, batch: &mut Batch) -> Result<(), GrcError> {
        let entropy = &*self.inner().grc.0.entropy;
        let first = writing.request.version - writing.decision.events.len() as u64 + 1;
        for plan in &writing.decision.plans {
            let id = TaskId::fresh(now, entropy)?;
            let task =
                |kind: &'static str, queue: String, order: u64, due: Moment, body: serde_json::Value| {
                    Ok::<_, GrcError>(Step::Schedule(Task {
                        id,
                        queue,
                        order,
                        kind: Word::of(kind),
                        stream: writing.stream.clone(),
                        due,
                        attempts: 0,
                        lease: 0,
                        leased_until: Moment::EPOCH,
                        dead: false,
                        code: None,
                        body: crate::canonical::to_bytes(&body)?,
                    }))
                };
            let stream = writing.stream.id;
            let step = match plan {
                Plan::Cancel(kinds) => Step::Cancel {
                    stream: writing.stream.clone(),
                    kinds: kinds.iter().map(|kind| Word::of(kind)).collect(),
                },
                Plan::Retention { due } => {
                    let body = serde_json::json!({ "organisation": writing.current.version });
                    task("retention", format!("retention/{stream}"), 0, *due, body)?
                }
                Plan::Timer { due, transition } => {
                    let body = serde_json::json!({ "transition": transition });
                    task("timer", format!("timer/{id}"), 0, *due, body)?
                }
                Plan::Deliver { event, channel } => {
                    let sequence = first + *event as u64;
                    let body = serde_json::json!({ "message": sequence, "channel": channel });
                    task("deliver", format!("deliver/{stream}/{channel}"), sequence, now, body)?
                }
                Plan::Destroy { keys, blobs } if keys.is_empty() && blobs.is_empty() => continue,
                Plan::Destroy { keys, blobs } => {
                    let body = serde_json::json!({ "keys": keys, "blobs": blobs });
                    task("destroy", format!("destroy/{id}"), 0, now, body)?
                }
            };
            batch.push(step);
        }
        Ok(())
    }

    /// Writes what the keyring knows already: slots whose key was destroyed are erased. Happens when an erasure was
    /// interrupted, or when an old backup brought rows back.
    pub(crate) async fn finish_erasure(&self, loaded: &LoadedRequest) -> Result<(), GrcError> {
        let grc = &self.inner().grc.0;
        let (again, _) = self.load_request(loaded.request.id, Parts::All, None).await?;
        let Some(loaded) = again else { return Ok(()) };
        let opened = open_slots(&*grc.stores.keyring, &loaded.context, &loaded.record, &|_| true).await?;
        if opened.dead.is_empty() {
            return Ok(());
        }
        let slots: Vec<Slot> = opened.dead.iter().copied().collect();
        let rule = Word::of("key-destroyed");
        let keys: Vec<KeyId> = slots
            .iter()
            .filter_map(|slot| loaded.request.key_of(*slot))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let files = loaded.request.files.iter().filter(|file| opened.dead.contains(&file.slot));
        let blobs = files.map(|file| file.blob).collect();
        let all = opened.values.keys().all(|slot| {
            loaded.request.slots.get(slot).is_some_and(|path| loaded.procedure.field(path.as_str()).is_some())
        });
        // The tracking code goes with anonymisation only: without it, this was one.
        let anonymised = all && loaded.request.code.is_some_and(|code| opened.dead.contains(&code));
        let event = if anonymised {
            let coarse = |micro: i32| micro.div_euclid(10_000) * 10_000;
            let point = point_of(&loaded.record.row).map(|(lat, lon)| (coarse(lat), coarse(lon)));
            RequestEvent::Anonymised { rule, slots, point }
        } else {
            RequestEvent::Erased { slots, reason: rule }
        };
        let mut decision = Decision { events: vec![event], ..Decision::default() };
        decision.plans.push(Plan::Destroy { keys, blobs });
        if anonymised {
            decision.plans.push(Plan::Cancel(vec!["deliver", "timer", "retention"]));
        }
        let now = grc.clock.now();
        let acting = Who::timer().acting(&loaded.current.document.organisation)?;
        let mut batch = grc.batch(&self.inner().name, now)?;
        let envelope = Envelope {
            occurred_at: now,
            recorded_at: now,
            acting: &acting,
            organisation: loaded.current.version,
            batch: batch.id(),
        };
        self.write(&loaded, &decision, &opened.values, None, &envelope, &mut batch).await?;
        match self.commit(batch).await {
            // Somebody else does the same.
            Err(error) if error.conflict_on().is_some() => Ok(()),
            other => other.map(|_| ()).map_err(GrcError::from),
        }
    }
}

fn duplicate() -> GrcError {
    crate::Refusal::from(
        Problem::new("source.duplicate", "source_key", "a request with this source key was taken in before")
            .hint("leave it out: it is here already"),
    )
    .into()
}

/// Which parts of the vault a command needs.
fn parts_for(command: &Command) -> Parts {
    match command {
        Command::Anonymise { .. } | Command::Erase { .. } => Parts::All,
        _ => Parts::These(BTreeSet::from([HEAD, TEXTS])),
    }
}

/// Which slots a command's decision looks at: the form's fields for guards, the place for coarsening, and what is
/// left of the contacts when one is erased.
fn wanted_slots(request: &Request, command: &Command) -> BTreeSet<Slot> {
    let form = request.fields.values().filter_map(|held| match held {
        Held::Slot(slot) => Some(*slot),
        Held::Clear(_) => None,
    });
    match command {
        Command::Fire(_) | Command::Elapsed { .. } => form.collect(),
        Command::Anonymise { .. } => request.place.iter().filter_map(|place| place.data.point).collect(),
        Command::Erase { .. } => {
            request.parties.iter().flat_map(|party| party.details.values().copied()).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn gone_slots(decision: &Decision) -> BTreeSet<Slot> {
    decision
        .events
        .iter()
        .flat_map(|event| match event {
            RequestEvent::Erased { slots, .. } | RequestEvent::Anonymised { slots, .. } => slots.as_slice(),
            _ => &[],
        })
        .copied()
        .collect()
}

fn has_contact(decision: &Decision) -> bool {
    decision
        .slots
        .iter()
        .any(|(_, slot)| slot.path.as_str().ends_with(".email") || slot.path.as_str().ends_with(".phone"))
}

fn indexes_personal(decision: &Decision, procedure: &Procedure) -> bool {
    decision.slots.iter().any(|(_, slot)| {
        procedure.field(slot.path.as_str()).is_some_and(|field| field.indexed && !field.is_clear())
    })
}

pub(crate) fn named_kind(kind: &str, name: &Word) -> Word {
    Word::new(&format!("{kind}.{name}")).unwrap_or_else(|_| Word::slug(&format!("{kind}.{name}")))
}

/// The token of a contact; none for what is no contact.
pub(crate) fn contact_token(
    key: &DataKey,
    sector: &Word,
    path: &str,
    value: &Value,
    phone_code: u16,
) -> Option<[u8; 16]> {
    let Value::Text(text) = value else { return None };
    let (kind, normal) = match path.rsplit_once('.')?.1 {
        "email" => ("email", contact::email(text)?),
        "phone" => ("phone", contact::phone(text, phone_code)?),
        _ => return None,
    };
    let length = [u8::try_from(sector.as_str().len()).unwrap_or(u8::MAX)];
    Some(key.token(
        "grc-contact-1",
        &[&length, sector.as_str().as_bytes(), kind.as_bytes(), b"\0", normal.as_bytes()],
    ))
}

/// The token of a source key.
pub(crate) fn source_token(key: &DataKey, source: &Typed) -> [u8; 16] {
    key.token("grc-source-1", &[source.expose_text().unwrap_or_default().as_bytes()])
}

/// The token of a personal value in the index.
pub(crate) fn index_token(key: &DataKey, field: &Word, value: &Value) -> Option<IndexValue> {
    let plain = value.to_plain().ok()?;
    Some(IndexValue::Token(key.token("grc-index-1", &[field.as_str().as_bytes(), b"\0", &plain])))
}

fn index_values(value: &Value) -> Vec<IndexValue> {
    match value {
        Value::Text(text) => vec![IndexValue::Text(text.chars().take(50).collect())],
        Value::Choice(word) => vec![IndexValue::Text(word.to_string())],
        Value::Choices(words) => words.iter().map(|word| IndexValue::Text(word.to_string())).collect(),
        Value::Date(day) => vec![IndexValue::Text(day.to_string())],
        Value::Integer(number) => vec![IndexValue::Number(*number)],
        Value::Boolean(yes) => vec![IndexValue::Number(i64::from(*yes))],
        Value::Point(..) | Value::File(_) => Vec::new(),
    }
}
