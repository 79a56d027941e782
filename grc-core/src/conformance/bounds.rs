//! C-20: no clock, no randomness; C-21: what was dropped; C-22: authorities apart.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, at, county, index, measure, publish, put, row, stream, stream_of, town, vault, word},
    seen::Seen,
    tasks::numbers,
};
use crate::{
    BlobId, Condition,
    condition::{Comparison, Scalar, Var},
    storage::{
        Batch, Claim, Document, DocumentRange, Expect, IndexValue, Load, Parts, Query, Step, Task, Which,
    },
};

pub(super) fn c20_only_the_callers_clock_counts(on: On) {
    // Long before and long after any clock that a store could read.
    for now in [-4_000_000_000_000_000, 0, 250_000_000_000_000_000] {
        let kit = Kit::open(on);
        let task = Task { due: at(now), leased_until: at(i64::MIN), ..super::tasks::apart(1) };
        kit.ok(rows::batch_of(town(), now).with(Step::Schedule(task)));
        assert!(kit.claim(now - 1, now + 100, 1).is_empty(), "C-20: not due by the caller's clock");
        let held = kit.claim(now, now + 100, 1);
        assert_eq!(held.len(), 1, "C-20: due by the caller's clock");
        assert!(kit.claim(now + 99, now + 200, 1).is_empty(), "C-20: held by the caller's clock");
        assert_eq!(kit.claim(now + 100, now + 200, 1).len(), 1, "C-20: free by the caller's clock");
        let mut batch = rows::batch_of(town(), now);
        batch.push(Step::PutReceipt(rows::receipt(1, &stream(1), now + 5)));
        kit.ok(batch);
        let again =
            |at| rows::batch_of(town(), at).with(Step::PutReceipt(rows::receipt(1, &stream(1), now + 9)));
        assert!(kit.settle(again(now + 4)).is_err(), "C-20: not expired by the batch's moment");
        kit.ok(again(now + 5));
    }
}

pub(super) fn c20_two_stores_given_the_same_batches_hold_the_same(on: On) {
    let keys = [stream(1), stream(2)];
    let mut batches: Vec<Batch> = Vec::new();
    for (n, key) in (1u8..).zip(&keys) {
        let mut batch = rows::batch();
        rows::everything(&batch, key, n).into_iter().for_each(|step| batch.push(step));
        batches.push(batch);
        batches.push(rows::batch().with(put(row(key, 2), Expect::Version(1))));
    }
    let seen: Vec<_> = (0..2)
        .map(|_| {
            let kit = Kit::open(on);
            batches.iter().for_each(|batch| kit.ok(batch.clone()));
            (Seen::of(&kit, &keys, &[1, 2]), kit.claim(100, 200, 10))
        })
        .collect();
    assert_eq!(seen[0], seen[1], "C-20: what is stored follows from the batches alone");
}

/// A stream with rows of every kind; then every one of them dropped, or written over where it cannot be.
fn dropped(on: On) -> Kit {
    let kit = Kit::open(on);
    let key = stream(1);
    let mut batch = rows::batch();
    rows::everything(&batch, &key, 1).into_iter().for_each(|step| batch.push(step));
    kit.ok(batch);
    kit.ok(rows::batch().with(publish("form-1", 2, b"second")));
    kit.put_blob(&town(), BlobId::from_uuid(rows::uuid(1)), 0, at(1), b"blob");
    kit.drop_blob(&town(), BlobId::from_uuid(rows::uuid(1)));
    kit.ok(rows::batch()
        .with(Step::DropVault { stream: key.clone(), parts: vec![0] })
        .with(vault(&key, 7, b"over"))
        .with(index(&key, "colour", &[]))
        .with(measure(&key, b"over"))
        .with(Step::DropLinks { stream: key.clone(), prefix: String::new() })
        .with(Step::Cancel { stream: key, kinds: vec![word("remind")] })
        .with(Step::DropDocument { kind: word("procedure"), name: word("form-1"), version: 2 })
        .with(Step::RaiseDocument(Document {
            kind: word("keyring"),
            ..rows::document("form-1", 10, b"over")
        })));
    kit
}

