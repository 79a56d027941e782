//! Work on site: planned, carried out and paid, for one or several requests.
//!
//! An intervention is a stream of its own. It holds when, who and what it took; what persons typed about it
//! (instructions, the report, pictures) is kept with the request that it belongs to, and goes with it. What it cost is
//! shared over the requests that it serves, to the cent, and each share is written with its request: figures by type,
//! family or request need nothing else, and stay when a request is anonymised.
//!
//! As for requests there is a pure way in: [`decide_plan`], [`decide_work`] and [`Intervention::fold`].

mod command;
mod decide;
mod event;
mod order;
mod rights;
mod share;
mod state;

pub use command::{Occasion, Planning, Purchase, Work};
pub use decide::{InterventionDecision, Served, Site, decide_plan, decide_work};
pub(crate) use decide::{check_number, touched_by};
pub use event::{InterventionEvent, ServedRequest};
pub use order::{OrderEntry, OrderRequest, WorkOrder};
pub(crate) use rights::{may_for, may_on, reads_on, writes_on};
pub use share::shares;
pub use state::{Entry, Intervention};
