//! A batch, within one transaction of the engine: which is what makes it all or nothing (C-01).

use crate::{
    documents,
    engine::{Draft, Read},
    error::{Fault, Outcome, conflict, unsupported},
    feed, keys, links, reading,
    rows::write_receipt,
    streams, tasks,
};
use grc_core::storage::{Batch, ConflictOn, Log, Receipt, ReceiptRow, Step, StoredEvent, Touched};

/// Applies a batch, or says that it was applied before (C-03).
pub(crate) fn apply(draft: &mut Draft<'_>, batch: &Batch) -> Outcome<Receipt> {
    let known = keys::batch(batch.id());
    if draft.get(&known)?.is_some() {
        return Ok(Receipt { batch: batch.id(), replayed: true });
    }
    let mut touched = Vec::with_capacity(batch.steps().len());
    for step in batch.steps() {
        if apply_step(draft, batch, step)? {
            touched.extend(step.touched());
        }
    }
    for stream in batch.beside(&touched) {
        touched.push(Touched::Stream(stream.clone(), streams::version(draft, stream)?.unwrap_or(0)));
    }
    feed::append(draft, batch, &touched)?;
    draft.put(&known, &[])?;
    Ok(Receipt { batch: batch.id(), replayed: false })
}

/// Applies a step, on what the steps before it left. Answers whether it wrote something, or made sure that it is not
/// there: a document that is raised to less than it is was not touched.
fn apply_step(draft: &mut Draft<'_>, batch: &Batch, step: &Step) -> Outcome<bool> {
    let authority = batch.authority();
    match step {
        Step::PutStream { row, expect } => streams::put(draft, row, *expect)?,
        Step::Append { stream, after, events } => streams::append(draft, stream, *after, events)?,
        Step::PutVault { stream, part, bytes } => draft.put(&keys::vault(stream).small(*part), bytes)?,
        Step::DropVault { stream, parts } => {
            for part in parts {
                draft.remove(&keys::vault(stream).small(*part))?;
            }
        }
        Step::PutMeasure { stream, bytes } => draft.put(&keys::measure(stream), bytes)?,
        Step::PutIndex { stream, field, values } => streams::put_index(draft, stream, field, values)?,
        Step::PutLink(link) => links::put(draft, link)?,
        Step::DropLink { key, stream } => links::remove(draft, key, stream)?,
        Step::DropLinks { stream, prefix } => links::remove_all(draft, stream, prefix)?,
        Step::Schedule(task) => tasks::schedule(draft, task)?,
        Step::Finish(task) => tasks::finish(draft, authority, task)?,
        Step::Release { task, due, dead, code, attempts } => {
            let mut task = tasks::held(draft, authority, task)?;
            (task.due, task.dead) = (*due, *dead);
            task.code.clone_from(code);
            task.attempts = attempts.unwrap_or(task.attempts);
            tasks::release(draft, task)?;
        }
        Step::Cancel { stream, kinds } => tasks::cancel(draft, stream, kinds)?,
        Step::PutDocument { document, expect } => documents::put(draft, authority, document, *expect)?,
        Step::RaiseDocument(document) => return documents::raise(draft, authority, document),
        Step::DropDocument { kind, name, version } => {
            documents::current(draft, authority, kind, name, *version)?;
            documents::remove(draft, authority, kind, name)?;
        }
        // Commits are one at a time, so what is compared here is so until this one is over: no lag (C-15).
        Step::Current { kind, name, version } => {
            documents::current(draft, authority, kind, name, *version)?;
        }
        Step::PutReceipt(receipt) => put_receipt(draft, batch, receipt)?,
        Step::LogAccess(access) => {
            let sequence = streams::last(draft, Log::Access, &access.stream)? + 1;
            let (batch, body) = (batch.id(), access.body.clone());
            streams::log(
                draft,
                Log::Access,
                &access.stream,
                &StoredEvent { sequence, batch, head: [0; 32], body },
            )?;
        }
        _ => return Err(Fault::Store(unsupported("this step is not known"))),
    }
    Ok(true)
}

/// Remembers a command, unless one under the same token is remembered still (C-16): by the batch's moment, not a clock.
fn put_receipt(draft: &mut Draft<'_>, batch: &Batch, receipt: &ReceiptRow) -> Outcome<()> {
    let before = reading::receipt(draft, batch.authority(), receipt.token)?;
    if before.is_some_and(|before| before.expires > batch.at()) {
        return Err(conflict(ConflictOn::Receipt, "a command with this key was committed"));
    }
    draft.put(&keys::receipt(batch.authority(), &receipt.token), &write_receipt(receipt))
}
