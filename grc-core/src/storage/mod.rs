//! The storage contract: what a store is, for who writes one.
//!
//! The numbered clauses are in [`contract`]; [`MemoryStore`] is the reference; the conformance kit (feature
//! `conformance`) proves an adapter against them.

mod batch;
mod blob;
pub mod contract;
mod error;
mod facts;
pub mod filter;
mod memory;
mod query;
mod rows;
pub mod sql;
pub mod touched;

pub use batch::{Batch, Expect, Receipt, Step};
pub use blob::{BlobMeta, BlobPage, BlobStore};
pub use contract::{Claim, Load, Loaded, Log, Parts, ScrubReport, Store, StoreInfo};
pub use error::{ConflictOn, Retry, StorageError, StorageErrorKind};
pub use facts::{Fact, FactKind, FactValue, Facts};
pub use memory::MemoryStore;
pub use query::{
    ChangePage, Cursor, DocumentRange, EventRange, MeasurePage, Order, Page, PageKey, Query, Which,
};
pub use rows::{
    Access, Change, Document, IndexValue, Link, LinkKey, ReceiptRow, StoredEvent, StreamKey, StreamRecord,
    StreamRow, Task, TaskRef, Touched,
};
