//! Definitions: an authority's organisation and procedures as data, and the checker that refuses what cannot work.

mod check;
mod finding;
mod label;
pub(crate) mod look;
mod organisation;
mod procedure;
mod read;
mod template;

pub use finding::{DefinitionError, Finding};
pub use label::Label;
pub use organisation::{
    Acceptability, Action, Agent, Channel, Contact, Grant, Named, Organisation, Scope, Service, Team,
};
pub use procedure::{
    Ask, Delay, Field, FieldKind, FieldRights, Personal, Phase, PlaceKind, Procedure, Promises, Retention,
    State, Then, Transition, Workflow,
};
pub use template::{ChannelText, Template};

use crate::Word;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that an authority defines: its organisation, whose newest version always applies, and its procedures,
/// one a request type, on whose version a live request stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Definition {
    /// The organisation.
    pub organisation: Organisation,
    /// Workflows that several procedures share.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", rename = "workflow")]
    pub workflows: BTreeMap<Word, Workflow>,
    /// The procedures, by request type.
    #[serde(default, rename = "procedure")]
    pub procedures: BTreeMap<Word, Procedure>,
}
