//! C-16: receipts; C-07: what comes back.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, conflict, put, receipt, row, stream, vault},
};
use crate::storage::{ConflictOn, Expect, Fact, Facts, Parts, Step, StreamRow};

fn remember(token: u8, n: u128, at: i64, expires: i64) -> crate::storage::Batch {
    rows::batch_of(rows::town(), at).with(Step::PutReceipt(receipt(token, &stream(n), expires)))
}

pub(super) fn c16_receipt_conflicts_until_it_expires(on: On) {
    let kit = Kit::open(on);
    kit.ok(remember(1, 1, 100, 500));
    for at in [0, 100, 499] {
        let result = kit.settle(remember(1, 2, at, 9_000));
        conflict(result, ConflictOn::Receipt, "C-16: the receipt under this token has not expired");
    }
    let kept = kit.receipt(rows::town(), 1);
    assert_eq!(kept, Some(receipt(1, &stream(1), 500)), "C-07: the receipt is as it was written");
}

pub(super) fn c16_expired_receipt_is_replaced(on: On) {
    let kit = Kit::open(on);
    kit.ok(remember(1, 1, 100, 500));
    kit.ok(remember(1, 2, 500, 900));
    let kept = kit.receipt(rows::town(), 1);
    assert_eq!(
        kept,
        Some(receipt(1, &stream(2), 900)),
        "C-16: from the moment of expiry on the token is free"
    );
    conflict(kit.settle(remember(1, 3, 600, 9_000)), ConflictOn::Receipt, "C-16: and taken again");
}

pub(super) fn c16_expired_receipt_is_still_read(on: On) {
    let kit = Kit::open(on);
    kit.ok(remember(1, 1, 100, 101));
    kit.ok(remember(2, 2, 90_000, 99_000));
    assert!(kit.receipt(rows::town(), 1).is_some(), "C-07: a receipt is loaded, expired or not");
    assert_eq!(kit.receipt(rows::town(), 3), None, "C-07: there is no receipt under this token");
}

pub(super) fn c16_two_receipts_of_one_token_in_a_batch_conflict(on: On) {
    let kit = Kit::open(on);
    let batch = remember(1, 1, 100, 500).with(Step::PutReceipt(receipt(1, &stream(2), 500)));
    conflict(kit.settle(batch), ConflictOn::Receipt, "C-16: the second finds the first");
    assert_eq!(kit.receipt(rows::town(), 1), None, "C-01: nothing of the batch stays");
}

pub(super) fn c16_conflict_refuses_the_whole_command(on: On) {
    let kit = Kit::open(on);
    kit.ok(rows::create(&stream(1)).with(Step::PutReceipt(receipt(1, &stream(1), 9_000))));
    let second = rows::create(&stream(2)).with(Step::PutReceipt(receipt(1, &stream(2), 9_000)));
    conflict(kit.settle(second), ConflictOn::Receipt, "C-16: the command was committed before");
    assert_eq!(kit.version(&stream(2)), None, "C-16: nothing is made twice");
}

pub(super) fn c07_stream_rows_come_back_as_written(on: On) {
    let kit = Kit::open(on);
    let mut facts = Facts::new();
    for (n, fact) in (0i64..).zip(Fact::ALL) {
        facts.set(*fact, Some(rows::fact(&format!("word-{n}"))));
        facts.set(*fact, facts.get(*fact).cloned().or(Some(rows::number(n - 11))));
    }
    assert_eq!(facts.iter().count(), Fact::ALL.len(), "the kit sets every fact");
    for (n, number) in [(1u128, i64::MIN), (2, -1), (3, 0), (4, i64::MAX)] {
        facts.set(Fact::Opened, Some(rows::number(number)));
        let written = StreamRow {
            key: stream(n),
            birth: rows::word("village"),
            version: 1 << 40,
            fold: 4_000_000_000,
            head: std::array::from_fn(|n| u8::try_from(255 - n).unwrap()),
            facts: facts.clone(),
            body: "{\"é\":\"\\u0000 🚰\"}".into(),
        };
        kit.ok(rows::batch().with(put(written.clone(), Expect::Absent)));
        assert_eq!(kit.one(&stream(n)).unwrap().row, written, "C-07: every column comes back as written");
    }
    kit.ok(rows::batch().with(put(row(&stream(1), 2), Expect::Version(1 << 40))));
    let facts = kit.one(&stream(1)).unwrap().row.facts;
    assert_eq!(facts, Facts::new(), "C-07: a row written over another leaves none of its facts");
}

