//! Hostile input over the whole public interface: it is taken as it was typed, or refused in words that say where and
//! why and repeat nothing of it; nothing panics, hangs, or takes memory without bound.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "helpers of tests")]

#[path = "hostile/asked.rs"]
mod asked;
#[path = "hostile/definition.rs"]
mod definition;
#[path = "hostile/extremes.rs"]
mod extremes;
#[path = "hostile/host.rs"]
mod host;
#[path = "common/memory.rs"]
mod memory;
#[path = "hostile/named.rs"]
mod named;
#[path = "hostile/pure.rs"]
mod pure;
#[path = "hostile/rendered.rs"]
mod rendered;
#[path = "hostile/seen.rs"]
mod seen;
#[path = "hostile/strings.rs"]
mod strings;
#[path = "hostile/town.rs"]
mod town;

use grc_core::{
    Actor, Assignee, Condition, Intake, List, Party, Place, RequestId, Stores, TrackingCode, Value, Word,
    condition::{Comparison, Scalar, Var},
    definition::Contact,
    insight::{Figure, Question},
    intervention::{Planning, Purchase, Work},
    request::{Command, DeliveryReport, Fire},
    storage::{Cursor, Fact},
};
use pollster::block_on;
use std::collections::BTreeMap;
use town::{Town, Watchdog, answered};

/// The fields of the form that take texts, and those that make something else of them.
const FIELDS: &[&str] =
    &["texte", "ligne", "clair", "nombre", "montant", "jour", "oui", "choix", "liste", "mel", "tel", "photo"];

/// Everything that can be typed into an intake is this text, but what is left out.
fn typed(text: &str, out: &dyn Fn(&str) -> bool) -> Intake {
    let mut intake = Intake::new("tout", "web");
    for field in FIELDS.iter().filter(|field| !out(&format!("fields.{field}"))) {
        intake = intake.set(*field, text);
    }
    let mut party = Party::requester();
    type Give = fn(Party, String) -> Party;
    let details: [(&str, Give); 5] = [
        ("requester.name", Party::family_name),
        ("requester.given", Party::given_name),
        ("requester.email", Party::email),
        ("requester.phone", Party::phone),
        ("requester.address", |party, text| party.address(&text, "", "")),
    ];
    for (path, give) in details {
        if !out(path) {
            party = give(party, text.to_owned());
        }
    }
    if !party.is_empty() {
        intake = intake.party(party);
    }
    if !out("place.address") {
        intake = intake.at(Place::address(text, "", ""));
    }
    if !out("source_key") {
        intake = intake.source_key(text);
    }
    intake
}

#[test]
fn what_is_typed_comes_back_as_it_was_or_is_refused_where_it_stands() {
    let _watchdog = Watchdog::new("what is typed");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let (mut same, mut refused) = (BTreeMap::<String, u32>::new(), BTreeMap::<&str, u32>::new());
    for text in strings::all() {
        let size = text.len() * 20;
        let first = match answered(&text, size, desk.submit(typed(&text, &|_| false))) {
            Ok(submitted) => Ok(submitted),
            Err(error) => {
                let refusal = error.refusal().unwrap();
                for problem in refusal.problems() {
                    *refused.entry(problem.code).or_default() += 1;
                }
                // What is left is taken, unless the same was handed in before.
                let out = |path: &str| refusal.problems().iter().any(|problem| problem.path == path);
                answered(&text, size, desk.submit(typed(&text, &|path| out(path) || path == "source_key")))
            }
        };
        let id = first.unwrap_or_else(|refusal| panic!("{text:?}: {refusal}")).id();
        let seen = block_on(desk.open(id)).unwrap();
        for field in ["texte", "ligne", "clair", "mel", "tel"] {
            match seen.field(field) {
                Some(Value::Text(found)) => {
                    let wanted = if matches!(field, "mel" | "tel") { text.trim() } else { text.as_str() };
                    assert_eq!(found, wanted, "{field}");
                    *same.entry(field.to_owned()).or_default() += 1;
                }
                Some(other) => panic!("{field}: {other:?}"),
                None => {}
            }
        }
        for party in seen.parties() {
            for (detail, value) in &party.details {
                assert_eq!(value.to_string().trim(), text.trim(), "{detail}");
                *same.entry(detail.to_string()).or_default() += 1;
            }
        }
        if let Some(found) = seen.place().and_then(|place| place.address.as_ref()) {
            assert_eq!(found, text.trim());
            *same.entry("place".to_owned()).or_default() += 1;
        }
        if id.uuid().as_u128().is_multiple_of(8) {
            let verdict = block_on(town.authority.host("essai").verify(id)).unwrap();
            assert!(format!("{verdict:?}").len() < 1_000);
        }
    }
    println!("read back: {same:?}\nrefused: {refused:?}");
    for (place, least) in
        [("texte", 480), ("ligne", 450), ("clair", 100), ("name", 450), ("address", 450), ("place", 450)]
    {
        assert!(same[place] >= least, "{place}: {same:?}");
    }
    for code in
        ["field.kind", "field.option", "field.email", "field.phone", "field.too-long", "field.control"]
    {
        assert!(refused.contains_key(code), "{code}: {refused:?}");
    }
}

