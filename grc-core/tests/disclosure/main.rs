//! What an actor gets never depends on values that they may not read and that the definition does not declare disclosed:
//! the same happens in two worlds, which differ in such values only, and whoever may not read them is answered the same in
//! both, whatever they ask for and try to do.
//!
//! Not varied, since they are facts and show: whether and by which channel a requester can be reached, or a text goes; how
//! many values a request has, by which `slot.N` names them to who may erase; how many events there were, that of an erasure
//! too; that a source key was used before, to who uses it again.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test: what fails here is a failed test, and it says what it covered"
)]

mod answers;
mod questions;
mod script;
mod secrets;
mod tries;
mod turns;
mod world;

use answers::Counts;
use grc_core::{Actor, Session, conformance::Dice, storage::Touched};
use pollster::block_on;
use secrets::{Kept, Other, Secrets};
use world::{Case, World};

const STEPS: usize = 96;
/// After how many steps everything is asked.
const OFTEN: usize = 24;

/// How often each kind of question must have been answered to who may not read what differs, and how often refused.
const FLOORS: &[(&str, u64, u64)] = &[
    ("behind a figure", 2_000, 500),
    ("command", 150, 1_500),
    ("feed", 1_000, 0),
    ("figures", 1_500, 6_000),
    ("figures of some", 150, 2_000),
    ("file", 5, 500),
    ("follow", 40, 30),
    ("forms", 80, 0),
    ("history", 250, 800),
    ("intervention", 80, 250),
    ("list", 600, 80),
    ("list by a fact", 2_500, 30),
    ("list by a field", 900, 8_000),
    ("list of interventions", 1_200, 2_000),
    ("name of an agent", 30, 40),
    ("open", 250, 800),
    ("person", 1_500, 2_500),
    ("plan", 0, 30),
    ("store a file", 25, 4),
    ("submit", 0, 80),
    ("work", 20, 400),
    ("work order", 80, 250),
];

/// What who may read everything is told otherwise in the two worlds: so all of these would show it.
const SEEN: &[&str] = &[
    "behind a figure",
    "figures",
    "figures of some",
    "file",
    "history",
    "intervention",
    "list",
    "list by a fact",
    "list by a field",
    "open",
    "person",
    "work order",
];

/// Two worlds, and what was found of them.
struct Twins {
    worlds: [World; 2],
    seed: u64,
    /// Of those who may not read what differs.
    blind: Counts,
    /// Of somebody who may.
    reader: Counts,
    /// What those who may not read it were told otherwise.
    leaks: Vec<String>,
    steps: u64,
}

/// Somebody who may not read what differs.
struct Blind {
    name: String,
    actor: Actor,
    /// Whether they see something at all: the others are asked once, and try less.
    sees: bool,
    /// The request whose code they hold.
    own: Option<Case>,
}

impl Blind {
    fn agent(id: &str, sees: bool) -> Self {
        Self { name: id.to_owned(), actor: Actor::agent(id), sees, own: None }
    }

    fn holder(case: &Case) -> Self {
        let (name, actor) = (format!("holder of {}", case.id), Actor::holder(case.code.clone()));
        Self { name, actor, sees: true, own: Some(case.clone()) }
    }

    fn all(kept: Kept, cases: &[Case]) -> Vec<Self> {
        let mut out =
            vec![Self { name: "somebody".to_owned(), actor: Actor::citizen(), sees: false, own: None }];
        if kept == Kept::FromRequesters {
            let first = cases.len().saturating_sub(5);
            out.extend(cases.iter().take(1.min(first)).chain(&cases[first..]).map(Self::holder));
            return out;
        }
        out.extend(["a-4", "a-6", "a-7"].map(|id| Self::agent(id, true)));
        out.extend(["a-5", "a-8", "a-99"].map(|id| Self::agent(id, false)));
        let from_elsewhere = Actor::agent("x-1").role("veille").role("chiffres");
        out.push(Self { actor: from_elsewhere, ..Self::agent("x-1", true) });
        out
    }
}

impl Twins {
    async fn open(seed: u64, kept: Kept, other: Other) -> Self {
        let world = async |second| World::open(Secrets { second, kept, other }).await;
        let worlds = [world(false).await, world(true).await];
        let (blind, reader, leaks) = (Counts::default(), Counts::default(), Vec::new());
        Self { worlds, seed, blind, reader, leaks, steps: 0 }
    }

