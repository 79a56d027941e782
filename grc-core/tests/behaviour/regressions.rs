//! Faults that were found once, each with the scenario in which it showed.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use crate::common::{self, Town, at, leak, refusal};
use async_trait::async_trait;
use grc_core::{
    Actor, Assignee, Authority, Budget, Condition, Grc, GrcError, Intake, InterventionId, KeyId, List, Party,
    Place, RequestId, SeededEntropy, Stores, Value, Word,
    condition::Var,
    conformance::{Fault, FaultStore, Over},
    definition::Definition,
    engine::SiteInstruction,
    insight::{Dimension, Figure, Question},
    intervention::{Planning, Purchase, Work},
    request::{Command, Fire},
    storage::{Load, Loaded, StorageError, StorageErrorKind, Store, StreamKey},
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use pollster::block_on;
use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};
use uuid::Uuid;

/// The town with a change to its leaks.
async fn town_with(change: impl FnOnce(&mut grc_core::definition::Procedure)) -> Town {
    let town = Town::open("voirie").await;
    assert!(town.stores.store.info().test, "a store for tests");
    let mut definition = common::definition("voirie").resolved();
    change(definition.procedures.get_mut("fuite-eau").unwrap());
    town.authority.host("essai").publish(&definition).await.unwrap();
    town
}

pub(crate) async fn assigned(town: &Town) -> RequestId {
    let id = town.agent("a-01").submit(leak()).await.unwrap().id();
    town.agent("a-02").act_on(id, None, Fire::new("affecter").to(Assignee::agent("a-05"))).await.unwrap();
    id
}

#[test]
fn a_field_cannot_have_the_name_of_what_every_request_has() {
    for id in ["note", "message", "code", "requester.phone", "slot.3"] {
        let mut definition: Definition = common::definition("voirie").resolved();
        let procedure = definition.procedures.get_mut("fuite-eau").unwrap();
        procedure.fields[0].id = id.parse().unwrap();
        let error = definition.check().unwrap_err();
        assert!(error.findings().iter().any(|finding| finding.code == "reserved-id"), "{id}: {error}");
    }
}

#[test]
fn a_blank_value_does_not_fill_what_a_transition_requires() {
    block_on(async {
        let requires = |procedure: &mut grc_core::definition::Procedure| {
            let fire = procedure.transitions.iter_mut().find(|t| t.id == "traiter").unwrap();
            fire.requires = vec!["materiau".parse().unwrap()];
        };
        let town = town_with(requires).await;
        let id = assigned(&town).await;
        let worker = town.agent("a-05");
        for fire in [Fire::new("traiter"), Fire::new("traiter").set("materiau", "")] {
            assert!(refusal(worker.act_on(id, None, fire).await).has("field.required"));
        }
        // Nor is a required field cleared on the way.
        let clears = Fire::new("traiter").set("materiau", "pvc").set("gravite", " ");
        assert!(refusal(worker.act_on(id, None, clears).await).has("field.required"));
        worker.act_on(id, None, Fire::new("traiter").set("materiau", "pvc")).await.unwrap();
    });
}

#[test]
fn a_guard_on_a_file_holds_when_it_is_there() {
    block_on(async {
        let guard = |procedure: &mut grc_core::definition::Procedure| {
            let fire = procedure.transitions.iter_mut().find(|t| t.id == "traiter").unwrap();
            fire.when = Some(Condition::Present(Var::Field("photo".parse().unwrap())));
        };
        let town = town_with(guard).await;
        let id = assigned(&town).await;
        let worker = town.agent("a-05");
        assert!(refusal(worker.act_on(id, None, Fire::new("traiter")).await).has("transition.guard"));
        let photo = worker.store_file(Some("photo"), "a.jpg", &b"\xff\xd8\xff\xe0"[..]).await.unwrap();
        worker.act_on(id, None, Command::Attach(photo)).await.unwrap();
        worker.act_on(id, None, Fire::new("traiter")).await.unwrap();
    });
}

