//! The feed, while processes that write stand still between their last statement and COMMIT: whoever follows it sees
//! every change once, in an order that agrees with each stream's versions, and misses none.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "feed/child.rs"]
mod child;
mod common;
mod load;
#[path = "feed/process.rs"]
mod process;
mod support;
#[path = "feed/watch.rs"]
mod watch;

use child::Role;
use common::{block_on, connect, fresh, options, run, shared, start};
use grc_core::{
    BatchId, Moment,
    conformance::Dice,
    storage::{Batch, Change, Cursor, IndexValue, Step, Store, Touched},
};
use grc_mysql::{Durability, MysqlStore};
use load::{
    follower::{Follower, Seen, check_order},
    found::Found,
    plan::{Plan, stream, town, word},
    writer::{End, Writer},
};
use private_server::{Server, Setup};
use process::{Process, Said};
use sqlx::{AssertSqlSafe, Executor};
use std::{
    collections::BTreeSet,
    fs::File,
    path::Path,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use support::{say, wait_for};
use uuid::Uuid;
use watch::Watch;

/// How often a process is stopped between its last statement and COMMIT; and on a server with a binary log.
const STOPS: usize = 10;
const LOGGED: usize = 6;
/// How many commits of the other pass each time.
const PASSING: usize = 200;
/// How often each writer takes streams that others write too: half of them never, so that they are not held up.
const SHARES: [usize; 4] = [0, 0, 3, 8];

fn open_relaxed(address: &str) -> MysqlStore {
    pollster::block_on(options().open_store(address)).unwrap()
}

/// The store, durable.
fn open(address: &str, patience: u64) -> MysqlStore {
    let options = options()
        .durability(Durability::Full)
        .patience(Duration::from_secs(patience))
        .lock_wait(Duration::from_secs(1));
    pollster::block_on(options.open_store(address)).unwrap()
}

/// Only what another test starts does anything.
#[test]
fn child() {
    if let Some(words) = support::role() {
        Role::read(words).play();
    }
}

/// Processes that write to a database, each under an account of its own.
fn processes(
    server: &Server,
    address: &str,
    stop: &Path,
    shares: &[&[usize]],
    patience: u64,
) -> Vec<Process> {
    let name = address.rsplit('/').next().unwrap();
    let start = |(n, shares): (usize, &&[usize])| {
        let user = format!("{name}_p{n}");
        run(
            server,
            &format!(
                "CREATE USER '{user}'@'%' IDENTIFIED BY '{}'; GRANT ALL ON {name}.* TO '{user}'@'%'",
                server.password()
            ),
        );
        let role = Role {
            address: address.replace(&format!("//{}:", server.user()), &format!("//{user}:")),
            stop: stop.display().to_string(),
            first: 16 * (n as u16 + 1),
            shares: shares.to_vec(),
            seed: 4_711,
            patience,
        };
        Process::start(&user, role)
    };
    shares.iter().enumerate().map(start).collect()
}

/// What those that follow share with who stops the processes.
#[derive(Default)]
struct Stage {
    /// How many changes the first one saw.
    seen: AtomicUsize,
    half: AtomicBool,
    done: AtomicBool,
    /// Where the first one was at half time, and what it had seen until there.
    middle: Mutex<Option<(Cursor, BTreeSet<u128>)>>,
}

/// Ends who follows, also when the test fails.
struct Ending<'a>(&'a Stage);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.done.store(true, Ordering::SeqCst);
        self.0.half.store(true, Ordering::SeqCst);
    }
}

/// Reads all the time, from nothing.
fn follow(address: &str, stage: &Stage, wait: &AtomicBool, seed: u64, first: bool) -> Follower {
    let store = open(address, 30);
    let mut follower = Follower::new(None, seed);
    wait_for("the time to begin", || wait.load(Ordering::SeqCst));
    loop {
        let done = stage.done.load(Ordering::SeqCst);
        let seen = follower.read(&store);
        assert!(matches!(seen, Seen::Changes(_)), "{seen:?}");
        if done && seen == Seen::Changes(0) {
            return follower;
        }
        if first {
            stage.seen.store(follower.changes.len(), Ordering::SeqCst);
            if stage.half.load(Ordering::SeqCst) {
                let mut middle = stage.middle.lock().unwrap();
                let after = follower.after.clone().unwrap();
                middle.get_or_insert_with(|| (after, follower.batches()));
            }
        }
    }
}

