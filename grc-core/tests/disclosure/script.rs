//! What happens in both worlds: the same, but for the values that are typed.

use crate::{
    answers::told,
    secrets::{Secrets, What},
    world::{Case, World},
};
use grc_core::{
    Actor, Assignee, Budget, Clock, GrcError, Intake, Party, Place, RequestId, Session, Typed, Value,
    conformance::Dice,
    engine::RecordingTransport,
    intervention::{Occasion, Planning, Purchase, Work},
    request::{Command, Fire, NewFile},
};
use std::collections::BTreeMap;

const DAY: i64 = 86_400_000;

/// Takes a step, and answers what came of it: the same in both worlds. Who takes it may read everything.
pub(crate) async fn step(world: &mut World, n: usize, mut dice: Dice) -> String {
    let dice = &mut dice;
    let pause = [1, 1, 1, 4, 4, 30, 800, 1_500][dice.below(8)];
    world.advance(pause * 3_600_000 / 4 + dice.below(1_000) as i64);
    match dice.below(20) {
        0..5 => submit(world, n, dice).await,
        5 => {
            let report = world.town.host("facteur").work(Some(&RecordingTransport::new()), Budget::ALL).await;
            told(&report)
        }
        6 => {
            // Beyond what is kept.
            world.advance(DAY * [1, 20, 61][dice.below(3)]);
            told(&world.town.host("facteur").work(None, Budget::ALL).await)
        }
        7..12 => on_site(world, n, dice).await,
        _ => on_request(world, n, dice).await,
    }
}

fn some_case(world: &World, dice: &mut Dice) -> Option<Case> {
    // Mostly one of the last.
    let back = if dice.once_in(4) { world.most() } else { world.most().min(4) };
    let index = world.most() - 1 - dice.below(back);
    world.known.cases.get(index).cloned()
}

async fn picture(
    session: &Session,
    secrets: Secrets,
    field: Option<&str>,
    what: What,
    n: usize,
) -> Result<NewFile, GrcError> {
    let name = format!("{}.png", secrets.text(what, n));
    session.store_file(field, &name, secrets.picture(what, n).as_slice()).await
}

async fn submit(world: &mut World, n: usize, dice: &mut Dice) -> String {
    let secrets = world.secrets;
    let (is_seen, citizen) = (!dice.once_in(4), dice.once_in(4));
    let session = if citizen { world.town.session(Actor::citizen()) } else { world.agent("a-1") };
    let channel = ["web", "guichet", "telephone"][dice.below(3)];
    let mut intake = Intake::new(if is_seen { "signalement" } else { "aide" }, channel);
    let (open, access) =
        if is_seen { (What::Open, What::Access) } else { (What::Elsewhere, What::Elsewhere) };
    intake = intake.set("description", secrets.text(open, n));
    if let Some(text) = secrets.some_text(access, n) {
        intake = intake.set("acces", text);
    }
    if is_seen && let Some(text) = secrets.some_text(What::File, n) {
        intake = intake.set("dossier", text);
    }
    if !citizen {
        intake = intake.set("urgent", secrets.is_urgent(n));
        let cost = if is_seen { What::Cost } else { What::Elsewhere };
        if dice.once_in(2) && secrets.has(cost) {
            intake = intake.set("cout", Value::Amount(secrets.cents(cost, n)));
        }
        if is_seen && secrets.has(What::Priority) {
            intake = intake.set("priorite", secrets.priority(n));
        }
        if is_seen && secrets.has(What::Day) {
            intake = intake.set("jour", secrets.day(n));
        }
        if is_seen && dice.once_in(2) {
            intake = intake.file(picture(&session, secrets, Some("plan"), What::Plan, n).await.unwrap());
        }
    }
    let party = Party::named(secrets.text(What::Name, n), secrets.text(What::Name, n + 1));
    let party = party.phone(secrets.phone(n)).email(secrets.email(n));
    intake = intake.party(party.answer_by(["sms", "courriel", "telephone"][dice.below(3)]));
    let (lat, lon) = secrets.point(n);
    let place = Place::address(&secrets.text(What::Place, n), "35000", "Rennes").and_position(lat, lon);
    let submitted = session.submit(intake.at(place.in_zone("centre"))).await;
    let outcome = told(&submitted);
    if let Ok(submitted) = submitted {
        let (id, code) = (submitted.id(), submitted.tracking_code().clone());
        world.known.cases.push(Case { id, code, is_seen });
        note_files(world, id).await;
    }
    outcome
}

/// Files are known by their ids, as a link in a message would name them.
async fn note_files(world: &mut World, id: RequestId) {
    let seen = world.agent("a-1").open(id).await.unwrap();
    for file in seen.files() {
        if !world.known.files.contains(&(id, file.id())) {
            world.known.files.push((id, file.id()));
        }
    }
}

