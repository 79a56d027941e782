//! The organisation: who is there, and who may do what.

use super::{Label, Template};
use crate::Word;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// The authority's organisation. Its newest version always applies: a right withdrawn is withdrawn on every live
/// request at the next command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Organisation {
    /// Its name.
    pub label: Label,
    /// Its time zone, for days, months and calendars: `Europe/Paris`, `Indian/Reunion`…
    #[serde(with = "zone_name")]
    pub time_zone: Tz,
    /// The language of its labels.
    #[serde(default = "french")]
    pub language: String,
    /// The country code of telephone numbers written without one: 33, 262 in Réunion, 590 in Guadeloupe…
    #[serde(default = "france")]
    pub phone_code: u16,
    /// The role to which falls what a withdrawn right, service or agent leaves without anyone.
    pub custodian: Word,
    /// Members of the authority.
    #[serde(default, rename = "entity", skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<Named>,
    /// Services.
    #[serde(default, rename = "service", skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Service>,
    /// Teams.
    #[serde(default, rename = "team", skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Team>,
    /// Suppliers.
    #[serde(default, rename = "supplier", skip_serializing_if = "Vec::is_empty")]
    pub suppliers: Vec<Named>,
    /// Families of request types.
    #[serde(default, rename = "family", skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<Named>,
    /// Zones of the territory.
    #[serde(default, rename = "zone", skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<Named>,
    /// Channels by which requests come in and answers go out.
    #[serde(default, rename = "channel")]
    pub channels: Vec<Channel>,
    /// Roles.
    #[serde(default, rename = "role")]
    pub roles: Vec<Named>,
    /// Agents, by opaque ids, and what they belong to.
    #[serde(default, rename = "agent", skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Agent>,
    /// Who may do what. What is not granted is denied.
    #[serde(default, rename = "grant")]
    pub grants: Vec<Grant>,
    /// What can be said of whether a service can act on a request.
    #[serde(default, rename = "acceptability", skip_serializing_if = "Vec::is_empty")]
    pub acceptabilities: Vec<Acceptability>,
    /// What can come of a request.
    #[serde(default, rename = "outcome", skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Named>,
    /// Why work on site can turn out to be impossible.
    #[serde(default, rename = "impossibility", skip_serializing_if = "Vec::is_empty")]
    pub impossibilities: Vec<Named>,
    /// Templates of messages.
    #[serde(default, rename = "template", skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Template>,
}

fn french() -> String {
    "fr".to_owned()
}

const fn france() -> u16 {
    33
}

mod zone_name {
    use chrono_tz::Tz;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(|_| serde::de::Error::custom("not a time zone: write it as `Europe/Paris`"))
    }
}

/// Something with an id and a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Named {
    /// Its id.
    pub id: Word,
    /// Its name.
    pub label: Label,
}

/// A service that deals with requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// Its id.
    pub id: Word,
    /// Its name.
    pub label: Label,
    /// The member of the authority that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Word>,
    /// Its telephone number, for messages to requesters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Its e-mail address, for messages to requesters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its postal address, for messages to requesters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A team of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Team {
    /// Its id.
    pub id: Word,
    /// Its name.
    pub label: Label,
    /// Its service.
    pub service: Word,
    /// What an hour of its work costs, in cents; absent: its time is counted in minutes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
}

/// What of a party a channel needs to reach them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contact {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A telephone number that can get short messages: by the French plan one of a mobile; numbers of plans that are not
    /// known are taken.
    Mobile,
    /// A postal address.
    Address,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Channel {
    /// Its id.
    pub id: Word,
    /// Its name.
    pub label: Label,
    /// Whether requests come in by it.
    #[serde(default = "yes")]
    pub incoming: bool,
    /// What answers by it need; absent: no answers go out by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Contact>,
    /// The most characters of a message; absent: 918 where answers go to a telephone number, else 20,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Whether a person tells what is to be told: nothing is queued, and the message is recorded as said. Nothing is
    /// told so that no person wrote: not the acknowledgement, not what a timer sends, and no message that failed
    /// elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
}

