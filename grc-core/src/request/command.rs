//! What may be asked of a request.

use super::DeliveryReport;
use crate::{BlobId, Moment, RequestId, Typed, Value, vault::FileInfo};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// A file whose sealed bytes are stored: what the engine makes of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    pub(crate) field: Option<String>,
    pub(crate) blob: BlobId,
    pub(crate) media: String,
    pub(crate) bytes: u64,
    pub(crate) info: Typed,
}

impl NewFile {
    /// A file for a field of the form, or for none.
    pub fn new(field: Option<String>, blob: BlobId, info: FileInfo) -> Self {
        let (media, bytes) = (info.media.clone(), info.bytes);
        Self { field, blob, media, bytes, info: Typed::new(Value::File(Box::new(info))) }
    }
}

/// Who is to hold a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assignee {
    pub(crate) service: Option<String>,
    pub(crate) team: Option<String>,
    pub(crate) agent: Option<String>,
}

impl Assignee {
    /// A service.
    pub fn service(id: impl Into<String>) -> Self {
        Self { service: Some(id.into()), ..Self::default() }
    }

    /// A team, and so its service.
    pub fn team(id: impl Into<String>) -> Self {
        Self { team: Some(id.into()), ..Self::default() }
    }

    /// An agent, in the service and team that hold it, if they belong there, or else in their own.
    pub fn agent(id: impl Into<String>) -> Self {
        Self { agent: Some(id.into()), ..Self::default() }
    }

    /// And this agent.
    #[must_use]
    pub fn and_agent(mut self, id: impl Into<String>) -> Self {
        self.agent = Some(id.into());
        self
    }
}

/// A transition with what goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fire {
    pub(crate) transition: String,
    pub(crate) fields: BTreeMap<String, Option<Typed>>,
    pub(crate) assignee: Option<Assignee>,
    pub(crate) outcome: Option<String>,
    pub(crate) message: Option<Typed>,
    pub(crate) note: Option<Typed>,
}

impl Fire {
    /// A transition by its id.
    pub fn new(transition: impl Into<String>) -> Self {
        Self {
            transition: transition.into(),
            fields: BTreeMap::new(),
            assignee: None,
            outcome: None,
            message: None,
            note: None,
        }
    }

    /// Fills a field on the way.
    #[must_use]
    pub fn set(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(field.into(), Some(Typed::new(value)));
        self
    }

    /// Assigns it on the way.
    #[must_use]
    pub fn to(mut self, assignee: Assignee) -> Self {
        self.assignee = Some(assignee);
        self
    }

    /// Says what came of it.
    #[must_use]
    pub fn outcome(mut self, outcome: impl Into<String>) -> Self {
        self.outcome = Some(outcome.into());
        self
    }

    /// Tells the requester, by the channel that they chose.
    #[must_use]
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.message = Some(Typed::new(text.into()));
        self
    }

    /// Leaves an internal note.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(Typed::new(text.into()));
        self
    }
}

/// What may be asked of a request that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Fire a transition.
    Fire(Fire),
    /// Say who holds it.
    Assign {
        /// Who.
        to: Assignee,
        /// Why.
        reason: Option<Typed>,
    },
    /// Take it for oneself, when nobody holds it.
    Take,
    /// Hand over what one holds, with the reason.
    HandOver {
        /// To whom.
        to: Assignee,
        /// Why.
        reason: Typed,
    },
    /// Change fields; none clears one.
    Correct(BTreeMap<String, Option<Typed>>),
    /// Say whether the service can act on it.
    Assess {
        /// The judgement.
        acceptability: String,
        /// A reason from the organisation's list.
        reason: Option<String>,
    },
    /// Say what came of it, or correct what was said, without moving it.
    Conclude {
        /// What came of it.
        outcome: String,
        /// Why it is corrected.
        reason: Option<Typed>,
    },
    /// Say, as the requester, whether what came of it is what was needed.
    Confirm {
        /// Whether it is.
        satisfied: bool,
        /// A word with it.
        comment: Option<Typed>,
    },
    /// A message to the requester, by the channel that they chose or by this one.
    Tell {
        /// The text.
        text: Typed,
        /// The channel.
        channel: Option<String>,
    },
    /// Once more, a message that was given up, by this channel or else the first by which they can be reached.
    Resend {
        /// Its sequence.
        message: u64,
        /// The channel.
        channel: Option<String>,
    },
    /// A message from the requester.
    Hear {
        /// The text.
        text: Typed,
        /// The channel it came by.
        channel: String,
    },
    /// An internal note.
    Note(Typed),
    /// A file.
    Attach(NewFile),
    /// Time spent and money paid.
    Work {
        /// Minutes.
        minutes: u32,
        /// Cents.
        cents: i64,
        /// The supplier who was paid.
        supplier: Option<String>,
    },
    /// A link to another request.
    Link {
        /// What it is to this one: `parent`, `duplicate-of`…
        kind: String,
        /// The other.
        target: RequestId,
    },
    /// A legal hold: nothing is erased while one is set.
    Hold {
        /// Why.
        reason: Typed,
    },
    /// The end of a hold.
    Release {
        /// Its number.
        hold: u32,
    },
    /// Erase the values of a field, of a detail of a party or of the place (`requester.phone`), or of one slot
    /// (`slot.7`), before their time.
    Erase {
        /// Which.
        paths: Vec<String>,
        /// Why: a word.
        reason: String,
    },
    /// What retention does; by due time only.
    Anonymise {
        /// The rule that says so.
        rule: String,
    },
    /// A timer's transition; by due time only.
    Elapsed {
        /// The transition.
        transition: String,
    },
    /// What became of a message; by the host only.
    Delivered {
        /// The sequence of the message.
        message: u64,
        /// The round that is spoken of: how often it had been begun again.
        round: u32,
        /// What became of it.
        report: DeliveryReport,
    },
}

/// How a command is given: when it happened, and whether it is a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Given {
    /// When it happened, if that was earlier than now.
    pub occurred_at: Option<Moment>,
    /// As a replay of what is past: no message is queued and no timer started.
    pub quiet: bool,
}

impl Given {
    /// Now.
    pub const NOW: Self = Self { occurred_at: None, quiet: false };

    /// In the past, as a replay.
    pub fn replayed(at: DateTime<Utc>) -> Self {
        Self { occurred_at: Some(at.into()), quiet: true }
    }
}
