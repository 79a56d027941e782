//! By what lists and figures are asked: keys of every dimension, moments, days and amounts that are written as texts.

use crate::{
    strings,
    town::{Town, Watchdog, answered, refused_for},
};
use grc_core::{
    Condition, Intake, List, Party, Place, Stores, Word,
    condition::{Comparison, Scalar, Var},
    insight::{Dimension, Figure, Question},
    intervention::Planning,
    request::{Command, Fire},
    storage::{Fact, FactKind},
};
use pollster::block_on;

/// Dates, moments, hours and amounts, at their ends and beyond them, and what looks like them.
const NEAR: &[&str] = &[
    "2026-11",
    "2026-13",
    "0000-01",
    "-0001-01",
    "+262142-12",
    "-262143-01",
    "+262143-01",
    "+999999999999-01",
    "2026-W48",
    "2026-w48",
    "2026-W00",
    "2026-W54",
    "0000-W01",
    "+262142-W52",
    "-262143-W01",
    "2026-11-24",
    "2026-02-30",
    "2026- 11-24",
    "2026-11-24x",
    "+262142-12-31",
    "-262143-01-01",
    "+262143-01-01",
    "0",
    "1",
    "+1",
    "-1",
    " 1",
    "07",
    "23",
    "24",
    "\u{661}",
    "1e1",
    "00000000000000000000000001",
    "2026-11-24T09:00:01Z",
    "2026-11-24T23:59:60Z",
    "2026-11-24T09:00:00+25:00",
    "+262142-12-31T23:59:59.999999999Z",
    "+262142-12-31T23:59:59-23:59",
    "-262143-01-01T00:00:00Z",
    "-262143-01-01T00:00:00+23:59",
    "84,50",
    "-0,00",
    "1\u{202f}000,5 €",
    "92233720368547758,07",
    "92233720368547758,08",
    "-92233720368547758,08",
    "9223372036854775807",
    "-9223372036854775808",
    "€",
];

fn texts() -> Vec<String> {
    strings::all().into_iter().chain(NEAR.iter().map(|near| (*near).to_owned())).collect()
}

/// A town with something in as many dimensions as can be.
fn busy() -> Town {
    let town = Town::open(Stores::memory());
    let desk = town.desk();
    let intake = Intake::new("tout", "web").at(Place::position(48.1, -1.6).in_zone("centre"));
    let anne = Party::named("Anne", "Le Gall").email("anne@example.org").answer_by("courriel");
    let intake = intake.party(anne).set("prix", "84,50").set("compte", "7").set("echeance", "2026-11-24");
    block_on(async {
        let id = desk.submit(intake).await.unwrap().id();
        let from = "2026-11-25T08:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let plan = Planning::new(from, from + chrono::Duration::hours(3)).serving(id).team("chaussee");
        desk.plan(plan).await.unwrap();
        let can_be = Command::Assess { acceptability: "traitable".to_owned(), reason: None };
        desk.act_on(id, None, can_be).await.unwrap();
        let closing = Fire::new("finir").outcome("fait").message("c'est fait").note("vu");
        desk.act_on(id, None, closing).await.unwrap();
    });
    town
}

#[test]
fn keys_of_every_dimension_are_read_or_refused() {
    let _watchdog = Watchdog::new("keys");
    let town = busy();
    let (desk, host) = (town.desk(), town.host());
    let mut texts = texts();
    texts.push(town.request().to_string());
    let mut said = Vec::new();
    for dimension in Dimension::ALL {
        let question = Question::all().figures([Figure::Opened]).by([dimension]);
        let behind = |keys: Vec<Option<String>>| {
            let (host, question) = (&host, &question);
            async move {
                let keys: Vec<Option<&str>> = keys.iter().map(Option::as_deref).collect();
                host.behind(question, Figure::Opened, &keys, None, 5).await
            }
        };
        // Each key that a table has is one.
        for row in &block_on(host.measure(&question)).unwrap().rows {
            let keys = row.ids().into_iter().map(|id| id.map(str::to_owned)).collect();
            assert!(!answered("", 0, behind(keys)).unwrap().requests.is_empty(), "{dimension}");
        }
        let (mut read, mut refused) = (0, 0);
        for text in &texts {
            let size = text.len() * 4;
            let outcome = answered(text, size, behind(vec![Some(text.clone())]));
            let keys = [Some(text.as_str())];
            let of_desk = answered(text, size, desk.behind(&question, Figure::Opened, &keys, None, 5));
            assert_eq!(of_desk.is_ok(), outcome.is_ok(), "{dimension}: {text:?}");
            match outcome {
                Ok(_) => read += 1,
                Err(error) => {
                    refused_for::<()>("figures.keys", Err(error));
                    refused += 1;
                }
            }
        }
        assert!(read > 0 && refused > 400, "{dimension}: {read} read, {refused} refused");
        said.push(format!("{dimension} {read}"));
        for text in strings::giants() {
            refused_for("figures.keys", answered(&text, text.len(), behind(vec![Some(text.clone())])));
        }
        for keys in [Vec::new(), vec![None, None]] {
            refused_for("figures.keys", answered("", 0, behind(keys)));
        }
    }
    println!("read as keys: {}", said.join(", "));
}

#[test]
fn moments_days_and_amounts_are_compared_with_any_text() {
    let _watchdog = Watchdog::new("compared");
    let town = busy();
    let (desk, host) = (town.desk(), town.host());
    let moments = Fact::ALL.iter().copied().filter(|fact| fact.kind() == FactKind::Moment).map(Var::Fact);
    let fields = ["prix", "compte", "echeance"].map(|field| Var::Field(Word::slug(field)));
    let vars: Vec<Var> = moments.chain([Var::Fact(Fact::Lat)]).chain(fields).collect();
    let (texts, giants) = (texts(), strings::giants());
    for var in vars {
        let (mut read, mut refused) = (0, 0);
        for text in texts.iter().chain(giants.iter().step_by(2)) {
            let scalar = || Scalar::from(text.as_str());
            let filters = [
                Condition::Compare(var.clone(), Comparison::AtLeast, scalar()),
                Condition::OneOf(var.clone(), vec![scalar()]),
                Condition::Contains(var.clone(), text.clone()),
            ];
            for (n, filter) in filters.into_iter().enumerate() {
                let list = List::new().filter(filter.clone());
                let outcome = answered(text, text.len(), desk.list(&list)).map(drop);
                if n == 0 {
                    read += u32::from(outcome.is_ok());
                    refused += u32::from(outcome.is_err());
                } else if n == 2 {
                    assert!(outcome.is_err(), "{var}: no text is searched in it");
                }
                if let Err(error) = outcome {
                    refused_for::<()>("list.compare", Err(error));
                }
                if matches!(var, Var::Fact(_)) {
                    let _ = answered(text, text.len(), desk.interventions(&list));
                    let question = Question::those(filter).figures([Figure::Total]);
                    let _ = answered(text, text.len(), host.measure(&question));
                }
            }
        }
        println!("{var}: {read} read, {refused} refused");
        let least = match &var {
            Var::Fact(Fact::Lat) => 0,
            Var::Field(field) if field == "compte" => 0,
            _ => 1,
        };
        assert!(read >= least && refused > 400, "{var}: {read} read, {refused} refused");
    }
}
