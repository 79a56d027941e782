//! Citizen requests from intake to anonymisation.
pub mod canonical;
pub mod condition;
#[cfg(feature = "conformance")]
pub mod conformance;
mod entropy;
pub mod fold;
mod hex;
mod id;
pub mod storage;
mod time;
mod value;
pub mod vault;
mod word;

pub use condition::Condition;
#[cfg(feature = "system")]
pub use entropy::SystemEntropy;
pub use entropy::{Entropy, EntropyError, SeededEntropy};
pub use id::{BatchId, BlobId, KeyId, RequestId, TaskId};
#[cfg(feature = "system")]
pub use time::SystemClock;
pub use time::{Clock, ManualClock, Moment};
pub use value::{Typed, Value};
pub use word::{Word, WordError};
