//! What happened: the only way anything changes (docs/formats.md §3, §7).

use super::{ActorRef, Context, Decision};
use crate::{
    BlobId, KeyId, Moment, Value, Word,
    canonical::CanonicalError,
    vault::{Commitment, Slot, StreamContext},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The value of a field as state and events hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// In the vault.
    Slot(Slot),
    /// In clear: the field is declared indexed and is not personal.
    Clear(Value),
}

/// A person as events hold them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartyData {
    /// Their role.
    pub role: Word,
    /// The channel chosen for answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Word>,
    /// Details by name: `name`, `given`, `email`, `phone`, `address`.
    #[serde(flatten)]
    pub details: BTreeMap<Word, Slot>,
}

/// A place as events hold it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlaceData {
    /// The zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Word>,
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Slot>,
    /// The position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<Slot>,
    /// Whether the place is public, so that its position is a fact.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
}

/// A file as events hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileData {
    /// The slot of its name and key.
    pub slot: Slot,
    /// Its bytes.
    pub blob: BlobId,
    /// Its size.
    pub bytes: u64,
    /// Its media type.
    pub media: String,
    /// The field it fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Word>,
    /// The intervention of which it is a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervention: Option<Uuid>,
    /// `before` or `after` the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<Word>,
}

/// What happened to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the members are described in docs/formats.md §7")]
pub enum RequestEvent {
    /// It was handed in.
    Submitted {
        #[serde(rename = "type")]
        type_: Word,
        procedure: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        family: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entity: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<Word>,
        channel: Word,
        state: Word,
        phase: Word,
        fields: BTreeMap<Word, Held>,
        parties: Vec<PartyData>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<PlaceData>,
        code: Slot,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Moment>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        promises: BTreeMap<Word, Moment>,
        sector: Word,
        month: Word,
    },
    /// It went from a state to another.
    Moved {
        transition: Word,
        from: Word,
        to: Word,
        phase: Word,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<Word>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        timer: bool,
    },
    /// Somebody holds it.
    Assigned {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Slot>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        taken: bool,
    },
    /// Fields were filled, changed or cleared.
    Corrected { fields: BTreeMap<Word, Option<Held>> },
    /// It was judged whether the service can act on it.
    Assessed {
        acceptability: Word,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Word>,
    },
    /// What came of it was said, or corrected, without a step of the workflow.
    Concluded {
        outcome: Word,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Slot>,
    },
    /// The requester said whether that is what was needed.
    Confirmed {
        confirmation: Word,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<Slot>,
    },
    /// A message came in or is to go out.
    Messaged {
        direction: Word,
        channel: Word,
        text: Slot,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<Slot>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<Word>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        automatic: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        party: Option<u32>,
    },
    /// What became of a message.
    Delivered {
        message: u64,
        status: Word,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<Word>,
    },
    /// An internal note.
    Noted { text: Slot },
    /// A file was added.
    Attached { file: FileData },
    /// Work was done and paid.
    Worked {
        minutes: u32,
        cents: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supplier: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<Word>,
    },
    /// How far an intervention is that serves it.
    Served {
        intervention: Uuid,
        stage: Word,
        from: Moment,
        until: Moment,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supplier: Option<Word>,
        minutes: u32,
        cents: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instructions: Option<Slot>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        report: Option<Slot>,
    },
    /// Its share of what an intervention took: of one entry, in place of what was said of that entry before.
    Charged {
        intervention: Uuid,
        entry: u32,
        spent: Moment,
        minutes: u32,
        cents: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supplier: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        team: Option<Word>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<Word>,
    },
    /// It was linked to another request.
    Linked {
        #[serde(rename = "link")]
        kind: Word,
        target: Uuid,
    },
    /// A hold was set.
    Held { hold: u32, reason: Slot },
    /// A hold was lifted.
    Released { hold: u32 },
    /// Values were erased before their time.
    Erased { slots: Vec<Slot>, reason: Word },
    /// It was anonymised.
    Anonymised {
        rule: Word,
        slots: Vec<Slot>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        point: Option<(i32, i32)>,
    },
}

