//! Links from keys to streams.

use super::{rows::uuid, rows::word, streams::keyed};
use crate::{
    error::{Fault, NAME, Outcome},
    session::Session,
};
use grc_core::{
    Word,
    storage::{ConflictOn, Link, LinkKey, StorageError, StreamKey},
};

fn taken() -> Fault {
    Fault::Store(StorageError::conflict(NAME, ConflictOn::Link, "another stream has this link"))
}

/// What keeps the links of one key apart: nothing for a unique one, the stream for others.
fn apart(link: &Link) -> Vec<u8> {
    if link.unique {
        return Vec::new();
    }
    let mut out = link.stream.kind.as_str().as_bytes().to_vec();
    out.extend_from_slice(link.stream.id.as_bytes());
    out
}

/// Makes a link; a unique one leads to one stream. Two streams that want the same unique link write the same row. A
/// unique and another link under one key are told apart by reading: a kind of link is always unique, or never.
pub(super) async fn put(session: &mut Session, link: &Link) -> Outcome<()> {
    let apart = apart(link);
    let text = if link.unique { UNIQUE } else { PLAIN };
    let (authority, kind, key) = (&link.stream.authority, &link.key.kind, &link.key.key);
    let insert = sqlx::query(text)
        .bind(authority.as_str().as_bytes())
        .bind(kind.as_str().as_bytes())
        .bind(&key[..])
        .bind(&apart[..])
        .bind(link.stream.kind.as_str().as_bytes())
        .bind(&link.stream.id.as_bytes()[..])
        .bind(authority.as_str().as_bytes())
        .bind(kind.as_str().as_bytes())
        .bind(&key[..])
        .bind(link.stream.kind.as_str().as_bytes())
        .bind(&link.stream.id.as_bytes()[..]);
    match session.execute(insert).await {
        Ok(0) => Err(taken()),
        Ok(_) => Ok(()),
        Err(fault) if fault.is_duplicate() => {
            // Ours already, or somebody else's.
            let owner =
                "SELECT kind, id FROM grc_link WHERE authority = ? AND link = ? AND `key` = ? AND apart = ?";
            let owner = sqlx::query(owner)
                .bind(authority.as_str().as_bytes())
                .bind(kind.as_str().as_bytes())
                .bind(&key[..])
                .bind(&apart[..]);
            let owner = session.row(owner).await?;
            let ours = owner.map_or(Ok(false), |row| {
                Ok::<_, Fault>(word(&row, 0)? == link.stream.kind && uuid(&row, 1)? == link.stream.id)
            })?;
            if ours { Ok(()) } else { Err(taken()) }
        }
        Err(fault) => Err(fault),
    }
}

// Unless one of the other sort leads elsewhere.
const UNIQUE: &str =
    "INSERT INTO grc_link (authority, link, `key`, apart, kind, id) SELECT ?, ?, ?, ?, ?, ? FROM DUAL
     WHERE NOT EXISTS (SELECT 1 FROM grc_link l WHERE l.authority = ? AND l.link = ? AND l.key = ?
     AND (l.kind <> ? OR l.id <> ?) AND l.apart <> '')";
const PLAIN: &str =
    "INSERT INTO grc_link (authority, link, `key`, apart, kind, id) SELECT ?, ?, ?, ?, ?, ? FROM DUAL
     WHERE NOT EXISTS (SELECT 1 FROM grc_link l WHERE l.authority = ? AND l.link = ? AND l.key = ?
     AND (l.kind <> ? OR l.id <> ?) AND l.apart = '')";

/// Drops a link.
pub(super) async fn drop(
    session: &mut Session,
    authority: &Word,
    key: &LinkKey,
    stream: &StreamKey,
) -> Outcome<()> {
    let drop = "DELETE FROM grc_link WHERE authority = ? AND link = ? AND `key` = ? AND kind = ? AND id = ?";
    let drop = sqlx::query(drop)
        .bind(authority.as_str().as_bytes())
        .bind(key.kind.as_str().as_bytes())
        .bind(&key.key[..])
        .bind(stream.kind.as_str().as_bytes())
        .bind(&stream.id.as_bytes()[..]);
    session.execute(drop).await.map(|_| ())
}

/// Drops the links of a stream whose kinds begin so.
pub(super) async fn drop_all(session: &mut Session, stream: &StreamKey, prefix: &str) -> Outcome<()> {
    let drop = "DELETE FROM grc_link WHERE authority = ? AND kind = ? AND id = ? AND LEFT(link, ?) = ?";
    let length = prefix.len() as u64;
    session.execute(keyed(sqlx::query(drop), stream).bind(length).bind(prefix.as_bytes())).await.map(|_| ())
}
