//! Reading streams, a receipt and the organisation's version, all of one moment.

use super::{
    documents,
    rows::{number, uuid, word},
    streams,
};
use crate::error::Outcome;
use grc_core::{
    KeyId, Moment, Word,
    storage::{Load, Loaded, Parts, ReceiptRow, StreamKey, StreamRecord},
};
use rusqlite::{Connection, OptionalExtension, params};

/// Runs within a read transaction.
pub(super) fn load(connection: &Connection, load: &Load) -> Outcome<Loaded> {
    let streams = load.streams.iter().map(|key| stream(connection, load, key)).collect::<Outcome<_>>()?;
    let receipt = match &load.receipt {
        None => None,
        Some(token) => receipt(connection, &load.authority, *token)?,
    };
    let organisation = documents::newest(connection, &load.authority, "organisation", "main")?;
    Ok(Loaded { streams, receipt, organisation })
}

fn stream(connection: &Connection, load: &Load, key: &StreamKey) -> Outcome<Option<StreamRecord>> {
    if key.authority != load.authority {
        return Ok(None);
    }
    let Some(row) = streams::by_key(connection, key)? else { return Ok(None) };
    let vault = match &load.parts {
        Parts::None => Default::default(),
        Parts::These(parts) => streams::these(connection, key, parts.iter().copied())?,
        Parts::All => streams::all(connection, key)?,
    };
    Ok(Some(StreamRecord { row, vault }))
}

/// A receipt, expired or not.
pub(super) fn receipt(
    connection: &Connection,
    authority: &Word,
    token: [u8; 16],
) -> Outcome<Option<ReceiptRow>> {
    Ok(connection
        .prepare_cached(
            "SELECT mac, key, kind, id, version, expires FROM receipt WHERE authority = ? AND token = ?",
        )?
        .query_row(params![authority.as_str(), &token[..]], |row| {
            Ok(ReceiptRow {
                token,
                mac: row.get(0)?,
                key: KeyId::from_uuid(uuid(row, 1)?),
                stream: StreamKey::new(authority.clone(), word(row, 2)?, uuid(row, 3)?),
                version: number(row, 4)?,
                expires: Moment::from_micros(row.get(5)?),
            })
        })
        .optional()?)
}
