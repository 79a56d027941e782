//! What people want: requests, commands on them, work on site. Every text that is typed has a number of its own and
//! something in it by which it would be found wherever it was stored in clear.

use crate::{
    errand::{AGENTS, OVERSEER, session, some_case, somebody},
    ledger::{Case, Intent, Known, Person, Wish},
    world::World,
};
use grc_core::{
    Assignee, Authority, GrcError, Intake, Party, Place, Typed,
    definition::{Action, Ask},
    engine::Seen,
    intervention::{Planning, Purchase, Work},
    request::{Command, Fire, NewFile},
};
use std::collections::BTreeMap;

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nzqxjvwkq-picture";

/// A text that nobody else types.
fn text(world: &World) -> String {
    let ledger = &mut world.lock().ledger;
    ledger.needles += 1;
    format!("zqxjvwkq-{}-à l'angle", ledger.needles)
}

/// The telephone number that goes with a text.
pub(crate) fn phone_of(text: &str) -> Option<String> {
    let number: u64 = text.split('-').nth(1)?.parse().ok()?;
    Some(format!("06 39 98 77 {:02}", number % 40))
}

fn below(world: &World, bound: usize) -> usize {
    world.lock().below(bound)
}

fn once_in(world: &World, times: usize) -> bool {
    world.lock().once_in(times)
}

/// Something new is wanted.
pub(crate) async fn want(world: &World, town: &Authority) -> Result<(), GrcError> {
    let known = world.lock().ledger.cases.len();
    match below(world, 20) {
        0..6 => submit(world, town).await,
        _ if known == 0 => submit(world, town).await,
        6..11 => on_site(world, town).await,
        _ => on_request(world, town).await,
    }
}

/// Somebody wants it from now on.
fn wants(world: &World, kind: &'static str, person: Person, wish: Wish, text: Option<String>) {
    let mut state = world.lock();
    let number = state.ledger.intents.len();
    // A citizen's client makes a long one.
    let key = (!state.once_in(6)).then(|| format!("clef-{number}-d-un-appareil-de-la-ville"));
    state.count("commands wanted");
    state.ledger.intents.push(Intent {
        kind,
        person,
        wish,
        key,
        text,
        first: world.now(),
        tries: 0,
        under_way: 0,
        late: false,
        known: Known::Open,
    });
}

async fn file(world: &World, town: &Authority, person: &Person) -> Result<NewFile, GrcError> {
    let field = once_in(world, 2).then_some("photo");
    session(town, person).store_file(field, "zqxjvwkq-vue.png", PICTURE).await
}

async fn submit(world: &World, town: &Authority) -> Result<(), GrcError> {
    let text = text(world);
    let encombrants = once_in(world, 3);
    let person = match below(world, 3) {
        0 => Person::Citizen,
        1 => Person::Agent("a-1"),
        _ => Person::Agent(OVERSEER),
    };
    let channel = ["web", "telephone", "guichet", "courriel"][below(world, 4)];
    let mut intake = Intake::new(if encombrants { "encombrants" } else { "nid-de-poule" }, channel)
        .set("description", text.as_str());
    if encombrants {
        if once_in(world, 2) {
            intake = intake.set("dossier", format!("zqxjvwkq dossier {}", below(world, 9)));
        }
    } else {
        intake = intake.set("danger", once_in(world, 2));
        if once_in(world, 2) {
            intake = intake.set("gravite", ["faible", "forte"][below(world, 2)]);
        }
        if once_in(world, 6) {
            intake = intake.file(file(world, town, &person).await?);
        }
    }
    if !once_in(world, 4) {
        let mut party = Party::named("Anne", text.as_str());
        if !once_in(world, 3) {
            party = party.phone(phone_of(&text).unwrap_or_default());
        }
        if !once_in(world, 3) {
            party = party.email(format!("zqxjvwkq{}@example.org", below(world, 40)));
        }
        if once_in(world, 3) {
            party = party.address(&format!("{} rue zqxjvwkq", below(world, 90)), "35000", "Rennes");
        }
        if once_in(world, 2) {
            party = party.answer_by(["sms", "courriel", "courrier", "telephone"][below(world, 4)]);
        }
        intake = intake.party(party);
    }
    if once_in(world, 2) {
        let place = Place::address(&format!("{} rue zqxjvwkq", below(world, 200)), "35000", "Rennes");
        intake = intake.at(place.and_position(48.1 + below(world, 1_000) as f64 / 1e4, -1.7));
    }
    if once_in(world, 4) {
        intake = intake.source_key(format!("zqxjvwkq-source-{}", below(world, 25)));
    }
    let agent = matches!(person, Person::Agent(_));
    if once_in(world, 6) && agent {
        let back = below(world, 70) as i64;
        intake = intake.occurred_at(world.now().plus_days(-back).to_utc());
    }
    wants(world, "submit", person, Wish::Submit(Box::new(intake)), Some(text));
    Ok(())
}

fn assignee(world: &World) -> Assignee {
    match below(world, 4) {
        0 => Assignee::service(["voirie", "proprete"][below(world, 2)]),
        1 => Assignee::team(["chaussee", "collecte"][below(world, 2)]),
        _ => Assignee::agent(AGENTS[below(world, AGENTS.len())]),
    }
}

