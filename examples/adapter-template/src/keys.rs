//! Which row is where: every key of the store, in one ordered space. The first byte says what row it is.
//!
//! | rows | key | value |
//! |---|---|---|
//! | meta | name | what the store says of itself |
//! | stream | authority, kind, id | the row |
//! | *by opening* | authority, kind, opened, id | nothing: the order of lists |
//! | event, access | authority, kind, id, sequence | the event |
//! | vault | authority, kind, id, part | the sealed bytes |
//! | measure | authority, kind, id | the encoded row |
//! | index | authority, kind, id, field | the values |
//! | link | authority, link's kind and key, stream's kind and id | whether it is unique |
//! | *links of a stream* | authority, kind, id, link's kind and key | nothing |
//! | task | authority, id | the task |
//! | *queue* | authority, queue, order, id | nothing: the living tasks of a queue, in order |
//! | *front* | authority, when it can be claimed, id | nothing: the first living task of each queue |
//! | *tasks of a stream* | authority, kind, id, task's kind, id | nothing |
//! | document | authority, kind, name, version | the body |
//! | receipt | authority, token | the receipt |
//! | change | authority, number | what the batch touched: the feed |
//! | batch | id | nothing: it was committed |
//! | blob | authority, id | when it was begun, how many pieces |
//! | piece | authority, id, number | the bytes |
//!
//! Those in italics repeat what another row says, so that a reading finds it in order. They are written in the same
//! transaction as that row, in one place of the source.

use crate::bytes::Bytes;
use grc_core::{
    BatchId, BlobId, TaskId, Word,
    storage::{LinkKey, Log, PageKey, StreamKey},
};

fn of(tag: u8) -> Bytes {
    Bytes::new().byte(tag)
}

fn of_stream(tag: u8, stream: &StreamKey) -> Bytes {
    of(tag).word(&stream.authority).word(&stream.kind).uuid(stream.id)
}

pub(crate) fn meta(name: &str) -> Bytes {
    of(0).raw(name.as_bytes())
}

pub(crate) fn stream(stream: &StreamKey) -> Bytes {
    of_stream(1, stream)
}

pub(crate) fn by_opening(authority: &Word, kind: &Word) -> Bytes {
    of(2).word(authority).word(kind)
}

pub(crate) fn opened(authority: &Word, kind: &Word, place: &PageKey) -> Bytes {
    by_opening(authority, kind).signed(place.value).uuid(place.id)
}

pub(crate) fn log(log: Log, stream: &StreamKey) -> Bytes {
    let tag = match log {
        Log::History => 3,
        Log::Access => 4,
    };
    of_stream(tag, stream)
}

pub(crate) fn vault(stream: &StreamKey) -> Bytes {
    of_stream(5, stream)
}

pub(crate) fn measures(authority: &Word) -> Bytes {
    of(6).word(authority)
}

pub(crate) fn measure(stream: &StreamKey) -> Bytes {
    of_stream(6, stream)
}

pub(crate) fn index(stream: &StreamKey, field: &Word) -> Bytes {
    of_stream(7, stream).word(field)
}

pub(crate) fn link(authority: &Word, key: &LinkKey) -> Bytes {
    of(8).word(authority).word(&key.kind).sized(&key.key)
}

pub(crate) fn links_of(stream: &StreamKey) -> Bytes {
    of_stream(9, stream)
}

pub(crate) fn task(authority: &Word, id: TaskId) -> Bytes {
    of(10).word(authority).uuid(id.uuid())
}

pub(crate) fn queue(authority: &Word, queue: &str) -> Bytes {
    of(11).word(authority).sized(queue.as_bytes())
}

pub(crate) fn front(authority: &Word) -> Bytes {
    of(12).word(authority)
}

pub(crate) fn tasks_of(stream: &StreamKey, kind: &Word) -> Bytes {
    of_stream(13, stream).word(kind)
}

pub(crate) fn documents(authority: &Word, kind: &Word) -> Bytes {
    of(14).word(authority).word(kind)
}

pub(crate) fn document(authority: &Word, kind: &Word, name: &Word) -> Bytes {
    documents(authority, kind).word(name)
}

pub(crate) fn receipt(authority: &Word, token: &[u8; 16]) -> Bytes {
    of(15).word(authority).raw(token)
}

pub(crate) fn changes(authority: &Word) -> Bytes {
    of(16).word(authority)
}

pub(crate) fn batch(id: BatchId) -> Bytes {
    of(17).uuid(id.uuid())
}

pub(crate) fn blobs(authority: &Word) -> Bytes {
    of(18).word(authority)
}

pub(crate) fn pieces(authority: &Word, id: BlobId) -> Bytes {
    of(19).word(authority).uuid(id.uuid())
}
