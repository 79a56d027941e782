//! Bodies of a format that came before the present one, through the whole engine: listed, opened, verified, folded and
//! written on. The library has no such format yet, so one is made up for its own tests (`request/event.rs` has it in its
//! table there).

use super::{Grc, GrcError, List, Stores, sealing::context_of};
use crate::{
    Actor, Definition, Instruction, Intake, InterventionId, ManualClock, Moment, RequestId, SeededEntropy,
    intervention::{InterventionEvent, Planning, Work},
    request::{Command, Event, RequestEvent, head},
    storage::{Fact, MemoryStore, StoredEvent, StreamRow},
    vault::MemoryKeyring,
};
use pollster::block_on;
use serde_json::{Value, json};
use std::sync::Arc;

/// What members of events were called: of which kind, then, and now.
const RENAMED: [(&str, &str, &str); 3] =
    [("submitted", "via", "channel"), ("noted", "message", "text"), ("planned", "end", "until")];

fn rename(body: &mut Value, kind: &str, from: &str, to: &str) {
    if body["kind"] == kind {
        let data = body["data"].as_object_mut().unwrap();
        let value = data.remove(from).unwrap();
        data.insert(to.to_owned(), value);
    }
}

/// Makes of a body of the earlier format one of the present.
pub(crate) fn upcast(body: &mut Value) -> Result<(), String> {
    RENAMED.iter().for_each(|(kind, then, now)| rename(body, kind, then, now));
    Ok(())
}

/// Makes of a body of the present format one of the earlier, or of one that is to come.
fn written_in(format: u32, body: &[u8]) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["v"], Event::<RequestEvent>::VERSION);
    if format < Event::<RequestEvent>::VERSION {
        RENAMED.iter().for_each(|(kind, then, now)| rename(&mut body, kind, now, then));
    }
    body["v"] = json!(format);
    crate::canonical::to_bytes(&body).unwrap()
}

/// Rewrites a history as it was written in another format, with the heads that its bytes have.
fn rewrite(format: u32, row: &mut StreamRow, events: &mut [StoredEvent]) {
    let context = context_of(row);
    row.head = [0; 32];
    for event in events {
        event.body = written_in(format, &event.body);
        row.head = head(&context, event.sequence, &row.head, &event.body);
        event.head = row.head;
    }
}

/// The state as a fold of before left it: it means nothing now.
fn fold_of_before(row: &mut StreamRow) {
    row.fold -= 1;
    row.body = br#"{"of":"another fold"}"#.to_vec();
}

struct Town {
    store: Arc<MemoryStore>,
    stores: Stores,
    request: RequestId,
    site: InterventionId,
}

const AT: Moment = Moment::from_micros(1_795_514_400_000_000);

impl Town {
    /// A town with a request that was noted on, and work on it that began.
    async fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let stores = Stores {
            store: Arc::<MemoryStore>::clone(&store),
            blobs: Arc::<MemoryStore>::clone(&store),
            keyring: Arc::new(MemoryKeyring::default()),
        };
        let town = engine(&stores, 1).await.authority("rennes").unwrap();
        let definition = include_str!("../../tests/definitions/lib.toml");
        let definition = Definition::from_files([("town.toml", definition)]).unwrap();
        town.host("set-up").publish(&definition).await.unwrap();
        let leak = Intake::new("water-leak", "phone").set("description", "eau qui coule");
        let request = town.session(Actor::agent("a-17")).submit(leak).await.unwrap().id();
        let head = town.session(Actor::agent("a-03"));
        head.act_on(request, None, Command::note("vu")).await.unwrap();
        let planning = Planning::new(AT.to_utc(), AT.plus_days(1).to_utc()).serving(request).team("plumbers");
        let site = head.plan(planning).await.unwrap().id();
        head.work_on(site, None, Work::Start).await.unwrap();
        Self { store, stores, request, site }
    }

    /// What another process says of it, which knows nothing of it yet.
    async fn said(&self) -> String {
        let town = engine(&self.stores, 2).await.authority("rennes").unwrap();
        let head = town.session(Actor::agent("a-03"));
        let listed = head.list(&List::new().is(Fact::Channel, "phone")).await.unwrap().requests;
        let sites = head.interventions(&List::new()).await.unwrap().interventions;
        let seen = head.open(self.request).await.unwrap();
        let site = head.intervention(self.site).await.unwrap();
        let history = head.history(self.request).await.unwrap();
        let host = town.host("checks");
        let verdicts =
            [host.verify(self.request).await.unwrap(), host.verify_intervention(self.site).await.unwrap()];
        assert!(verdicts.iter().all(|verdict| verdict.problems.is_empty()), "{verdicts:?}");
        format!("{listed:?}\n{sites:?}\n{seen:?}\n{:?}\n{site:?}\n{history:?}\n{verdicts:?}", seen.notes())
    }
}