#[test]
fn erasing_a_contact_and_the_code_at_once_takes_both_links_away() {
    block_on(async {
        let town = Town::open("voirie").await;
        let clerk = town.agent("a-01");
        let intake =
            leak().party(Party::named("Anne", "Le Gall").phone("06 39 98 12 34").email("anne@example.org"));
        let done = clerk.submit(intake).await.unwrap();
        let paths = vec!["requester.phone".to_owned(), "code".to_owned()];
        let erase = Command::Erase { paths, reason: "droit".into() };
        town.authority.host("dpo").act(done.id(), erase).await.unwrap();
        let anne = town.authority.session(Actor::holder(done.tracking_code().clone()));
        assert!(matches!(anne.follow().await, Err(GrcError::NotFound)));
        let by = |kind, text| clerk.by_contact("espace-public", kind, text);
        assert!(by(grc_core::definition::Contact::Phone, "06 39 98 12 34").await.unwrap().is_empty());
        assert_eq!(by(grc_core::definition::Contact::Email, "anne@example.org").await.unwrap(), [done.id()]);
    });
}

#[test]
fn erasing_says_nothing_of_what_is_hidden() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = town.agent("a-01").submit(leak().set("code-portail", "4242B")).await.unwrap().id();
        // `a-09` may erase, and may not read the gate's code as an administrator alone.
        let administrator = town.authority.session(Actor::agent("a-70").role("administrateur"));
        let erase = |path: &str| Command::Erase { paths: vec![path.into()], reason: "droit".into() };
        let hidden = refusal(administrator.act_on(id, None, erase("code-portail")).await);
        let absent = refusal(administrator.act_on(id, None, erase("rien")).await);
        assert_eq!(hidden, absent);
    });
}

#[test]
fn a_citizen_is_not_told_of_a_hold_by_a_conflict() {
    block_on(async {
        let town = Town::open("voirie").await;
        let done = town.agent("a-01").submit(leak()).await.unwrap();
        let anne = town.authority.session(Actor::holder(done.tracking_code().clone()));
        let seen = anne.follow().await.unwrap();
        let hold = Command::Hold { reason: grc_core::Typed::new("recours") };
        town.authority.host("dpo").act(done.id(), hold).await.unwrap();
        assert!(refusal(anne.act(&seen, Command::Release { hold: 1 }).await).is_denied());
    });
}

#[test]
fn what_was_seen_of_a_later_version_than_there_is_conflicts() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = town.agent("a-01").submit(leak()).await.unwrap().id();
        let noted = town.agent("a-01").act_on(id, Some(9), Command::note("vu")).await;
        assert!(matches!(noted, Err(GrcError::Conflict(_))), "{noted:?}");
    });
}

#[test]
fn dates_that_cannot_be_meant_are_refused_and_not_called_damage() {
    block_on(async {
        let town = Town::open("voirie").await;
        let clerk = town.agent("a-01");
        let early = leak().occurred_at(at("1600-01-01T00:00:00Z").to_utc());
        assert!(refusal(clerk.submit(early).await).has("date.range"));
        let late = leak().target(at("2300-01-01T00:00:00Z").to_utc());
        assert!(refusal(clerk.submit(late).await).has("date.range"));
    });
}

#[test]
fn giant_names_are_answered_at_once_and_giant_conditions_refused() {
    block_on(async {
        let town = Town::open("voirie").await;
        let clerk = town.agent("a-01");
        let giant = "é".repeat(4_000_000);
        assert!(
            refusal(clerk.submit(grc_core::Intake::new(giant.clone(), giant.clone())).await)
                .has("type.unknown")
        );
        assert!(refusal(clerk.submit(leak().set(giant, "x")).await).has("field.unknown"));
        let mut deep = Condition::Constant(true);
        for _ in 0..1_000 {
            deep = Condition::Not(Box::new(deep));
        }
        assert!(refusal(clerk.list(&List::new().filter(deep)).await).has("list.field"));
    });
}

