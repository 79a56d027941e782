//! The vault: every value that a person typed is a slot, sealed alone, under keys kept apart.
//!
//! Bytes are in docs/formats.md §4-§6. To forget is to destroy a key: with a slot's key gone, neither its sealed
//! bytes nor its commitment say anything about the value, wherever copies of them have gone.

mod book;
mod file;
mod key;
mod keyring;
mod memory;
mod row;
mod seal;

pub use book::{KeyRange, SlotBook};
pub use file::{FileInfo, FileKey, PIECE};
pub use key::{DataKey, SlotKey, StreamContext};
pub use keyring::{KeyState, Keyring, KeyringError, KeyringInfo};
pub use memory::MemoryKeyring;
pub use row::{SealedSlot, VaultRow};
pub use seal::{Commitment, VaultError, commit, open, seal};

/// The number of a slot within its stream, from 1.
pub type Slot = u32;

/// The number of a part of a stream's vault: which row a slot is in.
pub type Part = u32;

/// The head: what lists show.
pub const HEAD: Part = 0;
/// The long texts of the form.
pub const TEXTS: Part = 1;

/// The part that holds what one event brought: a message, a note, a file.
pub const fn part_of_event(sequence: u32) -> Part {
    sequence.saturating_add(1)
}
