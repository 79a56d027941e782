//! One run from a seed: what happens, in which order, and what goes wrong; then peace, and what must hold.

use crate::{
    check,
    errand::{self, DEFINITIONS, Errand},
    ledger::Known,
    mutant::Mutant,
    process::{Places, Process},
    world::World,
};
use grc_core::{Authority, Moment};
use pollster::block_on;
use std::{collections::BTreeMap, sync::Arc};

/// How long a run is, in moments at which somebody goes on.
const STEPS: u64 = 3_600;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Nights in which a clock changes in Paris, ends of months and of a February that has 29 days; and a day like others.
const BEGINS: [&str; 6] = [
    "2026-11-24T09:00:00Z",
    "2026-10-24T23:30:00Z",
    "2027-03-27T23:40:00Z",
    "2026-12-31T22:30:00Z",
    "2028-02-29T22:00:00Z",
    "2026-05-31T21:30:00Z",
];

/// What a run gives, besides that all held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// A number over every choice that was made.
    pub(crate) choices: u64,
    /// A number over every event that is stored.
    pub(crate) events: u64,
}

/// What is looked at in the end.
pub(crate) struct Scene {
    pub(crate) world: Arc<World>,
    pub(crate) places: Places,
}

struct Run {
    seed: u64,
    world: Arc<World>,
    places: Places,
    processes: Vec<Process>,
    /// Lives of processes, and tasks, so far.
    numbers: u64,
}

/// Runs a seed to its end.
///
/// # Panics
/// If something does not hold.
pub(crate) fn run(seed: u64, mutant: Mutant) -> Ran {
    let begin: chrono::DateTime<chrono::Utc> = BEGINS[(seed % 6) as usize].parse().unwrap();
    let world = World::new(seed, Moment::from(begin), mutant);
    let places = Places::new(&world);
    let mut run = Run { seed, world, places, processes: Vec::new(), numbers: 0 };
    run.found();
    for _ in 0..STEPS {
        run.step();
    }
    let town = run.calm();
    run.settle(&town);
    let scene = Scene { world: run.world, places: run.places };
    check::everything(&scene, &town);
    let events = block_on(check::digest(&scene));
    let state = scene.world.lock();
    Ran { counts: state.counts.clone(), choices: state.choices, events }
}

impl Run {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn entropy(&self, life: u64) -> u64 {
        self.seed.wrapping_mul(0x0001_0000_0001).wrapping_add(life)
    }

    /// The town is founded before anything goes wrong.
    fn found(&mut self) {
        self.world.lock().calm = true;
        let count = 2 + self.world.lock().below(2);
        for n in 0..count {
            let mut process = Process::new(&self.world, &self.places.far);
            let life = self.number();
            let town = block_on(process.restart(life, self.entropy(life))).unwrap();
            if n == 0 {
                block_on(town.host("cadre").publish(&DEFINITIONS[0])).unwrap();
            }
            self.processes.push(process);
        }
        self.world.lock().calm = false;
    }

    /// Somebody goes on, or something happens.
    fn step(&mut self) {
        let (tick, roll, which) = {
            let mut state = self.world.lock();
            state.tick += 1;
            (state.tick, state.below(1_000), state.below(self.processes.len()))
        };
        let millis = self.world.lock().below(3_000) as i64;
        self.world.advance(millis);
        match roll {
            0..40 => self.begin(which, Errand::Want),
            40..100 => self.ask(which),
            100..118 => self.begin(which, Errand::Work),
            118..135 => self.begin(which, Errand::Read),
            135..143 => {
                let follower = self.world.lock().below(2);
                self.begin(which, Errand::Follow(follower));
            }
            143..145 => {
                let definition = self.world.lock().below(3);
                self.begin(which, Errand::Publish(definition));
            }
            145..150 => self.begin(which, Errand::Report),
            150 => self.begin(which, Errand::Sweep),
            151..156 => self.happens(which, tick),
            156..170 => self.jump(which),
            _ => self.poll(which, tick),
        }
    }

    fn begin(&mut self, which: usize, errand: Errand) {
        if self.processes[which].load() >= 5 {
            return;
        }
        let number = self.number();
        self.processes[which].begin(number, errand);
    }