#[track_caller]
fn unreadable(kit: &Kit) {
    let key = stream(1);
    let expected = [(7, b"over".to_vec())].into();
    assert_eq!(kit.one(&key).unwrap().vault, expected, "C-21: a dropped part cannot be loaded");
    let load = |parts| kit.load(town(), std::slice::from_ref(&key), parts).remove(0).unwrap().vault;
    assert!(load(Parts::These([0].into())).is_empty(), "C-21: a dropped part cannot be loaded by number");
    let all = Query { parts: [0, 7].into(), ..Query::new(town(), word("request")) };
    let page = kit.query(&all);
    assert_eq!(page.rows[0].vault, [(7, b"over".to_vec())].into(), "C-21: nor listed");
    let colour = Var::Field(word("colour"));
    for filter in [
        Condition::Present(colour.clone()),
        Condition::Compare(colour.clone(), Comparison::Equal, Scalar::Text("red".to_owned())),
        Condition::Compare(colour, Comparison::Equal, Scalar::Integer(3)),
    ] {
        assert!(
            kit.walk(&Query { filter, ..all.clone() }).is_empty(),
            "C-21: dropped index rows find nothing"
        );
    }
    for kind in ["tracking", "contact.email"] {
        let linked = Some(rows::link_key(kind, &[1; 16]));
        assert!(kit.walk(&Query { linked, ..all.clone() }).is_empty(), "C-21: a dropped link leads nowhere");
    }
    assert!(kit.claim(10_000, 20_000, 10).is_empty(), "C-21: a cancelled task is not claimed");
    for which in [Which::Newest, Which::All, Which::Version(1), Which::Version(2)] {
        assert!(kit.procedures(None, which).is_empty(), "C-21: no version of a dropped document is read");
        let name = kit.procedures(Some("form-1"), which);
        assert!(name.is_empty(), "C-21: no version of a dropped document is read by name");
    }
    let raised = DocumentRange {
        which: Which::Version(9),
        ..DocumentRange::newest(town(), word("keyring"), word("form-1"))
    };
    assert!(kit.documents(&raised).is_empty(), "C-21: nor what a document was raised over");
    let measures = kit.measures(&town(), 10);
    assert_eq!(measures, [(key, b"over".to_vec())], "C-21: nor what a measure was written over");
    assert_eq!(kit.blob(&town(), BlobId::from_uuid(rows::uuid(1)), 0), None, "C-21: nor a dropped blob");
}

pub(super) fn c21_dropped_rows_cannot_be_read(on: On) {
    unreadable(&dropped(on));
}

pub(super) fn c21_scrub_leaves_what_lives(on: On) {
    let kit = dropped(on);
    let before = Seen::of(&kit, &[stream(1)], &[1]);
    kit.scrub();
    kit.scrub();
    assert_eq!(Seen::of(&kit, &[stream(1)], &[1]), before, "C-07: scrubbing takes nothing away that lives");
    unreadable(&kit);
}

pub(super) fn c21_dropped_rows_stay_gone_after_reopening(on: On) {
    let Some(kit) = dropped(on).reopened("c21_dropped_rows_stay_gone_after_reopening") else { return };
    unreadable(&kit);
}

pub(super) fn c21_replaced_index_values_find_nothing(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let text = |value: &str| IndexValue::Text(value.to_owned());
    let find = |value: &str| {
        let var = Var::Field(word("f"));
        let filter = Condition::Compare(var, Comparison::Equal, Scalar::Text(value.to_owned()));
        kit.walk(&Query { filter, ..Query::new(town(), word("request")) })
    };
    kit.ok(rows::create(&key).with(index(&key, "f", &[text("a"), text("b")])));
    kit.ok(rows::batch().with(index(&key, "f", &[text("b"), text("c")])));
    assert!(find("a").is_empty(), "C-21: a value that was replaced finds nothing");
    assert_eq!((find("b"), find("c")), (vec![1], vec![1]), "C-07: the values that are there do");
}

/// The same rows, under the same ids, in two authorities.
fn twins(on: On) -> Kit {
    let kit = Kit::open(on);
    for authority in [town(), county()] {
        let key = stream_of(authority.clone(), 1);
        let n = if authority == town() { 1 } else { 2 };
        let mut batch = rows::batch_of(authority.clone(), 1_000);
        for step in rows::everything(&batch, &key, 1) {
            batch.push(match step {
                // One id names one task; only its authority is the other's.
                Step::Schedule(task) => Step::Schedule(Task { order: n, ..task }),
                step => step,
            });
        }
        kit.ok(batch);
        kit.ok(rows::batch_of(authority, 1_000)
            .with(vault(&key, 0, &[u8::try_from(n).unwrap()]))
            .with(measure(&key, &[u8::try_from(n).unwrap()])));
    }
    kit
}

