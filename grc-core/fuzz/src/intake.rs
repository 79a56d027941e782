//! What a person hands in, as far as it is decided without a store.

use grc_core::{
    Actor, Definition, Intake, Moment, Party, Place, SeededEntropy, TrackingCode, Value, Word,
    conformance::fuzzing,
    definition::Procedure,
    request::{Acting, Context, Event, Request, decide_intake},
};
use std::sync::LazyLock;

static TOWN: LazyLock<Definition> = LazyLock::new(|| {
    let text = include_str!("../../tests/definitions/lib.toml");
    Definition::from_files([("town.toml", text)]).expect("a definition without a fault").resolved()
});

/// Any bytes: lines, the first letter of each says what the rest is.
pub fn run(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let town = &*TOWN;
    let mut type_ = Word::slug("water-leak");
    let code = TrackingCode::fresh(&SeededEntropy::new(1)).expect("a seeded source");
    let mut intake = Intake::new("water-leak", "phone").code(code);
    let mut party = Party::requester();
    for line in text.split('\n').take(64) {
        let mut letters = line.chars();
        let letter = letters.next();
        let rest = letters.as_str();
        let (name, value) = rest.split_once('=').unwrap_or(("description", rest));
        let number = value.parse::<i64>().unwrap_or(0);
        match letter {
            Some('t') => intake = intake.set(name, value),
            Some('i') => intake = intake.set(name, number),
            Some('b') => intake = intake.set(name, number % 2 == 0),
            Some('w') => intake = intake.set(name, Value::Choice(Word::slug(value))),
            Some('l') => {
                intake = intake.set(name, Value::Choices(value.split(',').map(Word::slug).collect()))
            }
            Some('p') => intake = intake.set(name, Value::Point(number as i32, (number >> 32) as i32)),
            Some('v') => {
                if let Ok(value) = serde_json::from_str::<Value>(value) {
                    intake = intake.set(name, value);
                }
            }
            Some('n') => party = party.family_name(rest),
            Some('g') => party = party.given_name(rest),
            Some('e') => party = party.email(rest),
            Some('f') => party = party.phone(rest),
            Some('a') => party = party.address(name, value, value),
            Some('r') => party = party.answer_by(rest),
            Some('A') => intake = intake.at(Place::address(name, value, "").in_zone(name)),
            Some('P') => {
                let degrees = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
                intake = intake.at(Place::position(degrees(name), degrees(value)));
            }
            Some('s') => intake = intake.source_key(rest),
            Some('S') => intake = intake.service(rest),
            Some('o') => intake = intake.occurred_at(Moment::from_micros(number).to_utc()),
            Some('T') => intake = intake.target(Moment::from_micros(number).to_utc()),
            Some('y') => type_ = Word::slug(rest),
            _ => {}
        }
    }
    if !party.is_empty() {
        intake = intake.party(party);
    }
    let Some(procedure) = town.procedures.get(&type_) else { return false };
    decided(&intake, &type_, procedure)
}

fn decided(intake: &Intake, type_: &Word, procedure: &Procedure) -> bool {
    let acting = Acting::resolve(&TOWN.organisation, &Actor::agent("a-17")).expect("an agent of the town");
    let now = Moment::from_micros(1_795_514_400_000_000);
    let context = Context {
        organisation: &TOWN.organisation,
        organisation_version: 1,
        procedure,
        procedure_version: 1,
        acting: &acting,
        now,
    };
    match decide_intake(intake, type_, &context) {
        Ok(decision) => {
            let events = Event::sequence(&decision, 0, now, now, &context);
            let id = grc_core::RequestId::from_uuid(Default::default());
            let request = Request::fold(id, &events).expect("a history").expect("a request");
            for event in &events {
                let bytes = event.to_bytes().expect("what was decided can be written");
                assert_eq!(Event::from_bytes(&bytes).as_ref(), Ok(event));
            }
            assert!(grc_core::canonical::to_bytes(&request).is_ok());
            for (_, slot) in &decision.slots {
                let plain = fuzzing::plain(slot.value.expose()).expect("what was taken in can be sealed");
                assert_eq!(fuzzing::value(&plain).as_ref(), Some(slot.value.expose()));
            }
            true
        }
        Err(refusal) => {
            assert!(!refusal.problems().is_empty());
            assert!(refusal.to_string().len() < 100_000);
            false
        }
    }
}
