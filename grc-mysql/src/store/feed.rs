//! The feed: one row a batch, in one of 64 lanes.
//!
//! Each lane is numbered without gap, so that a reader who knows how far it came in each has missed nothing, however long
//! a commit took. Rows of all lanes are read in the order of their height, which agrees with the versions of each stream:
//! a commit that writes a stream after another waited for it, saw it, and stands above it.
//!
//! A server shows what it has committed before it has flushed it. If it falls in between, what a reader saw is gone, and
//! another row takes its number. So each row has a mark of its lane up to it, and the cursor keeps the last mark of each
//! lane: a reader of what is gone is told so. And a page is read in one transaction, so that all of it is of one moment
//! and of one life of the server.

use super::{
    lanes::LANES,
    rows::{array, bytes, largest, number, uuid},
};
use crate::{
    error::{Fault, Outcome, corrupt, unsupported},
    session::{Session, sql},
};
use grc_core::{
    BatchId, Word,
    storage::{Batch, Change, ChangePage, Cursor, StorageError, Touched, touched},
};
use sqlx::{Row, mysql::MySqlRow};
use std::sync::LazyLock;
use uuid::Uuid;

/// How far a lane or its reader came: the number of the last row, and its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen {
    n: u64,
    mark: [u8; 4],
}

/// How far a reader came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position([Seen; LANES as usize]);

impl Seen {
    /// After one more row. The last bytes of a batch's id are random: lanes that differ anywhere have the same mark once in
    /// four thousand million times.
    fn then(self, batch: BatchId) -> Self {
        let [.., a, b, c, d] = *batch.as_bytes();
        let before = u32::from_be_bytes(self.mark).wrapping_mul(0x9e37_79b1);
        let mark = before.wrapping_add(u32::from_be_bytes([a, b, c, d])).to_be_bytes();
        Self { n: self.n + 1, mark }
    }
}

// As a cursor: `incarnation (16) ‖ a bit for each lane that has rows (8) ‖ (u8(length) ‖ n ‖ mark (4))*`.
impl Position {
    pub(super) fn read(incarnation: Uuid, after: Option<&Cursor>) -> Result<Self, StorageError> {
        let mut out = Self([Seen::default(); LANES as usize]);
        let Some(cursor) = after else { return Ok(out) };
        let foreign = || unsupported("this cursor is not ours");
        let (store, rest) = cursor.as_bytes().split_first_chunk::<16>().ok_or_else(foreign)?;
        if store != incarnation.as_bytes() {
            return Err(unsupported("this cursor is of another store: read everything again"));
        }
        let (used, mut rest) = rest.split_first_chunk::<8>().ok_or_else(foreign)?;
        let used = u64::from_be_bytes(*used);
        for (_, seen) in out.0.iter_mut().enumerate().filter(|(lane, _)| used >> lane & 1 == 1) {
            let (length, tail) = rest.split_first().ok_or_else(foreign)?;
            let (bytes, tail) = tail.split_at_checked(usize::from(*length)).ok_or_else(foreign)?;
            let mut n = [0; 8];
            let from = 8_usize.checked_sub(bytes.len()).ok_or_else(foreign)?;
            n.get_mut(from..).ok_or_else(foreign)?.copy_from_slice(bytes);
            let (mark, tail) = tail.split_first_chunk::<4>().ok_or_else(foreign)?;
            *seen = Seen { n: u64::from_be_bytes(n), mark: *mark };
            if seen.n == 0 {
                return Err(foreign());
            }
            rest = tail;
        }
        if rest.is_empty() { Ok(out) } else { Err(foreign()) }
    }

    fn cursor(&self, incarnation: Uuid) -> Cursor {
        let mut used = 0_u64;
        let mut rows = Vec::new();
        for (lane, seen) in self.0.iter().enumerate().filter(|(_, seen)| seen.n > 0) {
            used |= 1 << lane;
            let bytes = seen.n.to_be_bytes();
            let short: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            rows.push(short.len() as u8);
            rows.extend(short);
            rows.extend(seen.mark);
        }
        let mut out = incarnation.as_bytes().to_vec();
        out.extend(used.to_be_bytes());
        out.extend(rows);
        Cursor::from_bytes(out)
    }

    fn lane(&self, lane: u8) -> Seen {
        self.0.get(usize::from(lane)).copied().unwrap_or_default()
    }
}

/// A place in the feed for one more row: how far its lane came, and the greatest height.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    lane: u8,
    last: Seen,
    height: u64,
}

