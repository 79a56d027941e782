//! Everything that somebody can try to do: what they are told of it, whether it is done or refused.

use crate::{
    answers::Answers,
    secrets::{Kept, Other, Secrets, What},
    world::{Case, World},
};
use grc_core::{
    Assignee, Instruction, Intake, InterventionId, Session, Typed, Value,
    conformance::Dice,
    engine::SiteInstruction,
    intervention::{Occasion, Planning, Purchase, Work},
    request::{Command, Fire},
};
use std::collections::BTreeMap;

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nseen";

/// Tries commands on one request and one intervention. What is typed here is known to who types it: it is the same in both
/// worlds, or a guess at what is in one of them.
pub(crate) async fn attempt(
    world: &World,
    session: &Session,
    case: &Case,
    n: usize,
    dice: &mut Dice,
) -> Answers {
    let mut answers = Answers::default();
    let file = session.store_file(None, "vue.png", PICTURE).await;
    answers.note("store a file", "vue.png", &file);
    for (name, command) in commands(case, n) {
        // As its author saw it last, long ago, in the future, or never.
        let seen = [None, Some(1), Some(2), Some(9_999)][dice.below(4)];
        world.entropy.next();
        let done = session.act_on(case.id, seen, command).await;
        answers.note("command", format!("{name} {seen:?} on {}", case.id), &done);
    }
    world.entropy.next();
    if let Ok(file) = file {
        let attached = session.act_on(case.id, None, Command::Attach(file)).await;
        answers.note("command", "attach", &attached);
    }
    for again in ["once", "again"] {
        world.entropy.next();
        let note = Instruction::from(Command::note("vu")).key(format!("clef-{n}-de-qui-ne-lit-rien"));
        answers.note("command", format!("under a key {again}"), &session.act_on(case.id, None, note).await);
    }
    submit(world, session, n, &mut answers).await;
    on_site(world, session, case, n, dice, &mut answers).await;
    answers
}

fn guesses() -> [Secrets; 2] {
    [false, true].map(|second| Secrets { second, kept: Kept::FromAgents, other: Other::AsLong })
}

fn commands(case: &Case, n: usize) -> Vec<(String, Command)> {
    let mut out: Vec<(String, Command)> = Vec::new();
    let mut add = |name: &str, command| out.push((name.to_owned(), command));
    let correct = |field: &str, value: Value| {
        Command::Correct(BTreeMap::from([(field.to_owned(), Some(Typed::new(value)))]))
    };
    for world in guesses() {
        add("correct acces", correct("acces", world.text(What::Access, 3).into()));
        add("correct dossier", correct("dossier", world.text(What::File, 3).into()));
        add("correct cout", correct("cout", Value::Amount(world.cents(What::Cost, 9))));
        add("correct priorite", correct("priorite", world.priority(4).into()));
        add("correct jour", correct("jour", world.day(9).into()));
    }
    add("correct what is not there", correct("coout", 3.into()));
    add("correct description", correct("description", format!("vu {n}").into()));
    for transition in ["suspendre", "reprendre", "chiffrer", "oublier", "rouvrir", "chifrer"] {
        add(transition, Command::Fire(Fire::new(transition)));
    }
    add("affecter", Command::Fire(Fire::new("affecter").to(Assignee::team("chaussee"))));
    add("cloturer", Command::Fire(Fire::new("cloturer").outcome("fait")));
    for path in
        ["requester.phone", "requester", "acces", "dossier", "cout", "note", "reason", "message", "report"]
    {
        add(path, Command::Erase { paths: vec![path.to_owned()], reason: "droit".to_owned() });
    }
    for message in 1..6 {
        add("resend", Command::Resend { message, channel: None });
    }
    for channel in [None, Some("sms"), Some("courriel"), Some("telephone"), Some("courrier")] {
        let channel = channel.map(str::to_owned);
        add("tell", Command::Tell { text: Typed::new("bonjour"), channel });
    }
    add("hear", Command::Hear { text: Typed::new("bonjour"), channel: "web".to_owned() });
    add("note", Command::note("vu"));
    add("take", Command::Take);
    add("hand over", Command::hand_over(Assignee::team("chaussee"), "à eux"));
    add("assign", Command::assign(Assignee::team("chaussee")));
    add("assess", Command::Assess { acceptability: "traitable".to_owned(), reason: None });
    add("conclude", Command::conclude("fait", Some("vu")));
    add("confirm", Command::confirm(true, None));
    add("hold", Command::Hold { reason: Typed::new("litige") });
    add(
        "erase under a hold",
        Command::Erase { paths: vec!["message".to_owned()], reason: "droit".to_owned() },
    );
    for hold in 1..4 {
        add("release", Command::Release { hold });
    }
    add("link", Command::Link { kind: "duplicate-of".to_owned(), target: case.id });
    add("work", Command::Work { minutes: 5, cents: 0, supplier: None });
    add("work and pay", Command::Work { minutes: 5, cents: 100, supplier: Some("martin".to_owned()) });
    out
}

async fn submit(world: &World, session: &Session, n: usize, answers: &mut Answers) {
    let intake = || Intake::new("signalement", "web").set("description", format!("vu {n}"));
    let intakes = [
        ("with what they may not write", intake().set("priorite", "haute")),
        ("with what there is not", intake().set("prioritee", "haute")),
        ("of a type that there is not", Intake::new("signalment", "web")),
    ];
    for (name, intake) in intakes {
        world.entropy.next();
        answers.note("submit", name, &session.submit(intake).await);
    }
}

async fn on_site(
    world: &World,
    session: &Session,
    case: &Case,
    n: usize,
    dice: &mut Dice,
    answers: &mut Answers,
) {
    let from: chrono::DateTime<chrono::Utc> = "2027-05-24T09:00:00Z".parse().unwrap();
    let planning =
        || Planning::new(from, from + chrono::Duration::hours(1)).serving(case.id).team("chaussee");
    world.entropy.next();
    answers.note("plan", case.id.to_string(), &session.plan(planning().estimate(10, 500)).await);
    let known: &[InterventionId] = &world.known.interventions;
    let Some(id) = dice.pick(known).copied() else { return };
    world.entropy.next();
    let file = session.store_file(None, "vue.png", PICTURE).await;
    let mut works = vec![
        ("acknowledge", Work::Acknowledge),
        ("start", Work::Start),
        ("spend", Work::spend(5)),
        ("buy", Work::Buy(Purchase::net(100).supplier("legal"))),
        ("strike", Work::Strike { entry: 1 }),
        ("strike another", Work::Strike { entry: 7 }),
        ("plan anew", Work::Plan(planning())),
        ("report", Work::done_with(case.id, format!("vu {n}"))),
        ("impossible", Work::impossible("acces")),
        ("cancel", Work::Cancel { report: BTreeMap::new() }),
    ];
    for slot in 1..4 {
        works.push(("erase", Work::Erase { slots: vec![slot], reason: "droit".to_owned() }));
    }
    if let Ok(file) = file {
        works.push(("photo", Work::Photo { request: None, occasion: Occasion::After, file }));
    }
    for (name, work) in works {
        let seen = [None, Some(1), Some(9_999)][dice.below(3)];
        world.entropy.next();
        let done = session.work_on(id, seen, SiteInstruction::from(work)).await;
        answers.note("work", format!("{name} {seen:?} on {id}"), &done);
    }
}
