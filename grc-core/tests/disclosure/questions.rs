//! Everything that somebody can ask for, whatever they may read.

use crate::{
    answers::Answers,
    secrets::{Kept, Other, Secrets, What},
    world::World,
};
use grc_core::{
    Condition, List, Session,
    condition::{Comparison, Scalar, Var},
    conformance::Dice,
    definition::{Action, Contact},
    engine::{InterventionView, Seen},
    insight::{Dimension, Figure, Question},
    storage::Fact,
};

/// All that a view has, its debug form too.
fn all_of(seen: &Seen) -> String {
    let rights: Vec<Action> = Action::ALL.into_iter().filter(|action| seen.may(*action)).collect();
    format!(
        "{seen:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {rights:?} {:?}",
        (seen.label(), seen.family(), seen.phase(), seen.channel(), seen.team()),
        (seen.opened_at(), seen.closed_at(), seen.target(), seen.anonymised_at()),
        (seen.acceptability(), seen.outcome(), seen.confirmation()),
        seen.holds(),
        seen.links(),
        seen.fields(),
        seen.parties(),
        seen.place(),
        seen.interventions(),
        seen.tracking_code(),
        seen.choices(),
        seen.files().iter().map(|file| (file.name(), file.media(), file.bytes())).collect::<Vec<_>>(),
        seen.form(),
    )
}

fn all_of_work(seen: &InterventionView) -> String {
    let times = (seen.started_at(), seen.ended_at(), seen.window(), seen.reason());
    let persons = (seen.service(), seen.team(), seen.supplier(), seen.agents());
    format!("{seen:?} {times:?} {persons:?} {:?} {:?} {:?}", seen.quote(), seen.minutes(), seen.cents())
}

/// Asks all that can be asked without changing anything.
pub(crate) async fn ask(world: &World, session: &Session, dice: &mut Dice) -> Answers {
    let mut answers = Answers::default();
    requests(world, session, &mut answers).await;
    work(world, session, &mut answers).await;
    lists(session, dice, &mut answers).await;
    persons(session, &mut answers).await;
    figures(session, dice, &mut answers).await;
    answers.note("forms", "", &session.forms().await);
    answers.note("name of an agent", "a-4", &session.agent_name("a-4").await);
    answers
}

async fn requests(world: &World, session: &Session, answers: &mut Answers) {
    for case in &world.known.cases {
        let id = case.id.to_string();
        answers.note("open", &id, &session.open(case.id).await.map(|seen| all_of(&seen)));
        answers.note("history", &id, &session.history(case.id).await);
    }
    answers.note("follow", "", &session.follow().await.map(|seen| all_of(&seen)));
    for (request, file) in &world.known.files {
        answers.note("file", format!("{request} {file}"), &session.read_file(*request, *file).await);
    }
}

async fn work(world: &World, session: &Session, answers: &mut Answers) {
    for id in &world.known.interventions {
        let seen = session.intervention(*id).await.map(|seen| all_of_work(&seen));
        answers.note("intervention", id.to_string(), &seen);
        let order = session
            .work_order(*id)
            .await
            .map(|order| format!("{order:?} {} {}", serde_json::to_string(&order).unwrap(), order.to_html()));
        answers.note("work order", id.to_string(), &order);
    }
}

/// Conditions over all that there is, with values of both worlds.
fn conditions() -> Vec<(&'static str, Condition)> {
    let mut out = Vec::new();
    let worlds = [false, true].map(|second| Secrets { second, kept: Kept::FromAgents, other: Other::AsLong });
    let field = |name: &str| Var::Field(name.parse().unwrap());
    let fields: [(&str, [Scalar; 2]); 9] = [
        ("acces", worlds.map(|world| Scalar::Text(world.text(What::Access, 3)))),
        ("dossier", worlds.map(|world| Scalar::Text(world.text(What::File, 3)))),
        ("cout", worlds.map(|world| Scalar::from(world.cents(What::Cost, 9)))),
        ("priorite", worlds.map(|world| Scalar::from(world.priority(4)))),
        ("jour", worlds.map(|world| Scalar::Text(world.day(9)))),
        ("urgent", [false, true].map(Scalar::Boolean)),
        ("description", worlds.map(|world| Scalar::Text(world.text(What::Open, 3)))),
        ("plan", [1, 2].map(Scalar::from)),
        ("rien", [1, 2].map(Scalar::from)),
    ];
    for (name, values) in fields {
        let var = || field(name);
        out.push(("list by a field", Condition::Present(var())));
        out.push(("list by a field", Condition::Not(Box::new(Condition::Present(var())))));
        out.push(("list by a field", Condition::OneOf(var(), values.to_vec())));
        for value in values {
            for how in [Comparison::Equal, Comparison::NotEqual, Comparison::Less, Comparison::AtLeast] {
                out.push(("list by a field", Condition::Compare(var(), how, value.clone())));
            }
            if let Scalar::Text(text) = value {
                out.push(("list by a field", Condition::Contains(var(), text)));
            }
        }
        // Hidden behind what holds anyway.
        let other = Condition::is(Fact::Type, "signalement");
        out.push(("list by a field", Condition::Any(vec![Condition::Present(var()), other])));
    }
    for fact in Fact::ALL {
        out.push(("list by a fact", Condition::Present(Var::Fact(*fact))));
    }
    for world in worlds {
        let (lat, lon) = world.point(9);
        for (fact, degrees) in [(Fact::Lat, lat), (Fact::Lon, lon)] {
            let micro = Scalar::from((degrees * 1e6).round() as i64);
            out.push(("list by a fact", Condition::Compare(Var::Fact(fact), Comparison::AtLeast, micro)));
        }
        out.push(("list by a fact", Condition::is(Fact::Supplier, world.supplier(3))));
    }
    out
}

