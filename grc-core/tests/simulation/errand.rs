//! What a process does for somebody: asks for what they want, does due work, reads, follows, publishes.

use crate::{
    ledger::{Case, Intent, Person, Wish, judge},
    post::Post,
    readers, wants,
    world::World,
};
use grc_core::{
    Actor, Authority, Budget, Definition, GrcError, Instruction, RequestId, Session,
    engine::SiteInstruction,
    intervention::Work,
    request::{Command, DeliveryReport},
};
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

pub(crate) const TOWN: &str = "ville";

#[derive(Debug, Clone, Copy)]
pub(crate) enum Errand {
    /// Somebody thinks of something that they want.
    Want,
    /// Somebody asks for it.
    Ask(usize),
    Work,
    Sweep,
    Read,
    /// One of the followers goes on.
    Follow(usize),
    Publish(usize),
    Report,
}

/// The definition as it is published first, and what it is changed into: promises and a right, a type that is withdrawn.
pub(crate) static DEFINITIONS: LazyLock<[Definition; 3]> = LazyLock::new(|| {
    let text = include_str!("../definitions/simulation.toml");
    let first = Definition::from_files([("ville.toml", text)]).unwrap_or_else(|error| panic!("{error}"));
    let changed = text
        .replace("target = { days = 10 }", "target = { days = 12 }")
        .replace("label = \"Ville-sur-Houle\"", "label = \"Ville-sur-Houle et son port\"")
        .replace(
            "\"note\", \"attach\", \"correct\", \"import\"]",
            "\"note\", \"attach\", \"correct\", \"import\", \"link\"]",
        );
    let changed = Definition::from_files([("ville.toml", changed)]).unwrap();
    let mut withdrawn = first.clone();
    withdrawn.procedures.remove(&"encombrants".parse::<grc_core::Word>().unwrap());
    [first, changed, withdrawn]
});

pub(crate) fn session(town: &Authority, person: &Person) -> Session {
    town.session(match person {
        Person::Agent(id) => Actor::agent(*id),
        Person::Citizen => Actor::citizen(),
        Person::Holder(code) => Actor::holder(code.clone()),
    })
}

/// Asks for what is wanted, under its key.
pub(crate) async fn ask(town: &Authority, intent: &Intent) -> Result<((Uuid, u64), Option<Case>), GrcError> {
    let session = session(town, &intent.person);
    let Intent { key, wish, .. } = intent;
    Ok(match wish {
        Wish::Submit(intake) => {
            let intake = (**intake).clone();
            let phone = intake_phone(intent);
            let done = session.submit(match key {
                Some(key) => intake.key(key),
                None => intake,
            });
            let done = done.await?;
            let case = Case { id: done.id(), code: done.tracking_code().clone(), phone };
            ((done.id().uuid(), done.version()), Some(case))
        }
        Wish::Act(id, seen, command) => {
            let instruction = Instruction::new(Command::clone(command));
            let instruction = match key {
                Some(key) => instruction.key(key),
                None => instruction,
            };
            let done = session.act_on(*id, *seen, instruction).await?;
            ((done.id().uuid(), done.version()), None)
        }
        Wish::Plan(planning) => {
            let planning = (**planning).clone();
            let done = session.plan(match key {
                Some(key) => planning.key(key),
                None => planning,
            });
            let done = done.await?;
            ((done.id().uuid(), done.version()), None)
        }
        Wish::Site(id, seen, work) => {
            let instruction = SiteInstruction::from(Work::clone(work));
            let instruction = match key {
                Some(key) => instruction.key(key),
                None => instruction,
            };
            let done = session.work_on(*id, *seen, instruction).await?;
            ((done.id().uuid(), done.version()), None)
        }
    })
}

/// The telephone number that an intake gives: it goes by the number of its text.
fn intake_phone(intent: &Intent) -> Option<String> {
    intent.text.as_deref().and_then(wants::phone_of)
}

/// Asks for what somebody began to ask for, and notes what was answered.
pub(crate) async fn ask_and_note(world: &World, town: &Authority, index: usize) {
    let intent = world.lock().ledger.intents[index].clone();
    let answer = ask(town, &intent).await;
    let mut state = world.lock();
    state.count(match &answer {
        Ok(_) => "commands done",
        Err(GrcError::Conflict(_)) => "commands that conflict",
        Err(GrcError::Refused(_) | GrcError::NotPermitted(_) | GrcError::NotFound) => "commands refused",
        Err(_) => "commands without an answer",
    });
    if answer.is_ok() {
        state.count(intent.kind);
        if intent.tries > 1 {
            state.count("commands done when asked again");
        }
    }
    let ledger = &mut state.ledger;
    let answer = answer.map(|(done, case)| {
        ledger.cases.extend(case.filter(|case| ledger.cases.iter().all(|known| known.id != case.id)));
        if let Wish::Plan(_) = intent.wish {
            let id = grc_core::InterventionId::from_uuid(done.0);
            if !ledger.interventions.contains(&id) {
                ledger.interventions.push(id);
            }
        }
        done
    });
    ledger.told(index, answer, world.now());
}