pub(super) fn c07_load_answers_in_the_order_asked(on: On) {
    let kit = Kit::open(on);
    for n in [1, 3, 5] {
        kit.ok(rows::create(&stream(n)));
    }
    let asked = [5, 2, 1, 5, 4, 3].map(stream);
    let found: Vec<Option<u128>> = kit
        .load(rows::town(), &asked, Parts::None)
        .into_iter()
        .map(|record| record.map(|record| record.row.key.id.as_u128()))
        .collect();
    let expected = [Some(5), None, Some(1), Some(5), None, Some(3)];
    assert_eq!(
        found, expected,
        "C-07: one answer for each key asked, in that order, none for what is absent"
    );
    assert!(kit.load(rows::town(), &[], Parts::All).is_empty(), "C-07: nothing asked, nothing answered");
}

pub(super) fn c07_vault_parts_come_back_as_asked(on: On) {
    let kit = Kit::open(on);
    let key = stream(1);
    let bytes: Vec<u8> = (0..=u8::MAX).collect();
    kit.ok(rows::create(&key)
        .with(vault(&key, 0, &bytes))
        .with(vault(&key, 1, b""))
        .with(vault(&key, u32::MAX, b"last"))
        .with(vault(&stream(2), 0, b"other")));
    let parts = |parts| kit.load(rows::town(), std::slice::from_ref(&key), parts).remove(0).unwrap().vault;
    let all = [(0, bytes), (1, Vec::new()), (u32::MAX, b"last".to_vec())];
    assert_eq!(parts(Parts::All), all.clone().into(), "C-07: all parts, byte for byte");
    assert!(parts(Parts::None).is_empty(), "C-07: none were asked for");
    assert!(parts(Parts::These([].into())).is_empty(), "C-07: none were asked for");
    let [first, _, last] = all;
    assert_eq!(
        parts(Parts::These([0, 9, u32::MAX].into())),
        [first, last].into(),
        "C-07: those asked for that exist"
    );
    kit.ok(rows::batch()
        .with(vault(&key, 1, b"over"))
        .with(Step::DropVault { stream: key.clone(), parts: vec![9] }));
    assert_eq!(parts(Parts::These([1].into())), [(1, b"over".to_vec())].into(), "C-07: written over");
}

pub(super) fn c07_many_parts_of_one_batch_are_written_in_order(on: On) {
    let kit = Kit::open(on);
    let (one, two) = (stream(1), stream(2));
    let large: Vec<u8> = (0..1 << 20).map(|n: u32| u8::try_from(n * 31 % 251).unwrap()).collect();
    // Parts of both streams in turn, more than a statement takes, one of them twice.
    let mut batch = rows::create(&one).with(put(rows::row(&two, 1), Expect::Absent));
    batch = batch.with(vault(&one, 0, b"first")).with(vault(&two, 0, b"two")).with(vault(&one, 0, b"second"));
    let (many, giants) = (300, 3);
    for n in 1..=many {
        batch = batch.with(vault(&one, n, &n.to_be_bytes()));
    }
    for n in 1..=giants {
        batch = batch.with(vault(&two, n, &large));
    }
    kit.ok(batch);
    let first = kit.one(&one).unwrap().vault;
    assert_eq!(first.get(&0), Some(&b"second".to_vec()), "C-07: of two parts of one name the later stays");
    assert!((1..=many).all(|n| first.get(&n) == Some(&n.to_be_bytes().to_vec())), "C-07: each part");
    let second = kit.one(&two).unwrap().vault;
    assert_eq!(second.get(&0), Some(&b"two".to_vec()), "C-07: of each stream its own");
    assert!((1..=giants).all(|n| second.get(&n) == Some(&large)), "C-07: large parts, byte for byte");
}
