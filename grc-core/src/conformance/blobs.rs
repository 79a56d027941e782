//! B-1 to B-4: the bytes of attachments.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, at, town},
};
use crate::BlobId;

fn blob(n: u128) -> BlobId {
    BlobId::from_uuid(rows::uuid(n))
}

fn ids(metas: &[crate::storage::BlobMeta]) -> Vec<u128> {
    metas.iter().map(|meta| meta.id.uuid().as_u128()).collect()
}

pub(super) fn b1_put_again_replaces(on: On) {
    let kit = Kit::open(on);
    for bytes in [b"first, and longer".as_slice(), b"second", b""] {
        kit.put_blob(&town(), blob(1), 0, at(10), bytes);
        assert_eq!(kit.blob(&town(), blob(1), 0).as_deref(), Some(bytes), "B-1: the piece is replaced");
    }
    assert_eq!(kit.list_blobs(&town(), at(100), 10)[0].pieces, 1, "B-1: the same piece is one piece");
}

pub(super) fn b1_pieces_outlive_the_handles(on: On) {
    let kit = Kit::open(on);
    kit.put_blob(&town(), blob(1), 0, at(10), b"zero");
    kit.put_blob(&town(), blob(1), 1, at(10), b"one");
    kit.put_blob(&town(), blob(2), 0, at(10), b"gone");
    kit.drop_blob(&town(), blob(2));
    let Some(kit) = kit.reopened("b1_pieces_outlive_the_handles") else { return };
    assert_eq!(kit.blob(&town(), blob(1), 0).as_deref(), Some(b"zero".as_slice()), "B-1: `put` is durable");
    assert_eq!(kit.blob(&town(), blob(1), 1).as_deref(), Some(b"one".as_slice()), "B-1: `put` is durable");
    assert_eq!(kit.blob(&town(), blob(2), 0), None, "B-3: `drop` is durable");
}

pub(super) fn b2_get_returns_the_piece_as_it_was_put(on: On) {
    let kit = Kit::open(on);
    let large: Vec<u8> = (0..1 << 20).map(|n: u32| u8::try_from(n % 253).unwrap()).collect();
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let pieces: [(u32, &[u8]); 6] =
        [(0, &all), (1, b""), (2, &large), (1 << 8, b"far"), (1 << 16, b"farther"), (u32::MAX, b"last")];
    for (piece, bytes) in pieces.into_iter().rev() {
        kit.put_blob(&town(), blob(1), piece, at(10), bytes);
    }
    for (piece, bytes) in pieces {
        let found = kit.blob(&town(), blob(1), piece).unwrap();
        assert!(found == bytes, "B-2: piece {piece} comes back byte for byte");
    }
}

pub(super) fn b2_absent_pieces_are_none(on: On) {
    let kit = Kit::open(on);
    kit.put_blob(&town(), blob(1), 0, at(10), b"zero");
    assert_eq!(kit.blob(&town(), blob(1), 1), None, "B-2: there is no piece 1");
    assert_eq!(kit.blob(&town(), blob(2), 0), None, "B-2: there is no such blob");
    assert_eq!(kit.blob(&rows::county(), blob(1), 0), None, "C-22: another authority does not see it");
}

pub(super) fn b3_drop_takes_all_pieces(on: On) {
    let kit = Kit::open(on);
    for piece in 0..20 {
        kit.put_blob(&town(), blob(1), piece, at(10), b"piece");
    }
    kit.put_blob(&town(), blob(2), 0, at(10), b"other");
    kit.put_blob(&rows::county(), blob(1), 0, at(10), b"county");
    for _ in 0..2 {
        kit.drop_blob(&town(), blob(1));
        for piece in 0..20 {
            assert_eq!(kit.blob(&town(), blob(1), piece), None, "B-3: every piece is gone");
        }
    }
    kit.drop_blob(&town(), blob(9));
    assert_eq!(ids(&kit.list_blobs(&town(), at(100), 10)), [2], "B-3: a dropped blob is not listed");
    assert!(kit.blob(&town(), blob(2), 0).is_some(), "B-3: other blobs stay");
    assert!(kit.blob(&rows::county(), blob(1), 0).is_some(), "C-22: another authority's blob stays");
    kit.put_blob(&town(), blob(1), 5, at(50), b"new");
    let metas = kit.list_blobs(&town(), at(100), 10);
    let meta = metas.iter().find(|meta| meta.id == blob(1)).unwrap();
    assert_eq!((meta.at, meta.pieces), (at(50), 1), "B-3: nothing of the dropped blob is left");
}

pub(super) fn b4_list_names_each_blob_once(on: On) {
    let kit = Kit::open(on);
    for n in 1..=7u32 {
        for piece in 0..n {
            kit.put_blob(&town(), blob(u128::from(n)), piece, at(10 + i64::from(piece)), b"piece");
        }
    }
    for limit in [1, 2, 3, 6, 7, 8, 1_000] {
        let metas = kit.list_blobs(&town(), at(100), limit);
        assert_eq!(ids(&metas), [1, 2, 3, 4, 5, 6, 7], "B-4: each once, by id, in pages of {limit}");
        for (n, meta) in (1..).zip(metas) {
            assert_eq!(
                (meta.at, meta.pieces),
                (at(10), n),
                "B-4: when it was begun, and how many pieces it has"
            );
        }
    }
    assert!(kit.list_blobs(&rows::county(), at(100), 10).is_empty(), "C-22: another authority has none");
}

pub(super) fn b4_list_leaves_out_what_was_begun_at_the_moment(on: On) {
    let kit = Kit::open(on);
    for (n, begun) in [(3, 10), (2, 20), (1, 30)] {
        kit.put_blob(&town(), blob(n), 0, at(begun), b"piece");
    }
    // A later piece does not make a blob younger.
    kit.put_blob(&town(), blob(3), 1, at(500), b"piece");
    let before = |moment| ids(&kit.list_blobs(&town(), at(moment), 1));
    assert!(before(10).is_empty(), "B-4: begun at 10 is not before 10");
    assert_eq!(before(11), [3], "B-4: begun at 10 is before 11");
    assert_eq!(before(30), [2, 3], "B-4: begun before 30");
    assert_eq!(before(31), [1, 2, 3], "B-4: all of them");
}
