//! Random walks through the engine: commands out of a seed, on whatever definition is given.
//!
//! The same seed gives the same commands, ids, keys and codes on every store, so that two stores can be compared step
//! by step, and a failing walk can be walked again. A walk counts what it did; who runs it prints the counts and
//! fails if something was never tried.

mod commands;
mod site;

use crate::{
    Actor, Budget, Definition, Grc, GrcError, Instruction, InterventionId, List, ManualClock, Moment,
    RequestId, SeededEntropy, Session, Stores, TrackingCode, Word,
    engine::{Delivery, Here, Outgoing, Transport},
    insight::Question,
    storage::{EventRange, Log, Store, StreamKey},
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// A small generator of numbers (SplitMix64), so that a walk needs no crate and never changes.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound.
    pub const fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }

    /// True once in so many times.
    pub const fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len());
        items.get(index)
    }
}

/// What became of each step, and how often each kind of step was taken and succeeded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// One line a step: what was done and what came of it.
    pub steps: Vec<String>,
    /// How often each kind of step was taken, and how often it succeeded.
    pub coverage: BTreeMap<String, (u64, u64)>,
    /// The requests that were handed in.
    pub requests: Vec<RequestId>,
    /// The interventions that were planned.
    pub interventions: Vec<InterventionId>,
}

impl Trace {
    fn note(&mut self, kind: &str, outcome: Result<String, GrcError>) {
        let count = self.coverage.entry(kind.to_owned()).or_default();
        count.0 += 1;
        let text = match outcome {
            Ok(text) => {
                count.1 += 1;
                format!("{kind}: {text}")
            }
            Err(error) => format!("{kind}: {}", code_of(&error)),
        };
        self.steps.push(text);
    }

