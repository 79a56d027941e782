//! The processes: each an engine of its own over the same store, with its own clock; it may be killed wherever its tasks
//! wait, and frozen.

use crate::{
    errand::{self, Errand},
    mutant::{Mutant, Wrong, WrongKeyring},
    store::Far,
    world::{At, SkewedClock, World},
};
use grc_core::{
    Authority, Clock, Entropy, Grc, GrcError, SeededEntropy, Stores,
    storage::{BlobStore, Store},
    vault::Keyring,
};
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

/// Something that a process does.
struct Task {
    number: u64,
    intent: Option<usize>,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The store as it is, and as it is seen over the network.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) near: Stores,
    pub(crate) far: Stores,
}

impl Places {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        let mut near = Stores::memory();
        if world.mutant != Mutant::None {
            near.store = Arc::new(Wrong::new(near.store, world.mutant));
            near.keyring = Arc::new(WrongKeyring::new(near.keyring, world.mutant));
        }
        let store: Arc<dyn Store> = Far::new(Arc::clone(&near.store), world);
        let blobs: Arc<dyn BlobStore> = Far::new(Arc::clone(&near.blobs), world);
        let keyring: Arc<dyn Keyring> = Far::new(Arc::clone(&near.keyring), world);
        Self { near, far: Stores { store, blobs, keyring } }
    }
}

pub(crate) struct Process {
    world: Arc<World>,
    stores: Stores,
    clock: Arc<SkewedClock>,
    town: Arc<Mutex<Option<Authority>>>,
    tasks: Vec<Task>,
    life: u64,
    pub(crate) frozen_until: u64,
}

impl Process {
    pub(crate) fn new(world: &Arc<World>, stores: &Stores) -> Self {
        let clock = world.clock();
        let town = Arc::default();
        let (world, stores) = (Arc::clone(world), stores.clone());
        Self { world, stores, clock, town, tasks: Vec::new(), life: 0, frozen_until: 0 }
    }

    /// Its engine, once it is open.
    pub(crate) fn town(&self) -> Option<Authority> {
        self.town.lock().unwrap().clone()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(crate) fn load(&self) -> usize {
        self.tasks.len()
    }

    pub(crate) fn skew(&self, millis: i64) {
        self.clock.skew(millis);
    }

    /// Opens an engine, as a program that starts does. `entropy` is of this life only.
    pub(crate) fn start(&mut self, life: u64, entropy: u64) {
        self.life = life;
        let clock: Arc<dyn Clock> = Arc::<SkewedClock>::clone(&self.clock);
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(entropy));
        let (stores, town) = (self.stores.clone(), Arc::clone(&self.town));
        let opening = async move {
            let opened = async { Grc::with(stores, clock, entropy).await?.authority(errand::TOWN) }.await;
            match opened {
                Ok(opened) => *town.lock().unwrap() = Some(opened),
                Err(error) => crate::ledger::judge(&error),
            }
        };
        self.tasks.push(Task { number: 0, intent: None, future: Box::pin(opening) });
    }

    /// Begins an errand, if its engine is open.
    pub(crate) fn begin(&mut self, number: u64, errand: Errand) {
        let Some(town) = self.town() else { return };
        let intent = match errand {
            Errand::Ask(index) => Some(index),
            _ => None,
        };
        if let Some(index) = intent {
            self.world.lock().ledger.asks(index);
        }
        let future = Box::pin(errand::run(Arc::clone(&self.world), town, errand));
        self.tasks.push(Task { number, intent, future });
    }

    /// Lets one of its tasks go on.
    pub(crate) fn poll(&mut self, index: usize) {
        let Some(task) = self.tasks.get_mut(index) else { return };
        self.world.lock().at = At { life: self.life, task: task.number, intent: task.intent };
        let polled = task.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.world.lock().at = At::default();
        if let Poll::Ready(()) = polled {
            self.tasks.swap_remove(index);
        }
    }

    /// It dies: whatever it was at is never gone on with.
    pub(crate) fn kill(&mut self) -> usize {
        let killed = std::mem::take(&mut self.tasks);
        let now = self.world.now();
        for intent in killed.iter().filter_map(|task| task.intent) {
            self.world.lock().ledger.stops_asking(intent, now);
        }
        let count = killed.len();
        // Futures may look at the world as they are dropped.
        drop(killed);
        self.town = Arc::default();
        count
    }

    /// Opens an engine and waits for it.
    pub(crate) async fn restart(&mut self, life: u64, entropy: u64) -> Result<Authority, GrcError> {
        let clock: Arc<dyn Clock> = Arc::<SkewedClock>::clone(&self.clock);
        self.life = life;
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(entropy));
        let town = Grc::with(self.stores.clone(), clock, entropy).await?.authority(errand::TOWN)?;
        *self.town.lock().unwrap() = Some(town.clone());
        Ok(town)
    }
}
