//! Harnesses without their types, so that the kit is compiled once, and not once for each adapter.

use super::{Handles, Harness, KeyringHarness};
use crate::vault::Keyring;
use std::{any::Any, marker::PhantomData, pin::Pin, sync::Arc};

/// What has to live as long as a store or a keyring.
pub(super) type Guard = Box<dyn Any + Send + Sync>;

/// A harness of a store: what each case is given.
pub(super) type On = &'static dyn Stand;

/// A harness of a keyring.
pub(super) type OnRing = &'static dyn RingStand;

/// Runs futures to their end.
pub(super) trait Runs: Sync {
    fn run(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>);
}

pub(super) trait Stand: Runs {
    fn is_durable(&self) -> bool;
    fn open(&self) -> (Guard, Handles);
    fn reopen(&self, guard: &Guard) -> Option<Handles>;
}

pub(super) trait RingStand: Runs {
    fn is_durable(&self) -> bool;
    fn open(&self) -> (Guard, Arc<dyn Keyring>);
    fn second(&self, guard: &Guard) -> Option<Arc<dyn Keyring>>;
    fn reopen(&self, guard: &Guard) -> Option<Arc<dyn Keyring>>;
}

struct Of<H>(PhantomData<fn(H)>);
struct OfRing<H>(PhantomData<fn(H)>);

pub(super) fn on<H: Harness>() -> On {
    &Of::<H>(PhantomData)
}

pub(super) fn on_ring<H: KeyringHarness>() -> OnRing {
    &OfRing::<H>(PhantomData)
}

impl<H: Harness> Runs for Of<H> {
    fn run(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        H::block_on(future);
    }
}

impl<H: KeyringHarness> Runs for OfRing<H> {
    fn run(&self, future: Pin<Box<dyn Future<Output = ()> + Send + '_>>) {
        H::block_on(future);
    }
}

impl<H: Harness> Stand for Of<H> {
    fn is_durable(&self) -> bool {
        H::DURABLE
    }

    fn open(&self) -> (Guard, Handles) {
        let (guard, handles) = H::open();
        (Box::new(guard), handles)
    }

    fn reopen(&self, guard: &Guard) -> Option<Handles> {
        guard.downcast_ref().and_then(H::reopen)
    }
}

impl<H: KeyringHarness> RingStand for OfRing<H> {
    fn is_durable(&self) -> bool {
        H::DURABLE
    }

    fn open(&self) -> (Guard, Arc<dyn Keyring>) {
        let (guard, keyring) = H::open();
        (Box::new(guard), keyring)
    }

    fn second(&self, guard: &Guard) -> Option<Arc<dyn Keyring>> {
        guard.downcast_ref().and_then(H::second)
    }

    fn reopen(&self, guard: &Guard) -> Option<Arc<dyn Keyring>> {
        guard.downcast_ref().and_then(H::reopen)
    }
}

/// What a future comes to, run as the harness runs it.
pub(super) fn block_on<S: Runs + ?Sized, F: Future + Send>(on: &S, future: F) -> F::Output
where
    F::Output: Send,
{
    let mut out = None;
    on.run(Box::pin(async { out = Some(future.await) }));
    out.unwrap()
}