pub(crate) async fn run(world: Arc<World>, town: Authority, errand: Errand) {
    let done: Result<(), GrcError> = match errand {
        Errand::Ask(index) => {
            ask_and_note(&world, &town, index).await;
            Ok(())
        }
        Errand::Want => wants::want(&world, &town).await,
        Errand::Work => work(&world, &town).await,
        Errand::Sweep => town.host("balai").sweep().await.map(|swept| {
            if swept > 0 {
                world.lock().count("files swept");
            }
        }),
        Errand::Read => readers::read(&world, &town).await,
        Errand::Follow(which) => readers::follow(&world, &town, which, 20).await,
        Errand::Publish(which) => town.host("cadre").publish(&DEFINITIONS[which]).await.map(|published| {
            if !published.procedures.is_empty() || !published.withdrawn.is_empty() {
                world.lock().count("definitions published");
            }
        }),
        Errand::Report => report(&world, &town).await,
    };
    if let Err(error) = done {
        judge(&error);
        world.lock().count("errands that failed");
    }
}

async fn work(world: &Arc<World>, town: &Authority) -> Result<(), GrcError> {
    let (post, budget) = {
        let mut state = world.lock();
        let budget = if state.once_in(2) { Budget::ALL } else { Budget::tasks(1 + state.below(6) as u64) };
        ((!state.once_in(5)).then_some(()), budget)
    };
    let post = post.map(|()| Post(Arc::clone(world)));
    let transport = post.as_ref().map(|post| -> &dyn grc_core::engine::Transport { post });
    let report = town.host("facteur").work(transport, budget).await?;
    let mut state = world.lock();
    for (what, count) in [
        ("requests anonymised", report.anonymised),
        ("messages sent", report.sent),
        ("messages that went on by another channel", report.rerouted),
        ("timers fired", report.fired),
        ("erasures finished", report.destroyed),
        ("tasks put off", report.later),
        ("messages given up", report.dead),
        ("months closed", report.months),
    ] {
        *state.counts.entry(what).or_default() += count;
    }
    Ok(())
}

/// A provider reports something of what it took.
async fn report(world: &World, town: &Authority) -> Result<(), GrcError> {
    let (key, report) = {
        let mut state = world.lock();
        let taken: Vec<String> =
            state.ledger.handed.iter().filter(|handed| handed.accepted).map(|h| h.key.clone()).collect();
        if taken.is_empty() {
            return Ok(());
        }
        let key = taken[state.below(taken.len())].clone();
        let report = match state.below(4) {
            0 => DeliveryReport::Bounced("expired".to_owned()),
            1 => DeliveryReport::Read,
            _ => DeliveryReport::Delivered,
        };
        state.count("reports");
        (key, report)
    };
    town.host("passerelle").report(&key, report).await
}

/// The agents, and who may do the most.
pub(crate) const AGENTS: [&str; 6] = ["a-1", "a-2", "a-3", "a-4", "a-5", OVERSEER];
pub(crate) const OVERSEER: &str = "a-9";

/// A person who may have to do with a request.
pub(crate) fn somebody(world: &World, case: &Case) -> Person {
    let mut state = world.lock();
    match state.below(6) {
        0 => Person::Holder(case.code.clone()),
        1 | 2 => Person::Agent(OVERSEER),
        _ => Person::Agent(AGENTS[state.below(AGENTS.len())]),
    }
}

/// One of the requests that are known, mostly one of the last.
pub(crate) fn some_case(world: &World) -> Option<Case> {
    let mut state = world.lock();
    let known = state.ledger.cases.len();
    if known == 0 {
        return None;
    }
    let back = if state.once_in(4) { known } else { known.min(6) };
    let index = known - 1 - state.below(back);
    Some(state.ledger.cases[index].clone())
}

/// Closes a request, whoever holds it.
pub(crate) async fn close(town: &Authority, id: RequestId) -> Result<(), GrcError> {
    let chief = session(town, &Person::Agent(OVERSEER));
    let close = grc_core::request::Fire::new("classer").outcome("sans-objet");
    chief.act_on(id, None, close).await.map(|_| ())
}