/// Reads from the middle to the end, again and again. Answers what the last reading saw, and how many there were.
fn reread(address: &str, stage: &Stage) -> (BTreeSet<u128>, u64) {
    let store = open(address, 30);
    let ended = || stage.done.load(Ordering::SeqCst);
    wait_for("half time", || stage.middle.lock().unwrap().is_some() || ended());
    let (cursor, before) = stage.middle.lock().unwrap().clone().unwrap();
    let mut last = BTreeSet::new();
    let mut n = 0;
    loop {
        n += 1;
        let done = stage.done.load(Ordering::SeqCst);
        let mut follower = Follower::new(Some(cursor.clone()), n);
        while follower.read(&store) != Seen::Changes(0) {}
        check_order(&follower.changes, false);
        let batches = follower.batches();
        assert!(batches.is_superset(&last), "what was read is read again");
        assert!(batches.is_disjoint(&before), "what was before the middle is not read again");
        last = batches;
        if done {
            last.extend(before);
            return (last, n);
        }
    }
}

/// What was seen while processes stood still.
#[derive(Debug, Default)]
struct Count {
    stops: usize,
    /// Stops of a process that had nothing open, or had sent COMMIT already.
    misses: usize,
    /// Batches that were in the feed and not committed.
    batches: usize,
    /// Commits of the other process.
    passed: usize,
}

impl Count {
    /// Stops a process while one of its batches is in the feed and not committed, until hundreds of commits of the
    /// other one have passed and were read.
    fn stop(
        &mut self,
        watch: &mut Watch,
        stopped: &Process,
        other: &Process,
        stage: &Stage,
        dice: &mut Dice,
    ) {
        loop {
            let until = stopped.acknowledged() + 1 + dice.below(12);
            wait_for("a process to commit", || stopped.acknowledged() >= until);
            stopped.freeze();
            watch.settle(stopped);
            let caught = watch.open(stopped);
            if !caught.is_empty() && self.pass(watch, &caught, (stopped, other), stage) {
                return;
            }
            self.misses += 1;
            stopped.thaw();
        }
    }

    fn pass(
        &mut self,
        watch: &mut Watch,
        caught: &BTreeSet<u128>,
        (stopped, other): (&Process, &Process),
        stage: &Stage,
    ) -> bool {
        let (commits, seen) = (other.acknowledged(), stage.seen.load(Ordering::SeqCst));
        wait_for("hundreds of commits to pass, and to be read", || {
            let (commits, seen) = (commits + PASSING, seen + PASSING);
            other.acknowledged() >= commits && stage.seen.load(Ordering::SeqCst) >= seen
        });
        // For some COMMIT was under way, and the server had not begun it.
        let open_batches: BTreeSet<u128> = caught & &watch.open(stopped);
        if open_batches.is_empty() {
            return false;
        }
        self.passed += other.acknowledged() - commits;
        self.stops += 1;
        self.batches += open_batches.len();
        stopped.thaw();
        // The connections live: what was decided is committed.
        wait_for("what was held up to be acknowledged", || {
            stopped.heard(|said| open_batches.iter().all(|batch| said.acknowledged.contains_key(batch)))
        });
        true
    }
}

fn everything_once(setup: Setup, stops: usize) {
    let server = start(setup);
    let address = fresh(&server);
    drop(open(&address, 30));
    let directory = tempfile::tempdir().unwrap();
    let stop = directory.path().join("stop");
    let pair = processes(&server, &address, &stop, &[&SHARES, &SHARES], 30);
    let mut watch = Watch::new(&server, &address);
    let mut dice = Dice::new(99);
    let (stage, at_once, mut count) = (Stage::default(), AtomicBool::new(true), Count::default());
    let (first, late, (again, readings)) = std::thread::scope(|scope| {
        let ending = Ending(&stage);
        let first = scope.spawn(|| follow(&address, &stage, &at_once, 1, true));
        let late = scope.spawn(|| follow(&address, &stage, &stage.half, 2, false));
        let again = scope.spawn(|| reread(&address, &stage));
        while count.stops < stops {
            let n = count.stops % 2;
            count.stop(&mut watch, &pair[n], &pair[1 - n], &stage, &mut dice);
            stage.half.store(count.stops >= stops / 2, Ordering::SeqCst);
        }
        File::create(&stop).unwrap();
        let said: Vec<Said> = pair.into_iter().map(Process::end).collect();
        drop(ending);
        let out = (first.join().unwrap(), late.join().unwrap(), again.join().unwrap());
        check(&server, &address, &said, &out.0);
        assert!(said.iter().map(|said| said.refused.len()).sum::<usize>() > 2, "they met each other");
        out
    });
    let several = check_order(&first.changes, true);
    check_order(&late.changes, true);
    assert_eq!(late.batches(), first.batches(), "who came late");
    assert_eq!(again, first.batches(), "who reads from the middle");
    let changes = first.changes.len();
    say(&format!(
        "{count:?}, changes {changes}, of several streams {several}, readings from the middle {readings}"
    ));
    assert!(count.passed >= stops * PASSING && changes > count.passed && several > 300 && readings >= 3);
}