#[test]
fn a_file_is_used_once() {
    block_on(async {
        let town = Town::open("voirie").await;
        let clerk = town.agent("a-01");
        let photo = clerk.store_file(Some("photo"), "a.jpg", &b"\xff\xd8\xff\xe0"[..]).await.unwrap();
        let first = clerk.submit(leak().file(photo.clone())).await.unwrap();
        assert!(refusal(clerk.submit(leak().file(photo.clone())).await).has("file.used"));
        town.clock.set(at("2026-11-26T09:00:00Z"));
        assert!(refusal(clerk.submit(leak().file(photo)).await).has("file.expired"));
        assert_eq!(town.authority.host("menage").sweep().await.unwrap(), 0);
        let seen = clerk.open(first.id()).await.unwrap();
        assert_eq!(clerk.read_file(first.id(), &seen.files()[0]).await.unwrap(), b"\xff\xd8\xff\xe0");
    });
}

/// The keyring forgot a value after the rows were copied: the copy can still be written to.
#[test]
fn a_restored_copy_can_be_typed_into_again() {
    use grc_core::{Grc, SeededEntropy, storage::MemoryStore};
    use std::sync::Arc;
    block_on(async {
        let store = Arc::new(MemoryStore::new());
        let keyring = Arc::new(grc_core::vault::MemoryKeyring::default());
        let stores = |store: &Arc<MemoryStore>| Stores {
            store: Arc::<MemoryStore>::clone(store),
            blobs: Arc::<MemoryStore>::clone(store),
            keyring: keyring.clone(),
        };
        let clock = Arc::new(grc_core::ManualClock::at(at("2026-11-24T09:00:00Z")));
        let open = async |store: &Arc<MemoryStore>, seed| {
            let grc =
                Grc::with(stores(store), clock.clone(), Arc::new(SeededEntropy::new(seed))).await.unwrap();
            grc.authority("ville").unwrap()
        };
        let town = open(&store, 1).await;
        town.host("essai").publish(&common::definition("voirie")).await.unwrap();
        let clerk = town.session(Actor::agent("a-01"));
        let id = clerk.submit(leak()).await.unwrap().id();
        let backup = Arc::new(store.copy());
        clerk.act_on(id, None, Command::note("Mme Le Gall est malade")).await.unwrap();
        let erase = Command::Erase { paths: vec!["note".into()], reason: "droit".into() };
        town.host("dpo").act(id, erase).await.unwrap();
        town.host("worker").work(None, Budget::ALL).await.unwrap();
        let restored = open(&backup, 2).await;
        let clerk = restored.session(Actor::agent("a-01"));
        clerk.act_on(id, None, Command::note("reprise")).await.unwrap();
        let seen = clerk.open(id).await.unwrap();
        assert_eq!(seen.notes()[0].text, "reprise");
        assert_eq!(seen.field("description"), Some(&Value::from("l'eau coule")));
        assert_eq!(restored.host("audit").verify(id).await.unwrap().problems, Vec::<String>::new());
    });
}

/// A month's key lives as long as somebody is found by it, and goes afterwards, however often work is done.
#[test]
fn a_months_key_lives_as_long_as_something_is_linked_under_it() {
    // Where documents are compared within a time only, an intake that saw the key before may still link under it.
    for lag in [Duration::ZERO, Duration::from_secs(600)] {
        block_on(months(lag));
    }
}

