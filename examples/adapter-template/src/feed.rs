//! The feed: one row a batch, numbered within its authority. Commits are one at a time, so the number after the last is
//! free, and whoever reads has seen all lower ones (C-17). An engine with several writers at once needs more than this.

use crate::{
    bytes::{Bytes, Reader},
    engine::{Draft, Read},
    error::{Outcome, unsupported, whole},
    keys,
};
use grc_core::{
    BatchId, Word,
    storage::{Batch, Change, ChangePage, Cursor, StorageError, Touched, touched},
};
use std::ops::Bound;
use uuid::Uuid;

/// Notes what a batch touched: nothing too, if it only compared.
pub(crate) fn append(draft: &mut Draft<'_>, batch: &Batch, touched: &[Touched]) -> Outcome<()> {
    let all = keys::changes(batch.authority());
    let last = match draft.last(&all)? {
        None => 0,
        Some((key, _)) => whole("a row of the feed cannot be read", Reader::after(&all, &key).number())?,
    };
    let value = Bytes::new().uuid(batch.id().uuid()).raw(&touched::encode(touched));
    draft.put(&all.number(last.saturating_add(1)), &value)
}

/// After which number a cursor goes on: one of this store's incarnation only.
pub(crate) fn start(incarnation: Uuid, after: Option<&Cursor>) -> Result<u64, StorageError> {
    let Some(cursor) = after else { return Ok(0) };
    let foreign = || unsupported("this cursor is not ours");
    let (store, number) = cursor.as_bytes().split_first_chunk::<16>().ok_or_else(foreign)?;
    if *store != *incarnation.as_bytes() {
        return Err(unsupported("this cursor is of another store: read everything again"));
    }
    Ok(u64::from_be_bytes(number.try_into().map_err(|_| foreign())?))
}

/// Reads a stretch of the feed.
pub(crate) fn read(
    rows: &dyn Read,
    incarnation: Uuid,
    authority: &Word,
    after: u64,
    limit: u32,
) -> Outcome<ChangePage> {
    let all = keys::changes(authority);
    let from = all.clone().number(after);
    let (mut changes, mut last) = (Vec::new(), after);
    for row in rows.range(Bound::Excluded(&from), Bound::Excluded(&all.end()))?.take(limit as usize) {
        let (key, value) = row?;
        let mut reader = Reader::new(&value);
        let batch = reader.uuid().map(BatchId::from_uuid);
        let touched = touched::decode(authority, &reader.rest());
        let read =
            || Some((Reader::after(&all, &key).number()?, Change { batch: batch?, touched: touched? }));
        let (number, change) = whole("a row of the feed cannot be read", read())?;
        last = number;
        changes.push(change);
    }
    let next = Bytes::new().uuid(incarnation).number(last);
    Ok(ChangePage { changes, next: Cursor::from_bytes(next.into_vec()) })
}
