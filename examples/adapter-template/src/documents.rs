//! Documents by kind, name and version.

use crate::{
    bytes::Reader,
    engine::{Draft, Read},
    error::{Fault, Outcome, conflict, unsupported, whole},
    keys,
};
use grc_core::{
    Word,
    storage::{ConflictOn, Document, DocumentRange, Expect, StoreInfo, Which},
};
use std::ops::Bound;

fn last(rows: &dyn Read, authority: &Word, kind: &Word, name: &Word) -> Outcome<Option<(u64, Vec<u8>)>> {
    let all = keys::document(authority, kind, name);
    let Some((key, body)) = rows.last(&all)? else { return Ok(None) };
    Ok(Some((whole("a version cannot be read", Reader::after(&all, &key).number())?, body)))
}

/// The newest version; 0 if there is none.
pub(crate) fn newest(rows: &dyn Read, authority: &Word, kind: &Word, name: &Word) -> Outcome<u64> {
    Ok(last(rows, authority, kind, name)?.map_or(0, |(version, _)| version))
}

/// Refuses if another version is the newest.
pub(crate) fn current(
    rows: &dyn Read,
    authority: &Word,
    kind: &Word,
    name: &Word,
    version: u64,
) -> Outcome<()> {
    if newest(rows, authority, kind, name)? == version {
        return Ok(());
    }
    Err(conflict(ConflictOn::Document, "the document has another version"))
}

fn write(draft: &mut Draft<'_>, authority: &Word, document: &Document) -> Outcome<()> {
    let key = keys::document(authority, &document.kind, &document.name);
    draft.put(&key.number(document.version), &document.body)
}

/// Writes the next version.
pub(crate) fn put(
    draft: &mut Draft<'_>,
    authority: &Word,
    document: &Document,
    expect: Expect,
) -> Outcome<()> {
    let before = match expect {
        Expect::Absent => 0,
        Expect::Version(version) => version,
    };
    current(draft, authority, &document.kind, &document.name, before)?;
    if before.checked_add(1) != Some(document.version) {
        return Err(Fault::Store(unsupported("a document's versions grow by one")));
    }
    write(draft, authority, document)
}

/// Raises a document to a version, and leaves no earlier one. Answers whether it was lower.
pub(crate) fn raise(draft: &mut Draft<'_>, authority: &Word, document: &Document) -> Outcome<bool> {
    let lower = newest(draft, authority, &document.kind, &document.name)? < document.version;
    if lower {
        remove(draft, authority, &document.kind, &document.name)?;
        write(draft, authority, document)?;
    }
    Ok(lower)
}

/// Drops all versions.
pub(crate) fn remove(draft: &mut Draft<'_>, authority: &Word, kind: &Word, name: &Word) -> Outcome<()> {
    let all = keys::document(authority, kind, name);
    let keys: Vec<Vec<u8>> = draft.under(&all)?.map(|row| Ok(row?.0)).collect::<Outcome<_>>()?;
    keys.iter().try_for_each(|key| draft.remove(key))
}

/// Reads documents, name by name: the versions between two names are passed over, not read.
pub(crate) fn read(rows: &dyn Read, range: &DocumentRange) -> Outcome<Vec<Document>> {
    let limit = range.limit.clamp(1, StoreInfo::MAX_PAGE);
    let all = keys::documents(&range.authority, &range.kind);
    let of = |name: &Word| keys::document(&range.authority, &range.kind, name);
    let mut from = range.after.as_ref().map_or_else(|| all.to_vec(), |after| of(after).end());
    let mut out = Vec::new();
    let mut names = 0;
    while names < limit {
        let next = rows.range(Bound::Included(&from), Bound::Excluded(&all.end()))?.next().transpose()?;
        let Some((key, _)) = next else { break };
        let name = whole("the name of a document cannot be read", Reader::after(&all, &key).word())?;
        from = of(&name).end();
        if range.name.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let found = versions(rows, range, &name)?;
        // Only names of which something is given count: a page is never empty while more follows.
        names += u32::from(!found.is_empty());
        out.extend(found);
    }
    Ok(out)
}

fn versions(rows: &dyn Read, range: &DocumentRange, name: &Word) -> Outcome<Vec<Document>> {
    let all = keys::document(&range.authority, &range.kind, name);
    let document = |version, body| Document { kind: range.kind.clone(), name: name.clone(), version, body };
    match range.which {
        Which::Newest => {
            let newest = last(rows, &range.authority, &range.kind, name)?;
            Ok(newest.map(|(version, body)| document(version, body)).into_iter().collect())
        }
        Which::Version(version) => {
            let body = rows.get(&all.number(version))?;
            Ok(body.map(|body| document(version, body)).into_iter().collect())
        }
        Which::All => rows
            .under(&all)?
            .map(|row| {
                let (key, body) = row?;
                let version = Reader::after(&all, &key).number();
                Ok(document(whole("a version cannot be read", version)?, body))
            })
            .collect(),
    }
}