impl RequestEvent {
    /// What it touches: commands that touch none of it are not made stale by it.
    pub fn touches(&self) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Self::Submitted { .. } | Self::Anonymised { .. } => words(&["*"]),
            Self::Moved { outcome: Some(_), .. } => words(&["state", "outcome"]),
            Self::Moved { .. } => words(&["state"]),
            Self::Concluded { .. } => words(&["outcome"]),
            Self::Assigned { .. } => words(&["assignment"]),
            Self::Corrected { fields } => fields.keys().map(|field| format!("field:{field}")).collect(),
            Self::Assessed { .. } => words(&["acceptability"]),
            Self::Held { .. } | Self::Released { .. } => words(&["hold"]),
            Self::Erased { .. } => words(&["erasure"]),
            Self::Messaged { .. }
            | Self::Delivered { .. }
            | Self::Confirmed { .. }
            | Self::Noted { .. }
            | Self::Attached { .. }
            | Self::Worked { .. }
            | Self::Served { .. }
            | Self::Charged { .. }
            | Self::Linked { .. } => Vec::new(),
        }
    }
}

/// An event with its envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event<D = RequestEvent> {
    /// The format's version.
    pub v: u32,
    /// Its place in the stream, from 1.
    pub seq: u64,
    /// When it happened.
    #[serde(rename = "at")]
    pub occurred_at: Moment,
    /// When it was recorded.
    #[serde(rename = "rec")]
    pub recorded_at: Moment,
    /// Who did it.
    pub actor: ActorRef,
    /// The version of the organisation it was decided under.
    #[serde(rename = "org")]
    pub organisation: u64,
    /// What happened.
    #[serde(flatten)]
    pub data: D,
    /// The data key of its new slots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// The commitments to its new slots.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slots: BTreeMap<Slot, Commitment>,
}

impl Event {
    /// The events of a decision with their envelopes, for software that folds them itself and seals the slots in its
    /// own way: they carry no key and no commitments. `version` is that of the request before.
    pub fn sequence(
        decision: &Decision,
        version: u64,
        occurred_at: Moment,
        recorded_at: Moment,
        context: &Context<'_>,
    ) -> Vec<Self> {
        let events = decision.events.iter().zip(version + 1..);
        let envelope = |(data, seq): (&RequestEvent, u64)| Self {
            v: Self::VERSION,
            seq,
            occurred_at,
            recorded_at,
            actor: context.acting.reference(),
            organisation: context.organisation_version,
            data: data.clone(),
            key: None,
            slots: BTreeMap::new(),
        };
        events.map(envelope).collect()
    }
}

/// A stored event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// It was written by a newer version of the library.
    #[error("event {0} was written by a newer version of this library: upgrade it")]
    Newer(u64),
    /// It is not an event.
    #[error("the event cannot be read: {0}")]
    Shape(String),
}

/// Brings the body of an event from one version of the format to the next.
type Upcast = fn(&mut serde_json::Value) -> Result<(), String>;

/// The first of them makes version 2 of version 1, and so on. One that was released is never changed: bodies are never
/// written again, so each runs for ever.
#[cfg(not(test))]
const UPCASTS: [Upcast; 0] = [];
/// Among the library's own tests one came before, so that a body of it goes the whole way through the engine.
#[cfg(test)]
const UPCASTS: [Upcast; 1] = [crate::engine::earlier::upcast];

impl<D: Serialize + for<'de> Deserialize<'de>> Event<D> {
    /// The version of the format that is written.
    pub const VERSION: u32 = 1 + UPCASTS.len() as u32;