    /// Somebody asks for what they want; now and then while they are still being answered elsewhere.
    fn ask(&mut self, which: usize) {
        let wanted = {
            let mut state = self.world.lock();
            let now = self.world.now();
            let twice = state.once_in(4);
            let open = |intent: &crate::ledger::Intent| {
                let again = intent.key.is_some() && !intent.is_old(now) && (intent.under_way == 0 || twice);
                intent.known == Known::Open && (intent.tries == 0 || again)
            };
            let open: Vec<usize> = (0..state.ledger.intents.len())
                .rev()
                .filter(|index| open(&state.ledger.intents[*index]))
                .take(8)
                .collect();
            let wanted = state.pick(&open);
            if wanted.is_some_and(|index| state.ledger.intents[index].under_way > 0) {
                state.count("commands asked twice at once");
            }
            wanted
        };
        if let Some(index) = wanted {
            self.begin(which, Errand::Ask(index));
        }
    }

    /// Something goes wrong.
    fn happens(&mut self, which: usize, tick: u64) {
        let roll = self.world.lock().below(10);
        match roll {
            0..5 => {
                let killed = self.processes[which].kill();
                let mut state = self.world.lock();
                *state.counts.entry("tasks killed").or_default() += killed as u64;
                state.count("processes killed");
            }
            5..8 => {
                let mut state = self.world.lock();
                self.processes[which].frozen_until = tick + 50 + state.below(500) as u64;
                state.count("processes frozen");
            }
            8 => {
                let mut state = self.world.lock();
                state.store_down_until = tick + 20 + state.below(100) as u64;
                state.count("outages of the store");
            }
            _ => {
                let mut state = self.world.lock();
                state.transport_down_until = tick + 50 + state.below(400) as u64;
                state.count("outages of the way out");
            }
        }
    }

    /// Time passes at once, or a clock is set.
    fn jump(&mut self, which: usize) {
        let (roll, part) = {
            let mut state = self.world.lock();
            (state.below(200), state.below(1_000) as i64)
        };
        let (what, millis) = match roll {
            0..70 => {
                // Up to five minutes off; set back by that too.
                self.processes[which].skew((part - 500) * 600);
                self.world.lock().count("clocks set");
                return;
            }
            70..140 => ("jumps of minutes", 2 * 60_000 + part * 600),
            140..172 => ("jumps of hours", HOUR + part * HOUR / 100),
            172..190 => ("jumps of a day", DAY + part * 60_000),
            190..198 => ("jumps past a retention", 31 * DAY + part * 60_000),
            _ => ("jumps of a year", 366 * DAY),
        };
        self.world.lock().count(what);
        self.world.advance(millis);
    }

    fn poll(&mut self, which: usize, tick: u64) {
        let process = &mut self.processes[which];
        if process.frozen_until > tick {
            return;
        }
        if process.is_idle() && process.town().is_none() {
            self.numbers += 1;
            let life = self.numbers;
            let entropy = self.seed.wrapping_mul(0x0001_0000_0001).wrapping_add(life);
            process.start(life, entropy);
        }
        let index = self.world.lock().below(process.load().max(1));
        process.poll(index);
    }

    /// The faults are over: all processes live, what is under way ends, clocks agree.
    fn calm(&mut self) -> Authority {
        self.world.lock().calm = true;
        for n in 0..self.processes.len() {
            let process = &mut self.processes[n];
            process.skew(0);
            while !process.is_idle() {
                process.poll(0);
            }
            if process.town().is_none() {
                let life = self.number();
                let entropy = self.entropy(life);
                block_on(self.processes[n].restart(life, entropy)).unwrap();
            }
        }
        // What was cached before is still known to one of them.
        self.processes[0].town().unwrap()
    }

    /// Whoever does not know what became of their command asks again.
    fn settle(&mut self, town: &Authority) {
        let now = self.world.now();
        let count = self.world.lock().ledger.intents.len();
        for index in 0..count {
            let intent = self.world.lock().ledger.intents[index].clone();
            assert_eq!(intent.under_way, 0, "{} is still being asked", intent.kind);
            if intent.known != Known::Open || intent.key.is_none() || intent.tries == 0 {
                continue;
            }
            if intent.is_old(now) {
                self.world.lock().ledger.intents[index].known = Known::Abandoned;
                continue;
            }
            {
                let mut state = self.world.lock();
                state.at.intent = Some(index);
                state.ledger.asks(index);
            }
            block_on(errand::ask_and_note(&self.world, town, index));
            let mut state = self.world.lock();
            state.at.intent = None;
            state.count("commands settled in the end");
            let known = &state.ledger.intents[index].known;
            assert_ne!(*known, Known::Open, "{}: no fault is left, and it is not answered", intent.kind);
        }
    }
}
