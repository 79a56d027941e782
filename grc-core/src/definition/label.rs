//! Text that is shown, in several languages.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::{collections::BTreeMap, fmt};

/// A text that is shown: one for all, or one a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

/// By hand, so that an error says where inside it is: an untagged enum forgets.
impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Labels;
        impl<'de> Visitor<'de> for Labels {
            type Value = Label;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("label")
            }

            fn visit_str<E>(self, text: &str) -> Result<Label, E> {
                Ok(Label::Plain(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Label, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Label::Translated)
            }
        }
        deserializer.deserialize_any(Labels)
    }
}
