//! K-1 to K-6: the keyring.

use super::{
    erased::{Guard, OnRing, block_on},
    harness::{done, not_applicable},
    rows::{uuid, word},
};
use crate::{
    KeyId,
    vault::{DataKey, KeyState, Keyring, KeyringError, Slot, SlotKey, StreamContext},
};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// A fresh keyring, for one case.
struct Ring {
    on: OnRing,
    guard: Guard,
    keyring: Arc<dyn Keyring>,
}

fn id(n: u8) -> KeyId {
    KeyId::from_uuid(uuid(u128::from(n)))
}

fn key(n: u8) -> DataKey {
    DataKey::from_bytes([n; 32])
}

fn context() -> StreamContext {
    StreamContext::new(&word("town"), &word("request"), uuid(1))
}

/// The keys of some slots of key n.
fn slots(n: u8, slots: &[Slot]) -> BTreeMap<Slot, SlotKey> {
    slots.iter().map(|slot| (*slot, key(n).slot(&context(), *slot))).collect()
}

impl Ring {
    fn open(on: OnRing) -> Self {
        let (guard, keyring) = on.open();
        Self { on, guard, keyring }
    }

    fn reopened(self, case: &str) -> Option<Self> {
        let Self { on, guard, keyring } = self;
        drop(keyring);
        let again = on.reopen(&guard);
        assert_eq!(
            again.is_some(),
            on.is_durable(),
            "a harness can reopen its keyring exactly if it is durable"
        );
        if again.is_none() {
            not_applicable(case, "the harness says that this keyring is not durable");
        }
        again.map(|keyring| Self { on, guard, keyring })
    }

    /// What a call answers; while the keyring says that it may pass, asked again.
    #[track_caller]
    fn settled<T>(call: impl Fn() -> Result<T, KeyringError>) -> Result<T, KeyringError> {
        for _ in 0..200 {
            match call() {
                Err(error) if error.is_unavailable() => {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                settled => return settled,
            }
        }
        call()
    }

    #[track_caller]
    fn epoch(&self) -> (Uuid, u64) {
        done(block_on(self.on, self.keyring.epoch()))
    }

    /// Answers the epoch after a call, checked against what the keyring then says of itself.
    #[track_caller]
    fn answered(&self, answer: u64) -> u64 {
        assert_eq!(self.epoch().1, answer, "K-5: a call answers the epoch that `epoch` answers after it");
        answer
    }

    #[track_caller]
    fn issue(&self, ns: impl IntoIterator<Item = u8>) -> u64 {
        let keys: Vec<_> = ns.into_iter().map(|n| (id(n), key(n))).collect();
        self.answered(done(Self::settled(|| block_on(self.on, self.keyring.issue(&keys)))))
    }

    #[track_caller]
    fn open_keys(&self, ns: impl IntoIterator<Item = u8>) -> Vec<KeyState> {
        let ids: Vec<_> = ns.into_iter().map(id).collect();
        done(Self::settled(|| block_on(self.on, self.keyring.open(&ids))))
    }

    #[track_caller]
    fn state(&self, n: u8) -> KeyState {
        self.open_keys([n]).remove(0)
    }

    #[track_caller]
    fn keep(&self, n: u8, kept: &[Slot]) -> u64 {
        let kept = slots(n, kept);
        self.answered(done(Self::settled(|| block_on(self.on, self.keyring.keep(id(n), &kept)))))
    }

    #[track_caller]
    fn destroy(&self, ns: impl IntoIterator<Item = u8>) -> u64 {
        let ids: Vec<_> = ns.into_iter().map(id).collect();
        self.answered(done(Self::settled(|| block_on(self.on, self.keyring.destroy(&ids)))))
    }
}

pub(super) fn k1_everything_is_there_after_reopening(on: OnRing) {
    let ring = Ring::open(on);
    ring.issue(1..=4);
    ring.keep(2, &[1, 3]);
    ring.keep(3, &[]);
    ring.destroy([4, 5]);
    let before = (ring.epoch(), ring.open_keys(1..=6));
    let Some(ring) = ring.reopened("k1_everything_is_there_after_reopening") else { return };
    let after = (ring.epoch(), ring.open_keys(1..=6));
    assert_eq!(after, before, "K-1: each call is durable when it returns");
}

pub(super) fn k1_keys_come_back_as_issued(on: OnRing) {
    let ring = Ring::open(on);
    assert_eq!(
        ring.open_keys(1..=2),
        [KeyState::Unknown, KeyState::Unknown],
        "K-1: a fresh keyring is empty"
    );
    ring.issue([1]);
    ring.issue(2..=200);
    let expected: Vec<_> = (1..=200).map(|n| KeyState::Whole(key(n))).collect();
    assert_eq!(ring.open_keys(1..=200), expected, "K-1: every key that was issued comes back");
}

pub(super) fn k1_answers_come_in_the_order_asked(on: OnRing) {
    let ring = Ring::open(on);
    ring.issue(1..=3);
    ring.destroy([2]);
    let whole = |n| KeyState::Whole(key(n));
    let expected = [whole(3), KeyState::Unknown, whole(1), KeyState::Destroyed, whole(3), KeyState::Unknown];
    assert_eq!(
        ring.open_keys([3, 9, 1, 2, 3, 9]),
        expected,
        "K-1: one answer for each id asked, in that order"
    );
    assert!(ring.open_keys([]).is_empty(), "K-1: nothing asked, nothing answered");
}

pub(super) fn k1_a_call_is_all_or_nothing(on: OnRing) {
    let ring = Ring::open(on);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..10u8 {
                ring.issue(round * 10 + 1..=round * 10 + 10);
            }
        });
        while !writer.is_finished() {
            for round in 0..10u8 {
                let states = ring.open_keys(round * 10 + 1..=round * 10 + 10);
                let known = states.iter().filter(|state| **state != KeyState::Unknown).count();
                assert!(
                    known == 0 || known == 10,
                    "K-1: keys issued in one call are there together: {known}"
                );
            }
        }
        writer.join().unwrap();
    });
}

