//! A keyring over the keyring in memory, with one thing broken, and its harness.

use grc_core::{
    KeyId,
    conformance::KeyringHarness,
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, MemoryKeyring, Slot, SlotKey},
};
use pollster::block_on;
use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};
use uuid::Uuid;

pub(crate) type Answer<T> = Result<T, KeyringError>;
pub(crate) type Keys = Vec<(KeyId, DataKey)>;
pub(crate) type Kept = (KeyId, BTreeMap<Slot, SlotKey>);

/// What a mutant has to remember.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) copy: Option<MemoryKeyring>,
    pub(crate) keys: BTreeMap<KeyId, DataKey>,
    pub(crate) slots: BTreeMap<KeyId, BTreeMap<Slot, SlotKey>>,
    pub(crate) epoch: u64,
}

/// The sound keyring below, each call as a plain function.
#[derive(Debug)]
pub(crate) struct Under {
    pub(crate) keyring: Arc<MemoryKeyring>,
    notes: Mutex<Notes>,
}

impl Under {
    pub(crate) fn over(keyring: Arc<MemoryKeyring>) -> Self {
        Self { keyring, notes: Mutex::default() }
    }

    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }

    pub(crate) fn again(&self) -> Self {
        Self::over(Arc::clone(&self.keyring))
    }

    pub(crate) fn epoch(&self, (): ()) -> Answer<(Uuid, u64)> {
        block_on(self.keyring.epoch())
    }

    pub(crate) fn issue(&self, keys: Keys) -> Answer<u64> {
        block_on(self.keyring.issue(&keys))
    }

    pub(crate) fn open(&self, ids: Vec<KeyId>) -> Answer<Vec<KeyState>> {
        block_on(self.keyring.open(&ids))
    }

    pub(crate) fn keep(&self, (id, slots): Kept) -> Answer<u64> {
        block_on(self.keyring.keep(id, &slots))
    }

    pub(crate) fn destroy(&self, ids: Vec<KeyId>) -> Answer<u64> {
        block_on(self.keyring.destroy(&ids))
    }

    pub(crate) fn state(&self, id: KeyId) -> KeyState {
        self.open(vec![id]).unwrap().remove(0)
    }
}

macro_rules! hooks {
    ($($name:ident($arguments:ty) -> $answer:ty;)*) => {
        #[derive(Debug, Clone, Copy)]
        struct Hooks {
            second: fn(&Under) -> Under,
            reopen: fn(&Under) -> Under,
            $($name: fn(&Under, $arguments) -> Answer<$answer>,)*
        }

        impl Hooks {
            const SOUND: Self =
                Self { second: Under::again, reopen: Under::again, $($name: Under::$name,)* };
        }

        impl Mutant {
            $(
                pub(crate) const fn $name(
                    mut self,
                    hook: fn(&Under, $arguments) -> Answer<$answer>,
                ) -> Self {
                    self.hooks.$name = hook;
                    self
                }
            )*
        }
    };
}

hooks! {
    epoch(()) -> (Uuid, u64);
    issue(Keys) -> u64;
    open(Vec<KeyId>) -> Vec<KeyState>;
    keep(Kept) -> u64;
    destroy(Vec<KeyId>) -> u64;
}

/// One way to be broken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mutant {
    pub(crate) clause: &'static str,
    pub(crate) name: &'static str,
    hooks: Hooks,
}

impl Mutant {
    pub(crate) const fn new(clause: &'static str, name: &'static str) -> Self {
        Self { clause, name, hooks: Hooks::SOUND }
    }

    pub(crate) const fn second(mut self, hook: fn(&Under) -> Under) -> Self {
        self.hooks.second = hook;
        self
    }

    pub(crate) const fn reopen(mut self, hook: fn(&Under) -> Under) -> Self {
        self.hooks.reopen = hook;
        self
    }
}

thread_local! {
    static CHOSEN: Cell<Mutant> = const { Cell::new(Mutant::new("", "sound")) };
}

/// The mutant that this thread's cases open from now on.
pub(crate) fn choose(mutant: Mutant) {
    CHOSEN.set(mutant);
}

#[derive(Debug)]
pub(crate) struct Broken {
    mutant: Mutant,
    under: Under,
}

#[async_trait::async_trait]
impl Keyring for Broken {
    fn info(&self) -> KeyringInfo {
        self.under.keyring.info()
    }

    async fn epoch(&self) -> Answer<(Uuid, u64)> {
        (self.mutant.hooks.epoch)(&self.under, ())
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Answer<u64> {
        (self.mutant.hooks.issue)(&self.under, keys.to_vec())
    }

    async fn open(&self, ids: &[KeyId]) -> Answer<Vec<KeyState>> {
        (self.mutant.hooks.open)(&self.under, ids.to_vec())
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Answer<u64> {
        (self.mutant.hooks.keep)(&self.under, (id, slots.clone()))
    }

    async fn destroy(&self, ids: &[KeyId]) -> Answer<u64> {
        (self.mutant.hooks.destroy)(&self.under, ids.to_vec())
    }
}

/// The chosen mutant as a keyring that outlives its handles: its guard keeps it.
#[derive(Debug)]
pub(crate) struct Mutants;

impl KeyringHarness for Mutants {
    type Guard = Arc<Broken>;
    const DURABLE: bool = true;

    fn open() -> (Self::Guard, Arc<dyn Keyring>) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into());
        let under = Under::over(Arc::new(MemoryKeyring::new(id)));
        let broken = Arc::new(Broken { mutant: CHOSEN.get(), under });
        (Arc::clone(&broken), broken)
    }

    fn second(guard: &Self::Guard) -> Option<Arc<dyn Keyring>> {
        let under = (guard.mutant.hooks.second)(&guard.under);
        Some(Arc::new(Broken { mutant: guard.mutant, under }))
    }

    fn reopen(guard: &Self::Guard) -> Option<Arc<dyn Keyring>> {
        let under = (guard.mutant.hooks.reopen)(&guard.under);
        Some(Arc::new(Broken { mutant: guard.mutant, under }))
    }

    fn block_on<F: Future + Send>(future: F) -> F::Output
    where
        F::Output: Send,
    {
        block_on(future)
    }
}
