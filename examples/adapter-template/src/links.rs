//! Links, each written twice: from its key, where streams are found by it, and from its stream, where all of them are.

use crate::{
    bytes::{Bytes, Reader},
    engine::{Draft, Read},
    error::{Outcome, conflict, whole},
    keys,
};
use grc_core::storage::{ConflictOn, Link, LinkKey, StreamKey};

fn from_key(key: &LinkKey, stream: &StreamKey) -> Bytes {
    keys::link(&stream.authority, key).word(&stream.kind).uuid(stream.id)
}

fn from_stream(stream: &StreamKey, key: &LinkKey) -> Bytes {
    keys::links_of(stream).word(&key.kind).sized(&key.key)
}

/// Makes a link, unless it leads elsewhere and it or the other one is unique (C-08).
pub(crate) fn put(draft: &mut Draft<'_>, link: &Link) -> Outcome<()> {
    let own = from_key(&link.key, &link.stream);
    // One of the first two is another's, if any is; and a unique one has no other beside it.
    for found in draft.under(&keys::link(&link.stream.authority, &link.key))?.take(2) {
        let (key, unique) = found?;
        if key != *own && (link.unique || unique == [1]) {
            return Err(conflict(ConflictOn::Link, "another stream has this link"));
        }
    }
    draft.put(&own, &[u8::from(link.unique)])?;
    draft.put(&from_stream(&link.stream, &link.key), &[])
}

pub(crate) fn remove(draft: &mut Draft<'_>, key: &LinkKey, stream: &StreamKey) -> Outcome<()> {
    draft.remove(&from_key(key, stream))?;
    draft.remove(&from_stream(stream, key))
}

/// Drops all links of a stream whose kind begins so.
pub(crate) fn remove_all(draft: &mut Draft<'_>, stream: &StreamKey, prefix: &str) -> Outcome<()> {
    for link in of_stream(draft, stream)? {
        if link.kind.as_str().starts_with(prefix) {
            remove(draft, &link, stream)?;
        }
    }
    Ok(())
}

fn of_stream(rows: &dyn Read, stream: &StreamKey) -> Outcome<Vec<LinkKey>> {
    let all = keys::links_of(stream);
    let read = |key: &[u8]| {
        let mut reader = Reader::after(&all, key);
        Some(LinkKey { kind: reader.word()?, key: reader.sized()?.to_vec() })
    };
    rows.under(&all)?.map(|row| whole("a link cannot be read", read(&row?.0))).collect()
}

/// The streams that a link leads to.
pub(crate) fn leads_to(
    rows: &dyn Read,
    authority: &grc_core::Word,
    key: &LinkKey,
) -> Outcome<Vec<StreamKey>> {
    let all = keys::link(authority, key);
    let read = |key: &[u8]| {
        let mut reader = Reader::after(&all, key);
        Some(StreamKey::new(authority.clone(), reader.word()?, reader.uuid()?))
    };
    rows.under(&all)?.map(|row| whole("a link cannot be read", read(&row?.0))).collect()
}

/// Whether any link of a kind leads to a stream.
pub(crate) fn has_kind(rows: &dyn Read, stream: &StreamKey, kind: &grc_core::Word) -> Outcome<bool> {
    Ok(rows.first(&keys::links_of(stream).word(kind))?.is_some())
}
