//! Everything that can be read of a store without changing it.

use super::{harness::Kit, rows};
use crate::{
    Condition,
    condition::Var,
    storage::{
        Change, Document, DocumentRange, Parts, Query, ReceiptRow, StoredEvent, StreamKey, StreamRecord,
        Which,
    },
};

/// What every read shows about some streams of the town, and numbers of receipts, links and documents.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) streams: Vec<Option<StreamRecord>>,
    pub(super) events: Vec<Vec<StoredEvent>>,
    pub(super) access: Vec<Vec<StoredEvent>>,
    pub(super) listed: Vec<u128>,
    pub(super) indexed: Vec<u128>,
    pub(super) tracked: Vec<Vec<u128>>,
    pub(super) contacts: Vec<Vec<u128>>,
    pub(super) receipts: Vec<Option<ReceiptRow>>,
    pub(super) measures: Vec<(StreamKey, Vec<u8>)>,
    pub(super) documents: Vec<Document>,
    pub(super) feed: Vec<Change>,
}

impl Seen {
    /// Reads all of it, for what [`rows::everything`] writes about these streams under these numbers.
    #[track_caller]
    pub(super) fn of(kit: &Kit, streams: &[StreamKey], numbers: &[u8]) -> Self {
        let all = Query::new(rows::town(), rows::word("request"));
        let linked = |kind: &str, n: u8| {
            kit.walk(&Query { linked: Some(rows::link_key(kind, &[n; 16])), ..all.clone() })
        };
        let documents = ["procedure", "keyring"]
            .into_iter()
            .flat_map(|kind| {
                kit.documents(&DocumentRange {
                    authority: rows::town(),
                    kind: rows::word(kind),
                    name: None,
                    after: None,
                    which: Which::All,
                    limit: 1_000,
                })
            })
            .collect();
        Self {
            streams: kit.load(rows::town(), streams, Parts::All),
            events: streams.iter().map(|stream| kit.history(stream)).collect(),
            access: streams.iter().map(|stream| kit.access(stream)).collect(),
            listed: kit.walk(&all),
            indexed: kit
                .walk(&Query { filter: Condition::Present(Var::Field(rows::word("colour"))), ..all.clone() }),
            tracked: numbers.iter().map(|n| linked("tracking", *n)).collect(),
            contacts: numbers.iter().map(|n| linked("contact.email", *n)).collect(),
            receipts: numbers.iter().map(|n| kit.receipt(rows::town(), *n)).collect(),
            measures: kit.measures(&rows::town(), 1_000),
            documents,
            feed: kit.feed(&rows::town(), None, 1_000).0,
        }
    }
}
