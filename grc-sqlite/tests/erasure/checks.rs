//! What can be seen after somebody was forgotten.

use super::{
    attack::{attack, files_open},
    play::{World, state},
    spy::Off,
    stage::{Adapter, PHONE, TOWN, at},
};
use grc_core::{
    Actor, Grc, GrcError, Intake, Word,
    definition::Contact,
    storage::{Fact, Load, Parts, Step, Store, StreamKey},
    vault::{Slot, VaultRow},
};
use std::collections::BTreeMap;

type Check = (&'static str, bool);

/// Every assertion, by name.
pub(crate) async fn checks<A: Adapter>(world: &World<A>) -> Vec<Check> {
    let (agent, town, id) = (world.agent(), world.town(), world.erased.uuid());
    let candidates = world.candidates();
    let loot = world.loot(id);
    let found = attack(&loot, TOWN, id, &candidates, &world.gone, &world.values);
    let stays = attack(&loot, TOWN, id, &candidates, &world.stay, &BTreeMap::new());
    let authority = Word::new(TOWN).unwrap();
    let stream = StreamKey::new(authority.clone(), Word::new("request").unwrap(), id);
    let load = Load { authority, streams: vec![stream], parts: Parts::All, receipt: None };
    let record = world.stores.load(&load).await.unwrap().streams.pop().flatten().unwrap();
    let gone = |bytes: &Vec<u8>| {
        let row = VaultRow::from_bytes(bytes).unwrap();
        row.0.iter().all(|sealed| !world.gone.contains(&sealed.slot))
    };
    // Through the store, and past it.
    let rows = world.adapter.rows(&format!("SELECT bytes FROM {}vault WHERE id=?", A::PREFIX), id);
    let vault_is_gone = record.vault.values().all(gone) && rows.iter().all(gone);
    let holder = town.session(Actor::holder(world.erased_code.clone()));
    let found_by_phone = agent.by_contact("fuite", Contact::Phone, PHONE).await.unwrap();
    let again = Intake::new("fuite", "telephone")
        .set("description", "encore")
        .source_key(world.source.as_str())
        .occurred_at(at("2026-03-02T09:00:00Z").to_utc());
    let source_is_free = agent.submit(again).await.is_ok();
    let state = state(world, world.erased).await;
    let coarse =
        [Fact::Lat, Fact::Lon].iter().all(|f| record.row.facts.integer(*f).is_some_and(|v| v % 10_000 == 0));
    let file_opens = files_open(&world.blobs.pieces.lock().unwrap(), &found);
    let seen = agent.open(world.erased).await.unwrap();
    vec![
        ("no sealed slot opens", found.opened.is_empty()),
        ("no commitment can be tried", found.guessed.is_empty()),
        ("no attachment opens", !file_opens),
        ("what stays opens", stays.opened.len() == world.stay.len()),
        ("the vault rows are gone", vault_is_gone),
        ("the vault rows of what stays are there", !rows.is_empty() && rows.len() == record.vault.len()),
        ("the tracking code leads nowhere", matches!(holder.follow().await, Err(GrcError::NotFound))),
        ("the contact leads to the live request only", found_by_phone == [world.live]),
        ("the source key is free again", source_is_free),
        (
            "nothing waits to be sent, dead or alive",
            world.count("task", "stream=? AND what='deliver'", id) == 0,
        ),
        (
            "the tokens of personal fields are gone",
            world.count("link", "id=? AND link LIKE 'index.%'", id) == 0,
        ),
        ("the tokens of contacts are gone", world.count("link", "id=? AND link LIKE 'contact.%'", id) == 0),
        ("the bytes of the attachment are gone", world.count("blob", "? IS NOT NULL", id) == 0),
        ("the place is coarse", coarse),
        ("the state names no erased slot", state.book.slots.keys().all(|slot| !world.gone.contains(slot))),
        (
            "the field that is not personal stays",
            seen.field("remarque").is_some() && seen.field("materiau").is_some(),
        ),
        ("the history verifies", town.host("audit").verify(world.erased).await.unwrap().problems.is_empty()),
        (
            "the work is shared as before, and the other request's part stays",
            matches!(seen.interventions(), [on_site] if on_site.cents == Some(617) && on_site.texts.is_empty())
                && matches!(agent.open(world.live).await.unwrap().interventions(), [on_site] if on_site.texts.len() == 1),
        ),
    ]
}

pub(crate) fn red(checks: &[Check]) -> Vec<&'static str> {
    checks.iter().filter(|(_, holds)| !holds).map(|(name, _)| *name).collect()
}

/// A step left out is noticed. Answers what it was noticed by.
#[track_caller]
pub(crate) fn turns_red(off: Off, expected: &str, checks: &[Check]) -> String {
    let red = red(checks);
    assert!(red.contains(&expected), "{off:?} left out does not turn `{expected}` red: {red:?}");
    format!("{off:?} left out: {red:?}")
}

/// No typed value and no key is in clear in any byte that the store was given.
pub(crate) fn nothing_given_in_clear<A: Adapter>(world: &World<A>) {
    let secrets = world.secrets.patterns();
    let check = |bytes: &[u8], place: &str| assert_eq!(secrets.found(bytes), [""; 0], "in {place}");
    for batch in world.stores.batches.lock().unwrap().iter() {
        check(format!("{batch:?}").as_bytes(), "a batch");
        for step in batch.steps() {
            if let Step::Append { events, .. } = step {
                events.iter().for_each(|event| check(&event.body, "an event"));
            }
            if let Step::PutStream { row, .. } = step {
                check(&row.body, "a stream row");
            }
        }
    }
}

/// Over rows of before and the newest keys: what lives opens, what was forgotten does not.
pub(crate) async fn only_the_living<A: Adapter>(grc: &Grc, world: &World<A>) {
    let town = grc.authority(TOWN).unwrap();
    let agent = town.session(Actor::agent("a-01"));
    let live = agent.open(world.live).await.unwrap();
    assert!(live.field("description").is_some() && live.parties()[0].details.len() == 3, "what lives opens");
    let seen = agent.open(world.erased).await.unwrap();
    assert!(seen.parties()[0].details.is_empty() && seen.messages().is_empty() && seen.notes().is_empty());
    assert_eq!(seen.fields().keys().map(|key| key.as_str()).collect::<Vec<_>>(), ["materiau", "remarque"]);
    assert!(seen.anonymised_at().is_some(), "the erasure was finished by the reader");
    assert_eq!(town.host("audit").verify(world.erased).await.unwrap().problems, Vec::<String>::new());
    let holder = town.session(Actor::holder(world.erased_code.clone()));
    assert!(matches!(holder.follow().await, Err(GrcError::NotFound)));
}

/// The sealed bytes that must be gone, whatever they were sealed under.
pub(crate) fn dropped<A: Adapter>(world: &World<A>) -> Vec<(Slot, Vec<u8>)> {
    let sealed = world.loot(world.erased.uuid()).sealed;
    let gone = sealed.into_iter().filter(|sealed| world.gone.contains(&sealed.slot));
    gone.map(|sealed| (sealed.slot, sealed.sealed)).collect()
}
