//! The outbox on SQLite: workers that are processes, killed with SIGKILL while they hand messages over to a directory.
//!
//! A child (this program again) works with a transport that notes each hand-over in a log, before and after, puts the
//! message into a directory, and lies, refuses or hangs now and then. The parent kills it a moment after some hand-over
//! has begun, two at once in every third round, and moves the clock past their leases.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[expect(dead_code, reason = "the crash test uses the rest")]
mod support;

use async_trait::async_trait;
use grc_core::{
    Actor, Authority, Budget, Clock, Definition, Grc, Intake, ManualClock, Moment, Party, RequestId, Stores,
    SystemEntropy, Word,
    conformance::Dice,
    engine::{Delivery, Outgoing, Transport},
    request::{Command, Fire},
    storage::{Fact, Load, Parts, Store, StreamKey},
    transport::FileDrop,
};
use grc_sqlite::Options;
use pollster::block_on;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use support::{another, elapsed, role, say};

const TOWN: &str = "ville";
/// Rounds, each of which ends in one kill, or in two.
const ROUNDS: u64 = 60;

fn definition() -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions/messages.toml");
    let text = std::fs::read_to_string(path).unwrap();
    Definition::from_files([("ville.toml", text)]).unwrap_or_else(|error| panic!("{error}"))
}

async fn town(directory: &Path, clock: &Arc<ManualClock>) -> (Authority, Arc<dyn Store>) {
    let opened = Options::new().create(true).open(directory.join("town.db")).unwrap();
    let stores: Stores = opened.into();
    let store = Arc::clone(&stores.store);
    let shown: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    let grc = Grc::with(stores, shown, Arc::new(SystemEntropy)).await.unwrap();
    (grc.authority(TOWN).unwrap(), store)
}

/// The way out of one process.
#[derive(Debug)]
struct Noted {
    life: u64,
    log: PathBuf,
    drop: FileDrop,
    store: Arc<dyn Store>,
    count: AtomicU64,
    /// Whether it lies, refuses and hangs.
    wild: bool,
    /// Whether another may forget a request in the very moment of its hand-over.
    alone: bool,
}

impl Noted {
    fn new(directory: &Path, clock: &Arc<ManualClock>, store: Arc<dyn Store>, life: u64) -> Self {
        let shown: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
        let drop =
            FileDrop::new(directory.join("out"), "mairie@ville.example", shown, Arc::new(SystemEntropy));
        let (log, count) = (directory.join("log"), AtomicU64::new(0));
        Self { life, log, drop, store, count, wild: true, alone: true }
    }

    /// One line, in one write: it is there whatever is killed after it.
    fn note(&self, line: &str) {
        let mut log = OpenOptions::new().append(true).create(true).open(&self.log).unwrap();
        log.write_all(format!("{}\t{line}\n", self.life).as_bytes()).unwrap();
    }

    async fn is_forgotten(&self, key: &str) -> bool {
        let id = key.split('/').next().unwrap().parse().unwrap();
        let authority = Word::new(TOWN).unwrap();
        let stream = StreamKey::new(authority.clone(), Word::new("request").unwrap(), id);
        let load = Load { authority, streams: vec![stream], parts: Parts::None, receipt: None };
        let row = self.store.load(&load).await.unwrap().streams.pop().flatten().unwrap().row;
        row.facts.integer(Fact::Anonymised).is_some()
    }
}

#[async_trait]
impl Transport for Noted {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        let n = self.count.fetch_add(1, Ordering::SeqCst);
        if self.alone && self.is_forgotten(&outgoing.key).await {
            self.note(&format!("forgotten\t{}", outgoing.key));
        }
        self.note(&format!("begin\t{}\t{}", outgoing.key, outgoing.channel));
        say("begin");
        let roll = if self.wild { Dice::new((self.life << 24) + n).below(100) } else { 99 };
        if roll < 10 {
            self.note(&format!("refused\t{}", outgoing.key));
            return Delivery::Refused("refused");
        }
        if roll < 18 {
            return Delivery::LaterIn(60, "busy");
        }
        let given = self.drop.deliver(outgoing).await;
        if given != Delivery::Sent {
            return given;
        }
        self.note(&format!("taken\t{}", outgoing.key));
        match roll {
            18..28 => Delivery::Later("timeout"),
            28..31 => {
                say("hang");
                loop {
                    std::thread::sleep(Duration::from_secs(1));
                }
            }
            _ => {
                self.note(&format!("told\t{}", outgoing.key));
                Delivery::Sent
            }
        }
    }
}

