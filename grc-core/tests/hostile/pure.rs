//! What takes texts, bytes, numbers or a path, and needs no town.

use crate::{
    strings,
    town::{Watchdog, bounded},
};
use chrono::NaiveDate;
use grc_core::{
    Clock, Condition, Definition, ManualClock, Moment, Typed, Value, Word, canonical,
    condition::{Comparison, Environment, Scalar, Var},
    contact,
    definition::{Delay, Label},
    engine::RecordingTransport,
    insight::{Cell, Dimension, Figure, Key, Row, Table},
    intervention::shares,
    request::Given,
    storage::Fact,
    transport::{Transports, WebhookSecret},
};
use serde_json::{Value as Json, json};
use std::{fs, os::unix::ffi::OsStrExt, path::Path, sync::Arc};

/// Naughty strings, and giants.
fn texts() -> impl Iterator<Item = String> {
    strings::all().into_iter().chain(strings::giants())
}

#[test]
fn names_are_looked_up_by_any_text() {
    let _watchdog = Watchdog::new("names of things");
    let text = include_str!("../definitions/hostile.toml");
    let definition = Definition::from_files([("hostile.toml", text)]).unwrap();
    let (organisation, procedure) = (&definition.organisation, &definition.procedures["tout"]);
    let label = Label::Translated([("fr".to_owned(), "Rue".to_owned())].into());
    let row = |id: &str| Row {
        keys: vec![Some(Key { id: id.to_owned(), label: id.to_owned() })],
        cells: vec![Cell::Count(1)],
    };
    for text in texts() {
        bounded(&text, text.len(), || {
            let text = text.as_str();
            assert!(Dimension::from_name(text).is_none_or(|found| found.name() == text));
            assert!(Figure::from_name(text).is_none_or(|found| found.name() == text));
            assert!(Fact::from_name(text).is_none_or(|found| found.name() == text));
            assert!(organisation.agent(text).is_none_or(|found| found.id == *text));
            assert!(organisation.channel(text).is_none_or(|found| found.id == *text));
            assert!(organisation.service(text).is_none_or(|found| found.id == *text));
            assert!(organisation.team(text).is_none_or(|found| found.id == *text));
            assert!(organisation.template(text).is_none_or(|found| found.id == *text));
            assert!(!organisation.has_role(text));
            assert!(procedure.field(text).is_none_or(|found| found.id == *text));
            assert!(procedure.state(text).is_none_or(|found| found.id == *text));
            assert!(procedure.transition(text).is_none_or(|found| found.id == *text));
            assert_eq!(label.get(text), "Rue");
            let figures = vec![Figure::Total, Figure::Opened];
            let table = Table { dimensions: vec![Dimension::Service], figures, rows: vec![row(text)] };
            assert_eq!(table.cell(&[Some(text)], Figure::Total), Some(Cell::Count(1)));
            assert_eq!(table.cell(&[Some("x"), None], Figure::Total), None);
            assert_eq!(table.of(&row(text), Figure::Opened), None);
            assert_eq!(Word::new(text).is_ok(), text.parse::<Word>().is_ok());
            assert!(!format!("{:?}", Typed::new(text)).contains(text) || text.len() < 12);
            for country in [0, 33, u16::MAX] {
                let mobile = contact::mobile(text, country);
                assert!(mobile.is_none() || contact::phone(text, country) == mobile);
            }
        });
    }
}

/// Everything has this text.
struct Everything<'t>(&'t str);

impl Environment for Everything<'_> {
    fn value(&self, _: &Var) -> Option<Value> {
        Some(Value::from(self.0))
    }

    fn relation(&self, _: &str) -> bool {
        false
    }
}

#[test]
fn conditions_hold_any_text() {
    let _watchdog = Watchdog::new("conditions");
    // The giant that is folded is among them.
    for text in strings::all().into_iter().chain(strings::giants().into_iter().skip(1).take(1)) {
        // Folding is what takes room: of the text and of what is sought in it.
        bounded(&text, text.len() * 8, || {
            let word = Word::slug(&text);
            let var = || Var::Field(word.clone());
            let found = Condition::Compare(var(), Comparison::Equal, Scalar::from(text.as_str()))
                .and(Condition::Contains(var(), text.clone()));
            let none = Condition::among(Fact::Service, [&word]).and(Condition::Present(var()));
            assert!(found.holds(&Everything(&text)) && found.unmet(&Everything(&text)).is_empty());
            assert_eq!(none.unmet(&Everything("\u{1}")).len(), 1);
            assert_eq!(Condition::from_json(&found.to_json()).as_ref(), Ok(&found));
            for json in [json!(text), json!({ &text: text }), json!({ "==": [{ "var": text }, text] })] {
                let refused = Condition::from_json(&json).unwrap_err();
                assert!(refused.len() < 500, "{refused}");
            }
        });
    }
}

