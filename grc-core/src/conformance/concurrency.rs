//! Races: C-01, C-04, C-08, C-09, C-15, C-16 under several threads.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, link, measure, publish, put, row, stream, vault},
    tasks::{apart, with_tasks},
};
use crate::storage::{Batch, ConflictOn, Expect, Load, Log, Parts, Query, Step, TaskRef};
use std::{
    collections::BTreeSet,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
};

const THREADS: usize = 8;
const ROUNDS: u64 = 5;

/// Commits one batch a thread, all at once: one may succeed, the others must conflict.
#[track_caller]
fn one_wins(kit: &Kit, on: ConflictOn, batch: impl Fn(usize) -> Batch + Sync) {
    let barrier = Barrier::new(THREADS);
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let (barrier, batch) = (&barrier, &batch);
                scope.spawn(move || {
                    let batch = batch(n);
                    barrier.wait();
                    kit.settle(batch)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1, "C-04: exactly one of {THREADS} wins: {results:?}");
    for error in results.into_iter().filter_map(Result::err) {
        assert_eq!(error.conflict_on(), Some(on), "C-04: the others are told of a conflict: {error:?}");
    }
}

pub(super) fn c04_two_writers_on_one_version_one_wins(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    kit.ok(rows::create(&key));
    for version in 1..=ROUNDS {
        one_wins(&kit, ConflictOn::Stream, |n| {
            let step = put(row(&key, version + 1), Expect::Version(version));
            rows::batch().with(step).with(vault(&key, u32::try_from(n).unwrap(), b"mine"))
        });
        let parts = kit.one(&key).unwrap().vault.len();
        assert_eq!(kit.version(&key), Some(version + 1), "C-04: the winner's row is there");
        assert!(parts <= usize::try_from(version).unwrap(), "C-01: nothing of the losers is there");
    }
}

pub(super) fn c04_two_creators_of_one_stream_one_wins(on: On) {
    let kit = Kit::open(on);
    for round in 1..=ROUNDS {
        let key = stream(round.into());
        one_wins(&kit, ConflictOn::Stream, |_| rows::create(&key));
    }
}

pub(super) fn c04_appends_after_one_sequence_one_wins(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    for after in 0..ROUNDS {
        one_wins(&kit, ConflictOn::Stream, |_| rows::appending(&key, after, &[b"mine"]));
    }
    let count = u64::try_from(kit.history(&key).len()).unwrap();
    assert_eq!(count, ROUNDS, "C-06: one event a round, without gap");
}

pub(super) fn c04_writers_on_different_streams_all_win(on: On) {
    let kit = Kit::open(on);
    std::thread::scope(|scope| {
        for n in 0..THREADS {
            let kit = &kit;
            scope.spawn(move || {
                let key = stream(u128::try_from(n).unwrap());
                kit.ok(rows::create(&key));
                for version in 2..=ROUNDS {
                    kit.ok(rows::batch().with(put(row(&key, version), Expect::Version(version - 1))));
                }
            });
        }
    });
    for n in 0..THREADS {
        let version = kit.version(&stream(u128::try_from(n).unwrap()));
        assert_eq!(version, Some(ROUNDS), "C-04: who meets no other is not refused");
    }
}

pub(super) fn c03_one_batch_sent_by_many_is_applied_once(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let batch = rows::appending(&key, 0, &[b"one"]).with(put(row(&key, 1), Expect::Absent));
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| kit.settle(batch.clone()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
    });
    let first = results.iter().filter(|receipt| !receipt.replayed).count();
    assert!(first <= 1, "C-03: one of them was the first, the others are replays");
    assert_eq!(kit.history(&key).len(), 1, "C-03: applied once");
    assert_eq!(kit.feed(&rows::town(), None, 10).0.len(), 1, "C-17: in the feed once");
}

pub(super) fn c08_two_streams_take_one_unique_link_one_wins(on: On) {
    let kit = Kit::open(on);
    for round in 0..ROUNDS {
        let code = round.to_be_bytes();
        one_wins(&kit, ConflictOn::Link, |n| {
            let key = stream(u128::from(round) * 100 + u128::try_from(n).unwrap());
            rows::create(&key).with(link("tracking", &code, &key, true))
        });
        let linked = Some(rows::link_key("tracking", &code));
        let query = Query { linked, ..Query::new(rows::town(), rows::word("request")) };
        assert_eq!(kit.walk(&query).len(), 1, "C-08: a unique link leads to one stream");
    }
}

pub(super) fn c15_two_publishers_of_one_version_one_wins(on: On) {
    let kit = Kit::open(on);
    for version in 1..=ROUNDS {
        one_wins(&kit, ConflictOn::Document, |n| {
            rows::batch().with(publish("form", version, &n.to_be_bytes()))
        });
    }
}

