//! When personal values go, and what keeps them from going.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use crate::common::{self, Town, at, definition, leak};
use grc_core::{
    Actor, Assignee, Budget, Intake, Moment, Party, RequestId, Typed,
    insight::Question,
    request::{Command, Fire, Given},
    storage::{Load, Parts, StreamKey},
};
use pollster::block_on;

/// A pothole, anonymised three months after closure as everything whose definition says nothing else.
fn pothole() -> Intake {
    Intake::new("nid-de-poule", "telephone")
        .set("description", "un trou")
        .set("danger", false)
        .party(Party::named("Anne", "Le Gall").phone("06 39 98 12 34"))
}

async fn close(town: &Town, id: RequestId) {
    let chief = town.agent("a-03");
    for fire in [
        Fire::new("affecter").to(Assignee::agent("a-06")),
        Fire::new("traiter"),
        Fire::new("cloturer").outcome("repare"),
    ] {
        chief.act_on(id, None, fire).await.unwrap();
    }
}

async fn anonymised_at(town: &Town, id: RequestId) -> Option<Moment> {
    town.agent("a-01").open(id).await.unwrap().anonymised_at()
}

async fn work(town: &Town, when: &str) -> u64 {
    town.clock.set(at(when));
    town.authority.host("worker").work(None, Budget::ALL).await.unwrap().anonymised
}

#[test]
fn the_rule_of_the_definition_is_three_months_by_default() {
    let rule = definition("voirie").procedures.get("nid-de-poule").unwrap().retention;
    assert_eq!((rule.months, rule.days), (3, 0));
    // A leak says otherwise.
    let rule = definition("voirie").procedures.get("fuite-eau").unwrap().retention;
    assert_eq!((rule.months, rule.days), (12, 0));
    let town = block_on(Town::open("voirie"));
    let id = block_on(town.agent("a-01").submit(leak())).unwrap().id();
    block_on(async {
        let chief = town.agent("a-02");
        chief.act_on(id, None, Fire::new("affecter").to(Assignee::agent("a-05"))).await.unwrap();
        chief.act_on(id, None, Fire::new("traiter")).await.unwrap();
        chief.act_on(id, None, Fire::new("cloturer").outcome("repare")).await.unwrap();
        assert_eq!(work(&town, "2027-11-24T08:59:59Z").await, 0);
        assert_eq!(work(&town, "2027-11-24T09:00:00Z").await, 1);
    });
}

#[test]
fn the_clock_starts_at_closure_and_reopening_stops_it() {
    block_on(async {
        let town = Town::open("voirie").await;
        let done = town.agent("a-01").submit(pothole()).await.unwrap();
        // Open for more than a year: nothing happens to it.
        assert_eq!(work(&town, "2028-01-10T10:00:00Z").await, 0);
        close(&town, done.id()).await;
        assert_eq!(work(&town, "2028-04-10T08:59:59Z").await, 0);
        // The citizen is not satisfied: the period starts again at the next closure.
        let anne = town.authority.session(Actor::holder(done.tracking_code().clone()));
        anne.act_on(done.id(), None, Fire::new("rouvrir").message("le trou est revenu")).await.unwrap();
        assert_eq!(work(&town, "2028-06-01T10:00:00Z").await, 0);
        close(&town, done.id()).await;
        assert_eq!(work(&town, "2028-09-01T09:59:59Z").await, 0);
        assert_eq!(work(&town, "2028-09-01T10:00:00Z").await, 1);
        assert_eq!(work(&town, "2028-09-01T10:00:00Z").await, 0, "once");
        assert_eq!(anonymised_at(&town, done.id()).await, Some(at("2028-09-01T10:00:00Z")));
    });
}

#[test]
fn a_hold_keeps_everything_until_it_is_lifted() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = town.agent("a-01").submit(pothole()).await.unwrap().id();
        close(&town, id).await;
        let host = town.authority.host("contentieux");
        host.act(id, Command::Hold { reason: Typed::new("recours") }).await.unwrap();
        assert_eq!(work(&town, "2027-06-01T10:00:00Z").await, 0);
        let erase = Command::Erase { paths: vec!["requester.phone".into()], reason: "demande".into() };
        assert!(common::refusal(host.act(id, erase.clone()).await).has("request.held"));
        host.act(id, Command::Release { hold: 1 }).await.unwrap();
        // What fell due meanwhile is due at once.
        assert_eq!(work(&town, "2027-06-01T10:00:01Z").await, 1);
        assert!(common::refusal(host.act(id, erase).await).has("request.anonymised"));
    });
}

