//! Figures: what a head of service looks at. One streamed pass over the measure rows, the same on every store.
//!
//! A [`Question`] says which requests, which [`Figure`]s, by which [`Dimension`]s and in which time; a [`Table`] is
//! the answer, and [`Session::behind`](crate::Session::behind) gives the requests behind one of its cells.
//!
//! ```
//! use grc_core::{Condition, insight::{Dimension, Figure, Question, Step}, storage::Fact};
//! # use grc_core::{Actor, Definition, Grc, GrcError, Intake, Stores};
//! # const TOWN: &str = include_str!("../../tests/definitions/lib.toml");
//! # pollster::block_on(async {
//! # let grc = Grc::open(Stores::memory()).await?;
//! # let town = grc.authority("rennes")?;
//! # town.host("set-up").publish(&Definition::from_files([("town.toml", TOWN)])?).await?;
//! # let claire = town.session(Actor::agent("a-17"));
//! # claire.submit(Intake::new("water-leak", "phone").set("description", "eau qui coule")).await?;
//! let question = Question::those(Condition::is(Fact::Family, "roads"))
//!     .figures([Figure::Opened, Figure::Median(Step::Closure), Figure::Share(Step::Closure)])
//!     .by([Dimension::Month, Dimension::Channel]);
//! let table = claire.measure(&question).await?;
//! for row in &table.rows {
//!     // 2026-11, then `phone` with its label `Téléphone`; one leak, and nothing to say of delays yet.
//!     println!("{:?} {:?}", row.keys, row.cells);
//! }
//! let row = &table.rows[0];
//! assert_eq!(row.cells[0].count(), Some(1));
//! assert_eq!(row.cells[1].number(), None);
//! let behind = claire.behind(&question, Figure::Opened, &row.ids(), None, 100).await?;
//! assert_eq!(behind.requests.len(), 1);
//! # Ok::<(), GrcError>(())
//! # })?;
//! # Ok::<(), GrcError>(())
//! ```
//!
//! What each figure is and when it is dated is said at [`Figure`], what each dimension means for it at [`Dimension`].

mod contribution;
mod dimension;
mod figure;
mod labels;
mod overview;
mod part;
mod pass;
mod plan;
mod quantile;
mod question;
mod table;
mod tally;

pub use dimension::Dimension;
pub use figure::{Figure, Step};
pub use overview::{Delay, Figures, OnTime};
pub(crate) use pass::Reach;
pub use question::Question;
pub use table::{Behind, Cell, Key, Row, Table};
