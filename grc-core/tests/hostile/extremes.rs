//! Giants, nesting, the ends of numbers and of time, lists without end.

use crate::{
    memory, strings,
    town::{Town, Watchdog, answered, refused_for},
};
use chrono::{DateTime, NaiveDate, Utc};
use grc_core::{
    Assignee, Budget, Condition, Definition, Intake, List, Moment, Party, Place, RequestId, Stores,
    TrackingCode, Value, Word,
    conformance::fuzzing,
    contact,
    definition::Contact,
    fold,
    insight::{Dimension, Figure, Question},
    intervention::{Planning, Purchase, Work},
    request::{Command, Fire, media_of},
    storage::Cursor,
};
use pollster::block_on;

#[test]
fn giants_are_refused_in_a_few_words() {
    let _watchdog = Watchdog::new("giants");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let id = town.request();
    for text in strings::giants() {
        let give = || text.clone();
        let size = text.len();
        for field in
            ["texte", "ligne", "clair", "nombre", "montant", "jour", "oui", "choix", "liste", "mel", "tel"]
        {
            let intake = Intake::new("tout", "web").set(field, give());
            let outcome = answered(&text, size, desk.submit(intake));
            // Line breaks alone are nothing typed.
            assert_eq!(outcome.is_ok(), text.trim().is_empty(), "{field}");
        }
        for party in [
            Party::requester().family_name(give()),
            Party::requester().email(give()),
            Party::requester().phone(give()),
            Party::named("a", "b").answer_by(give()),
        ] {
            let _ = answered(&text, size, desk.submit(Intake::new("tout", "web").party(party)));
        }
        for intake in [
            Intake::new("tout", "web").at(Place::address(&text, &text, &text)),
            Intake::new("tout", "web").source_key(give()),
            Intake::new(give(), "web"),
            Intake::new("tout", give()),
            Intake::new("tout", "web").key(give()),
            Intake::new("tout", "web").set(give(), "x"),
        ] {
            let _ = answered(&text, size * 4, desk.submit(intake));
        }
        // Each is copied for each command, so not all of them.
        if text.starts_with(['x', '\n']) {
            for command in crate::commands(&text) {
                let _ = answered(&text, size * 3, desk.act_on(id, None, command));
            }
        }
        let _ = answered(&text, size, desk.by_contact("tout", Contact::Email, &text));
        let (peak, _) = memory::peak_of(|| {
            assert!(contact::email(&text).is_none() && contact::phone(&text, 33).is_none());
            assert!(Word::new(&text).is_err() && text.parse::<TrackingCode>().is_err());
            assert!(text.parse::<Cursor>().is_err() && text.parse::<RequestId>().is_err());
            assert!(fuzzing::template(&text, &[]).is_none());
            let _ = media_of(&text, text.as_bytes());
            (Word::slug(&text), fold::folded(&text).len())
        });
        assert!(peak < 8 * size, "{peak}");
    }
    let endless = std::io::Read::chain(&b"\xff\xd8\xff"[..], std::io::repeat(0xff));
    answered("", 4 << 20, desk.store_file(None, "a.jpg", endless)).unwrap_err();
    assert!(block_on(desk.open(id)).is_ok());
}

#[test]
fn nesting_without_end_is_refused_wherever_json_is_read() {
    let _watchdog = Watchdog::new("nesting");
    for depth in [17, 127, 128, 100_000] {
        for (open, close) in [("[", "]"), ("{\"!\":", "}"), ("{\"and\":[", "]}"), ("{\"text\":", "}")] {
            let text = format!("{}true{}", open.repeat(depth), close.repeat(depth));
            let (peak, _) = memory::peak_of(|| {
                assert!(serde_json::from_str::<Condition>(&text).is_err());
                assert!(fuzzing::value(text.as_bytes()).is_none());
                assert!(Definition::from_files([("a.json", &text)]).is_err());
                assert_eq!(fuzzing::bodies(text.as_bytes()), 0);
            });
            assert!(peak < 12 * text.len() + (2 << 20), "{peak} for {depth}");
        }
    }
}