#[test]
fn replayed_cases_are_due_by_their_own_dates() {
    block_on(async {
        let town = Town::open("voirie").await;
        let opened = at("2025-05-05T08:00:00Z").to_utc();
        let id = town.agent("a-01").submit(pothole().occurred_at(opened).quiet()).await.unwrap().id();
        let chief = town.agent("a-03");
        for (n, fire) in [
            Fire::new("affecter").to(Assignee::agent("a-06")),
            Fire::new("traiter"),
            Fire::new("cloturer").outcome("repare"),
        ]
        .into_iter()
        .enumerate()
        {
            let when = at("2025-05-06T08:00:00Z").plus_days(n as i64).to_utc();
            let instruction = grc_core::Instruction::from(fire).occurred_at(when).quiet();
            chief.act_on(id, None, instruction).await.unwrap();
        }
        assert_eq!(Given::replayed(opened), Given { occurred_at: Some(opened.into()), quiet: true });
        let figures = town.authority.host("x").figures(&Question::all()).await.unwrap();
        assert_eq!(figures.opened_by_month.keys().collect::<Vec<_>>(), ["2025-05"]);
        assert!((figures.delay_hours.median - 72.0).abs() < 1e-9);
        // Closed on 8 May 2025, so due since August: as soon as work is done.
        assert_eq!(work(&town, "2026-11-24T09:00:00Z").await, 1);
        let after = town.authority.host("x").figures(&Question::all()).await.unwrap();
        assert_eq!(grc_core::insight::Figures { anonymised: 0, ..after }, figures, "figures are the same");
    });
}

#[test]
fn every_kind_of_contact_is_anonymised() {
    block_on(async {
        let town = Town::open("voirie").await;
        let clerk = town.agent("a-01");
        let plain =
            || Intake::new("nid-de-poule", "telephone").set("description", "un trou").set("danger", false);
        let mut ids = Vec::new();
        for party in [
            Some(Party::requester().phone("06 39 98 00 01")),
            Some(Party::requester().email("seul@example.org")),
            Some(Party::requester().phone("06 39 98 00 02").email("deux@example.org")),
            Some(Party::named("Sans", "Contact")),
            Some(Party::requester().phone("").email("  ")),
            None,
        ] {
            let intake = party.into_iter().fold(plain(), Intake::party);
            let id = clerk.submit(intake).await.unwrap().id();
            close(&town, id).await;
            ids.push(id);
        }
        assert_eq!(work(&town, "2027-03-01T10:00:00Z").await, 6);
        for id in ids {
            let seen = clerk.open(id).await.unwrap();
            assert!(seen.anonymised_at().is_some());
            assert_eq!(seen.fields().keys().map(|key| key.as_str()).collect::<Vec<_>>(), ["danger"]);
            assert!(seen.parties().iter().all(|party| party.details.is_empty()));
        }
    });
}

#[test]
fn ten_are_due_and_one_fails_the_others_go_and_it_is_taken_up_again() {
    use grc_core::{
        Grc, SeededEntropy, Stores,
        conformance::{Fault, FaultStore},
    };
    use std::sync::Arc;
    block_on(async {
        let town = Town::open("voirie").await;
        for _ in 0..10 {
            let id = town.agent("a-01").submit(pothole()).await.unwrap().id();
            close(&town, id).await;
        }
        town.clock.set(at("2027-03-01T10:00:00Z"));
        // The fifth commit of the run fails: that of one anonymisation.
        let faulty = FaultStore::new(Arc::clone(&town.stores.store), Fault::Before, 5);
        let stores = Stores { store: Arc::new(faulty), ..town.stores.clone() };
        let grc = Grc::with(stores, town.clock.clone(), Arc::new(SeededEntropy::new(4))).await.unwrap();
        let host = grc.authority("ville").unwrap().host("worker");
        let report = host.work(None, Budget::ALL).await.unwrap();
        assert_eq!((report.anonymised, report.later), (9, 1), "{report:?}");
        town.clock.set(at("2027-03-01T10:02:00Z"));
        let report = host.work(None, Budget::ALL).await.unwrap();
        assert_eq!((report.anonymised, report.later), (1, 0), "{report:?}");
    });
}

#[test]
fn a_request_of_thousands_of_notes_is_forgotten_in_one_run() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = town.agent("a-01").submit(pothole()).await.unwrap().id();
        let chief = town.agent("a-03");
        for n in 0..2_100 {
            chief.act_on(id, None, Command::note(format!("note {n}"))).await.unwrap();
        }
        close(&town, id).await;
        assert_eq!(work(&town, "2027-03-01T10:00:00Z").await, 1);
        let seen = chief.open(id).await.unwrap();
        assert!(seen.notes().is_empty() && seen.anonymised_at().is_some());
        let verdict = town.authority.host("audit").verify(id).await.unwrap();
        // With the acknowledgement, and the notice of its closure.
        assert_eq!((verdict.events, verdict.problems), (2_108, Vec::new()));
    });
}

