//! B-1 to B-4: stores that are wrong about blobs.

use crate::store::{Answer, Mutant, Piece, Reading, Under};
use grc_core::{
    BlobId, Moment, Word,
    storage::{BlobMeta, BlobPage, Cursor, StorageError, StorageErrorKind},
};
use std::sync::Arc;

pub(crate) fn mutants() -> Vec<Mutant> {
    [put(), got(), removed(), listed()].concat()
}

const FAR: Moment = Moment::from_micros(i64::MAX);

fn blobs(under: &Under, authority: &Word) -> Answer<Vec<BlobMeta>> {
    let from = Reading { authority: authority.clone(), after: None, limit: 1_000 };
    Ok(under.list((FAR, from))?.blobs)
}

fn numbers() -> impl Iterator<Item = u32> {
    (0..100).chain([1 << 8, 1 << 16, u32::MAX])
}

/// The pieces of a blob that there are.
fn pieces(under: &Under, authority: &Word, id: BlobId) -> Vec<(Piece, Vec<u8>)> {
    numbers()
        .filter_map(|piece| {
            let piece = Piece { authority: authority.clone(), id, piece };
            under.get(piece.clone()).unwrap().map(|bytes| (piece, bytes))
        })
        .collect()
}

fn towns() -> [Word; 2] {
    ["town", "county"].map(crate::store::word)
}

/// Another store with the same rows and other blobs.
fn without(under: &Under, gone: impl Fn(BlobId) -> bool) -> Under {
    let copy = Under::over(Arc::new(under.store.copy()));
    for authority in towns() {
        for meta in blobs(&copy, &authority).unwrap() {
            if gone(meta.id) {
                copy.remove((authority.clone(), meta.id)).unwrap();
            }
        }
    }
    copy
}

fn put() -> Vec<Mutant> {
    vec![
        Mutant::new("B-1", "a piece is put once").put(|under, (piece, at, bytes)| {
            if under.get(piece.clone())?.is_some() { Ok(()) } else { under.put((piece, at, bytes)) }
        }),
        Mutant::new("B-1", "the end of a longer piece stays").put(|under, (piece, at, mut bytes)| {
            let before = under.get(piece.clone())?.unwrap_or_default();
            bytes.extend(before.iter().skip(bytes.len()));
            under.put((piece, at, bytes))
        }),
        Mutant::new("B-1", "a piece that is put again is another piece")
            .list(|under, (before, from)| {
                let mut page = under.list((before, from))?;
                let again = under.notes().count > 0;
                page.blobs.iter_mut().for_each(|meta| meta.pieces += u32::from(again));
                Ok(page)
            })
            .put(|under, (piece, at, bytes)| {
                if under.get(piece.clone())?.is_some() {
                    under.notes().count += 1;
                }
                under.put((piece, at, bytes))
            }),
        Mutant::new("B-1", "blobs are lost with the handle").reopen(|under| without(under, |_| true)),
        Mutant::new("B-1", "removing is forgotten with the handle")
            .remove(|under, (authority, id)| {
                let copy = under.store.copy();
                under.notes().copy.get_or_insert(copy);
                under.remove((authority, id))
            })
            .reopen(|under| {
                let copy = under.notes().copy.take();
                copy.map_or_else(|| under.again(), |copy| Under::over(Arc::new(copy)))
            }),
    ]
}

fn got() -> Vec<Mutant> {
    vec![
        Mutant::new("B-2", "an empty piece is none")
            .get(|under, piece| Ok(under.get(piece)?.filter(|bytes| !bytes.is_empty()))),
        Mutant::new("B-2", "what is absent is empty")
            .get(|under, piece| Ok(Some(under.get(piece)?.unwrap_or_default()))),
        Mutant::new("B-2", "half of a large piece is read").get(|under, piece| {
            Ok(under.get(piece)?.map(|mut bytes| {
                if bytes.len() > 1_000 {
                    bytes.truncate(bytes.len() / 2);
                }
                bytes
            }))
        }),
        Mutant::new("B-2", "pieces are kept as text").put(|under, (piece, at, bytes)| {
            let bytes = String::from_utf8_lossy(&bytes).into_owned().into_bytes();
            under.put((piece, at, bytes))
        }),
        Mutant::new("B-2", "the number of a piece has 16 bits")
            .put(|under, (piece, at, bytes)| {
                under.put((Piece { piece: piece.piece % (1 << 16), ..piece }, at, bytes))
            })
            .get(|under, piece| under.get(Piece { piece: piece.piece % (1 << 16), ..piece })),
        Mutant::new("B-2", "another authority reads the piece").get(|under, piece| {
            for authority in towns() {
                if let Some(bytes) = under.get(Piece { authority, ..piece.clone() })? {
                    return Ok(Some(bytes));
                }
            }
            Ok(None)
        }),
        Mutant::new("B-2", "piece 0 is read for one that is absent")
            .get(|under, piece| Ok(under.get(piece.clone())?.or(under.get(Piece { piece: 0, ..piece })?))),
    ]
}