    /// The counts, a line a kind of step.
    pub fn summary(&self) -> String {
        let lines = self
            .coverage
            .iter()
            .map(|(kind, (taken, done))| format!("  {kind:<20} {taken:>6} taken {done:>6} done"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The code of an error: what two stores must agree on.
pub fn code_of(error: &GrcError) -> String {
    match error {
        GrcError::Refused(refusal) | GrcError::NotPermitted(refusal) => {
            refusal.problems().iter().map(|problem| problem.code).collect::<Vec<_>>().join(",")
        }
        GrcError::Conflict(conflict) => format!("conflict on {}", conflict.changed.join(",")),
        other => other.to_string(),
    }
}

/// A transport that sometimes fails, by its own dice.
#[derive(Debug)]
struct Moody(Mutex<Dice>);

#[async_trait]
impl Transport for Moody {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, _: &Outgoing) -> Delivery {
        let mut dice = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match dice.below(10) {
            0 | 1 => Delivery::Later("busy"),
            2 => Delivery::Refused("no-such-address"),
            _ => Delivery::Sent,
        }
    }
}

/// A walk under way.
#[derive(Debug)]
pub struct Walk {
    /// The engine.
    pub grc: Grc,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// What was done so far.
    pub trace: Trace,
    definition: Definition,
    dice: Dice,
    known: Vec<(RequestId, TrackingCode, u64)>,
    transport: Moody,
}

impl Walk {
    /// The name of the authority.
    pub const TOWN: &str = "promenade";

    /// Publishes the definition on a test store and stands at the beginning of 2026.
    ///
    /// # Errors
    /// Whatever opening and publishing gives.
    pub async fn begin(stores: Stores, definition: &Definition, seed: u64) -> Result<Self, GrcError> {
        let start = Moment::from_micros(1_767_222_000_000_000);
        let clock = Arc::new(ManualClock::at(start));
        let shown: Arc<dyn crate::Clock> = Arc::<ManualClock>::clone(&clock);
        let grc = Grc::with(stores, shown, Arc::new(SeededEntropy::new(seed))).await?;
        grc.authority(Self::TOWN)?.host("walk").publish(definition).await?;
        Ok(Self {
            grc,
            clock,
            trace: Trace::default(),
            definition: definition.clone(),
            dice: Dice::new(seed),
            known: Vec::new(),
            transport: Moody(Mutex::new(Dice::new(seed ^ 0xabcd))),
        })
    }

    /// The definition it walks on.
    pub const fn definition(&self) -> &Definition {
        &self.definition
    }

    fn session(&self, actor: Actor) -> Result<Session, GrcError> {
        Ok(self.grc.authority(Self::TOWN)?.session(actor))
    }

    fn agent(&mut self) -> Actor {
        let agents: Vec<String> =
            self.definition.organisation.agents.iter().map(|agent| agent.id.to_string()).collect();
        match self.dice.pick(&agents) {
            Some(id) if !self.dice.once_in(60) => Actor::agent(id.clone()),
            _ => Actor::agent("nobody"),
        }
    }

    fn advance(&mut self) {
        let millis = match self.dice.below(20) {
            0 => 40 * 86_400_000,
            1..=3 => 86_400_000,
            _ => 60_000,
        };
        let jitter = self.dice.below(1_000) as i64;
        self.clock.set(crate::Clock::now(&*self.clock).plus_millis(millis + jitter));
    }

    /// Takes one step.
    ///
    /// # Errors
    /// Only what is not the answer to a command: the name of the town.
    pub async fn step(&mut self) -> Result<(), GrcError> {
        self.advance();
        match self.dice.below(30) {
            24..=29 => self.on_site().await?,
            0..=6 => {
                let (intake, actor) = self.intake();
                let outcome = self.session(actor)?.submit(intake).await;
                let outcome = outcome.map(|submitted| {
                    let (id, code) = (submitted.id(), submitted.tracking_code().clone());
                    if self.known.iter().all(|(known, ..)| *known != id) {
                        self.trace.requests.push(id);
                        self.known.push((id, code.clone(), submitted.version()));
                    }
                    format!("{id} {code} {}", submitted.version())
                });
                self.trace.note("submit", outcome);
            }
            7 => {
                let actor = self.agent();
                let session = self.session(actor)?;
                let list = List::new().limit(7);
                let list = match self.dice.below(6) {
                    0 => list.mine(),
                    1 => list.my_teams(),
                    2 => list.unassigned(),
                    3 => list.overdue(),
                    _ => list,
                };
                let outcome = Self::pages(&session, list).await;
                self.trace.note("list", outcome);
            }
            8 => {
                let figures = self.grc.authority(Self::TOWN)?.host("walk").figures(&Question::all()).await;
                self.trace.note("figures", figures.map(|figures| format!("{figures:?}")));
            }
            9..=11 => {
                let authority = self.grc.authority(Self::TOWN)?;
                let transport: Option<&dyn Transport> =
                    if self.dice.once_in(4) { None } else { Some(&self.transport) };
                let report = authority.host("walk").work(transport, Budget::tasks(20)).await;
                if let Ok(report) = &report {
                    for (kind, count) in [
                        ("work.anonymised", report.anonymised),
                        ("work.sent", report.sent),
                        ("work.fired", report.fired),
                        ("work.destroyed", report.destroyed),
                        ("work.later", report.later),
                        ("work.dead", report.dead),
                        ("work.months", report.months),
                    ] {
                        let counts = self.trace.coverage.entry(kind.to_owned()).or_default();
                        *counts = (counts.0 + count, counts.1 + count);
                    }
                }
                self.trace.note("work", report.map(|report| format!("{report:?}")));
            }
            12 => {
                let index = self.dice.below(self.known.len().max(1));
                let Some((_, code, _)) = self.known.get(index).cloned() else { return Ok(()) };
                let followed = self.session(Actor::holder(code))?.follow().await;
                self.trace.note("follow", followed.map(|seen| format!("{seen:?}")));
            }
            13 => {
                let index = self.dice.below(self.known.len().max(1));
                let Some((id, ..)) = self.known.get(index).cloned() else { return Ok(()) };
                let actor = self.agent();
                let history = self.session(actor)?.history(id).await;
                self.trace.note("history", history.map(|entries| format!("{entries:?}")));
            }
            _ => {
                let index = self.dice.below(self.known.len().max(1));
                self.act_on(index).await?;
            }
        }
        Ok(())
    }

    /// All pages of a list. Where a store has looked at enough rows it may say that it goes on when it does not, so it is
    /// what is listed that two stores must agree on.
    async fn pages(session: &Session, list: List) -> Result<String, GrcError> {
        let mut listed = Vec::new();
        let mut list = list;
        loop {
            let page = session.list(&list).await?;
            listed.extend(page.requests.iter().map(|r| format!("{}/{:?}", r.id, r.requester)));
            match page.next {
                Some(next) => list = list.after(next),
                None => return Ok(listed.join(" ")),
            }
        }
    }

    /// Deals with each request that was handed in, from one on, one after the other, in steps that are hours apart: as an office does,
    /// so that most of them come to an end and some are opened again.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub async fn deal(&mut self, from: usize, steps: usize) -> Result<(), GrcError> {
        for index in from..self.known.len() {
            for _ in 0..steps {
                let minutes = self.dice.below(30 * 60) as i64;
                self.clock.set(crate::Clock::now(&*self.clock).plus_millis(minutes * 60_000));
                self.act_on(index).await?;
            }
        }
        Ok(())
    }

    /// Gives a command to one of the requests that were handed in.
    fn act_on<'a>(&'a mut self, index: usize) -> Here<'a, Result<(), GrcError>> {
        Box::pin(async move {
            let Some((id, code, stale)) = self.known.get(index).cloned() else { return Ok(()) };
            // Mostly somebody who sees it and can do something with it.
            let mut found = None;
            for attempt in 0..5 {
                let actor = if self.dice.once_in(4) { Actor::holder(code.clone()) } else { self.agent() };
                let session = self.session(actor)?;
                match session.open(id).await {
                    Ok(seen) if attempt == 4 || !seen.choices().is_empty() => {
                        found = Some((session, seen));
                        break;
                    }
                    Ok(_) => {}
                    Err(error) => self.trace.note("open", Err(error)),
                }
            }
            let Some((session, seen)) = found else { return Ok(()) };
            self.trace.note("open", Ok(format!("{seen:?}")));
            let (kind, command) = self.command(&seen);
            let mut instruction = Instruction::new(command);
            if self.dice.once_in(8) {
                instruction = instruction.key(format!("clef-{}", self.dice.below(10)));
            }
            if self.dice.once_in(5) {
                let back = self.dice.below(30 * 24 * 60) as i64 * 60_000;
                let at = crate::Clock::now(&*self.clock).plus_millis(-back);
                instruction = instruction.occurred_at(at.to_utc());
            }
            let version = if self.dice.once_in(6) { stale } else { seen.version() };
            let acted = session.act_on(id, Some(version), instruction).await;
            self.trace.note(kind, acted.map(|acted| format!("{} {}", acted.id(), acted.version())));
            Ok(())
        })
    }