#[test]
fn secrets_and_signatures_of_any_text_are_refused() {
    let _watchdog = Watchdog::new("secrets");
    let secret = WebhookSecret::from_bytes(vec![7; 32]).unwrap();
    let now = Moment::from_micros(1_614_265_330_000_000);
    for text in texts() {
        bounded(&text, text.len(), || {
            let written = [WebhookSecret::parse(&text), WebhookSecret::parse(&format!("whsec_{text}"))];
            for error in written.into_iter().filter_map(Result::err) {
                assert!(error.to_string().len() < 100);
            }
            let bytes = WebhookSecret::from_bytes(text.clone().into_bytes());
            assert_eq!(bytes.is_ok(), (24..=64).contains(&text.len()));
            let body = text.as_bytes();
            secret.verify(&text, &text, &text, body, now, u32::MAX).unwrap_err();
            secret.verify(&text, "1614265330", &text, body, now, 0).unwrap_err();
            secret.verify(&text, "1614265330", &format!("v1,{text} v1,"), body, now, 300).unwrap_err();
        });
    }
    for (timestamp, now) in [
        ("9223372036854775807", i64::MIN),
        ("-9223372036854775808", i64::MAX),
        ("-9223372036854775808", i64::MIN),
        ("9223372036854775808", 0),
    ] {
        let now = Moment::from_micros(now);
        secret.verify("a", timestamp, "v1,", b"", now, u32::MAX).unwrap_err();
    }
    // As many signatures as there is room for.
    let many = "v1,AAAA ".repeat(1_000_000);
    bounded("", many.len(), || secret.verify("a", "1614265330", &many, b"", now, 300)).unwrap_err();
}

#[test]
fn channels_of_any_text_are_routed_if_they_are_words() {
    let _watchdog = Watchdog::new("routes");
    for text in texts() {
        bounded(&text, text.len(), || {
            let route = Transports::new().route([text.as_str()], Arc::new(RecordingTransport::new()));
            assert_eq!(route.is_ok(), Word::new(&text).is_ok());
        });
    }
    let many = std::iter::repeat_n("courriel", 200_000);
    bounded("", 200_000 * 8, || Transports::new().route(many, Arc::new(RecordingTransport::new()))).unwrap();
}

#[test]
fn numbers_and_moments_have_no_end_that_hurts() {
    let _watchdog = Watchdog::new("numbers");
    let numbers = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
    let zones = [chrono_tz::Europe::Paris, chrono_tz::Pacific::Apia, chrono_tz::Pacific::Kiritimati];
    for number in numbers {
        let at = Moment::from_micros(number);
        for other in numbers {
            let _ = (at.plus_days(other), at.plus_millis(other));
        }
        for zone in zones {
            for count in [0, 1, 12 * 300_000, u32::MAX] {
                let _ = at.plus_months(count, zone);
                let _ = Delay { months: count, days: count, hours: count }.from(at, zone);
            }
            let _ = (at.day(zone), at.month(zone), at.to_string());
            let _ = [NaiveDate::MIN, NaiveDate::MAX].map(|day| Moment::start_of(day, zone));
        }
        let clock = ManualClock::at(at);
        clock.set(at);
        assert_eq!(clock.now(), at);
        assert!(Given::replayed(at.to_utc()).quiet);
        let weights = [vec![], vec![0; 3], vec![u32::MAX; 200_000], vec![0, 1, u32::MAX]];
        for (weights, turn) in weights.iter().zip([0, 1, usize::MAX, usize::MAX - 1]) {
            let shared = bounded("", weights.len() * 64, || shares(number, weights, turn));
            let sum: i128 = shared.iter().map(|share| i128::from(*share)).sum();
            assert_eq!(sum, if weights.is_empty() { 0 } else { i128::from(number) });
        }
    }
    assert_eq!((0..=u8::MAX).filter_map(Fact::from_number).count(), Fact::ALL.len());
    for (number, written) in
        [(f64::MAX, None), (0.1, None), (f64::NAN, Some("null")), (f64::INFINITY, Some("null"))]
    {
        assert_eq!(canonical::to_bytes(&number).ok(), written.map(|written| written.as_bytes().to_vec()));
    }
    for text in texts() {
        let bytes = bounded(&text, text.len(), || canonical::to_bytes(&text)).unwrap();
        assert_eq!(serde_json::from_slice::<String>(&bytes).unwrap(), text);
    }
}