/// What was acknowledged is there, once; what was refused is not; and the feed has told all of it.
fn check(server: &Server, address: &str, said: &[Said], follower: &Follower) {
    let database = address.rsplit('/').next().unwrap();
    let found = block_on(async { Found::read(&mut connect(server, database).await).await });
    let acknowledged: Vec<&Plan> = said.iter().flat_map(|said| said.acknowledged.values()).collect();
    for plan in &acknowledged {
        assert!(found.holds(plan), "acknowledged, and not there as it was: {plan}");
    }
    let ids: BTreeSet<u128> = acknowledged.iter().map(|plan| plan.id).collect();
    assert_eq!(found.batches, ids, "what is there was acknowledged");
    let refused: usize = said.iter().map(|said| said.refused.len()).sum();
    assert!(said.iter().all(|said| said.refused.keys().all(|id| !found.batches.contains(id))));
    assert_eq!(follower.batches(), ids, "the feed tells all of it");
    say(&format!("acknowledged {}, refused {refused}", ids.len()));
}

#[test]
fn a_writer_that_stands_still_hides_nothing_from_who_follows() {
    everything_once(Setup::new(), STOPS);
}

#[test]
fn a_writer_that_stands_still_hides_nothing_where_the_server_has_a_binary_log() {
    let setup = Setup::new().option("log-bin").option("sync-binlog=1").option("binlog-format=ROW");
    everything_once(setup, LOGGED);
}

/// All of it, by pages of a size, in an order that agrees with each stream's versions.
fn check_pages(store: &dyn Store, count: usize) {
    for limit in (1..=50).chain([count - 1, count, count + 1, 1_000]) {
        let (mut after, mut changes) = (None, Vec::new());
        loop {
            let page = pollster::block_on(store.changes(&town(), after.as_ref(), limit as u32)).unwrap();
            if page.changes.is_empty() {
                break;
            }
            assert!(page.changes.len() <= limit);
            changes.extend(page.changes);
            after = Some(page.next);
        }
        check_order(&changes, true);
        assert_eq!(changes.len(), count, "pages of {limit}");
    }
}

/// As processes leave them that start and end: the feed's lanes, which are used alike otherwise, are of very different
/// lengths, one after the other.
const UNEVEN: &str = "
    CREATE TABLE uneven AS SELECT authority, new AS lane,
        ROW_NUMBER() OVER (PARTITION BY new ORDER BY height, lane) AS n, height, batch, mark, touched
        FROM (SELECT c.*, CASE WHEN height < 70 THEN 1 WHEN height < 110 THEN 0 ELSE 2 + height MOD 3 END AS new
              FROM grc_change c) c;
    DELETE FROM grc_change;
    INSERT INTO grc_change (authority, lane, n, height, batch, mark, touched)
        SELECT authority, lane, n, height, batch, mark, touched FROM uneven";

#[test]
fn pages_of_every_size_tell_the_same() {
    const COUNT: usize = 150;
    let address = fresh(shared());
    let store = open_relaxed(&address);
    let mut writer = Writer::new(&store, 1, 3, 5);
    for _ in 0..COUNT {
        let plan = writer.plan();
        assert_eq!(writer.settle(&plan, |_| ()), End::Acknowledged);
    }
    check_pages(&store, COUNT);
    run(shared(), &format!("USE {}; {UNEVEN}", address.rsplit('/').next().unwrap()));
    check_pages(&store, COUNT);
}

/// What a server that fell has lost is made here by hand: the last row of a lane goes, or another one takes its number.
#[test]
fn who_saw_what_is_gone_is_told_to_read_everything_again() {
    let last =
        "WHERE batch = (SELECT batch FROM (SELECT batch FROM grc_change ORDER BY height DESC LIMIT 1) l)";
    let goes = format!("DELETE FROM grc_change {last}");
    let another = format!("UPDATE grc_change SET batch = x'{:032x}', mark = '0000' {last}", 1);
    let and_more = format!(
        "{another}; INSERT INTO grc_change SELECT authority, lane, n + 1, height + 1, x'{:032x}', '0001', touched
         FROM grc_change {last}",
        2
    );
    for (lost, there) in [("DO 0", 100), (&goes, 99), (&another, 100), (&and_more, 101)] {
        let address = fresh(shared());
        let store = open_relaxed(&address);
        let mut writer = Writer::new(&store, 1, 0, 6);
        for _ in 0..100 {
            let plan = writer.plan();
            assert_eq!(writer.settle(&plan, |_| ()), End::Acknowledged);
        }
        let mut follower = Follower::new(None, 1);
        while follower.read(&store) != Seen::Changes(0) {}
        run(shared(), &format!("USE {}; {lost}", address.rsplit('/').next().unwrap()));
        let expected = if lost == "DO 0" { Seen::Changes(0) } else { Seen::Again };
        assert_eq!(follower.read(&store), expected, "{lost}");
        while follower.read(&store) != Seen::Changes(0) {}
        assert_eq!(follower.batches().len(), there, "{lost}");
    }
}

