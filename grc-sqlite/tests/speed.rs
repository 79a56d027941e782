//! How fast it is, and how many pages a commit writes. Run by hand:
//! `cargo test --release -p grc-sqlite --test speed -- --ignored --nocapture`
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use grc_core::{
    BatchId, Condition, Entropy, KeyId, Moment, SeededEntropy, TaskId, Word,
    condition::Var,
    storage::{
        Batch, Expect, Fact, FactValue, Facts, IndexValue, Link, LinkKey, Query, ReceiptRow, Step, Store,
        StoredEvent, StreamKey, StreamRow, Task,
    },
};
use grc_sqlite::{Durability, Options, SqliteStore};
use pollster::block_on;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "it measures")]
fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Ids that grow, with a random rest, as the engine makes them.
fn id(n: u64, entropy: &SeededEntropy) -> Uuid {
    let mut random = [0; 10];
    entropy.fill(&mut random).unwrap();
    uuid::Builder::from_unix_timestamp_millis(1_800_000_000_000 + n, &random).into_uuid()
}

fn row(key: StreamKey, n: u64, version: u64) -> StreamRow {
    let mut facts = Facts::new();
    let moment = i64::try_from(n).unwrap() * 1_000;
    for (fact, value) in [
        (Fact::Type, "pothole"),
        (Fact::Family, "roads"),
        (Fact::Service, ["roads", "water", "parks"].get(usize::try_from(n % 3).unwrap()).unwrap()),
        (Fact::State, if version == 1 { "new" } else { "taken" }),
        (Fact::Phase, "open"),
        (Fact::Channel, "web"),
        (Fact::Zone, "centre"),
    ] {
        facts.set(fact, Some(FactValue::Word(word(value))));
    }
    for fact in [Fact::Opened, Fact::Target, Fact::Updated] {
        facts.set(fact, Some(FactValue::Integer(moment)));
    }
    facts.set(Fact::Procedure, Some(FactValue::Integer(3)));
    StreamRow {
        birth: key.authority.clone(),
        key,
        version,
        fold: 1,
        head: [9; 32],
        facts,
        body: vec![b'x'; 900],
    }
}

/// About what taking in a request writes.
fn intake(n: u64, entropy: &SeededEntropy) -> Batch {
    let town = word("rennes");
    let stream = StreamKey::new(town.clone(), word("request"), id(n, entropy));
    let batch = Batch::new(BatchId::from_uuid(id(n, entropy)), town.clone(), Moment::EPOCH);
    let mut random = [0; 48];
    entropy.fill(&mut random).unwrap();
    let (token, rest) = random.split_first_chunk::<16>().unwrap();
    let link = |kind: &str, key: &[u8], unique| {
        Step::PutLink(Link {
            key: LinkKey { kind: word(kind), key: key.to_vec() },
            stream: stream.clone(),
            unique,
        })
    };
    let task = |queue: &str, kind: &str, due: i64| {
        Step::Schedule(Task {
            id: TaskId::from_uuid(id(n, entropy)),
            queue: format!("request.{}.{queue}", stream.id),
            order: 1,
            kind: word(kind),
            stream: stream.clone(),
            due: Moment::from_micros(i64::try_from(n).unwrap() * 1_000 + due),
            attempts: 0,
            lease: 0,
            leased_until: Moment::EPOCH,
            dead: false,
            code: None,
            body: vec![b'x'; 60],
        })
    };
    let event = StoredEvent { sequence: 1, batch: batch.id(), head: [8; 32], body: vec![b'x'; 1_100] };
    batch
        .with(Step::Current { kind: word("organisation"), name: word("main"), version: 0 })
        .with(Step::PutStream { row: row(stream.clone(), n, 1), expect: Expect::Absent })
        .with(Step::Append { stream: stream.clone(), after: 0, events: vec![event] })
        .with(Step::PutVault { stream: stream.clone(), part: 0, bytes: vec![1; 620] })
        .with(Step::PutVault { stream: stream.clone(), part: 1, bytes: vec![2; 550] })
        .with(Step::PutMeasure { stream: stream.clone(), bytes: vec![3; 160] })
        .with(Step::PutIndex {
            stream: stream.clone(),
            field: word("size"),
            values: vec![IndexValue::Number(5)],
        })
        .with(link("tracking", token, true))
        .with(link("contact.2027-01.1", rest.split_at(16).0, false))
        .with(task("acknowledge", "deliver", 0))
        .with(task("timer", "remind", 10_000_000))
        .with(Step::PutReceipt(ReceiptRow {
            token: *token,
            mac: [4; 32],
            key: KeyId::from_uuid(stream.id),
            stream: stream.clone(),
            version: 1,
            expires: Moment::from_micros(i64::MAX),
        }))
}

