//! The one thread that writes, and how it writes for many at once.

use super::{apply, blobs, scrub, tasks};
use crate::{
    Options, connection,
    error::{Fault, NAME, Outcome, closed, unusable},
};
use grc_core::{
    BlobId, Moment, Word,
    storage::{Batch, Claim, Receipt, ScrubReport, StorageError, StorageErrorKind, Task},
};
use rusqlite::Connection;
use std::{
    fmt,
    path::PathBuf,
    sync::{Mutex, PoisonError, mpsc},
    thread::JoinHandle,
};
use uuid::Uuid;

/// Most calls that share one transaction.
const GROUP: usize = 256;

/// Something to be written.
#[derive(Debug)]
pub(super) enum Work {
    Commit(Batch),
    Claim(Claim),
    PutBlob { authority: Word, id: BlobId, piece: u32, at: Moment, bytes: Vec<u8> },
    RemoveBlob { authority: Word, id: BlobId },
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Answer {
    Receipt(Receipt),
    Tasks(Vec<Task>),
    Nothing,
}

type Reply<T> = oneshot::Sender<Result<T, StorageError>>;

#[derive(Debug)]
struct Job {
    work: Work,
    reply: Reply<Answer>,
}

#[derive(Debug)]
enum Message {
    Work(Job),
    Scrub(Reply<ScrubReport>),
}

/// A handle on the thread. Ends it when it is dropped.
pub(super) struct Writer(Mutex<Option<(mpsc::Sender<Message>, JoinHandle<()>)>>);

impl Writer {
    /// `store` is the incarnation that the file must have if it is opened again.
    pub(super) fn start(
        connection: Connection,
        file: PathBuf,
        options: Options,
        store: Uuid,
    ) -> std::io::Result<Self> {
        let (jobs, received) = mpsc::channel();
        let thread = Thread { connection: Some(connection), file, options, store, commit };
        let handle =
            std::thread::Builder::new().name("grc-writer".to_owned()).spawn(move || thread.run(&received))?;
        Ok(Self(Mutex::new(Some((jobs, handle)))))
    }

    pub(super) async fn write(&self, work: Work) -> Result<Answer, StorageError> {
        let (reply, answer) = oneshot::async_channel();
        self.send(Message::Work(Job { work, reply }))?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    pub(super) async fn scrub(&self) -> Result<ScrubReport, StorageError> {
        let (reply, answer) = oneshot::async_channel();
        self.send(Message::Scrub(reply))?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    fn send(&self, message: Message) -> Result<(), StorageError> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((jobs, _)) => jobs.send(message).map_err(|_| closed()),
            None => Err(closed()),
        }
    }

    /// Ends the thread when it has done what it was handed, and moves the log into the file.
    pub(super) fn close(&self) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((jobs, handle)) = running {
            drop(jobs);
            // A thread that panicked has nothing left to end.
            let _ = handle.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// How a transaction for a group went.
enum Attempt {
    /// It was committed; each has its own answer.
    Done(Vec<Outcome<Answer>>),
    /// It could not begin: nothing was written.
    NotBegun(Fault),
    /// SQLite rolled all of several back: nothing was written.
    RolledBack,
    /// The commit itself failed: it may have been written or not.
    Doubtful(Fault),
}

struct Thread {
    connection: Option<Connection>,
    file: PathBuf,
    options: Options,
    store: Uuid,
    /// Ends a transaction; another function in tests of what happens when it fails.
    commit: fn(&Connection) -> rusqlite::Result<()>,
}

fn commit(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("COMMIT")?.execute([]).map(|_| ())
}

impl Thread {
    fn run(mut self, received: &mpsc::Receiver<Message>) {
        let mut next = received.recv().ok();
        while let Some(message) = next.take() {
            match message {
                Message::Scrub(reply) => {
                    let report = self.open().and_then(scrub::scrub);
                    // The caller may have gone.
                    let _ = reply.send(report.map_err(|fault| fault.at(&self.file)));
                }
                Message::Work(first) => {
                    // All who wait now share a transaction; nobody waits for company.
                    let mut group = vec![first];
                    while group.len() < GROUP && next.is_none() {
                        match received.try_recv() {
                            Ok(Message::Work(job)) => group.push(job),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    self.group(group, true);
                }
            }
            if next.is_none() {
                next = received.recv().ok();
            }
        }
        if let Some(connection) = self.connection.take() {
            // The store is whole with its log as well; this makes it one file.
            let _ = scrub::checkpoint(&connection);
        }
    }

    /// The connection; a new one after a failure that made the old one doubtful.
    fn open(&mut self) -> Outcome<&Connection> {
        if self.connection.is_none() {
            let connection = connection::store_writer(&self.file, &self.options)?;
            if super::meta::incarnation(&connection)? != self.store {
                return Err(Fault::Store(unusable(format!(
                    "`{}` was replaced by another store while it was open: open it again",
                    self.file.display()
                ))));
            }
            self.connection = Some(connection);
        }
        self.connection.as_ref().ok_or_else(|| Fault::Store(closed()))
    }

    /// Writes a group, and answers each. `again` is whether a commit that failed may be tried once more.
    fn group(&mut self, jobs: Vec<Job>, again: bool) {
        match self.attempt(&jobs) {
            Attempt::Done(answers) => {
                for (job, answer) in jobs.into_iter().zip(answers) {
                    job.settle(answer.map_err(|fault| fault.at(&self.file)));
                }
            }
            Attempt::NotBegun(fault) => refuse(jobs, &fault.at(&self.file)),
            // Nobody has succeeded. Whose fault it was cannot be told: each is run alone.
            Attempt::RolledBack => {
                for job in jobs {
                    self.group(vec![job], again);
                }
            }
            Attempt::Doubtful(fault) => self.doubtful(jobs, fault, again),
        }
    }

    fn attempt(&mut self, jobs: &[Job]) -> Attempt {
        let commit = self.commit;
        let connection = match self.open() {
            Ok(connection) => connection,
            Err(fault) => return Attempt::NotBegun(fault),
        };
        let begun = connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([]));
        if let Err(error) = begun {
            return Attempt::NotBegun(error.into());
        }
        if let [job] = jobs {
            // It needs no savepoint, for which SQLite would keep each page as it was: the transaction is its own.
            let answer = write(connection, &job.work);
            if answer.is_err() {
                if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
                    // Closing it takes back what it began.
                    self.connection = None;
                }
                return Attempt::Done(vec![answer]);
            }
            return match commit(connection) {
                Ok(()) => Attempt::Done(vec![answer]),
                Err(error) => Attempt::Doubtful(error.into()),
            };
        }
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let Some(answer) = one(connection, &job.work) else {
                if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
                    // Closing it takes back what it began.
                    self.connection = None;
                }
                return Attempt::RolledBack;
            };
            answers.push(answer);
        }
        match commit(connection) {
            Ok(()) => Attempt::Done(answers),
            Err(error) => Attempt::Doubtful(error.into()),
        }
    }

