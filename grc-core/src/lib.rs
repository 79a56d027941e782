//! Citizen requests from intake to anonymisation: the domain, the storage contract and the engine.
//!
//! A municipality receives requests by any channel, routes them to the competent service, carries them through a
//! workflow that is data, answers, measures delays, and forgets what is personal when its time has come. This crate
//! is the logic of that, to be embedded. There is no citizen table: a citizen exists only through their requests.
//!
//! # Whole: an engine over a store
//!
//! ```
//! use grc_core::{Actor, Assignee, Budget, Definition, Grc, GrcError, Intake, Party, Place, Stores, request::Fire};
//!
//! # const TOWN: &str = include_str!("../tests/definitions/lib.toml");
//! # pollster::block_on(async {
//! let grc = Grc::open(Stores::memory()).await?;        // or `grc_sqlite::open("town.db")?`
//! let town = grc.authority("rennes")?;
//! town.host("set-up").publish(&Definition::from_files([("town.toml", TOWN)])?).await?;
//!
//! let claire = town.session(Actor::agent("a-17"));     // takes calls
//! let leak = claire
//!     .submit(
//!         Intake::new("water-leak", "phone")
//!             .set("description", "eau qui coule devant le 12")
//!             .at(Place::address("12 rue des Lilas", "35000", "Rennes"))
//!             .party(Party::named("Anne", "Le Gall").phone("06 39 98 12 34").answer_by("sms")),
//!     )
//!     .await?;
//! println!("tell the citizen: {}", leak.tracking_code());
//!
//! let marc = town.session(Actor::agent("a-03"));       // heads the water service
//! let seen = marc.open(leak.id()).await?;
//! for choice in seen.choices() {
//!     println!("{} {:?}", choice.label.get("fr"), choice.blocked);
//! }
//! marc.act(&seen, Fire::new("assign").to(Assignee::agent("a-08"))).await?;
//! town.host("worker").work(None, Budget::ALL).await?;  // messages, timers, retention
//! # Ok::<(), GrcError>(())
//! # })?;
//! # Ok::<(), GrcError>(())
//! ```
//!
//! # Pure: decide and fold, without a store
//!
//! Software that keeps its own database asks [`request::decide_intake`] and [`request::decide`] what happens, and
//! folds the events with [`request::Request::fold`]. Nothing here reads a clock, a random source or a store, and
//! nothing is asynchronous.
//!
//! ```
//! use grc_core::{Actor, Definition, Intake, Moment, RequestId, SeededEntropy, TrackingCode, Word};
//! use grc_core::request::{Acting, Command, Context, Event, Fire, Given, Request, decide, decide_intake};
//!
//! # const TOWN: &str = include_str!("../tests/definitions/lib.toml");
//! let definition = Definition::from_files([("town.toml", TOWN)]).unwrap().resolved();
//! let now = Moment::from_micros(1_795_514_400_000_000);
//! let type_ = Word::new("water-leak").unwrap();
//! let claire = Acting::resolve(&definition.organisation, &Actor::agent("a-17")).unwrap();
//! let context = Context {
//!     organisation: &definition.organisation,
//!     organisation_version: 1,
//!     procedure: &definition.procedures[&type_],
//!     procedure_version: 1,
//!     acting: &claire,
//!     now,
//! };
//!
//! // Without what the form requires: every reason at once.
//! let code = TrackingCode::fresh(&SeededEntropy::new(1)).unwrap(); // your own source of randomness
//! let empty = Intake::new("water-leak", "phone").code(code.clone());
//! assert!(decide_intake(&empty, &type_, &context).unwrap_err().has("field.required"));
//!
//! let intake = Intake::new("water-leak", "phone").set("description", "eau qui coule").code(code);
//! let decision = decide_intake(&intake, &type_, &context).unwrap();
//! let id = RequestId::from_uuid(uuid::Uuid::from_u128(1));
//! let events = Event::sequence(&decision, 0, now, now, &context);
//! let request = Request::fold(id, &events).unwrap().unwrap();
//! assert_eq!(request.phase, "received");
//! // The typed values are apart: `decision.slots` says which slot holds what.
//! assert_eq!(decision.slots.len(), 2);
//!
//! let fire = Command::Fire(Fire::new("assign"));
//! let refusal = decide(&request, &Default::default(), &fire, Given::NOW, &context).unwrap_err();
//! assert!(refusal.is_denied(), "who takes calls does not assign");
//! ```
//!
//! # Where things are
//!
//! [`definition`] what an authority defines, and the checker; [`condition`] the one language of rules; [`request`] what
//! a request is, what may be asked of it, what happened; [`vault`] slots, seals, keys; [`storage`] the contract that a
//! store keeps, and the reference; [`intervention`] work on site and its costs; [`engine`] load, decide, commit;
//! [`insight`] figures. With the feature `conformance`, the kit by which an adapter is proved.
//!
//! Features: `toml` (definition files), `system` (the system's clock and random source), `templates` (messages made from
//! templates), `transports` (ways out for messages), `conformance`.

pub mod canonical;
pub mod condition;
// Not among the library's own tests, which would compile it once more and never call it.
#[cfg(all(feature = "conformance", not(test)))]
pub mod conformance;
pub mod contact;
pub mod definition;
pub mod engine;
mod entropy;
pub mod fold;
mod hex;
mod id;
pub mod insight;
pub mod intervention;
mod refusal;
pub mod request;
pub mod storage;
mod template;
mod time;
mod tracking;
#[cfg(feature = "transports")]
pub mod transport;
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
pub use id::{BatchId, BlobId, InterventionId, KeyId, RequestId, TaskId};
pub use refusal::{Problem, Refusal};
pub use request::{Actor, Assignee, Intake, Party, Place};
#[cfg(feature = "system")]
pub use time::SystemClock;
pub use time::{Clock, ManualClock, Moment};
pub use tracking::{TrackingCode, TrackingCodeError};
pub use value::{Typed, Value};
pub use word::{Word, WordError};
