//! Reading by key: streams with their vaults, receipts, logs, measures.

use crate::{
    bytes::Reader,
    documents,
    engine::Read,
    error::{Outcome, whole},
    keys,
    rows::{read_event, read_receipt},
    streams,
};
use grc_core::{
    Word,
    storage::{
        Cursor, EventRange, Load, Loaded, MeasurePage, Parts, ReceiptRow, StoredEvent, StreamKey,
        StreamRecord, StreamRow,
    },
};
use std::{collections::BTreeMap, ops::Bound};

/// Reads streams in the order asked, a receipt and the organisation's version.
pub(crate) fn load(rows: &dyn Read, load: &Load) -> Outcome<Loaded> {
    let stream = |key: &StreamKey| {
        // Another authority's stream is as if it were not there (C-22).
        let row = if key.authority == load.authority { streams::by_key(rows, key)? } else { None };
        row.map(|row| record(rows, row, &load.parts)).transpose()
    };
    let receipt = load.receipt.map(|token| receipt(rows, &load.authority, token)).transpose()?.flatten();
    let (organisation, main) = (word("organisation")?, word("main")?);
    Ok(Loaded {
        streams: load.streams.iter().map(stream).collect::<Outcome<_>>()?,
        receipt,
        organisation: documents::newest(rows, &load.authority, &organisation, &main)?,
    })
}

fn word(text: &'static str) -> Outcome<Word> {
    whole("not a word", Word::new(text).ok())
}

/// A row with parts of its vault.
pub(crate) fn record(rows: &dyn Read, row: StreamRow, parts: &Parts) -> Outcome<StreamRecord> {
    let all = keys::vault(&row.key);
    let mut vault = BTreeMap::new();
    match parts {
        Parts::None => {}
        Parts::These(parts) => {
            for part in parts {
                if let Some(bytes) = rows.get(&all.clone().small(*part))? {
                    vault.insert(*part, bytes);
                }
            }
        }
        Parts::All => {
            for found in rows.under(&all)? {
                let (key, bytes) = found?;
                vault.insert(whole("a part cannot be read", Reader::after(&all, &key).small())?, bytes);
            }
        }
    }
    Ok(StreamRecord { row, vault })
}

/// A receipt, expired or not.
pub(crate) fn receipt(rows: &dyn Read, authority: &Word, token: [u8; 16]) -> Outcome<Option<ReceiptRow>> {
    rows.get(&keys::receipt(authority, &token))?
        .map(|bytes| read_receipt(authority, token, &bytes))
        .transpose()
}

/// Reads a stretch of a log.
pub(crate) fn events(rows: &dyn Read, range: &EventRange) -> Outcome<Vec<StoredEvent>> {
    let all = keys::log(range.log, &range.stream);
    let from = all.clone().number(range.after);
    rows.range(Bound::Excluded(&from), Bound::Excluded(&all.end()))?
        .take(range.limit as usize)
        .map(|row| {
            let (key, bytes) = row?;
            read_event(Reader::after(&all, &key).number(), &bytes)
        })
        .collect()
}

/// Reads measure rows after a stream, in the order of their keys.
pub(crate) fn measures(
    rows: &dyn Read,
    authority: &Word,
    after: Option<&StreamKey>,
    limit: u32,
) -> Outcome<MeasurePage> {
    let all = keys::measures(authority);
    let from = after.map_or_else(|| all.clone(), keys::measure);
    let from = if after.is_some() { Bound::Excluded(&from[..]) } else { Bound::Included(&from[..]) };
    let mut found = Vec::new();
    // One more than asked for: only then is it known that there is a next page.
    for row in rows.range(from, Bound::Excluded(&all.end()))?.take(limit as usize + 1) {
        let (key, bytes) = row?;
        let mut reader = Reader::after(&all, &key);
        let mut read = || Some(StreamKey::new(authority.clone(), reader.word()?, reader.uuid()?));
        found.push((whole("the key of a measure cannot be read", read())?, bytes));
    }
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|(key, _)| Cursor::after_stream(key));
    Ok(MeasurePage { rows: found, next })
}
