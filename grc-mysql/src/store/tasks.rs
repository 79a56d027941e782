//! Tasks, their queues and their leases.

use super::{
    rows::{as_word, bytes, integer, number, small, text, uuid, word},
    streams::keyed,
};
use crate::{
    error::{Fault, NAME, Outcome},
    server::Server,
    session::{Session, holes, sql},
};
use grc_core::{
    Moment, TaskId, Word,
    storage::{Claim, ConflictOn, StorageError, StoreInfo, StreamKey, Task, TaskRef},
};
use sqlx::{Row, mysql::MySqlRow};

const COLUMNS: &str =
    "id, queue, place, what, kind, stream, due, attempts, lease, leased_until, dead, code, body";

/// Puts a task in its queue; one that is there stays as it is.
pub(super) async fn schedule(session: &mut Session, task: &Task) -> Outcome<()> {
    let insert =
        "INSERT INTO grc_task (authority, id, queue, place, what, kind, stream, due, attempts, lease,
         leased_until, dead, code, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON DUPLICATE KEY UPDATE id = VALUES(id)";
    let insert = sqlx::query(insert)
        .bind(task.stream.authority.as_str().as_bytes())
        .bind(&task.id.as_bytes()[..])
        .bind(task.queue.as_bytes())
        .bind(task.order)
        .bind(task.kind.as_str().as_bytes())
        .bind(task.stream.kind.as_str().as_bytes())
        .bind(&task.stream.id.as_bytes()[..])
        .bind(task.due.micros())
        .bind(task.attempts)
        .bind(task.lease)
        .bind(task.leased_until.micros())
        .bind(task.dead)
        .bind(task.code.as_ref().map(|code| code.as_str().as_bytes()))
        .bind(&task.body[..]);
    session.execute(insert).await.map(|_| ())
}

fn not_held() -> Fault {
    Fault::Store(StorageError::conflict(
        NAME,
        ConflictOn::Lease,
        "the task is held by somebody else, done or gone",
    ))
}