/// Stops a process while one of its writers has a batch open, until the server has given up its connections, and others
/// have written what it held.
#[test]
fn what_a_process_held_that_stands_still_is_free_after_a_while() {
    const PATIENCE: u64 = 2;
    let server = start(Setup::new());
    let address = fresh(&server);
    let store = open(&address, PATIENCE);
    let directory = tempfile::tempdir().unwrap();
    let stop = directory.path().join("stop");
    // One writes what others write too, one does not.
    let mut pair = processes(&server, &address, &stop, &[&[1, 0]], PATIENCE);
    let (mut watch, mut dice) = (Watch::new(&server, &address), Dice::new(7));
    let mut other = Writer::new(&store, 900, 1, 1);
    let mut outcome = Said::default();
    let (mut lost, mut repeated) = (0, 0);
    while lost < 2 || repeated < 2 {
        let process = &pair[0];
        let until = process.acknowledged() + 1 + dice.below(12);
        wait_for("the process to commit", || process.acknowledged() >= until);
        process.freeze();
        watch.settle(process);
        let open = watch.open(process);
        let theirs = open.iter().find_map(|batch| Some((*batch, watch.contended(*batch)?)));
        let own = open.iter().find(|batch| **batch >= Writer::first_id(process.role.first + 1)).copied();
        if !(theirs.is_some() && lost < 2 || own.is_some() && repeated < 2) {
            process.thaw();
            continue;
        }
        if let Some((_, (stream, before))) = theirs {
            let plan = Plan { streams: vec![(stream, before)], ..other.plan() };
            // Whoever waits for it is told to try again, until the server takes back what was not committed.
            if other.settle(&plan, |_| ()) == End::Acknowledged {
                outcome.acknowledged.insert(plan.id, plan);
            } else {
                // COMMIT was under way, and the server had not begun it.
                process.thaw();
                continue;
            }
        }
        wait_for("the server to take back what was not committed", || watch.open(process).is_empty());
        let committed = watch.committed(&open);
        process.thaw();
        if let Some((batch, _)) = theirs {
            wait_for("the process to be refused", || process.heard(|said| said.refused.contains_key(&batch)));
            lost += 1;
        }
        if let Some(batch) = own {
            let known = || process.heard(|said| said.acknowledged.contains_key(&batch));
            wait_for("the process to repeat its batch", known);
            repeated += usize::from(!committed.contains(&batch));
        }
    }
    File::create(&stop).unwrap();
    let said = [pair.remove(0).end(), outcome];
    let mut follower = Follower::new(None, 3);
    while follower.read(&store) != Seen::Changes(0) {}
    check_order(&follower.changes, true);
    check(&server, &address, &said, &follower);
    say(&format!("lost and refused {lost}, lost and repeated {repeated}, the others: {:?}", other.tally));
    assert_eq!(other.tally.acknowledged, lost, "the others got through");
}

/// A batch that may be applied again and again.
fn nothing_much(n: u128) -> Batch {
    let id = BatchId::from_uuid(Uuid::from_u128(n));
    let links = Step::DropLinks { stream: stream(n), prefix: "tracking".to_owned() };
    Batch::new(id, town(), Moment::from_micros(1)).with(links)
}

fn commit(store: &MysqlStore, n: u128) {
    pollster::block_on(store.commit(nothing_much(n))).unwrap();
}

/// A server falls and loses two rows of a lane. Another batch takes the number of the first, the second is repeated and
/// takes its own again.
#[test]
fn who_saw_a_row_whose_forerunner_is_gone_is_told_to_read_everything_again() {
    let address = fresh(shared());
    let store = open_relaxed(&address);
    let mut follower = Follower::new(None, 1);
    // One after the other in each lane.
    (1..=128).for_each(|n| commit(&store, n));
    while follower.read(&store) != Seen::Changes(0) {}
    let lost = "DELETE FROM grc_change WHERE batch IN (x'00000000000000000000000000000001',
                x'00000000000000000000000000000041')";
    run(shared(), &format!("USE {}; {lost}", address.rsplit('/').next().unwrap()));
    (129..=192).for_each(|n| commit(&store, n));
    commit(&store, 65);
    assert_eq!(follower.read(&store), Seen::Again);
    while follower.read(&store) != Seen::Changes(0) {}
    assert_eq!(follower.batches(), (2..=192).collect::<BTreeSet<u128>>());
}

