//! Benchmarks: the library beside the same writes made by hand, in one run.
//!
//! `cargo xtask compare` prints the table; `cargo bench -p grc-benches` runs those that stand alone. What is compared:
//! the engine over a store, and a loop over the database's driver that writes the rows which the engine wrote, with the
//! same bytes, into the same tables with the same settings ([`raw`]). The loop decides nothing, checks nothing, seals
//! nothing and reads nothing: it is what the writes alone cost. And the library through Python ([`side`]), beside the engine
//! without it and beside Django.

pub mod beside;
pub mod compare;
pub mod flush;
pub mod many;
pub mod pair;
pub mod peer;
pub mod place;
pub mod program;
pub mod pure;
mod rates;
pub mod raw;
pub mod recorder;
pub mod side;
pub mod spent;
pub mod timing;
pub mod town;

use std::error::Error;

/// What may fail here fails for any reason.
pub type Res<T> = Result<T, Box<dyn Error + Send + Sync>>;
