//! What lasted from one moment to another.

use crate::{Moment, Word};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A span: the visit of a state or a desk, an exchange, work. Its kind and dimensions are open words, so that new
/// kinds of figures need no other stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What lasted: `state`, `desk`, `exchange`, `work`.
    #[serde(rename = "k")]
    pub kind: Word,
    /// By what it is counted: `state`, `service`, `team`, `agent`, `direction`, `channel`, `supplier`.
    #[serde(rename = "d", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<Word, Word>,
    /// From when (occurred).
    #[serde(rename = "f")]
    pub from: Moment,
    /// Until when (occurred); none while it lasts.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Minutes of work.
    #[serde(rename = "m", default, skip_serializing_if = "is_zero")]
    pub minutes: u32,
    /// Cents of cost.
    #[serde(rename = "c", default, skip_serializing_if = "no_cents")]
    pub cents: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
const fn no_cents(cents: &i64) -> bool {
    *cents == 0
}

impl Span {
    pub(crate) fn new(
        kind: &'static str,
        from: Moment,
        dimensions: &[(&'static str, Option<&Word>)],
    ) -> Self {
        Self {
            kind: Word::of(kind),
            dimensions: dimensions
                .iter()
                .filter_map(|(name, value)| value.map(|value| (Word::of(name), value.clone())))
                .collect(),
            from,
            until: None,
            minutes: 0,
            cents: 0,
        }
    }

    pub(crate) fn point(mut self) -> Self {
        self.until = Some(self.from);
        self
    }

    /// A dimension.
    pub fn dimension(&self, name: &str) -> Option<&Word> {
        self.dimensions.get(name)
    }
}
