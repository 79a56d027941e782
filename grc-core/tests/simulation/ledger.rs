//! What was asked, by whom, and what they were told: what must be there in the end.

use grc_core::{BatchId, Word, conformance::code_of};
use grc_core::{
    GrcError, InterventionId, Moment, RequestId, TrackingCode,
    intervention::{Planning, Work},
    request::{Command, Intake},
    storage::Cursor,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Person {
    Agent(&'static str),
    Citizen,
    Holder(TrackingCode),
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Wish {
    Submit(Box<Intake>),
    Act(RequestId, Option<u64>, Box<Command>),
    Plan(Box<Planning>),
    Site(InterventionId, Option<u64>, Box<Work>),
}

/// What its author knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing yet: it may be asked again under its key.
    Open,
    /// It is done: in this stream, at this version.
    Done(Uuid, u64),
    /// It was refused.
    Refused(String),
    /// Nobody will ask again, and it may be done or not.
    Abandoned,
    /// It is not done, they were told, and nobody will ask again.
    NotDone,
}

/// Something that somebody wants, until they know what became of it.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) kind: &'static str,
    pub(crate) person: Person,
    pub(crate) wish: Wish,
    pub(crate) key: Option<String>,
    /// A text that is in it and nowhere else.
    pub(crate) text: Option<String>,
    pub(crate) first: Moment,
    pub(crate) tries: u32,
    /// How often it is being asked just now.
    pub(crate) under_way: u32,
    /// Whether it was still being asked when its key may have been forgotten: then it may be done twice.
    pub(crate) late: bool,
    pub(crate) known: Known,
}

impl Intent {
    /// Whether the key may have been forgotten.
    pub(crate) fn is_old(&self, now: Moment) -> bool {
        now > self.first.plus_days(29)
    }
}

/// A request that somebody knows of.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) id: RequestId,
    pub(crate) code: TrackingCode,
    pub(crate) phone: Option<String>,
}

/// A message that was handed over.
#[derive(Debug, Clone)]
pub(crate) struct Handed {
    pub(crate) key: String,
    pub(crate) request: RequestId,
    pub(crate) message: u64,
    pub(crate) round: u32,
    pub(crate) channel: Word,
    pub(crate) text: String,
    /// Whether it arrived there.
    pub(crate) accepted: bool,
}

/// Who follows the feed, and remembers how far.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    pub(crate) cursor: Option<Cursor>,
    pub(crate) seen: Vec<BatchId>,
    pub(crate) streams: BTreeMap<Uuid, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) intents: Vec<Intent>,
    pub(crate) cases: Vec<Case>,
    pub(crate) interventions: Vec<InterventionId>,
    pub(crate) handed: Vec<Handed>,
    pub(crate) followers: [Follower; 2],
    /// How many needles were made.
    pub(crate) needles: u64,
}

/// The errors that tell of damage: no fault of a store or a network is an excuse for them.
#[track_caller]
pub(crate) fn judge(error: &GrcError) {
    match error {
        GrcError::Refused(_)
        | GrcError::NotPermitted(_)
        | GrcError::NotFound
        | GrcError::Conflict(_)
        | GrcError::NoDefinition(_) => {}
        GrcError::Storage(error) if error.retry() == grc_core::storage::Retry::Same => {}
        GrcError::Keyring(error) if error.is_unavailable() => {}
        other => panic!("no fault explains this error: {other} ({other:?})"),
    }
    let shown = format!("{error} {error:?}");
    assert!(!crate::shadow::has_needle(shown.as_bytes()), "an error tells what was typed: {shown}");
}

impl Ledger {
    /// Somebody begins to ask.
    pub(crate) fn asks(&mut self, index: usize) {
        let intent = &mut self.intents[index];
        intent.tries += 1;
        intent.under_way += 1;
    }

    /// Who asked died, or stopped waiting.
    pub(crate) fn stops_asking(&mut self, index: usize, now: Moment) {
        let intent = &mut self.intents[index];
        intent.under_way -= 1;
        intent.late |= intent.is_old(now);
        if intent.key.is_none() && intent.known == Known::Open {
            intent.known = Known::Abandoned;
        }
    }

    /// What they were told.
    pub(crate) fn told(&mut self, index: usize, answer: Result<(Uuid, u64), GrcError>, now: Moment) {
        let intent = &mut self.intents[index];
        intent.under_way -= 1;
        intent.late |= intent.is_old(now);
        let known = match answer {
            Ok((id, version)) => Known::Done(id, version),
            Err(error) => {
                judge(&error);
                match error {
                    GrcError::Storage(error) => match (&intent.key, error.kind()) {
                        (Some(_), _) => Known::Open,
                        (None, grc_core::storage::StorageErrorKind::OutcomeUnknown) => Known::Abandoned,
                        (None, _) => Known::NotDone,
                    },
                    GrcError::Keyring(_) if intent.key.is_some() => Known::Open,
                    GrcError::Keyring(_) => Known::NotDone,
                    // What it wrote is forgotten, and with it what it was.
                    GrcError::Refused(refusal) if refusal.has("command.key-erased") => Known::Abandoned,
                    // Who may not see the request any more is not told whether it was done.
                    GrcError::NotFound if intent.tries > 1 => Known::Abandoned,
                    refused => Known::Refused(code_of(&refused)),
                }
            }
        };
        match (&intent.known, known) {
            (Known::Done(id, version), Known::Done(again, and)) => {
                let same = (*id, *version) == (again, and);
                assert!(same || intent.late, "{}: two answers to one command", intent.kind);
            }
            (Known::Done(..), _) => {}
            (_, known @ Known::Done(..)) => intent.known = known,
            (Known::Refused(_) | Known::Abandoned, _) => {}
            // Another who asks the same may still do it.
            (_, Known::Refused(_)) if intent.under_way > 0 => {}
            (_, known) => intent.known = known,
        }
    }
}
