//! Tasks, their queues and their leases.

use super::rows::{int, number, uuid, word};
use crate::error::{Fault, NAME, Outcome};
use grc_core::{
    Moment, TaskId, Word,
    storage::{Claim, ConflictOn, StorageError, StoreInfo, StreamKey, Task, TaskRef},
};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params, params_from_iter};

const COLUMNS: &str =
    "id, queue, place, what, kind, stream, due, attempts, lease, leased_until, dead, code, body";

/// Puts a task in its queue; one that is there stays as it is.
pub(super) fn schedule(connection: &Connection, task: &Task) -> Outcome<()> {
    connection
        .prepare_cached(
            "INSERT INTO task (authority, id, queue, place, what, kind, stream, due, attempts, lease, leased_until,
             dead, code, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            task.stream.authority.as_str(),
            &task.id.as_bytes()[..],
            task.queue,
            int(task.order)?,
            task.kind.as_str(),
            task.stream.kind.as_str(),
            &task.stream.id.as_bytes()[..],
            task.due.micros(),
            task.attempts,
            int(task.lease)?,
            task.leased_until.micros(),
            task.dead,
            task.code.as_ref().map(Word::as_str),
            task.body
        ])?;
    Ok(())
}

/// Refuses who does not hold the task.
fn held(connection: &Connection, authority: &Word, reference: &TaskRef) -> Outcome<()> {
    let lease = connection
        .prepare_cached("SELECT lease FROM task WHERE authority = ? AND id = ? AND dead = 0")?
        .query_row(params![authority.as_str(), &reference.id.as_bytes()[..]], |row| number(row, 0))
        .optional()?;
    if reference.lease > 0 && lease == Some(reference.lease) {
        return Ok(());
    }
    Err(Fault::Store(StorageError::conflict(
        NAME,
        ConflictOn::Lease,
        "the task is held by somebody else, done or gone",
    )))
}

/// Takes a task out of its queue.
pub(super) fn finish(connection: &Connection, authority: &Word, reference: &TaskRef) -> Outcome<()> {
    held(connection, authority, reference)?;
    connection
        .prepare_cached("DELETE FROM task WHERE authority = ? AND id = ?")?
        .execute(params![authority.as_str(), &reference.id.as_bytes()[..]])?;
    Ok(())
}

/// How a task is put back.
pub(super) struct Release<'a> {
    pub(super) task: &'a TaskRef,
    pub(super) due: Moment,
    pub(super) dead: bool,
    pub(super) code: Option<&'a Word>,
    pub(super) attempts: Option<u32>,
}

/// Puts a task back. Its lease ends here, so that its holder cannot write under it any more.
pub(super) fn release(connection: &Connection, authority: &Word, release: &Release<'_>) -> Outcome<()> {
    held(connection, authority, release.task)?;
    connection
        .prepare_cached(
            "UPDATE task SET due = ?, dead = ?, code = ?, attempts = coalesce(?, attempts), leased_until = ?,
             lease = lease + 1 WHERE authority = ? AND id = ?",
        )?
        .execute(params![
            release.due.micros(),
            release.dead,
            release.code.map(Word::as_str),
            release.attempts,
            Moment::EPOCH.micros(),
            authority.as_str(),
            &release.task.id.as_bytes()[..]
        ])?;
    Ok(())
}

/// Takes the tasks of a stream of these kinds out.
pub(super) fn cancel(connection: &Connection, stream: &StreamKey, kinds: &[Word]) -> Outcome<()> {
    // Said outright: of its own accord the planner takes the primary key here, whose first column alone is given, and
    // looks at every task of the authority.
    let mut delete = connection.prepare_cached(
        "DELETE FROM task INDEXED BY task_by_stream WHERE authority = ? AND kind = ? AND stream = ? AND what = ?",
    )?;
    for kind in kinds {
        delete.execute(params![
            stream.authority.as_str(),
            stream.kind.as_str(),
            &stream.id.as_bytes()[..],
            kind.as_str()
        ])?;
    }
    Ok(())
}

/// Leases what is due, free, and the first living one of its queue.
pub(super) fn claim(connection: &Connection, claim: &Claim) -> Outcome<Vec<Task>> {
    let kinds = claim.kinds.as_deref();
    let kinds_sql = kinds
        .map_or_else(String::new, |kinds| format!(" AND what IN ({})", vec!["?"; kinds.len()].join(", ")));
    let sql = format!(
        "SELECT {COLUMNS} FROM task t WHERE authority = ? AND dead = 0 AND due <= ? AND leased_until <= ?
         AND NOT EXISTS (SELECT 1 FROM task e WHERE e.authority = t.authority AND e.queue = t.queue AND e.dead = 0
         AND (e.place, e.id) < (t.place, t.id)){kinds_sql} ORDER BY due, id LIMIT ?"
    );
    let (now, limit) = (claim.now.micros(), claim.limit.clamp(1, StoreInfo::MAX_PAGE));
    let authority = claim.authority.as_str();
    let kinds: Vec<&str> = kinds.unwrap_or_default().iter().map(Word::as_str).collect();
    let mut values: Vec<&dyn ToSql> = vec![&authority, &now, &now];
    values.extend(kinds.iter().map(|kind| kind as &dyn ToSql));
    values.push(&limit);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut due = statement
        .query_map(params_from_iter(values), |row| read(row, &claim.authority))?
        .collect::<Result<Vec<_>, _>>()?;
    let mut lease = connection.prepare_cached(
        "UPDATE task SET attempts = ?, lease = ?, leased_until = ? WHERE authority = ? AND id = ?",
    )?;
    for task in &mut due {
        task.attempts = task.attempts.saturating_add(1);
        task.lease += 1;
        task.leased_until = claim.until;
        lease.execute(params![
            task.attempts,
            int(task.lease)?,
            task.leased_until.micros(),
            authority,
            &task.id.as_bytes()[..]
        ])?;
    }
    Ok(due)
}

fn read(row: &Row<'_>, authority: &Word) -> rusqlite::Result<Task> {
    let code: Option<String> = row.get(11)?;
    Ok(Task {
        id: TaskId::from_uuid(uuid(row, 0)?),
        queue: row.get(1)?,
        order: number(row, 2)?,
        kind: word(row, 3)?,
        stream: StreamKey::new(authority.clone(), word(row, 4)?, uuid(row, 5)?),
        due: Moment::from_micros(row.get(6)?),
        attempts: row.get(7)?,
        lease: number(row, 8)?,
        leased_until: Moment::from_micros(row.get(9)?),
        dead: row.get(10)?,
        code: code.map(|_| word(row, 11)).transpose()?,
        body: row.get(12)?,
    })
}
