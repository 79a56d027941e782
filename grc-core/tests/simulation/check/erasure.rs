//! Nothing personal outlives its time, nothing under a hold goes, and nothing goes without the rule that says so.

use super::{SKEW, history::Told, now, requests, row, state_of, stream_of};
use crate::{errand::DEFINITIONS, ledger::Person, run::Scene};
use grc_core::{
    Authority, GrcError, KeyId, Moment, RequestId,
    definition::Contact,
    storage::{DocumentRange, Parts, Query, Which},
    vault::{KeyState, VaultRow},
};
use std::collections::{BTreeMap, BTreeSet};

/// What is due is gone, and what is not is not.
pub(crate) async fn check(scene: &Scene, town: &Authority, events: &[Told]) {
    rules(events);
    let links = scene.world.lock().shadow.links.clone();
    let (mut gone, mut held) = (BTreeSet::new(), BTreeSet::new());
    for id in requests(scene) {
        let stream = stream_of(id);
        let record = row(scene, &stream, Parts::All).await;
        let request = state_of(&record.row);
        let slots: Vec<u32> = record
            .vault
            .values()
            .flat_map(|bytes| VaultRow::from_bytes(bytes).unwrap().0)
            .map(|s| s.slot)
            .collect();
        let known: BTreeSet<u32> = request.book.slots.keys().copied().collect();
        assert_eq!(slots.iter().copied().collect::<BTreeSet<_>>(), known, "the vault of {id} is its book's");
        if request.anonymised_at.is_none() {
            let kept = !request.holds.is_empty() || request.closed_at.is_none();
            assert!(kept, "{id} is over for long, nothing holds it, and it is not forgotten");
            held.insert(id);
            continue;
        }
        gone.insert(id);
        let personal: Vec<_> = request
            .book
            .slots
            .values()
            .filter(|path| !["danger", "gravite"].contains(&path.as_str()))
            .collect();
        assert!(personal.is_empty(), "{id} is forgotten, and has {personal:?}");
    }
    for (key, stream) in &links {
        let id = RequestId::from_uuid(stream.id);
        let personal = ["contact.", "index.", "source.", "tracking", "blob"];
        if gone.contains(&id) && personal.iter().any(|kind| key.kind.as_str().starts_with(kind)) {
            let mut query = Query::new(stream.authority.clone(), stream.kind.clone());
            query.linked = Some(key.clone());
            let found = scene.places.near.store.query(&query).await.unwrap().rows;
            assert!(found.iter().all(|row| row.row.key != *stream), "{id} is found by a link `{}`", key.kind);
        }
    }
    people(scene, town, &gone, &held).await;
    let mut state = scene.world.lock();
    *state.counts.entry("requests looked at that are forgotten").or_default() += gone.len() as u64;
    *state.counts.entry("requests looked at that are kept").or_default() += held.len() as u64;
}

/// People find nothing of what is forgotten, and still find what is kept.
async fn people(scene: &Scene, town: &Authority, gone: &BTreeSet<RequestId>, held: &BTreeSet<RequestId>) {
    let cases = scene.world.lock().ledger.cases.clone();
    let chief = crate::errand::session(town, &Person::Agent(crate::errand::OVERSEER));
    for case in cases {
        let followed = crate::errand::session(town, &Person::Holder(case.code.clone())).follow().await;
        if gone.contains(&case.id) {
            assert!(matches!(followed, Err(GrcError::NotFound)), "{} is followed when forgotten", case.id);
            let shown = format!("{:?}", chief.open(case.id).await.unwrap());
            assert!(!crate::shadow::has_needle(shown.as_bytes()), "{} shows what was typed", case.id);
        } else {
            assert_eq!(followed.unwrap().id(), case.id);
            assert!(held.contains(&case.id));
        }
        if let Some(phone) = &case.phone {
            let found = chief.by_contact("voie", Contact::Phone, phone).await.unwrap();
            assert!(found.iter().all(|id| !gone.contains(id)), "a person is found who is forgotten");
        }
    }
}

