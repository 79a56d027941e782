//! The server is killed with SIGKILL under load, is frozen, and ends connections: what was acknowledged is there, nothing
//! is half there, and whoever follows the feed misses nothing or is told to read everything again.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;
mod load;
#[path = "crash/load.rs"]
mod many;
#[path = "crash/pairs.rs"]
mod pairs;
mod people;
#[path = "crash/town.rs"]
mod town;

use common::{block_on, connect, fresh, options, shared, start};
use grc_core::{
    BatchId, BlobId, KeyId, Moment,
    conformance::Dice,
    storage::{Batch, BlobStore, Load, Parts, ReceiptRow, Retry, Step, StorageErrorKind, Store},
    vault::{DataKey, Keyring},
};
use grc_mysql::{Durability, MysqlStore};
use load::{
    follower::check_order,
    found::Found,
    plan::{self, Plan, stream},
};
use many::Many;
use pairs::Pairs;
use private_server::{Server, Setup};
use sqlx::{AssertSqlSafe, Executor, MySqlConnection, Row};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{atomic::Ordering, mpsc},
    time::Duration,
};
use town::Town;
use uuid::Uuid;

/// Kills of the server; and where it has a binary log, or where pairs do the same.
const KILLS: usize = 20;
const FEWER: usize = 10;
/// Connections that are ended.
const ENDED: usize = 500;

fn open(address: &str, patience: Duration) -> MysqlStore {
    let options = options().durability(Durability::Full).patience(patience).lock_wait(Duration::from_secs(1));
    pollster::block_on(options.open_store(address)).unwrap()
}

fn database(address: &str) -> &str {
    address.rsplit('/').next().unwrap()
}

/// What was acknowledged is there, whole; what was refused is not.
fn check(server: &Server, address: &str, many: &Many) -> Found {
    let (acknowledged, refused) = many.known();
    let found = block_on(async { Found::read(&mut connect(server, database(address)).await).await });
    for plan in &acknowledged {
        assert!(found.holds(plan), "acknowledged, and not there as it was: {plan}");
    }
    for plan in &refused {
        assert!(!found.batches.contains(&plan.id), "refused, and there: {plan}");
    }
    found
}

/// After the end: nothing else is there, and the feed has told all of it.
fn check_all(server: &Server, address: &str, many: &Many) {
    let found = check(server, address, many);
    let ids: BTreeSet<u128> = many.known().0.iter().map(|plan| plan.id).collect();
    assert_eq!(found.batches, ids, "what is there was acknowledged");
    let follower = many.follower();
    check_order(&follower.changes, true);
    assert_eq!(follower.batches(), ids, "the feed has told all of it");
}

/// Notes at each start, before anybody can connect, which batches are there: whoever repeats one does so later.
fn noting(setup: Setup) -> Setup {
    let note = "INSERT INTO kept SELECT (SELECT MAX(n) FROM start), batch FROM grc_change";
    let there = "SELECT COUNT(*) FROM information_schema.tables
                 WHERE table_schema = DATABASE() AND table_name = 'grc_change'";
    setup
        .sql("USE grc")
        .sql("CREATE TABLE IF NOT EXISTS start (n INT NOT NULL AUTO_INCREMENT PRIMARY KEY)")
        .sql("CREATE TABLE IF NOT EXISTS kept (n INT NOT NULL, batch BINARY(16) NOT NULL, KEY (n))")
        .sql("INSERT INTO start VALUES (NULL)")
        .sql(&format!("SELECT IF(({there}) > 0, '{note}', 'DO 0') INTO @note").replace('\n', " "))
        .sql("PREPARE note FROM @note")
        .sql("EXECUTE note")
}

/// The batches that were there when the server started for the nth time.
fn kept(server: &Server, n: usize) -> BTreeSet<u128> {
    let read = format!("SELECT batch FROM kept WHERE n = {n}");
    let rows = block_on(async { connect(server, "grc").await.fetch_all(AssertSqlSafe(read)).await.unwrap() });
    rows.iter().map(|row| u128::from_be_bytes(row.get::<Vec<u8>, _>(0).try_into().unwrap())).collect()
}

/// Shows what the server said last, if the test fails.
struct Log<'a>(&'a Server);

