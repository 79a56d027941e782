//! The three that do the same: the engine, the engine through Python, Django.

use crate::{
    Res,
    place::Place,
    program::Program,
    raw::{Raw, Totals},
    town::{self, Town},
};
use std::{ffi::OsStr, fmt, path::Path, time::Duration};

/// How many hand in what is then dealt with.
const MANY: usize = 16;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Requests are handed in.
    Intake,
    /// Requests are assigned.
    Transition,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Intake, Self::Transition];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Transition => "transition",
        }
    }

    /// How many commands each request has had in the end.
    const fn commands(self) -> usize {
        match self {
            Self::Intake => 1,
            Self::Transition => 2,
        }
    }
}

/// One that does it.
pub trait Side: fmt::Debug {
    /// Does it so many times by so many callers; answers how long it took.
    ///
    /// # Errors
    /// As it says.
    fn round(&mut self, scenario: Scenario, callers: usize, count: usize) -> Res<Duration>;

    /// That there is what so many requests leave. Answers what a file of the library holds.
    ///
    /// # Errors
    /// If there is not.
    fn check(&mut self, scenario: Scenario, requests: usize) -> Res<Option<Totals>>;
}

fn equal(what: &str, found: Option<usize>, wanted: usize) -> Res<()> {
    if found == Some(wanted) {
        return Ok(());
    }
    Err(format!("{what}: {wanted} were asked for, and there are {found:?}").into())
}

/// Looks into a file of the library.
#[derive(Debug)]
struct Eye {
    raw: Box<dyn Raw>,
    before: Totals,
}

impl Eye {
    fn new(place: &Place, name: &str) -> Res<Self> {
        let mut raw = place.eye(name)?;
        let before = raw.totals()?;
        Ok(Self { raw, before })
    }

    /// What is there since it looked first.
    fn totals(&mut self) -> Res<Totals> {
        let mut totals = self.raw.totals()?;
        for (table, (rows, bytes)) in &mut totals {
            let (old_rows, old_bytes) = self.before.get(table).copied().unwrap_or_default();
            (*rows, *bytes) = (*rows - old_rows, *bytes - old_bytes);
        }
        Ok(totals)
    }

    fn check(&mut self, scenario: Scenario, requests: usize) -> Res<Totals> {
        let totals = self.totals()?;
        let rows = |table| totals.get(table).and_then(|(rows, _)| usize::try_from(*rows).ok());
        equal("requests", rows("stream"), requests)?;
        equal("receipts", rows("receipt"), requests * scenario.commands())?;
        Ok(totals)
    }
}

/// The engine, in this process.
#[derive(Debug)]
pub struct Engine {
    town: Town,
    eye: Eye,
    next: usize,
}

impl Engine {
    /// With a file of this name.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(place: &Place, name: &str) -> Res<Self> {
        let town = Town::keyed(place.ours(name)?)?;
        Ok(Self { town, eye: Eye::new(place, name)?, next: 0 })
    }
}

impl Side for Engine {
    fn round(&mut self, scenario: Scenario, callers: usize, count: usize) -> Res<Duration> {
        let from = self.next;
        self.next += count;
        match scenario {
            Scenario::Intake => Ok(self.town.receive(callers, from, count)?.1),
            Scenario::Transition => {
                let (ids, _) = self.town.receive(MANY, from, count)?;
                self.town.assign(callers, &ids)
            }
        }
    }

    fn check(&mut self, scenario: Scenario, requests: usize) -> Res<Option<Totals>> {
        self.eye.check(scenario, requests).map(Some)
    }
}

/// The engine through Python.
#[derive(Debug)]
pub struct Bindings {
    program: Program,
    eye: Eye,
}

impl Bindings {
    /// With a file of this name.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub fn new(python: &Path, place: &Place, name: &str) -> Res<Self> {
        let (file, definition) = (place.file(name), town::folder());
        let program = [OsStr::new("ours.py"), file.as_os_str(), definition.as_os_str()];
        Ok(Self { program: Program::start(python, program)?, eye: Eye::new(place, name)? })
    }
}

impl Side for Bindings {
    fn round(&mut self, scenario: Scenario, callers: usize, count: usize) -> Res<Duration> {
        self.program.time(scenario.name(), callers, count)
    }

    fn check(&mut self, scenario: Scenario, requests: usize) -> Res<Option<Totals>> {
        let told = self.program.check()?;
        equal("requests through Python", told.get("requests").copied(), requests)?;
        let totals = self.eye.check(scenario, requests)?;
        let events = totals.get("event").and_then(|(rows, _)| usize::try_from(*rows).ok());
        equal("events that Python was told of", events, told.get("events").copied().unwrap_or_default())?;
        Ok(Some(totals))
    }
}

/// Django.
#[derive(Debug)]
pub struct Desk(Program);

impl Desk {
    /// With a file of this name.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub fn new(python: &Path, place: &Place, name: &str) -> Res<Self> {
        let file = place.file(name);
        let program = [OsStr::new("-m"), OsStr::new("django_desk"), file.as_os_str()];
        Ok(Self(Program::start(python, program)?))
    }
}

impl Side for Desk {
    fn round(&mut self, scenario: Scenario, callers: usize, count: usize) -> Res<Duration> {
        self.0.time(scenario.name(), callers, count)
    }

    fn check(&mut self, scenario: Scenario, requests: usize) -> Res<Option<Totals>> {
        let found = self.0.check()?;
        equal("Django's requests", found.get("requests").copied(), requests)?;
        for what in ["history", "messages", "tasks", "receipts"] {
            equal(&format!("Django's {what}"), found.get(what).copied(), requests * scenario.commands())?;
        }
        Ok(None)
    }
}
