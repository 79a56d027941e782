//! A disk that fails at its nth call: what the kit cannot show (C-01). Each call of a commit fails in turn; whatever the
//! store says then, the batch is there whole or not at all, and the same batch again ends well.

use crate::{Options, RedbStore};
use grc_core::{
    BatchId, Moment,
    storage::{
        Batch, Document, DocumentRange, EventRange, Expect, Facts, Load, Log, Parts, Retry, Step,
        StorageErrorKind, Store, StoredEvent, StreamKey, StreamRow, Which,
    },
};
use pollster::block_on;
use redb::{StorageBackend, backends::FileBackend};
use std::{
    fs::OpenOptions,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use uuid::Uuid;

/// How many calls to the disk succeed before one fails; none fails while this is negative.
#[derive(Debug, Clone)]
pub(crate) struct Faults(Arc<AtomicI64>);

impl Faults {
    pub(crate) fn of(&self, file: &Path) -> io::Result<Disk> {
        let file = OpenOptions::new().read(true).write(true).open(file)?;
        Ok(Disk(FileBackend::new(file).map_err(io::Error::other)?, self.clone()))
    }

    fn one(&self) -> io::Result<()> {
        match self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| (left >= 0).then_some(left - 1))
        {
            Ok(0) => Err(io::Error::other("the disk failed")),
            _ => Ok(()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Disk(FileBackend, Faults);

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.1.one()?;
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.1.one()?;
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.1.one()?;
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.1.one()?;
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}

fn stream() -> StreamKey {
    StreamKey::new("rennes".parse().unwrap(), "request".parse().unwrap(), Uuid::from_u128(1))
}

/// Each batch writes the same number into three rows.
fn batch(n: u64) -> Batch {
    let id = BatchId::from_uuid(Uuid::from_u128(n.into()));
    let body = n.to_be_bytes().repeat(2_000);
    let row = StreamRow {
        key: stream(),
        birth: stream().authority,
        version: n,
        fold: 1,
        head: [0; 32],
        facts: Facts::new(),
        body: body.clone(),
    };
    let expect = if n == 1 { Expect::Absent } else { Expect::Version(n - 1) };
    let event = StoredEvent { sequence: n, batch: id, head: [0; 32], body: body.clone() };
    let document =
        Document { kind: "note".parse().unwrap(), name: "main".parse().unwrap(), version: n, body };
    Batch::new(id, stream().authority, Moment::EPOCH)
        .with(Step::PutStream { row, expect })
        .with(Step::Append { stream: stream(), after: n - 1, events: vec![event] })
        .with(Step::PutDocument { document, expect })
}

/// The number of the last batch, which every row agrees on.
fn last(store: &RedbStore) -> u64 {
    let authority = stream().authority;
    let load =
        Load { authority: authority.clone(), streams: vec![stream()], parts: Parts::None, receipt: None };
    let row = block_on(store.load(&load)).unwrap().streams.pop().flatten().unwrap().row;
    let range = EventRange { stream: stream(), log: Log::History, after: 0, limit: 1_000 };
    let events = block_on(store.events(&range)).unwrap();
    let kind = "note".parse().unwrap();
    let range = DocumentRange {
        authority: authority.clone(),
        kind,
        name: None,
        after: None,
        which: Which::All,
        limit: 9,
    };
    let documents = block_on(store.documents(&range)).unwrap();
    let feed = block_on(store.changes(&authority, None, 1_000)).unwrap().changes;
    let counts = [events.len(), documents.len(), feed.len()].map(|count| count as u64);
    assert_eq!(counts, [row.version; 3], "half a batch is there");
    assert_eq!(row.body, row.version.to_be_bytes().repeat(2_000));
    row.version
}

#[test]
fn a_fault_at_each_call_to_the_disk_leaves_all_or_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("town.redb");
    let faults = Faults(Arc::new(AtomicI64::new(-1)));
    let mut options = Options::new().create(Uuid::from_u128(7)).cache(1 << 20);
    options.disk = Some(faults.clone());
    let store = options.open(&path).unwrap();
    block_on(store.commit(batch(1))).unwrap();
    let (mut n, mut kinds) = (1, Vec::new());
    for calls in 0.. {
        n += 1;
        faults.0.store(calls, Ordering::Relaxed);
        let answer = block_on(store.commit(batch(n)));
        let fired = faults.0.swap(-1, Ordering::Relaxed) < 0;
        if let Err(error) = &answer {
            assert_eq!(error.retry(), Retry::Same, "call {calls}: {error:?}");
            assert_ne!(error.kind(), StorageErrorKind::Other);
            let there = last(&store);
            assert!(there == n || there == n - 1, "call {calls}");
            kinds.push((error.kind(), there == n));
        }
        // Whatever was said: the same batch again ends well, and is there once.
        block_on(store.commit(batch(n))).unwrap();
        assert_eq!(last(&store), n, "call {calls}");
        if !fired {
            assert!(answer.is_ok());
            break;
        }
    }
    println!("{} calls of a commit failed: {kinds:?}", kinds.len());
    assert!(kinds.len() > 3, "the disk was not asked to fail");
    // Another process finds the same.
    drop(store);
    assert_eq!(last(&Options::new().check(true).open(&path).unwrap()), n);
}