#[test]
fn what_must_be_forgotten_is_never_given_up() {
    use async_trait::async_trait;
    use grc_core::{
        Grc, KeyId, SeededEntropy, Stores,
        vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
    };
    use std::{
        collections::BTreeMap,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
    };

    /// A keyring that cannot destroy for a while.
    #[derive(Debug)]
    struct Away(Arc<dyn Keyring>, AtomicBool);

    #[async_trait]
    impl Keyring for Away {
        fn info(&self) -> KeyringInfo {
            self.0.info()
        }
        async fn epoch(&self) -> Result<(uuid::Uuid, u64), KeyringError> {
            self.0.epoch().await
        }
        async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
            self.0.issue(keys).await
        }
        async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
            self.0.open(ids).await
        }
        async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
            self.0.keep(id, slots).await
        }
        async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
            if self.1.load(Ordering::SeqCst) {
                return Err(KeyringError::unavailable("away", "not now"));
            }
            self.0.destroy(ids).await
        }
    }

    block_on(async {
        let town = Town::open("voirie").await;
        let id = town.agent("a-01").submit(pothole()).await.unwrap().id();
        close(&town, id).await;
        let away = Arc::new(Away(Arc::clone(&town.stores.keyring), AtomicBool::new(true)));
        let stores = Stores { keyring: away.clone(), ..town.stores.clone() };
        let grc = Grc::with(stores, town.clock.clone(), Arc::new(SeededEntropy::new(8))).await.unwrap();
        let host = grc.authority("ville").unwrap().host("worker");
        let mut tries = 0;
        for day in 1..40 {
            town.clock.set(at("2027-03-01T10:00:00Z").plus_days(day));
            let report = host.work(None, Budget::ALL).await.unwrap();
            tries += report.later;
            assert_eq!(report.dead, 0, "day {day}");
        }
        assert!(tries > 12, "{tries} tries");
        away.1.store(false, Ordering::SeqCst);
        town.clock.set(at("2027-06-01T10:00:00Z"));
        assert_eq!(host.work(None, Budget::ALL).await.unwrap().destroyed, 1);
    });
}

/// The queue holds the date that was right at closure; the rule is asked again when it comes.
#[test]
fn the_date_is_worked_out_again_in_the_time_zone_of_today() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = town.agent("a-01").submit(pothole()).await.unwrap().id();
        // 30 November in Paris, 29 November in Honolulu.
        town.clock.set(at("2026-11-29T23:30:00Z"));
        close(&town, id).await;
        let mut moved = definition("voirie");
        moved.organisation.time_zone = chrono_tz::Pacific::Honolulu;
        town.authority.host("essai").publish(&moved).await.unwrap();
        assert_eq!(work(&town, "2027-02-28T00:00:00Z").await, 0);
        assert_eq!(work(&town, "2027-02-28T23:29:59Z").await, 0);
        assert_eq!(work(&town, "2027-02-28T23:30:00Z").await, 1);
    });
}

#[test]
fn nothing_anonymises_what_is_held_or_open() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = town.agent("a-01").submit(pothole()).await.unwrap().id();
        let host = town.authority.host("contentieux");
        let anonymise = || Command::Anonymise { rule: "nid-de-poule".into() };
        assert!(common::refusal(host.act(id, anonymise()).await).has("request.open"));
        close(&town, id).await;
        host.act(id, Command::Hold { reason: Typed::new("recours") }).await.unwrap();
        assert!(common::refusal(host.act(id, anonymise()).await).has("request.held"));
        assert_eq!(anonymised_at(&town, id).await, None);
    });
}

#[test]
fn the_state_keeps_no_trace_of_what_was_said() {
    block_on(async {
        let town = Town::open("voirie").await;
        let done = town.agent("a-01").submit(pothole()).await.unwrap();
        let anne = town.authority.session(Actor::holder(done.tracking_code().clone()));
        town.agent("a-03").act_on(done.id(), None, Command::Note(Typed::new("chien méchant"))).await.unwrap();
        close(&town, done.id()).await;
        anne.act_on(done.id(), None, Fire::new("rouvrir").message("le trou est revenu")).await.unwrap();
        close(&town, done.id()).await;
        let ville: grc_core::Word = "ville".parse().unwrap();
        let stream = StreamKey::new(ville.clone(), "request".parse().unwrap(), done.id().uuid());
        let load = Load { authority: ville, streams: vec![stream], parts: Parts::None, receipt: None };
        let body = async || {
            let loaded = town.stores.store.load(&load).await.unwrap();
            let row = loaded.streams.into_iter().next().unwrap().unwrap().row;
            serde_json::from_slice::<serde_json::Value>(&row.body).unwrap()
        };
        let before = body().await;
        for said in ["notes", "messages"] {
            assert!(before.get(said).is_some(), "{said} in {before}");
        }
        assert_eq!(work(&town, "2027-02-24T09:00:00Z").await, 1);
        let after = body().await;
        for said in ["notes", "messages", "files"] {
            assert!(after.get(said).is_none(), "{said} in {after}");
        }
    });
}
