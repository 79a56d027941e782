//! Measure rows, in bulk.

use super::rows::{bytes, uuid, word};
use crate::{error::Outcome, server::Server};
use grc_core::{
    Word,
    storage::{Cursor, MeasurePage, StreamKey},
};

/// Reads the rows after a stream, in the order of their keys.
pub(super) async fn read(
    server: &Server,
    authority: &Word,
    after: Option<&StreamKey>,
    limit: u32,
) -> Outcome<MeasurePage> {
    // Two stretches of the primary key. A comparison of pairs is not led by it, and a test of the kind alone begins with
    // all that are of the same kind.
    let text = "SELECT kind, id, bytes FROM grc_measure
         WHERE authority = ? AND ((kind = ? AND id > ?) OR kind > ?) ORDER BY kind, id LIMIT ?";
    // No kind is before the empty text.
    let (kind, id) =
        after.map_or((&[][..], &[][..]), |key| (key.kind.as_str().as_bytes(), &key.id.as_bytes()[..]));
    let rows = server
        .rows(|| {
            let read = sqlx::query(text).bind(authority.as_str().as_bytes());
            read.bind(kind).bind(id).bind(kind).bind(limit + 1)
        })
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows.iter().take(limit as usize) {
        out.push((StreamKey::new(authority.clone(), word(row, 0)?, uuid(row, 1)?), bytes(row, 2)?));
    }
    let more = rows.len() > limit as usize;
    let next = out.last().filter(|_| more).map(|(key, _)| Cursor::after_stream(key));
    Ok(MeasurePage { rows: out, next })
}