/// What a child does: works until it is killed.
#[test]
fn child() {
    let Some(role) = role() else { return };
    let [directory, life, now, alone] = &role[..] else { panic!("{role:?}") };
    let directory = Path::new(directory);
    let clock = Arc::new(ManualClock::at(Moment::from_micros(now.parse().unwrap())));
    block_on(async {
        let (town, store) = town(directory, &clock).await;
        let mut out = Noted::new(directory, &clock, store, life.parse().unwrap());
        out.alone = alone == "alone";
        loop {
            // Two at once see the same time pass, and slowly: neither outlasts the other's lease.
            clock.set(clock.now().plus_millis(50));
            town.host("facteur").work(Some(&out), Budget::ALL).await.unwrap();
            std::thread::sleep(Duration::from_millis(2));
            say("round");
        }
    });
}

struct Scene {
    directory: tempfile::TempDir,
    clock: Arc<ManualClock>,
    town: Authority,
    store: Arc<dyn Store>,
    dice: Dice,
    requests: Vec<RequestId>,
    lives: u64,
    killed: BTreeSet<u64>,
}

impl Scene {
    async fn people(&mut self, count: usize) {
        let desk = self.town.session(Actor::agent("a-1"));
        for _ in 0..count {
            let party = Party::named("Anne", "Le Gall").email("anne@example.org");
            let party = match self.dice.below(3) {
                0 => party.phone("06 39 98 12 34").answer_by("sms"),
                1 => party.address("12 rue des Lilas", "35000", "Rennes"),
                _ => party,
            };
            let id = desk.submit(Intake::new("signalement", "web").party(party)).await.unwrap().id();
            desk.act_on(id, None, Command::tell("On s'en occupe.")).await.unwrap();
            if self.dice.once_in(2) {
                let fire = Fire::new("finir").outcome("fait").message("Merci.");
                desk.act_on(id, None, fire).await.unwrap();
            }
            self.requests.push(id);
        }
    }

    fn start(&mut self, alone: bool) -> (u64, Child) {
        self.lives += 1;
        let alone = if alone { "alone" } else { "two" };
        let directory = self.directory.path().display().to_string();
        let now = self.clock.now().micros().to_string();
        let child = another(&[&directory, &self.lives.to_string(), &now, alone])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        (self.lives, child)
    }

    /// Kills a process a moment after a hand-over has begun, or when it has none for long.
    fn kill(&mut self, life: u64, mut child: Child) {
        let (after, moment) = (1 + self.dice.below(6), self.dice.below(3_000) as u64);
        let (mut begun, mut idle) = (0, 0);
        // Kept open until the kill: it must not die of anything else.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        for line in lines.by_ref() {
            match line.as_str() {
                "begin" => (begun, idle) = (begun + 1, 0),
                "round" => idle += 1,
                "hang" => idle = 100,
                _ => continue,
            }
            if begun >= after || idle > 20 {
                break;
            }
        }
        let until = elapsed() + Duration::from_micros(moment);
        while elapsed() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        drop(lines);
        self.killed.insert(life);
    }

    fn advance(&mut self, millis: i64) {
        self.clock.set(self.clock.now().plus_millis(millis));
    }
}

#[test]
fn every_message_arrives_however_often_its_worker_is_killed() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("out")).unwrap();
        File::create(directory.path().join("log")).unwrap();
        let now: chrono::DateTime<chrono::Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(now.into()));
        let (town, store) = town(directory.path(), &clock).await;
        town.host("essai").publish(&definition()).await.unwrap();
        let (requests, killed) = (Vec::new(), BTreeSet::new());
        let mut scene =
            Scene { directory, clock, town, store, dice: Dice::new(7), requests, lives: 0, killed };
        for round in 0..ROUNDS {
            scene.people(5).await;
            let two = round % 3 == 2;
            let children: Vec<(u64, Child)> = (0..=u64::from(two)).map(|_| scene.start(!two)).collect();
            for (life, child) in children {
                scene.kill(life, child);
            }
            // Past every lease; and past the retention of what was closed, twice, where one works alone.
            scene.advance(6 * 60_000);
            if round % 18 == 9 {
                scene.advance(31 * 86_400_000);
            }
        }
        scene.lives += 1;
        let mut calm =
            Noted::new(scene.directory.path(), &scene.clock, Arc::clone(&scene.store), scene.lives);
        calm.wild = false;
        for _ in 0..40 {
            scene.advance(13 * 3_600_000);
            scene.town.host("facteur").work(Some(&calm), Budget::ALL).await.unwrap();
        }
        check(&scene).await;
    });
}