    /// Whatever is drawn from now on is the same in both.
    fn begin(&self, turn: u64) {
        for world in &self.worlds {
            world.entropy.begin(self.seed.wrapping_mul(1_000_003).wrapping_add(turn));
        }
    }

    async fn run(&mut self) {
        let kept = self.worlds[0].secrets.kept;
        for n in 0..STEPS {
            self.begin(n as u64);
            let dice = Dice::new(self.seed.wrapping_mul(7_919).wrapping_add(n as u64));
            let [one, two] = &mut self.worlds;
            let outcomes = [script::step(one, n, dice.clone()).await, script::step(two, n, dice).await];
            assert_eq!(
                outcomes[0],
                outcomes[1],
                "the same is done in both worlds, at step {n}: {}",
                self.found()
            );
            let known = [one.known.clone(), two.known.clone()];
            assert_eq!(known[0], known[1], "and makes the same, at step {n}: {}", self.found());
            self.steps += u64::from(!outcomes[0].is_empty());
            if n % OFTEN == OFTEN - 1 {
                self.ask(n, kept).await;
            }
        }
        self.feed().await;
    }

    /// What shows, the first of it in full.
    fn found(&self) -> String {
        let first = self.leaks.first().map_or("", String::as_str);
        format!("{} times something shows. The first:\n{first}", self.leaks.len())
    }

    /// Everybody asks everything, and then some try everything.
    async fn ask(&mut self, n: usize, kept: Kept) {
        let cases = self.worlds[0].known.cases.clone();
        let round = n / OFTEN;
        let people = Blind::all(kept, &cases);
        for (index, who) in people.iter().enumerate().filter(|(index, who)| who.sees || *index == round) {
            let [one, two] = self.asked(&who.actor, 1_000_000 + (n * 100 + index) as u64).await;
            let differs = self.blind.compare(&one, &two);
            self.leaks
                .extend(differs.into_iter().map(|differs| format!("step {n}, {}, {differs}", who.name)));
        }
        let [one, two] = self.asked(&Actor::agent("a-1"), 2_000_000 + n as u64).await;
        self.reader.compare(&one, &two);
        if kept == Kept::Disclosed || cases.is_empty() {
            return;
        }
        for (index, who) in people.iter().enumerate() {
            let in_turn = index == round || index == people.len() - 1 - round % 2;
            if in_turn || who.name == "a-6" {
                self.attempt(n, index, who, &cases).await;
            }
        }
    }

    async fn attempt(&mut self, n: usize, index: usize, who: &Blind, cases: &[Case]) {
        let turn = 3_000_000 + (n * 100 + index) as u64;
        let mut dice = Dice::new(self.seed ^ turn);
        // One of the last that they see, if they see any.
        let seen: Vec<&Case> = cases.iter().rev().filter(|case| case.is_seen).take(4).collect();
        let other = &cases[dice.below(cases.len())];
        let case = who.own.as_ref().or(dice.pick(&seen).copied()).filter(|_| who.sees).unwrap_or(other);
        let mut both = Vec::new();
        self.begin(turn);
        for world in &self.worlds {
            let session: Session = world.town.session(who.actor.clone());
            both.push(tries::attempt(world, &session, case, n, &mut dice.clone()).await);
        }
        let differs = self.blind.compare(&both[0], &both[1]);
        self.leaks
            .extend(differs.into_iter().map(|differs| format!("step {n}, {} tries, {differs}", who.name)));
    }

    async fn asked(&self, actor: &Actor, turn: u64) -> [answers::Answers; 2] {
        self.begin(turn);
        let dice = || Dice::new(self.seed ^ turn);
        let [one, two] = &self.worlds;
        let sessions = [one.town.session(actor.clone()), two.town.session(actor.clone())];
        [
            questions::ask(one, &sessions[0], &mut dice()).await,
            questions::ask(two, &sessions[1], &mut dice()).await,
        ]
    }

