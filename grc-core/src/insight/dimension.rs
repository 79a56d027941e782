//! By what is counted.

use super::figure::Group;
use crate::storage::Fact;
use serde::{Serialize, Serializer};
use std::fmt;

/// By what figures are counted.
///
/// Dates are those of the authority's zone, of each figure's own date ([`Figure`](super::Figure)). The other
/// dimensions are the facts of the request as they are today, with these exceptions:
///
/// | dimension | of what | what it is |
/// |---|---|---|
/// | `state`, `phase`, `service`, `team`, `agent` | `open` at a moment | those of that moment |
/// | `team`, `agent`, `supplier` | minutes and cents | those of the work |
/// | `supplier` | everything else | the suppliers of its work and interventions: it counts once in each |
/// | `channel` | `messages-in` | the channel that the message came by |
/// | `channel-out` | `messages-out` | the channel that the message went by |
/// | `channel-out` | counts and delays | the channels by which somebody answered it: it counts once in each |
///
/// So the rows of `supplier` and `channel-out` may sum to more than there are requests, never to more minutes or cents
/// than were spent. From whom something was bought is for those who may see amounts: to others `supplier` is who does the
/// interventions.
///
/// Some pairs mean nothing and are refused (`figures.dimension`): `open` by weekday or hour, or by more than one of
/// month, week and day; `total`, which has no date, by any; messages in, minutes and cents by `channel-out`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// The month: `2011-07`.
    Month,
    /// The ISO week: `2011-W26`.
    Week,
    /// The day: `2011-07-01`.
    Day,
    /// The day of the week, from Monday, 1, to Sunday, 7.
    Weekday,
    /// The hour of the day: `00` to `23`.
    Hour,
    /// The type.
    Type,
    /// The family of the type.
    Family,
    /// The member of the authority.
    Entity,
    /// The service that holds it.
    Service,
    /// The team that holds it.
    Team,
    /// The agent who holds it.
    Agent,
    /// The supplier.
    Supplier,
    /// The channel by which it came in.
    Channel,
    /// The channel by which it was answered.
    ChannelOut,
    /// The channel that the requester chose for answers.
    Answer,
    /// The state.
    State,
    /// The phase of the state.
    Phase,
    /// The zone of the place.
    Zone,
    /// Whether the service can act on it.
    Acceptability,
    /// Why it can or cannot.
    AcceptabilityReason,
    /// What came of it.
    Outcome,
    /// What its requester says of that.
    Confirmation,
    /// How far the work on site is.
    Intervention,
    /// The request itself, among those that the actor may also see.
    Request,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::Month,
        Self::Week,
        Self::Day,
        Self::Weekday,
        Self::Hour,
        Self::Type,
        Self::Family,
        Self::Entity,
        Self::Service,
        Self::Team,
        Self::Agent,
        Self::Supplier,
        Self::Channel,
        Self::ChannelOut,
        Self::Answer,
        Self::State,
        Self::Phase,
        Self::Zone,
        Self::Acceptability,
        Self::AcceptabilityReason,
        Self::Outcome,
        Self::Confirmation,
        Self::Intervention,
        Self::Request,
    ];

    /// Its name, as columns have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Weekday => "weekday",
            Self::Hour => "hour",
            Self::Type => "type",
            Self::Family => "family",
            Self::Entity => "entity",
            Self::Service => "service",
            Self::Team => "team",
            Self::Agent => "agent",
            Self::Supplier => "supplier",
            Self::Channel => "channel",
            Self::ChannelOut => "channel-out",
            Self::Answer => "answer",
            Self::State => "state",
            Self::Phase => "phase",
            Self::Zone => "zone",
            Self::Acceptability => "acceptability",
            Self::AcceptabilityReason => "acceptability-reason",
            Self::Outcome => "outcome",
            Self::Confirmation => "confirmation",
            Self::Intervention => "intervention",
            Self::Request => "request",
        }
    }

    /// The dimension of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }

    /// The fact that it is where nothing else is said; none for dates, channels out, suppliers and the request. A list
    /// with this fact holds what is behind a count.
    pub const fn fact(self) -> Option<Fact> {
        Some(match self {
            Self::Type => Fact::Type,
            Self::Family => Fact::Family,
            Self::Entity => Fact::Entity,
            Self::Service => Fact::Service,
            Self::Team => Fact::Team,
            Self::Agent => Fact::Agent,
            Self::Channel => Fact::Channel,
            Self::Answer => Fact::Answer,
            Self::State => Fact::State,
            Self::Phase => Fact::Phase,
            Self::Zone => Fact::Zone,
            Self::Acceptability => Fact::Acceptability,
            Self::AcceptabilityReason => Fact::AcceptabilityReason,
            Self::Outcome => Fact::Outcome,
            Self::Confirmation => Fact::Confirmation,
            Self::Intervention => Fact::Intervention,
            Self::Month
            | Self::Week
            | Self::Day
            | Self::Weekday
            | Self::Hour
            | Self::Supplier
            | Self::ChannelOut
            | Self::Request => return None,
        })
    }

    /// Whether it is a date, or a part of one.
    pub const fn is_date(self) -> bool {
        matches!(self, Self::Month | Self::Week | Self::Day | Self::Weekday | Self::Hour)
    }

    /// Whether it is a stretch of time that ends.
    pub(super) const fn is_period(self) -> bool {
        matches!(self, Self::Month | Self::Week | Self::Day)
    }

    /// What to ask instead, if it means nothing for what is counted.
    pub(super) const fn instead(self, group: Group) -> Option<&'static str> {
        match (group, self) {
            (Group::Open, Self::Weekday | Self::Hour) => {
                Some("ask by month, week or day: what is open is counted at the end of each")
            }
            (Group::Total, _) if self.is_date() => Some("ask for `opened` or `closed`, which have dates"),
            (Group::MessagesIn, Self::ChannelOut) => {
                Some("ask by `channel` for what came in, or for `messages-out`")
            }
            (_, Self::ChannelOut) if group.is_work() => Some("ask by `channel`, or for a count"),
            _ => None,
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Dimension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
