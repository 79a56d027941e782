//! The figures that one looks at first, all at once.

use super::{Cell, Dimension, Figure, Question, Step, Table};
use serde::Serialize;
use std::collections::BTreeMap;

/// How long something took, in hours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Default)]
pub struct Delay {
    /// How many.
    pub count: u64,
    /// The mean; 0 if there are none.
    pub mean: f64,
    /// Half of them took at most so long (linear interpolation between the two in the middle).
    pub median: f64,
    /// Nine in ten of them took at most so long (linear interpolation).
    pub p90: f64,
}

/// Closed requests with a target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Default)]
pub struct OnTime {
    /// Closed at the target or before.
    pub within: u64,
    /// Closed after it.
    pub late: u64,
    /// The share of the first, from 0 to 1; 0 if there are none.
    pub share: f64,
}

/// What a head of service looks at first. Types, services and channels go by their names in the organisation's
/// language, or by their ids where the definition does not know them any more.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct Figures {
    /// Requests.
    pub total: u64,
    /// Of these, not closed.
    pub open: u64,
    /// Of these, closed.
    pub closed: u64,
    /// By the channel they came in by.
    pub by_channel: BTreeMap<String, u64>,
    /// By type.
    pub by_type: BTreeMap<String, u64>,
    /// By the service that holds them.
    pub by_service: BTreeMap<String, u64>,
    /// By the month in which they were opened, in the authority's zone.
    pub opened_by_month: BTreeMap<String, u64>,
    /// By the month in which they were closed, in the authority's zone.
    pub closed_by_month: BTreeMap<String, u64>,
    /// From opening to closure, as it occurred; negative where it was entered so.
    pub delay_hours: Delay,
    /// Against what was promised.
    pub on_time: OnTime,
    /// How many are anonymised.
    pub anonymised: u64,
}

const CLOSURE: Step = Step::Closure;

impl Figures {
    /// The questions that are asked for them, about the requests of another.
    pub(crate) fn questions(of: &Question) -> Vec<Question> {
        let ask =
            |figures: &[Figure], by: Option<Dimension>| of.clone().figures(figures.iter().copied()).by(by);
        vec![
            ask(
                &[
                    Figure::Total,
                    Figure::Closed,
                    Figure::Anonymised,
                    Figure::Delays(CLOSURE),
                    Figure::Mean(CLOSURE),
                    Figure::Median(CLOSURE),
                    Figure::P90(CLOSURE),
                    Figure::Promised(CLOSURE),
                    Figure::Within(CLOSURE),
                    Figure::Share(CLOSURE),
                ],
                None,
            ),
            ask(&[Figure::Total], Some(Dimension::Channel)),
            ask(&[Figure::Total], Some(Dimension::Type)),
            ask(&[Figure::Total], Some(Dimension::Service)),
            ask(&[Figure::Opened], Some(Dimension::Month)),
            ask(&[Figure::Closed], Some(Dimension::Month)),
        ]
    }

    /// What their answers say.
    pub(crate) fn of(tables: &[Table]) -> Self {
        let number = |figure| {
            let table = tables.first()?;
            table.of(table.rows.first()?, figure)
        };
        let count = |figure| number(figure).and_then(Cell::count).unwrap_or(0);
        let real = |figure| number(figure).and_then(Cell::number).unwrap_or(0.0);
        let by = |n: usize| tables.get(n).map(counts).unwrap_or_default();
        let (total, closed) = (count(Figure::Total), count(Figure::Closed));
        let within = count(Figure::Within(CLOSURE));
        Self {
            total,
            closed,
            open: total.saturating_sub(closed),
            by_channel: by(1),
            by_type: by(2),
            by_service: by(3),
            opened_by_month: by(4),
            closed_by_month: by(5),
            delay_hours: Delay {
                count: count(Figure::Delays(CLOSURE)),
                mean: real(Figure::Mean(CLOSURE)),
                median: real(Figure::Median(CLOSURE)),
                p90: real(Figure::P90(CLOSURE)),
            },
            on_time: OnTime {
                within,
                late: count(Figure::Promised(CLOSURE)).saturating_sub(within),
                share: real(Figure::Share(CLOSURE)),
            },
            anonymised: count(Figure::Anonymised),
        }
    }
}

/// The first column by the labels of the first dimension; ids of one label are counted together, what is without is not.
fn counts(table: &Table) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    for row in &table.rows {
        let count = row.cells.first().and_then(|cell| cell.count());
        if let (Some(Some(key)), Some(count)) = (row.keys.first(), count) {
            *out.entry(key.label.clone()).or_default() += count;
        }
    }
    out
}