async fn months(lag: Duration) {
    let mut stores = Stores::memory();
    stores.store = Arc::new(FaultStore::new(stores.store, Fault::Before, 0).with_lag(lag));
    let town = Town::on("voirie", stores).await;
    let clerk = town.agent("a-01");
    let id = clerk.submit(leak().party(Party::requester().phone("06 39 98 12 34"))).await.unwrap().id();
    let worker = town.authority.host("worker");
    let found = async || {
        clerk
            .by_contact("espace-public", grc_core::definition::Contact::Phone, "06 39 98 12 34")
            .await
            .unwrap()
    };
    for month in 1..=4 {
        town.clock.set(at("2026-11-24T09:00:00Z").plus_days(31 * month));
        assert_eq!(worker.work(None, Budget::ALL).await.unwrap().months, 0);
        assert_eq!(found().await, [id]);
    }
    let chief = town.agent("a-02");
    chief.act_on(id, None, Fire::new("affecter").to(Assignee::agent("a-05"))).await.unwrap();
    chief.act_on(id, None, Fire::new("traiter")).await.unwrap();
    chief.act_on(id, None, Fire::new("cloturer").outcome("repare")).await.unwrap();
    town.clock.set(at("2028-06-01T09:00:00Z"));
    let first = worker.work(None, Budget::ALL).await.unwrap();
    assert_eq!((first.anonymised, first.months), (1, 0), "first it is marked as closing");
    if !lag.is_zero() {
        for later in [0, 599] {
            town.clock.set(at("2028-06-01T09:00:00Z").plus_millis(later * 1_000));
            assert_eq!(worker.work(None, Budget::ALL).await.unwrap().months, 0, "{later} s later");
        }
        town.clock.set(at("2028-06-01T09:10:00Z"));
    }
    assert_eq!(worker.work(None, Budget::ALL).await.unwrap().months, 1);
    assert!(found().await.is_empty());
}

/// The row and its events were read at two moments: a request that somebody worked on was said to be damaged.
#[test]
fn a_request_that_somebody_works_on_verifies() {
    let town = block_on(Town::open("voirie"));
    let clerk = town.agent("a-01");
    let id = block_on(clerk.submit(leak())).unwrap().id();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..300 {
                block_on(clerk.act_on(id, None, Command::note(format!("note {n}")))).unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        let host = town.authority.host("audit");
        let mut verified = 0;
        while !done.load(std::sync::atomic::Ordering::SeqCst) {
            match block_on(host.verify(id)) {
                Ok(verdict) => assert_eq!(verdict.problems, Vec::<String>::new(), "after {verified}"),
                Err(error) => assert!(matches!(error, GrcError::Busy), "{error:?}"),
            }
            verified += 1;
        }
        assert!(verified > 0);
    });
}

#[test]
fn a_list_of_what_is_overdue_goes_on_while_time_does() {
    block_on(async {
        let town = Town::open("voirie").await;
        for _ in 0..5 {
            town.agent("a-01").submit(leak()).await.unwrap();
        }
        town.clock.set(at("2026-12-24T09:00:00Z"));
        let administrator = town.agent("a-09");
        let mut list = List::new().overdue().limit(2);
        let mut found = Vec::new();
        for hour in 10.. {
            let page = administrator.list(&list).await.unwrap();
            found.extend(page.requests.into_iter().map(|request| request.id));
            let Some(next) = page.next else { break };
            list = list.after(next.to_string().parse().unwrap());
            town.clock.set(at(&format!("2026-12-24T{hour}:00:00Z")));
        }
        assert_eq!(found.len(), 5);
        // A cursor of another list is refused, and so is one that is cut short.
        for cursor in ["", "AAAA", "AAAAAAAAAAAAAAAA"] {
            let list = list.clone().after(cursor.parse().unwrap());
            assert!(refusal(administrator.list(&list).await).has("list.cursor"), "{cursor}");
        }
    });
}

/// The town's engine in another process, over other handles of the same stores.
async fn elsewhere(town: &Town, stores: Stores) -> Result<Authority, GrcError> {
    let clock: Arc<dyn grc_core::Clock> = Arc::<grc_core::ManualClock>::clone(&town.clock);
    Grc::with(stores, clock, Arc::new(SeededEntropy::new(99))).await?.authority("ville")
}