pub(super) fn k2_issuing_again_changes_nothing(on: OnRing) {
    let ring = Ring::open(on);
    let epoch = ring.issue([1, 2]);
    assert_eq!(ring.issue([1]), epoch, "K-2: the same key again changes nothing");
    assert_eq!(ring.issue([2, 1]), epoch, "K-2: the same keys again change nothing");
    assert_eq!(ring.issue([]), epoch, "K-2: no keys change nothing");
    assert!(ring.issue([2, 3]) > epoch, "K-5: one new key among them is a change");
    // Whatever is answered, a key is never replaced: what it sealed would be lost.
    let _ = block_on(on, ring.keyring.issue(&[(id(1), key(99))]));
    assert_eq!(ring.state(1), KeyState::Whole(key(1)), "K-2: a key that is there is never replaced");
}

pub(super) fn k2_keeping_again_changes_nothing(on: OnRing) {
    let ring = Ring::open(on);
    ring.issue([1]);
    let epoch = ring.keep(1, &[1, 2, 3]);
    assert_eq!(ring.keep(1, &[1, 2, 3]), epoch, "K-2: the same slots again change nothing");
    assert_eq!(ring.keep(1, &[1, 2, 3, 4]), epoch, "K-2: nor do more slots");
    assert_eq!(ring.state(1), KeyState::Kept(slots(1, &[1, 2, 3])), "K-2: what was kept is kept");
}

pub(super) fn k2_destroying_again_changes_nothing(on: OnRing) {
    let ring = Ring::open(on);
    ring.issue([1, 2]);
    let epoch = ring.destroy([1, 1]);
    assert_eq!(ring.destroy([1]), epoch, "K-2: the same key again changes nothing");
    assert_eq!(ring.destroy([]), epoch, "K-2: no keys change nothing");
    assert!(ring.destroy([1, 2]) > epoch, "K-5: one living key among them is a change");
}

pub(super) fn k3_tombstone_wins_over_issue(on: OnRing) {
    let ring = Ring::open(on);
    ring.issue([1, 2]);
    ring.keep(2, &[1]);
    let epoch = ring.destroy([1, 2]);
    for _ in 0..2 {
        assert_eq!(ring.issue([1, 2]), epoch, "K-3: issuing a destroyed key changes nothing");
        let expected = [KeyState::Destroyed, KeyState::Destroyed];
        assert_eq!(ring.open_keys([1, 2]), expected, "K-3: a destroyed key is never whole again");
    }
}

