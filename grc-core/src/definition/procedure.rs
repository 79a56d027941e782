//! A procedure: one request type, its form and its workflow.

use super::Label;
use crate::{Condition, Moment, Value, Word};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One request type. Immutable once published: a live request stays on its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Procedure {
    /// Its name.
    pub label: Label,
    /// Its family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Word>,
    /// The service that gets it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Word>,
    /// The sector within which requests of one person may be found together; absent: its family, or its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<Word>,
    /// What its place is.
    #[serde(default)]
    pub place: PlaceKind,
    /// The channels by which it may come in; absent: all incoming ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<Word>>,
    /// Whether a requester must be given.
    #[serde(default)]
    pub requester: bool,
    /// The time promised for closing it, from its opening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Delay>,
    /// The times promised for what comes before, from its opening.
    #[serde(default, skip_serializing_if = "Promises::is_none")]
    pub promises: Promises,
    /// The template of the acknowledgement that the requester gets at once; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledge: Option<Word>,
    /// What happens when it is over.
    #[serde(default)]
    pub retention: Retention,
    /// Its form.
    #[serde(default, rename = "field", skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// Rights on what every request has: `requester.phone`, `place.address`, `message`…
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rights: BTreeMap<Word, FieldRights>,
    /// The name of a workflow that several procedures share, instead of `initial`, `state` and `transition` here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Word>,
    /// The state in which a request begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<Word>,
    /// The states.
    #[serde(default, rename = "state", skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<State>,
    /// The transitions.
    #[serde(default, rename = "transition", skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<Transition>,
}

/// The steps that requests of several procedures go through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workflow {
    /// The state in which a request begins.
    pub initial: Word,
    /// The states.
    #[serde(default, rename = "state", skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<State>,
    /// The transitions.
    #[serde(default, rename = "transition", skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<Transition>,
}

/// The fixed phases, under which figures of different workflows are comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Nobody has acted on it yet.
    Received,
    /// It is being dealt with.
    InProgress,
    /// It waits for somebody outside.
    Waiting,
    /// Its handling is over; retention counts from here.
    Closed,
}

impl Phase {
    /// Its word in facts.
    pub fn word(self) -> Word {
        Word::of(self.as_str())
    }

    /// Its word in facts, as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::InProgress => "in-progress",
            Self::Waiting => "waiting",
            Self::Closed => "closed",
        }
    }
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct State {
    /// Its id.
    pub id: Word,
    /// Its name, for agents.
    pub label: Label,
    /// Its phase.
    pub phase: Phase,
    /// What the citizen sees; absent: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Label>,
}

/// What a transition demands of who fires it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ask {
    /// A service, team or agent to assign it to.
    Assignee,
    /// What came of it.
    Outcome,
    /// A message to the citizen.
    Message,
    /// An internal note.
    Note,
}

/// A way from states to a state, fired by an actor or by a timer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Transition {
    /// Its id.
    pub id: Word,
    /// Its name: what the button says.
    pub label: Label,
    /// From which states.
    pub from: Vec<Word>,
    /// To which state.
    pub to: Word,
    /// Roles, or relations written with `@`. Empty only for timers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<String>,
    /// Only when this holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Fields that must be filled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Word>,
    /// What must be given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Ask>,
    /// Fired by itself when the request was in the state so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Delay>,
    /// Whether it opens a closed request again; only such a transition may leave a closed state for another phase.
    #[serde(default)]
    pub reopens: bool,
    /// Only so long after the closure; for a transition that opens a closed request again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Delay>,
    /// Fields that `when` reads or `requires` names although who fires may not read them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discloses: Vec<Word>,
    /// The template of the notice that the requester gets when it is fired; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell: Option<Word>,
}

/// A span of time in calendar months, days of 24 hours and hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Delay {
    /// Months, date to date.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub months: u32,
    /// Days of 24 hours.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub days: u32,
    /// Hours.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hours: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Delay {
    /// Whether it is no time at all.
    pub const fn is_none(self) -> bool {
        self.months == 0 && self.days == 0 && self.hours == 0
    }

    /// The moment so much later; months count first.
    pub fn from(self, start: Moment, zone: Tz) -> Moment {
        let start = if self.months == 0 { start } else { start.plus_months(self.months, zone) };
        start.plus_days(self.days.into()).plus_millis(i64::from(self.hours) * 3_600_000)
    }
}

/// What is promised of a request besides its closure, each counted from its opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Promises {
    /// A first answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Delay>,
    /// That a team or an agent holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<Delay>,
    /// That work on site begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervention: Option<Delay>,
}

impl Promises {
    /// Each with its name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Delay)> {
        [("response", self.response), ("assignment", self.assignment), ("intervention", self.intervention)]
            .into_iter()
            .filter_map(|(name, delay)| Some((name, delay?)))
    }

    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What becomes of the personal values of a request when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Retention {
    /// Months after closure, date to date.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub months: u32,
    /// Days of 24 hours after closure.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub days: u32,
    /// What is done then.
    #[serde(default)]
    pub then: Then,
}

