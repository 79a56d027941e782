//! The play: a request that is to be forgotten and one that lives, before and after.

use super::{
    attack::{attack, files_open},
    scan::Secrets,
    spy::Off,
    stage::{Adapter, PHONE, Stage, TOWN, at},
};
use grc_core::{
    Budget, Intake, Party, Place, RequestId, SystemEntropy, TrackingCode, Value, Word,
    engine::{Delivery, Outgoing, Transport},
    intervention::{Occasion, Planning, Purchase, Work},
    request::{Command, Fire, Request},
    storage::{Load, Parts, Store, StreamKey},
    vault::{DataKey, Slot, StreamContext},
};
use std::{collections::BTreeMap, ops::Deref};

/// Refuses one message for ever, by whatever channel, and keeps the others waiting.
#[derive(Debug, Default)]
struct Never;

#[async_trait::async_trait]
impl Transport for Never {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        if outgoing.text.expose().to_string().contains("perdu") {
            Delivery::Refused("no-such-number")
        } else {
            Delivery::Later("busy")
        }
    }
}

/// A town after the play.
pub(crate) struct World<A: Adapter> {
    pub(crate) stage: Stage<A>,
    pub(crate) erased: RequestId,
    pub(crate) erased_code: TrackingCode,
    pub(crate) live: RequestId,
    /// What the slots of the request to be forgotten held, before.
    pub(crate) values: BTreeMap<Slot, Value>,
    /// The slots that must be gone, and those that stay.
    pub(crate) gone: Vec<Slot>,
    pub(crate) stay: Vec<Slot>,
    /// The source key of the request to be forgotten.
    pub(crate) source: String,
}

impl<A: Adapter> Deref for World<A> {
    type Target = Stage<A>;

    fn deref(&self) -> &Stage<A> {
        &self.stage
    }
}

pub(crate) async fn state<A: Adapter>(stage: &Stage<A>, id: RequestId) -> Request {
    let authority = Word::new(TOWN).unwrap();
    let stream = StreamKey::new(authority.clone(), Word::new("request").unwrap(), id.uuid());
    let load = Load { authority, streams: vec![stream], parts: Parts::None, receipt: None };
    let row = stage.stores.load(&load).await.unwrap().streams.pop().flatten().unwrap().row;
    serde_json::from_slice(&row.body).unwrap()
}

