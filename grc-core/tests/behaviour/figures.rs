//! Any figure by any two dimensions equals a naive recount from the events, and each count what is behind it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use grc_core::{
    Actor, Authority, Condition, Definition, Grc, GrcError, Instruction, Intake, ManualClock, Moment, Party,
    Place, Refusal, RequestId, SeededEntropy, Session, Stores,
    condition::{Comparison, Scalar, Var},
    conformance::{Compared, prove_figures},
    definition::{Action, FieldRights, Grant, Scope},
    insight::{Cell, Dimension, Figure, Question, Step},
    request::{Command, Fire},
    storage::Fact,
};
use pollster::block_on;
use std::{path::Path, sync::Arc};

/// How many cells that are not nothing are compared at least. What no event brings yet is not here.
const FLOORS: &[(&str, u64)] = &[
    ("opened", 10_000),
    ("closed", 2_000),
    ("open", 20_000),
    ("reopened", 500),
    ("total", 5_000),
    ("anonymised", 1_000),
    ("response-count", 3_000),
    ("response-p90", 3_000),
    ("assignment-count", 4_000),
    ("assignment-median", 4_000),
    ("closure-count", 2_000),
    ("closure-mean", 2_000),
    ("closure-median", 2_000),
    ("closure-p90", 2_000),
    ("closure-promised", 1_000),
    ("closure-within", 300),
    ("closure-share", 300),
    ("minutes", 1_500),
    ("cents", 1_500),
    ("intervention-count", 500),
    ("intervention-median", 500),
    ("intervention-within", 100),
    ("response-share", 100),
    ("assignment-share", 100),
    ("planned-minutes", 500),
    ("planned-cents", 500),
    ("by confirmation", 1_000),
    ("by intervention", 1_000),
    ("messages-in", 10_000),
    ("messages-out", 4_000),
    ("by month", 10_000),
    ("by week", 10_000),
    ("by day", 4_000),
    ("by weekday", 4_000),
    ("by hour", 4_000),
    ("by type", 5_000),
    ("by family", 4_000),
    ("by entity", 4_000),
    ("by service", 5_000),
    ("by team", 5_000),
    ("by agent", 5_000),
    ("by supplier", 4_000),
    ("by channel", 5_000),
    ("by channel-out", 5_000),
    ("by answer", 5_000),
    ("by state", 5_000),
    ("by phase", 5_000),
    ("by zone", 5_000),
    ("by acceptability", 4_000),
    ("by acceptability-reason", 4_000),
    ("by outcome", 5_000),
    ("by request", 10_000),
];

/// A definition in which a role may do all that figures look at.
fn definition(name: &str, role: &str) -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions").join(name);
    let mut definition = Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"));
    definition.organisation.grants.push(Grant {
        to: vec![role.to_owned()],
        may: vec![Action::See, Action::Measure, Action::Cost],
        types: None,
        families: None,
        scope: Scope::Any,
    });
    definition
}

#[test]
fn any_figure_by_any_two_dimensions_equals_a_recount_from_the_events() {
    let mut compared = Compared::default();
    for (name, role, overseer, seeds) in
        [("voirie", "administrateur", "a-09", 1..=4), ("urbanisme", "secretariat", "u-01", 1..=2)]
    {
        let definition = definition(name, role);
        for seed in seeds {
            block_on(prove_figures(Stores::memory(), &definition, (seed, 300), overseer, &mut compared));
        }
    }
    println!("{}", compared.summary());
    compared.at_least(FLOORS);
    assert!(compared.refused > 2_000 && compared.behind > 4_000 && compared.listed > 1_500);
    assert!(compared.anonymised > 15, "{} requests were anonymised", compared.anonymised);
}

/// A town on a definition that was changed, with its clock in the morning of 24 November 2026.
async fn town(change: impl FnOnce(&mut Definition)) -> (Authority, Arc<ManualClock>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions/voirie");
    let mut definition = Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"));
    change(&mut definition);
    let clock = Arc::new(ManualClock::at(at("2026-11-24T09:00:00Z")));
    let shown: Arc<dyn grc_core::Clock> = Arc::<ManualClock>::clone(&clock);
    let grc = Grc::with(Stores::memory(), shown, Arc::new(SeededEntropy::new(3))).await.unwrap();
    let authority = grc.authority("ville").unwrap();
    authority.host("essai").publish(&definition).await.unwrap();
    (authority, clock)
}

fn at(text: &str) -> Moment {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into()
}