pub(super) fn k3_tombstone_wins_over_keep(on: OnRing) {
    let ring = Ring::open(on);
    ring.issue([1]);
    let epoch = ring.destroy([1]);
    assert_eq!(ring.keep(1, &[1, 2]), epoch, "K-3: keeping slots of a destroyed key changes nothing");
    assert_eq!(ring.state(1), KeyState::Destroyed, "K-3: a destroyed key stays destroyed");
    assert_eq!(ring.state(1).slot(&context(), 1), None, "K-3: none of its slots opens");
}

pub(super) fn k3_unknown_key_can_be_destroyed(on: OnRing) {
    let ring = Ring::open(on);
    let before = ring.epoch().1;
    let epoch = ring.destroy([7]);
    assert!(epoch > before, "K-5: a tombstone is a change");
    assert_eq!(ring.state(7), KeyState::Destroyed, "K-3: a key that was never known can be destroyed");
    assert_eq!(ring.issue([7]), epoch, "K-3: and is never whole, even if it is issued after");
    assert_eq!(ring.state(7), KeyState::Destroyed, "K-3: a tombstone stays for ever");
}

pub(super) fn k3_slots_of_an_unknown_key_are_not_taken(on: OnRing) {
    let ring = Ring::open(on);
    let before = ring.epoch();
    let kept = slots(1, &[1]);
    let result = block_on(on, ring.keyring.keep(id(1), &kept));
    assert!(result.is_err(), "K-3: there is no key to keep slots of: {result:?}");
    assert_eq!(ring.state(1), KeyState::Unknown, "K-3: an unknown key stays unknown");
    assert_eq!(ring.epoch(), before, "K-5: a call that failed changes nothing");
}

pub(super) fn k4_kept_slots_open_what_they_sealed(on: OnRing) {
    let ring = Ring::open(on);
    ring.issue([1]);
    let before: Vec<_> = (1..=4).map(|slot| ring.state(1).slot(&context(), slot)).collect();
    ring.keep(1, &[1, 3, u32::MAX]);
    let state = ring.state(1);
    assert_eq!(state, KeyState::Kept(slots(1, &[1, 3, u32::MAX])), "K-4: exactly these slots are kept");
    assert_eq!(state.slot(&context(), 1), before[0], "K-4: a kept slot has the key that it had");
    assert_eq!(state.slot(&context(), 3), before[2], "K-4: a kept slot has the key that it had");
    assert_eq!(state.slot(&context(), 2), None, "K-4: the others are gone");
    assert_eq!(state.slot(&context(), 4), None, "K-4: the others are gone");
}

pub(super) fn k4_whole_key_behind_kept_slots_does_not_come_back(on: OnRing) {
    let ring = Ring::open(on);
    ring.issue([1]);
    let epoch = ring.keep(1, &[1]);
    assert_eq!(ring.issue([1]), epoch, "K-4: issuing it again changes nothing");
    assert_eq!(ring.state(1), KeyState::Kept(slots(1, &[1])), "K-4: the whole key is gone");
}

pub(super) fn k4_keeping_is_an_intersection(on: OnRing) {
    let ring = Ring::open(on);
    ring.issue([1, 2]);
    let first = ring.keep(1, &[1, 2, 3]);
    let second = ring.keep(1, &[2, 3, 4]);
    assert!(second > first, "K-5: a slot less is a change");
    assert_eq!(ring.state(1), KeyState::Kept(slots(1, &[2, 3])), "K-4: only slots that are in both stay");
    ring.keep(1, &[4, 5]);
    for slot in 1..=5 {
        assert_eq!(ring.state(1).slot(&context(), slot), None, "K-4: no slot is in all of them");
    }
    assert!(
        !matches!(ring.state(1), KeyState::Unknown | KeyState::Whole(_)),
        "K-4: the key is not forgotten"
    );
    assert_eq!(ring.state(2), KeyState::Whole(key(2)), "K-4: other keys are as they were");
}

