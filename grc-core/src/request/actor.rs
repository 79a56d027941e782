//! Who acts.

use crate::{TrackingCode, Word};
use serde::{Deserialize, Serialize};

/// What kind of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ActorKind {
    /// Somebody who works for the authority.
    Agent,
    /// A citizen who is not known yet.
    Citizen,
    /// A citizen who holds the tracking code of a request.
    Holder,
    /// Due time.
    Timer,
    /// The program that embeds the library.
    Host,
}

/// An actor as events name them: a kind and, where there is one, an opaque id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorRef {
    /// Their kind.
    pub kind: ActorKind,
    /// An opaque id; their name is elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Word>,
}

/// Who acts, as the host says: the host authenticates, the library authorises.
///
/// ```
/// use grc_core::Actor;
/// let claire = Actor::agent("a-17").role("reception");
/// let anybody = Actor::citizen();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub(crate) kind: ActorKind,
    pub(crate) id: Option<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) code: Option<TrackingCode>,
}

impl Actor {
    const fn of(kind: ActorKind) -> Self {
        Self { kind, id: None, roles: Vec::new(), code: None }
    }

    /// An agent, by their opaque id. What they belong to is read from the organisation.
    pub fn agent(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::of(ActorKind::Agent) }
    }

    /// A citizen who hands something in.
    pub const fn citizen() -> Self {
        Self::of(ActorKind::Citizen)
    }

    /// A citizen who holds the tracking code of a request: its requester, for the library.
    pub fn holder(code: TrackingCode) -> Self {
        Self { code: Some(code), ..Self::of(ActorKind::Holder) }
    }

    /// The embedding program, under a name of its own for its errand.
    pub(crate) fn host(errand: impl Into<String>) -> Self {
        Self { id: Some(errand.into()), ..Self::of(ActorKind::Host) }
    }

    /// Due time: what fires timers and retention.
    pub(crate) const fn timer() -> Self {
        Self::of(ActorKind::Timer)
    }

    /// With a role that the host vouches for, besides those of the organisation.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }
}