/// Every command that takes a text, with this one.
fn commands(text: &str) -> Vec<Command> {
    let typed = || text.into();
    vec![
        Command::note(text),
        Command::tell(text),
        Command::Tell { text: "bonjour".into(), channel: Some(text.to_owned()) },
        Command::Hear { text: typed(), channel: "web".to_owned() },
        Command::Hear { text: "bonjour".into(), channel: text.to_owned() },
        Command::Assign { to: Assignee::team("chaussee"), reason: Some(typed()) },
        Command::assign(Assignee::service(text).and_agent(text)),
        Command::hand_over(Assignee::team(text), text),
        Command::correct("texte", text),
        Command::correct(text, "x"),
        Command::Assess { acceptability: text.to_owned(), reason: Some(text.to_owned()) },
        Command::conclude("fait", Some(text)),
        Command::conclude(text, Some(text)),
        Command::confirm(true, Some(text)),
        Command::Work { minutes: 5, cents: 5, supplier: Some(text.to_owned()) },
        Command::Link { kind: text.to_owned(), target: RequestId::from_uuid(Default::default()) },
        Command::Erase { paths: vec![text.to_owned()], reason: text.to_owned() },
        Command::Erase { paths: vec!["texte".to_owned()], reason: text.to_owned() },
        Command::Fire(Fire::new(text)),
        Command::Fire(Fire::new("finir").outcome(text).message(text).note(text).to(Assignee::agent(text))),
        Command::Fire(Fire::new("finir").set("texte", text).set(text, text)),
        Command::Anonymise { rule: text.to_owned() },
        Command::Elapsed { transition: text.to_owned() },
        Command::Hold { reason: typed() },
    ]
}

#[test]
fn commands_take_any_text_or_refuse_it() {
    let _watchdog = Watchdog::new("commands");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let (mut taken, mut refused) = (0, 0);
    let mut id = town.request();
    for (n, text) in strings::all().iter().enumerate() {
        if n.is_multiple_of(60) {
            id = town.request();
        }
        let before = block_on(desk.open(id)).unwrap();
        let notes = before.notes().len();
        for command in commands(text) {
            match answered(text, text.len() * 4, desk.act_on(id, None, command)) {
                Ok(_) => taken += 1,
                Err(_) => refused += 1,
            }
        }
        let seen = block_on(desk.open(id)).unwrap();
        if let Some(note) = seen.notes().get(notes) {
            assert_eq!(note.text, *text);
        }
        for hold in seen.holds() {
            answered(text, 0, desk.act_on(id, None, Command::Release { hold })).unwrap();
        }
        if seen.closed_at().is_some() {
            answered(text, 0, desk.act_on(id, None, Command::Fire(Fire::new("rouvrir")))).unwrap();
        }
    }
    println!("{taken} taken, {refused} refused");
    assert!(taken >= 1_500 && refused >= 4_000, "{taken}, {refused}");
}