/// The next place in a lane, and the newest versions of documents; read last of all, so that what was committed until
/// then is seen.
pub(super) async fn next(
    session: &mut Session,
    authority: &Word,
    lane: u8,
    documents: &[(&Word, &Word)],
) -> Outcome<(Place, Vec<u64>)> {
    let columns = format!(
        "(SELECT MAX(height) FROM grc_change WHERE authority = ?){}",
        ", (SELECT MAX(version) FROM grc_newest WHERE authority = ? AND kind = ? AND name = ?)"
            .repeat(documents.len())
    );
    let authority = authority.as_str().as_bytes();
    let with = |text: String| {
        documents.iter().fold(sql(text).bind(authority), |sql, (kind, name)| {
            sql.bind(authority).bind(kind.as_str().as_bytes()).bind(name.as_str().as_bytes())
        })
    };
    let newest = "FROM grc_change WHERE authority = ? AND lane = ? ORDER BY n DESC LIMIT 1";
    let read = with(format!("SELECT {columns}, n, mark {newest}")).bind(authority).bind(lane);
    let (row, last) = match session.row(read).await? {
        Some(row) => {
            let n = documents.len() + 1;
            let last = Seen { n: number(&row, n)?, mark: array(&row, n + 1)? };
            (row, last)
        }
        // It will be the first of its lane.
        None => {
            let row = session.row(with(format!("SELECT {columns}"))).await?;
            (row.ok_or_else(|| corrupt("a reading of one row has none"))?, Seen::default())
        }
    };
    let versions = (1..=documents.len()).map(|n| largest(&row, n)).collect::<Outcome<_>>()?;
    let place = Place { lane, last, height: largest(&row, 0)? };
    Ok((place, versions))
}

/// Notes what a batch touched. Whoever takes the same number of the lane, or commits the same batch, writes the same row.
pub(super) async fn append(
    session: &mut Session,
    batch: &Batch,
    Place { lane, last, height }: Place,
    touched: &[Touched],
) -> Outcome<()> {
    let Seen { n, mark } = last.then(batch.id());
    let insert = "INSERT INTO grc_change (authority, lane, n, height, batch, mark, touched)
                  VALUES (?, ?, ?, ?, ?, ?, ?)";
    let insert = sqlx::query(insert)
        .bind(batch.authority().as_str().as_bytes())
        .bind(lane)
        .bind(n)
        .bind(height + 1)
        .bind(&batch.id().as_bytes()[..])
        .bind(&mark[..])
        .bind(touched::encode(touched));
    session.execute(insert).await.map(|_| ())
}

/// The lane of rows that nobody sees.
const NOWHERE: u8 = u8::MAX;

/// Writes a row of the same batch and takes it away again. On one server that waits for whoever has written one; on a
/// cluster whoever is second at COMMIT is refused, since both have written the batch's id.
pub(super) async fn rule_out(session: &mut Session, batch: &Batch) -> Outcome<()> {
    let insert = "INSERT INTO grc_change (authority, lane, n, height, batch, mark, touched)
                  VALUES (?, ?, ?, 0, ?, '0000', '')";
    let delete = "DELETE FROM grc_change WHERE authority = ? AND lane = ? AND n = ?";
    let (authority, id) = (batch.authority().as_str().as_bytes(), *batch.id().as_bytes());
    let n = batch.id().uuid().as_u64_pair().1;
    let insert = sqlx::query(insert).bind(authority).bind(NOWHERE).bind(n).bind(&id[..]);
    session.execute(insert).await?;
    session.execute(sqlx::query(delete).bind(authority).bind(NOWHERE).bind(n)).await.map(|_| ())
}

/// A row, without what it says.
struct Entry {
    lane: u8,
    seen: Seen,
    height: u64,
    change: Change,
}

/// A stretch of the feed that is to be read.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    pub(super) incarnation: Uuid,
    pub(super) authority: Word,
    pub(super) after: Position,
    pub(super) limit: u32,
}

/// Reads a stretch of the feed, within a reading transaction.
pub(super) async fn read(session: &mut Session, stretch: &Stretch) -> Outcome<ChangePage> {
    let news = news(session, stretch).await?;
    let mut changes = Vec::new();
    let mut position = stretch.after.clone();
    if !news.is_empty() {
        for entry in entries(session, stretch, &news).await? {
            if let Some(seen) = position.0.get_mut(usize::from(entry.lane)) {
                *seen = entry.seen;
            }
            changes.push(entry.change);
        }
    }
    Ok(ChangePage { changes, next: position.cursor(stretch.incarnation) })
}

fn lost() -> Fault {
    Fault::Store(unsupported(
        "the last change that this reader saw was lost when the server fell: read everything again",
    ))
}

/// The last row of each lane. One step through the key for each: a statement that groups by lanes is shorter, and reads
/// the whole feed whenever the server's optimiser thinks so.
static LAST_ROWS: LazyLock<String> = LazyLock::new(|| {
    let one = |lane| {
        format!(
            "(SELECT lane, n, mark FROM grc_change WHERE authority = ? AND lane = {lane} ORDER BY n DESC LIMIT 1)"
        )
    };
    (0..LANES).map(one).collect::<Vec<_>>().join(" UNION ALL ")
});

