//! C-12, C-13, C-14: lists in pages.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, fact, number, put, refused, row_with, stream, vault},
};
use crate::{
    Condition,
    storage::{Cursor, Expect, Fact, FactValue, Order, Query, StorageErrorKind, StreamRow},
};
use std::collections::BTreeSet;

fn all(order: Order) -> Query {
    Query { order, ..Query::new(rows::town(), rows::word("request")) }
}

fn add(kit: &Kit, n: u128, opened: Option<i64>, service: &str) {
    let mut facts: Vec<(Fact, FactValue)> = vec![(Fact::Service, fact(service))];
    facts.extend(opened.map(|opened| (Fact::Opened, number(opened))));
    kit.ok(rows::batch().with(put(row_with(&stream(n), &facts), Expect::Absent)));
}

pub(super) fn c12_both_orders_with_ties_by_id(on: On) {
    let kit = Kit::open(on);
    // 7 and 8 were never opened: they come as if opened first of all.
    for (n, opened) in
        [(6, Some(10)), (2, Some(20)), (1, Some(20)), (3, Some(20)), (5, Some(-5)), (4, Some(30))]
    {
        add(&kit, n, opened, "water");
    }
    add(&kit, 8, None, "water");
    add(&kit, 7, None, "water");
    let expected = [7, 8, 5, 6, 1, 2, 3, 4];
    let reversed: Vec<u128> = expected.iter().rev().copied().collect();
    for limit in [1, 2, 3, 7, 8, 9, 1_000] {
        let oldest = kit.walk(&Query { limit, ..all(Order::OldestFirst) });
        assert_eq!(oldest, expected, "C-12: oldest first, ties by id, in pages of {limit}");
        let newest = kit.walk(&Query { limit, ..all(Order::NewestFirst) });
        assert_eq!(newest, reversed, "C-12: newest first is the exact reverse, in pages of {limit}");
    }
}

pub(super) fn c12_rows_that_come_and_go_between_pages_disturb_nothing(on: On) {
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let kit = Kit::open(on);
        for n in 1..=10 {
            add(&kit, n * 10, Some(i64::try_from(n).unwrap() * 10), "water");
        }
        let mut query = Query { limit: 2, filter: Condition::is(Fact::Service, "water"), ..all(order) };
        let mut found = Vec::new();
        let mut step = 0;
        loop {
            let page = kit.query(&query);
            found.extend(page.rows.iter().map(|record| record.row.key.id.as_u128()));
            // One comes at each end and in the middle, next to where the page ended, and one leaves the list.
            step += 1;
            add(&kit, 1_000 + step, Some(i64::try_from(step).unwrap()), "water");
            add(&kit, 2_000 + step, Some(1_000 + i64::try_from(step).unwrap()), "water");
            if step == 2 {
                let key = stream(found[0]);
                let moved = row_with(&key, &[(Fact::Service, fact("roads")), (Fact::Opened, number(0))]);
                kit.ok(rows::batch().with(put(moved, Expect::Version(1))));
            }
            match page.next {
                Some(next) if step < 200 => query.after = Some(next),
                _ => break,
            }
            if step > 30 {
                break;
            }
        }
        let mut old: Vec<u128> = found.iter().copied().filter(|n| *n < 1_000).collect();
        assert_eq!(old.len(), 10, "C-12: what was there throughout is found, once ({order:?}): {found:?}");
        old.sort_unstable();
        old.dedup();
        assert_eq!(old.len(), 10, "C-12: nothing repeats ({order:?})");
    }
}

pub(super) fn c12_rows_that_come_and_go_at_the_cursor_disturb_nothing(on: On) {
    // What the first page has, what is left, where its last row goes then, and what comes after it and has its key.
    let cases = [
        (Order::OldestFirst, [10_u128, 20], [30_u128, 40, 50, 60], -1_000, [25_u128, 35, 45, 55, 65]),
        (Order::NewestFirst, [60, 50], [40, 30, 20, 10], 1_000, [5, 15, 25, 35, 45]),
    ];
    for (order, first, rest, elsewhere, later) in cases {
        let kit = Kit::open(on);
        for n in 1..=6 {
            add(&kit, n * 10, Some(20), "water");
        }
        let query = Query { limit: 2, ..all(order) };
        let page = kit.query(&query);
        let found: Vec<u128> = page.rows.iter().map(|record| record.row.key.id.as_u128()).collect();
        assert_eq!(found, first, "C-12: equal keys are in order of id ({order:?})");
        for n in 0..=6 {
            add(&kit, n * 10 + 5, Some(20), "water");
        }
        let facts = [(Fact::Service, fact("water")), (Fact::Opened, number(elsewhere))];
        let gone = StreamRow { version: 2, ..row_with(&stream(first[1]), &facts) };
        kit.ok(rows::batch().with(put(gone, Expect::Version(1))));
        let after = kit.walk(&Query { after: page.next, ..query });
        let (old, new): (Vec<u128>, Vec<u128>) = after.iter().partition(|n| *n % 10 == 0);
        assert_eq!(old, rest, "C-12: rows that come or go at the cursor hide and repeat none ({order:?})");
        let once: BTreeSet<u128> = new.iter().copied().collect();
        assert_eq!(once.len(), new.len(), "C-12: nothing repeats ({order:?}): {after:?}");
        assert!(
            once.iter().all(|n| later.contains(n)),
            "C-12: nothing of before the cursor ({order:?}): {after:?}"
        );
    }
}

