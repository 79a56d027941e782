//! C-15: documents; C-07: the organisation beside the streams.

use super::{
    erased::On,
    harness::Kit,
    rows::{self, conflict, document, publish, put, row, stream},
};
use crate::storage::{ConflictOn, DocumentRange, Expect, Load, Parts, Step, Which};

fn current(version: u64) -> Step {
    Step::Current { kind: rows::word("procedure"), name: rows::word("form"), version }
}

fn dropped(version: u64) -> Step {
    Step::DropDocument { kind: rows::word("procedure"), name: rows::word("form"), version }
}

#[track_caller]
fn versions(kit: &Kit) -> Vec<u64> {
    kit.procedures(Some("form"), Which::All).into_iter().map(|(_, version, _)| version).collect()
}

pub(super) fn c15_versions_grow_by_one(on: On) {
    let kit = Kit::open(on);
    for version in 1..=3 {
        kit.ok(rows::batch().with(publish("form", version, format!("body {version}").as_bytes())));
    }
    assert_eq!(versions(&kit), [1, 2, 3], "C-15: earlier versions stay, in order");
    for (expect, version) in [(Expect::Absent, 2), (Expect::Version(3), 3), (Expect::Version(3), 5)] {
        let step = Step::PutDocument { document: document("form", version, b"bad"), expect };
        assert!(
            kit.settle(rows::batch().with(step)).is_err(),
            "C-15: {version} does not follow on {expect:?}"
        );
    }
    let step = Step::PutDocument { document: document("other", 2, b"bad"), expect: Expect::Absent };
    assert!(kit.settle(rows::batch().with(step)).is_err(), "C-15: the first version is 1");
    assert_eq!(versions(&kit), [1, 2, 3], "C-15: a refused version leaves no trace");
    assert!(kit.procedures(Some("other"), Which::All).is_empty(), "C-15: a refused version leaves no trace");
}

pub(super) fn c15_put_over_another_version_conflicts(on: On) {
    let kit = Kit::open(on);
    let over = |expect, version| {
        rows::batch().with(Step::PutDocument { document: document("form", version, b"x"), expect })
    };
    conflict(kit.settle(over(Expect::Version(1), 2)), ConflictOn::Document, "C-15: there is no version 1");
    kit.ok(over(Expect::Absent, 1));
    conflict(kit.settle(over(Expect::Absent, 1)), ConflictOn::Document, "C-15: there is a version 1");
    kit.ok(over(Expect::Version(1), 2));
    conflict(kit.settle(over(Expect::Version(1), 2)), ConflictOn::Document, "C-15: the newest is 2");
    assert_eq!(versions(&kit), [1, 2], "C-15: nothing was written by what was refused");
}

pub(super) fn c15_current_is_compared_with_the_newest(on: On) {
    let kit = Kit::open(on);
    let with = |n, version| rows::create(&stream(n)).with(current(version));
    kit.ok(with(1, 0));
    conflict(kit.settle(with(2, 1)), ConflictOn::Document, "C-15: the document is absent");
    kit.ok(rows::batch().with(publish("form", 1, b"1")));
    kit.ok(rows::batch().with(publish("form", 2, b"2")));
    kit.ok(with(3, 2));
    for wrong in [0, 1, 3] {
        conflict(kit.settle(with(4, wrong)), ConflictOn::Document, "C-15: the newest version is 2");
        assert_eq!(kit.version(&stream(4)), None, "C-15: nothing of the batch is written");
    }
    kit.ok(rows::batch().with(dropped(2)));
    kit.ok(with(5, 0));
    assert!(versions(&kit).is_empty(), "C-15: `Current` writes nothing");
}

pub(super) fn c15_raise_never_lowers(on: On) {
    let kit = Kit::open(on);
    let raise = |version, body: &[u8]| {
        kit.ok(rows::batch().with(Step::RaiseDocument(document("form", version, body))));
    };
    let all = || kit.procedures(Some("form"), Which::All);
    raise(5, b"five");
    assert_eq!(all(), [("form".to_owned(), 5, b"five".to_vec())], "C-15: raised from nothing");
    raise(3, b"three");
    raise(5, b"again");
    assert_eq!(all(), [("form".to_owned(), 5, b"five".to_vec())], "C-15: never lowered, never rewritten");
    raise(6, b"six");
    assert_eq!(all(), [("form".to_owned(), 6, b"six".to_vec())], "C-15: not even the version just before");
    raise(9, b"nine");
    assert_eq!(all(), [("form".to_owned(), 9, b"nine".to_vec())], "C-15: no earlier version is left");
    kit.ok(rows::batch().with(publish("form", 10, b"ten")));
    assert_eq!(versions(&kit), [9, 10], "C-15: a raised document goes on like any other");
}

pub(super) fn c15_drop_takes_every_version(on: On) {
    let kit = Kit::open(on);
    conflict(kit.settle(rows::batch().with(dropped(1))), ConflictOn::Document, "C-15: there is no version 1");
    kit.ok(rows::batch().with(publish("form", 1, b"1")).with(publish("forms", 1, b"other")));
    kit.ok(rows::batch().with(publish("form", 2, b"2")));
    for wrong in [0, 1, 3] {
        let result = kit.settle(rows::batch().with(dropped(wrong)));
        conflict(result, ConflictOn::Document, "C-15: the newest version is 2");
        assert_eq!(versions(&kit), [1, 2], "C-15: nothing was dropped");
    }
    kit.ok(rows::batch().with(dropped(2)));
    assert!(versions(&kit).is_empty(), "C-15: all versions are dropped");
    assert_eq!(kit.procedures(None, Which::All).len(), 1, "C-15: other documents stay");
    kit.ok(rows::batch().with(publish("form", 1, b"new")));
    assert_eq!(versions(&kit), [1], "C-15: after a drop the document is absent and begins at 1");
}

