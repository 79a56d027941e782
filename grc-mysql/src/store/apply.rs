//! Applying a batch, within a transaction.
//!
//! What must exclude another commit writes the same row as the other: a version is compared in the statement that writes
//! over it, a thing that may be there once is a primary key. Nothing rests on a lock that a reader takes.

use super::{documents, events, feed, links, streams, tasks};
use crate::{
    error::{Fault, NAME, Outcome, unsupported},
    session::Session,
};
use grc_core::{
    Word,
    storage::{Batch, ConflictOn, Expect, ReceiptRow, Step, StorageError, StreamKey, Touched},
    vault::Part,
};

/// Where an attempt ended that failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// At a step.
    Steps(Fault),
    /// When it wrote into the feed.
    Feed(Fault),
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Steps(fault)
    }
}

/// Applies a batch, and writes it into a lane of the feed.
pub(super) async fn apply(session: &mut Session, batch: &Batch, lane: u8) -> Result<(), Failed> {
    let mut touched = Vec::with_capacity(batch.steps().len());
    // Compared last of all, so that little time is left for another to publish in between.
    let mut current = Vec::new();
    // Parts of vaults that follow one another are one statement.
    for steps in batch.steps().chunk_by(|one, next| part(one).is_some() && part(next).is_some()) {
        let done = match steps {
            [Step::Current { kind, name, version }] if !writes_document(batch, kind, name) => {
                current.push(((kind, name), *version));
                false
            }
            [step] => self::step(session, batch, step).await?,
            parts => {
                let parts: Vec<_> = parts.iter().filter_map(part).collect();
                streams::put_vault(session, &parts).await?;
                true
            }
        };
        if done {
            touched.extend(steps.iter().flat_map(Step::touched));
        }
    }
    for stream in batch.beside(&touched) {
        touched.push(Touched::Stream(stream.clone(), streams::version_kept(session, stream).await?));
    }
    let names: Vec<_> = current.iter().map(|(document, _)| *document).collect();
    let (place, versions) = feed::next(session, batch.authority(), lane, &names).await?;
    if current.iter().zip(versions).any(|((_, expected), version)| *expected != version) {
        return Err(documents::other_version().into());
    }
    feed::append(session, batch, place, &touched).await.map_err(Failed::Feed)
}

/// The part of a vault that a step writes.
fn part(step: &Step) -> Option<(&StreamKey, Part, &[u8])> {
    let Step::PutVault { stream, part, bytes } = step else { return None };
    Some((stream, *part, bytes))
}

/// Whether a batch makes a stream that was not there.
fn makes(batch: &Batch, stream: &StreamKey) -> bool {
    let made =
        |step: &Step| matches!(step, Step::PutStream { row, expect: Expect::Absent } if row.key == *stream);
    batch.steps().iter().any(made)
}

fn writes_document(batch: &Batch, of_kind: &Word, of_name: &Word) -> bool {
    batch.steps().iter().any(|step| match step {
        Step::PutDocument { document, .. } | Step::RaiseDocument(document) => {
            document.kind == *of_kind && document.name == *of_name
        }
        Step::DropDocument { kind, name, .. } => kind == of_kind && name == of_name,
        _ => false,
    })
}

/// Applies a step. Answers whether it wrote something, or made sure that it is not there.
async fn step(session: &mut Session, batch: &Batch, step: &Step) -> Outcome<bool> {
    let authority = batch.authority();
    match step {
        Step::PutStream { row, expect } => streams::put(session, row, *expect).await?,
        Step::Append { stream, after, events } => events::append(session, stream, *after, events).await?,
        Step::PutVault { stream, part, bytes } => {
            streams::put_vault(session, &[(stream, *part, bytes)]).await?;
        }
        Step::DropVault { stream, parts } => streams::drop_vault(session, stream, parts).await?,
        Step::PutMeasure { stream, bytes } => streams::put_measure(session, stream, bytes).await?,
        Step::PutIndex { stream, field, values } => {
            streams::put_index(session, stream, field, values, makes(batch, stream)).await?;
        }
        Step::PutLink(link) => links::put(session, link).await?,
        Step::DropLink { key, stream } => links::drop(session, authority, key, stream).await?,
        Step::DropLinks { stream, prefix } => links::drop_all(session, stream, prefix).await?,
        Step::Schedule(task) => tasks::schedule(session, task).await?,
        Step::Finish(task) => tasks::finish(session, authority, task).await?,
        Step::Release { task, due, dead, code, attempts } => {
            let release =
                tasks::Release { task, due: *due, dead: *dead, code: code.as_ref(), attempts: *attempts };
            tasks::release(session, authority, &release).await?;
        }
        Step::Cancel { stream, kinds } => tasks::cancel(session, stream, kinds).await?,
        Step::PutDocument { document, expect } => {
            documents::put(session, authority, document, *expect).await?;
        }
        Step::RaiseDocument(document) => return documents::raise(session, authority, document).await,
        Step::DropDocument { kind, name, version } => {
            documents::drop(session, authority, (kind, name), *version).await?;
        }
        Step::Current { kind, name, version } => {
            if documents::newest(session, authority, kind, name).await? != *version {
                return Err(documents::other_version());
            }
        }
        Step::PutReceipt(receipt) => put_receipt(session, batch, receipt).await?,
        Step::LogAccess(access) => events::log(session, batch.id(), access).await?,
        _ => return Err(Fault::Store(unsupported("this step is not known"))),
    }
    Ok(true)
}

/// Remembers a command, unless one under the same token is remembered still: then its row is not met.
async fn put_receipt(session: &mut Session, batch: &Batch, receipt: &ReceiptRow) -> Outcome<()> {
    let insert = "INSERT INTO grc_receipt (mac, `key`, kind, id, version, expires, authority, token)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let update = "UPDATE grc_receipt SET mac = ?, `key` = ?, kind = ?, id = ?, version = ?, expires = ?
         WHERE authority = ? AND token = ? AND expires <= ?";
    let with = |sql: &'static str| {
        sqlx::query(sql)
            .bind(&receipt.mac[..])
            .bind(&receipt.key.as_bytes()[..])
            .bind(receipt.stream.kind.as_str().as_bytes())
            .bind(&receipt.stream.id.as_bytes()[..])
            .bind(receipt.version)
            .bind(receipt.expires.micros())
            .bind(batch.authority().as_str().as_bytes())
            .bind(&receipt.token[..])
    };
    match session.execute(with(insert)).await {
        Err(fault) if fault.is_duplicate() => {
            if session.execute(with(update).bind(batch.at().micros())).await? == 1 {
                return Ok(());
            }
            Err(Fault::Store(StorageError::conflict(
                NAME,
                ConflictOn::Receipt,
                "a command with this key was committed",
            )))
        }
        other => other.map(|_| ()),
    }
}