fn store(durability: Durability) -> (tempfile::TempDir, std::sync::Arc<SqliteStore>) {
    let directory = tempfile::tempdir().unwrap();
    let options = Options::new().create(true).test(true).durability(durability);
    let store = options.open(directory.path().join("town.db")).unwrap().store;
    (directory, store)
}

#[test]
#[ignore = "a measure"]
fn intakes() {
    const EACH: u64 = 1_600;
    for durability in [Durability::Full, Durability::Relaxed] {
        for callers in [1, 4, 16] {
            let (directory, store) = store(durability);
            let batches: Vec<Vec<Batch>> = (0..callers)
                .map(|caller| {
                    let entropy = SeededEntropy::new(caller);
                    (0..EACH / callers).map(|n| intake(n * callers + caller, &entropy)).collect()
                })
                .collect();
            let took = timed(|| {
                std::thread::scope(|scope| {
                    for batches in batches {
                        let store = &store;
                        scope.spawn(move || {
                            for batch in batches {
                                block_on(store.commit(batch)).unwrap();
                            }
                        });
                    }
                });
            });
            store.close();
            let bytes = directory.path().join("town.db").metadata().unwrap().len();
            println!(
                "{durability:?}, {callers:>2} callers: {:.0} intakes/s, {} bytes a request",
                EACH as f64 / took.as_secs_f64(),
                bytes / EACH
            );
        }
    }
}

#[test]
#[ignore = "a measure"]
fn pages() {
    // Each frame of the log is a page that a commit wrote.
    let (directory, store) = store(Durability::Relaxed);
    let entropy = SeededEntropy::new(1);
    let frames = || directory.path().join("town.db-wal").metadata().unwrap().len() / 4_120;
    for n in 0..2_000 {
        block_on(store.commit(intake(n, &entropy))).unwrap();
    }
    let measure = |what: &str, count: u64, batches: Vec<Batch>| {
        block_on(store.scrub()).unwrap();
        let before = frames();
        for batch in batches {
            block_on(store.commit(batch)).unwrap();
        }
        println!("{what}: {:.1} pages each", (frames() - before) as f64 / count as f64);
    };
    let intakes: Vec<Batch> = (2_000..2_100).map(|n| intake(n, &entropy)).collect();
    let keys: Vec<StreamKey> = intakes
        .iter()
        .flat_map(Batch::steps)
        .filter_map(|step| if let Step::PutStream { row, .. } = step { Some(row.key.clone()) } else { None })
        .collect();
    measure("intake", 100, intakes);
    let moves = keys
        .iter()
        .zip(2_000..)
        .map(|(key, n)| {
            let batch = Batch::new(BatchId::from_uuid(id(n, &entropy)), key.authority.clone(), Moment::EPOCH);
            let event = StoredEvent { sequence: 2, batch: batch.id(), head: [8; 32], body: vec![b'x'; 280] };
            batch
                .with(Step::PutStream { row: row(key.clone(), n, 2), expect: Expect::Version(1) })
                .with(Step::Append { stream: key.clone(), after: 1, events: vec![event] })
                .with(Step::PutMeasure { stream: key.clone(), bytes: vec![3; 180] })
        })
        .collect();
    measure("transition", 100, moves);
}

#[test]
#[ignore = "a measure"]
fn lists() {
    let (_directory, store) = store(Durability::Relaxed);
    let entropy = SeededEntropy::new(1);
    for n in 0..20_000 {
        block_on(store.commit(intake(n, &entropy))).unwrap();
    }
    let among = |fact, words: &[&str]| {
        Condition::among(fact, &words.iter().map(|text| word(text)).collect::<Vec<_>>())
    };
    for (what, filter) in [
        ("all", Condition::Constant(true)),
        ("one desk", Condition::is(Fact::Service, "roads").and(Condition::is(Fact::State, "new"))),
        ("two services, any state", among(Fact::Service, &["roads", "water"])),
        ("a state that nothing has, any service", Condition::is(Fact::State, "lost")),
        ("an agent who has nothing open", {
            let open = Condition::Not(Box::new(Condition::Present(Var::Fact(Fact::Closed))));
            Condition::All(vec![Condition::is(Fact::Agent, "nobody"), open])
        }),
    ] {
        let mut query = Query::new(word("rennes"), word("request"));
        query.filter = filter;
        query.parts = [0].into();
        let mut rows = 0;
        let took = timed(|| {
            for _ in 0..100 {
                rows = block_on(store.query(&query)).unwrap().rows.len();
            }
        });
        println!("{what}: {rows} rows in {:.0} µs", took.as_secs_f64() * 10_000.0);
    }
}
