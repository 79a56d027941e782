//! From decisions to sealed rows, and from sealed rows to values.

use super::{GrcError, stream::Folded};
use crate::{
    Entropy, KeyId, Moment, Word,
    request::{Acting, Event, NewSlot, RequestEvent, Values, head},
    storage::{StoredEvent, StreamKey, StreamRecord, StreamRow},
    vault::{
        DataKey, KeyState, Keyring, Part, SealedSlot, Slot, StreamContext, VaultRow, commit, open, seal,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The envelope that all events of one command share.
pub(crate) struct Envelope<'a> {
    pub(crate) occurred_at: Moment,
    pub(crate) recorded_at: Moment,
    pub(crate) acting: &'a Acting,
    pub(crate) organisation: u64,
    pub(crate) batch: crate::BatchId,
}

/// The events of a decision as they are stored, and the slots they fill, by part.
pub(crate) struct Sealed<D = RequestEvent> {
    pub(crate) events: Vec<Event<D>>,
    pub(crate) stored: Vec<StoredEvent>,
    pub(crate) parts: BTreeMap<Part, Vec<SealedSlot>>,
}

/// Seals what was decided: events, and the slots that they fill. `key` is there whenever they fill some.
pub(crate) fn seal_decision<D: Serialize + DeserializeOwned + Clone>(
    context: &StreamContext,
    version: u64,
    previous: [u8; 32],
    (decided, slots): (&[D], &[(usize, NewSlot)]),
    key: Option<&(KeyId, DataKey)>,
    envelope: &Envelope<'_>,
    entropy: &dyn Entropy,
) -> Result<Sealed<D>, GrcError> {
    let mut out = Sealed { events: Vec::new(), stored: Vec::new(), parts: BTreeMap::new() };
    let mut previous = previous;
    for (index, data) in decided.iter().enumerate() {
        let mut commitments = BTreeMap::new();
        for (_, slot) in slots.iter().filter(|(of, _)| *of == index) {
            let Some((id, key)) = key else {
                return Err(GrcError::Corrupt("a slot was to be sealed without a key".to_owned()));
            };
            let slot_key = key.slot(context, slot.slot);
            commitments.insert(slot.slot, commit(&slot_key, slot.value.expose())?);
            let sealed = seal(context, slot.slot, *id, &slot_key, slot.value.expose(), entropy)?;
            out.parts.entry(slot.part).or_default().push(sealed);
        }
        let sequence = version + 1 + index as u64;
        let event = Event {
            v: Event::<D>::VERSION,
            seq: sequence,
            occurred_at: envelope.occurred_at,
            recorded_at: envelope.recorded_at,
            actor: envelope.acting.reference(),
            organisation: envelope.organisation,
            data: data.clone(),
            key: key.filter(|_| !commitments.is_empty()).map(|(id, _)| *id),
            slots: commitments,
        };
        let body = event.to_bytes()?;
        previous = head(context, sequence, &previous, &body);
        out.stored.push(StoredEvent { sequence, batch: envelope.batch, head: previous, body });
        out.events.push(event);
    }
    Ok(out)
}

/// What opening a stream's slots gave.
#[derive(Default)]
pub(crate) struct Opened {
    pub(crate) values: Values,
    /// Living slots whose key was destroyed: their erasure was not finished, or an old backup brought them back.
    pub(crate) dead: BTreeSet<Slot>,
    /// What is held of the key that was asked for besides.
    pub(crate) besides: Option<KeyState>,
}

/// The slots of a stream that somebody wants to see, still sealed.
pub(crate) struct Wanted {
    stream: Uuid,
    context: StreamContext,
    sealed: Vec<SealedSlot>,
    besides: Option<KeyId>,
}

impl Wanted {
    /// What a filter wants of the vault parts at hand.
    pub(crate) fn of(record: &StreamRecord, wanted: &dyn Fn(Slot) -> bool) -> Result<Self, GrcError> {
        let mut sealed = Vec::new();
        for bytes in record.vault.values() {
            sealed.extend(VaultRow::from_bytes(bytes)?.0.into_iter().filter(|slot| wanted(slot.slot)));
        }
        Ok(Self { stream: record.row.key.id, context: context_of(&record.row), sealed, besides: None })
    }

    /// And a key, if the keyring is asked at all: what needs no value does not need the keyring.
    pub(crate) fn and_key(mut self, key: Option<KeyId>) -> Self {
        self.besides = key.filter(|_| !self.sealed.is_empty());
        self
    }

    fn keys(&self) -> impl Iterator<Item = KeyId> {
        self.sealed.iter().map(|slot| slot.key).chain(self.besides)
    }

    fn opened(&self, states: &BTreeMap<KeyId, KeyState>) -> Result<Opened, GrcError> {
        let mut out =
            Opened { besides: self.besides.and_then(|key| states.get(&key).cloned()), ..Opened::default() };
        for slot in &self.sealed {
            let state = states.get(&slot.key).unwrap_or(&KeyState::Unknown);
            match state.slot(&self.context, slot.slot) {
                Some(key) => {
                    out.values.insert(slot.slot, open(&self.context, &key, slot)?);
                }
                None if *state == KeyState::Unknown => return Err(GrcError::KeyLost(self.stream)),
                None => {
                    out.dead.insert(slot.slot);
                }
            }
        }
        Ok(out)
    }
}

/// Opens what is wanted of several streams, in their order, with one question to the keyring.
pub(crate) async fn open_all(keyring: &dyn Keyring, wanted: &[Wanted]) -> Result<Vec<Opened>, GrcError> {
    let ids: BTreeSet<KeyId> = wanted.iter().flat_map(Wanted::keys).collect();
    let ids: Vec<KeyId> = ids.into_iter().collect();
    let states = if ids.is_empty() { Vec::new() } else { keyring.open(&ids).await? };
    let states: BTreeMap<KeyId, KeyState> = ids.into_iter().zip(states).collect();
    wanted.iter().map(|wanted| wanted.opened(&states)).collect()
}

/// Opens the slots of the vault parts at hand, as far as a filter wants them.
pub(crate) async fn open_slots(
    keyring: &dyn Keyring,
    record: &StreamRecord,
    wanted: &(dyn Fn(Slot) -> bool + Sync),
) -> Result<Opened, GrcError> {
    Ok(open_all(keyring, &[Wanted::of(record, wanted)?]).await?.pop().unwrap_or_default())
}

/// The state in a stream row, folded again by the caller if another fold made it.
pub(crate) fn read_state<S: Folded>(row: &StreamRow) -> Result<Option<S>, GrcError> {
    if row.fold != S::FOLD {
        return Ok(None);
    }
    let (kind, id) = (S::KIND, row.key.id);
    let state: S = serde_json::from_slice(&row.body)
        .map_err(|error| GrcError::Corrupt(format!("the state of {kind} {id} cannot be read: {error}")))?;
    if state.version() == row.version && state.id() == id {
        Ok(Some(state))
    } else {
        Err(GrcError::Corrupt(format!("the state of {kind} {id} is not of its row")))
    }
}

pub(crate) fn stream_of(authority: &Word, id: crate::RequestId) -> StreamKey {
    StreamKey::new(authority.clone(), Word::of(crate::RequestId::KIND), id.uuid())
}

pub(crate) fn context_of(row: &StreamRow) -> StreamContext {
    StreamContext::new(&row.birth, &row.key.kind, row.key.id)
}

/// The position that a row's facts hold.
pub(crate) fn point_of(row: &StreamRow) -> Option<(i32, i32)> {
    let number = |fact| row.facts.integer(fact).and_then(|number| i32::try_from(number).ok());
    Some((number(crate::storage::Fact::Lat)?, number(crate::storage::Fact::Lon)?))
}