impl Drop for Log<'_> {
    #[expect(clippy::print_stdout, reason = "shown with what else the failed test said")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.0.log();
            let last: Vec<&str> = log.lines().rev().take(80).collect();
            println!("the server's log:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// Answers what it counted.
fn killed(setup: Setup, kills: usize) -> String {
    let server = start(noting(setup));
    let _log = Log(&server);
    let address = server.url("grc");
    // One gives up before the server is there again, the other does not.
    drop(open(&address, Duration::from_secs(30)));
    let stores = [Duration::from_millis(150), Duration::from_secs(30)].map(|time| open(&address, time));
    let follows = open(&address, Duration::from_millis(400));
    let many = Many::new(8).twins(3);
    let mut dice = Dice::new(kills as u64);
    std::thread::scope(|scope| {
        let ending = many.ending();
        many.start(scope, &stores, &follows);
        for n in 0..kills {
            many.wait_for(20 + dice.below(80));
            server.kill().unwrap();
            let acknowledged = many.known().0;
            // Every other time it is away until those are told who have little patience.
            if n % 2 == 0 {
                let told = |tally: &load::writer::Tally| tally.unavailable + tally.unknown;
                let before = told(&many.tally());
                many.wait_until("an impatient writer to be told", |tally| told(tally) > before + 2);
            }
            server.restart().unwrap();
            let kept = kept(&server, n + 2);
            let lost: Vec<&Plan> = acknowledged.iter().filter(|plan| !kept.contains(&plan.id)).collect();
            assert!(lost.is_empty(), "kill {n}: {} acknowledged, lost: {lost:?}", acknowledged.len());
            check(&server, &address, &many);
        }
        many.wait_for(50);
        drop(ending);
    });
    check_all(&server, &address, &many);
    let (tally, refused_cursors) = (many.tally(), many.refused_cursors());
    let twins = many.acknowledged_to_twins();
    assert!(tally.acknowledged as usize > kills * 40, "{tally:?}");
    assert!(tally.repeated as usize >= kills / 4 && twins > 5 * kills, "{twins} twins, {tally:?}");
    format!("kills {kills}, refused cursors {refused_cursors}, acknowledged to twins {twins}, {tally:?}")
}

#[test]
fn a_server_that_is_killed_has_what_it_acknowledged() {
    println!("{}", killed(Setup::new(), KILLS));
}

#[test]
fn a_server_with_a_binary_log_that_is_killed_has_what_it_acknowledged() {
    let setup = Setup::new().option("log-bin").option("sync-binlog=1").option("binlog-format=ROW");
    println!("{}", killed(setup, FEWER));
}

#[test]
fn what_two_did_at_once_is_there_after_a_kill() {
    let server = start(Setup::new());
    let (address, keys) = (fresh(&server), fresh(&server));
    let options = options().durability(Durability::Full);
    let keyring = pollster::block_on(options.open_keyring(&keys)).unwrap();
    let store = pollster::block_on(options.open_store(&address)).unwrap();
    // Those who work soon see that the server is gone.
    let options = options.patience(Duration::from_millis(400));
    let hasty = again(|| pollster::block_on(options.open_store(&address)));
    let hasty_keys = again(|| pollster::block_on(options.open_keyring(&keys)));
    let (mut dice, mut acknowledged) = (Dice::new(3), 0);
    for round in 0..FEWER as u128 {
        let pairs = Pairs::default();
        let (tell, told) = mpsc::channel();
        std::thread::scope(|scope| {
            for n in 0..4 {
                let (pairs, tell, keys, blobs) = (&pairs, tell.clone(), &hasty_keys, &hasty);
                scope.spawn(move || pairs.work((round << 64) + (n << 32) + 1, keys, blobs, &tell));
            }
            for _ in 0..10 + dice.below(40) {
                told.recv_timeout(Duration::from_secs(60)).unwrap();
            }
            server.kill().unwrap();
            pairs.gone.store(true, Ordering::SeqCst);
        });
        server.restart().unwrap();
        acknowledged += pairs.check(&keyring, &store);
    }
    println!("kills {FEWER}, acknowledged to pairs {acknowledged}");
    assert!(acknowledged > FEWER * 10);
}

/// How often the server was made to flush for an answer that wrote nothing else.
fn flushes(server: &Server, address: &str) -> u64 {
    let read = "SELECT CAST(COALESCE(SUM(version), 0) AS UNSIGNED) FROM grc_schema WHERE name = 'flush'";
    block_on(async { connect(server, database(address)).await.fetch_one(read).await.unwrap().get(0) })
}

/// What is seen was perhaps not flushed yet. How long that takes is the disk's affair, so this counts.
#[test]
fn what_is_found_done_already_is_flushed_before_it_is_answered() {
    let server = shared();
    let (address, keys) = (fresh(server), fresh(server));
    let options = options();
    let keyring = pollster::block_on(options.open_keyring(&keys)).unwrap();
    let store = pollster::block_on(options.open_store(&address)).unwrap();
    let (keyring, blobs, store): (&dyn Keyring, &dyn BlobStore, &dyn Store) = (&keyring, &store, &store);
    let key = KeyId::from_uuid(Uuid::from_u128(1));
    let blob = BlobId::from_uuid(Uuid::from_u128(2));
    let plan = Plan { id: 1, streams: vec![(1, 0)], beside: None };
    let slots = BTreeMap::new();
    let stored = ReceiptRow {
        token: [7; 16],
        mac: [8; 32],
        key,
        stream: stream(1),
        version: 1,
        expires: Moment::from_micros(i64::MAX),
    };
    let kept = Batch::new(BatchId::from_uuid(Uuid::from_u128(3)), plan::town(), Moment::EPOCH)
        .with(Step::PutReceipt(stored));
    pollster::block_on(store.commit(kept)).unwrap();
    let before = flushes(server, &address);
    let load =
        Load { authority: plan::town(), streams: Vec::new(), parts: Parts::None, receipt: Some([7; 16]) };
    assert!(pollster::block_on(store.load(&load)).unwrap().receipt.is_some());
    assert_eq!(flushes(server, &address), before + 1, "a receipt");
    let calls: [(&str, &str, &dyn Fn()); 5] = [
        ("commit", &address, &|| _ = pollster::block_on(store.commit(plan.batch())).unwrap()),
        ("put", &address, &|| {
            pollster::block_on(blobs.put(&plan::town(), blob, 0, Moment::EPOCH, vec![1])).unwrap();
        }),
        ("issue", &keys, &|| {
            pollster::block_on(keyring.issue(&[(key, DataKey::from_bytes([7; 32]))])).unwrap();
        }),
        ("keep", &keys, &|| _ = pollster::block_on(keyring.keep(key, &slots)).unwrap()),
        ("destroy", &keys, &|| _ = pollster::block_on(keyring.destroy(&[key])).unwrap()),
    ];
    for (what, address, call) in calls {
        call();
        let before = flushes(server, address);
        call();
        assert_eq!(flushes(server, address), before + 1, "{what}");
    }
}

#[test]
fn an_engine_whose_server_is_killed_goes_on() {
    let server = start(Setup::new());
    let _log = Log(&server);
    let (address, keys) = (fresh(&server), fresh(&server));
    let town = Town::open(&address, &keys);
    let mut dice = Dice::new(5);
    let mut opened = 0;
    std::thread::scope(|scope| {
        let ending = town.people.ending();
        for n in 0..4 {
            let town = &town;
            scope.spawn(move || town.work(n));
        }
        for n in 0..KILLS {
            town.people.wait_for(4 + dice.below(16));
            server.kill().unwrap();
            if n % 2 == 0 {
                town.people.wait_for_repeated();
            }
            server.restart().unwrap();
            opened += town.check(&mut dice, 5);
        }
        town.people.wait_for(40);
        drop(ending);
    });
    opened += town.check(&mut dice, usize::MAX);
    let requests = block_on(async {
        let read = "SELECT COUNT(*) FROM grc_stream WHERE kind = 'request'";
        let row = connect(&server, database(&address)).await.fetch_one(read).await.unwrap();
        row.get::<i64, _>(0)
    });
    let count = town.people.count();
    println!("kills {KILLS}, {count:?}, verified {opened}");
    assert_eq!(requests, count.submitted as i64, "each intake came in once");
    assert!(count.submitted > 50 && count.acted > 150 && count.repeated >= KILLS / 2, "{count:?}");
}

/// What does not succeed on a machine that is busy does so later.
fn again<T, E: std::fmt::Debug>(mut ask: impl FnMut() -> Result<T, E>) -> T {
    (0..50).find_map(|_| ask().ok()).unwrap_or_else(|| ask().unwrap())
}

/// The connections of clients that are at work, with the first word of what they do. A MySQL server fails now and then to
/// show statements that have bytes in them: then there are none.
async fn at_work(connection: &mut MySqlConnection, database: &str) -> Vec<(u64, String)> {
    let read = format!(
        "SELECT CAST(id AS UNSIGNED), CAST(COALESCE(info, '') AS CHAR) FROM information_schema.processlist
         WHERE db = '{database}' AND id <> CONNECTION_ID()"
    );
    let rows = connection.fetch_all(AssertSqlSafe(read)).await.unwrap_or_default();
    let word = |text: String| text.split_whitespace().next().unwrap_or("none").to_owned();
    rows.iter().map(|row| (row.get(0), word(row.get(1)))).collect()
}

#[test]
fn connections_that_are_ended_lose_and_double_nothing() {
    let server = start(Setup::new());
    let address = fresh(&server);
    let stores = [2, 30].map(|seconds| open(&address, Duration::from_secs(seconds)));
    let follows = open(&address, Duration::from_secs(30));
    let many = Many::new(8);
    let mut dice = Dice::new(17);
    let mut ended: BTreeMap<String, usize> = BTreeMap::new();
    std::thread::scope(|scope| {
        let ending = many.ending();
        many.start(scope, &stores, &follows);
        many.wait_for(20);
        block_on(async {
            let mut connection = connect(&server, "grc").await;
            while ended.values().sum::<usize>() < ENDED {
                let mut all = at_work(&mut connection, database(&address)).await;
                // Those at COMMIT are taken first, every second time.
                if dice.once_in(2) && all.iter().any(|(_, word)| word == "COMMIT") {
                    all.retain(|(_, word)| word == "COMMIT");
                }
                let Some((id, word)) = dice.pick(&all) else { continue };
                if connection.execute(AssertSqlSafe(format!("KILL CONNECTION {id}"))).await.is_ok() {
                    *ended.entry(word.clone()).or_default() += 1;
                }
                many.wait_for(dice.below(4));
            }
        });
        drop(ending);
    });
    check_all(&server, &address, &many);
    let tally = many.tally();
    println!("ended {ended:?}, {tally:?}, refused cursors {}", many.refused_cursors());
    assert_eq!(many.refused_cursors(), 0, "nothing was lost");
    assert!(tally.acknowledged > 300 && ended.get("COMMIT").copied().unwrap_or_default() > 50);
}

/// Asks for something that must not hang, and must say clearly that the server is away.
#[track_caller]
fn check_away<T: Send>(what: &str, ask: impl FnOnce() -> Result<T, grc_core::storage::StorageError> + Send) {
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || tell.send(ask().err()).unwrap());
        // Much longer than the patience with it.
        let error = told.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
        assert_eq!(error.retry(), Retry::Same, "{what}: {error:?}");
        assert_eq!(error.kind(), StorageErrorKind::Unavailable, "{what}: {error:?}");
        assert!(error.to_string().contains("127.0.0.1"), "{what}: it names the server: {error}");
    });
}