    /// After a commit that failed: nobody knows what is on the disk until it is read again by a new connection.
    fn doubtful(&mut self, jobs: Vec<Job>, fault: Fault, again: bool) {
        self.connection = None;
        let certain = fault.wrote_nothing();
        let error = fault.at(&self.file);
        let found: Vec<_> = jobs.into_iter().map(|job| (self.look_up(&job.work), job)).collect();
        for (found, job) in found {
            match (found, &job.work) {
                (Ok(true), Work::Commit(batch)) => {
                    let receipt = Receipt { batch: batch.id(), replayed: false };
                    job.settle(Ok(Answer::Receipt(receipt)));
                }
                (Ok(_), _) if again => self.group(vec![job], false),
                (Ok(_), _) if certain => job.settle(Err(copy(&error))),
                // What was written but not flushed is not seen now, and might be after a crash. The same holds if it
                // cannot be looked up. A claim or a piece of a blob may be repeated without looking.
                (_, Work::Commit(_)) => job.settle(Err(StorageError::new(
                    NAME,
                    StorageErrorKind::OutcomeUnknown,
                    format!("the commit failed, and may or may not be on the disk: commit the same batch again ({error})"),
                ))),
                _ => job.settle(Err(copy(&error))),
            }
        }
    }

    fn look_up(&mut self, work: &Work) -> Outcome<bool> {
        let connection = self.open()?;
        match work {
            Work::Commit(batch) => apply::is_committed(connection, batch.id()),
            _ => Ok(false),
        }
    }
}

impl Job {
    fn settle(self, answer: Result<Answer, StorageError>) {
        // The caller may have gone.
        let _ = self.reply.send(answer);
    }
}

fn refuse(jobs: Vec<Job>, error: &StorageError) {
    for job in jobs {
        job.settle(Err(copy(error)));
    }
}

/// The same error once more, for another caller; the cause is in the text.
fn copy(error: &StorageError) -> StorageError {
    let message = error.to_string();
    let prefix = format!("store `{NAME}`: ");
    StorageError::new(NAME, error.kind(), message.strip_prefix(&prefix).unwrap_or(&message).to_owned())
}

/// Does one piece of work within the transaction.
fn write(connection: &Connection, work: &Work) -> Outcome<Answer> {
    match work {
        Work::Commit(batch) => apply::apply(connection, batch).map(Answer::Receipt),
        Work::Claim(claim) => tasks::claim(connection, claim).map(Answer::Tasks),
        Work::PutBlob { authority, id, piece, at, bytes } => {
            blobs::put(connection, authority, *id, *piece, *at, bytes).map(|()| Answer::Nothing)
        }
        Work::RemoveBlob { authority, id } => {
            blobs::remove(connection, authority, *id).map(|()| Answer::Nothing)
        }
    }
}

/// Writes one member of a group under a savepoint, so that its failure does not hurt the others. None if what it wrote can be
/// neither kept nor taken back alone, or SQLite took all back: then nobody succeeds, and each is run again.
fn one(connection: &Connection, work: &Work) -> Option<Outcome<Answer>> {
    let run = |sql| connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    run("SAVEPOINT one").ok()?;
    let answer = write(connection, work);
    if answer.is_err() {
        run("ROLLBACK TO one").ok()?;
    }
    run("RELEASE one").ok()?;
    Some(answer)
}

#[cfg(test)]
mod faults;
#[cfg(test)]
mod tests;
