//! What must hold once the faults are over: now, and when all that is personal has had its time.

mod commands;
mod erasure;
mod history;
mod sites;

use crate::{
    errand::{self, OVERSEER, TOWN},
    ledger::Person,
    post::Post,
    readers,
    run::Scene,
};
use grc_core::{
    Authority, Budget, Clock, GrcError, List, RequestId, Word,
    conformance::{Asked, Compared, Recount, compare},
    engine::WorkReport,
    insight::{Dimension, Question},
    request::{Command, Request},
    storage::{Load, Parts, StreamKey, StreamRow},
};
use pollster::block_on;
use std::{collections::BTreeSet, sync::Arc};

const DAY: i64 = 86_400_000;
/// A clock may be five minutes off, and another as much the other way.
pub(crate) const SKEW: i64 = 11 * 60_000;

/// Everything that is due is done, and everything that must hold is looked at.
pub(crate) fn everything(scene: &Scene, town: &Authority) {
    block_on(async {
        work_off(scene, town, 40, 13 * 3_600_000).await;
        let events = history::read(scene).await;
        commands::check(scene, &events);
        commands::check_texts(scene, town).await;
        commands::check_messages(scene).await;
        streams(scene, town).await;
        figures(scene, town).await;
        follow_to_the_end(scene, town).await;
        // Offices close what is left, but not all; holds stay.
        close_most(scene, town).await;
        work_off(scene, town, 16, 26 * DAY).await;
        let events = history::read(scene).await;
        erasure::check(scene, town, &events).await;
        sites::check(scene, town, &events).await;
        streams(scene, town).await;
        // What holds kept goes when they end.
        release_all(scene, town).await;
        work_off(scene, town, 4, 26 * DAY).await;
        let events = history::read(scene).await;
        erasure::check(scene, town, &events).await;
        sites::check(scene, town, &events).await;
        erasure::check_keys(scene, town, &events).await;
        commands::check(scene, &events);
        streams(scene, town).await;
        figures(scene, town).await;
        follow_to_the_end(scene, town).await;
        nothing_is_due(scene, town).await;
    });
}

/// Lets time pass in steps, and does what is due at each.
async fn work_off(scene: &Scene, town: &Authority, steps: u32, millis: i64) {
    let post = Post(Arc::clone(&scene.world));
    for _ in 0..steps {
        scene.world.advance(millis);
        let report = town.host("facteur").work(Some(&post), Budget::ALL).await.unwrap();
        let mut state = scene.world.lock();
        for (what, count) in [
            ("requests anonymised", report.anonymised),
            ("messages sent", report.sent),
            ("messages given up", report.dead),
            ("timers fired", report.fired),
            ("erasures finished", report.destroyed),
            ("months closed", report.months),
        ] {
            *state.counts.entry(what).or_default() += count;
        }
        assert_eq!(report.later, 0, "no fault is left, and a task is put off");
    }
}

/// Every request that is stored, by what went by.
pub(crate) fn requests(scene: &Scene) -> Vec<RequestId> {
    let state = scene.world.lock();
    let requests = state.shadow.streams.keys().filter(|stream| stream.kind == *RequestId::KIND);
    requests.map(|stream| RequestId::from_uuid(stream.id)).collect()
}

/// A stream's row, as the store has it.
pub(crate) async fn row(scene: &Scene, stream: &StreamKey, parts: Parts) -> grc_core::storage::StreamRecord {
    let load =
        Load { authority: stream.authority.clone(), streams: vec![stream.clone()], parts, receipt: None };
    scene.places.near.store.load(&load).await.unwrap().streams.pop().flatten().unwrap()
}

pub(crate) fn stream_of(id: RequestId) -> StreamKey {
    StreamKey::new(TOWN.parse().unwrap(), RequestId::KIND.parse::<Word>().unwrap(), id.uuid())
}

pub(crate) fn state_of(row: &StreamRow) -> Request {
    serde_json::from_slice(&row.body).unwrap()
}

/// Each history is whole and folds to its state; versions are those that went by; lists have every request.
async fn streams(scene: &Scene, town: &Authority) {
    let streams = scene.world.lock().shadow.streams.clone();
    let host = town.host("garde");
    for (stream, version) in streams.iter().filter(|(stream, _)| stream.authority == *TOWN) {
        assert_eq!(row(scene, stream, Parts::None).await.row.version, *version, "{stream:?}");
        let verdict = match stream.kind.as_str() {
            "request" => host.verify(RequestId::from_uuid(stream.id)).await,
            "intervention" => host.verify_intervention(grc_core::InterventionId::from_uuid(stream.id)).await,
            _ => continue,
        };
        assert_eq!(verdict.unwrap().problems, Vec::<String>::new(), "{stream:?}");
    }
    files(scene).await;
    let listed = readers::list(town, &Person::Agent(OVERSEER), List::new()).await.unwrap();
    assert_eq!(listed, requests(scene).into_iter().collect::<BTreeSet<_>>(), "the list has every request");
}