/// What is found is few, short and on one line each.
#[track_caller]
fn is_told(outcome: &Result<Definition, grc_core::definition::DefinitionError>) {
    let Err(error) = outcome else { return };
    assert!((1..=1_001).contains(&error.findings().len()));
    for finding in error.findings() {
        let said = finding.to_string();
        assert!(said.len() < 3_000 && !said.contains(char::is_control), "{} bytes: {said:.300}", said.len());
    }
}

#[test]
fn folders_of_anything_are_read_or_refused() {
    let _watchdog = Watchdog::new("folders");
    let root = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let folder = root.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    };
    let read = |path: &Path| bounded("", 4 << 20, || Definition::from_dir(path));
    // Any names, of anything.
    let names = folder("names");
    let mut written = 0;
    for (n, text) in strings::all().iter().enumerate() {
        let name: String = format!("{n}{text}").replace(['/', '\0'], "-");
        let name = name.as_bytes().get(..240).unwrap_or(name.as_bytes());
        let path = names.join(std::ffi::OsStr::from_bytes(&[name, b".toml"].concat()));
        fs::write(path, text).unwrap();
        written += 1;
        is_told(&bounded(text, text.len(), || {
            Definition::from_dir(format!("{}/{}", root.path().display(), text.replace("..", "")))
        }));
    }
    assert_eq!(written, 534);
    let outcome = read(&names);
    is_told(&outcome);
    assert!(outcome.is_err());
    // What is no text, too large, endless, or not there.
    let odd = folder("odd");
    fs::write(odd.join("wrong.toml"), b"a = \"\xff\"").unwrap();
    fs::write(odd.join("wide.json"), "é".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
        .unwrap();
    fs::write(odd.join("empty.toml"), "").unwrap();
    fs::write(odd.join("giant.toml"), "x".repeat(10_000_000)).unwrap();
    fs::write(odd.join("deep.json"), "[".repeat(1_000_000)).unwrap();
    fs::create_dir(odd.join("folder.toml")).unwrap();
    for (to, from) in
        [("/dev/zero", "zero.toml"), ("nowhere", "nowhere.toml"), (".", "round"), ("round", "again.json")]
    {
        std::os::unix::fs::symlink(to, odd.join(from)).unwrap();
    }
    let outcome = read(&odd);
    is_told(&outcome);
    assert!(outcome.is_err());
    for path in [Path::new("/dev/null"), &odd.join("giant.toml"), &odd.join("zero.toml"), &odd.join("-")] {
        is_told(&read(path));
    }
    // Deep, and many.
    let mut deep = folder("deep");
    for _ in 0..100 {
        deep.push("d");
        fs::create_dir(&deep).unwrap();
    }
    fs::write(deep.join("a.toml"), "").unwrap();
    is_told(&read(&root.path().join("deep")));
    let many = folder("many");
    for n in 0..1_200 {
        fs::write(many.join(format!("{n}.json")), "{").unwrap();
    }
    is_told(&read(&many));
    is_told(&read(root.path()));
}

#[test]
fn files_of_any_name_are_told_apart() {
    let _watchdog = Watchdog::new("files");
    // As many problems as are told, each with the name of its file.
    let bad = "[[organisation.role]]\n".repeat(2_000);
    let many: serde_json::Map<String, Json> = (0..200_000).map(|n| (format!("É{n}"), json!(n))).collect();
    for wrong in [json!(many), json!({ "procedure": many }), json!({ "organisation": many })] {
        is_told(&bounded("", 200_000 * 64, || Definition::from_json(&wrong)));
    }
    for text in texts().step_by(3) {
        is_told(&bounded(&text, text.len(), || Definition::from_json(&json!({ &text: text }))));
        let outcome = bounded(&text, text.len() + 40 * bad.len(), || {
            Definition::from_files([(text.as_str(), "{"), (&format!("{text}.toml"), bad.as_str())])
        });
        is_told(&outcome);
        assert!(outcome.is_err());
    }
}