/// Random text that is not anywhere by chance.
fn needle(secrets: &Secrets, what: &str) -> String {
    let mut bytes = [0_u8; 9];
    grc_core::Entropy::fill(&SystemEntropy, &mut bytes).unwrap();
    let text = format!("{what}-{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    secrets.text(&text);
    text
}

/// Plays the town up to three months after closure, with a step of erasing left out, and work done. Every act is
/// followed by a look into the files.
pub(crate) async fn play<A: Adapter>(adapter: A, off: Off) -> World<A> {
    let stage = Stage::new(adapter, off).await;
    let agent = stage.agent();
    let secrets = stage.secrets.clone();
    let n = &secrets;
    for phone in [PHONE, "0639984711", "+33639984711"] {
        n.text(phone);
    }
    stage.look();

    let photo =
        agent.store_file(Some("photo"), &needle(n, "photo"), needle(n, "image").as_bytes()).await.unwrap();
    stage.look();
    let source = needle(n, "source");
    let intake = Intake::new("fuite", "telephone")
        .set("description", needle(n, "description"))
        .set("compteur", needle(n, "compteur"))
        .set("remarque", needle(n, "remarque"))
        .set("materiau", "pvc")
        .at(Place::address(&needle(n, "rue"), "35000", "Rennes").and_position(48.123_456, -1.654_321))
        .party(
            Party::named(needle(n, "prenom"), needle(n, "nom"))
                .phone(PHONE)
                .email(format!("{}@example.org", needle(n, "courriel"))),
        )
        .file(photo)
        .source_key(source.clone())
        .key("clef-1");
    let leak = agent.submit(intake).await.unwrap();
    stage.look();
    let live = Intake::new("fuite", "telephone")
        .set("description", needle(n, "vivante"))
        .party(Party::named("Autre", needle(n, "autre")).phone(PHONE));
    let live = agent.submit(live).await.unwrap();
    stage.look();
    let id = leak.id();
    agent.act_on(id, None, Command::correct("description", needle(n, "corrigee"))).await.unwrap();
    stage.look();
    agent.act_on(id, None, Command::note(needle(n, "note"))).await.unwrap();
    agent.act_on(id, None, Command::tell(needle(n, "perdu"))).await.unwrap();
    stage.look();
    agent
        .act_on(
            id,
            None,
            Command::Tell { text: needle(n, "attend").into(), channel: Some("courriel".into()) },
        )
        .await
        .unwrap();
    stage.look();
    // Work on site for both, with what was typed about each.
    let from = at("2026-03-03T08:00:00Z").to_utc();
    let planning = Planning::new(from, from)
        .serving(id)
        .serving(live.id())
        .team("equipe")
        .instructions(id, needle(n, "consigne"))
        .instructions(live.id(), needle(n, "autre-consigne"));
    let site = agent.plan(planning).await.unwrap().id();
    let picture = [b"\x89PNG\r\n\x1a\n", needle(n, "vue").as_bytes()].concat();
    let file = agent.store_file(None, &format!("{}.png", needle(n, "vue")), &picture[..]).await.unwrap();
    stage.look();
    let occasion = Occasion::Before;
    agent.work_on(site, None, Work::Photo { request: Some(id), occasion, file }).await.unwrap();
    let bought = Purchase::net(1_234).item(needle(n, "achat")).invoice(needle(n, "facture"));
    agent.work_on(site, None, Work::Buy(bought)).await.unwrap();
    agent.work_on(site, None, Work::done_with(id, needle(n, "compte-rendu"))).await.unwrap();
    stage.look();
    let worker = stage.town().host("worker");
    let transport = Never;
    let report = worker.work(Some(&transport), Budget::ALL).await.unwrap();
    assert_eq!((report.dead, report.later), (1, 1), "a dead and a waiting message: {report:?}");
    stage.look();
    agent.act_on(id, None, Fire::new("terminer").outcome("repare").message(needle(n, "fin"))).await.unwrap();
    stage.look();

    let mut world = World {
        stage,
        erased: id,
        erased_code: leak.tracking_code().clone(),
        live: live.id(),
        values: BTreeMap::new(),
        gone: Vec::new(),
        stay: Vec::new(),
        source,
    };
    // What is there before: all slots, by the attack itself with the keyring as it is.
    let state = state(&world, id).await;
    let all: Vec<Slot> = state.book.slots.keys().copied().collect();
    let loot = world.loot(id.uuid());
    let found = attack(&loot, TOWN, id.uuid(), &world.candidates(), &all, &BTreeMap::new());
    assert_eq!(found.opened.len(), all.len(), "with the keyring from before, the attack opens everything");
    assert!(files_open(&world.blobs.pieces.lock().unwrap(), &found), "and the attachment");
    for (slot, path) in &state.book.slots {
        if path == "remarque" { world.stay.push(*slot) } else { world.gone.push(*slot) }
    }
    assert!(world.gone.len() >= 15, "{} slots", world.gone.len());
    // The keys of single slots, and of files, are no more in the store's files than the keys that they come from.
    let context = StreamContext::new(&Word::new(TOWN).unwrap(), &Word::new("request").unwrap(), id.uuid());
    let issued = world.keys.issued.lock().unwrap().clone();
    for sealed in &loot.sealed {
        let key = issued.iter().find(|(id, _)| *id == sealed.key).map(|(_, key)| key);
        let key: &DataKey = key.unwrap_or_else(|| panic!("slot {} is under a key not issued", sealed.slot));
        secrets.key("the key of a slot", key.slot(&context, sealed.slot).expose());
    }
    world.values = found.opened;
    world.adapter.back_up();

    world.clock.set(at("2026-06-02T09:00:01Z"));
    let report = worker.work(None, Budget::ALL).await.unwrap();
    assert_eq!(report.anonymised, 1, "{report:?}");
    world.look();
    world
}