pub(super) fn c22_same_ids_in_two_authorities_are_apart(on: On) {
    let kit = twins(on);
    for (n, authority) in [(1u8, town()), (2, county())] {
        let key = stream_of(authority.clone(), 1);
        assert_eq!(kit.one(&key).unwrap().vault[&0], [n], "C-22: each authority has its own vault");
        assert_eq!(kit.history(&key).len(), 2, "C-22: its own history");
        assert_eq!(kit.access(&key).len(), 1, "C-22: its own access log");
        assert_eq!(kit.measures(&authority, 10), [(key.clone(), vec![n])], "C-22: its own measures");
        assert_eq!(kit.feed(&authority, None, 10).0.len(), 2, "C-22: its own feed");
        let receipt = kit.receipt(authority.clone(), 1).unwrap();
        assert_eq!(receipt.stream, key, "C-22: its own receipts");
        for linked in [None, Some(rows::link_key("tracking", &[1; 16]))] {
            let page = kit.query(&Query { linked, ..Query::new(authority.clone(), word("request")) });
            let found: Vec<_> = page.rows.into_iter().map(|record| record.row.key).collect();
            assert_eq!(found, std::slice::from_ref(&key), "C-22: its own lists");
        }
        let claim =
            Claim { authority: authority.clone(), kinds: None, now: at(100), until: at(200), limit: 10 };
        let claimed = kit.claimed(&claim);
        assert_eq!((claimed.len(), claimed[0].order), (1, n.into()), "C-22: its own tasks");
        let range = DocumentRange::newest(authority, word("procedure"), word("form-1"));
        assert_eq!(kit.documents(&range).len(), 1, "C-22: its own documents");
    }
}

pub(super) fn c22_load_stays_within_its_authority(on: On) {
    let kit = twins(on);
    let load = Load {
        authority: county(),
        streams: vec![stream(1), stream_of(county(), 1)],
        parts: Parts::All,
        receipt: None,
    };
    let found: Vec<bool> = kit.loaded(&load).streams.iter().map(Option::is_some).collect();
    assert_eq!(found, [false, true], "C-22: another authority's stream is as if it were not there");
}

pub(super) fn c22_third_authority_sees_nothing(on: On) {
    let kit = twins(on);
    // One that begins as the town does, and one as which the town begins.
    for third in [word("town-2"), word("tow")] {
        assert_eq!(kit.one(&stream_of(third.clone(), 1)), None, "C-22: no stream");
        assert!(kit.walk(&Query::new(third.clone(), word("request"))).is_empty(), "C-22: no list");
        assert!(kit.measures(&third, 10).is_empty(), "C-22: no measure");
        assert!(kit.feed(&third, None, 10).0.is_empty(), "C-22: no change");
        assert_eq!(kit.receipt(third.clone(), 1), None, "C-22: no receipt");
        let claim = Claim { authority: third, kinds: None, now: at(900), until: at(999), limit: 10 };
        assert!(kit.claimed(&claim).is_empty(), "C-22: no task");
    }
}

pub(super) fn c22_batch_writes_one_authority(on: On) {
    let kit = twins(on);
    let foreign = stream_of(county(), 1);
    let keys = [stream(1), foreign.clone()];
    let other = stream_of(county(), 2);
    let batch = rows::batch();
    for step in [
        put(row(&other, 1), Expect::Absent),
        rows::append(&batch, &other, 0, &[b"event"]),
        vault(&other, 0, b"x"),
        measure(&other, b"x"),
        index(&other, "f", &[IndexValue::Number(1)]),
        rows::link("tracking", b"x", &other, true),
        Step::Schedule(rows::task(9, "q", &other)),
        rows::access(&other, b"x"),
    ] {
        let result = kit.settle(rows::batch().with(step.clone()));
        assert!(result.is_err(), "C-22: a batch of one authority does not write another's: {step:?}");
    }
    assert_eq!(kit.one(&other), None, "C-22: nothing was written");
    let before = kit.load(county(), &keys, Parts::All);
    // Dropping there is refused, or does nothing there.
    for step in [
        Step::DropVault { stream: foreign.clone(), parts: vec![0] },
        Step::DropLink { key: rows::link_key("tracking", &[1; 16]), stream: foreign.clone() },
        Step::DropLinks { stream: foreign.clone(), prefix: String::new() },
        Step::Cancel { stream: foreign, kinds: vec![word("remind")] },
    ] {
        let _ = kit.settle(rows::batch().with(step));
    }
    assert_eq!(
        kit.load(county(), &keys, Parts::All),
        before,
        "C-22: the other authority's vault is as it was"
    );
    let linked = Some(rows::link_key("tracking", &[1; 16]));
    let query = Query { linked, ..Query::new(county(), word("request")) };
    assert_eq!(kit.walk(&query), [1], "C-22: the other authority's links are as they were");
    let claim = Claim { authority: county(), kinds: None, now: at(100), until: at(200), limit: 10 };
    assert_eq!(numbers(&kit.claimed(&claim)), [1], "C-22: the other authority's tasks are as they were");
}