pub(super) fn c15_ranges_give_newest_one_and_all(on: On) {
    let kit = Kit::open(on);
    for (name, versions) in [("a", 3), ("b", 1), ("c", 2)] {
        for version in 1..=versions {
            kit.ok(rows::batch().with(publish(name, version, format!("{name}{version}").as_bytes())));
        }
    }
    let names = |name, which| -> Vec<String> {
        let found = kit.procedures(name, which);
        for (name, version, body) in &found {
            assert_eq!(*body, format!("{name}{version}").into_bytes(), "C-07: each body as it was written");
        }
        found.into_iter().map(|(name, version, _)| format!("{name}{version}")).collect()
    };
    assert_eq!(names(None, Which::Newest), ["a3", "b1", "c2"], "C-15: the newest of each name");
    assert_eq!(names(None, Which::All), ["a1", "a2", "a3", "b1", "c1", "c2"], "C-15: all of them");
    assert_eq!(names(None, Which::Version(2)), ["a2", "c2"], "C-15: one version of those that have it");
    assert_eq!(names(Some("a"), Which::Newest), ["a3"], "C-15: of one name");
    assert_eq!(names(Some("a"), Which::Version(1)), ["a1"], "C-15: of one name");
    assert!(names(Some("b"), Which::Version(2)).is_empty(), "C-15: a version that is not there");
    assert!(names(Some("x"), Which::All).is_empty(), "C-15: a name that is not there");
    for n in 1..=3 {
        let range = DocumentRange {
            which: Which::Version(n),
            ..DocumentRange::newest(rows::town(), rows::word("procedure"), rows::word("a"))
        };
        let found = kit.documents(&range);
        assert_eq!(found.len(), 1, "C-15: version {n} of one name is found under a limit of one name");
    }
    let kind = DocumentRange::newest(rows::town(), rows::word("view"), rows::word("a"));
    assert!(kit.documents(&kind).is_empty(), "C-15: kinds are apart");
}

pub(super) fn c15_names_are_paged(on: On) {
    let kit = Kit::open(on);
    for name in ["a", "a.b", "a-b", "b", "b0", "z"] {
        kit.ok(rows::batch().with(publish(name, 1, b"1")));
        kit.ok(rows::batch().with(publish(name, 2, b"2")));
    }
    // In order of bytes: `-` before `.` before digits before letters.
    let expected = ["a", "a-b", "a.b", "b", "b0", "z"];
    for (which, rows_each) in [(Which::Newest, 1), (Which::All, 2), (Which::Version(1), 1)] {
        for limit in [1, 2, 3, 6, 7] {
            let mut names: Vec<String> = Vec::new();
            let mut after = None;
            loop {
                let page = kit.documents(&DocumentRange {
                    authority: rows::town(),
                    kind: rows::word("procedure"),
                    name: None,
                    after: after.clone(),
                    which,
                    limit,
                });
                let Some(last) = page.last() else { break };
                assert!(page.len() <= limit as usize * rows_each, "C-15: a page has at most `limit` names");
                after = Some(last.name.clone());
                names.extend(page.iter().map(|document| document.name.to_string()));
            }
            assert_eq!(
                names.len(),
                expected.len() * rows_each,
                "C-15: all that is asked of a name, on one page"
            );
            names.dedup();
            assert_eq!(names, expected, "C-15: each name once, by name, in pages of {limit}, {which:?}");
        }
    }
}

pub(super) fn c15_names_without_the_version_asked_for_take_no_place(on: On) {
    let kit = Kit::open(on);
    for (name, versions) in [("a", 1), ("b", 1), ("c", 2), ("d", 1), ("e", 2)] {
        for version in 1..=versions {
            kit.ok(rows::batch().with(publish(name, version, b"body")));
        }
    }
    let page = |after: Option<&str>, limit| -> Vec<String> {
        let range = DocumentRange {
            authority: rows::town(),
            kind: rows::word("procedure"),
            name: None,
            after: after.map(rows::word),
            which: Which::Version(2),
            limit,
        };
        kit.documents(&range).into_iter().map(|document| document.name.to_string()).collect()
    };
    assert_eq!(page(None, 1), ["c"], "C-15: a page is never empty while more follows");
    assert_eq!(page(None, 2), ["c", "e"], "C-15: a limit counts names of which something is given");
    assert_eq!(page(Some("c"), 1), ["e"], "C-15: and goes on after the last of them");
}

pub(super) fn c07_the_organisation_is_loaded_with_the_streams(on: On) {
    let kit = Kit::open(on);
    let load = Load { authority: rows::town(), streams: vec![stream(1)], parts: Parts::None, receipt: None };
    assert_eq!(kit.loaded(&load).organisation, 0, "C-07: 0 means that there is none");
    for version in 1..=3u64 {
        let mut body = document("main", version, b"{}");
        body.kind = rows::word("organisation");
        let expect = if version == 1 { Expect::Absent } else { Expect::Version(version - 1) };
        let row = row(&stream(1), version);
        let step = Step::PutDocument { document: body, expect };
        kit.ok(rows::batch().with(put(row, expect)).with(step));
        assert_eq!(kit.loaded(&load).organisation, version, "C-07: the newest version of the organisation");
    }
}
