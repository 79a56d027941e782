//! A second workflow: a return to the citizen, a waiting state, two final states, and another role that closes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use crate::common::{Town, at, leak, refusal};
use grc_core::{
    Actor, Assignee, Budget, Intake, Party, Submitted, Value, Word,
    request::{Command, Fire},
};
use pollster::block_on;

async fn declared(town: &Town) -> Submitted {
    let works = Value::Choices(vec![Word::new("piscine").unwrap()]);
    let intake = Intake::new("declaration-prealable", "teleservice")
        .set("travaux", works)
        .set("surface", 15)
        .party(Party::named("Jean", "Martin").email("jean.martin@example.org"));
    town.authority.session(Actor::citizen()).submit(intake).await.unwrap()
}

#[test]
fn a_file_goes_back_to_the_citizen_and_is_decided_by_somebody_else() {
    block_on(async {
        let town = Town::open("urbanisme").await;
        assert!(town.stores.store.info().test);
        assert!(refusal(town.agent("u-01").submit(leak()).await).has("type.unknown"), "another town's type");
        let done = declared(&town).await;
        let (secretary, officer, mayor) = (town.agent("u-01"), town.agent("u-02"), town.agent("u-03"));
        let id = done.id();
        secretary.act_on(id, None, Fire::new("instruire").to(Assignee::agent("u-02"))).await.unwrap();
        officer
            .act_on(id, None, Fire::new("demander-des-pieces").message("Il manque le plan."))
            .await
            .unwrap();

        let citizen = town.authority.session(Actor::holder(done.tracking_code().clone()));
        let seen = citizen.follow().await.unwrap();
        assert_eq!(
            (seen.phase().as_str(), seen.messages()[0].text.as_str()),
            ("waiting", "Il manque le plan.")
        );
        assert_eq!(seen.stage().get("fr"), "Nous attendons des pièces de votre part");
        assert!(refusal(citizen.act(&seen, Fire::new("completer")).await).has("field.required"));
        let plan = citizen.store_file(Some("plan"), "plan.pdf", &b"%PDF-1.7"[..]).await.unwrap();
        citizen.act(&seen, Command::Attach(plan)).await.unwrap();
        citizen.act(&citizen.follow().await.unwrap(), Fire::new("completer")).await.unwrap();

        // Who instructs does not decide, and who decides needs an opinion.
        let decide = || Fire::new("decider").outcome("non-opposition").message("Vous pouvez commencer.");
        assert!(refusal(officer.act_on(id, None, decide()).await).is_denied());
        assert!(refusal(mayor.act_on(id, None, decide()).await).has("transition.guard"));
        officer.act_on(id, None, Command::correct("avis-interne", "favorable")).await.unwrap();
        mayor.act_on(id, None, decide()).await.unwrap();
        let seen = citizen.follow().await.unwrap();
        assert_eq!((seen.phase().as_str(), seen.outcome().unwrap().as_str()), ("closed", "non-opposition"));
        assert!(seen.field("avis-interne").is_none(), "the opinion is not the citizen's to read");
        // Kept by its rule: nothing is due, however late.
        town.clock.set(at("2050-01-01T00:00:00Z"));
        assert_eq!(town.authority.host("worker").work(None, Budget::ALL).await.unwrap().anonymised, 0);
    });
}

#[test]
fn waiting_too_long_ends_in_the_other_final_state_by_itself() {
    block_on(async {
        let town = Town::open("urbanisme").await;
        let done = declared(&town).await;
        let officer = town.agent("u-02");
        officer.act_on(done.id(), None, Fire::new("demander-des-pieces").message("Le plan ?")).await.unwrap();
        let worker = town.authority.host("worker");
        town.clock.set(at("2027-02-24T08:59:59Z"));
        assert_eq!(worker.work(None, Budget::ALL).await.unwrap().fired, 0);
        town.clock.set(at("2027-02-24T09:00:00Z"));
        assert_eq!(worker.work(None, Budget::ALL).await.unwrap().fired, 1);
        let seen = officer.open(done.id()).await.unwrap();
        assert_eq!((seen.state().unwrap().as_str(), seen.phase().as_str()), ("rejetee", "closed"));
        assert_eq!(worker.work(None, Budget::ALL).await.unwrap().fired, 0, "once");
    });
}
