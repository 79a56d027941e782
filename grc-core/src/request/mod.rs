//! A request: what it is, what may be asked of it, what happened to it.
//!
//! This is the pure way in, for software that keeps its own database: [`decide`] takes a definition, a request, a
//! command, an actor and a moment and gives events or the reasons of a refusal; [`Request::apply`] folds events.
//! Neither reads a clock, a random source or a store.

mod acting;
mod actor;
mod command;
mod decide;
mod event;
mod files;
mod intake;
mod measure;
mod message;
mod served;
mod span;
mod state;
mod validate;

pub use acting::Acting;
pub(crate) use acting::{Holding, requester_reads};
pub use actor::{Actor, ActorKind, ActorRef};
pub use command::{Assignee, Command, Fire, Given, NewFile};
pub use decide::{Context, Decision, NewSlot, Plan, Values, decide, decide_intake};
pub(crate) use decide::{
    Draft, choices, coarse, denied, has_room, is_plausible, occurred, stays, touched_by,
    variables::{self, spelt},
};
pub use event::{Event, EventError, FileData, Held, PartyData, PlaceData, RequestEvent, head};
pub use files::{Disguise, media_of};
pub use intake::{Intake, Party, Place};
pub(crate) use measure::Words;
pub use measure::{Measure, MeasureError};
pub use message::{DeliveryReport, MessageState};
pub use served::ServedState;
pub use span::Span;
pub use state::{FoldError, HoldState, NoteState, PlaceState, Request};
pub(crate) use validate::{amount, cents, free_text, known, short_text};
