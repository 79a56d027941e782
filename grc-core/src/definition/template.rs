//! Templates of messages, and how long a message may be in a channel.

use super::{Channel, Contact, Label};
use crate::Word;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a message says, with variables: `{{ type }}`, `{{ requester.name }}`, `{{ fields.description }}`…
///
/// The variables are texts, empty where there is no value: `authority`, `type`, `channel`, `service`, `service_phone`,
/// `service_email`, `service_address`, `stage`, `code`, `place`, `opened`, `target`, `closed`, `today` (days in the
/// authority's zone, `24 novembre 2026` in French, else `2026-11-24`), `outcome`, `acceptability`,
/// `acceptability_reason`, `message` (what the actor wrote with the transition), `requester.name`, `requester.given`
/// and `fields.<id>` of the type's fields that the requester may read, files apart. In `fields.<id>` a hyphen or a dot
/// of the id is written `_`. Of a yes-or-no field, no is empty.
///
/// There are conditions, loops (`range`), `set` and macros, the filters `capitalize`, `default`, `length`, `lower`,
/// `title`, `trim` and `upper`, and the test `defined`. Tags hold no lists and no sums: no `,`, `*`, `+` or brace
/// outside of quotes, and no `raw`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Template {
    /// Its id.
    pub id: Word,
    /// Its name.
    pub label: Label,
    /// The subject, for channels that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text, for every channel without one of its own.
    pub text: String,
    /// The subject and text of single channels.
    #[serde(default, rename = "channel", skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<Word, ChannelText>,
}

/// What a template says in one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChannelText {
    /// The subject; absent: the template's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text.
    pub text: String,
}

impl Template {
    /// The subject and the text in a channel.
    pub fn in_channel(&self, channel: &Word) -> (Option<&str>, &str) {
        match self.channels.get(channel) {
            Some(own) => (own.subject.as_deref().or(self.subject.as_deref()), &own.text),
            None => (self.subject.as_deref(), &self.text),
        }
    }
}

impl Contact {
    /// The detail of a person that it is.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone | Self::Mobile => "phone",
            Self::Address => "address",
        }
    }
}

impl Channel {
    /// The most characters of a message by a telephone number, where the definition does not say: six parts of a
    /// short message.
    pub const PHONE_MAX: u32 = 918;
    /// The most characters of any message.
    pub const TEXT_MAX: u32 = 20_000;

    /// The most characters of a message.
    pub fn most(&self) -> u32 {
        self.max.unwrap_or(match self.answer {
            Some(Contact::Phone | Contact::Mobile) => Self::PHONE_MAX,
            _ => Self::TEXT_MAX,
        })
    }

    /// Whether messages to the requester go by it: it says what that needs, or a person tells them.
    pub const fn answers(&self) -> bool {
        self.answer.is_some() || self.by_hand
    }
}