/// Takes a task out of its queue: whoever holds it, and nobody else, meets its row.
pub(super) async fn finish(session: &mut Session, authority: &Word, task: &TaskRef) -> Outcome<()> {
    let delete =
        "DELETE FROM grc_task WHERE authority = ? AND id = ? AND lease = ? AND lease > 0 AND dead = 0";
    let delete = sqlx::query(delete)
        .bind(authority.as_str().as_bytes())
        .bind(&task.id.as_bytes()[..])
        .bind(task.lease);
    if session.execute(delete).await? == 1 { Ok(()) } else { Err(not_held()) }
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
pub(super) async fn release(session: &mut Session, authority: &Word, release: &Release<'_>) -> Outcome<()> {
    // Assignments are made in order, and the condition is on the row as it was.
    let update =
        "UPDATE grc_task SET due = ?, dead = ?, code = ?, attempts = COALESCE(?, attempts), leased_until = ?,
         lease = lease + 1 WHERE authority = ? AND id = ? AND lease = ? AND lease > 0 AND dead = 0";
    let update = sqlx::query(update)
        .bind(release.due.micros())
        .bind(release.dead)
        .bind(release.code.map(|code| code.as_str().as_bytes()))
        .bind(release.attempts)
        .bind(Moment::EPOCH.micros())
        .bind(authority.as_str().as_bytes())
        .bind(&release.task.id.as_bytes()[..])
        .bind(release.task.lease);
    if session.execute(update).await? == 1 { Ok(()) } else { Err(not_held()) }
}

/// Takes the tasks of a stream of these kinds out.
pub(super) async fn cancel(session: &mut Session, stream: &StreamKey, kinds: &[Word]) -> Outcome<()> {
    if kinds.is_empty() {
        return Ok(());
    }
    let text = format!(
        "DELETE FROM grc_task WHERE authority = ? AND kind = ? AND stream = ? AND what IN ({})",
        holes(kinds.len())
    );
    let delete = kinds.iter().fold(keyed(sql(text), stream), |sql, kind| sql.bind(kind.as_str().as_bytes()));
    session.execute(delete).await.map(|_| ())
}

/// Leases what is due, free, and the first living one of its queue.
pub(super) async fn claim(server: &Server, claim: &Claim) -> Outcome<Vec<Task>> {
    // Another may take what was found before we do; then there may be more behind it.
    for _ in 0..20 {
        let found = due(server, claim).await?;
        if found.is_empty() {
            return Ok(found);
        }
        let taken = server.again(|| take(server, claim, &found)).await?;
        if !taken.is_empty() {
            return Ok(taken);
        }
    }
    Ok(Vec::new())
}

async fn due(server: &Server, claim: &Claim) -> Outcome<Vec<Task>> {
    let kinds = claim.kinds.as_deref();
    let only = kinds.map_or_else(String::new, |kinds| match kinds.len() {
        0 => " AND 1 = 0".to_owned(),
        count => format!(" AND what IN ({})", holes(count)),
    });
    let text = format!(
        "SELECT {COLUMNS} FROM grc_task t WHERE authority = ? AND dead = 0 AND due <= ? AND leased_until <= ?
         AND NOT EXISTS (SELECT 1 FROM grc_task e WHERE e.authority = t.authority AND e.queue = t.queue AND e.dead = 0
         AND (e.place < t.place OR (e.place = t.place AND e.id < t.id))){only} ORDER BY due, id LIMIT ?"
    );
    let rows = server
        .rows(|| {
            let read = sql(text.clone())
                .bind(claim.authority.as_str().as_bytes())
                .bind(claim.now.micros())
                .bind(claim.now.micros());
            kinds
                .unwrap_or_default()
                .iter()
                .fold(read, |sql, kind| sql.bind(kind.as_str().as_bytes()))
                .bind(claim.limit.clamp(1, StoreInfo::MAX_PAGE))
        })
        .await?;
    rows.iter().map(|row| read(row, &claim.authority)).collect()
}

/// Takes what nobody else took since it was found: the lease is compared in the row that is written.
async fn take(server: &Server, claim: &Claim, found: &[Task]) -> Outcome<Vec<Task>> {
    let lease = "UPDATE grc_task SET attempts = ?, lease = lease + 1, leased_until = ?
         WHERE authority = ? AND id = ? AND lease = ? AND leased_until <= ? AND dead = 0 AND due <= ?";
    let mut session = server.session().await?;
    session.begin().await?;
    let mut taken = Vec::new();
    // In the order of their ids, so that two who take the same ones do not wait for each other crosswise.
    let mut found: Vec<&Task> = found.iter().collect();
    found.sort_by_key(|task| task.id);
    for task in found {
        let attempts = task.attempts.saturating_add(1);
        let lease = sqlx::query(lease)
            .bind(attempts)
            .bind(claim.until.micros())
            .bind(claim.authority.as_str().as_bytes())
            .bind(&task.id.as_bytes()[..])
            .bind(task.lease)
            .bind(claim.now.micros())
            .bind(claim.now.micros());
        match session.execute(lease).await {
            Ok(0) => {}
            Ok(_) => {
                let lease = task.lease + 1;
                taken.push(Task { attempts, lease, leased_until: claim.until, ..task.clone() });
            }
            Err(fault) => {
                session.rollback().await;
                return Err(fault);
            }
        }
    }
    session.commit().await?;
    taken.sort_by_key(|task| (task.due, task.id));
    Ok(taken)
}

fn read(row: &MySqlRow, authority: &Word) -> Outcome<Task> {
    let code: Option<Vec<u8>> = row.try_get(11)?;
    Ok(Task {
        id: TaskId::from_uuid(uuid(row, 0)?),
        queue: text(row, 1)?,
        order: number(row, 2)?,
        kind: word(row, 3)?,
        stream: StreamKey::new(authority.clone(), word(row, 4)?, uuid(row, 5)?),
        due: Moment::from_micros(integer(row, 6)?),
        attempts: small(row, 7)?,
        lease: number(row, 8)?,
        leased_until: Moment::from_micros(integer(row, 9)?),
        dead: row.try_get::<u8, _>(10)? != 0,
        code: code.map(as_word).transpose()?,
        body: bytes(row, 12)?,
    })
}
