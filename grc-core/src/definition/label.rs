//! Text that is shown, in several languages.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A text that is shown: one for all, or one a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// The same in every language.
    Plain(String),
    /// By language tag (`fr`, `en`, `br`…).
    Translated(BTreeMap<String, String>),
}

impl Label {
    /// The text in a language; where it is missing, in the first language that there is.
    pub fn get(&self, language: &str) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Translated(texts) => {
                texts.get(language).or_else(|| texts.values().next()).map_or("", String::as_str)
            }
        }
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}
