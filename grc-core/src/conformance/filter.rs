//! C-12: which streams a condition finds.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, fact, index, number, put, row_with, stream},
};
use crate::{
    Condition,
    condition::{Comparison, Scalar, Var},
    storage::{Expect, Fact, FactKind, IndexValue, Order, Query, StreamKey},
};

const ORDERED: [Comparison; 5] =
    [Comparison::Equal, Comparison::Less, Comparison::AtMost, Comparison::More, Comparison::AtLeast];

#[track_caller]
fn found(kit: &Kit, filter: Condition, expected: &[u128]) {
    let text = filter.to_json();
    let query =
        Query { filter, order: Order::OldestFirst, ..Query::new(rows::town(), rows::word("request")) };
    let mut found = kit.walk(&query);
    found.sort_unstable();
    assert_eq!(found, expected, "C-12: exactly the streams that meet {text}");
}

/// Each comparison of a variable with a value, `==`, `<`, `<=`, `>`, `>=`: what it must find. `!=` finds all the others
/// than `==`, those without a value included.
#[track_caller]
fn compared(kit: &Kit, var: &Var, scalar: &Scalar, expected: [&[u128]; 5]) {
    let compare = |comparison| Condition::Compare(var.clone(), comparison, scalar.clone());
    for (comparison, expected) in ORDERED.into_iter().zip(expected) {
        found(kit, compare(comparison), expected);
    }
    let everything = Query::new(rows::town(), rows::word("request"));
    let mut others = kit.walk(&everything);
    others.sort_unstable();
    others.retain(|n| !expected[0].contains(n));
    found(kit, compare(Comparison::NotEqual), &others);
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn text(value: &str) -> Scalar {
    Scalar::Text(value.to_owned())
}

/// Streams 1 to 4: a service each but the last, times reopened, when opened.
fn facts(on: On) -> Kit {
    let kit = Kit::open(on);
    let streams = [
        (1, Some("roads"), Some(0), Some(-1_000)),
        (2, Some("water"), Some(2), Some(0)),
        (3, Some("water.night"), Some(10), Some(1_700_000_000_000_000)),
        (4, None, None, None),
    ];
    for (n, service, reopened, opened) in streams {
        let mut facts = Vec::new();
        facts.extend(service.map(|service| (Fact::Service, fact(service))));
        facts.extend(reopened.map(|reopened| (Fact::Reopened, number(reopened))));
        facts.extend(opened.map(|opened| (Fact::Opened, number(opened))));
        kit.ok(rows::batch().with(put(row_with(&stream(n), &facts), Expect::Absent)));
    }
    kit
}

pub(super) fn c12_every_fact_filters(on: On) {
    let kit = Kit::open(on);
    for (n, value) in [(1, 1), (2, 2)] {
        let all: Vec<_> = Fact::ALL
            .iter()
            .map(|one| match one.kind() {
                FactKind::Word => (*one, fact(&format!("w-{value}"))),
                FactKind::Integer | FactKind::Moment => (*one, number(value)),
            })
            .collect();
        kit.ok(rows::batch().with(put(row_with(&stream(n), &all), Expect::Absent)));
    }
    kit.ok(rows::batch().with(put(row_with(&stream(3), &[]), Expect::Absent)));
    for one in Fact::ALL {
        let scalar = match one.kind() {
            FactKind::Word => text("w-2"),
            FactKind::Integer | FactKind::Moment => Scalar::Integer(2),
        };
        found(&kit, Condition::is(*one, scalar), &[2]);
        found(&kit, not(Condition::Present(Var::Fact(*one))), &[3]);
    }
}

pub(super) fn c12_words_compare_by_bytes(on: On) {
    let kit = facts(on);
    let var = Var::Fact(Fact::Service);
    compared(&kit, &var, &text("water"), [&[2], &[1], &[1, 2], &[3], &[2, 3]]);
    compared(&kit, &var, &text("WATER"), [&[], &[], &[], &[1, 2, 3], &[1, 2, 3]]);
    compared(&kit, &var, &text("water-"), [&[], &[1, 2], &[1, 2], &[3], &[3]]);
    compared(&kit, &var, &text("water "), [&[], &[1, 2], &[1, 2], &[3], &[3]]);
    compared(&kit, &var, &text(""), [&[], &[], &[], &[1, 2, 3], &[1, 2, 3]]);
}

pub(super) fn c12_integers_compare_as_numbers(on: On) {
    let kit = facts(on);
    let var = Var::Fact(Fact::Reopened);
    compared(&kit, &var, &Scalar::Integer(2), [&[2], &[1], &[1, 2], &[3], &[2, 3]]);
    compared(&kit, &var, &Scalar::Integer(i64::MIN), [&[], &[], &[], &[1, 2, 3], &[1, 2, 3]]);
}

pub(super) fn c12_moments_compare_as_microseconds(on: On) {
    let kit = facts(on);
    let var = Var::Fact(Fact::Opened);
    compared(&kit, &var, &Scalar::Integer(0), [&[2], &[1], &[1, 2], &[3], &[2, 3]]);
    let late = Scalar::Integer(1_700_000_000_000_001);
    compared(&kit, &var, &late, [&[], &[1, 2, 3], &[1, 2, 3], &[], &[]]);
}

pub(super) fn c12_values_of_another_type_compare_as_false(on: On) {
    let kit = facts(on);
    let none: [&[u128]; 5] = [&[]; 5];
    compared(&kit, &Var::Fact(Fact::Service), &Scalar::Integer(0), none);
    compared(&kit, &Var::Fact(Fact::Service), &Scalar::Boolean(true), none);
    compared(&kit, &Var::Fact(Fact::Reopened), &text("2"), none);
    compared(&kit, &Var::Fact(Fact::Reopened), &Scalar::Boolean(false), none);
    compared(&kit, &Var::Fact(Fact::Opened), &text(""), none);
    found(&kit, not(Condition::is(Fact::Service, 0)), &[1, 2, 3, 4]);
}

pub(super) fn c12_absent_values_compare_as_false(on: On) {
    let kit = facts(on);
    compared(&kit, &Var::Fact(Fact::Team), &text("a"), [&[]; 5]);
    found(&kit, not(Condition::is(Fact::Service, "water")), &[1, 3, 4]);
    found(&kit, not(Condition::is(Fact::Team, "a")), &[1, 2, 3, 4]);
    found(&kit, not(not(Condition::is(Fact::Service, "water"))), &[2]);
    let unlike = Condition::Compare(Var::Fact(Fact::Service), Comparison::NotEqual, text("water"));
    found(&kit, not(unlike), &[2]);
    found(&kit, Condition::Present(Var::Fact(Fact::Service)), &[1, 2, 3]);
    found(&kit, not(Condition::Present(Var::Fact(Fact::Service))), &[4]);
    let field = Var::Field(rows::word("never"));
    compared(&kit, &field, &text("a"), [&[]; 5]);
    found(&kit, Condition::Present(field.clone()), &[]);
    found(&kit, not(Condition::Present(field)), &[1, 2, 3, 4]);
}

pub(super) fn c12_one_of_and_contains_on_facts(on: On) {
    let kit = facts(on);
    let service = Var::Fact(Fact::Service);
    let among = |scalars: &[Scalar]| Condition::OneOf(service.clone(), scalars.to_vec());
    found(&kit, among(&[text("roads"), text("water"), text("none")]), &[1, 2]);
    found(&kit, among(&[]), &[]);
    found(&kit, among(&[Scalar::Integer(1), text("roads"), text("roads")]), &[1]);
    found(&kit, not(among(&[text("roads")])), &[2, 3, 4]);
    let counts = vec![Scalar::Integer(0), text("2"), Scalar::Integer(10)];
    found(&kit, Condition::OneOf(Var::Fact(Fact::Reopened), counts), &[1, 3]);
    found(&kit, Condition::Contains(service.clone(), "water".to_owned()), &[2]);
    found(&kit, Condition::Contains(service, "wat".to_owned()), &[]);
}

pub(super) fn c12_conditions_are_joined(on: On) {
    let kit = facts(on);
    let water = || Condition::is(Fact::Service, "water");
    let roads = || Condition::is(Fact::Service, "roads");
    let often = || Condition::Compare(Var::Fact(Fact::Reopened), Comparison::AtLeast, Scalar::Integer(2));
    found(&kit, Condition::Constant(true), &[1, 2, 3, 4]);
    found(&kit, Condition::Constant(false), &[]);
    found(&kit, Condition::All(vec![]), &[1, 2, 3, 4]);
    found(&kit, Condition::Any(vec![]), &[]);
    found(&kit, not(Condition::All(vec![])), &[]);
    found(&kit, not(Condition::Any(vec![])), &[1, 2, 3, 4]);
    found(&kit, Condition::All(vec![water(), often()]), &[2]);
    found(&kit, Condition::All(vec![water(), roads()]), &[]);
    found(&kit, Condition::Any(vec![water(), roads()]), &[1, 2]);
    let nested = Condition::All(vec![
        Condition::Any(vec![roads(), often()]),
        not(Condition::All(vec![water(), Condition::Constant(true)])),
    ]);
    found(&kit, nested, &[1, 3]);
    found(&kit, Condition::Any(vec![Condition::All(vec![often(), not(water())]), roads()]), &[1, 3]);
}

/// Streams 1 to 4 with a field `f`: texts, numbers, several values, nothing.
fn fields(on: On) -> Kit {
    let kit = Kit::open(on);
    let text = |value: &str| IndexValue::Text(value.to_owned());
    let streams = [
        (1, vec![text("Élm street"), text("oak")]),
        (2, vec![text("oak"), IndexValue::Number(5)]),
        (3, vec![IndexValue::Number(-7), IndexValue::Number(1)]),
        (4, vec![]),
    ];
    for (n, values) in streams {
        let key: StreamKey = stream(n);
        // Another field with all the values must not answer for this one.
        let decoy = [text("oak"), text("Élm street"), IndexValue::Number(5)];
        kit.ok(rows::create(&key).with(index(&key, "f", &values)).with(index(&key, "g", &decoy)));
    }
    kit
}

pub(super) fn c12_index_is_replaced_whatever_was_there(on: On) {
    let kit = Kit::open(on);
    let (key, other) = (stream(1), stream(2));
    let values = |values: &[&str]| -> Vec<IndexValue> {
        values.iter().map(|value| IndexValue::Text((*value).to_owned())).collect()
    };
    let is = |value: &str| Condition::Compare(Var::Field(rows::word("f")), Comparison::Equal, text(value));
    // Of a stream that is not there yet; then, in the batch that makes it, twice.
    kit.ok(rows::create(&other).with(index(&key, "f", &values(&["ash", "elm"]))));
    kit.ok(rows::create(&key).with(index(&key, "f", &values(&["oak"]))).with(index(
        &key,
        "f",
        &values(&["yew", "fir"]),
    )));
    for (value, streams) in [("ash", &[][..]), ("elm", &[]), ("oak", &[]), ("yew", &[1]), ("fir", &[1])] {
        found(&kit, is(value), streams);
    }
    kit.ok(rows::batch().with(index(&key, "f", &values(&["fir"]))));
    found(&kit, is("yew"), &[]);
    found(&kit, is("fir"), &[1]);
    kit.ok(rows::batch().with(index(&key, "f", &[])));
    found(&kit, Condition::Present(Var::Field(rows::word("f"))), &[]);
}

pub(super) fn c12_index_texts_compare_by_bytes(on: On) {
    let kit = fields(on);
    let var = Var::Field(rows::word("f"));
    // A field with several values meets a comparison if one of them does.
    compared(&kit, &var, &text("oak"), [&[1, 2], &[], &[1, 2], &[1], &[1, 2]]);
    compared(&kit, &var, &text("Oak"), [&[], &[], &[], &[1, 2], &[1, 2]]);
    compared(&kit, &var, &text("Élm street"), [&[1], &[1, 2], &[1, 2], &[], &[1]]);
    found(&kit, Condition::Compare(var.clone(), Comparison::Equal, text("elm street")), &[]);
    found(&kit, Condition::Compare(var.clone(), Comparison::Equal, text("Élm")), &[]);
    found(&kit, not(Condition::Compare(var, Comparison::Equal, text("oak"))), &[3, 4]);
}

pub(super) fn c12_index_numbers_compare_as_numbers(on: On) {
    let kit = fields(on);
    let var = Var::Field(rows::word("f"));
    compared(&kit, &var, &Scalar::Integer(5), [&[2], &[3], &[2, 3], &[], &[2]]);
    compared(&kit, &var, &Scalar::Integer(-7), [&[3], &[], &[3], &[2, 3], &[2, 3]]);
    found(&kit, not(Condition::Compare(var, Comparison::Equal, Scalar::Integer(5))), &[1, 3, 4]);
}

pub(super) fn c12_index_yes_and_no_are_one_and_zero(on: On) {
    let kit = fields(on);
    let var = Var::Field(rows::word("f"));
    found(&kit, Condition::Compare(var.clone(), Comparison::Equal, Scalar::Boolean(true)), &[3]);
    found(&kit, Condition::OneOf(var.clone(), vec![Scalar::Boolean(true), text("none")]), &[3]);
    found(&kit, Condition::Compare(var, Comparison::Equal, Scalar::Boolean(false)), &[]);
}

pub(super) fn c12_index_fields_present_among_and_containing(on: On) {
    let kit = fields(on);
    let var = Var::Field(rows::word("f"));
    found(&kit, Condition::Present(var.clone()), &[1, 2, 3]);
    found(&kit, not(Condition::Present(var.clone())), &[4]);
    found(&kit, Condition::OneOf(var.clone(), vec![text("oak"), Scalar::Integer(1)]), &[1, 2, 3]);
    found(&kit, Condition::OneOf(var.clone(), vec![]), &[]);
    found(&kit, Condition::Contains(var.clone(), "oak".to_owned()), &[1, 2]);
    // A choice is included or it is not; a text in the index is not searched.
    found(&kit, Condition::Contains(var.clone(), "oa".to_owned()), &[]);
    found(&kit, Condition::Contains(var.clone(), "street".to_owned()), &[]);
    found(&kit, Condition::Contains(var.clone(), "elm street".to_owned()), &[]);
    let both = |one: &str, two: i64| {
        Condition::All(vec![
            Condition::Compare(var.clone(), Comparison::Equal, text(one)),
            Condition::Compare(var.clone(), Comparison::Equal, Scalar::Integer(two)),
        ])
    };
    found(&kit, both("oak", 5), &[2]);
    found(&kit, both("oak", 1), &[]);
}

pub(super) fn c12_an_empty_key_means_any_link_of_the_kind(on: On) {
    let kit = facts(on);
    for (n, kind, key) in
        [(1, "contact.a", b"x"), (1, "contact.a", b"y"), (3, "contact.a", b"z"), (2, "contact.b", b"x")]
    {
        kit.ok(rows::batch().with(rows::link(kind, key, &stream(n), false)));
    }
    let linked = |kind| Query {
        linked: Some(rows::link_key(kind, b"")),
        order: Order::OldestFirst,
        limit: 1,
        ..Query::new(rows::town(), rows::word("request"))
    };
    let one = "C-12: what any link of the kind leads to, once";
    assert_eq!(kit.walk(&linked("contact.a")), [1, 3], "{one}");
    assert_eq!(kit.walk(&linked("contact.b")), [2], "{one}");
    assert_eq!(kit.walk(&linked("contact")), [] as [u128; 0], "{one}: a kind is not a prefix");
}

pub(super) fn c12_linked_streams_that_meet_the_condition(on: On) {
    let kit = facts(on);
    let asset = StreamKey::new(rows::town(), rows::word("asset"), rows::uuid(2));
    kit.ok(rows::create(&asset));
    for key in [stream(1), stream(2), stream(4), asset, stream(9)] {
        kit.ok(rows::batch().with(rows::link("related.asset", b"a", &key, false)));
    }
    let linked = |filter| Query {
        filter,
        linked: Some(rows::link_key("related.asset", b"a")),
        order: Order::OldestFirst,
        limit: 1,
        ..Query::new(rows::town(), rows::word("request"))
    };
    let found = kit.walk(&linked(Condition::Constant(true)));
    assert_eq!(found, [4, 1, 2], "C-12: what the link leads to, of this kind, in order, as far as it exists");
    let found = kit.walk(&linked(Condition::is(Fact::Service, "water")));
    assert_eq!(found, [2], "C-12: and meets the condition");
}
