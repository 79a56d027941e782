//! Outcome, closure and confirmation are three facts; promises; opening again within a delay.

#![expect(clippy::unwrap_used, reason = "tests")]

use crate::common::{Town, leak, refusal};
use grc_core::{
    Actor, Assignee, Condition, List, RequestId, Session, TrackingCode, Word,
    insight::Question,
    request::{Command, Fire},
    storage::{Fact, Facts, Load, Parts, StreamKey},
};
use pollster::block_on;

async fn closed(town: &Town) -> (RequestId, TrackingCode) {
    let leak = leak().party(grc_core::Party::named("Anne", "Le Gall").phone("06 39 98 12 34"));
    let submitted = town.agent("a-01").submit(leak).await.unwrap();
    let marc = town.agent("a-02");
    for step in [
        Fire::new("affecter").to(Assignee::agent("a-05")),
        Fire::new("traiter"),
        Fire::new("cloturer").outcome("repare"),
    ] {
        marc.act_on(submitted.id(), None, step).await.unwrap();
    }
    (submitted.id(), submitted.tracking_code().clone())
}

async fn facts(town: &Town, id: RequestId) -> Facts {
    let authority = town.authority.name().clone();
    let stream = StreamKey::new(authority.clone(), Word::new(RequestId::KIND).unwrap(), id.uuid());
    let load = Load { authority, streams: vec![stream], parts: Parts::None, receipt: None };
    let mut loaded = town.stores.store.load(&load).await.unwrap();
    loaded.streams.pop().unwrap().unwrap().row.facts
}

fn holder(town: &Town, code: &TrackingCode) -> Session {
    town.authority.session(Actor::holder(code.clone()))
}

#[test]
fn the_outcome_is_corrected_without_opening_again() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (id, _) = closed(&town).await;
        let marc = town.agent("a-02");
        let before = marc.open(id).await.unwrap();
        let unknown = Command::conclude("reparee", None);
        let problem = refusal(marc.act(&before, unknown).await);
        assert!(problem.has("outcome.unknown"), "{problem}");
        assert_eq!(problem.problems().first().unwrap().hint.as_deref(), Some("did you mean `repare`?"));
        marc.act(&before, Command::conclude("sans-objet", Some("rien trouvé sur place"))).await.unwrap();
        let after = marc.open(id).await.unwrap();
        assert_eq!(after.outcome().unwrap(), "sans-objet");
        assert_eq!(after.closed_at(), before.closed_at());
        assert_eq!(after.state(), before.state());
        assert_eq!(marc.list(&List::new().is(Fact::Outcome, "sans-objet")).await.unwrap().requests.len(), 1);
        // A colleague who saw the former outcome is told.
        assert!(matches!(
            marc.act(&before, Command::conclude("transmis", None)).await,
            Err(grc_core::GrcError::Conflict(_))
        ));
        let denied = refusal(town.agent("a-01").act_on(id, None, Command::conclude("transmis", None)).await);
        assert!(denied.is_denied());
    });
}

#[test]
fn an_outcome_can_be_said_before_the_closure() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = town.agent("a-01").submit(leak()).await.unwrap().id();
        let marc = town.agent("a-02");
        marc.act_on(id, None, Command::conclude("transmis", None)).await.unwrap();
        let seen = marc.open(id).await.unwrap();
        assert_eq!((seen.outcome().unwrap().as_str(), seen.closed_at()), ("transmis", None));
    });
}