/// What an event names is there: bytes are put before, and swept away only where nobody named them for a day.
async fn files(scene: &Scene) {
    for id in requests(scene) {
        let stream = stream_of(id);
        let request = state_of(&row(scene, &stream, Parts::None).await.row);
        for file in request.files.iter().filter(|file| request.book.slots.contains_key(&file.slot)) {
            let bytes = scene.places.near.blobs.get(&stream.authority, file.blob, 0).await.unwrap();
            if bytes.is_none() {
                // Written a day after it was stored, by who was frozen since they decided: it may be swept away.
                let (seconds, _) = file.blob.uuid().get_timestamp().unwrap().to_unix();
                let stored = grc_core::Moment::from_micros(seconds as i64 * 1_000_000);
                let handed_in = scene.world.lock().shadow.handed_in[&file.blob.to_string()];
                let late = handed_in > stored.plus_days(1).plus_millis(-SKEW);
                assert!(late, "the bytes of a file of {id} are gone");
                scene.world.lock().count("files handed in after they were swept");
                continue;
            }
            scene.world.lock().count("files that are there");
        }
    }
}

/// Figures are a recount of the events, and what is behind them is as much.
async fn figures(scene: &Scene, town: &Authority) {
    let ids = requests(scene);
    let zone = errand::DEFINITIONS[0].organisation.time_zone;
    let recount = Recount::read(&*scene.places.near.store, town.name(), &ids, zone).await;
    let asked = Asked { now: scene.world.now().micros(), ..Asked::default() };
    let mut compared = Compared::default();
    let host = town.host("mairie");
    let dimension = {
        let mut state = scene.world.lock();
        Dimension::ALL[state.below(Dimension::ALL.len())]
    };
    compare(&host, &recount, &[], &asked, &mut compared).await;
    // A year apart in days is long, and nothing new.
    if dimension != Dimension::Day {
        compare(&host, &recount, &[dimension], &asked, &mut compared).await;
    }
    let total = host.figures(&Question::all()).await.unwrap().total;
    assert_eq!(total, ids.len() as u64, "figures count every request");
    let cells: u64 = compared.cells.values().map(|counts| counts.1).sum();
    *scene.world.lock().counts.entry("cells of figures compared").or_default() += cells;
}

/// Who follows the feed has seen every batch once, in the order in which they were written.
async fn follow_to_the_end(scene: &Scene, town: &Authority) {
    for which in 0..2 {
        loop {
            let before = scene.world.lock().ledger.followers[which].seen.len();
            readers::follow(&scene.world, town, which, 1_000).await.unwrap();
            if scene.world.lock().ledger.followers[which].seen.len() == before {
                break;
            }
        }
        let state = scene.world.lock();
        assert!(
            state.ledger.followers[which].seen == state.shadow.order,
            "a follower saw other batches than were written, or in another order"
        );
    }
}

/// Closes most requests that are open.
async fn close_most(scene: &Scene, town: &Authority) {
    for id in requests(scene) {
        if state_of(&row(scene, &stream_of(id), Parts::None).await.row).closed_at.is_some() {
            continue;
        }
        if scene.world.lock().once_in(6) {
            scene.world.lock().count("requests left open");
            continue;
        }
        errand::close(town, id).await.unwrap();
    }
}

async fn release_all(scene: &Scene, town: &Authority) {
    for id in requests(scene) {
        for hold in state_of(&row(scene, &stream_of(id), Parts::None).await.row).holds {
            scene.world.lock().count("holds lifted in the end");
            town.host("contentieux").act(id, Command::Release { hold: hold.hold }).await.unwrap();
        }
    }
}

/// No task is left but those that were given up, and those of requests that are open.
async fn nothing_is_due(scene: &Scene, town: &Authority) {
    let post = Post(Arc::clone(&scene.world));
    let report: Result<WorkReport, GrcError> = town.host("facteur").work(Some(&post), Budget::ALL).await;
    assert_eq!(report.unwrap(), WorkReport::default(), "something is still due");
    let left: Vec<_> = scene.world.lock().shadow.tasks.values().cloned().collect();
    for (stream, kind, dead) in left {
        let request = state_of(&row(scene, &stream, Parts::None).await.row);
        let expected = match kind.as_str() {
            "deliver" => dead && request.anonymised_at.is_none() && request.undelivered > 0,
            _ => false,
        };
        assert!(expected, "a task `{kind}` of {} is left (given up: {dead})", stream.id);
    }
}

/// A number over every event of the run.
pub(crate) async fn digest(scene: &Scene) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    for event in history::read(scene).await {
        for byte in &event.body {
            digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    digest
}

/// The world's time, as any clock that is right shows it.
pub(crate) fn now(scene: &Scene) -> grc_core::Moment {
    scene.world.clock().now()
}
