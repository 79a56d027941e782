//! Applying a batch, within the writer's transaction.

use super::{documents, events, feed, links, load, measures, rows::int, streams, tasks};
use crate::error::{Fault, NAME, Outcome, unsupported};
use grc_core::{
    BatchId,
    storage::{Batch, ConflictOn, Receipt, ReceiptRow, Step, StorageError, Touched},
};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;

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
        match step {
            // The one step that touches many things.
            Step::DropVault { stream, parts } => {
                for part in parts {
                    streams::drop_vault(connection, stream, *part)?;
                    touched.push(Touched::Vault(stream.clone(), *part));
                }
            }
            step => touched.extend(self::step(connection, batch, step)?),
        }
    }
    touched.extend(beside(connection, batch, &touched)?);
    feed::append(connection, batch, &touched)?;
    Ok(Receipt { batch: batch.id(), replayed: false })
}

/// Streams whose measure or index rows were written without their own: the feed names them as the stream.
fn beside(connection: &Connection, batch: &Batch, touched: &[Touched]) -> Outcome<Vec<Touched>> {
    let written = batch.steps().iter().filter_map(|step| match step {
        Step::PutMeasure { stream, .. } | Step::PutIndex { stream, .. } => Some(stream),
        _ => None,
    });
    let mut out = Vec::new();
    for stream in written.collect::<BTreeSet<_>>() {
        if !touched.iter().any(|touched| matches!(touched, Touched::Stream(key, _) if key == stream)) {
            out.push(Touched::Stream(stream.clone(), streams::version(connection, stream)?));
        }
    }
    Ok(out)
}

/// Applies a step, other than `DropVault`. Answers what it touched.
fn step(connection: &Connection, batch: &Batch, step: &Step) -> Outcome<Option<Touched>> {
    let authority = batch.authority();
    Ok(match step {
        Step::PutStream { row, expect } => {
            streams::put(connection, row, *expect)?;
            Some(Touched::Stream(row.key.clone(), row.version))
        }
        Step::Append { stream, after, events } => {
            let last = events::append(connection, stream, *after, events)?;
            Some(Touched::Events(stream.clone(), last))
        }
        Step::PutVault { stream, part, bytes } => {
            streams::put_vault(connection, stream, *part, bytes)?;
            Some(Touched::Vault(stream.clone(), *part))
        }
        Step::PutMeasure { stream, bytes } => {
            measures::put(connection, stream, bytes)?;
            None
        }
        Step::PutIndex { stream, field, values } => {
            streams::put_index(connection, stream, field, values)?;
            None
        }
        Step::PutLink(link) => {
            links::put(connection, link)?;
            Some(Touched::Link(link.key.clone()))
        }
        Step::DropLink { key, stream } => {
            links::drop(connection, authority, key, stream)?;
            Some(Touched::Link(key.clone()))
        }
        Step::DropLinks { stream, prefix } => {
            links::drop_all(connection, stream, prefix)?;
            Some(Touched::Links(stream.clone(), prefix.clone()))
        }
        Step::Schedule(task) => {
            tasks::schedule(connection, task)?;
            Some(Touched::Task(task.queue.clone(), task.id))
        }
        Step::Finish(task) => {
            tasks::finish(connection, authority, task)?;
            Some(Touched::Task(task.queue.clone(), task.id))
        }
        Step::Release { task, due, dead, code, attempts } => {
            let release =
                tasks::Release { task, due: *due, dead: *dead, code: code.as_ref(), attempts: *attempts };
            tasks::release(connection, authority, &release)?;
            Some(Touched::Task(task.queue.clone(), task.id))
        }
        Step::Cancel { stream, kinds } => {
            tasks::cancel(connection, stream, kinds)?;
            Some(Touched::Tasks(stream.clone()))
        }
        Step::PutDocument { document, expect } => {
            documents::put(connection, authority, document, *expect)?;
            Some(Touched::Document(document.kind.clone(), document.name.clone(), document.version))
        }
        Step::RaiseDocument(document) => documents::raise(connection, authority, document)?
            .then(|| Touched::Document(document.kind.clone(), document.name.clone(), document.version)),
        Step::DropDocument { kind, name, version } => {
            documents::current(connection, authority, kind, name, *version)?;
            documents::drop(connection, authority, kind, name)?;
            Some(Touched::Document(kind.clone(), name.clone(), 0))
        }
        Step::Current { kind, name, version } => {
            documents::current(connection, authority, kind, name, *version)?;
            None
        }
        Step::PutReceipt(receipt) => {
            put_receipt(connection, batch, receipt)?;
            Some(Touched::Receipt(receipt.token))
        }
        Step::LogAccess(access) => {
            events::log(connection, batch.id(), access)?;
            Some(Touched::Access(access.stream.clone()))
        }
        _ => return Err(Fault::Store(unsupported("this step is not known"))),
    })
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
