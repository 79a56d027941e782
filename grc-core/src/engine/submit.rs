//! Handing a request in.

use super::{
    Authority, GrcError, Here,
    authority::Current,
    instruction::Canonical,
    kinds::LinkKind,
    rows::Writing,
    sealing::{Envelope, open_slots, seal_decision, stream_of},
    session::Who,
    tokens::{is_contact, is_personal_index, source_token},
    write::{RECEIPT_DAYS, TRIES, Written},
};
use crate::{
    KeyId, RequestId, TrackingCode, Value, Word,
    definition::{Action, Procedure},
    refusal::{Problem, Refusal},
    request::{Acting, Context, Decision, Intake, Request, RequestEvent, decide_intake},
    storage::{ConflictOn, Link, LinkKey, Load, Parts, ReceiptRow, Step},
    vault::{DataKey, HEAD, KeyState, StreamContext, VaultRow},
};
use std::collections::{BTreeMap, BTreeSet};

impl Authority {
    /// Hands a request in.
    pub(crate) fn submit<'a>(
        &'a self,
        who: &'a Who,
        intake: Intake,
    ) -> Here<'a, Result<(Written, TrackingCode), GrcError>> {
        Box::pin(async move {
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
                    if acting.is_citizen() && key.len() < 22 {
                        return Err(key_too_short());
                    }
                    let token = inner.receipt_token(&acting, key).await?;
                    if let Some(receipt) = self.receipt(token).await? {
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
                            // The same command sent twice at once: the other was faster.
                            if let Some(token) = token
                                && self.receipt(token).await?.is_some()
                            {
                                return Box::pin(self.submit(who, intake)).await;
                            }
                            return Err(if intake.source.is_some() { duplicate() } else { file_used() });
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
                        // The same command sent twice at once, and the other was done since it was looked for.
                        if let Some(token) = token
                            && self.receipt(token).await?.is_some()
                        {
                            return Box::pin(self.submit(who, intake)).await;
                        }
                        return Err(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            Err(GrcError::Busy)
        })
    }

    /// What is remembered under a token, if it has not expired.
    pub(super) async fn receipt(&self, token: [u8; 16]) -> Result<Option<ReceiptRow>, GrcError> {
        let inner = self.inner();
        let load = Load {
            authority: inner.name.clone(),
            streams: Vec::new(),
            parts: Parts::None,
            receipt: Some(token),
        };
        let found = inner.grc.0.stores.store.load(&load).await?.receipt;
        Ok(found.filter(|receipt| receipt.expires > inner.grc.0.clock.now()))
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
        let needs_month = intake.source.is_some() || is_found_by(&decision, &procedure);
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
        let sealed = seal_decision(
            &stream_context,
            0,
            [0; 32],
            (&decision.events, &decision.slots),
            Some(key),
            &envelope,
            &*grc.entropy,
        )?;
        let request = Request::fold(id, &sealed.events)?.ok_or(GrcError::Busy)?;
        let point = intake.place.as_ref().and_then(|place| place.point);
        let written = Written { id, version: request.version };
        let mut vault = BTreeMap::new();
        for (part, slots) in &sealed.parts {
            vault.insert(*part, VaultRow(slots.clone()).to_bytes()?);
        }
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
        let values =
            decision.slots.iter().map(|(_, slot)| (slot.slot, slot.value.expose().clone())).collect();
        self.fill_batch(&writing, month_key.as_ref(), &values, &mut batch)?;
        let link = |kind: Word, key: Vec<u8>, unique| {
            Step::PutLink(Link { key: LinkKey { kind, key }, stream: stream.clone(), unique })
        };
        batch.push(link(LinkKind::Tracking.word(), inner.tracking_token(code).await?.to_vec(), true));
        if let (Some(month), Some(source)) = (&month_key, &intake.source) {
            let token = source_token(&month.key, source);
            batch.push(link(LinkKind::Source.named(&month.name), token.to_vec(), true));
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
            let folded = if name.len() <= Word::MAX + 2 { crate::fold::folded(name) } else { String::new() };
            let near = document
                .procedures
                .keys()
                .filter(|_| !folded.is_empty())
                .filter(|known| acting.may(&document.organisation, Action::Submit, known, None, None))
                .map(|known| (strsim::levenshtein(known.as_str(), &folded), known))
                .filter(|(distance, _)| *distance <= 2)
                .min();
            let problem = Problem::new("type.unknown", "type", "there is no such request type");
            Refusal::from(match near {
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
            open_slots(&*self.inner().grc.0.stores.keyring, &loaded.record, &|slot| Some(slot) == code)
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
    pub(super) async fn check_receipt(
        &self,
        receipt: &ReceiptRow,
        command: &Canonical,
    ) -> Result<(), GrcError> {
        use subtle::ConstantTimeEq;
        let context = StreamContext::new(&receipt.stream.authority, &receipt.stream.kind, receipt.stream.id);
        let state = self.inner().grc.0.stores.keyring.open(&[receipt.key]).await?.pop();
        let Some(KeyState::Whole(key)) = state else {
            return Err(Refusal::from(
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
            Err(key_reused())
        }
    }
}

/// The key of a command that was given before.
pub(super) fn key_reused() -> GrcError {
    let problem = Problem::new("command.key-reused", "key", "another command was given with this key before");
    Refusal::from(problem.hint("use a key of its own for each command")).into()
}

/// The key of somebody who has no identity is theirs only if nobody else can have thought of it.
fn key_too_short() -> GrcError {
    let problem = Problem::new("command.key-short", "key", "this key could be somebody else's");
    Refusal::from(problem.hint("let a citizen's client make a random key of at least 22 characters")).into()
}

/// A file that was handed in with another request.
fn file_used() -> GrcError {
    let problem = Problem::new("file.used", "files", "a file was handed in with another request before");
    Refusal::from(problem.hint("attach it again")).into()
}

fn duplicate() -> GrcError {
    Refusal::from(
        Problem::new("source.duplicate", "source_key", "a request with this source key was taken in before")
            .hint("leave it out: it is here already"),
    )
    .into()
}

/// Whether a request is found by something that was typed: a contact, or a personal indexed field.
fn is_found_by(decision: &Decision, procedure: &Procedure) -> bool {
    decision.slots.iter().any(|(_, slot)| is_contact(&slot.path) || is_personal_index(procedure, &slot.path))
}