pub(super) fn c12_a_stream_is_listed_where_it_is_now(on: On) {
    let kit = Kit::open(on);
    for n in 1..=4 {
        add(&kit, n, Some(i64::try_from(n).unwrap() * 10), "water");
    }
    // To the end, to the beginning, and to the place where another one was.
    for (n, opened) in [(2, Some(100)), (3, None), (4, Some(20))] {
        let mut facts = vec![(Fact::Service, fact("roads"))];
        facts.extend(opened.map(|opened| (Fact::Opened, number(opened))));
        let row = StreamRow { version: 2, ..row_with(&stream(n), &facts) };
        kit.ok(rows::batch().with(put(row, Expect::Version(1))));
    }
    let of = |service| Condition::is(Fact::Service, service);
    for (filter, expected) in
        [(Condition::Constant(true), vec![3, 1, 4, 2]), (of("roads"), vec![3, 4, 2]), (of("water"), vec![1])]
    {
        let reversed: Vec<u128> = expected.iter().rev().copied().collect();
        for limit in [1, 2, 1_000] {
            let query = |order| Query { limit, filter: filter.clone(), ..all(order) };
            let oldest = kit.walk(&query(Order::OldestFirst));
            assert_eq!(oldest, expected, "C-12: once, where it is now, in pages of {limit}: {filter:?}");
            let newest = kit.walk(&query(Order::NewestFirst));
            assert_eq!(newest, reversed, "C-12: once, where it is now, in pages of {limit}: {filter:?}");
        }
    }
}

pub(super) fn c12_pages_carry_the_parts_asked_for(on: On) {
    let kit = Kit::open(on);
    for n in 1..=3 {
        let key = stream(n);
        kit.ok(rows::create(&key).with(vault(&key, 0, b"head")).with(vault(&key, 1, b"texts")));
    }
    let page = kit.query(&Query { parts: [0, 9].into(), ..all(Order::OldestFirst) });
    for record in &page.rows {
        assert_eq!(record.vault, [(0, b"head".to_vec())].into(), "C-12: with the parts asked for that exist");
    }
    let page = kit.query(&all(Order::OldestFirst));
    assert_eq!(page.rows.len(), 3, "C-12: all streams");
    assert!(page.rows.iter().all(|record| record.vault.is_empty()), "C-12: without parts not asked for");
}

pub(super) fn c12_an_empty_list_ends_at_once(on: On) {
    let kit = Kit::open(on);
    let page = kit.query(&all(Order::NewestFirst));
    assert!(page.rows.is_empty() && page.next.is_none(), "C-12: an empty list has no rows and no cursor");
}

pub(super) fn c12_page_sizes_out_of_range_are_refused(on: On) {
    let kit = Kit::open(on);
    add(&kit, 1, Some(1), "water");
    for limit in [0, 1_001, u32::MAX] {
        let query = Query { limit, ..all(Order::NewestFirst) };
        refused(kit.try_query(&query), StorageErrorKind::Unsupported, "C-12: a page has 1 to 1000 rows");
    }
    let query = Query { limit: 1_000, scan: u32::MAX, ..all(Order::NewestFirst) };
    assert_eq!(kit.query(&query).rows.len(), 1, "C-12: 1000 rows may be asked for");
}

