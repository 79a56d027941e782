//! The scenario of `tests/scenario/town.json` through the engine: its events are those that are kept beside it. The same
//! file is played through Python by `test_scenario.py`.
//!
//! `GRC_KEEP=1 cargo test -p grc-python` keeps them anew.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use chrono::{DateTime, NaiveDate, Utc};
use grc_core::{
    Actor, Assignee, Authority, Budget, Definition, Grc, Instruction, Intake, InterventionId, ManualClock,
    Moment, Party, Place, RequestId, SeededEntropy, Session, Stores, Typed, Value, Word,
    engine::{RecordingTransport, SiteInstruction},
    intervention::{Planning, Purchase, Work},
    request::{Command, Fire},
    storage::{EventRange, Log, StreamKey},
};
use pollster::block_on;
use serde_json::Value as Json;
use std::{path::Path, sync::Arc};
use uuid::Uuid;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenario"))
}

fn text(json: &Json, name: &str) -> Option<String> {
    json.get(name).and_then(Json::as_str).map(str::to_owned)
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn three(json: &Json) -> [String; 3] {
    std::array::from_fn(|n| json[n].as_str().unwrap().to_owned())
}

fn value(json: &Json) -> Value {
    match json {
        Json::String(text) => Value::from(text.as_str()),
        Json::Bool(yes) => Value::from(*yes),
        Json::Number(number) => Value::from(number.as_i64().unwrap()),
        Json::Array(words) => {
            Value::Choices(words.iter().map(|word| Word::new(word.as_str().unwrap()).unwrap()).collect())
        }
        Json::Object(date) => Value::from(date["date"].as_str().unwrap().parse::<NaiveDate>().unwrap()),
        Json::Null => panic!("nothing is not a value"),
    }
}

/// What was made on the way.
#[derive(Default)]
struct Made {
    requests: Vec<RequestId>,
    intervention: Option<InterventionId>,
}

fn session(town: &Authority, step: &Json) -> Session {
    town.session(text(step, "as").map_or_else(Actor::citizen, Actor::agent))
}

fn party(json: &Json) -> Party {
    let mut party = Party::requester();
    if let Some(name) = text(json, "given") {
        party = party.given_name(name);
    }
    if let Some(name) = text(json, "family") {
        party = party.family_name(name);
    }
    if let Some(email) = text(json, "email") {
        party = party.email(email);
    }
    if let Some(phone) = text(json, "phone") {
        party = party.phone(phone);
    }
    match text(json, "answer_by") {
        Some(channel) => party.answer_by(channel),
        None => party,
    }
}

fn intake(step: &Json) -> Intake {
    let mut intake = Intake::new(text(step, "type").unwrap(), text(step, "channel").unwrap());
    for (name, given) in step["fields"].as_object().unwrap() {
        intake = intake.set(name, value(given));
    }
    let [street, postcode, city] = three(&step["address"]);
    let mut place = Place::address(&street, &postcode, &city);
    if let Some(at) = step.get("position") {
        place = place.and_position(at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
    }
    intake = intake.party(party(&step["requester"])).at(place);
    if let Some(at) = text(step, "occurred_at") {
        intake = intake.occurred_at(time(&at));
    }
    match text(step, "key") {
        Some(key) => intake.key(key),
        None => intake,
    }
}

fn command(step: &Json) -> Command {
    let said = |name| text(step, name);
    if let Some(transition) = said("fire") {
        let mut fire = Fire::new(transition);
        if let Some(team) = said("team") {
            fire = fire.to(Assignee::team(team));
        }
        if let Some(outcome) = said("outcome") {
            fire = fire.outcome(outcome);
        }
        return Command::Fire(match said("message") {
            Some(message) => fire.message(message),
            None => fire,
        });
    }
    if let Some(note) = said("note") {
        return Command::note(note);
    }
    if let Some(acceptability) = said("assess") {
        return Command::Assess { acceptability, reason: said("reason") };
    }
    if let Some(fields) = step.get("correct") {
        let fields = fields.as_object().unwrap().iter();
        return Command::Correct(
            fields.map(|(name, given)| (name.clone(), Some(Typed::new(value(given))))).collect(),
        );
    }
    if let Some(told) = said("tell") {
        return Command::tell(told);
    }
    if let Some(heard) = said("hear") {
        return Command::Hear { text: Typed::new(heard), channel: said("channel").unwrap() };
    }
    if let Some(reason) = said("hold") {
        return Command::Hold { reason: Typed::new(reason) };
    }
    let hold = step["release"].as_u64().unwrap();
    Command::Release { hold: u32::try_from(hold).unwrap() }
}

fn planning(step: &Json, made: &Made) -> Planning {
    let mut planning =
        Planning::new(time(&text(step, "begins").unwrap()), time(&text(step, "ends").unwrap()));
    for n in step["serves"].as_array().unwrap() {
        let request = made.requests[usize::try_from(n.as_u64().unwrap()).unwrap()];
        planning = planning.serving(request).instructions(request, text(step, "instructions").unwrap());
    }
    planning.team(text(step, "team").unwrap()).estimate(step["minutes"].as_i64().unwrap(), 0)
}

fn work(step: &Json, made: &Made) -> Work {
    match step["work"].as_str().unwrap() {
        "start" => Work::Start,
        "spend" => Work::spend(step["minutes"].as_i64().unwrap()),
        "buy" => {
            let rate: u32 = text(step, "vat_rate").unwrap().parse().unwrap();
            let bought = Purchase::net(text(step, "net").unwrap()).vat_rate(rate * 100);
            Work::Buy(bought.item(text(step, "item").unwrap()))
        }
        "done" => Work::done_with(made.requests[0], text(step, "report").unwrap()),
        other => panic!("{other}"),
    }
}

fn play(scenario: &Json, stores: &Stores) -> Made {
    let clock = Arc::new(ManualClock::at(time(scenario["begins"].as_str().unwrap()).into()));
    let mut now: Moment = time(scenario["begins"].as_str().unwrap()).into();
    let entropy = Arc::new(SeededEntropy::new(scenario["seed"].as_u64().unwrap()));
    let grc = block_on(Grc::with(stores.clone(), Arc::<ManualClock>::clone(&clock), entropy)).unwrap();
    let town = grc.authority(scenario["authority"].as_str().unwrap()).unwrap();
    let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions/voirie");
    block_on(town.host("set-up").publish(&Definition::from_dir(definition).unwrap())).unwrap();
    let post = RecordingTransport::new();
    let mut made = Made::default();
    for step in scenario["steps"].as_array().unwrap() {
        let (kind, step) = step.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "submit" => {
                let submitted = block_on(session(&town, step).submit(intake(step)));
                made.requests.push(submitted.unwrap_or_else(|error| panic!("{step}: {error}")).id());
            }
            "minutes" => {
                now = now.plus_millis(step.as_i64().unwrap() * 60_000);
                clock.set(now);
            }
            "act" => {
                let id = made.requests[usize::try_from(step["request"].as_u64().unwrap()).unwrap()];
                let mut instruction = Instruction::new(command(step));
                if let Some(at) = text(step, "occurred_at") {
                    instruction = instruction.occurred_at(time(&at));
                }
                let acted = block_on(session(&town, step).act_on(id, None, instruction));
                acted.unwrap_or_else(|error| panic!("{step}: {error}"));
            }
            "plan" => {
                let planned = block_on(session(&town, step).plan(planning(step, &made)));
                made.intervention = Some(planned.unwrap_or_else(|error| panic!("{step}: {error}")).id());
            }
            "site" => {
                let instruction = SiteInstruction::from(work(step, &made));
                let worked =
                    block_on(session(&town, step).work_on(made.intervention.unwrap(), None, instruction));
                worked.unwrap_or_else(|error| panic!("{step}: {error}"));
            }
            "work" => {
                block_on(town.host(step.as_str().unwrap()).work(Some(&post), Budget::ALL)).unwrap();
            }
            other => panic!("{other}"),
        }
    }
    made
}

/// The bodies of a stream's events, one a line: they are canonical JSON.
fn events(stores: &Stores, authority: &Word, kind: &str, id: Uuid) -> Vec<String> {
    let stream = StreamKey::new(authority.clone(), Word::new(kind).unwrap(), id);
    let range = EventRange { stream, log: Log::History, after: 0, limit: 1_000 };
    let found = block_on(stores.store.events(&range)).unwrap();
    found.into_iter().map(|event| format!("{kind} {}", String::from_utf8(event.body).unwrap())).collect()
}

#[test]
fn the_scenario_comes_to_the_events_that_are_kept() {
    let scenario: Json = serde_json::from_slice(&std::fs::read(folder().join("town.json")).unwrap()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let opened =
        grc_sqlite::Options::new().create(true).test(true).open(directory.path().join("town.db")).unwrap();
    let stores = Stores::from(opened);
    let made = play(&scenario, &stores);
    let authority = Word::new(scenario["authority"].as_str().unwrap()).unwrap();
    let requests = made.requests.iter().flat_map(|id| events(&stores, &authority, "request", id.uuid()));
    let lines: Vec<String> = requests
        .chain(events(&stores, &authority, "intervention", made.intervention.unwrap().uuid()))
        .collect();
    let told = lines.join("\n") + "\n";
    let kept = folder().join("town.events");
    if std::env::var_os("GRC_KEEP").is_some() {
        std::fs::write(&kept, &told).unwrap();
    }
    println!("{} events of {} streams", lines.len(), made.requests.len() + 1);
    assert!(lines.len() > 30, "{}", lines.len());
    assert_eq!(told, std::fs::read_to_string(kept).unwrap());
}