async fn lists(session: &Session, dice: &mut Dice, answers: &mut Answers) {
    let plain = List::new();
    let named = [
        ("all", plain.clone()),
        ("mine", plain.clone().mine()),
        ("of my teams", plain.clone().my_teams()),
        ("unassigned", plain.clone().unassigned()),
        ("overdue", plain.clone().overdue()),
        ("oldest first", plain.clone().oldest_first()),
        ("none", plain.clone().limit(0)),
    ];
    for (name, list) in named {
        answers.note("list", name, &session.list(&list).await);
        answers.note("list of interventions", name, &session.interventions(&list).await);
    }
    let mut list = plain.clone().limit(2);
    for number in 0..10 {
        let page = session.list(&list).await;
        answers.note("list", format!("page {number}"), &page);
        match page.ok().and_then(|page| page.next) {
            Some(next) => list = plain.clone().limit(2).after(next),
            None => break,
        }
    }
    for (kind, condition) in conditions() {
        let question = condition.to_json().to_string();
        let list = plain.clone().filter(condition.clone());
        answers.note(kind, &question, &session.list(&list).await);
        if dice.once_in(4) {
            answers.note("list of interventions", &question, &session.interventions(&list).await);
            let those = Question::those(condition).figures([Figure::Total]);
            answers.note("figures of some", &question, &session.measure(&those).await);
        }
    }
}

/// Who is looked for by what was typed in one of the worlds.
async fn persons(session: &Session, answers: &mut Answers) {
    for second in [false, true] {
        for other in [Other::AsLong, Other::Longer] {
            let world = Secrets { second, kept: Kept::FromAgents, other };
            for n in 0..8 {
                let (phone, email) = (world.phone(n), world.email(n));
                let by = session.by_contact("voie", Contact::Phone, &phone).await;
                answers.note("person", format!("{second} {other:?} phone {n}"), &by);
                let by = session.by_contact("aide", Contact::Email, &email).await;
                answers.note("person", format!("{second} {other:?} email {n}"), &by);
            }
        }
    }
}

async fn figures(session: &Session, dice: &mut Dice, answers: &mut Answers) {
    answers.note("figures", "first", &session.figures(&Question::all()).await);
    let all: Vec<Figure> = Figure::all().collect();
    for dimension in Dimension::ALL {
        // Each dimension by those that may tell most, and some besides.
        let mut figures = vec![Figure::Total, Figure::Cents, Figure::Minutes, Figure::PlannedCents];
        figures.extend(dice.pick(&all));
        for figure in figures {
            let question = Question::all().figures([figure]).by([dimension]);
            let asked = format!("{figure:?} by {dimension:?}");
            let table = session.measure(&question).await;
            answers.note("figures", &asked, &table);
            for row in table.iter().flat_map(|table| table.rows.iter().take(3)) {
                let behind = session.behind(&question, figure, &row.ids(), None, 50).await;
                answers.note("behind a figure", format!("{asked} {:?}", row.ids()), &behind);
            }
            // Who is behind what only one of the worlds has.
            if dimension == Dimension::Supplier {
                for supplier in ["martin", "dupond", "legal"] {
                    let behind = session.behind(&question, figure, &[Some(supplier)], None, 50).await;
                    answers.note("behind a figure", format!("{asked} {supplier}"), &behind);
                }
            }
        }
    }
}
