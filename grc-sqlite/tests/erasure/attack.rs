//! What somebody can do who holds every byte that the store was ever given, and the keyring's files as they are.

use grc_core::{
    BlobId, Value, Word,
    request::{Event, RequestEvent},
    storage::{Batch, Step},
    vault::{Commitment, DataKey, SealedSlot, Slot, SlotKey, StreamContext, VaultRow, open},
};
use std::{collections::BTreeMap, path::Path};
use uuid::Uuid;

/// Everything that can be read out of the batches about one stream, without any key.
#[derive(Debug, Default)]
pub(crate) struct Loot {
    pub(crate) sealed: Vec<SealedSlot>,
    pub(crate) commitments: BTreeMap<Slot, Commitment>,
}

impl Loot {
    pub(crate) fn of(batches: &[Batch], stream: Uuid) -> Self {
        let mut loot = Self::default();
        for step in batches.iter().flat_map(Batch::steps) {
            match step {
                Step::PutVault { stream: key, bytes, .. } if key.id == stream => {
                    for slot in VaultRow::from_bytes(bytes).unwrap().0 {
                        if !loot.sealed.contains(&slot) {
                            loot.sealed.push(slot);
                        }
                    }
                }
                Step::Append { stream: key, events, .. } if key.id == stream => {
                    for event in events {
                        let event = Event::<RequestEvent>::from_bytes(&event.body).unwrap();
                        loot.commitments.extend(event.slots);
                    }
                }
                _ => {}
            }
        }
        loot
    }
}

/// Every run of 32 bytes in a directory's files whose names end so: whatever key is there is among them.
pub(crate) fn windows(directory: &Path, ends: &[&str]) -> Vec<[u8; 32]> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !ends.iter().any(|end| name.contains(end)) {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for window in bytes.windows(32) {
            // A run with hardly any different bytes is no key out of a random source.
            let mut seen = [false; 256];
            window.iter().for_each(|byte| seen[usize::from(*byte)] = true);
            if seen.iter().filter(|seen| **seen).count() >= 16 {
                out.push(window.try_into().unwrap());
            }
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// What the attack found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) opened: BTreeMap<Slot, Value>,
    pub(crate) guessed: Vec<Slot>,
}

/// Tries every candidate as data key and as slot key, on every sealed slot and every commitment of these slots.
/// `guesses` are the true values: an attacker with a good guess.
pub(crate) fn attack(
    loot: &Loot,
    birth: &str,
    stream: Uuid,
    candidates: &[[u8; 32]],
    slots: &[Slot],
    guesses: &BTreeMap<Slot, Value>,
) -> Found {
    let context = StreamContext::new(&Word::new(birth).unwrap(), &Word::new("request").unwrap(), stream);
    let mut found = Found::default();
    for candidate in candidates {
        let data = DataKey::from_bytes(*candidate);
        for slot in slots {
            for key in [data.slot(&context, *slot), SlotKey::from_bytes(*candidate)] {
                for sealed in loot.sealed.iter().filter(|sealed| sealed.slot == *slot) {
                    if let Ok(value) = open(&context, &key, sealed) {
                        found.opened.insert(*slot, value);
                    }
                }
                if let (Some(commitment), Some(guess)) = (loot.commitments.get(slot), guesses.get(slot))
                    && commitment.holds(&key, guess)
                {
                    found.guessed.push(*slot);
                }
            }
        }
    }
    found
}

/// Whether the pieces of a file can be opened with any of the files' keys that were found.
pub(crate) fn files_open(pieces: &[(BlobId, u32, Vec<u8>)], found: &Found) -> bool {
    found.opened.values().any(|value| match value {
        Value::File(info) => info
            .key()
            .is_some_and(|key| pieces.iter().any(|(id, n, bytes)| key.open(*id, *n, true, bytes).is_some())),
        _ => false,
    })
}
