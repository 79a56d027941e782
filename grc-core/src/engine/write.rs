//! The one way in which a request is written: load, decide, seal, commit; and again if somebody was faster.

use super::{
    Authority, Conflict, GrcError, Here, Instruction,
    authority::Current,
    instruction::Canonical,
    sealing::{Envelope, Opened, Wanted, context_of, open_all, read_state, stream_of},
    session::Who,
    stream::Folded,
    tokens::is_personal_index,
};
use crate::{
    KeyId, Moment, RequestId, Typed,
    definition::{Action, Procedure},
    request::{Acting, Command, Context, Decision, Event, Held, Request, decide, touched_by},
    storage::{
        Batch, ConflictOn, EventRange, Load, Loaded, Log, Parts, Receipt, ReceiptRow, Step, StorageErrorKind,
        StoreInfo, StreamKey, StreamRecord, StreamRow,
    },
    vault::{DataKey, HEAD, KeyState, Slot, SlotBook, StreamContext, TEXTS, part_of_event},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How often a command is decided again when others keep changing the same request.
pub(super) const TRIES: u32 = 64;
/// How long a command key is remembered.
pub(super) const RECEIPT_DAYS: i64 = 30;

/// A request as it was loaded.
pub(crate) struct LoadedRequest {
    pub(crate) record: StreamRecord,
    pub(crate) request: Request,
    pub(crate) context: StreamContext,
    pub(crate) current: Current,
    pub(crate) procedure: Arc<Procedure>,
}

/// What becomes of the task whose doing a decision is.
pub(crate) type Ending<'a> = &'a (dyn Fn(&Decision) -> Step + Send + Sync);

/// What a command did.
pub(crate) struct Written {
    pub(crate) id: RequestId,
    pub(crate) version: u64,
}

impl Authority {
    /// Loads a request with parts of its vault.
    pub(crate) fn load_request<'a>(
        &'a self,
        id: RequestId,
        parts: Parts,
        receipt: Option<[u8; 16]>,
    ) -> Here<'a, Result<(Option<LoadedRequest>, Loaded), GrcError>> {
        Box::pin(async move {
            let inner = self.inner();
            let load = Load {
                authority: inner.name.clone(),
                streams: vec![stream_of(&inner.name, id)],
                parts,
                receipt,
            };
            let mut loaded = inner.grc.0.stores.store.load(&load).await?;
            let Some(record) = loaded.streams.pop().flatten() else { return Ok((None, loaded)) };
            let current = self.organisation(Some(loaded.organisation)).await?;
            let request: Request = self.state_of(&record.row).await?;
            let procedure = self.procedure(&request.type_, request.procedure).await?;
            let context = context_of(&record.row);
            Ok((Some(LoadedRequest { record, request, context, current, procedure }), loaded))
        })
    }

    /// The state of a row, folded again from its events if another version of the fold made it.
    pub(crate) async fn state_of<S: Folded>(&self, row: &StreamRow) -> Result<S, GrcError> {
        if let Some(state) = read_state(row)? {
            return Ok(state);
        }
        let events = self.history_of(&row.key, 0, row.version).await?;
        S::fold_all(row.key.id, &events)?
            .ok_or_else(|| GrcError::Corrupt(format!("{} {} has no events", S::KIND, row.key.id)))
    }

    /// The events of a stream after a sequence, up to another.
    pub(crate) async fn history_of<D: Serialize + DeserializeOwned>(
        &self,
        stream: &StreamKey,
        after: u64,
        until: u64,
    ) -> Result<Vec<Event<D>>, GrcError> {
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
                    match store.commit(batch.clone()).await {
                        // Not now: whether it was written before is as unknown as it was.
                        Err(error) if error.kind() == StorageErrorKind::Unavailable => {}
                        answer => last = answer,
                    }
                }
                _ => break,
            }
        }
        last
    }

    /// Gives a command to a request. `seen` is the version that its author saw; `ending` what becomes of the task whose doing this is.
    pub(crate) fn execute<'a>(
        &'a self,
        who: &'a Who,
        id: RequestId,
        seen: Option<u64>,
        instruction: &'a Instruction,
        ending: Option<Ending<'a>>,
    ) -> Here<'a, Result<Written, GrcError>> {
        Box::pin(async move {
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
                    if receipt.stream != loaded.record.row.key {
                        return Err(super::submit::key_reused());
                    }
                    self.check_receipt(&receipt, &command).await?;
                    return Ok(Written { id, version: receipt.version });
                }
                self.check_stale(acting, &loaded, seen, &instruction.command).await?;
                match self.try_execute(acting, &loaded, instruction, token, ending, now).await {
                    Ok(Some(written)) => return Ok(written),
                    // An erasure was finished first: look again.
                    Ok(None) => {}
                    Err(error) => self.outrun(error)?,
                }
            }
            Err(GrcError::Busy)
        })
    }

    /// Nothing if what failed is to be decided again, because somebody was faster; forgets what is known no longer.
    pub(super) fn outrun(&self, error: GrcError) -> Result<(), GrcError> {
        match &error {
            GrcError::Storage(storage) => match storage.conflict_on() {
                Some(ConflictOn::Stream | ConflictOn::Receipt) => Ok(()),
                Some(ConflictOn::Document) => {
                    self.forget_organisation();
                    self.inner().forget_named();
                    Ok(())
                }
                _ => Err(error),
            },
            _ => Err(error),
        }
    }

    /// The key for what a stream is told from now on.
    pub(super) async fn sealing_key(
        &self,
        book: &SlotBook,
        stream: uuid::Uuid,
    ) -> Result<(KeyId, DataKey), GrcError> {
        let Some(id) = book.sealing else { return self.inner().fresh_key().await };
        let state = self.inner().grc.0.stores.keyring.open(&[id]).await?.pop();
        self.key_for_sealing(id, state, stream).await
    }

    /// The key for what a stream is told from now on, when it is known what is held of the one so far.
    async fn key_for_sealing(
        &self,
        id: KeyId,
        state: Option<KeyState>,
        stream: uuid::Uuid,
    ) -> Result<(KeyId, DataKey), GrcError> {
        match state {
            Some(KeyState::Whole(key)) => Ok((id, key)),
            Some(KeyState::Unknown) | None => Err(GrcError::KeyLost(stream)),
            // Rows from before an erasure that was made since: no living slot needs what is gone, and what is
            // typed from now on needs a key of its own.
            Some(KeyState::Destroyed | KeyState::Kept(_)) => self.inner().fresh_key().await,
        }
    }

    /// Whether an event that touches what the command changes came after what its author saw.
    async fn check_stale(
        &self,
        acting: &Acting,
        loaded: &LoadedRequest,
        seen: Option<u64>,
        command: &Command,
    ) -> Result<(), GrcError> {
        let version = loaded.request.version;
        if let Some(seen) = seen.filter(|seen| *seen > version) {
            // What its author saw is not there any more: rows were restored from before.
            return Err(GrcError::Conflict(Conflict { seen, version, changed: vec!["history".to_owned()] }));
        }
        let Some(seen) = seen.filter(|seen| *seen < version) else { return Ok(()) };
        let mine = touched_by(command, &loaded.procedure);
        if mine.is_empty() {
            return Ok(());
        }
        let since: Vec<Event> = self.history_of(&loaded.record.row.key, seen, loaded.request.version).await?;
        let theirs: BTreeSet<String> = since.iter().flat_map(|event| event.data.touches()).collect();
        let organisation = &loaded.current.document.organisation;
        let hit: Vec<String> = theirs
            .into_iter()
            .filter(|touched| touched == "*" || mine.contains(touched))
            // What the actor may not read is not named, and does not stand in their way.
            .filter(|touched| match touched.as_str() {
                "hold" => {
                    acting.is_internal() || acting.may_with(organisation, Action::Hold, &loaded.request)
                }
                "assignment" | "acceptability" => !acting.is_citizen(),
                touched => touched.strip_prefix("field:").is_none_or(|field| {
                    acting.reads(organisation, &loaded.procedure, field, Some(&loaded.request))
                        || acting.writes(organisation, &loaded.procedure, field, Some(&loaded.request))
                }),
            })
            .collect();
        if hit.is_empty() {
            return Ok(());
        }
        Err(GrcError::Conflict(Conflict { seen, version: loaded.request.version, changed: hit }))
    }

    pub(super) async fn try_execute(
        &self,
        acting: &Acting,
        loaded: &LoadedRequest,
        instruction: &Instruction,
        token: Option<[u8; 16]>,
        ending: Option<Ending<'_>>,
        now: Moment,
    ) -> Result<Option<Written>, GrcError> {
        let inner = self.inner();
        let grc = &inner.grc.0;
        let LoadedRequest { record, request, context, current, procedure } = loaded;
        let slots = wanted_slots(request, procedure, &instruction.command);
        let wanted = Wanted::of(record, &|slot| slots.contains(&slot))?.and_key(request.book.sealing);
        let opened = open_all(&*grc.stores.keyring, &[wanted]).await?.pop().unwrap_or_default();
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
        let Opened { values, besides, .. } = opened;
        let decision = decide(request, &values, &instruction.command, instruction.given, &decision_context)?;
        let mut key = None;
        if !decision.slots.is_empty() || token.is_some() {
            let stream = record.row.key.id;
            key = Some(match (request.book.sealing, besides) {
                (Some(id), Some(state)) => self.key_for_sealing(id, Some(state), stream).await?,
                _ => self.sealing_key(&request.book, stream).await?,
            });
        }
        let mut batch = grc.batch(&inner.name, now)?;
        if let Some(ending) = ending {
            // First: what the decision cancels may be this very task.
            batch.push(ending(&decision));
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
}

/// Which parts of the vault a command needs.
pub(super) fn parts_for(command: &Command) -> Parts {
    match command {
        Command::Anonymise { .. } | Command::Erase { .. } => Parts::All,
        Command::Delivered { message, .. } | Command::Resend { message, .. } => {
            let part = part_of_event(u32::try_from(*message).unwrap_or(u32::MAX));
            Parts::These(BTreeSet::from([HEAD, part]))
        }
        _ => Parts::These(BTreeSet::from([HEAD, TEXTS])),
    }
}

/// Which slots a command's decision looks at: the form's fields for guards, the place for coarsening, and, where what the
/// request is found by may change, what it is found by.
fn wanted_slots(request: &Request, procedure: &Procedure, command: &Command) -> BTreeSet<Slot> {
    let slot = |held: &Held| match held {
        Held::Slot(slot) => Some(*slot),
        Held::Clear(_) => None,
    };
    let form = || request.fields.values().filter_map(slot);
    let found_by = || {
        let contacts = request.parties.iter().flat_map(|party| party.details.values().copied());
        let indexed = request.fields.iter().filter(|(id, _)| is_personal_index(procedure, id));
        contacts.chain(indexed.filter_map(|(_, held)| slot(held)))
    };
    let persons = || request.parties.iter().flat_map(|party| party.details.values().copied());
    // What a notice may show, and by what it can leave.
    let told = || {
        let place = request.place.as_ref().and_then(|place| place.data.address);
        form().chain(persons()).chain(request.code).chain(place)
    };
    let tells = |id: &str| procedure.transition(id).is_some_and(|transition| transition.tell.is_some());
    let text = |message: u64| {
        request.messages.iter().filter(move |known| known.seq == message).map(|known| known.text)
    };
    let corrects = |fields: &BTreeMap<String, Option<Typed>>| {
        fields
            .keys()
            .any(|name| procedure.field(name).is_some_and(|field| field.indexed && !field.is_clear()))
    };
    match command {
        Command::Fire(fire) => {
            let found = found_by().filter(|_| corrects(&fire.fields));
            let told = told().filter(|_| fire.message.is_some() || tells(&fire.transition));
            form().chain(found).chain(told).collect()
        }
        Command::Elapsed { transition } => form().chain(told().filter(|_| tells(transition))).collect(),
        Command::Tell { .. } => persons().collect(),
        Command::Delivered { message, .. } | Command::Resend { message, .. } => {
            persons().chain(text(*message)).collect()
        }
        Command::Correct(fields) if corrects(fields) => found_by().collect(),
        Command::Anonymise { .. } => request.place.iter().filter_map(|place| place.data.point).collect(),
        Command::Erase { .. } => found_by().collect(),
        _ => BTreeSet::new(),
    }
}
