//! Citizen requests from intake to anonymisation.
pub mod canonical;
pub mod condition;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod contact;
pub mod definition;
pub mod engine;
mod entropy;
pub mod fold;
mod hex;
mod id;
pub mod insight;
mod refusal;
pub mod request;
pub mod storage;
mod time;
mod tracking;
mod value;
pub mod vault;
mod word;

pub use condition::Condition;
pub use definition::Definition;
pub use engine::{
    Acted, Authority, Budget, Conflict, Grc, GrcError, Host, Instruction, List, Seen, Session, Stores,
    Submitted,
};
#[cfg(feature = "system")]
pub use entropy::SystemEntropy;
pub use entropy::{Entropy, EntropyError, SeededEntropy};
pub use id::{BatchId, BlobId, KeyId, RequestId, TaskId};
pub use refusal::{Problem, Refusal};
pub use request::{Actor, Assignee, Intake, Party, Place};
#[cfg(feature = "system")]
pub use time::SystemClock;
pub use time::{Clock, ManualClock, Moment};
pub use tracking::{TrackingCode, TrackingCodeError};
pub use value::{Typed, Value};
pub use word::{Word, WordError};