fn removed() -> Vec<Mutant> {
    vec![
        Mutant::new("B-3", "the first piece is removed only").remove(|under, (authority, id)| {
            let rest = pieces(under, &authority, id).into_iter().skip(1).collect::<Vec<_>>();
            under.remove((authority, id))?;
            rest.into_iter().try_for_each(|(piece, bytes)| under.put((piece, Moment::EPOCH, bytes)))
        }),
        Mutant::new("B-3", "removing what is absent fails").remove(|under, (authority, id)| {
            if pieces(under, &authority, id).is_empty() {
                return Err(StorageError::new("mutant", StorageErrorKind::Other, "so it says"));
            }
            under.remove((authority, id))
        }),
        Mutant::new("B-3", "the blobs of all authorities are removed").remove(|under, (_, id)| {
            towns().into_iter().try_for_each(|authority| under.remove((authority, id)))
        }),
        Mutant::new("B-3", "all blobs are removed").remove(|under, (authority, _)| {
            let all = blobs(under, &authority)?;
            all.into_iter().try_for_each(|meta| under.remove((authority.clone(), meta.id)))
        }),
        Mutant::new("B-3", "when a removed blob was begun is remembered").put(|under, (piece, at, bytes)| {
            let id = piece.id.uuid();
            let first = under.notes().ids.insert(id);
            let at = if first { at } else { Moment::from_micros(10) };
            under.put((piece, at, bytes))
        }),
        Mutant::new("B-3", "a removed blob is listed")
            .remove(|under, (authority, id)| {
                under.notes().ids.insert(id.uuid());
                under.remove((authority, id))
            })
            .list(|under, (before, from)| {
                let mut page = under.list((before, from))?;
                let gone = under.notes().ids.iter().copied().collect::<Vec<_>>();
                page.blobs.extend(gone.into_iter().map(|id| BlobMeta {
                    id: BlobId::from_uuid(id),
                    at: Moment::EPOCH,
                    pieces: 1,
                }));
                Ok(page)
            }),
    ]
}

fn listed() -> Vec<Mutant> {
    vec![
        Mutant::new("B-4", "what was begun at the moment is listed")
            .list(|under, (before, from)| under.list((Moment::from_micros(before.micros() + 1), from))),
        Mutant::new("B-4", "what was begun just before the moment is left out")
            .list(|under, (before, from)| under.list((Moment::from_micros(before.micros() - 1), from))),
        Mutant::new("B-4", "a blob is as old as its last piece").put(|under, (piece, at, bytes)| {
            let rest = pieces(under, &piece.authority, piece.id);
            under.remove((piece.authority.clone(), piece.id))?;
            under.put((piece.clone(), at, bytes.clone()))?;
            for (other, bytes) in rest {
                under.put((other, at, bytes))?;
            }
            under.put((piece, at, bytes))
        }),
        Mutant::new("B-4", "the first blob after a page is passed over").list(|under, (before, from)| {
            let mut page = under.list((before, from))?;
            page.next = page.next.map(|cursor| {
                let id: [u8; 16] = cursor.as_bytes().try_into().unwrap();
                Cursor::from_bytes((u128::from_be_bytes(id) + 1).to_be_bytes().to_vec())
            });
            Ok(page)
        }),
        Mutant::new("B-4", "a page begins with the last blob of the one before").list(
            |under, (before, from)| {
                let mut page = under.list((before, from))?;
                page.next = page.next.map(|cursor| {
                    let id: [u8; 16] = cursor.as_bytes().try_into().unwrap();
                    Cursor::from_bytes((u128::from_be_bytes(id) - 1).to_be_bytes().to_vec())
                });
                Ok(page)
            },
        ),
        Mutant::new("B-4", "a list ends after its first page")
            .list(|under, arguments| Ok(BlobPage { next: None, ..under.list(arguments)? })),
        Mutant::new("B-4", "a page has one blob too many").list(|under, (before, from)| {
            under.list((before, Reading { limit: from.limit.saturating_add(1), ..from }))
        }),
        Mutant::new("B-4", "every blob has one piece").list(|under, arguments| {
            let mut page = under.list(arguments)?;
            page.blobs.iter_mut().for_each(|meta| meta.pieces = 1);
            Ok(page)
        }),
        Mutant::new("B-4", "blobs of all authorities are listed").list(|under, (before, from)| {
            let mut page = under.list((before, from.clone()))?;
            if page.blobs.is_empty() {
                page.blobs = blobs(under, &crate::store::word("town"))?;
                page.blobs.truncate(from.limit as usize);
            }
            Ok(page)
        }),
    ]
}
