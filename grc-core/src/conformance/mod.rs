//! The conformance kit: every clause of the storage contract and of the keyring's, as tests that an adapter runs.
//!
//! An adapter implements [`Harness`] (for a store) or [`KeyringHarness`] (for a keyring) in a test file of its own
//! and names it once; each case becomes one `#[test]`:
//!
//! ```
//! use grc_core::{conformance::{Handles, Harness}, storage::MemoryStore};
//! use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
//!
//! struct Memory;
//!
//! impl Harness for Memory {
//!     type Guard = ();
//!     const DURABLE: bool = false;
//!
//!     fn open() -> ((), Handles) {
//!         static NEXT: AtomicU64 = AtomicU64::new(1);
//!         let incarnation = uuid::Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into());
//!         let store = Arc::new(MemoryStore::with(incarnation, true));
//!         ((), (store.clone(), store))
//!     }
//!
//!     fn reopen(_: &()) -> Option<Handles> {
//!         None
//!     }
//!
//!     fn block_on<F: Future + Send>(future: F) -> F::Output
//!     where
//!         F::Output: Send,
//!     {
//!         pollster::block_on(future)
//!     }
//! }
//!
//! grc_core::store_conformance!(Memory);
//! ```
//!
//! A case that cannot apply (a store that is not durable is not reopened) says so on the error output, whether the
//! test runner captures output or not; it never passes in silence. Cases come and go with the contract: the kit is
//! not a stable API.
//!
//! That the kit would see a broken store is shown by `tests/conformance_mutants` of this crate: each clause is broken
//! there on purpose, in several ways, and each case is failed by something broken. [`FaultStore`] and [`FaultKeyring`]
//! lie between the engine and what it stands on, and let one call fail, before it is made or with its answer lost: a
//! scenario is played for the first call, the second, … until it passes untouched (`tests/behaviour/faults.rs`).
//!
//! What the kit cannot show, an adapter shows itself: that an acknowledged batch survives the death of the process
//! (C-02), that a fault at every call to the disk leaves all or nothing (C-01), and that dropped bytes are not in its
//! files (C-21, K-4).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the kit is made of tests: what fails here is a failed test"
)]

mod access;
mod blobs;
mod bounds;
mod commit;
mod concurrency;
mod documents;
mod durability;
mod erased;
mod events;
mod fault;
mod feed;
mod filter;
#[doc(hidden)]
pub mod fuzzing;
mod harness;
mod keyring;
#[doc(hidden)]
pub mod kinds;
mod leases;
mod limits;
mod links;
mod list;
mod over;
mod pages;
mod recount;
mod rows;
mod seen;
mod tasks;
mod walk;

pub use fault::{Fault, FaultBlobs, FaultKeyring, FaultStore};
pub use harness::{Handles, Harness, KeyringHarness};
pub use over::Over;
pub use recount::{Asked, Compared, Recount, compare, prove_figures};
pub use walk::{Dice, Trace, Walk, code_of};

/// One case of the kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// The name of its test.
    pub name: &'static str,
    /// The clause that it proves: `C-…` of [`crate::storage::contract`], `B-…` of [`crate::storage::BlobStore`],
    /// `K-…` of [`crate::vault::Keyring`].
    pub clause: &'static str,
    /// What it shows.
    pub doc: &'static str,
}

/// Makes the table and the public functions of a list of cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __grc_table {
    (
        [$(#[$table_doc:meta])* $table:ident, $(#[$module_doc:meta])* $module:ident, $harness:ident, $on:ident]
        $($area:ident { $($clause:literal $name:ident $doc:literal;)* })*
    ) => {
        $(#[$table_doc])*
        pub const $table: &[Case] =
            &[$($(Case { name: stringify!($name), clause: $clause, doc: $doc },)*)*];

        $(#[$module_doc])*
        pub mod $module {
            $($(
                #[doc = concat!($clause, ": ", $doc, ".")]
                pub fn $name<H: super::$harness>() {
                    super::$area::$name(super::erased::$on::<H>());
                }
            )*)*

            /// Every case with its function, for who runs them in another way than as one test each.
            pub fn every<H: super::$harness>() -> Vec<(&'static super::Case, fn())> {
                let functions: Vec<fn()> = vec![$($($name::<H>,)*)*];
                super::$table.iter().zip(functions).collect()
            }
        }
    };
}

crate::__grc_store_cases!(__grc_table [
    /// Every case for stores.
    CASES,
    /// The cases for stores, one function each.
    cases, Harness, on
]);
crate::__grc_keyring_cases!(__grc_table [
    /// Every case for keyrings.
    KEYRING_CASES,
    /// The cases for keyrings, one function each.
    keyring_cases, KeyringHarness, on_ring
]);

/// Makes one `#[test]` of each case for stores, for a type that implements [`Harness`](crate::conformance::Harness).
#[macro_export]
macro_rules! store_conformance {
    ($harness:ty) => {
        $crate::__grc_store_cases! { __grc_tests [cases, $harness] }
    };
}

/// Makes one `#[test]` of each case for keyrings, for a type that implements
/// [`KeyringHarness`](crate::conformance::KeyringHarness).
#[macro_export]
macro_rules! keyring_conformance {
    ($harness:ty) => {
        $crate::__grc_keyring_cases! { __grc_tests [keyring_cases, $harness] }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __grc_tests {
    (
        [$module:ident, $harness:ty]
        $($area:ident { $($clause:literal $name:ident $doc:literal;)* })*
    ) => {
        $($(
            #[doc = $doc]
            #[test]
            fn $name() {
                $crate::conformance::$module::$name::<$harness>();
            }
        )*)*
    };
}