#[test]
fn a_lost_answer_stays_unknown_while_the_store_cannot_be_asked_again() {
    block_on(async {
        for (then, known) in [(Fault::Before, true), (Fault::Dies, false)] {
            let town = Town::open("voirie").await;
            let id = town.agent("a-01").submit(leak()).await.unwrap().id();
            // The answer to the first commit is lost; when it is asked for, the store cannot be reached.
            let lost = Arc::new(FaultStore::new(Arc::clone(&town.stores.store), Fault::AnswerLost, 1));
            let store = Arc::new(FaultStore::new(lost, then, 2));
            let other = elsewhere(&town, Stores { store, ..town.stores.clone() }).await.unwrap();
            let note = other.session(Actor::agent("a-01")).act_on(id, None, Command::note("vu")).await;
            match note {
                Ok(_) => assert!(known),
                Err(GrcError::Storage(error)) => {
                    assert!(!known && error.kind() == StorageErrorKind::OutcomeUnknown, "{error:?}");
                }
                Err(error) => panic!("{error:?}"),
            }
            assert_eq!(town.agent("a-01").open(id).await.unwrap().notes().len(), 1, "it is there");
        }
    });
}

/// A keyring in which another process does something each time that its epoch was read, or before it takes keys.
#[derive(Debug)]
struct Shared {
    keys: Arc<dyn Keyring>,
    other: Authority,
    /// What it does before this one makes keys: hands in the same, and withdraws the type.
    same: Option<Intake>,
}

#[async_trait]
impl Keyring for Shared {
    fn info(&self) -> KeyringInfo {
        self.keys.info()
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        let epoch = self.keys.epoch().await;
        if self.same.is_some() {
            return epoch;
        }
        self.other.session(Actor::agent("a-01")).submit(leak()).await.unwrap();
        assert!(self.keys.epoch().await.unwrap() > epoch.as_ref().copied().unwrap(), "keys were made");
        epoch
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        if let Some(same) = &self.same {
            self.other.session(Actor::agent("a-01")).submit(same.clone()).await.unwrap();
            let mut withdrawn = common::definition("voirie");
            withdrawn.procedures.remove(&Word::new("fuite-eau").unwrap());
            self.other.host("cadre").publish(&withdrawn).await.unwrap();
        }
        self.keys.issue(keys).await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.keys.open(ids).await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        self.keys.keep(id, slots).await
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        self.keys.destroy(ids).await
    }
}

#[test]
fn an_engine_opens_while_another_process_makes_keys() {
    block_on(async {
        let town = Town::open("voirie").await;
        let other = elsewhere(&town, town.stores.clone()).await.unwrap();
        let keyring = Arc::new(Shared { keys: Arc::clone(&town.stores.keyring), other, same: None });
        elsewhere(&town, Stores { keyring, ..town.stores.clone() }).await.unwrap();
    });
}

#[test]
fn an_intake_that_was_done_meanwhile_is_not_refused_when_it_is_sent_again() {
    block_on(async {
        let town = Town::open("voirie").await;
        let other = elsewhere(&town, town.stores.clone()).await.unwrap();
        let same = leak().key("guichet-3/17");
        let keys = Arc::clone(&town.stores.keyring);
        let keyring = Arc::new(Shared { keys, other, same: Some(same.clone()) });
        let clock: Arc<dyn grc_core::Clock> = Arc::<grc_core::ManualClock>::clone(&town.clock);
        let stores = Stores { keyring, ..town.stores.clone() };
        let grc = Grc::with(stores, clock, Arc::new(SeededEntropy::new(100))).await.unwrap();
        let again = grc.authority("ville").unwrap().session(Actor::agent("a-01")).submit(same.clone()).await;
        let first = town.agent("a-01").submit(same).await.unwrap();
        assert_eq!(again.unwrap(), first);
    });
}

/// Does something once, before it loads an intervention to decide on it.
struct Between {
    under: Arc<dyn Store>,
    then: Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>,
}