impl Default for Retention {
    /// Anonymised three months after closure.
    fn default() -> Self {
        Self { months: 3, days: 0, then: Then::Anonymise }
    }
}

impl Retention {
    /// How long after closure.
    pub const fn delay(self) -> Delay {
        Delay { months: self.months, days: self.days, hours: 0 }
    }
}

/// What a retention rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Then {
    /// Values, tokens, code and exact place go; facts stay.
    #[default]
    Anonymise,
    /// Nothing by itself: somebody must decide.
    Keep,
}

/// What the place of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceKind {
    /// It has none.
    #[default]
    None,
    /// A place in public space: its position is a fact until it is coarsened.
    Public,
    /// Somebody's place: its position is a slot.
    Private,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// Text of any length.
    LongText,
    /// A whole number.
    Integer,
    /// An amount: given as a text such as `12,50` or as [`Value::Amount`].
    Amount,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// One of its options.
    Choice,
    /// Several of its options.
    Choices,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A file.
    File,
}

/// What a field says of persons, and so what anonymising does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Personal {
    /// Nothing: it stays. Any value can still be erased, with a reason.
    No,
    /// It is about a person.
    Yes,
    /// Anything may be written in it.
    FreeText,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Field {
    /// Its id, stable for ever.
    pub id: Word,
    /// Its name.
    pub label: Label,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it must be filled at intake.
    #[serde(default)]
    pub required: bool,
    /// What it says of persons; texts must say, the others default to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<Personal>,
    /// Whether lists can be made by it.
    #[serde(default)]
    pub indexed: bool,
    /// Whether each reading is noted.
    #[serde(default)]
    pub sensitive: bool,
    /// The options of a choice.
    #[serde(default, rename = "option", skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<super::Named>,
    /// The least number, or the fewest characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The greatest number, the most characters, or the most bytes of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// The media types of a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// Who reads it: roles, or relations written with `@`; absent: who sees the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Vec<String>>,
    /// Who writes it; absent: who reads it and may submit or correct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<Vec<String>>,
}

/// Who may read and write a field, beyond seeing the request: roles, or relations written with `@`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FieldRights {
    /// Who reads it; absent: who sees the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<Vec<String>>,
    /// Who writes it; absent: who reads it and may submit or correct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<Vec<String>>,
}

impl Field {
    /// The greatest number that a field takes.
    pub(crate) const GREATEST: i64 = 1 << 53;

    /// The most characters of a text by which lists are made: it is compared whole, so it is short.
    const MAX_INDEXED: i64 = 50;

    /// The most characters of a text, where the definition does not say.
    pub const fn default_max(kind: FieldKind) -> i64 {
        match kind {
            FieldKind::LongText => 20_000,
            FieldKind::File => 20 << 20,
            FieldKind::Integer | FieldKind::Amount => Self::GREATEST,
            _ => 500,
        }
    }

    /// The greatest number, the most characters or the most bytes that it takes.
    pub fn most(&self) -> i64 {
        let max = self.max.unwrap_or_else(|| Self::default_max(self.kind));
        match self.kind {
            FieldKind::Integer | FieldKind::Amount => max.min(Self::GREATEST),
            FieldKind::Text if self.is_clear() => max.min(Self::MAX_INDEXED),
            _ => max,
        }
    }

    /// What it says of persons.
    pub fn personal(&self) -> Personal {
        self.personal.unwrap_or(match self.kind {
            FieldKind::Email | FieldKind::Phone | FieldKind::File => Personal::Yes,
            FieldKind::Text | FieldKind::LongText => Personal::FreeText,
            _ => Personal::No,
        })
    }

    /// A value that is kept, as it is shown.
    pub(crate) fn shown(&self, value: Value) -> Value {
        match (self.kind, value) {
            (FieldKind::Amount, Value::Integer(cents)) => Value::Amount(cents),
            (_, value) => value,
        }
    }

    /// Whether its value is kept in clear: indexed and not personal.
    pub fn is_clear(&self) -> bool {
        self.indexed && self.personal() == Personal::No
    }
}

impl Procedure {
    /// The field of an id.
    pub fn field(&self, id: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.id == *id)
    }

    /// A value of a field, as it is shown.
    pub(crate) fn shown(&self, id: &str, value: Value) -> Value {
        match self.field(id) {
            Some(field) => field.shown(value),
            None => value,
        }
    }

    /// The state of an id.
    pub fn state(&self, id: &str) -> Option<&State> {
        self.states.iter().find(|state| state.id == *id)
    }

    /// The transition of an id.
    pub fn transition(&self, id: &str) -> Option<&Transition> {
        self.transitions.iter().find(|transition| transition.id == *id)
    }

    /// The transitions out of a state.
    pub fn exits<'a>(&'a self, state: &'a Word) -> impl Iterator<Item = &'a Transition> {
        self.transitions.iter().filter(move |transition| transition.from.contains(state))
    }

    /// The sector of its contact tokens.
    pub fn sector<'a>(&'a self, type_: &'a Word) -> &'a Word {
        self.sector.as_ref().or(self.family.as_ref()).unwrap_or(type_)
    }
}
