//! What happened to an intervention (docs/formats.md §7).

use crate::{Moment, Word, vault::Slot};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A request that an intervention serves, and what it weighs when costs are shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedRequest {
    /// Which.
    pub request: Uuid,
    /// Its weight; 1 where costs are shared equally.
    pub weight: u32,
    /// Its type.
    #[serde(rename = "type")]
    pub type_: Word,
    /// Its family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Word>,
    /// The member of the authority that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Word>,
    /// The zone of its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Word>,
}

/// What happened to an intervention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the members are described in docs/formats.md §7")]
pub enum InterventionEvent {
    /// It was planned, or planned anew.
    Planned {
        requests: Vec<ServedRequest>,
        /// How costs are shared: `equal` or `weights`.
        rule: Word,
        from: Moment,
        until: Moment,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supplier: Option<Word>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        agents: Vec<Word>,
        minutes: u32,
        cents: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quote: Option<Slot>,
    },
    /// Who is to do it has seen it.
    Acknowledged {},
    /// It began.
    Started {},
    /// It is done.
    Done {},
    /// It could not be done.
    Impossible {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Word>,
    },
    /// It will not take place.
    Cancelled {},
    /// Time was spent.
    Spent {
        entry: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<Word>,
        minutes: u32,
        /// What that time costs at the team's rate.
        cents: i64,
    },
    /// Something was bought.
    Bought {
        entry: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supplier: Option<Word>,
        net: i64,
        vat: i64,
        /// The rate of VAT in hundredths of a per cent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<Slot>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quote: Option<Slot>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice: Option<Slot>,
    },
    /// An entry was struck out: it was wrong.
    Struck { entry: u32 },
    /// Values were erased.
    Erased { slots: Vec<Slot>, reason: Word },
}

impl InterventionEvent {
    /// What it touches: commands that touch none of it are not made stale by it.
    pub const fn touches(&self) -> &'static [&'static str] {
        match self {
            Self::Planned { .. } => &["plan", "stage"],
            Self::Acknowledged {}
            | Self::Started {}
            | Self::Done {}
            | Self::Impossible { .. }
            | Self::Cancelled {} => &["stage"],
            Self::Struck { .. } => &["entries"],
            Self::Spent { .. } | Self::Bought { .. } | Self::Erased { .. } => &[],
        }
    }
}
