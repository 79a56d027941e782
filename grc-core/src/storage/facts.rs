//! Facts: the typed columns of a request.

use crate::{Value, Word};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What kind of column a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// A word.
    Word,
    /// A whole number: a count, a version, micro-degrees.
    Integer,
    /// A moment in microseconds.
    Moment,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, $kind:ident;)*) => {
        /// A fact: a column of every request, written with each commit, by which lists and figures are made.
        /// The numbers are stored: a number once given is never given again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Fact {
            $($(#[$doc])* $name = $number,)*
        }

        impl Fact {
            /// All facts, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in conditions and columns.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// Its kind.
            pub const fn kind(self) -> FactKind {
                match self { $(Self::$name => FactKind::$kind),* }
            }
        }
    };
}

facts! {
    /// The request's type.
    Type = 0, "type", Word;
    /// The family of its type.
    Family = 1, "family", Word;
    /// The member of the authority.
    Entity = 2, "entity", Word;
    /// The service that holds it.
    Service = 3, "service", Word;
    /// The team that holds it.
    Team = 4, "team", Word;
    /// The agent who holds it.
    Agent = 5, "agent", Word;
    /// The agent who took it in.
    Submitter = 6, "submitter", Word;
    /// Its state.
    State = 7, "state", Word;
    /// The phase of its state.
    Phase = 8, "phase", Word;
    /// The channel by which it came in.
    Channel = 9, "channel", Word;
    /// The channel that its requester chose for answers.
    Answer = 10, "answer", Word;
    /// The zone of its place.
    Zone = 11, "zone", Word;
    /// Whether the service can act on it.
    Acceptability = 12, "acceptability", Word;
    /// What came of it.
    Outcome = 13, "outcome", Word;
    /// The version of its procedure.
    Procedure = 14, "procedure", Integer;
    /// When it was opened (occurred).
    Opened = 15, "opened", Moment;
    /// When it was closed (occurred); absent while it is open.
    Closed = 16, "closed", Moment;
    /// When its closure was promised.
    Target = 17, "target", Moment;
    /// When it was last written (recorded).
    Updated = 18, "updated", Moment;
    /// When it was anonymised (recorded).
    Anonymised = 19, "anonymised", Moment;
    /// How often it was opened again.
    Reopened = 20, "reopened", Integer;
    /// The latitude of its public place, in micro-degrees; coarse once anonymised.
    Lat = 21, "lat", Integer;
    /// The longitude of its public place, in micro-degrees; coarse once anonymised.
    Lon = 22, "lon", Integer;
    /// What its requester says of what came of it.
    Confirmation = 23, "confirmation", Word;
    /// Why the service can or cannot act on it.
    AcceptabilityReason = 24, "acceptability-reason", Word;
    /// How far the work on site is: of what is still under way, or else of what ended last.
    Intervention = 25, "intervention", Word;
    /// The supplier who does the work: of an intervention.
    Supplier = 26, "supplier", Word;
    /// How many of its messages were given up.
    Undelivered = 27, "undelivered", Integer;
    /// When a first answer was promised.
    ResponseTarget = 28, "response-target", Moment;
    /// When somebody was promised to hold it.
    AssignmentTarget = 29, "assignment-target", Moment;
    /// When the work on site was promised to begin.
    InterventionTarget = 30, "intervention-target", Moment;
}

impl Fact {
    /// The fact of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fact| fact.name() == name)
    }

    /// The fact of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|fact| *fact as u8 == number)
    }
}

/// The value of a fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FactValue {
    /// A word.
    Word(Word),
    /// A number or a moment.
    Integer(i64),
}

impl From<&FactValue> for Value {
    fn from(value: &FactValue) -> Self {
        match value {
            FactValue::Word(word) => Self::Choice(word.clone()),
            FactValue::Integer(number) => Self::Integer(*number),
        }
    }
}

/// The facts of one stream; those that are absent are not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts(BTreeMap<Fact, FactValue>);

impl Facts {
    /// No facts.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The value of a fact.
    pub fn get(&self, fact: Fact) -> Option<&FactValue> {
        self.0.get(&fact)
    }

    /// The word of a fact.
    pub fn word(&self, fact: Fact) -> Option<&Word> {
        match self.0.get(&fact) {
            Some(FactValue::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// The number of a fact.
    pub fn integer(&self, fact: Fact) -> Option<i64> {
        match self.0.get(&fact) {
            Some(FactValue::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// Sets or clears a fact. A value of the wrong kind is left out.
    pub fn set(&mut self, fact: Fact, value: Option<FactValue>) {
        let fits = matches!(
            (&value, fact.kind()),
            (Some(FactValue::Word(_)), FactKind::Word)
                | (Some(FactValue::Integer(_)), FactKind::Integer | FactKind::Moment)
        );
        match value {
            Some(value) if fits => {
                self.0.insert(fact, value);
            }
            _ => {
                self.0.remove(&fact);
            }
        }
    }

    pub(crate) fn set_word(&mut self, fact: Fact, word: Option<&Word>) {
        self.set(fact, word.cloned().map(FactValue::Word));
    }

    pub(crate) fn set_integer(&mut self, fact: Fact, number: Option<i64>) {
        self.set(fact, number.map(FactValue::Integer));
    }

    /// The facts that there are, by number.
    pub fn iter(&self) -> impl Iterator<Item = (Fact, &FactValue)> {
        self.0.iter().map(|(fact, value)| (*fact, value))
    }
}