    /// The bytes that are stored and hashed.
    ///
    /// # Errors
    /// [`CanonicalError`] if something in it is beyond what canonical JSON holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        crate::canonical::to_bytes(self)
    }

    /// Reads stored bytes, those of earlier formats too.
    ///
    /// # Errors
    /// [`EventError::Newer`] for a later format, [`EventError::Shape`] for what is no event.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EventError> {
        Self::from_bytes_by(bytes, &UPCASTS)
    }

    fn from_bytes_by(bytes: &[u8], upcasts: &[Upcast]) -> Result<Self, EventError> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
            seq: u64,
        }
        let shape = |error: serde_json::Error| EventError::Shape(error.to_string());
        let Version { v, seq } = serde_json::from_slice(bytes).map_err(shape)?;
        let older = usize::try_from(v).ok().and_then(|v| v.checked_sub(1));
        let older = older.ok_or_else(|| EventError::Shape("there is no version 0".to_owned()))?;
        match upcasts.get(older..) {
            None => Err(EventError::Newer(seq)),
            Some([]) => serde_json::from_slice(bytes).map_err(shape),
            Some(upcasts) => {
                let mut body: serde_json::Value = serde_json::from_slice(bytes).map_err(shape)?;
                for upcast in upcasts {
                    upcast(&mut body).map_err(EventError::Shape)?;
                }
                serde_json::from_value(body).map_err(shape)
            }
        }
    }
}

/// The head of an event: a hash over where it stands, what came before, and its exact bytes.
pub fn head(context: &StreamContext, sequence: u64, previous: &[u8; 32], body: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"grc-head-1\0")
        .chain_update(context.as_bytes())
        .chain_update(sequence.to_be_bytes())
        .chain_update(previous)
        .chain_update(body)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::ActorKind;
    use serde_json::{Value, json};

    /// What an event says whose form has changed twice: `message` became `text`, then a text became a list.
    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Said {
        texts: Vec<String>,
    }

    fn members(body: &mut Value) -> Result<&mut serde_json::Map<String, Value>, String> {
        body.as_object_mut().ok_or_else(|| "it is no object".to_owned())
    }

    fn text(body: &mut Value) -> Result<(), String> {
        let members = members(body)?;
        let text = members.remove("message").ok_or("it has no message")?;
        members.insert("text".to_owned(), text);
        Ok(())
    }

    fn texts(body: &mut Value) -> Result<(), String> {
        let members = members(body)?;
        let text = members.remove("text").ok_or("it has no text")?;
        members.insert("texts".to_owned(), json!([text]));
        Ok(())
    }

    fn read(v: u32, data: Value) -> Result<Said, EventError> {
        let event = Event {
            v,
            seq: 3,
            occurred_at: Moment::EPOCH,
            recorded_at: Moment::EPOCH,
            actor: ActorRef { kind: ActorKind::Timer, id: None },
            organisation: 1,
            data,
            key: None,
            slots: BTreeMap::new(),
        };
        let bytes = event.to_bytes().map_err(|error| EventError::Shape(error.to_string()))?;
        Event::<Said>::from_bytes_by(&bytes, &[text, texts]).map(|event| event.data)
    }

    #[test]
    fn a_body_of_any_earlier_format_is_read_and_a_later_one_refused() {
        let said = Said { texts: vec!["Bonjour".to_owned()] };
        for (v, data) in [
            (1, json!({ "message": "Bonjour" })),
            (2, json!({ "text": "Bonjour" })),
            (3, json!({ "texts": ["Bonjour"] })),
        ] {
            assert_eq!(read(v, data).as_ref(), Ok(&said), "version {v}");
        }
        assert_eq!(read(4, json!({ "texts": [] })), Err(EventError::Newer(3)));
        for (v, data) in
            [(0, json!({})), (1, json!({ "text": "" })), (2, json!({})), (3, json!({ "text": "" }))]
        {
            assert!(matches!(read(v, data), Err(EventError::Shape(_))), "version {v}");
        }
    }
}
