//! Random walks through the engine: commands out of a seed, on whatever definition is given.
//!
//! The same seed gives the same commands, ids, keys and codes on every store, so that two stores can be compared step
//! by step, and a failing walk can be walked again. A walk counts what it did; who runs it prints the counts and
//! fails if something was never tried.

mod site;

use crate::{
    Actor, Assignee, Budget, Definition, Grc, GrcError, Instruction, Intake, InterventionId, List,
    ManualClock, Moment, Party, Place, RequestId, SeededEntropy, Session, Stores, TrackingCode, Typed, Value,
    Word,
    definition::{Action, Ask, Field, FieldKind, PlaceKind},
    engine::{Delivery, Outgoing, Transport},
    insight::Question,
    request::{Acting, Command, Fire},
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

    fn value(&mut self, field: &Field) -> Value {
        let number = self.dice.below(10_000) as i64;
        if self.dice.once_in(80) {
            return Value::Text("\u{0}".repeat(self.dice.below(3)) + &"é".repeat(self.dice.below(30_000)));
        }
        match field.kind {
            FieldKind::Integer | FieldKind::Amount => {
                let (min, max) = (field.min.unwrap_or(0), field.max.unwrap_or(10_000));
                Value::Integer(min + number % (max - min + 1).max(1))
            }
            FieldKind::Boolean => Value::Boolean(number % 2 == 0),
            FieldKind::Date => {
                chrono::NaiveDate::from_ymd_opt(2026, 1 + (number % 12) as u32, 1 + (number % 28) as u32)
                    .map_or(Value::Integer(0), Value::Date)
            }
            FieldKind::Choice | FieldKind::Choices => {
                let options: Vec<Word> = field.options.iter().map(|option| option.id.clone()).collect();
                match self.dice.pick(&options) {
                    Some(option) if field.kind == FieldKind::Choice => Value::Choice(option.clone()),
                    Some(option) => Value::Choices(vec![option.clone()]),
                    None => Value::Text(String::new()),
                }
            }
            FieldKind::Email => Value::Text(format!("personne{number}@example.org")),
            FieldKind::Phone => Value::Text(format!("06 39 98 {:02} {:02}", number / 100, number % 100)),
            _ => Value::Text(format!("texte {number} à l'angle de la rue n° {}", number % 7)),
        }
    }

    fn intake(&mut self) -> (Intake, Actor) {
        let types: Vec<Word> = self.definition.procedures.keys().cloned().collect();
        let type_ = self.dice.pick(&types).cloned().unwrap_or_else(|| Word::of("x"));
        let definition = self.definition.clone();
        let procedure = definition.procedures.get(&type_);
        let channels: Vec<String> =
            definition.organisation.channels.iter().map(|channel| channel.id.to_string()).collect();
        let channel = self.dice.pick(&channels).cloned().unwrap_or_default();
        let mut intake =
            Intake::new(if self.dice.once_in(40) { "rien".to_owned() } else { type_.to_string() }, channel);
        for field in procedure.iter().flat_map(|procedure| &procedure.fields) {
            if field.kind != FieldKind::File
                && (field.required || self.dice.once_in(2))
                && !self.dice.once_in(30)
            {
                let value = self.value(field);
                intake = intake.set(field.id.as_str(), value);
            }
        }
        if procedure.is_some_and(|procedure| procedure.place != PlaceKind::None) && !self.dice.once_in(3) {
            let number = self.dice.below(200) as f64;
            let mut place = Place::address(&format!("{number} rue du Test"), "35000", "Rennes");
            if self.dice.once_in(2) {
                place =
                    place.and_position(48.0 + number / 1e4, if self.dice.once_in(30) { 500.0 } else { -1.7 });
            }
            if let Some(zone) = self.dice.pick(&definition.organisation.zones)
                && self.dice.once_in(2)
            {
                place = place.in_zone(zone.id.as_str());
            }
            intake = intake.at(place);
        }
        if !self.dice.once_in(4) {
            let number = self.dice.below(30);
            let mut party = Party::named("Prénom", format!("Nom{number}"));
            if self.dice.once_in(2) {
                party = party.phone(format!("06 39 98 00 {number:02}"));
            }
            if self.dice.once_in(2) {
                party = party.email(format!("personne{number}@example.org"));
            }
            if self.dice.once_in(2) {
                let answers: Vec<String> = definition
                    .organisation
                    .channels
                    .iter()
                    .filter(|channel| channel.answer.is_some())
                    .map(|channel| channel.id.to_string())
                    .collect();
                if let Some(answer) = self.dice.pick(&answers) {
                    party = party.answer_by(answer.clone());
                }
            }
            intake = intake.party(party);
        }
        if let Some(entity) = self.dice.pick(&definition.organisation.entities)
            && self.dice.once_in(3)
        {
            intake = intake.entity(entity.id.as_str());
        }
        if self.dice.once_in(4) {
            intake = intake.source_key(format!("source-{}", self.dice.below(200)));
        }
        if self.dice.once_in(5) {
            intake = intake.key(format!("clef-{}", self.dice.below(20)));
        }
        if self.dice.once_in(6) {
            let back = self.dice.below(100) as i64 - 2;
            intake = intake.occurred_at(crate::Clock::now(&*self.clock).plus_days(-back).to_utc());
        }
        if self.dice.once_in(8) {
            let promised = crate::Clock::now(&*self.clock).plus_days(self.dice.below(300) as i64);
            intake = intake.target(promised.to_utc());
        }
        let actor = match self.dice.below(8) {
            0 => Actor::citizen(),
            1 => self.agent(),
            // Mostly somebody who may.
            _ => {
                let organisation = &definition.organisation;
                let family = procedure.and_then(|procedure| procedure.family.as_ref());
                let may = |agent: &crate::definition::Agent| {
                    Acting::resolve(organisation, &Actor::agent(agent.id.as_str()))
                        .is_ok_and(|acting| acting.may(organisation, Action::Submit, &type_, family, None))
                };
                let able: Vec<String> = organisation
                    .agents
                    .iter()
                    .filter(|agent| may(agent))
                    .map(|agent| agent.id.to_string())
                    .collect();
                self.dice.pick(&able).map_or_else(Actor::citizen, |id| Actor::agent(id.clone()))
            }
        };
        (intake, actor)
    }

    fn assignee(&mut self) -> Assignee {
        let organisation = self.definition.organisation.clone();
        match self.dice.below(4) {
            0 => Assignee::service(
                self.dice.pick(&organisation.services).map_or_else(|| "x".to_owned(), |s| s.id.to_string()),
            ),
            1 => Assignee::team(
                self.dice.pick(&organisation.teams).map_or_else(|| "x".to_owned(), |t| t.id.to_string()),
            ),
            _ if self.dice.once_in(10) => Assignee::agent("nobody"),
            _ => Assignee::agent(
                self.dice.pick(&organisation.agents).map_or_else(|| "x".to_owned(), |a| a.id.to_string()),
            ),
        }
    }

    fn command(&mut self, seen: &crate::Seen) -> (&'static str, Command) {
        let organisation = self.definition.organisation.clone();
        let procedure = self.definition.procedures.get(seen.type_()).cloned();
        let text = |dice: &mut Dice| {
            Typed::new(if dice.once_in(20) { String::new() } else { format!("mot {}", dice.below(1_000)) })
        };
        if let Some(hold) = seen.holds().first()
            && self.dice.once_in(2)
        {
            return ("release", Command::Release { hold: *hold });
        }
        if seen.closed_at().is_some() && seen.may(Action::Confirm) && self.dice.once_in(2) {
            return ("confirm", Command::confirm(self.dice.once_in(2), Some("comme je le vois")));
        }
        match self.dice.below(24) {
            20 => ("take", Command::Take),
            21 => {
                let reason = text(&mut self.dice);
                ("hand-over", Command::HandOver { to: self.assignee(), reason })
            }
            22 => {
                let outcome = self.dice.pick(&organisation.outcomes).map(|outcome| outcome.id.to_string());
                let reason = self.dice.once_in(2).then(|| text(&mut self.dice));
                ("conclude", Command::Conclude { outcome: outcome.unwrap_or_default(), reason })
            }
            23 => {
                let comment = self.dice.once_in(2).then(|| text(&mut self.dice));
                ("confirm", Command::Confirm { satisfied: self.dice.once_in(2), comment })
            }
            0..=4 | 16..=19 => {
                let choice = self.dice.pick(seen.choices()).cloned();
                let any = procedure.and_then(|p| self.dice.pick(&p.transitions).map(|t| t.id.to_string()));
                let asks = choice.as_ref().map(|choice| choice.asks.clone()).unwrap_or_default();
                let id = if self.dice.once_in(12) {
                    any
                } else {
                    choice.map(|c| c.transition.to_string()).or(any)
                };
                let mut fire = Fire::new(id.unwrap_or_else(|| "rien".to_owned()));
                // Mostly what is asked for; sometimes not, sometimes more.
                let gives = |dice: &mut Dice, ask| {
                    if asks.contains(&ask) { !dice.once_in(12) } else { dice.once_in(6) }
                };
                if gives(&mut self.dice, Ask::Assignee) {
                    fire = fire.to(self.assignee());
                }
                if gives(&mut self.dice, Ask::Outcome)
                    && let Some(outcome) = self.dice.pick(&organisation.outcomes)
                {
                    fire = fire.outcome(outcome.id.as_str());
                }
                if gives(&mut self.dice, Ask::Message) {
                    fire = fire.message("nous vous tenons au courant");
                }
                if gives(&mut self.dice, Ask::Note) {
                    fire = fire.note("vu sur place");
                }
                ("fire", Command::Fire(fire))
            }
            5 => (
                "assign",
                Command::Assign {
                    to: self.assignee(),
                    reason: self.dice.once_in(2).then(|| Typed::new("par compétence")),
                },
            ),
            6 | 7 => {
                let fields = procedure.map(|p| p.fields).unwrap_or_default();
                let fields: Vec<Field> =
                    fields.into_iter().filter(|field| field.kind != FieldKind::File).collect();
                match self.dice.pick(&fields).cloned() {
                    Some(field) if !self.dice.once_in(12) => {
                        let value = self.value(&field);
                        let typed = (!self.dice.once_in(5)).then(|| Typed::new(value));
                        ("correct", Command::Correct([(field.id.to_string(), typed)].into()))
                    }
                    _ => ("correct", Command::correct("inconnu", "x")),
                }
            }
            8 => {
                let judged = self.dice.pick(&organisation.acceptabilities).cloned();
                let reasons = judged.as_ref().map(|judged| judged.reasons.clone()).unwrap_or_default();
                let reason = self.dice.pick(&reasons).map(|reason| reason.id.to_string());
                let reason = reason.filter(|_| !self.dice.once_in(3));
                let acceptability = judged.map_or_else(|| "x".to_owned(), |judged| judged.id.to_string());
                ("assess", Command::Assess { acceptability, reason })
            }
            9 => {
                let channel = self.dice.pick(&organisation.channels).map(|channel| channel.id.to_string());
                let channel = channel.filter(|_| self.dice.once_in(3));
                ("tell", Command::Tell { text: text(&mut self.dice), channel })
            }
            10 => {
                let channel =
                    self.dice.pick(&organisation.channels).map_or_else(String::new, |c| c.id.to_string());
                ("hear", Command::Hear { text: text(&mut self.dice), channel })
            }
            11 => ("note", Command::Note(text(&mut self.dice))),
            12 => (
                "worked",
                Command::Work {
                    minutes: self.dice.below(300) as u32,
                    cents: self.dice.below(50_000) as i64,
                    supplier: {
                        let supplier = self.dice.pick(&organisation.suppliers).map(|s| s.id.to_string());
                        supplier.filter(|_| self.dice.once_in(2))
                    },
                },
            ),
            13 => {
                let target = self
                    .known
                    .get(self.dice.below(self.known.len().max(1)))
                    .map_or_else(|| seen.id(), |k| k.0);
                ("link", Command::Link { kind: "duplicate-of".to_owned(), target })
            }
            14 => ("hold", Command::Hold { reason: Typed::new("contentieux en cours") }),
            _ => {
                let all =
                    ["requester.phone", "requester.email", "message", "note", "place.address", "slot.2"];
                let path = self.dice.pick(&all).copied().unwrap_or("note");
                (
                    "erase",
                    Command::Erase {
                        paths: vec![path.to_owned()],
                        reason: "droit-a-l-effacement".to_owned(),
                    },
                )
            }
        }
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
    async fn act_on(&mut self, index: usize) -> Result<(), GrcError> {
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
