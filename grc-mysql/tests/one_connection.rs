//! The conformance kit on a store that has one connection: nothing waits for a second one while it holds the first.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod common;
mod harness;

type One = harness::Mysql<1>;

grc_core::store_conformance!(One);
grc_core::keyring_conformance!(One);
