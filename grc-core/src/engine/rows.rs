//! The rows that a decision writes.

use super::{
    Authority, GrcError,
    authority::Current,
    keys::NamedKey,
    kinds::{DocumentKind, LinkKind, TaskKind},
    sealing::{Envelope, Sealed, point_of, seal_decision},
    tokens::{index_values, is_contact, is_personal_index, token_links},
    write::{LoadedRequest, Written},
};
use crate::{
    KeyId, Moment, TaskId, Word,
    definition::{Field, Procedure},
    request::{Decision, Held, Measure, Plan, Request, RequestEvent, Values},
    storage::{Batch, Expect, Link, LinkKey, Step, StreamKey, StreamRecord, StreamRow, Task},
    vault::{DataKey, Part, Slot, VaultRow},
};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that goes into the batch of one decision.
pub(super) struct Writing<'a> {
    pub(super) now: Moment,
    pub(super) current: &'a Current,
    pub(super) procedure: &'a Procedure,
    pub(super) stream: StreamKey,
    pub(super) birth: Word,
    pub(super) before: Option<&'a StreamRecord>,
    pub(super) request: Request,
    pub(super) point: Option<(i32, i32)>,
    pub(super) sealed: Sealed,
    pub(super) decision: &'a Decision,
    pub(super) vault: BTreeMap<Part, Vec<u8>>,
}

impl Authority {
    /// Fills a batch with what a decision on an existing request writes.
    pub(super) async fn write(
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
        let sealed = seal_decision(
            context,
            row.version,
            row.head,
            (&decision.events, &decision.slots),
            key,
            envelope,
            entropy,
        )?;
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
                    vault.insert(*part, if kept.0.is_empty() { Vec::new() } else { kept.to_bytes()? });
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
            vault.insert(*part, row.to_bytes()?);
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
        // What was typed and what stays are both at hand: the links are made anew.
        let mut known = values.clone();
        known.extend(decision.slots.iter().map(|(_, slot)| (slot.slot, slot.value.expose().clone())));
        let month_key =
            if writing.request.anonymised_at.is_none() && relinks(request, decision, &gone, procedure) {
                for kind in [LinkKind::Contact, LinkKind::Index] {
                    batch.push(Step::DropLinks { stream: row.key.clone(), prefix: kind.prefix() });
                }
                Some(self.inner().month_key(&request.month).await?)
            } else {
                None
            };
        self.fill_batch(&writing, month_key.as_ref(), &known, batch)?;
        self.unlink(request, &gone, &writing, batch);
        Ok(written)
    }

    /// The rows that every decision writes.
    pub(super) fn fill_batch(
        &self,
        writing: &Writing<'_>,
        month: Option<&NamedKey>,
        values: &Values,
        batch: &mut Batch,
    ) -> Result<(), GrcError> {
        let Writing {
            now,
            current,
            procedure,
            stream,
            birth,
            before,
            request,
            point,
            sealed,
            decision,
            vault,
        } = writing;
        let measure = Measure::of(request, *point);
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
        let (dropped, put): (Vec<_>, Vec<_>) = vault.iter().partition(|(_, bytes)| bytes.is_empty());
        if !dropped.is_empty() {
            let parts = dropped.into_iter().map(|(part, _)| *part).collect();
            batch.push(Step::DropVault { stream: stream.clone(), parts });
        }
        for (part, bytes) in put {
            batch.push(Step::PutVault { stream: stream.clone(), part: *part, bytes: bytes.clone() });
        }
        batch.push(Step::PutMeasure { stream: stream.clone(), bytes: measure.to_bytes() });
        self.index_steps(writing, batch);
        for event in &decision.events {
            match event {
                RequestEvent::Attached { file } => batch.push(Step::PutLink(Link {
                    key: LinkKey { kind: LinkKind::Blob.word(), key: file.blob.as_bytes().to_vec() },
                    stream: stream.clone(),
                    unique: true,
                })),
                RequestEvent::Linked { kind, target } => batch.push(Step::PutLink(Link {
                    key: LinkKey { kind: LinkKind::Related.named(kind), key: target.as_bytes().to_vec() },
                    stream: stream.clone(),
                    unique: false,
                })),
                _ => {}
            }
        }
        if let Some(month) = month {
            let phone_code = current.document.organisation.phone_code;
            for link in token_links(request, procedure, values, month, phone_code, stream) {
                batch.push(link);
            }
            // Nothing is linked under a key that is closing.
            batch.push(Step::Current {
                kind: DocumentKind::Key.word(),
                name: month.name.clone(),
                version: month.version,
            });
        }
        self.plan_steps(writing, *now, batch)?;
        batch.push(Step::Current {
            kind: DocumentKind::Organisation.word(),
            name: Word::of("main"),
            version: current.version,
        });
        Ok(())
    }

    /// The index rows of fields in clear that were filled, changed or cleared.
    fn index_steps(&self, writing: &Writing<'_>, batch: &mut Batch) {
        for event in &writing.decision.events {
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
                if writing.procedure.field(id.as_str()).is_some_and(Field::is_clear) {
                    let values = match held {
                        Some(Held::Clear(value)) => index_values(value),
                        _ => Vec::new(),
                    };
                    batch.push(Step::PutIndex { stream: writing.stream.clone(), field: id.clone(), values });
                }
            }
        }
    }

    fn plan_steps(&self, writing: &Writing<'_>, now: Moment, batch: &mut Batch) -> Result<(), GrcError> {
        let entropy = &*self.inner().grc.0.entropy;
        for plan in &writing.decision.plans {
            let id = TaskId::fresh(now, entropy)?;
            let task = |kind: TaskKind, queue: String, order: u64, due: Moment, body: serde_json::Value| {
                Ok::<_, GrcError>(Step::Schedule(Task {
                    id,
                    queue,
                    order,
                    kind: kind.word(),
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
                    task(TaskKind::Retention, format!("retention/{stream}"), 0, *due, body)?
                }
                Plan::Timer { due, transition } => {
                    let body = serde_json::json!({ "transition": transition });
                    task(TaskKind::Timer, format!("timer/{id}"), 0, *due, body)?
                }
                Plan::Deliver { message, channel, round } => {
                    let body = serde_json::json!({ "message": message, "channel": channel, "round": round });
                    task(TaskKind::Deliver, format!("deliver/{stream}/{channel}"), *message, now, body)?
                }
                Plan::Destroy { keys, blobs } if keys.is_empty() && blobs.is_empty() => continue,
                Plan::Destroy { keys, blobs } => {
                    let body = serde_json::json!({ "keys": keys, "blobs": blobs });
                    task(TaskKind::Destroy, format!("destroy/{id}"), 0, now, body)?
                }
            };
            batch.push(step);
        }
        Ok(())
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

/// Whether a decision changes what the request is found by: a contact or a personal indexed field goes or comes.
fn relinks(before: &Request, decision: &Decision, gone: &BTreeSet<Slot>, procedure: &Procedure) -> bool {
    let erased = gone.iter().filter_map(|slot| before.book.slots.get(slot));
    let corrected = decision.events.iter().flat_map(|event| match event {
        RequestEvent::Corrected { fields } => fields.keys().collect(),
        _ => Vec::new(),
    });
    erased.chain(corrected).any(|path| is_contact(path) || is_personal_index(procedure, path))
}