    /// Checks what must always hold: each history verifies, folding gives the state, figures agree with the list.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub async fn check(&self) -> Result<(), String> {
        let authority = self.grc.authority(Self::TOWN).map_err(|error| error.to_string())?;
        let host = authority.host("walk");
        for id in &self.trace.requests {
            let verdict = host.verify(*id).await.map_err(|error| format!("{id}: {error}"))?;
            if !verdict.problems.is_empty() {
                return Err(format!("{id}: {}", verdict.problems.join("; ")));
            }
        }
        self.check_sites().await?;
        let figures = host.figures(&Question::all()).await.map_err(|error| error.to_string())?;
        if figures.total != self.trace.requests.len() as u64 {
            return Err(format!(
                "{} requests were handed in, the figures say {}",
                self.trace.requests.len(),
                figures.total
            ));
        }
        Ok(())
    }

    /// Every event of every request and every intervention, as it is stored.
    ///
    /// # Errors
    /// Whatever the store gives.
    pub async fn events(&self) -> Result<Vec<Vec<u8>>, GrcError> {
        let store: &Arc<dyn Store> = &self.grc.stores().store;
        let mut out = Vec::new();
        let requests = self.trace.requests.iter().map(|id| (RequestId::KIND, id.uuid()));
        let sites = self.trace.interventions.iter().map(|id| (InterventionId::KIND, id.uuid()));
        for (kind, id) in requests.chain(sites) {
            let stream = StreamKey::new(Word::of(Self::TOWN), Word::of(kind), id);
            let range = EventRange { stream, log: Log::History, after: 0, limit: 1_000 };
            out.extend(store.events(&range).await?.into_iter().map(|event| event.body));
        }
        Ok(out)
    }
}
