//! Reading streams, a receipt and the organisation's version, all of one moment.

use super::{
    documents,
    rows::{array, integer, number, uuid, word},
    streams,
};
use crate::{error::Outcome, session::Session};
use grc_core::{
    KeyId, Moment, Word,
    storage::{Load, Loaded, Parts, ReceiptRow, StreamKey, StreamRecord},
};

/// Runs within a reading transaction.
pub(super) async fn load(session: &mut Session, load: &Load) -> Outcome<Loaded> {
    let keys: Vec<&StreamKey> = load.streams.iter().filter(|key| key.authority == load.authority).collect();
    let rows = streams::read(session, &load.authority, &keys).await?;
    let found: Vec<&StreamKey> = rows.keys().collect();
    let vaults = match &load.parts {
        Parts::None => Default::default(),
        Parts::These(parts) if parts.is_empty() => Default::default(),
        Parts::These(parts) => {
            let parts: Vec<_> = parts.iter().copied().collect();
            streams::vaults(session, &load.authority, &found, Some(&parts)).await?
        }
        Parts::All => streams::vaults(session, &load.authority, &found, None).await?,
    };
    let record = |key: &StreamKey| {
        let row = rows.get(key)?.clone();
        Some(StreamRecord { row, vault: vaults.get(key).cloned().unwrap_or_default() })
    };
    let streams = load.streams.iter().map(record).collect();
    let receipt = match load.receipt {
        None => None,
        Some(token) => receipt(session, &load.authority, token).await?,
    };
    let (kind, name) = (Word::slug("organisation"), Word::slug("main"));
    let organisation = documents::newest(session, &load.authority, &kind, &name).await?;
    if receipt.is_some() {
        // Whoever asks answers with it that something is done, and it is seen before it is flushed.
        session.rollback().await;
        session.flush().await?;
    }
    Ok(Loaded { streams, receipt, organisation })
}

/// A receipt, expired or not.
async fn receipt(session: &mut Session, authority: &Word, token: [u8; 16]) -> Outcome<Option<ReceiptRow>> {
    let read =
        "SELECT mac, `key`, kind, id, version, expires FROM grc_receipt WHERE authority = ? AND token = ?";
    let read = sqlx::query(read).bind(authority.as_str().as_bytes()).bind(&token[..]);
    let Some(row) = session.row(read).await? else { return Ok(None) };
    Ok(Some(ReceiptRow {
        token,
        mac: array(&row, 0)?,
        key: KeyId::from_uuid(uuid(&row, 1)?),
        stream: StreamKey::new(authority.clone(), word(&row, 2)?, uuid(&row, 3)?),
        version: number(&row, 4)?,
        expires: Moment::from_micros(integer(&row, 5)?),
    }))
}
