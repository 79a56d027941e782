//! What was typed about work on site goes with the requests that it was for. Instructions, reports and pictures are the
//! requests' own. Of the intervention's, what was bought goes before the first of its requests is forgotten; the numbers of
//! quotes and invoices stay, with the accounts. What is for a request under a hold waits.

use super::{SKEW, history::Told, requests, row, state_of, stream_of};
use crate::{
    errand::{self, OVERSEER, TOWN},
    ledger::Person,
    run::Scene,
    shadow::has_needle,
};
use grc_core::{
    Authority, InterventionId, KeyId, RequestId,
    intervention::Intervention,
    storage::{Parts, StreamKey},
    vault::{KeyState, VaultRow},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Of each intervention there is what its rule leaves, and nothing besides.
pub(crate) async fn check(scene: &Scene, town: &Authority, events: &[Told]) {
    let mut gone = BTreeSet::new();
    for id in requests(scene) {
        let request = state_of(&row(scene, &stream_of(id), Parts::None).await.row);
        gone.extend(request.anonymised_at.map(|_| id.uuid()));
    }
    let holds = holds(events);
    let streams: Vec<StreamKey> = scene.world.lock().shadow.streams.keys().cloned().collect();
    for stream in streams.iter().filter(|s| s.authority == *TOWN && s.kind == *InterventionId::KIND) {
        let record = row(scene, stream, Parts::All).await;
        let site: Intervention = serde_json::from_slice(&record.row.body).unwrap();
        let id = site.id;
        let sealed: BTreeSet<u32> = record
            .vault
            .values()
            .flat_map(|bytes| VaultRow::from_bytes(bytes).unwrap().0)
            .map(|s| s.slot)
            .collect();
        let known: BTreeSet<u32> = site.book.slots.keys().copied().collect();
        assert_eq!(sealed, known, "the vault of intervention {id} is its book's");
        erased(scene, stream, &site, events, &holds).await;
        let forgotten = site.requests.iter().filter(|served| gone.contains(&served.request)).count();
        if forgotten == 0 {
            continue;
        }
        let left: BTreeSet<&str> = site.book.slots.values().map(|path| path.as_str()).collect();
        let numbers = left.iter().all(|path| ["quote", "invoice"].contains(path));
        let mut living = site.requests.iter().filter(|served| !gone.contains(&served.request));
        let waited = living.any(|served| holds.contains_key(&served.request));
        assert!(numbers || waited, "a request of intervention {id} is forgotten, and it has {left:?}");
        scene.world.lock().count("interventions looked at, a request forgotten");
        if forgotten < site.requests.len() {
            continue;
        }
        shown(scene, town, &site).await;
        let stored = [&record.row.body[..], format!("{:?}", record.row.facts).as_bytes()].concat();
        let bytes = record.vault.values().chain([&stored]);
        let bodies = events.iter().filter(|event| event.stream == *stream).map(|event| &event.body);
        let clear = bytes.chain(bodies).any(|bytes| has_needle(bytes));
        assert!(!clear, "a row of intervention {id} has what was typed in clear");
        scene.world.lock().count("interventions looked at, all requests forgotten");
    }
}

/// Who sees everything is shown nothing that was typed but these numbers; and nothing at all on the work order.
async fn shown(scene: &Scene, town: &Authority, site: &Intervention) {
    let id = site.id;
    let chief = errand::session(town, &Person::Agent(OVERSEER));
    let view = chief.intervention(id).await.unwrap();
    let mut text = format!("{view:?} {:?}", view.quote());
    for entry in view.entries() {
        for number in entry.invoice.iter().chain(&entry.quote) {
            text = text.replace(number.as_str(), "");
            scene.world.lock().count("numbers of invoices that stay");
        }
    }
    assert!(!has_needle(text.as_bytes()), "intervention {id} shows what was typed: {text}");
    let order = chief.work_order(id).await.unwrap();
    for text in [serde_json::to_string(&order).unwrap(), order.to_html()] {
        assert!(!has_needle(text.as_bytes()), "the work order of {id} shows what was typed: {text}");
    }
    for served in &site.requests {
        let request = RequestId::from_uuid(served.request);
        let seen = chief.open(request).await.unwrap();
        let text = format!("{:?} {:?}", seen.interventions(), chief.history(request).await.unwrap());
        assert!(!has_needle(text.as_bytes()), "{request} shows what was typed about its work: {text}");
    }
}

/// From when until when each request was under a hold.
type Holds = BTreeMap<Uuid, Vec<(i64, i64)>>;

fn holds(events: &[Told]) -> Holds {
    let mut out = Holds::new();
    for event in events.iter().filter(|event| event.stream.kind == *RequestId::KIND) {
        let number = || event.json["data"]["hold"].as_u64().unwrap() as usize;
        let of_it = out.get_mut(&event.stream.id);
        match (event.kind(), of_it) {
            ("held", None) => {
                out.insert(event.stream.id, vec![(event.number("rec"), i64::MAX)]);
            }
            ("held", Some(holds)) => holds.push((event.number("rec"), i64::MAX)),
            ("released", Some(holds)) => holds[number() - 1].1 = event.number("rec"),
            _ => {}
        }
    }
    out
}

/// No key opens what was erased, and nothing was while a request that it serves was under a hold.
async fn erased(scene: &Scene, stream: &StreamKey, site: &Intervention, events: &[Told], holds: &Holds) {
    let mut served: Vec<Uuid> = Vec::new();
    let mut keys: BTreeMap<u64, KeyId> = BTreeMap::new();
    for event in events.iter().filter(|event| event.stream == *stream) {
        let data = &event.json["data"];
        if let Some(key) = event.json["key"].as_str() {
            let slots = ["item", "quote", "invoice"].into_iter().filter_map(|path| data[path].as_u64());
            keys.extend(slots.map(|slot| (slot, key.parse().unwrap())));
        }
        if event.kind() == "planned" {
            let requests = data["requests"].as_array().unwrap().iter();
            served = requests.map(|served| served["request"].as_str().unwrap().parse().unwrap()).collect();
        }
        if event.kind() == "erased" {
            let (at, skew) = (event.number("rec"), SKEW * 1_000);
            let holds = served.iter().filter_map(|id| holds.get(id)).flatten();
            let held = holds.into_iter().any(|(from, until)| from + skew < at && at < until - skew);
            assert!(!held, "something of {} was erased while one of its requests was held", site.id);
        }
        let gone = data["slots"].as_array().filter(|_| event.kind() == "erased");
        for slot in gone.into_iter().flatten().map(|slot| slot.as_u64().unwrap()) {
            let number = u32::try_from(slot).unwrap();
            assert!(!site.book.slots.contains_key(&number), "{slot} of {} was erased, and is there", site.id);
            let opens = match scene.places.near.keyring.open(&[keys[&slot]]).await.unwrap().pop() {
                Some(KeyState::Destroyed) => false,
                Some(KeyState::Kept(slots)) => slots.contains_key(&number),
                _ => true,
            };
            assert!(!opens, "what was bought for {} was erased, and its key opens it", site.id);
            scene.world.lock().count("things bought that are gone");
        }
    }
}