async fn on_request(world: &World, town: &Authority) -> Result<(), GrcError> {
    let Some(case) = some_case(world) else { return Ok(()) };
    let person = somebody(world, &case);
    let seen = session(town, &person).open(case.id).await?;
    let text = text(world);
    let typed = || Typed::new(text.as_str());
    let confirms = seen.closed_at().is_some() && seen.may(Action::Confirm);
    let (kind, command, text) = match below(world, 26) {
        0..9 if !seen.holds().is_empty() => ("release", Command::Release { hold: seen.holds()[0] }, None),
        0..9 if confirms => ("confirm", Command::confirm(once_in(world, 2), Some(&text)), None),
        0..11 if !seen.choices().is_empty() => ("fire", fire(world, &seen, &text), None),
        11 => ("take", Command::Take, None),
        12 => ("hand over", Command::HandOver { to: assignee(world), reason: typed() }, None),
        13 => ("assign", Command::Assign { to: assignee(world), reason: Some(typed()) }, None),
        14 | 15 => ("correct", Command::correct("description", text.as_str()), None),
        16 => ("assess", Command::Assess { acceptability: "traitable".to_owned(), reason: None }, None),
        17 => ("conclude", Command::Conclude { outcome: "fait".to_owned(), reason: None }, None),
        18 | 19 => {
            let channel = once_in(world, 2).then(|| ["sms", "courriel"][below(world, 2)].to_owned());
            ("tell", Command::Tell { text: typed(), channel }, Some(text))
        }
        20 => ("hear", Command::Hear { text: typed(), channel: "telephone".to_owned() }, Some(text)),
        21 => ("attach", Command::Attach(file(world, town, &person).await?), None),
        22 => ("hold", Command::Hold { reason: typed() }, None),
        23 => {
            let path = ["requester.phone", "requester.email", "note", "description", "place.address"];
            let paths = vec![path[below(world, path.len())].to_owned()];
            ("erase", Command::Erase { paths, reason: "droit".to_owned() }, None)
        }
        24 => match some_case(world) {
            Some(Case { id, .. }) => {
                ("link", Command::Link { kind: "duplicate-of".to_owned(), target: id }, None)
            }
            None => return Ok(()),
        },
        _ => ("note", Command::Note(typed()), Some(text)),
    };
    let version = (!once_in(world, 6)).then(|| seen.version());
    let wish = Wish::Act(case.id, version, Box::new(command));
    wants(world, kind, person, wish, text);
    Ok(())
}

fn fire(world: &World, seen: &Seen, text: &str) -> Command {
    let choices = seen.choices();
    let choice = &choices[below(world, choices.len())];
    let mut fire = Fire::new(choice.transition.as_str());
    for ask in &choice.asks {
        fire = match ask {
            Ask::Assignee => fire.to(assignee(world)),
            Ask::Outcome => fire.outcome("fait"),
            Ask::Message => fire.message(text),
            _ => fire.note(text),
        };
    }
    Command::Fire(fire)
}

async fn on_site(world: &World, town: &Authority) -> Result<(), GrcError> {
    let person = Person::Agent(["a-2", "a-4", OVERSEER, OVERSEER][below(world, 4)]);
    let known = world.lock().ledger.interventions.clone();
    if known.is_empty() || once_in(world, 4) {
        let Some(planning) = planning(world) else { return Ok(()) };
        wants(world, "plan", person, Wish::Plan(Box::new(planning)), None);
        return Ok(());
    }
    let id = known[known.len() - 1 - below(world, known.len().min(4))];
    let seen = session(town, &person).intervention(id).await?;
    let request = seen.served().first().map(|served| served.request);
    let text = text(world);
    let report = || match request {
        Some(request) => BTreeMap::from([(request, Typed::new(text.as_str()))]),
        None => BTreeMap::new(),
    };
    let (kind, work) = match below(world, 16) {
        0 | 1 => match planning(world) {
            Some(planning) => ("plan again", Work::Plan(planning)),
            None => return Ok(()),
        },
        2 => ("acknowledge", Work::Acknowledge),
        3..6 => ("start", Work::Start),
        6 | 7 => ("done", Work::Done { report: report() }),
        8 => {
            let reason = Some("acces".to_owned());
            ("impossible", Work::Impossible { reason, report: report() })
        }
        9 if once_in(world, 2) => ("cancel", Work::Cancel { report: report() }),
        10 | 11 => ("spend", Work::spend(1 + below(world, 90) as i64)),
        12 => ("strike", Work::Strike { entry: 1 + below(world, 2) as u32 }),
        _ => {
            let purchase = Purchase::net(below(world, 9_000) as i64).vat_rate(2_000).item(text.as_str());
            (
                "buy",
                Work::Buy(purchase.supplier("martin").invoice(format!("zqxjvwkq-F-{}", below(world, 99)))),
            )
        }
    };
    let version = (!once_in(world, 4)).then(|| seen.version());
    wants(world, kind, person, Wish::Site(id, version, Box::new(work)), None);
    Ok(())
}

fn planning(world: &World) -> Option<Planning> {
    let from = world.now().plus_millis(below(world, 20_000_000) as i64);
    let until = from.plus_millis(3_600_000 + below(world, 20_000_000) as i64);
    let mut planning = Planning::new(from.to_utc(), until.to_utc()).team("chaussee");
    let first = some_case(world)?;
    let second = some_case(world)?;
    planning = planning.serving(first.id);
    if second.id != first.id {
        planning = planning.serving(second.id);
    }
    if once_in(world, 3) {
        planning = planning.instructions(first.id, text(world));
    }
    Some(planning.estimate(below(world, 200) as i64, below(world, 9_000) as i64))
}