/// The lanes that have rows past the position, and the last number of each.
async fn news(session: &mut Session, Stretch { authority, after, .. }: &Stretch) -> Outcome<Vec<(u8, u64)>> {
    let bytes = authority.as_str().as_bytes();
    let read = (0..LANES).fold(sqlx::query(LAST_ROWS.as_str()), |sql, _| sql.bind(bytes));
    let rows = session.rows(read).await?;
    let mut out = Vec::new();
    let mut known = [0_u64; LANES as usize];
    for row in &rows {
        let (lane, last) = (lane(row, 0)?, seen(row, 1)?);
        let seen = after.lane(lane);
        if let Some(known) = known.get_mut(usize::from(lane)) {
            *known = last.n;
        }
        if last.n > seen.n {
            out.push((lane, last.n));
        } else if last != seen {
            return Err(lost());
        }
    }
    // A lane that has no row any more.
    if after.0.iter().zip(known).any(|(seen, known)| known < seen.n) {
        return Err(lost());
    }
    Ok(out)
}

fn lane(row: &MySqlRow, column: usize) -> Outcome<u8> {
    let lane: u8 = row.try_get(column)?;
    if lane < LANES { Ok(lane) } else { Err(corrupt("there is no such lane")) }
}

/// A number and a mark, side by side.
fn seen(row: &MySqlRow, column: usize) -> Outcome<Seen> {
    Ok(Seen { n: number(row, column)?, mark: array(row, column + 1)? })
}

/// The rows to be shown next, in order: at most `limit`, at least one.
async fn entries(session: &mut Session, stretch: &Stretch, news: &[(u8, u64)]) -> Outcome<Vec<Entry>> {
    let Stretch { authority, after, limit, .. } = stretch;
    // The heights of all lanes grow about alike: each gives a little more than its share.
    let share = 2 * u64::from(*limit) / news.len() as u64 + 2;
    // The last row that was seen is read again, to see that it is the same.
    let one = "(lane = ? AND n >= ? AND n <= ?)";
    let text = format!(
        "SELECT lane, n, mark, height, batch, touched FROM grc_change WHERE authority = ? AND ({})",
        vec![one; news.len()].join(" OR ")
    );
    let until = |lane: u8, last: u64| last.min(after.lane(lane).n.saturating_add(share));
    let read = news.iter().fold(sql(text).bind(authority.as_str().as_bytes()), |sql, (lane, last)| {
        sql.bind(*lane).bind(after.lane(*lane).n).bind(until(*lane, *last))
    });
    let rows = session.rows(read).await?;
    let mut out = Vec::with_capacity(rows.len());
    let mut same = 0;
    for row in &rows {
        let (lane, seen) = (lane(row, 0)?, seen(row, 1)?);
        let last = after.lane(lane);
        if seen.n == last.n {
            if seen != last {
                return Err(lost());
            }
            same += 1;
            continue;
        }
        let touched = touched::decode(authority, &bytes(row, 5)?)
            .ok_or_else(|| corrupt("a row of the feed cannot be read"))?;
        let change = Change { batch: BatchId::from_uuid(uuid(row, 4)?), touched };
        out.push(Entry { lane, seen, height: number(row, 3)?, change });
    }
    if same < news.iter().filter(|(lane, _)| after.lane(*lane).n > 0).count() {
        return Err(lost());
    }
    out.sort_by_key(|entry| (entry.height, entry.lane, entry.seen.n));
    // Past the last row of a lane that has more, something of that lane may be missing.
    let complete = |entry: &Entry| {
        !news.iter().any(|(lane, last)| {
            let until = until(*lane, *last);
            until < *last && entry.lane == *lane && entry.seen.n == until
        })
    };
    let whole = out.iter().take_while(|entry| complete(entry)).count() + 1;
    out.truncate(whole.min(*limit as usize));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_no_damage_panics() {
        let store = Uuid::from_u128(7);
        let back = |position: &Position| Position::read(store, Some(&position.cursor(store))).unwrap();
        let mut position = Position([Seen::default(); LANES as usize]);
        assert_eq!(back(&position), position);
        position.0[0] = Seen { n: 1, mark: [0; 4] };
        position.0[63] = Seen { n: u64::MAX, mark: [9; 4] };
        assert_eq!(back(&position), position);
        position.0.iter_mut().for_each(|seen| *seen = Seen { n: 1 << 40, mark: [1; 4] });
        let cursor = position.cursor(store);
        assert_eq!(
            cursor.to_string().parse::<Cursor>().unwrap(),
            cursor,
            "it is short enough to be handed out"
        );
        let bytes = cursor.as_bytes().to_vec();
        for n in 0..bytes.len() {
            assert!(Position::read(store, Some(&Cursor::from_bytes(bytes[..n].to_vec()))).is_err());
            let mut damaged = bytes.clone();
            damaged[n] ^= 0xff;
            let _ = Position::read(store, Some(&Cursor::from_bytes(damaged)));
        }
    }
}