    /// The feed tells what was written and not what it says, but for keyed tokens: links and receipts are passed over, and
    /// all of it where one of the worlds has fewer values, since it names parts of vaults.
    async fn feed(&mut self) {
        if self.worlds[0].secrets.other == Other::Absent {
            return;
        }
        let mut both = Vec::new();
        for world in &self.worlds {
            let mut answers = answers::Answers::default();
            let mut after = None;
            loop {
                let page = world.town.host("suiveur").changes(after.as_ref(), 100).await.unwrap();
                if page.changes.is_empty() {
                    break;
                }
                for change in page.changes {
                    let touched = change.touched.into_iter();
                    let touched: Vec<Touched> = touched
                        .filter(|touched| !matches!(touched, Touched::Link(_) | Touched::Receipt(_)))
                        .collect();
                    answers.note("feed", change.batch.to_string(), &Ok(touched));
                }
                after = Some(page.next);
            }
            both.push(answers);
        }
        let differs = self.blind.compare(&both[0], &both[1]);
        self.leaks.extend(differs.into_iter().map(|differs| format!("the feed:\n{differs}")));
    }
}

fn run(seed: u64, kept: Kept, other: Other) -> Twins {
    block_on(async {
        let mut twins = Twins::open(seed, kept, other).await;
        twins.run().await;
        twins
    })
}

fn print(title: &str, counts: &Counts) {
    println!("{title:<24} {:>9} {:>9} {:>9}", "answers", "refused", "differ");
    for (kind, count) in &counts.0 {
        println!("  {kind:<22} {:>9} {:>9} {:>9}", count.answers, count.refused, count.differ);
    }
    let sum = counts.sum();
    println!("  {:<22} {:>9} {:>9} {:>9}", "in all", sum.answers, sum.refused, sum.differ);
}

/// The runs of these, at once.
fn run_all(runs: &[(u64, Kept, Other)]) -> Vec<Twins> {
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            runs.iter().map(|(seed, kept, other)| scope.spawn(|| run(*seed, *kept, *other))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

#[test]
fn what_somebody_may_not_read_changes_nothing_of_what_they_get() {
    let (mut blind, mut reader, mut steps) = (Counts::default(), Counts::default(), 0);
    let mut leaks = Vec::new();
    for twins in run_all(&[
        (1, Kept::FromAgents, Other::AsLong),
        (2, Kept::FromAgents, Other::Longer),
        (3, Kept::FromAgents, Other::Absent),
        (4, Kept::FromRequesters, Other::AsLong),
        (5, Kept::FromRequesters, Other::Longer),
        (6, Kept::FromRequesters, Other::Absent),
    ]) {
        blind.add(&twins.blind);
        reader.add(&twins.reader);
        steps += twins.steps;
        leaks.extend(twins.leaks.iter().map(|leak| format!("{:?}, {leak}", twins.worlds[0].secrets)));
    }
    println!("{steps} steps in two worlds");
    print("who may not read it", &blind);
    print("who may", &reader);
    for leak in leaks.iter().take(20) {
        println!("{leak}");
    }
    assert!(leaks.is_empty(), "{} times something shows", leaks.len());
    assert!(steps > 400, "{steps} steps only");
    for (kind, given, refused) in FLOORS {
        let count = blind.0.get(kind).copied().unwrap_or_default();
        let enough = count.answers - count.refused >= *given && count.refused >= *refused;
        assert!(enough, "`{kind}`: {given} given and {refused} refused are wanted, and it is {count:?}");
    }
    for kind in SEEN {
        let count = reader.0.get(kind).copied().unwrap_or_default();
        assert!(count.differ > 0, "`{kind}` tells nobody what differs");
    }
}

/// What a definition says that a button gives away is given away, by the button: the worlds do differ, and nothing else
/// shows it.
#[test]
fn what_is_declared_disclosed_shows_where_it_is_declared_and_nowhere_else() {
    let mut blind = Counts::default();
    for twins in run_all(&[11, 12].map(|seed| (seed, Kept::Disclosed, Other::AsLong))) {
        blind.add(&twins.blind);
    }
    print("who may not read it", &blind);
    for (kind, count) in &blind.0 {
        let shows = count.differ > 0;
        assert_eq!(shows, *kind == "open", "`{kind}` differs {} times", count.differ);
    }
}
