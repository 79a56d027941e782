//! Every command that was acknowledged is there once, with its effect; those that were refused are not.

use super::{history::Told, requests, row, state_of, stream_of};
use crate::{
    errand::{self, OVERSEER},
    ledger::{Intent, Known, Person, Wish},
    run::Scene,
};
use grc_core::{Authority, BatchId, RequestId, storage::Parts};
use std::collections::{BTreeMap, BTreeSet};

/// What batches of each intent are in the histories, against what its author was told.
pub(crate) fn check(scene: &Scene, events: &[Told]) {
    let state = scene.world.lock();
    let stored: BTreeSet<BatchId> = events.iter().map(|event| event.batch).collect();
    let mut done: BTreeMap<usize, Vec<BatchId>> = BTreeMap::new();
    let mut wrote: BTreeSet<usize> = BTreeSet::new();
    for (batch, offered) in &state.shadow.batches {
        if let (Some(intent), true) = (offered.intent, offered.events > 0) {
            wrote.insert(intent);
            if stored.contains(batch) {
                done.entry(intent).or_default().push(*batch);
            }
        }
    }
    for (index, intent) in state.ledger.intents.iter().enumerate() {
        let batches = done.get(&index).map_or(&[][..], Vec::as_slice);
        let Intent { kind, known, .. } = intent;
        if intent.late {
            continue;
        }
        assert!(batches.len() <= 1, "intent {index} ({kind}, {known:?}) was done {} times", batches.len());
        match known {
            Known::Done(id, version) => {
                if !wrote.contains(&index) {
                    continue;
                }
                let [batch] = batches else { panic!("intent {index} ({kind}) was acknowledged and is lost") };
                let last = events.iter().rfind(|event| event.batch == *batch && event.stream.id == *id);
                // Work on site may be told to the requests alone.
                if let Some(last) = last {
                    assert_eq!(last.sequence, *version, "intent {index} ({kind}) at another version");
                }
            }
            Known::Refused(_) | Known::NotDone => {
                assert!(batches.is_empty(), "intent {index} ({kind}): told {known:?}, and it is done");
            }
            Known::Open | Known::Abandoned => {}
        }
    }
}

/// What was typed into a message or a note can be read once in its request, and in no other.
pub(crate) async fn check_texts(scene: &Scene, town: &Authority) {
    let intents = scene.world.lock().ledger.intents.clone();
    let chief = errand::session(town, &Person::Agent(OVERSEER));
    let mut shown: BTreeMap<String, Vec<RequestId>> = BTreeMap::new();
    let mut codes = BTreeSet::new();
    let mut erased = BTreeSet::new();
    for id in requests(scene) {
        let seen = chief.open(id).await.unwrap();
        let texts = seen.messages().iter().map(|message| message.text.clone());
        let notes = seen.notes().iter().map(|note| note.text.clone());
        for text in texts.chain(notes) {
            shown.entry(text).or_default().push(id);
        }
        let request = state_of(&row(scene, &stream_of(id), Parts::None).await.row);
        if let Some(code) = request.code.and(seen.tracking_code()) {
            assert!(codes.insert(code.to_string()), "two requests have one tracking code");
        }
        let history = chief.history(id).await.unwrap();
        if history.iter().any(|entry| entry.kind == *"erased" || entry.kind == *"anonymised") {
            erased.insert(id);
        }
    }
    for (index, intent) in intents.iter().enumerate().filter(|(_, intent)| !intent.late) {
        let (Wish::Act(id, ..), Some(text)) = (&intent.wish, &intent.text) else { continue };
        let found = shown.get(text).map_or(&[][..], Vec::as_slice);
        assert!(found.iter().all(|found| found == id), "the text of intent {index} is in another request");
        let expected = match &intent.known {
            Known::Done(..) if erased.contains(id) => continue,
            Known::Done(..) => 1,
            Known::Refused(_) | Known::NotDone => 0,
            Known::Open | Known::Abandoned => continue,
        };
        assert_eq!(found.len(), expected, "the text of intent {index} ({})", intent.kind);
        scene.world.lock().count("texts read again");
    }
}

/// Each message has one key a round, whatever went wrong; what is sent arrived, and is noted once; none is under way.
pub(crate) async fn check_messages(scene: &Scene) {
    let handed = scene.world.lock().ledger.handed.clone();
    let mut keys: BTreeMap<(RequestId, &str), BTreeSet<&str>> = BTreeMap::new();
    for one in &handed {
        keys.entry((one.request, one.text.as_str())).or_default().insert(&one.key);
    }
    for id in requests(scene) {
        let request = state_of(&row(scene, &stream_of(id), Parts::None).await.row);
        for message in request.messages.iter().filter(|message| message.is_outgoing()) {
            let of = |h: &&crate::ledger::Handed| h.request == id && h.message == message.seq;
            let texts: BTreeSet<&str> = handed.iter().filter(of).map(|h| h.text.as_str()).collect();
            assert!(texts.len() <= 1, "message {} of {id} went out with two texts", message.seq);
            for text in texts {
                let known = keys.get(&(id, text)).map_or(0, BTreeSet::len);
                let same = request.messages.iter().filter(|other| {
                    handed.iter().any(|h| h.request == id && h.message == other.seq && h.text == text)
                });
                let rounds: u32 = same.map(|other| other.round + 1).sum();
                assert!(known <= rounds as usize, "{known} keys in {rounds} rounds of one text in {id}");
            }
            if request.anonymised_at.is_some() {
                continue;
            }
            assert!(!message.is_under_way(), "message {} of {id} is still under way", message.seq);
            let status = message.status.as_ref().map_or("", |status| status.as_str());
            if matches!(status, "sent" | "delivered" | "read") {
                let arrived = |h: &crate::ledger::Handed| {
                    h.accepted && h.round == message.round && h.channel == message.channel
                };
                let arrived = handed.iter().filter(of).any(arrived);
                assert!(arrived, "message {} of {id} is {status}, and never arrived", message.seq);
                scene.world.lock().count("messages that arrived");
            }
        }
    }
}