/// Each erasure against the rule and the holds of its time.
fn rules(events: &[Told]) {
    let mut holds: BTreeMap<RequestId, i64> = BTreeMap::new();
    let mut closed: BTreeMap<RequestId, i64> = BTreeMap::new();
    let mut types: BTreeMap<RequestId, String> = BTreeMap::new();
    let mut over: BTreeSet<RequestId> = BTreeSet::new();
    let zone = DEFINITIONS[0].organisation.time_zone;
    for event in events.iter().filter(|event| event.stream.kind == *RequestId::KIND) {
        let id = RequestId::from_uuid(event.stream.id);
        let data = &event.json["data"];
        match event.kind() {
            "submitted" => {
                types.insert(id, data["type"].as_str().unwrap().to_owned());
            }
            "moved" if data["phase"] == "closed" => {
                closed.entry(id).or_insert(event.number("at"));
            }
            "moved" => {
                closed.remove(&id);
            }
            "held" => *holds.entry(id).or_default() += 1,
            "released" => *holds.entry(id).or_default() -= 1,
            "erased" | "anonymised" => {
                assert_eq!(holds.get(&id).copied().unwrap_or_default(), 0, "{id} was erased under a hold");
            }
            _ => {}
        }
        if event.kind() == "anonymised" {
            assert!(over.insert(id), "{id} was anonymised twice");
            let closed = Moment::from_micros(*closed.get(&id).unwrap());
            let due = match types[&id].as_str() {
                "encombrants" => closed.plus_months(6, zone),
                _ => closed.plus_days(30).plus_millis(-3_600_000),
            };
            let at = Moment::from_micros(event.number("rec"));
            assert!(at.plus_millis(SKEW) >= due, "{id} was anonymised at {at}, which is before {due}");
        }
    }
}

/// What sealed it is destroyed, months with their last request, and no bytes of files are left.
pub(crate) async fn check_keys(scene: &Scene, town: &Authority, events: &[Told]) {
    let near = &scene.places.near;
    let mut keys: BTreeMap<KeyId, RequestId> = BTreeMap::new();
    for event in events.iter().filter(|event| event.stream.kind == *RequestId::KIND) {
        if let Some(key) = event.json["key"].as_str() {
            keys.insert(key.parse().unwrap(), RequestId::from_uuid(event.stream.id));
        }
    }
    let mut left_open = 0;
    for (key, id) in keys {
        let request = state_of(&row(scene, &stream_of(id), Parts::None).await.row);
        let state = near.keyring.open(&[key]).await.unwrap().pop().unwrap();
        if request.anonymised_at.is_none() {
            left_open += 1;
            continue;
        }
        let living: BTreeSet<u32> = request
            .book
            .slots
            .keys()
            .copied()
            .filter(|slot| request.book.key_of(*slot) == Some(key))
            .collect();
        let opens = match state {
            KeyState::Destroyed => BTreeSet::new(),
            KeyState::Kept(slots) => slots.keys().copied().collect(),
            other => panic!("the key of {id}, which is forgotten, is {other:?}"),
        };
        assert_eq!(opens, living, "the key of {id} opens other slots than live");
        scene.world.lock().count("keys looked at that are destroyed");
    }
    town.host("balai").sweep().await.unwrap();
    let range = DocumentRange {
        authority: town.name().clone(),
        kind: "key".parse().unwrap(),
        name: None,
        after: None,
        which: Which::Newest,
        limit: 1_000,
    };
    let months: Vec<_> =
        near.store.documents(&range).await.unwrap().into_iter().filter(|d| d.name != *"lookup").collect();
    let blobs = near.blobs.list(town.name(), now(scene).plus_days(1), None, 1_000).await.unwrap().blobs;
    if left_open == 0 {
        assert!(
            months.is_empty(),
            "no request is left, and months have keys: {:?}",
            months.first().map(|d| &d.name)
        );
        assert!(blobs.is_empty(), "no request is left, and there are bytes of files");
        scene.world.lock().count("runs in which nothing personal was left");
    }
}