fn grant(to: &str, may: Action, types: Option<&str>) -> Grant {
    let types = types.map(|type_| vec![type_.parse().unwrap()]);
    Grant { to: vec![to.to_owned()], may: vec![may], types, families: None, scope: Scope::Any }
}

fn intake(type_: &str) -> Intake {
    let intake = Intake::new(type_, "telephone").set("description", "devant le 12");
    let intake = intake.party(Party::named("Anne", "Le Gall").phone("06 39 98 12 34").answer_by("sms"));
    if type_ == "fuite-eau" { intake.set("gravite", "ecoulement") } else { intake.set("danger", true) }
}

async fn work(session: &Session, id: RequestId, cents: i64) {
    let work = Command::Work { minutes: 30, cents, supplier: None };
    session.act_on(id, None, work).await.unwrap();
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(result: Result<T, GrcError>) -> Refusal {
    match result {
        Err(GrcError::Refused(refusal) | GrcError::NotPermitted(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn amounts_and_requests_show_only_to_who_may_see_them() {
    block_on(async {
        // The general direction measures everything and sees nothing; one chief knows what leaks cost.
        let (town, _) = town(|definition| {
            let grants = &mut definition.organisation.grants;
            grants.iter_mut().for_each(|grant| grant.may.retain(|may| *may != Action::Cost));
            grants.push(grant("responsable", Action::Cost, Some("fuite-eau")));
            grants.push(grant("administrateur", Action::Cost, None));
        })
        .await;
        let (clerk, admin) = (town.session(Actor::agent("a-01")), town.session(Actor::agent("a-09")));
        let mut ids = Vec::new();
        for (type_, cents) in [("fuite-eau", 100), ("fuite-eau", 20), ("nid-de-poule", 3)] {
            let id = clerk.submit(intake(type_)).await.unwrap().id();
            work(&admin, id, cents).await;
            ids.push(id);
        }
        let pothole = ids[2];
        ids.sort_unstable();
        let direction = town.session(Actor::agent("a-08"));
        let all = Question::all().figures([Figure::Minutes, Figure::Opened]);
        let table = direction.measure(&all.clone().by([Dimension::Type])).await.unwrap();
        assert_eq!(table.rows.len(), 2);
        assert_eq!(
            table.cell(&[Some("fuite-eau")], Figure::Minutes).unwrap(),
            Cell::Minutes(60),
            "what work took is no amount"
        );
        // Nor amounts, nor single requests.
        for figure in [Figure::Cents, Figure::PlannedCents] {
            let refused = refusal(direction.measure(&Question::all().figures([figure])).await);
            assert!(refused.is_denied() && refused.problems()[0].path == "figures", "{refused}");
        }
        let by_request = all.clone().by([Dimension::Request]);
        assert_eq!(direction.measure(&by_request).await.unwrap().rows, []);
        let behind = direction.behind(&all, Figure::Opened, &[], None, 10).await.unwrap();
        assert_eq!(behind.requests, []);
        assert_eq!(admin.behind(&all, Figure::Opened, &[], None, 10).await.unwrap().requests, ids);
        // Two of the three are the water service's; only their amounts count for its chief.
        let chief = town.session(Actor::agent("a-02"));
        let cents = Question::all().figures([Figure::Cents, Figure::Total]);
        assert_eq!(chief.measure(&cents).await.unwrap().rows[0].cells, [Cell::Cents(120), Cell::Count(2)]);
        let roads = town.session(Actor::agent("a-03"));
        assert_eq!(roads.measure(&cents).await.unwrap().rows[0].cells, [Cell::Cents(0), Cell::Count(1)]);
        assert_eq!(roads.behind(&cents, Figure::Cents, &[], None, 10).await.unwrap().requests, []);
        assert_eq!(roads.behind(&cents, Figure::Total, &[], None, 10).await.unwrap().requests, [pothole]);
        assert_eq!(admin.measure(&cents).await.unwrap().rows[0].cells, [Cell::Cents(123), Cell::Count(3)]);
        assert!(refusal(clerk.measure(&cents).await).is_denied(), "who takes calls sees no figures");
    });
}

#[test]
fn figures_are_not_made_by_positions_that_may_not_be_read() {
    block_on(async {
        let (town, _) = town(|definition| {
            let type_ = definition.procedures.get_mut("nid-de-poule").unwrap();
            let rights = FieldRights { read: Some(vec!["administrateur".to_owned()]), write: None };
            type_.rights.insert("place.point".parse().unwrap(), rights);
        })
        .await;
        let clerk = town.session(Actor::agent("a-01"));
        for type_ in ["fuite-eau", "nid-de-poule"] {
            let place = Place::address("1 rue du Test", "35000", "Rennes").and_position(48.1, -1.7);
            clerk.submit(intake(type_).at(place)).await.unwrap();
        }
        let north = Condition::Compare(Var::Fact(Fact::Lat), Comparison::More, Scalar::Integer(48_000_000));
        let question = Question::those(north).figures([Figure::Total]).by([Dimension::Type]);
        let seen = |agent: &'static str| {
            let session = town.session(Actor::agent(agent));
            let question = question.clone();
            async move { session.measure(&question).await.unwrap().rows.len() }
        };
        assert_eq!((seen("a-08").await, seen("a-09").await), (1, 2));
    });
}

#[test]
fn questions_that_cannot_be_answered_say_why() {
    block_on(async {
        let (town, _) = town(|_| ()).await;
        let session = town.session(Actor::agent("a-09"));
        let (one, two) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        let opened = || Question::all().figures([Figure::Opened]);
        let field = Condition::Present(Var::Field("description".parse().unwrap()));
        for (question, code, path) in [
            (Question::all(), "figures.none", "figures"),
            (
                opened().by([Dimension::Type, Dimension::Team, Dimension::Zone, Dimension::State]),
                "figures.dimensions",
                "by",
            ),
            (opened().by([Dimension::Type, Dimension::Type]), "figures.dimension", "by.type"),
            (opened().between(two, one), "figures.range", "between"),
            (Question::all().figures([Figure::Open]).by([Dimension::Hour]), "figures.dimension", "by.hour"),
            (
                Question::all().figures([Figure::Open]).by([Dimension::Month, Dimension::Week]),
                "figures.dimension",
                "by",
            ),
            (Question::all().figures([Figure::Open]).by([Dimension::Month]).at(one), "figures.moment", "at"),
            (
                Question::all().figures([Figure::Minutes]).by([Dimension::ChannelOut]),
                "figures.dimension",
                "by.channel-out",
            ),
            (Question::those(field).figures([Figure::Total]), "list.field", "form.description"),
        ] {
            for refusal in
                [refusal(session.measure(&question).await), refusal(town.host("x").measure(&question).await)]
            {
                let problem = &refusal.problems()[0];
                assert_eq!((problem.code, problem.path.as_str()), (code, path), "{refusal}");
                assert!(problem.hint.is_some(), "{refusal}");
            }
        }
        // Every reason at once.
        let wrong = Question::all().figures([Figure::Open, Figure::Total]).by([Dimension::Hour]);
        assert_eq!(refusal(session.measure(&wrong).await).problems().len(), 2);
        let by_month = opened().by([Dimension::Month]);
        for keys in [&[][..], &[Some("2026-13")], &[Some("2026-01"), None]] {
            assert!(
                refusal(session.behind(&by_month, Figure::Opened, keys, None, 5).await).has("figures.keys")
            );
        }
        assert!(matches!(session.measure_all(&[]).await.as_deref(), Ok([])));
    });
}

#[test]
fn what_is_open_is_counted_at_any_moment_and_at_the_end_of_each_month() {
    block_on(async {
        let (town, clock) = town(|_| ()).await;
        let (clerk, chief) = (town.session(Actor::agent("a-01")), town.session(Actor::agent("a-02")));
        clock.set(at("2026-09-30T21:30:00Z"));
        let first = clerk.submit(intake("fuite-eau")).await.unwrap().id();
        // Half an hour before midnight in Paris, and half an hour after.
        clock.set(at("2026-09-30T22:30:00Z"));
        clerk.submit(intake("fuite-eau")).await.unwrap();
        clock.set(at("2026-11-10T09:00:00Z"));
        let acts = [
            Instruction::new(Command::Assess {
                acceptability: "non-traitable".to_owned(),
                reason: Some("deja-signale".to_owned()),
            }),
            Fire::new("rejeter").outcome("sans-objet").message("c'est déjà signalé").into(),
        ];
        for act in acts {
            chief.act_on(first, None, act).await.unwrap();
        }
        let by_month = Question::all().figures([Figure::Open, Figure::Opened, Figure::Closed]);
        let table = chief.measure(&by_month.clone().by([Dimension::Month])).await.unwrap();
        let rows: Vec<_> = table
            .rows
            .iter()
            .map(|row| {
                let count = |figure| table.of(row, figure).unwrap().count().unwrap();
                let id = row.ids()[0].unwrap().to_owned();
                (id, count(Figure::Open), count(Figure::Opened), count(Figure::Closed))
            })
            .collect();
        let row = |id: &str, open, opened, closed| (id.to_owned(), open, opened, closed);
        assert_eq!(rows, [row("2026-09", 1, 1, 0), row("2026-10", 2, 1, 0), row("2026-11", 1, 0, 1)]);
        for (moment, open) in [
            ("2026-09-30T21:29:59Z", 0),
            ("2026-09-30T21:30:00Z", 1),
            ("2026-11-10T08:59:59Z", 2),
            ("2026-11-10T09:00:00Z", 1),
        ] {
            let asked = Question::all().figures([Figure::Open]).at(at(moment)).by([Dimension::Phase]);
            let table = chief.measure(&asked).await.unwrap();
            let found = table.cell(&[Some("received")], Figure::Open).and_then(Cell::count);
            assert_eq!(found.unwrap_or(0), open, "{moment}");
        }
        // In a stretch of time, what is open is so at its end.
        let october = Question::all()
            .figures([Figure::Open, Figure::Opened, Figure::Total])
            .between(at("2026-09-30T22:00:00Z"), at("2026-10-31T23:00:00Z"));
        let cells = [Cell::Count(2), Cell::Count(1), Cell::Count(2)];
        assert_eq!(chief.measure(&october).await.unwrap().rows[0].cells, cells);
        // Keys have their names.
        let labels = chief.measure(&by_month.by([Dimension::State, Dimension::Phase])).await.unwrap();
        assert_eq!(labels.rows[0].labels(), ["Clôturée", "Close"]);
        assert_eq!(
            serde_json::to_value(&labels).unwrap()["rows"][0],
            serde_json::json!({
                "keys": [{"id": "cloturee", "label": "Clôturée"}, {"id": "closed", "label": "Close"}],
                "cells": [0, 1, 1],
            })
        );
    });
}

#[test]
fn stretches_of_time_are_half_open_and_a_promise_is_kept_at_its_time() {
    block_on(async {
        let (town, clock) = town(|_| ()).await;
        let (clerk, chief) = (town.session(Actor::agent("a-01")), town.session(Actor::agent("a-02")));
        let (opened, closed) = (at("2026-11-24T09:00:00Z"), at("2026-11-26T10:30:00Z"));
        let late = Moment::from_micros(closed.micros() - 1);
        for target in [closed, late] {
            clock.set(opened);
            let id = clerk.submit(intake("fuite-eau").target(target.to_utc())).await.unwrap().id();
            clock.set(closed);
            let judged = Command::Assess {
                acceptability: "non-traitable".to_owned(),
                reason: Some("domaine-prive".to_owned()),
            };
            chief.act_on(id, None, judged).await.unwrap();
            let fire = Fire::new("rejeter").outcome("sans-objet").message("ce n'est pas à nous");
            chief.act_on(id, None, fire).await.unwrap();
        }
        let closure = Step::Closure;
        let figures = [Figure::Opened, Figure::Closed, Figure::Within(closure), Figure::Median(closure)];
        let asked = |from, until| Question::all().figures(figures).between(from, until);
        let after = |moment: Moment| Moment::from_micros(moment.micros() + 1);
        let (some, none) = (Some(49.5), None);
        for (question, opened, closed, within, median) in [
            (asked(opened, after(opened)), 2, 0, 1, some),
            (asked(at("2026-11-01T00:00:00Z"), opened), 0, 0, 0, none),
            (asked(after(opened), after(closed)), 0, 2, 0, none),
            (asked(after(opened), closed), 0, 0, 0, none),
            (asked(after(opened), after(closed)).by_closing(), 0, 2, 1, some),
            (asked(opened, opened), 0, 0, 0, none),
        ] {
            let cells = chief.measure(&question).await.unwrap().rows[0].cells.clone();
            let expected =
                [Cell::Count(opened), Cell::Count(closed), Cell::Count(within), Cell::Hours(median)];
            assert_eq!(cells, expected, "{question:?}");
        }
        let kept =
            chief.behind(&asked(opened, closed), Figure::Within(closure), &[], None, 10).await.unwrap();
        assert_eq!(kept.requests.len(), 1);
    });
}
