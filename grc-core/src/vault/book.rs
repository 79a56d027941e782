//! Which slots of a stream live, and under which keys.

use super::Slot;
use crate::{KeyId, Word, vault::Commitment};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A data key of a stream, and the first slot that it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRange {
    /// The key.
    pub id: KeyId,
    /// The first slot that it serves.
    pub from: Slot,
}

/// The living slots of a stream, what they hold, and the keys that they are sealed under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotBook {
    /// Living slots and what they hold: a field's id, or `requester.phone`, `message`…
    pub slots: BTreeMap<Slot, Word>,
    /// The number of the next one.
    pub next_slot: Slot,
    /// The keys, in order of the slots that they serve.
    pub keys: Vec<KeyRange>,
    /// The key for new slots; none when the next ones need a fresh key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing: Option<KeyId>,
}

impl Default for SlotBook {
    fn default() -> Self {
        Self { slots: BTreeMap::new(), next_slot: 1, keys: Vec::new(), sealing: None }
    }
}

impl SlotBook {
    /// Takes in the slots that an event fills under a key.
    pub(crate) fn take(&mut self, key: Option<KeyId>, filled: &BTreeMap<Slot, Commitment>) {
        let Some(key) = key else { return };
        self.sealing = Some(key);
        if self.keys.last().is_none_or(|range| range.id != key) {
            let from = filled.keys().next().copied().unwrap_or(self.next_slot);
            self.keys.push(KeyRange { id: key, from });
        }
        if let Some(last) = filled.keys().next_back() {
            self.next_slot = self.next_slot.max(last.saturating_add(1));
        }
    }

    /// Says what a slot holds.
    pub(crate) fn name(&mut self, slot: Slot, path: &str) {
        // A pure caller that seals nothing has no slots in the envelope; numbers still never come twice.
        self.next_slot = self.next_slot.max(slot.saturating_add(1));
        self.slots.insert(slot, Word::new(path).unwrap_or_else(|_| Word::of("x")));
    }

    /// Takes slots away.
    pub(crate) fn forget(&mut self, slots: &[Slot]) {
        for slot in slots {
            self.slots.remove(slot);
        }
        // What is typed from now on must not be sealed under a key that is about to be taken apart, and a key that
        // serves no living slot is of no use any more.
        self.sealing = None;
        let living: Vec<KeyId> = self.slots.keys().filter_map(|slot| self.key_of(*slot)).collect();
        self.keys.retain(|range| living.contains(&range.id));
    }

    /// The data key under which a slot was sealed.
    pub fn key_of(&self, slot: Slot) -> Option<KeyId> {
        self.keys.iter().rev().find(|range| range.from <= slot).map(|range| range.id)
    }
}
