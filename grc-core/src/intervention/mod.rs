//! Work on site: planned, carried out and paid, for one or several requests.
//!
//! An intervention is a stream of its own. It holds when, who and what it took; what persons typed about it
//! (instructions, the report, pictures) is kept with the request that it belongs to, and goes with it. What it cost is
//! shared over the requests that it serves, to the cent, and each share is written with its request: figures by type,
//! family or request need nothing else, and stay when a request is anonymised.
//!
//! ```
//! use grc_core::{Actor, Definition, Grc, GrcError, Intake, List, Stores};
//! use grc_core::intervention::{Planning, Purchase, Work};
//! # use chrono::{DateTime, Duration, Utc};
//! # const TOWN: &str = include_str!("../../tests/definitions/lib.toml");
//! # pollster::block_on(async {
//! # let grc = Grc::open(Stores::memory()).await?;
//! # let town = grc.authority("rennes")?;
//! # town.host("set-up").publish(&Definition::from_files([("town.toml", TOWN)])?).await?;
//! # let claire = town.session(Actor::agent("a-17"));
//! # let leak = claire.submit(Intake::new("water-leak", "phone").set("description", "eau qui coule")).await?.id();
//! let marc = town.session(Actor::agent("a-03")); // heads the water service, and may see amounts
//! let from = DateTime::<Utc>::from_timestamp(1_795_600_800, 0).unwrap();
//! let planning = Planning::new(from, from + Duration::hours(2))
//!     .serving(leak) // several may be served: they share what it costs
//!     .team("plumbers")
//!     .estimate(90, "120,00")
//!     .instructions(leak, "Bring the 60 mm clamp.");
//! let work = marc.plan(planning).await?.id();
//!
//! let paul = town.session(Actor::agent("a-08")); // a plumber
//! assert_eq!(paul.interventions(&List::new().my_teams()).await?.interventions.len(), 1);
//! let page = paul.work_order(work).await?.to_html(); // to be printed
//! assert!(page.contains("Bring the 60 mm clamp."));
//! paul.work_on(work, None, Work::Start).await?;
//! paul.work_on(work, None, Work::spend(75)).await?; // minutes
//! marc.work_on(work, None, Work::Buy(Purchase::net("80,00").vat_rate(2_000).invoice("F-77"))).await?;
//! paul.work_on(work, None, Work::done_with(leak, "Joint changed.")).await?;
//!
//! let seen = marc.intervention(work).await?;
//! assert_eq!((seen.minutes(), seen.cents()), ((90, 75), Some((12_000, 9_600)))); // planned, and spent
//! # Ok::<(), GrcError>(())
//! # })?;
//! # Ok::<(), GrcError>(())
//! ```
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
