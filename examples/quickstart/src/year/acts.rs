//! A case of the year: what happens in it, when, by whom.

use chrono::{DateTime, Duration, Utc};
use grc_core::{
    Intake,
    intervention::Work,
    request::{Command, Fire},
};

/// A request, or a few that belong together: a duplicate with what it duplicates, two that are dealt with at once.
#[derive(Debug, Default)]
pub(super) struct Case {
    pub(super) acts: Vec<Act>,
    pub(super) requests: usize,
}

/// One thing that happens.
#[derive(Debug)]
pub(super) struct Act {
    pub(super) at: DateTime<Utc>,
    /// The agent; none for the requester.
    pub(super) by: Option<&'static str>,
    /// The place of the request in its case.
    pub(super) request: usize,
    pub(super) what: What,
}

/// What happens.
#[derive(Debug)]
pub(super) enum What {
    Submit(Box<Intake>),
    Do(Box<Command>),
    /// It says the same as another one of the case.
    Duplicates(usize),
    Plan(Box<Plan>),
    /// On the newest intervention of the case.
    Site(Box<Work>),
}

/// An intervention that is planned.
#[derive(Debug)]
pub(super) struct Plan {
    /// The requests of the case, with their weights.
    pub(super) serves: Vec<(usize, u32)>,
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) team: &'static str,
    pub(super) supplier: Option<&'static str>,
    pub(super) minutes: i64,
    pub(super) cents: i64,
}

impl Case {
    /// Something that an agent does.
    pub(super) fn act(&mut self, at: DateTime<Utc>, by: &'static str, request: usize, what: What) {
        self.acts.push(Act { at, by: Some(by), request, what });
    }

    /// A command of an agent.
    pub(super) fn command(&mut self, at: DateTime<Utc>, by: &'static str, request: usize, command: Command) {
        self.act(at, by, request, What::Do(Box::new(command)));
    }

    /// A transition that an agent fires.
    pub(super) fn fire(&mut self, at: DateTime<Utc>, by: &'static str, request: usize, fire: Fire) {
        self.command(at, by, request, Command::Fire(fire));
    }

    /// A step of the work on site.
    pub(super) fn site(&mut self, at: DateTime<Utc>, by: &'static str, work: Work) {
        self.act(at, by, 0, What::Site(Box::new(work)));
    }

    /// In order of time, and only what has happened by now: what comes after a moment that is yet to come has not
    /// happened either.
    pub(super) fn until(mut self, now: DateTime<Utc>) -> Self {
        self.acts.sort_by_key(|act| act.at);
        self.acts.retain(|act| act.at <= now - Duration::minutes(1));
        let submitted = |act: &&Act| matches!(act.what, What::Submit(_));
        self.requests = self.acts.iter().filter(submitted).count();
        self
    }
}
