//! C-08: links.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, conflict, link, link_key, stream},
};
use crate::storage::{ConflictOn, Order, Query, Step};

#[track_caller]
fn linked(kit: &Kit, kind: &str, key: &[u8]) -> Vec<u128> {
    kit.walk(&Query {
        linked: Some(link_key(kind, key)),
        order: Order::OldestFirst,
        ..Query::new(rows::town(), rows::word("request"))
    })
}

fn two_streams(on: On) -> Kit {
    let kit = Kit::open(on);
    kit.ok(rows::create(&stream(1)));
    kit.ok(rows::create(&stream(2)));
    kit
}

pub(super) fn c08_unique_link_leads_to_one_stream(on: On) {
    let kit = two_streams(on);
    kit.ok(rows::batch().with(link("tracking", b"code", &stream(1), true)));
    for unique in [true, false] {
        let result = kit.settle(rows::batch().with(link("tracking", b"code", &stream(2), unique)));
        conflict(result, ConflictOn::Link, "C-08: no other stream may have a unique link");
    }
    assert_eq!(linked(&kit, "tracking", b"code"), [1], "C-08: a unique link leads to one stream");
}

pub(super) fn c08_link_that_others_have_cannot_be_made_unique(on: On) {
    let kit = two_streams(on);
    kit.ok(rows::batch().with(link("source.import", b"key", &stream(1), false)));
    let result = kit.settle(rows::batch().with(link("source.import", b"key", &stream(2), true)));
    conflict(result, ConflictOn::Link, "C-08: unique means that no other stream has it");
}

pub(super) fn c08_other_links_lead_to_any_number(on: On) {
    let kit = Kit::open(on);
    for n in 1..=5 {
        kit.ok(rows::create(&stream(n)).with(link("contact.email", b"token", &stream(n), false)));
    }
    assert_eq!(linked(&kit, "contact.email", b"token"), [1, 2, 3, 4, 5], "C-08: a plain link leads to all");
    assert!(linked(&kit, "contact.email", b"toke").is_empty(), "C-08: keys are compared whole");
    assert!(linked(&kit, "contact.emai", b"token").is_empty(), "C-08: kinds are compared whole");
}

pub(super) fn c08_making_a_link_again_changes_nothing(on: On) {
    let kit = two_streams(on);
    for _ in 0..2 {
        kit.ok(rows::batch().with(link("tracking", b"code", &stream(1), true)));
        kit.ok(rows::batch().with(link("contact.email", b"token", &stream(1), false)));
    }
    assert_eq!(linked(&kit, "tracking", b"code"), [1], "C-08: made twice, it leads there once");
    assert_eq!(linked(&kit, "contact.email", b"token"), [1], "C-08: made twice, it leads there once");
    kit.ok(rows::batch().with(Step::DropLink { key: link_key("tracking", b"code"), stream: stream(1) }));
    assert!(linked(&kit, "tracking", b"code").is_empty(), "C-08: made twice, dropped once");
}

pub(super) fn c08_same_key_of_another_kind_is_another_link(on: On) {
    let kit = two_streams(on);
    let binary: Vec<u8> = (0..=199).collect();
    kit.ok(rows::batch().with(link("tracking", &binary, &stream(1), true)));
    kit.ok(rows::batch().with(link("source.import", &binary, &stream(2), true)));
    assert_eq!(linked(&kit, "tracking", &binary), [1], "C-08: kinds are apart, keys are bytes");
    assert_eq!(linked(&kit, "source.import", &binary), [2], "C-08: kinds are apart, keys are bytes");
    let mut upper = binary;
    upper[97] = b'A';
    assert!(linked(&kit, "tracking", &upper).is_empty(), "C-08: keys compare byte by byte");
}

pub(super) fn c08_drop_link_takes_one_link(on: On) {
    let kit = two_streams(on);
    for n in 1..=2 {
        kit.ok(rows::batch().with(link("contact.email", b"token", &stream(n), false)));
    }
    let away = |n| {
        rows::batch().with(Step::DropLink { key: link_key("contact.email", b"token"), stream: stream(n) })
    };
    kit.ok(away(1));
    assert_eq!(linked(&kit, "contact.email", b"token"), [2], "C-08: the others stay");
    kit.ok(away(1));
    assert_eq!(linked(&kit, "contact.email", b"token"), [2], "C-08: dropping an absent link is fine");
    kit.ok(rows::batch().with(link("tracking", b"code", &stream(1), true)));
    kit.ok(rows::batch().with(Step::DropLink { key: link_key("tracking", b"code"), stream: stream(2) }));
    assert_eq!(
        linked(&kit, "tracking", b"code"),
        [1],
        "C-08: a link is dropped where it leads, nowhere else"
    );
    kit.ok(rows::batch()
        .with(Step::DropLink { key: link_key("tracking", b"code"), stream: stream(1) })
        .with(link("tracking", b"code", &stream(2), true)));
    assert_eq!(linked(&kit, "tracking", b"code"), [2], "C-08: a dropped unique link is free again");
}

pub(super) fn c08_drop_links_takes_the_kinds_that_begin_so(on: On) {
    let kit = two_streams(on);
    let kinds = ["contact.email", "contact.phone", "contact_x", "contacts", "tracking"];
    for n in 1..=2 {
        for kind in kinds {
            kit.ok(rows::batch().with(link(kind, b"token", &stream(n), false)));
        }
    }
    let away =
        |prefix: &str| rows::batch().with(Step::DropLinks { stream: stream(1), prefix: prefix.to_owned() });
    kit.ok(away("contact."));
    for kind in &kinds[..2] {
        assert_eq!(linked(&kit, kind, b"token"), [2], "C-08: `{kind}` of the stream is dropped");
    }
    for kind in &kinds[2..] {
        assert_eq!(linked(&kit, kind, b"token"), [1, 2], "C-08: `{kind}` does not begin with `contact.`");
    }
    // An underscore and a percent sign mean themselves, not any character.
    kit.ok(away("contact_"));
    assert_eq!(linked(&kit, "contact_x", b"token"), [2], "C-08: `contact_x` is dropped");
    assert_eq!(linked(&kit, "contacts", b"token"), [1, 2], "C-08: an underscore means itself");
    kit.ok(away("%"));
    assert_eq!(linked(&kit, "tracking", b"token"), [1, 2], "C-08: a percent sign means itself");
    kit.ok(away(""));
    for kind in kinds {
        assert_eq!(linked(&kit, kind, b"token"), [2], "C-08: every kind begins with nothing");
    }
}