pub(super) fn k4_kept_key_can_be_destroyed(on: OnRing) {
    let ring = Ring::open(on);
    ring.issue([1]);
    let kept = ring.keep(1, &[1, 2]);
    assert!(ring.destroy([1]) > kept, "K-5: destroying is a change");
    assert_eq!(ring.state(1), KeyState::Destroyed, "K-3: nothing is kept of a destroyed key");
}

pub(super) fn k5_epoch_grows_with_each_change(on: OnRing) {
    let ring = Ring::open(on);
    let (ring_id, start) = ring.epoch();
    let epochs = [
        start,
        ring.issue([1, 2]),
        ring.issue([3]),
        ring.keep(1, &[1]),
        ring.destroy([2]),
        ring.destroy([9]),
    ];
    assert!(epochs.is_sorted_by(|a, b| a < b), "K-5: the epoch grows with each change: {epochs:?}");
    let last = epochs[5];
    let _ = ring.open_keys(1..=9);
    assert_eq!(ring.epoch(), (ring_id, last), "K-5: reading changes neither the epoch nor the keyring's id");
}

pub(super) fn k5_each_keyring_has_an_id_of_its_own(on: OnRing) {
    let (one, two) = (Ring::open(on), Ring::open(on));
    assert_ne!(one.epoch().0, two.epoch().0, "K-5: a keyring's id is made with it");
    one.issue([1]);
    assert_eq!(two.state(1), KeyState::Unknown, "K-1: keyrings share nothing");
}

/// Two callers issue and destroy at once; every change must be there, and have had an epoch of its own.
fn raced(on: OnRing, one: Arc<dyn Keyring>, two: Arc<dyn Keyring>) {
    const EACH: u8 = 20;
    let work = |keyring: Arc<dyn Keyring>, base: u8| -> Vec<u64> {
        (1..=EACH)
            .flat_map(|n| {
                let n = base + n;
                let issue = || block_on(on, keyring.issue(&[(id(n), key(n))]));
                let destroy = || block_on(on, keyring.destroy(&[id(n)]));
                let mut epochs = vec![done(Ring::settled(issue))];
                if n.is_multiple_of(2) {
                    epochs.push(done(Ring::settled(destroy)));
                }
                epochs
            })
            .collect()
    };
    let mut epochs = std::thread::scope(|scope| {
        let other = two.clone();
        let second = scope.spawn(move || work(other, 100));
        let mut epochs = work(one.clone(), 0);
        epochs.extend(second.join().unwrap());
        epochs
    });
    let count = epochs.len();
    epochs.sort_unstable();
    epochs.dedup();
    assert_eq!(epochs.len(), count, "K-5: each call that changed something has an epoch of its own");
    let ids: Vec<_> = (1..=EACH).flat_map(|n| [n, 100 + n]).map(id).collect();
    for keyring in [one, two] {
        let states = done(block_on(on, keyring.open(&ids)));
        for (id, state) in ids.iter().zip(states) {
            let n = *id.as_bytes().last().unwrap();
            let expected = if n.is_multiple_of(2) { KeyState::Destroyed } else { KeyState::Whole(key(n)) };
            assert_eq!(state, expected, "K-6: what one caller changed, every other sees");
        }
        assert_eq!(
            done(block_on(on, keyring.epoch())).1,
            *epochs.last().unwrap(),
            "K-5: the epoch is that of the last change, on every handle"
        );
    }
}

pub(super) fn k6_threads_share_a_handle(on: OnRing) {
    let ring = Ring::open(on);
    raced(on, ring.keyring.clone(), ring.keyring.clone());
}

pub(super) fn k6_two_handles_share_a_keyring(on: OnRing) {
    let ring = Ring::open(on);
    let Some(second) = on.second(&ring.guard) else {
        let why = "the harness cannot open one keyring twice at once";
        return not_applicable("k6_two_handles_share_a_keyring", why);
    };
    assert_eq!(done(block_on(on, second.epoch())), ring.epoch(), "K-6: both handles are of one keyring");
    raced(on, ring.keyring.clone(), second);
}