impl std::fmt::Debug for Between {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Between")
    }
}

#[async_trait]
impl Over for Between {
    fn under(&self) -> &dyn Store {
        &*self.under
    }

    async fn load(&self, load: &Load) -> Result<Loaded, StorageError> {
        let is_it = |stream: &StreamKey| stream.kind.as_str() == InterventionId::KIND;
        if load.receipt.is_none() && load.streams.iter().any(is_it) {
            let then = self.then.lock().unwrap().take();
            if let Some(then) = then {
                then.await;
            }
        }
        self.under.load(load).await
    }
}

/// The same keyed command comes twice at once, as from a telephone whose network came back. One is done between the other's
/// looking for its receipt and its decision, which is then refused: what was done is answered, not the refusal.
#[test]
fn a_keyed_command_on_site_that_is_done_meanwhile_is_answered_as_done() {
    block_on(async {
        let stores = Stores::memory();
        let between = Arc::new(Between { under: Arc::clone(&stores.store), then: Mutex::default() });
        let town = Town::on("voirie", Stores { store: between.clone(), ..stores }).await;
        let leak = assigned(&town).await;
        let (from, until) = (at("2026-11-25T08:00:00Z").to_utc(), at("2026-11-25T11:00:00Z").to_utc());
        let chief = town.agent("a-02");
        let id = chief.plan(Planning::new(from, until).serving(leak).agent("a-05")).await.unwrap().id();
        let worker = || town.agent("a-05");
        worker().work_on(id, None, Work::Start).await.unwrap();
        let done = move || SiteInstruction::from(Work::done_with(leak, "Collier changé.")).key("envoi-7");
        let first = worker();
        let then = async move { assert!(first.work_on(id, None, done()).await.is_ok()) };
        *between.then.lock().unwrap() = Some(Box::pin(then));
        let second = worker().work_on(id, None, done()).await.unwrap();
        assert!(between.then.lock().unwrap().is_none(), "the other one came between");
        let seen = worker().intervention(id).await.unwrap();
        assert_eq!((seen.stage().as_str(), seen.version()), ("done", second.version()));
        // Without a key it is refused: it is done already.
        let again = worker().work_on(id, None, Work::done_with(leak, "Collier changé.")).await;
        assert!(matches!(again, Err(GrcError::Refused(_))), "{again:?}");
    });
}

/// Work for these requests by the fitters, with something bought for it.
pub(crate) async fn bought_for(town: &Town, requests: &[RequestId]) -> InterventionId {
    let (from, until) = (at("2026-11-25T08:00:00Z").to_utc(), at("2026-11-25T11:00:00Z").to_utc());
    let planning = Planning::new(from, until).team("fontainiers");
    let planning = requests.iter().fold(planning, |planning, request| planning.serving(*request));
    let chief = town.agent("a-02");
    let id = chief.plan(planning).await.unwrap().id();
    let purchase = Purchase::net(5_000).supplier("enrobes-du-sud").item("Collier").invoice("F-1");
    chief.work_on(id, None, Work::Buy(purchase)).await.unwrap();
    id
}

pub(crate) async fn closed(town: &Town, id: RequestId) {
    let chief = town.agent("a-02");
    chief.act_on(id, None, Fire::new("traiter")).await.unwrap();
    chief.act_on(id, None, Fire::new("cloturer").outcome("repare")).await.unwrap();
}