pub(super) fn c13_a_page_looks_at_no_more_than_scan(on: On) {
    let kit = Kit::open(on);
    for n in 1..=40 {
        let service = if n % 8 == 0 { "water" } else { "roads" };
        add(&kit, n, Some(i64::try_from(n).unwrap()), service);
    }
    // Written so that no index can lead it: every row has to be looked at.
    let filter = Condition::Not(Box::new(Condition::Not(Box::new(Condition::is(Fact::Service, "water")))));
    for scan in [1, 3, 8, 39, 40, 1_000] {
        for limit in [1, 5, 50] {
            let query = Query { filter: filter.clone(), scan, limit, ..all(Order::OldestFirst) };
            let found = kit.walk(&query);
            assert_eq!(found, [8, 16, 24, 32, 40], "C-13: short pages go on (scan {scan}, limit {limit})");
        }
    }
    let every = Query { scan: 3, ..all(Order::OldestFirst) };
    assert_eq!(kit.walk(&every).len(), 40, "C-13: three of three rows looked at, page by page");
    let none = Query { scan: 0, ..all(Order::OldestFirst) };
    refused(kit.try_query(&none), StorageErrorKind::Unsupported, "C-13: a page looks at one row at least");
    let page = kit.query(&Query { filter, scan: 7, ..all(Order::OldestFirst) });
    assert!(page.rows.is_empty(), "C-13: the first match is the eighth row, and seven were to be looked at");
    assert!(page.next.is_some(), "C-13: a short page has a cursor");
}

pub(super) fn c14_cursor_of_another_list_is_refused(on: On) {
    let kit = Kit::open(on);
    for n in 1..=5 {
        add(&kit, n, Some(1), "water");
    }
    let query = Query { limit: 2, ..all(Order::NewestFirst) };
    let after = kit.query(&query).next;
    assert!(after.is_some(), "C-12: there is more");
    let query = Query { after, ..query };
    let others = [
        Query { order: Order::OldestFirst, ..query.clone() },
        Query { kind: rows::word("asset"), ..query.clone() },
        Query { authority: rows::county(), ..query.clone() },
        Query { filter: Condition::is(Fact::Service, "water"), ..query.clone() },
        Query { linked: Some(rows::link_key("tracking", b"a")), ..query.clone() },
    ];
    for other in others {
        refused(kit.try_query(&other), StorageErrorKind::Unsupported, "C-14: this cursor is of another list");
    }
    let resized = Query { limit: 1_000, scan: 5_000, parts: [0].into(), ..query };
    assert_eq!(kit.query(&resized).rows.len(), 3, "C-14: how much a page takes does not bind a cursor");
}

pub(super) fn c14_damaged_cursor_is_refused(on: On) {
    let kit = Kit::open(on);
    for n in 1..=5 {
        add(&kit, n, Some(1), "water");
    }
    let query = Query { limit: 2, ..all(Order::NewestFirst) };
    let good = kit.query(&query).next.unwrap();
    let bytes = good.as_bytes().to_vec();
    let mut flipped = bytes.clone();
    flipped[0] ^= 1;
    let longer = [bytes.as_slice(), b"x"].concat();
    let shorter = bytes[..bytes.len() - 1].to_vec();
    for bad in [flipped, longer, shorter, Vec::new()] {
        let query = Query { after: Some(Cursor::from_bytes(bad)), ..query.clone() };
        refused(kit.try_query(&query), StorageErrorKind::Unsupported, "C-14: this cursor is damaged");
    }
    let read: Cursor = good.to_string().parse().unwrap();
    let query = Query { after: Some(read), limit: 1_000, ..query };
    assert_eq!(kit.query(&query).rows.len(), 3, "C-14: a cursor that was text for a while is the same");
}

pub(super) fn c14_foreign_cursors_of_other_readings_are_refused(on: On) {
    let kit = Kit::open(on);
    for n in 1..=3 {
        kit.ok(rows::create(&stream(n)).with(rows::measure(&stream(n), b"m")));
    }
    let town = rows::town();
    let (_, feed) = kit.feed(&town, None, 10);
    let list = kit.query(&Query { limit: 1, ..all(Order::NewestFirst) }).next.unwrap();
    let short = Cursor::from_bytes(vec![1, 2, 3]);
    for cursor in [&feed, &short] {
        let result = kit.block_on(kit.store.measures(&town, Some(cursor), 10));
        refused(result, StorageErrorKind::Unsupported, "C-14: not a cursor of the measures");
        let query = Query { after: Some(cursor.clone()), ..all(Order::NewestFirst) };
        refused(kit.try_query(&query), StorageErrorKind::Unsupported, "C-14: not a cursor of this list");
    }
    for cursor in [&list, &short] {
        let result = kit.block_on(kit.store.changes(&town, Some(cursor), 10));
        refused(result, StorageErrorKind::Unsupported, "C-14: not a cursor of the feed");
    }
    let result = kit.block_on(kit.blobs.list(&town, rows::at(1), Some(short), 10));
    refused(result, StorageErrorKind::Unsupported, "C-14: not a cursor of the blobs");
}