#[test]
fn what_json_cannot_mean_is_refused() {
    let _watchdog = Watchdog::new("what JSON cannot mean");
    for text in [
        r#"{"text":"\ud800"}"#,
        r#"{"integer":1e400}"#,
        r#"{"integer":1e18}"#,
        r#"{"integer":0.5}"#,
        r#"{"integer":NaN}"#,
        r#"{"integer":-Infinity}"#,
        r#"{"integer":9223372036854775808}"#,
        r#"{"point":[2147483648,0]}"#,
        r#"{"point":[0.5,0]}"#,
        r#"{"date":"2026-02-30"}"#,
        r#"{"choice":"É"}"#,
        "{\"text\":\"\u{1}\"}",
        r#"{"text":"a"}x"#,
        "",
    ] {
        assert!(fuzzing::value(text.as_bytes()).is_none(), "{text}");
    }
    for text in [
        r#"{"==":[{"var":"opened"},1e18]}"#,
        r#"{"==":[{"var":"opened"},1e400]}"#,
        r#"{"==":[{"var":"opened"},NaN]}"#,
        r#"{"==":[{"var":"state"},"\udfff"]}"#,
        r#"{"==":[{"var":"state"},null]}"#,
    ] {
        assert!(serde_json::from_str::<Condition>(text).is_err(), "{text}");
    }
    assert!(fuzzing::value(b"{\"text\":\"\xff\"}").is_none());
}

/// The ends of numbers, and what lies near them.
const NUMBERS: &[i64] =
    &[i64::MIN, i64::MIN + 1, -(1 << 53) - 1, -1, 0, 1, (1 << 53) + 1, i64::MAX - 1, i64::MAX];

#[test]
fn the_ends_of_numbers_and_of_time_are_taken_or_refused() {
    let _watchdog = Watchdog::new("ends");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let id = town.request();
    let moments: Vec<DateTime<Utc>> = NUMBERS
        .iter()
        .map(|number| Moment::from_micros(*number).to_utc())
        .chain([DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC])
        .collect();
    let on_site = |from, until| Planning::new(from, until).serving(id).team("chaussee");
    let window = moments[4] + chrono::Duration::days(20_800);
    let site = block_on(desk.plan(on_site(window, window + chrono::Duration::hours(1)))).unwrap().id();
    let mut taken = 0;
    for number in NUMBERS.iter().copied() {
        let text = number.to_string();
        for field in ["nombre", "montant", "jour", "oui", "choix", "texte", "liste"] {
            for value in [
                Value::Integer(number),
                Value::Amount(number),
                Value::Text(text.clone()),
                Value::Text(format!("{text},99")),
                Value::Text(format!("{text}e400")),
                Value::Point(i32::MIN, i32::MAX),
                Value::Boolean(true),
            ] {
                let read = match field {
                    "nombre" => value == Value::Integer(number),
                    "montant" => value == Value::Amount(number),
                    _ => false,
                };
                // A bare number is no amount: it could be euros or cents.
                let bare = field == "montant" && value == Value::Integer(number);
                let given = value.clone();
                let outcome = answered("", 0, desk.submit(Intake::new("tout", "web").set(field, value)));
                taken += u32::from(outcome.is_ok());
                assert!(!(bare && outcome.is_ok()));
                if read && let Ok(submitted) = outcome {
                    let seen = block_on(desk.open(submitted.id())).unwrap();
                    assert_eq!(seen.field(field), Some(&given));
                }
            }
        }
        for work in [
            Work::spend(number),
            Work::Buy(Purchase::net(number)),
            Work::Buy(Purchase::net(number).vat_rate(u32::MAX)),
            Work::Buy(Purchase::net(number).vat(number).vat_rate(2_000)),
            Work::Buy(Purchase::net(format!("{text},01")).vat("-0,01")),
        ] {
            let _ = answered("", 0, desk.work_on(site, None, work));
        }
        let plan = on_site(window, window).estimate(number, number);
        let _ = answered("", 0, desk.plan(plan.serving_with(id, u32::MAX)));
        let minutes = u32::try_from(number & 0xffff_ffff).unwrap();
        let _ =
            answered("", 0, desk.act_on(id, None, Command::Work { minutes, cents: number, supplier: None }));
    }
    for day in [NaiveDate::MIN, NaiveDate::MAX] {
        let outcome = answered("", 0, desk.submit(Intake::new("tout", "web").set("jour", day)));
        if let Ok(submitted) = outcome {
            assert_eq!(block_on(desk.open(submitted.id())).unwrap().field("jour"), Some(&Value::Date(day)));
        }
    }
    for (latitude, longitude) in [
        (f64::NAN, 0.0),
        (0.0, f64::INFINITY),
        (90.1, 0.0),
        (f64::MAX, f64::MIN),
        (1e-320, -0.0),
        (-90.0, 180.0),
    ] {
        for place in [
            Place::position(latitude, longitude),
            Place::address("12 rue des Lilas", "", "").and_position(latitude, longitude),
        ] {
            assert_eq!(
                answered("", 0, desk.submit(Intake::new("tout", "web").at(place))).is_ok(),
                latitude.abs() <= 90.0 && longitude.abs() <= 180.0
            );
        }
    }
    for at in &moments {
        let moment = Moment::from(*at);
        let _ = answered("", 0, desk.submit(Intake::new("tout", "web").occurred_at(*at)));
        let _ = answered("", 0, desk.submit(Intake::new("tout", "web").target(*at)));
        let note = grc_core::Instruction::new(Command::note("x")).occurred_at(*at);
        let _ = answered("", 0, desk.act_on(id, None, note));
        for other in &moments {
            let _ = answered("", 0, desk.plan(on_site(*at, *other)));
            for by in [Dimension::Month, Dimension::Week, Dimension::Day, Dimension::Hour] {
                let question = Question::all().figures([Figure::Open, Figure::Opened]).by([by]);
                let question = question.between(moment, Moment::from(*other));
                // An answer has many rows at most.
                let _ = answered("", Question::MAX_CELLS * 16, desk.measure(&question));
            }
        }
        for by in [Dimension::State, Dimension::Month] {
            let question = Question::all().figures([Figure::Open]).by([by]).at(moment);
            let _ = answered("", 0, desk.measure(&question));
        }
    }
    for limit in [0, 1, 1_000, 1_001, u32::MAX] {
        let outcome = block_on(desk.list(&List::new().limit(limit)));
        assert_eq!(outcome.is_ok(), (1..=1_000).contains(&limit), "{limit}");
    }
    println!("{taken} taken");
    assert!(taken > 50, "{taken}");
    // At the end of time everything is due, and nothing is after it.
    for end in [Moment::from_micros(i64::MAX), Moment::from_micros(i64::MIN)] {
        town.clock.set(end);
        let _ = block_on(desk.submit(Intake::new("tout", "web")));
        let _ = block_on(desk.act_on(id, None, Command::Fire(Fire::new("finir").outcome("fait"))));
        let _ = block_on(town.authority.host("essai").work(None, Budget::ALL));
    }
}