#[test]
fn names_words_and_cursors_of_any_text_are_answered() {
    let _watchdog = Watchdog::new("names");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let host = town.authority.host("essai");
    let id = town.request();
    for text in strings::all() {
        let size = text.len() * 4;
        let _ = answered(&text, size, town.authority.session(Actor::agent(text.as_str())).list(&List::new()));
        let _ = answered(&text, size, desk.list(&List::new().is(Fact::Service, &text)));
        let vouched = Actor::agent("a-1").role(text.as_str());
        let _ = answered(&text, size, town.authority.session(vouched).list(&List::new()));
        for kind in [Contact::Email, Contact::Phone, Contact::Mobile, Contact::Address] {
            let _ = answered(&text, size, desk.by_contact(&text, kind, &text));
            let _ = answered(&text, size, desk.by_contact("tout", kind, &text));
        }
        let vars = [Var::Fact(Fact::State), Var::Field(Word::slug("clair")), Var::Field(Word::slug(&text))];
        for var in vars {
            let filters = [
                Condition::Compare(var.clone(), Comparison::Less, Scalar::from(text.as_str())),
                Condition::Contains(var.clone(), text.clone()),
                Condition::OneOf(var, vec![Scalar::from(text.as_str())]),
            ];
            for filter in filters {
                let _ = answered(&text, size, desk.list(&List::new().filter(filter)));
            }
        }
        let question = Question::those(Condition::is(Fact::State, text.as_str())).figures([Figure::Total]);
        let _ = answered(&text, size, desk.measure(&question));
        let keys = [Some(text.as_str())];
        let by = Question::all().by([grc_core::insight::Dimension::Service]);
        let _ = answered(&text, size, desk.behind(&by, Figure::Total, &keys, None, 5));
        let _ = answered(&text, size, host.name_agent("a-1", &text));
        let _ = answered(&text, size, host.name_agent(&text, "Anne"));
        let _ = answered(&text, size, host.forget_agent(&text));
        answered(&text, size, host.report(&text, DeliveryReport::Failed(text.clone()))).unwrap();
        answered(&text, size, host.report(&format!("{id}/2"), DeliveryReport::Bounced(text.clone())))
            .unwrap();
        let intake = Intake::new("tout", "web").key(text.as_str());
        answered(&text, size, desk.submit(intake.clone())).unwrap();
        answered(&text, size, desk.submit(intake)).unwrap();
        for intake in [
            Intake::new(text.as_str(), "web"),
            Intake::new("tout", text.as_str()),
            Intake::new("tout", "web").service(text.as_str()),
            Intake::new("tout", "web").entity(text.as_str()),
            Intake::new("tout", "web").set(text.as_str(), "x"),
            Intake::new("tout", "web").at(Place::default().in_zone(text.as_str())),
            Intake::new("tout", "web").party(Party::new(text.as_str()).family_name("x")),
            Intake::new("tout", "web").party(Party::named("a", "b").answer_by(text.as_str())),
        ] {
            answered(&text, size, desk.submit(intake)).unwrap_err();
        }
        let file = block_on(desk.store_file(Some(&text), &text, &b"\xff\xd8\xff0000"[..]));
        if let Ok(file) = file {
            let _ = answered(&text, size, desk.act_on(id, None, Command::Attach(file)));
        }
        if let Ok(code) = text.parse::<TrackingCode>() {
            let _ = answered(&text, size, desk.submit(Intake::new("tout", "web").code(code.clone())));
            answered(&text, size, town.authority.session(Actor::holder(code)).follow()).unwrap_err();
        }
        let inside = Cursor::from_bytes(text.clone().into_bytes());
        for cursor in text.parse::<Cursor>().into_iter().chain([inside]) {
            for outcome in [
                block_on(desk.list(&List::new().after(cursor.clone()))).map(drop),
                block_on(desk.interventions(&List::new().after(cursor.clone()))).map(drop),
                block_on(host.changes(Some(&cursor), 10)).map(drop),
                block_on(host.dead_letters(Some(&cursor), 10)).map(drop),
            ] {
                assert!(outcome.is_err(), "a foreign cursor is refused: {text:?}");
            }
        }
        assert!(
            town.authority.name() == "ville"
                && text.parse::<RequestId>().map_or(true, |id| id.to_string().len() == 36)
        );
    }
}

#[test]
fn work_on_site_takes_any_text_or_refuses_it() {
    let _watchdog = Watchdog::new("work on site");
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let from = "2026-11-25T08:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let plan = || Planning::new(from, from + chrono::Duration::hours(3));
    let (mut planned, mut refused) = (0, 0);
    for text in strings::all() {
        let id = town.request();
        let size = text.len() * 4;
        let with = plan().serving(id).team("chaussee").instructions(id, text.as_str());
        for bad in [
            plan().serving(id).team(text.as_str()),
            plan().serving(id).service(text.as_str()),
            plan().serving(id).supplier(text.as_str()),
            plan().serving(id).agent(text.as_str()),
            plan().serving(id).team("chaussee").estimate(5, "-").quote(text.as_str()),
        ] {
            answered(&text, size, desk.plan(bad)).unwrap_err();
        }
        let Ok(intervened) = answered(&text, size, desk.plan(with)) else {
            refused += 1;
            continue;
        };
        planned += 1;
        let on_site = intervened.id();
        for work in [
            Work::impossible(text.as_str()),
            Work::Spend { agent: Some(text.clone()), minutes: 5 },
            Work::Buy(Purchase::net(text.as_str()).vat(text.as_str())),
            Work::Buy(Purchase::net(100).item(text.as_str()).quote(text.as_str()).invoice(text.as_str())),
            Work::Buy(Purchase::net(100).supplier(text.as_str())),
            Work::Erase { slots: vec![0, u32::MAX], reason: text.clone() },
            Work::done_with(id, text.as_str()),
        ] {
            let _ = answered(&text, size, desk.work_on(on_site, None, work));
        }
        let order = block_on(desk.work_order(on_site)).unwrap();
        rendered::is_harmless(&order.to_html(), &text);
        assert!(serde_json::to_string(&order).is_ok());
    }
    println!("{planned} planned, {refused} refused");
    assert!(planned > 400 && refused > 0);
}