async fn on_request(world: &mut World, n: usize, dice: &mut Dice) -> String {
    let Some(case) = some_case(world, dice) else { return String::new() };
    let (secrets, chief) = (world.secrets, world.agent("a-1"));
    let typed = |what| Typed::new(secrets.text(what, n));
    let holder = world.town.session(Actor::holder(case.code.clone()));
    let to = match (case.is_seen, dice.below(3)) {
        (false, _) => Assignee::service("social"),
        (true, 0) => Assignee::agent("a-6"),
        (true, _) => Assignee::team("chaussee"),
    };
    let (by, command) = match dice.below(16) {
        0 => (&chief, Command::Note(typed(What::Note))),
        1 => (&chief, Command::Assign { to, reason: Some(typed(What::Reason)) }),
        2 => (&chief, Command::HandOver { to, reason: typed(What::Reason) }),
        3 => (&chief, Command::Conclude { outcome: "fait".to_owned(), reason: Some(typed(What::Reason)) }),
        4 => (&chief, Command::Tell { text: typed(What::Message), channel: None }),
        5 => (&holder, Command::Hear { text: typed(What::Message), channel: "web".to_owned() }),
        6 => (&holder, Command::confirm(dice.once_in(2), Some(&secrets.text(What::Message, n)))),
        7 => (&chief, Command::Hold { reason: typed(What::Reason) }),
        8 => (&chief, Command::Release { hold: 1 }),
        9 => {
            let path = ["requester.email", "note", "description", "message"][dice.below(4)];
            (&chief, Command::Erase { paths: vec![path.to_owned()], reason: "droit".to_owned() })
        }
        10 => {
            let file = picture(&chief, secrets, None, What::Picture, n).await.unwrap();
            (&chief, Command::Attach(file))
        }
        11 => (&chief, correct(secrets, case.is_seen, n, dice)),
        12 => (&holder, Command::Fire(Fire::new("rouvrir").message(secrets.text(What::Message, n)))),
        13 => (&chief, Command::Fire(Fire::new("suspendre"))),
        14 => {
            let close = Fire::new("cloturer").outcome("fait").message(secrets.text(What::Message, n));
            (&chief, Command::Fire(close))
        }
        _ => {
            let note = secrets.text(What::Note, n);
            (&chief, Command::Fire(Fire::new("affecter").to(to).note(note)))
        }
    };
    let done = told(&by.act_on(case.id, None, command).await);
    note_files(world, case.id).await;
    done
}

/// Another value of a field, or none.
fn correct(secrets: Secrets, is_seen: bool, n: usize, dice: &mut Dice) -> Command {
    let amount = |what| secrets.has(what).then(|| Typed::new(Value::Amount(secrets.cents(what, n))));
    let (field, value) = match (is_seen, dice.below(4)) {
        (true, 0) => ("acces", Some(Typed::new(secrets.text(What::Access, n)))),
        (true, 1) => ("priorite", secrets.has(What::Priority).then(|| Typed::new(secrets.priority(n)))),
        (true, 2) => ("jour", secrets.has(What::Day).then(|| Typed::new(secrets.day(n)))),
        (true, _) => ("cout", amount(What::Cost)),
        (false, 0) => ("acces", Some(Typed::new(secrets.text(What::Elsewhere, n)))),
        (false, _) => ("cout", amount(What::Elsewhere)),
    };
    Command::Correct(BTreeMap::from([(field.to_owned(), value)]))
}

fn planning(world: &World, n: usize, dice: &mut Dice) -> Option<Planning> {
    let secrets = world.secrets;
    let from = world.clock.now().plus_millis(dice.below(100_000_000) as i64);
    let mut planning = Planning::new(from.to_utc(), from.plus_millis(7_200_000).to_utc());
    let mut all_seen = true;
    for _ in 0..=dice.below(2) {
        let case = some_case(world, dice)?;
        planning = planning.serving(case.id);
        all_seen &= case.is_seen;
        if dice.once_in(2) {
            planning = planning.instructions(case.id, secrets.text(What::Instructions, n));
        }
    }
    // Who does the work has rights on what it is for: those who may not see all of it do not do it.
    planning = if all_seen { planning.team("chaussee") } else { planning.service("voirie") };
    planning = planning.quote(secrets.text(What::Number, n));
    Some(planning.estimate(30 + dice.below(90) as i64, secrets.cents(What::Estimate, n)))
}

fn purchase(secrets: Secrets, n: usize, dice: &mut Dice) -> Purchase {
    let mut purchase = Purchase::net(secrets.cents(What::Price, n)).vat_rate([550, 2_000][dice.below(2)]);
    if secrets.has(What::Supplier) {
        purchase = purchase.supplier(secrets.supplier(n));
    }
    purchase.item(secrets.text(What::Item, n)).invoice(secrets.text(What::Number, n))
}

async fn on_site(world: &mut World, n: usize, dice: &mut Dice) -> String {
    let (secrets, chief) = (world.secrets, world.agent("a-1"));
    let known = world.known.interventions.len();
    if known == 0 || dice.once_in(3) {
        let Some(planning) = planning(world, n, dice) else { return String::new() };
        let planned = chief.plan(planning).await;
        world.known.interventions.extend(planned.as_ref().ok().map(|planned| planned.id()));
        return told(&planned);
    }
    let id = world.known.interventions[known - 1 - dice.below(known.min(4))];
    let seen = chief.intervention(id).await.unwrap();
    let first = seen.served()[0].request;
    let report = || BTreeMap::from([(first, Typed::new(secrets.text(What::Report, n)))]);
    let work = match dice.below(9) {
        0 => Work::Start,
        1 => Work::Done { report: report() },
        2 => Work::Impossible { reason: Some("acces".to_owned()), report: report() },
        3 => Work::spend(5 + dice.below(90) as i64),
        4 => Work::Strike { entry: 1 + dice.below(2) as u32 },
        5 => {
            let file = picture(&chief, secrets, None, What::Picture, n).await.unwrap();
            Work::Photo { request: Some(first), occasion: Occasion::Before, file }
        }
        _ => Work::Buy(purchase(secrets, n, dice)),
    };
    let done = told(&chief.work_on(id, None, work).await);
    note_files(world, first).await;
    done
}
