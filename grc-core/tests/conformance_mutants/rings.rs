//! K-1 to K-6: keyrings that break a clause.

use crate::ring::{Answer, Kept, Keys, Mutant, Under};
use grc_core::{
    KeyId,
    vault::{DataKey, KeyState, KeyringError},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub(crate) fn mutants() -> Vec<Mutant> {
    [durable(), repeated(), destroyed(), kept(), epochs(), shared()].concat()
}

fn refused() -> KeyringError {
    KeyringError::new("mutant", "so it says")
}

fn pause() {
    std::thread::sleep(Duration::from_millis(1));
}

/// The keyring as it was before the last change is kept.
fn before(under: &Under) {
    let copy = under.keyring.backup();
    under.notes().copy = Some(copy);
}

/// Opened again as it was before the last change.
fn earlier(under: &Under) -> Under {
    let copy = under.notes().copy.take();
    copy.map_or_else(|| under.again(), |copy| Under::over(Arc::new(copy)))
}

fn durable() -> Vec<Mutant> {
    vec![
        Mutant::new("K-1", "the last keys issued are lost with the handle")
            .issue(|under, keys| {
                before(under);
                under.issue(keys)
            })
            .reopen(earlier),
        Mutant::new("K-1", "the last destruction is lost with the handle")
            .destroy(|under, ids| {
                before(under);
                under.destroy(ids)
            })
            .reopen(earlier),
        Mutant::new("K-1", "the last keeping is lost with the handle")
            .keep(|under, kept| {
                before(under);
                under.keep(kept)
            })
            .reopen(earlier),
        Mutant::new("K-1", "at most a hundred keys are issued at once")
            .issue(|under, keys| under.issue(keys.into_iter().take(100).collect())),
        Mutant::new("K-1", "keys of one call are issued one by one").issue(|under, keys| {
            let mut epoch = under.issue(Vec::new())?;
            for key in keys {
                epoch = under.issue(vec![key])?;
                if epoch.is_multiple_of(4) {
                    pause();
                }
            }
            Ok(epoch)
        }),
        Mutant::new("K-1", "answers come in order of id").open(|under, mut ids| {
            ids.sort_unstable();
            under.open(ids)
        }),
        Mutant::new("K-1", "an id that is asked twice is answered once").open(|under, ids| {
            let mut once: Vec<KeyId> = Vec::new();
            ids.into_iter().for_each(|id| {
                if !once.contains(&id) {
                    once.push(id);
                }
            });
            under.open(once)
        }),
        Mutant::new("K-1", "unknown keys are left out of the answer").open(|under, ids| {
            let mut states = under.open(ids)?;
            states.retain(|state| *state != KeyState::Unknown);
            Ok(states)
        }),
        Mutant::new("K-1", "keys lose their last byte").issue(|under, keys| {
            let keys = keys.into_iter().map(|(id, key)| {
                let mut bytes = *key.expose();
                bytes[31] = 0;
                (id, DataKey::from_bytes(bytes))
            });
            under.issue(keys.collect())
        }),
    ]
}

fn repeated() -> Vec<Mutant> {
    vec![
        Mutant::new("K-2", "a key that is there is replaced")
            .open(|under, ids| {
                let states = under.open(ids.clone())?;
                let newer = under.notes().keys.clone();
                Ok(states
                    .into_iter()
                    .zip(ids)
                    .map(|(state, id)| match (&state, newer.get(&id)) {
                        (KeyState::Whole(_), Some(key)) => KeyState::Whole(key.clone()),
                        _ => state,
                    })
                    .collect())
            })
            .issue(|under, keys| {
                under.notes().keys.extend(keys.clone());
                under.issue(keys)
            }),
        Mutant::new("K-2", "a key that is there cannot be issued").issue(|under, keys| {
            let there = |(id, _): &(KeyId, DataKey)| under.state(*id) != KeyState::Unknown;
            if keys.iter().any(there) { Err(refused()) } else { under.issue(keys) }
        }),
        counting("K-2", "issuing is always a change").issue(|under, keys| {
            under.issue(keys)?;
            count(under)
        }),
        counting("K-2", "keeping is always a change").keep(|under, kept| {
            under.keep(kept)?;
            count(under)
        }),
        counting("K-2", "destroying is always a change").destroy(|under, ids| {
            under.destroy(ids)?;
            count(under)
        }),
        Mutant::new("K-2", "a key is kept once").keep(|under, (id, slots)| {
            if matches!(under.state(id), KeyState::Kept(_)) {
                Err(refused())
            } else {
                under.keep((id, slots))
            }
        }),
        Mutant::new("K-2", "a key is destroyed once").destroy(|under, ids| {
            let gone = |id: &KeyId| under.state(*id) == KeyState::Destroyed;
            if ids.iter().any(gone) { Err(refused()) } else { under.destroy(ids) }
        }),
        Mutant::new("K-2", "more slots may be kept later").open(widened).keep(|under, (id, slots)| {
            remember(under, id, &slots);
            under.keep((id, slots))
        }),
    ]
}

/// A mutant with an epoch of its own, which is added to the sound one.
fn counting(clause: &'static str, name: &'static str) -> Mutant {
    Mutant::new(clause, name)
        .epoch(|under, ()| {
            let (id, epoch) = under.epoch(())?;
            Ok((id, epoch + under.notes().epoch))
        })
        .issue(|under, keys| Ok(under.issue(keys)? + under.notes().epoch))
        .keep(|under, kept| Ok(under.keep(kept)? + under.notes().epoch))
        .destroy(|under, ids| Ok(under.destroy(ids)? + under.notes().epoch))
}

/// Counts one more change, and answers the epoch.
fn count(under: &Under) -> Answer<u64> {
    let (_, epoch) = under.epoch(())?;
    let mut notes = under.notes();
    notes.epoch += 1;
    Ok(epoch + notes.epoch)
}

/// Every slot that was ever to be kept.
type Slots = BTreeMap<grc_core::vault::Slot, grc_core::vault::SlotKey>;

fn remember(under: &Under, id: KeyId, slots: &Slots) {
    under.notes().slots.entry(id).or_default().extend(slots.clone());
}

fn widened(under: &Under, ids: Vec<KeyId>) -> Answer<Vec<KeyState>> {
    let states = under.open(ids.clone())?;
    let notes = under.notes();
    Ok(states
        .into_iter()
        .zip(ids)
        .map(|(state, id)| match (&state, notes.slots.get(&id)) {
            (KeyState::Kept(_), Some(all)) => KeyState::Kept(all.clone()),
            _ => state,
        })
        .collect())
}

/// Keeps the keys that were issued, whatever becomes of them.
fn hoarded(under: &Under, keys: Keys) -> Answer<u64> {
    for (id, key) in &keys {
        under.notes().keys.entry(*id).or_insert_with(|| key.clone());
    }
    under.issue(keys)
}

/// The keys with those of one state answered as they were issued.
fn unearthed(under: &Under, ids: Vec<KeyId>, of: fn(&KeyState) -> bool) -> Answer<Vec<KeyState>> {
    let states = under.open(ids.clone())?;
    let notes = under.notes();
    let whole = |id: &KeyId| notes.keys.get(id).map(|key| KeyState::Whole(key.clone()));
    Ok(states
        .into_iter()
        .zip(ids)
        .map(|(state, id)| if of(&state) { whole(&id).unwrap_or(state) } else { state })
        .collect())
}

fn destroyed() -> Vec<Mutant> {
    vec![
        Mutant::new("K-3", "a destroyed key is whole once it is issued again")
            .issue(hoarded)
            .destroy(|under, ids| {
                ids.iter().for_each(|id| {
                    under.notes().keys.remove(id);
                });
                under.destroy(ids)
            })
            .open(|under, ids| unearthed(under, ids, |state| *state == KeyState::Destroyed)),
        Mutant::new("K-3", "slots of a destroyed key can be kept")
            .keep(|under, (id, slots)| {
                remember(under, id, &slots);
                under.keep((id, slots))
            })
            .open(|under, ids| {
                let states = under.open(ids.clone())?;
                let notes = under.notes();
                Ok(states
                    .into_iter()
                    .zip(ids)
                    .map(|(state, id)| match (&state, notes.slots.get(&id)) {
                        (KeyState::Destroyed, Some(all)) => KeyState::Kept(all.clone()),
                        _ => state,
                    })
                    .collect())
            }),
        Mutant::new("K-3", "keeping slots of a destroyed key fails").keep(|under, (id, slots)| {
            if under.state(id) == KeyState::Destroyed { Err(refused()) } else { under.keep((id, slots)) }
        }),
        Mutant::new("K-3", "a destroyed key is unknown").open(|under, ids| {
            let states = under.open(ids)?;
            let forget = |state| if state == KeyState::Destroyed { KeyState::Unknown } else { state };
            Ok(states.into_iter().map(forget).collect())
        }),
        Mutant::new("K-3", "an unknown key cannot be destroyed").destroy(|under, ids| {
            let known = |id: &KeyId| under.state(*id) != KeyState::Unknown;
            under.destroy(ids.into_iter().filter(known).collect())
        }),
        Mutant::new("K-3", "slots of an unknown key are kept").keep(|under, (id, slots)| {
            if under.state(id) == KeyState::Unknown {
                return Ok(under.epoch(())?.1);
            }
            under.keep((id, slots))
        }),
    ]
}

fn kept() -> Vec<Mutant> {
    vec![
        Mutant::new("K-4", "the whole key stays behind the kept slots")
            .issue(hoarded)
            .open(|under, ids| unearthed(under, ids, |state| matches!(state, KeyState::Kept(_)))),
        Mutant::new("K-4", "issuing a kept key again makes it whole")
            .keep(|under, (id, slots)| {
                under.notes().keys.remove(&id);
                under.keep((id, slots))
            })
            .issue(hoarded)
            .open(|under, ids| unearthed(under, ids, |state| matches!(state, KeyState::Kept(_)))),
        Mutant::new("K-4", "slots add up").open(widened).keep(|under, (id, slots)| {
            remember(under, id, &slots);
            under.keep((id, slots))
        }),
        Mutant::new("K-4", "the last slot is not kept").keep(|under, (id, mut slots): Kept| {
            slots.pop_last();
            under.keep((id, slots))
        }),
        Mutant::new("K-4", "a key without slots is forgotten").open(|under, ids| {
            let states = under.open(ids)?;
            let forget = |state| match state {
                KeyState::Kept(slots) if slots.is_empty() => KeyState::Unknown,
                other => other,
            };
            Ok(states.into_iter().map(forget).collect())
        }),
        Mutant::new("K-4", "kept slots outlive destruction").destroy(|under, ids| {
            let whole = |id: &KeyId| !matches!(under.state(*id), KeyState::Kept(_));
            under.destroy(ids.into_iter().filter(whole).collect())
        }),
        Mutant::new("K-4", "keeping slots of one key takes the others'").keep(|under, (id, slots)| {
            let next = KeyId::from_uuid(uuid::Uuid::from_u128(id.uuid().as_u128() + 1));
            let epoch = under.keep((id, slots))?;
            Ok(under.keep((next, BTreeMap::new())).unwrap_or(epoch))
        }),
    ]
}

fn epochs() -> Vec<Mutant> {
    vec![
        Mutant::new("K-5", "the epoch stays")
            .epoch(|under, ()| Ok((under.epoch(())?.0, 0)))
            .issue(|under, keys| under.issue(keys).map(|_| 0))
            .keep(|under, kept| under.keep(kept).map(|_| 0))
            .destroy(|under, ids| under.destroy(ids).map(|_| 0)),
        Mutant::new("K-5", "a call answers the epoch before it").issue(|under, keys| {
            let before = under.epoch(())?.1;
            under.issue(keys)?;
            Ok(before)
        }),
        counting("K-5", "reading grows the epoch").open(|under, ids| {
            count(under)?;
            under.open(ids)
        }),
        counting("K-5", "destroying does not grow the epoch").destroy(|under, ids| {
            let before = under.epoch(())?.1;
            let after = under.destroy(ids)?;
            let mut notes = under.notes();
            notes.epoch = notes.epoch.wrapping_sub(after - before);
            Ok(after.wrapping_add(notes.epoch))
        }),
        Mutant::new("K-5", "all keyrings have one id")
            .epoch(|under, ()| Ok((uuid::Uuid::nil(), under.epoch(())?.1))),
    ]
}

fn shared() -> Vec<Mutant> {
    vec![
        Mutant::new("K-6", "two that issue at once answer one epoch").issue(|under, keys| {
            let (_, before) = under.epoch(())?;
            pause();
            let after = under.issue(keys)?;
            Ok(if after > before { before + 1 } else { after })
        }),
        Mutant::new("K-6", "each handle has keys of its own")
            .second(|under| Under::over(Arc::new(under.keyring.backup()))),
        Mutant::new("K-6", "each handle sees what was there when it was opened")
            .second(|under| {
                let second = under.again();
                second.notes().copy = Some(under.keyring.backup());
                second
            })
            .open(|under, ids| match &under.notes().copy {
                Some(copy) => pollster::block_on(grc_core::vault::Keyring::open(copy, &ids)),
                None => under.open(ids),
            }),
        Mutant::new("K-6", "two that issue at once lose a key").issue(|under, keys| {
            let busy = std::mem::replace(&mut under.notes().epoch, 1) == 1;
            if busy {
                return Ok(under.epoch(())?.1);
            }
            pause();
            let epoch = under.issue(keys);
            under.notes().epoch = 0;
            epoch
        }),
    ]
}