pub(super) fn c16_one_command_sent_by_many_is_done_once(on: On) {
    let kit = Kit::open(on);
    for round in 1..=u8::try_from(ROUNDS).unwrap() {
        one_wins(&kit, ConflictOn::Receipt, |n| {
            let key = stream(u128::from(round) * 100 + u128::try_from(n).unwrap());
            rows::create(&key).with(Step::PutReceipt(rows::receipt(round, &key, 9_000)))
        });
    }
    let made = kit.walk(&Query::new(rows::town(), rows::word("request"))).len();
    assert_eq!(made, usize::try_from(ROUNDS).unwrap(), "C-16: each command is done once");
}

pub(super) fn c09_two_claimers_never_share_a_task(on: On) {
    const TASKS: u128 = 60;
    let kit = with_tasks(on, (1..=TASKS).map(apart));
    let claims: Vec<TaskRef> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    loop {
                        let claimed = kit.claim(100, 200, 3);
                        if claimed.is_empty() {
                            return mine;
                        }
                        mine.extend(claimed.iter().map(crate::storage::Task::reference));
                    }
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let different: BTreeSet<_> = claims.iter().map(|claim| claim.id).collect();
    assert_eq!(different.len(), claims.len(), "C-09: never the same task to two callers");
    let count = u128::try_from(different.len()).unwrap();
    assert_eq!(count, TASKS, "C-09: every due task is given out");
}

pub(super) fn c10_two_holders_of_one_task_one_commits(on: On) {
    let kit = with_tasks(on, (1..=u128::from(ROUNDS)).map(apart));
    for held in kit.claim(100, 200, 1_000) {
        one_wins(&kit, ConflictOn::Lease, |_| rows::batch().with(Step::Finish(held.reference())));
    }
}

pub(super) fn c01_reader_never_sees_half_a_batch(on: On) {
    const LAST: u64 = 60;
    let kit = Kit::open(on);
    let (one, two) = (stream(1), stream(2));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for version in 1..=LAST {
                let expect = if version == 1 { Expect::Absent } else { Expect::Version(version - 1) };
                let mut organisation = rows::document("main", version, b"{}");
                organisation.kind = rows::word("organisation");
                let bytes = version.to_be_bytes();
                let mut batch = rows::batch();
                for key in [&one, &two] {
                    batch.push(put(row(key, version), expect));
                    batch.push(rows::append(&batch, key, version - 1, &[b"event"]));
                    batch.push(vault(key, 0, &bytes));
                    batch.push(vault(key, 1, &bytes));
                    batch.push(measure(key, &bytes));
                }
                batch.push(Step::PutDocument { document: organisation, expect });
                let result = kit.settle(batch);
                if result.is_err() || version == LAST {
                    done.store(true, Ordering::SeqCst);
                }
                assert!(result.is_ok(), "C-04: the only writer does not lose: {result:?}");
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = 0;
                loop {
                    let ended = done.load(Ordering::SeqCst);
                    let version = read_whole(&kit, &[one.clone(), two.clone()]);
                    if ended {
                        break;
                    }
                    // A reader that has seen nothing new lets the writer go on: it may be waiting for a processor.
                    if version == last {
                        std::thread::sleep(std::time::Duration::from_millis(1));
                    }
                    last = version;
                }
            });
        }
        writer.join().unwrap();
    });
    assert_eq!(kit.version(&one), Some(LAST), "C-01: every batch was applied");
}

/// Reads everything once and compares; the version that it found.
fn read_whole(kit: &Kit, keys: &[crate::storage::StreamKey]) -> u64 {
    let before = kit.events(&keys[0], Log::History, 0, 1_000).len();
    let load = Load { authority: rows::town(), streams: keys.to_vec(), parts: Parts::All, receipt: None };
    let loaded = kit.loaded(&load);
    let version = loaded.organisation;
    for record in &loaded.streams {
        let found = record.as_ref().map_or(0, |record| record.row.version);
        assert_eq!(found, version, "C-01: streams and organisation of one load are of one moment");
        for bytes in record.iter().flat_map(|record| record.vault.values()) {
            assert_eq!(*bytes, version.to_be_bytes(), "C-01: a row and its vault are of one moment");
        }
    }
    assert!(
        before <= usize::try_from(version).unwrap(),
        "C-01: events were read whose stream row is not there"
    );
    let events = kit.events(&keys[1], Log::History, 0, 1_000).len();
    assert!(
        events >= usize::try_from(version).unwrap(),
        "C-01: a stream row was read whose event is not there"
    );
    for (_, bytes) in kit.measures(&rows::town(), 10) {
        assert!(bytes >= version.to_be_bytes().to_vec(), "C-01: a row was read whose measure is not there");
    }
    let page = kit.query(&Query { parts: [0, 1].into(), ..Query::new(rows::town(), rows::word("request")) });
    for record in &page.rows {
        for bytes in record.vault.values() {
            assert_eq!(*bytes, record.row.version.to_be_bytes(), "C-01: a listed row and its vault agree");
        }
    }
    version
}