/// While a page is read, the server falls, starts, and is written to: the first row was lost and stands elsewhere now, and
/// the second stands where the first stood.
#[test]
fn a_page_is_of_one_moment() {
    const READINGS: usize = 3_000;
    let address = fresh(shared());
    let store = open_relaxed(&address);
    let (first, second) = (
        Plan { id: 1, streams: vec![(7, 0)], beside: None },
        Plan { id: 2, streams: vec![(7, 1)], beside: None },
    );
    for plan in [&first, &second] {
        pollster::block_on(store.commit(plan.batch())).unwrap();
    }
    let place = |id: u8, lane: u8| format!("UPDATE grc_change SET lane = {lane} WHERE batch = x'{id:032x}'");
    let database = address.rsplit('/').next().unwrap();
    // Away from wherever the store has put them: that may be where the other one is to go.
    let away = "UPDATE grc_change SET lane = lane + 100";
    run(shared(), &format!("USE {database}; {away}; {}; {}", place(1, 0), place(2, 1)));
    let before = format!("START TRANSACTION; {}; {}; COMMIT", place(2, 1), place(1, 0));
    let after = format!("START TRANSACTION; {}; {}; COMMIT", place(1, 2), place(2, 0));
    let ended = AtomicBool::new(false);
    let (mut pages, turns) = (0, AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            block_on(async {
                let mut connection = connect(shared(), database).await;
                while !ended.load(Ordering::SeqCst) {
                    for text in [&after, &before] {
                        connection.execute(sqlx::raw_sql(AssertSqlSafe(text.as_str()))).await.unwrap();
                    }
                    turns.fetch_add(1, Ordering::SeqCst);
                }
            });
        });
        let read = || pollster::block_on(store.changes(&town(), None, 10)).unwrap().changes;
        let seen: Vec<_> = (0..READINGS).map(|_| read()).collect();
        ended.store(true, Ordering::SeqCst);
        for changes in &seen {
            let ids: Vec<u128> = changes.iter().map(|change| change.batch.uuid().as_u128()).collect();
            assert_eq!(ids, [1, 2], "page {pages}");
            pages += 1;
        }
    });
    say(&format!("pages {pages}, turns {}", turns.into_inner()));
}

/// One makes a stream while another, which began before, writes beside it and takes long: the feed never tells that it is
/// not there after it told that it is.
#[test]
fn a_stream_that_is_made_meanwhile_is_told_in_order() {
    const ROUNDS: u128 = 60;
    /// Streams that are never made, beside which is written too: each is looked for.
    const MORE: u128 = 40;
    let address = fresh(shared());
    let stores = [open_relaxed(&address), open_relaxed(&address)];
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        let (start, [makes, beside]) = (&start, &stores);
        scope.spawn(move || {
            let mut dice = Dice::new(1);
            for n in 1..=ROUNDS {
                let plan = Plan { id: 2 * n, streams: vec![(n, 0)], beside: None };
                start.wait();
                std::thread::sleep(Duration::from_millis(dice.below(40) as u64));
                pollster::block_on((makes as &dyn Store).commit(plan.batch())).unwrap();
            }
        });
        scope.spawn(move || {
            for n in 1..=ROUNDS {
                let mut batch = Plan { id: 2 * n + 1, streams: Vec::new(), beside: Some(n) }.batch();
                for more in 1..=MORE {
                    let values = vec![IndexValue::Number(1)];
                    batch.push(Step::PutIndex {
                        stream: stream((1 << 100) + more),
                        field: word("last"),
                        values,
                    });
                }
                start.wait();
                pollster::block_on((beside as &dyn Store).commit(batch)).unwrap();
            }
        });
    });
    let mut follower = Follower::new(None, 1);
    while follower.read(&stores[0]) != Seen::Changes(0) {}
    let absent = |change: &Change| {
        change.touched.iter().any(|one| matches!(one, Touched::Stream(key, 0) if key.id.as_u128() <= ROUNDS))
    };
    let before = follower.changes.iter().filter(|change| absent(change)).count();
    say(&format!("rounds {ROUNDS}, {before} of them before the stream was there"));
    check_order(&follower.changes, true);
    assert_eq!(follower.changes.len() as u128, 2 * ROUNDS);
}
