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
    // The redundant test leads the index: a comparison of pairs, or of alternatives, need not.
    let text = "SELECT kind, id, bytes FROM grc_measure
         WHERE authority = ? AND kind >= ? AND (kind > ? OR id > ?) ORDER BY kind, id LIMIT ?";
    // No kind is before the empty text.
    let (kind, id) =
        after.map_or((&[][..], &[][..]), |key| (key.kind.as_str().as_bytes(), &key.id.as_bytes()[..]));
    let rows = server
        .rows(|| {
            let read = sqlx::query(text).bind(authority.as_str().as_bytes());
            read.bind(kind).bind(kind).bind(id).bind(limit + 1)
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