#[test]
fn lists_without_end_are_refused() {
    let _watchdog = Watchdog::new("lists");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let id = town.request();
    const MANY: usize = 200_000;
    let size = MANY * 64;
    let names = || (0..MANY).map(|n| format!("f{n}"));
    let party = || Party::named("a", "b");
    let many = names().fold(Intake::new("tout", "web"), |intake, name| intake.set(name, "x"));
    refused_for("intake.too-large", answered("", size, desk.submit(many)));
    let many = (0..MANY).fold(Intake::new("tout", "web"), |intake, _| intake.party(party()));
    refused_for("party.too-many", answered("", size, desk.submit(many)));
    let many = Command::Correct(names().map(|name| (name, Some("x".into()))).collect());
    refused_for("field.too-many", answered("", size, desk.act_on(id, None, many)));
    let many = names().fold(Fire::new("finir").outcome("fait"), |fire, name| fire.set(name, "x"));
    refused_for("field.too-many", answered("", size, desk.act_on(id, None, Command::Fire(many))));
    let many = Command::Erase { paths: names().collect(), reason: "tort".to_owned() };
    refused_for("erase.too-many", answered("", size, desk.act_on(id, None, many)));
    let at = Moment::from_micros(1_795_514_400_000_000).to_utc();
    let plan = || Planning::new(at, at + chrono::Duration::hours(1)).serving(id).team("chaussee");
    let many = names().fold(plan(), Planning::agent);
    refused_for("intervention.too-many", answered("", size, desk.plan(many)));
    let question = || Question::all().figures([Figure::Total]);
    let many = question().by(std::iter::repeat_n(Dimension::Service, MANY));
    refused_for("figures.dimensions", answered("", size, desk.measure(&many)));
    let many = Question::all().figures(std::iter::repeat_n(Figure::Total, MANY)).by([Dimension::Service]);
    refused_for("figures.too-many", answered("", size, desk.measure(&many)));
    let many = Condition::Any(vec![Condition::Constant(false); MANY]);
    assert!(answered("", size, desk.list(&List::new().filter(many.clone()))).is_err());
    assert!(answered("", size, desk.measure(&Question::those(many).figures([Figure::Total]))).is_err());
    let many = vec![Word::slug("a"); MANY];
    assert!(
        answered("", size, desk.submit(Intake::new("tout", "web").set("liste", Value::Choices(many))))
            .is_err()
    );
    let many = "a,".repeat(MANY);
    assert!(answered("", size, desk.submit(Intake::new("tout", "web").set("liste", many))).is_err());
    // The next is as before.
    let assign = Command::assign(Assignee::team("chaussee"));
    answered("", 0, desk.act_on(id, None, assign)).unwrap();
}