async fn check(scene: &Scene) {
    let log = std::fs::read_to_string(scene.directory.path().join("log")).unwrap();
    let lines: Vec<Vec<&str>> = log.lines().map(|line| line.split('\t').collect()).collect();
    assert!(lines.iter().all(|line| line[1] != "forgotten"), "handed over when it was forgotten");
    let files: BTreeSet<String> = std::fs::read_dir(scene.directory.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .map(|name| name.split('.').next().unwrap().to_owned())
        .collect();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut count = |what| *counts.entry(what).or_default() += 1;
    let desk = scene.town.session(Actor::agent("a-1"));
    for id in &scene.requests {
        let seen = desk.open(*id).await.unwrap();
        count(if seen.anonymised_at().is_some() { "forgotten" } else { "kept" });
        for message in seen.messages() {
            count("messages");
            let name = format!("{id}-{}", message.seq);
            let arrived = files.iter().any(|file| *file == name || file.starts_with(&format!("{name}-")));
            match message.status.as_ref().map_or("none", Word::as_str) {
                "sent" => assert!(arrived, "{name} never arrived"),
                "dead" => count("dead"),
                other => panic!("{name} is stuck as {other}"),
            }
        }
        assert_eq!(scene.town.host("essai").verify(*id).await.unwrap().problems, Vec::<String>::new());
    }
    // What was taken, in the order in which it first was: a life that was killed may not have known.
    let mut taken: BTreeMap<&str, u64> = BTreeMap::new();
    let mut told: BTreeSet<(&str, u64)> = BTreeSet::new();
    let mut last: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut channels: BTreeMap<&str, &str> = BTreeMap::new();
    for line in &lines {
        let (life, key): (u64, &str) = (line[0].parse().unwrap(), line[2]);
        match line[1] {
            "begin" => {
                count("hand-overs");
                channels.insert(key, line[3]);
            }
            "told" => {
                told.insert((key, life));
            }
            "taken" => {
                if let Some(before) = taken.insert(key, life) {
                    count("duplicates");
                    let known = told.contains(&(key, before)) && !scene.killed.contains(&before);
                    assert!(!known, "{key} was handed over again although its answer was written");
                    continue;
                }
                let mut parts = key.split('/');
                let (request, message) = (parts.next().unwrap(), parts.next().unwrap().parse().unwrap());
                if parts.next().is_none() {
                    let last = last.entry((request, channels[key])).or_default();
                    assert!(*last < message, "{key} came after {last}");
                    *last = message;
                }
            }
            _ => {}
        }
    }
    let named: BTreeSet<String> = taken.keys().map(|key| key.replace('/', "-")).collect();
    let missing: Vec<&String> = named.difference(&files).collect();
    // The same message twice is one file.
    let besides: Vec<&String> = files.difference(&named).collect();
    assert!(missing.is_empty(), "no file is there for {missing:?}");
    // Whoever was killed between the file's name and the note of it left a file that nobody speaks of.
    let cut: BTreeSet<String> = lines
        .iter()
        .filter(|line| line[1] == "begin" && scene.killed.contains(&line[0].parse().unwrap()))
        .map(|line| line[2].replace('/', "-"))
        .collect();
    assert!(besides.iter().all(|file| cut.contains(*file)), "nobody took {besides:?}");
    counts.insert("kills", scene.killed.len() as u64);
    say(&format!("{counts:#?}"));
    for (what, least) in
        [("kills", ROUNDS), ("messages", 300), ("hand-overs", 400), ("duplicates", 15), ("forgotten", 30)]
    {
        assert!(counts.get(what).copied().unwrap_or_default() >= least, "{what}: {counts:?}");
    }
}
