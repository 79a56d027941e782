//! Smaller plays.

use super::{
    attack::attack,
    spy::Off,
    stage::{Adapter, PHONE, Stage, TOWN, at},
};
use grc_core::{
    Budget, Intake, Party, Value,
    definition::Contact,
    request::{Command, Fire},
    vault::Slot,
};
use std::collections::BTreeMap;

/// A request without a lasting field is forgotten, and its key is destroyed as a whole. Whether nothing opens any more.
pub(crate) async fn a_whole_key<A: Adapter>(adapter: A, off: Off) -> bool {
    let stage = Stage::new(adapter, off).await;
    let agent = stage.agent();
    let intake = Intake::new("fuite", "telephone").set("description", "au secret");
    let id = agent.submit(intake).await.unwrap().id();
    agent.act_on(id, None, Fire::new("terminer").outcome("repare")).await.unwrap();
    stage.clock.set(at("2026-07-02T09:00:00Z"));
    let report = stage.town().host("worker").work(None, Budget::ALL).await.unwrap();
    assert_eq!((report.anonymised, report.destroyed), (1, 1));
    let loot = stage.loot(id.uuid());
    attack(&loot, TOWN, id.uuid(), &stage.candidates(), &[1, 2], &BTreeMap::new()).opened.is_empty()
}

/// One value is erased before its time, and the others stay.
pub(crate) async fn one_value<A: Adapter>(adapter: A) {
    let stage = Stage::new(adapter, Off::Nothing).await;
    let (town, agent) = (stage.town(), stage.agent());
    let intake = Intake::new("fuite", "telephone")
        .set("description", "reste")
        .party(Party::named("Anne", "Reste").phone(PHONE).email("anne@example.org"));
    let id = agent.submit(intake).await.unwrap().id();
    let erase =
        Command::Erase { paths: vec!["requester.phone".into()], reason: "droit-a-l-effacement".into() };
    agent.act_on(id, None, erase).await.unwrap();
    town.host("worker").work(None, Budget::ALL).await.unwrap();
    // What is written afterwards is under a fresh key.
    agent.act_on(id, None, Command::note("après")).await.unwrap();
    let seen = agent.open(id).await.unwrap();
    let details: Vec<&str> = seen.parties()[0].details.keys().map(|key| key.as_str()).collect();
    assert_eq!(details, ["email", "given", "name"]);
    assert_eq!(
        (seen.field("description").unwrap(), seen.notes()[0].text.as_str()),
        (&Value::from("reste"), "après")
    );
    assert!(agent.by_contact("fuite", Contact::Phone, PHONE).await.unwrap().is_empty());
    assert_eq!(agent.by_contact("fuite", Contact::Email, "anne@example.org").await.unwrap(), [id]);
    let loot = stage.loot(id.uuid());
    let slots: Vec<Slot> = loot.commitments.keys().copied().collect();
    let found = attack(&loot, TOWN, id.uuid(), &stage.candidates(), &slots, &BTreeMap::new());
    let lost: Vec<Slot> = slots.into_iter().filter(|slot| !found.opened.contains_key(slot)).collect();
    assert_eq!(lost.len(), 1, "one slot cannot be opened any more, the others can");
    assert_eq!(town.host("audit").verify(id).await.unwrap().problems, Vec::<String>::new());
}
