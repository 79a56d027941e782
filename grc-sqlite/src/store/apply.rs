//! Applying a batch, within the writer's transaction.

use super::{documents, events, feed, links, load, measures, rows::int, streams, tasks};
use crate::error::{Fault, NAME, Outcome, unsupported};
use grc_core::{
    BatchId,
    storage::{Batch, ConflictOn, Receipt, ReceiptRow, Step, StorageError, Touched},
};
use rusqlite::{Connection, params};

/// Whether a batch was committed.
pub(super) fn is_committed(connection: &Connection, batch: BatchId) -> Outcome<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM change WHERE batch = ?)")?
        .query_row([&batch.as_bytes()[..]], |row| row.get(0))?)
}

/// Applies a batch, or says that it was applied before.
pub(super) fn apply(connection: &Connection, batch: &Batch) -> Outcome<Receipt> {
    if is_committed(connection, batch.id())? {
        return Ok(Receipt { batch: batch.id(), replayed: true });
    }
    let mut touched = Vec::with_capacity(batch.steps().len());
    for step in batch.steps() {
        if self::step(connection, batch, step)? {
            touched.extend(step.touched());
        }
    }
    for stream in batch.beside(&touched) {
        touched.push(Touched::Stream(stream.clone(), streams::version(connection, stream)?));
    }
    feed::append(connection, batch, &touched)?;
    Ok(Receipt { batch: batch.id(), replayed: false })
}

/// Applies a step. Answers whether it wrote something, or made sure that it is not there.
fn step(connection: &Connection, batch: &Batch, step: &Step) -> Outcome<bool> {
    let authority = batch.authority();
    match step {
        Step::PutStream { row, expect } => streams::put(connection, row, *expect)?,
        Step::Append { stream, after, events } => events::append(connection, stream, *after, events)?,
        Step::PutVault { stream, part, bytes } => streams::put_vault(connection, stream, *part, bytes)?,
        Step::DropVault { stream, parts } => {
            for part in parts {
                streams::drop_vault(connection, stream, *part)?;
            }
        }
        Step::PutMeasure { stream, bytes } => measures::put(connection, stream, bytes)?,
        Step::PutIndex { stream, field, values } => streams::put_index(connection, stream, field, values)?,
        Step::PutLink(link) => links::put(connection, link)?,
        Step::DropLink { key, stream } => links::drop(connection, authority, key, stream)?,
        Step::DropLinks { stream, prefix } => links::drop_all(connection, stream, prefix)?,
        Step::Schedule(task) => tasks::schedule(connection, task)?,
        Step::Finish(task) => tasks::finish(connection, authority, task)?,
        Step::Release { task, due, dead, code, attempts } => {
            let release =
                tasks::Release { task, due: *due, dead: *dead, code: code.as_ref(), attempts: *attempts };
            tasks::release(connection, authority, &release)?;
        }
        Step::Cancel { stream, kinds } => tasks::cancel(connection, stream, kinds)?,
        Step::PutDocument { document, expect } => documents::put(connection, authority, document, *expect)?,
        Step::RaiseDocument(document) => return documents::raise(connection, authority, document),
        Step::DropDocument { kind, name, version } => {
            documents::current(connection, authority, kind, name, *version)?;
            documents::drop(connection, authority, kind, name)?;
        }
        Step::Current { kind, name, version } => {
            documents::current(connection, authority, kind, name, *version)?;
        }
        Step::PutReceipt(receipt) => put_receipt(connection, batch, receipt)?,
        Step::LogAccess(access) => events::log(connection, batch.id(), access)?,
        _ => return Err(Fault::Store(unsupported("this step is not known"))),
    }
    Ok(true)
}

/// Remembers a command, unless one under the same token is remembered still.
fn put_receipt(connection: &Connection, batch: &Batch, receipt: &ReceiptRow) -> Outcome<()> {
    let before = load::receipt(connection, batch.authority(), receipt.token)?;
    if before.is_some_and(|before| before.expires > batch.at()) {
        return Err(Fault::Store(StorageError::conflict(
            NAME,
            ConflictOn::Receipt,
            "a command with this key was committed",
        )));
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO receipt (authority, token, mac, key, kind, id, version, expires)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            batch.authority().as_str(),
            &receipt.token[..],
            &receipt.mac[..],
            &receipt.key.as_bytes()[..],
            receipt.stream.kind.as_str(),
            &receipt.stream.id.as_bytes()[..],
            int(receipt.version)?,
            receipt.expires.micros()
        ])?;
    Ok(())
}
