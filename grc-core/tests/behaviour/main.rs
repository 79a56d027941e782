//! What the engine does, over the store in memory: a module for each thing that must hold. One program, since each takes as
//! long to build as its tests take to run.

#[path = "../common/mod.rs"]
mod common;

mod closure;
mod definition;
mod engine;
mod faults;
mod figures;
mod forms;
mod guide;
mod holding;
mod instants;
mod interventions;
mod lists;
mod messages;
mod outbox;
mod refusals;
mod regressions;
mod retention;
mod rights;
mod site_bounds;
mod site_rights;
mod source;
mod transports;
mod vectors;
mod walks;
mod workflow;
