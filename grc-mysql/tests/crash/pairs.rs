//! Pairs that do the same at the same time: what one finds done already was perhaps not flushed yet.

use crate::load::plan::town;
use grc_core::{
    BlobId, KeyId, Moment,
    storage::BlobStore,
    vault::{DataKey, KeyState, Keyring},
};
use pollster::block_on;
use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
};
use uuid::Uuid;

/// What a pair does with an item, both of it the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Issue,
    Put,
    Destroy,
}

/// What was acknowledged to pairs, and what they began.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    begun: Mutex<BTreeSet<(u128, What)>>,
    done: Mutex<BTreeSet<(u128, What)>>,
    /// The server was killed.
    pub(crate) gone: AtomicBool,
}

fn bytes(n: u128) -> [u8; 32] {
    [n.to_be_bytes(), n.to_le_bytes()].concat().try_into().unwrap()
}

impl Pairs {
    /// Works on items until the server is gone. Nothing is repeated: what is there afterwards was there.
    pub(crate) fn work(&self, first: u128, keys: &dyn Keyring, blobs: &dyn BlobStore, tell: &Sender<()>) {
        for n in first.. {
            for what in [What::Issue, What::Put, What::Destroy] {
                if what == What::Destroy && n % 2 == 0 {
                    continue;
                }
                self.begun.lock().unwrap().insert((n, what));
                let one = || {
                    let key = KeyId::from_uuid(Uuid::from_u128(n));
                    let id = BlobId::from_uuid(Uuid::from_u128(n));
                    let done = match what {
                        What::Issue => block_on(keys.issue(&[(key, DataKey::from_bytes(bytes(n)))])).is_ok(),
                        What::Put => {
                            block_on(blobs.put(&town(), id, 0, Moment::EPOCH, bytes(n).to_vec())).is_ok()
                        }
                        What::Destroy => block_on(keys.destroy(&[key])).is_ok(),
                    };
                    if done && self.done.lock().unwrap().insert((n, what)) {
                        tell.send(()).unwrap();
                    }
                    done
                };
                let both = std::thread::scope(|scope| {
                    let other = scope.spawn(one);
                    one() & other.join().unwrap()
                });
                if self.gone.load(Ordering::SeqCst) {
                    return;
                }
                if !both {
                    // The machine is busy: on with another.
                    break;
                }
            }
        }
    }

    /// What was acknowledged is so. Answers how much that is.
    pub(crate) fn check(&self, keys: &dyn Keyring, blobs: &dyn BlobStore) -> usize {
        let (begun, done) = (self.begun.lock().unwrap(), self.done.lock().unwrap());
        for (n, what) in &*done {
            let key = KeyId::from_uuid(Uuid::from_u128(*n));
            let state = || block_on(keys.open(&[key])).unwrap().remove(0);
            match what {
                What::Issue if begun.contains(&(*n, What::Destroy)) => assert_ne!(state(), KeyState::Unknown),
                What::Issue => assert_eq!(state(), KeyState::Whole(DataKey::from_bytes(bytes(*n)))),
                What::Destroy => assert_eq!(state(), KeyState::Destroyed),
                What::Put => {
                    let id = BlobId::from_uuid(Uuid::from_u128(*n));
                    assert_eq!(block_on(blobs.get(&town(), id, 0)).unwrap(), Some(bytes(*n).to_vec()));
                }
            }
        }
        done.len()
    }
}