/// Anonymising leaves a position of about a kilometre: it was shown to who could not read the position itself.
#[test]
fn what_is_left_of_a_position_is_for_who_may_read_the_position() {
    block_on(async {
        let town = town_with(|procedure| {
            let rights = procedure.rights.entry("place.point".parse().unwrap()).or_default();
            rights.read = Some(vec!["accueil".to_owned()]);
        })
        .await;
        let place = Place::address("12 rue des Lilas", "35000", "Rennes").and_position(48.1173, -1.6778);
        let id = town.agent("a-01").submit(leak().at(place)).await.unwrap().id();
        town.agent("a-02").act_on(id, None, Fire::new("affecter").to(Assignee::agent("a-05"))).await.unwrap();
        let work = bought_for(&town, &[id]).await;
        closed(&town, id).await;
        town.clock.set(at("2028-01-10T10:00:00Z"));
        assert_eq!(town.authority.host("worker").work(None, Budget::ALL).await.unwrap().anonymised, 1);
        for (agent, point) in [("a-01", Some((48_110_000, -1_680_000))), ("a-02", None), ("a-05", None)] {
            let seen = town.agent(agent).open(id).await.unwrap();
            let place = seen.place().unwrap();
            assert_eq!((place.point, place.coarse), (point, point.is_some()), "{agent}");
            let order = town.agent(agent).work_order(work).await.unwrap();
            assert_eq!(order.requests[0].point, point, "{agent}, on the work order");
        }
    });
}

/// Who may not see amounts is not told from whom something was bought; figures by supplier told it.
#[test]
fn figures_tell_from_whom_something_was_bought_to_who_may_see_amounts() {
    block_on(async {
        let town = town_with(|_| {}).await;
        let id = assigned(&town).await;
        bought_for(&town, &[id]).await;
        let question = Question::all().figures([Figure::Total]).by([Dimension::Supplier]);
        for (agent, supplier) in [("a-08", None), ("a-02", Some("enrobes-du-sud"))] {
            let table = town.agent(agent).measure(&question).await.unwrap();
            let suppliers: Vec<_> = table.rows.iter().flat_map(|row| row.ids()).collect();
            assert_eq!(suppliers, [supplier], "{agent}");
        }
    });
}

/// What was bought for two requests went when the first of them was forgotten, although the other was under a hold.
#[test]
fn what_was_bought_waits_for_a_hold_on_another_request() {
    block_on(async {
        let town = town_with(|_| {}).await;
        let requests = [assigned(&town).await, assigned(&town).await];
        let work = bought_for(&town, &requests).await;
        let chief = town.agent("a-09");
        chief.act_on(requests[1], None, Command::Hold { reason: "contentieux".into() }).await.unwrap();
        for request in requests {
            closed(&town, request).await;
        }
        let item = async || town.agent("a-09").intervention(work).await.unwrap().entries()[0].item.clone();
        let forgotten = async |day| {
            town.clock.set(at(day));
            town.authority.host("worker").work(None, Budget::ALL).await.unwrap().anonymised
        };
        assert_eq!((forgotten("2028-01-10T10:00:00Z").await, item().await.as_deref()), (1, Some("Collier")));
        chief.act_on(requests[1], None, Command::Release { hold: 1 }).await.unwrap();
        assert_eq!((forgotten("2028-01-11T10:00:00Z").await, item().await), (1, None));
    });
}

/// Numbers of quotes and invoices are for who may see amounts; whoever may erase could erase them, and so find out
/// whether there are any.
#[test]
fn who_may_not_see_amounts_erases_no_numbers_of_invoices() {
    block_on(async {
        let town = Town::open("voirie").await;
        let mut definition = common::definition("voirie").resolved();
        let sees = definition.organisation.grants.iter_mut().find(|grant| grant.to == ["accueil"]).unwrap();
        sees.may.push(grc_core::definition::Action::Erase);
        town.authority.host("essai").publish(&definition).await.unwrap();
        let id = assigned(&town).await;
        let work = bought_for(&town, &[id]).await;
        let erase = |slot| Work::Erase { slots: vec![slot], reason: "erreur".to_owned() };
        let there = refusal(town.agent("a-01").work_on(work, None, erase(1)).await);
        let absent = refusal(town.agent("a-01").work_on(work, None, erase(9)).await);
        assert!(there.has("erase.nothing") && there == absent, "{there} and {absent}");
        town.agent("a-09").work_on(work, None, erase(1)).await.unwrap();
    });
}