const fn yes() -> bool {
    true
}

/// An agent. Their names are not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Agent {
    /// An opaque id, which events name.
    pub id: Word,
    /// Their roles.
    #[serde(default)]
    pub roles: Vec<Word>,
    /// The services they belong to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Word>,
    /// The teams they belong to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Word>,
}

/// What can be granted. Transitions are granted one by one, by the `by` of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Hand in a request.
    Submit,
    /// Find it in lists and open it.
    See,
    /// Say which service, team or agent holds it.
    Assign,
    /// All of: correct, message, note, attach, assess, conclude, take, plan, work, link.
    Handle,
    /// Change fields.
    Correct,
    /// Exchange messages with the citizen.
    Message,
    /// Read and write internal notes.
    Note,
    /// Add files.
    Attach,
    /// Say whether the service can act on it.
    Assess,
    /// Say what came of it, before or after its closure, and correct it.
    Conclude,
    /// Take for oneself what nobody holds, and hand over what one holds.
    Take,
    /// Plan and cancel interventions.
    Plan,
    /// Carry out interventions, and enter time spent.
    Work,
    /// See and enter amounts: estimates, purchases, and what time costs. Not part of `handle`.
    Cost,
    /// Say, as the requester, whether what came of it is what was needed.
    Confirm,
    /// Link requests.
    Link,
    /// Set and lift a legal hold.
    Hold,
    /// Erase single values before their time.
    Erase,
    /// See figures.
    Measure,
    /// Replay cases of another system: without messages and timers, and at dates before what is known.
    Import,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Submit,
        Self::See,
        Self::Assign,
        Self::Handle,
        Self::Correct,
        Self::Message,
        Self::Note,
        Self::Attach,
        Self::Assess,
        Self::Conclude,
        Self::Take,
        Self::Plan,
        Self::Work,
        Self::Cost,
        Self::Confirm,
        Self::Link,
        Self::Hold,
        Self::Erase,
        Self::Measure,
        Self::Import,
    ];

    /// Whether a grant of this covers another action.
    pub fn covers(self, other: Self) -> bool {
        self == other
            || (self == Self::Handle
                && matches!(
                    other,
                    Self::Correct
                        | Self::Message
                        | Self::Note
                        | Self::Attach
                        | Self::Assess
                        | Self::Conclude
                        | Self::Take
                        | Self::Plan
                        | Self::Work
                        | Self::Link
                ))
    }
}

/// How far a grant reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scope {
    /// Every request of the types granted.
    #[default]
    Any,
    /// Those that the actor's services hold.
    Service,
    /// Those that the actor's teams hold.
    Team,
    /// Those that the actor holds.
    Assigned,
    /// Those that the actor took in.
    Submitted,
}

/// A right: to whom, what, on which types, how far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grant {
    /// Roles, or relations written with `@`: `@requester`, `@assignee`, `@team`, `@service`, `@submitter`; and
    /// `@citizen`, who is not known yet, for handing in.
    pub to: Vec<String>,
    /// What.
    pub may: Vec<Action>,
    /// On which types; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<Word>>,
    /// On the types of which families; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub families: Option<Vec<Word>>,
    /// How far, for roles.
    #[serde(default)]
    pub scope: Scope,
}

/// A judgement on whether a service can act on a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Acceptability {
    /// Its id.
    pub id: Word,
    /// Its name.
    pub label: Label,
    /// Reasons to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Named>,
}

impl Organisation {
    /// The channel of an id.
    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == *id)
    }

    /// The service of an id.
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.id == *id)
    }

    /// The template of an id.
    pub fn template(&self, id: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.id == *id)
    }

    /// The team of an id.
    pub fn team(&self, id: &str) -> Option<&Team> {
        self.teams.iter().find(|team| team.id == *id)
    }

    /// The agent of an id.
    pub fn agent(&self, id: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.id == *id)
    }

    /// Whether a role exists.
    pub fn has_role(&self, id: &str) -> bool {
        self.roles.iter().any(|role| role.id == *id)
    }
}
