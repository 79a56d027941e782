//! Counting, request by request.

use super::{
    Cell, Figure, Key, Question, Row, Table,
    contribution::{Contribution, Counted},
    figure::Group,
    labels::Labels,
    part::Part,
    plan::Plan,
    quantile::{mean, quantile},
};
use crate::refusal::{Problem, Refusal};
use std::collections::BTreeMap;

/// The key of a row; unused parts are nothing.
pub(super) type Place = [Part; Question::MAX_DIMENSIONS];

const NOWHERE: Place = [const { Part::Without }; Question::MAX_DIMENSIONS];

/// What a group comes to in a row.
#[derive(Debug, Clone, Default)]
struct Sum {
    count: u64,
    amount: i64,
    /// Each delay, where quantiles are asked for.
    each: Vec<i64>,
}

/// The rows of one question while they are counted.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) plan: Plan,
    figures: Vec<Figure>,
    rows: BTreeMap<Place, Vec<Sum>>,
}

impl Tally {
    pub(super) fn new(plan: Plan, figures: Vec<Figure>) -> Self {
        let mut rows = BTreeMap::new();
        if plan.by.is_empty() {
            rows.insert(NOWHERE, vec![Sum::default(); plan.groups.len()]);
        }
        Self { plan, figures, rows }
    }

    /// Counts a request. Groups of money only if the actor may see its amounts.
    pub(super) fn add(&mut self, counted: Counted<'_>) -> Result<(), Refusal> {
        for n in 0..self.plan.groups.len() {
            let Some(group) = self.plan.groups.get(n).copied() else { continue };
            if group.is_money() && !counted.money {
                continue;
            }
            let keeps = self.plan.each.get(n).copied().unwrap_or(false);
            let groups = self.plan.groups.len();
            let rows = &mut self.rows;
            each_place(counted, group, &mut self.plan, &mut |place, contribution| {
                let row = rows.entry(place.clone()).or_insert_with(|| vec![Sum::default(); groups]);
                let Some(sum) = row.get_mut(n) else { return };
                sum.count = sum.count.saturating_add(contribution.count);
                if keeps {
                    sum.each.push(contribution.amount);
                } else {
                    sum.amount = sum.amount.saturating_add(contribution.amount);
                }
            });
        }
        if self.rows.len().saturating_mul(self.figures.len()) > Question::MAX_CELLS {
            let message = format!("the answer has more than {} cells", Question::MAX_CELLS);
            let problem = Problem::new("figures.too-many", "by", message);
            return Err(problem.hint("ask by less, or of a shorter time").into());
        }
        Ok(())
    }

    /// The answer.
    pub(super) fn table(self, labels: &Labels<'_>) -> Table {
        let Self { plan, figures, rows } = self;
        let mut out = Vec::with_capacity(rows.len());
        for (place, mut sums) in rows {
            for sum in &mut sums {
                sum.each.sort_unstable();
            }
            let key = |(part, dimension): (&Part, &super::Dimension)| {
                let id = part.text(*dimension)?;
                Some(Key { label: labels.of(*dimension, &id), id })
            };
            let cell = |figure: &Figure| {
                let nothing = Sum::default();
                cell(*figure, plan.place(*figure).and_then(|n| sums.get(n)).unwrap_or(&nothing))
            };
            out.push(Row {
                keys: place.iter().zip(&plan.by).map(key).collect(),
                cells: figures.iter().map(cell).collect(),
            });
        }
        Table { dimensions: plan.by, figures, rows: out }
    }
}

/// What a figure reads off a sum.
fn cell(figure: Figure, sum: &Sum) -> Cell {
    match figure {
        Figure::Mean(_) => Cell::Hours(mean(&sum.each)),
        Figure::Median(_) => Cell::Hours(quantile(&sum.each, 1, 2)),
        Figure::P90(_) => Cell::Hours(quantile(&sum.each, 9, 10)),
        Figure::Within(_) => Cell::Count(u64::try_from(sum.amount).unwrap_or(0)),
        Figure::Share(_) => Cell::Share((sum.count > 0).then(|| sum.amount as f64 / sum.count as f64)),
        Figure::Minutes | Figure::PlannedMinutes => Cell::Minutes(sum.count),
        Figure::Cents | Figure::PlannedCents => Cell::Cents(sum.amount),
        Figure::Opened
        | Figure::Closed
        | Figure::Open
        | Figure::Reopened
        | Figure::Total
        | Figure::Anonymised
        | Figure::Delays(_)
        | Figure::Promised(_)
        | Figure::MessagesIn
        | Figure::MessagesOut => Cell::Count(sum.count),
    }
}

/// Every place to which a request adds something of a group, and what.
pub(super) fn each_place<'a>(
    counted: Counted<'a>,
    group: Group,
    plan: &mut Plan,
    add: &mut dyn FnMut(&Place, &Contribution<'a>),
) {
    let mut contributions = Vec::new();
    counted.each(group, plan, &mut |contribution| contributions.push(contribution));
    let mut parts = Vec::new();
    for contribution in contributions {
        if !plan.takes(group, contribution.dated) {
            continue;
        }
        let mut places = vec![NOWHERE];
        for (n, dimension) in plan.by.iter().enumerate() {
            counted.parts(*dimension, group, &contribution, plan, &mut parts);
            let before = std::mem::take(&mut places);
            for part in &parts {
                places.extend(before.iter().map(|place| {
                    let mut place = place.clone();
                    if let Some(slot) = place.get_mut(n) {
                        slot.clone_from(part);
                    }
                    place
                }));
            }
        }
        places.iter().for_each(|place| add(place, &contribution));
    }
}