async fn engine(stores: &Stores, seed: u64) -> Grc {
    let clock = Arc::new(ManualClock::at(AT));
    Grc::with(stores.clone(), clock, Arc::new(SeededEntropy::new(seed))).await.unwrap()
}

fn formats(events: &[StoredEvent]) -> Vec<u64> {
    let bodies = events.iter().map(|event| serde_json::from_slice::<Value>(&event.body).unwrap());
    bodies.map(|body| body["v"].as_u64().unwrap()).collect()
}

#[test]
fn a_town_of_an_earlier_format_says_the_same_and_is_written_on() {
    for refolded in [false, true] {
        block_on(async {
            let town = Town::new().await;
            let before = town.said().await;
            town.store.rewrite(|row, events| {
                rewrite(1, row, events);
                if refolded {
                    fold_of_before(row);
                }
            });
            assert_eq!(town.said().await, before, "folded again: {refolded}");

            let grc = engine(&town.stores, 3).await;
            let authority = grc.authority("rennes").unwrap();
            let head = authority.session(Actor::agent("a-03"));
            head.act_on(town.request, Some(2), Instruction::new(Command::note("revu"))).await.unwrap();
            head.work_on(town.site, Some(2), Work::spend(30)).await.unwrap();
            let mut definition = authority.host("set-up").definition().await.unwrap();
            definition.organisation.phone_code = 262;
            authority.host("set-up").publish(&definition).await.unwrap();
            let mut written = Vec::new();
            town.store.rewrite(|row, events| {
                written.push(formats(events));
                // What was written on is of the present fold, and of no other.
                assert!(!row.body.starts_with(br#"{"of""#), "{}", row.key.kind);
            });
            written.sort();
            assert_eq!(written, [vec![1, 1, 1, 1, 2, 2], vec![1, 1, 2], vec![1, 2]]);
            let said = town.said().await;
            assert!(said.contains("revu") && said.contains("vu"), "{said}");
        });
    }
}

#[test]
fn a_format_that_is_to_come_is_refused_wherever_it_is_read() {
    block_on(async {
        let town = Town::new().await;
        town.store.rewrite(|row, events| {
            rewrite(Event::<InterventionEvent>::VERSION + 1, row, events);
            fold_of_before(row);
        });
        let authority = engine(&town.stores, 2).await.authority("rennes").unwrap();
        let head = authority.session(Actor::agent("a-03"));
        let answers = [
            head.open(town.request).await.err(),
            head.list(&List::new()).await.err(),
            head.act_on(town.request, None, Command::note("revu")).await.err(),
            head.intervention(town.site).await.err(),
            head.work_on(town.site, None, Work::spend(30)).await.err(),
        ];
        for answer in answers {
            assert!(matches!(answer, Some(GrcError::Newer)), "{answer:?}");
        }
        let verdict = authority.host("checks").verify(town.request).await.unwrap();
        assert!(verdict.problems.iter().any(|problem| problem.contains("newer version")), "{verdict:?}");
    });
}