#[test]
fn the_requester_says_whether_it_is_what_was_needed() {
    block_on(async {
        let town = Town::open("voirie").await;
        let open = town.agent("a-01").submit(leak()).await.unwrap();
        let early = holder(&town, open.tracking_code());
        assert!(
            refusal(early.act_on(open.id(), None, Command::confirm(true, None)).await).has("request.open")
        );
        let (id, code) = closed(&town).await;
        let anne = holder(&town, &code);
        // Only the requester can say that.
        let marc = town.agent("a-02");
        assert!(refusal(marc.act_on(id, None, Command::confirm(true, None)).await).is_denied());
        let seen = anne.follow().await.unwrap();
        anne.act(&seen, Command::confirm(false, Some("ça goutte encore"))).await.unwrap();
        let seen = marc.open(id).await.unwrap();
        assert_eq!(seen.confirmation().unwrap(), "unsatisfied");
        assert!(seen.closed_at().is_some(), "confirmation is not opening again");
        assert_eq!(seen.outcome().unwrap(), "repare", "nor another outcome");
        let unhappy = Question::those(Condition::is(Fact::Confirmation, "unsatisfied"));
        assert_eq!(marc.figures(&unhappy).await.unwrap().total, 1);
        // Opening again is another step, and what was said of the former outcome does not stay.
        anne.act_on(id, None, Fire::new("rouvrir").message("ça goutte encore")).await.unwrap();
        let seen = marc.open(id).await.unwrap();
        assert_eq!((seen.confirmation(), seen.outcome(), seen.closed_at()), (None, None, None));
        let kinds: Vec<String> =
            marc.history(id).await.unwrap().iter().map(|entry| entry.kind.to_string()).collect();
        assert!(kinds.contains(&"confirmed".to_owned()), "the history keeps it");
    });
}

#[test]
fn opening_again_ends_with_its_delay() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (id, code) = closed(&town).await;
        let anne = holder(&town, &code);
        let closed_at = anne.follow().await.unwrap().closed_at().unwrap();
        let last = closed_at.plus_days(330);
        town.clock.set(last.plus_millis(1));
        let late = refusal(anne.act_on(id, None, Fire::new("rouvrir").message("ça coule")).await);
        assert!(late.has("transition.late"), "{late}");
        let seen = anne.follow().await.unwrap();
        assert!(
            seen.choices().first().unwrap().blocked.iter().any(|problem| problem.code == "transition.late")
        );
        // Saying that it was said in time is no way around it.
        let early = grc_core::Instruction::from(Fire::new("rouvrir").message("ça coule"));
        let early = early.occurred_at(last.plus_days(-1).to_utc());
        assert!(refusal(anne.act_on(id, None, early).await).has("transition.late"));
        town.clock.set(last);
        anne.act_on(id, None, Fire::new("rouvrir").message("ça coule")).await.unwrap();
    });
}

#[test]
fn a_judgement_that_has_reasons_needs_one() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = town.agent("a-01").submit(leak()).await.unwrap().id();
        let marc = town.agent("a-02");
        let assess = |acceptability: &str, reason: Option<&str>| Command::Assess {
            acceptability: acceptability.to_owned(),
            reason: reason.map(str::to_owned),
        };
        let without = refusal(marc.act_on(id, None, assess("non-traitable", None)).await);
        assert!(without.has("reason.required"), "{without}");
        marc.act_on(id, None, assess("non-traitable", Some("domaine-prive"))).await.unwrap();
        let listed = marc.list(&List::new().is(Fact::AcceptabilityReason, "domaine-prive")).await.unwrap();
        assert_eq!(listed.requests.len(), 1);
        marc.act_on(id, None, assess("traitable", None)).await.unwrap();
        let listed = marc.list(&List::new().is(Fact::AcceptabilityReason, "domaine-prive")).await.unwrap();
        assert_eq!(listed.requests.len(), 0);
    });
}

#[test]
fn promises_are_kept_as_they_were_made() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (id, _) = closed(&town).await;
        let row = facts(&town, id).await;
        let opened = row.integer(Fact::Opened).unwrap();
        let hours = |fact| row.integer(fact).map(|at| (at - opened) / 3_600_000_000);
        assert_eq!(hours(Fact::ResponseTarget), Some(30 * 24));
        assert_eq!(hours(Fact::AssignmentTarget), Some(10 * 24));
        assert_eq!(hours(Fact::InterventionTarget), Some(240 * 24));
    });
}