#[test]
fn a_server_that_is_frozen_is_away_and_not_waited_for() {
    let server = start(Setup::new());
    let address = fresh(&server);
    let stores = [1, 2].map(|seconds| open(&address, Duration::from_secs(seconds)));
    let follows = open(&address, Duration::from_secs(2));
    let asks = open(&address, Duration::from_secs(2));
    let many = Many::new(8);
    std::thread::scope(|scope| {
        let ending = many.ending();
        many.start(scope, &stores, &follows);
        for _ in 0..2 {
            many.wait_for(100);
            server.freeze().unwrap();
            let store: &dyn Store = &asks;
            let plan = Plan { id: 7, streams: vec![(1 << 100, 0)], beside: None };
            check_away("a commit", || pollster::block_on(store.commit(plan.batch())));
            let load =
                Load { authority: plan::town(), streams: vec![stream(1)], parts: Parts::None, receipt: None };
            check_away("a reading", || pollster::block_on(store.load(&load)));
            check_away("the feed", || pollster::block_on(store.changes(&plan::town(), None, 10)));
            let before = many.tally();
            many.wait_until("the writers to be told", |tally| {
                tally.unavailable + tally.unknown >= before.unavailable + before.unknown + 8
            });
            server.thaw().unwrap();
        }
        many.wait_for(100);
        drop(ending);
    });
    check_all(&server, &address, &many);
    let tally = many.tally();
    println!("{tally:?}");
    assert!(tally.unavailable + tally.unknown >= 16);
}

#[test]
fn one_connection_is_enough_to_know_a_batch_again() {
    let address = fresh(shared());
    let options = options().connections(1).patience(Duration::from_secs(2));
    let store = pollster::block_on(options.open_store(&address)).unwrap();
    let store: &dyn Store = &store;
    let first = Plan { id: 1, streams: vec![(1, 0)], beside: None };
    // Nothing of the second stands in its own way but its id in the feed.
    let second = Plan { id: 2, streams: Vec::new(), beside: Some(1) };
    for plan in [&first, &second] {
        assert!(!pollster::block_on(store.commit(plan.batch())).unwrap().replayed);
        assert!(pollster::block_on(store.commit(plan.batch())).unwrap().replayed, "{plan}");
    }
}
