//! Destroyed keys are not in the keyring's files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod disk;

use disk::on_disk;
use grc_core::{
    Entropy, KeyId, SeededEntropy,
    vault::{DataKey, KeyState, Keyring, MemoryKeyring, Slot, SlotKey},
};
use grc_sqlite::{Options, SqliteKeyring};
use pollster::block_on;
use std::{collections::BTreeMap, path::Path, sync::Arc};
use uuid::Uuid;

fn open(directory: &Path) -> SqliteKeyring {
    SqliteKeyring::open(directory.join("town.keys"), &Options::new().create(true)).unwrap()
}

fn bytes(entropy: &SeededEntropy) -> [u8; 32] {
    let mut out = [0; 32];
    entropy.fill(&mut out).unwrap();
    out
}

fn id(entropy: &SeededEntropy) -> KeyId {
    let mut id = [0; 16];
    entropy.fill(&mut id).unwrap();
    KeyId::from_uuid(Uuid::from_bytes(id))
}

#[test]
fn destroyed_keys_are_in_no_file_and_the_others_stay() {
    let directory = tempfile::tempdir().unwrap();
    let keyring = open(directory.path());
    let entropy = SeededEntropy::new(1);
    let keys: Vec<(KeyId, DataKey)> =
        (0..700).map(|_| (id(&entropy), DataKey::from_bytes(bytes(&entropy)))).collect();
    // In batches of different sizes, with erasures in between, so that every kind of page is written over.
    let mut gone: Vec<[u8; 32]> = Vec::new();
    let mut there: Vec<[u8; 32]> = Vec::new();
    let mut expected: BTreeMap<KeyId, KeyState> = BTreeMap::new();
    let mut kept: Vec<(KeyId, BTreeMap<Slot, SlotKey>)> = Vec::new();
    for (n, chunk) in keys.chunks(37).enumerate() {
        block_on(keyring.issue(chunk)).unwrap();
        for (m, (id, key)) in chunk.iter().enumerate() {
            match (n + m) % 3 {
                0 => {
                    block_on(keyring.destroy(&[*id])).unwrap();
                    gone.push(*key.expose());
                    expected.insert(*id, KeyState::Destroyed);
                }
                1 => {
                    let slots: BTreeMap<Slot, SlotKey> = (1..=u32::try_from(m).unwrap() % 9)
                        .map(|slot| (slot, SlotKey::from_bytes(bytes(&entropy))))
                        .collect();
                    block_on(keyring.keep(*id, &slots)).unwrap();
                    gone.push(*key.expose());
                    expected.insert(*id, KeyState::Kept(slots.clone()));
                    kept.push((*id, slots));
                }
                _ => {
                    there.push(*key.expose());
                    expected.insert(*id, KeyState::Whole(key.clone()));
                }
            }
        }
        // Of what was kept earlier, some goes later.
        if let Some((id, slots)) = kept.get(n * 5).cloned() {
            let fewer: BTreeMap<_, _> =
                slots.iter().filter(|(slot, _)| *slot % 2 == 0).map(|(s, k)| (*s, k.clone())).collect();
            block_on(keyring.keep(id, &fewer)).unwrap();
            gone.extend(slots.iter().filter(|(slot, _)| *slot % 2 == 1).map(|(_, key)| *key.expose()));
            expected.insert(id, KeyState::Kept(fewer));
        }
        if let Some((id, _)) = kept.get(n * 5 + 1) {
            block_on(keyring.destroy(&[*id])).unwrap();
            if let Some(KeyState::Kept(slots)) = expected.insert(*id, KeyState::Destroyed) {
                gone.extend(slots.values().map(|key| *key.expose()));
            }
        }
    }
    for state in expected.values() {
        if let KeyState::Kept(slots) = state {
            there.extend(slots.values().map(|key| *key.expose()));
        }
    }
    let check = |when: &str| {
        let disk = on_disk(directory.path());
        for key in &gone {
            let stretches = key.windows(12).filter(|stretch| disk.contains(*stretch)).count();
            assert_eq!(stretches, 0, "{when}: a destroyed key, or a part of it, is on the disk");
        }
        for key in &there {
            assert!(key.windows(12).all(|stretch| disk.contains(stretch)), "{when}: a living key is there");
        }
    };
    assert!(gone.len() > 500 && there.len() > 700, "{} {}", gone.len(), there.len());
    check("while it is open");
    drop(keyring);
    check("when it is closed");
    let keyring = open(directory.path());
    for (id, state) in &expected {
        assert_eq!(block_on(keyring.open(&[*id])).unwrap(), std::slice::from_ref(state));
    }
}

#[test]
fn it_answers_as_the_reference_does() {
    let directory = tempfile::tempdir().unwrap();
    let (sqlite, memory) = (open(directory.path()), MemoryKeyring::default());
    let entropy = SeededEntropy::new(2);
    let ids: Vec<KeyId> = (0..6).map(|_| id(&entropy)).collect();
    for _ in 0..600 {
        let dice = bytes(&entropy);
        let id = ids[usize::from(dice[0]) % ids.len()];
        let slots: BTreeMap<Slot, SlotKey> = (0..8)
            .filter(|n| dice[1] >> n & 1 == 1)
            .map(|n| (n, SlotKey::from_bytes([u8::try_from(n).unwrap() + 1; 32])))
            .collect();
        let run = |keyring: &dyn Keyring| {
            let epoch = match dice[2] % 8 {
                0 => block_on(keyring.destroy(&[id])),
                1..=3 => block_on(keyring.keep(id, &slots)),
                _ => block_on(
                    keyring.issue(&[(id, DataKey::from_bytes(dice)), (id, DataKey::from_bytes([1; 32]))]),
                ),
            };
            let states = block_on(keyring.open(&ids)).unwrap();
            (epoch.map_err(|error| error.is_unavailable()), states, block_on(keyring.epoch()).unwrap().1)
        };
        assert_eq!(run(&memory), run(&sqlite));
    }
}

#[test]
fn two_handles_never_lose_a_tombstone() {
    let directory = tempfile::tempdir().unwrap();
    let keyrings = [Arc::new(open(directory.path())), Arc::new(open(directory.path()))];
    let entropy = SeededEntropy::new(3);
    let keys: Vec<(KeyId, DataKey)> =
        (0..60).map(|_| (id(&entropy), DataKey::from_bytes(bytes(&entropy)))).collect();
    std::thread::scope(|scope| {
        let (one, two) = (&keyrings[0], &keyrings[1]);
        let keys = &keys;
        scope.spawn(move || {
            for key in keys {
                block_on(one.issue(std::slice::from_ref(key))).unwrap();
            }
        });
        scope.spawn(move || {
            for (id, _) in keys {
                block_on(two.destroy(&[*id])).unwrap();
            }
        });
    });
    let disk = on_disk(directory.path());
    for (id, key) in &keys {
        assert_eq!(block_on(keyrings[0].open(&[*id])).unwrap(), [KeyState::Destroyed]);
        assert!(!key.expose().windows(12).any(|stretch| disk.contains(stretch)));
    }
    let (one, epoch) = block_on(keyrings[0].epoch()).unwrap();
    assert_eq!((one, epoch), block_on(keyrings[1].epoch()).unwrap());
    // Each key was destroyed once, and issued at most once.
    assert!((60..=120).contains(&epoch), "{epoch}");
}
