//! Figures: one streamed pass over the measure rows, the same on every store.

use crate::{
    Authority, Condition, GrcError, Moment, Value, Word,
    condition::{Environment, Var},
    engine::Current,
    request::Measure,
    storage::{Fact, StoreInfo},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Which requests figures are about.
#[derive(Debug, Clone, Default)]
pub struct Question {
    filter: Option<Condition>,
}

impl Question {
    /// All of them.
    pub const fn all() -> Self {
        Self { filter: None }
    }

    /// Those whose facts meet a condition.
    pub const fn those(filter: Condition) -> Self {
        Self { filter: Some(filter) }
    }
}

impl Question {
    /// The condition, if there is one.
    pub(crate) const fn filter(&self) -> Option<&Condition> {
        self.filter.as_ref()
    }
}

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

/// What a head of service looks at. Types, services and channels go by their names in the organisation's language, or
/// by their ids where the definition does not know them any more.
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

/// The facts of a measure row, for conditions.
struct MeasureEnv<'a>(&'a Measure);

impl Environment for MeasureEnv<'_> {
    fn value(&self, var: &Var) -> Option<Value> {
        match var {
            Var::Fact(fact) => self.0.facts.get(*fact).map(Value::from),
            Var::Field(_) => None,
        }
    }

    fn relation(&self, _: &str) -> bool {
        false
    }
}

/// Counting, row by row.
#[derive(Debug, Default)]
struct Tally {
    total: u64,
    closed: u64,
    anonymised: u64,
    within: u64,
    late: u64,
    by: [BTreeMap<Word, u64>; 3],
    opened: BTreeMap<String, u64>,
    closed_by_month: BTreeMap<String, u64>,
    delays: Vec<i64>,
}

impl Tally {
    fn add(&mut self, measure: &Measure, zone: chrono_tz::Tz) {
        let facts = &measure.facts;
        self.total += 1;
        self.anonymised += u64::from(facts.integer(Fact::Anonymised).is_some());
        for (counts, fact) in self.by.iter_mut().zip([Fact::Channel, Fact::Type, Fact::Service]) {
            if let Some(word) = facts.word(fact) {
                *counts.entry(word.clone()).or_default() += 1;
            }
        }
        let month = |micros: i64| Moment::from_micros(micros).month(zone);
        let opened = facts.integer(Fact::Opened);
        if let Some(opened) = opened {
            *self.opened.entry(month(opened)).or_default() += 1;
        }
        let Some(closed) = facts.integer(Fact::Closed) else { return };
        self.closed += 1;
        *self.closed_by_month.entry(month(closed)).or_default() += 1;
        if let Some(opened) = opened {
            self.delays.push(closed.saturating_sub(opened));
        }
        if let Some(target) = facts.integer(Fact::Target) {
            let count = if closed <= target { &mut self.within } else { &mut self.late };
            *count += 1;
        }
    }

    fn figures(mut self, current: &Current) -> Figures {
        let organisation = &current.document.organisation;
        let language = &organisation.language;
        self.delays.sort_unstable();
        let [channels, types, services] = &self.by;
        let named = |counts: &BTreeMap<Word, u64>, name: &dyn Fn(&Word) -> Option<String>| {
            let mut out: BTreeMap<String, u64> = BTreeMap::new();
            for (id, count) in counts {
                *out.entry(name(id).unwrap_or_else(|| id.to_string())).or_default() += count;
            }
            out
        };
        let measured = self.within + self.late;
        Figures {
            total: self.total,
            open: self.total - self.closed,
            closed: self.closed,
            by_channel: named(channels, &|id| {
                organisation.channel(id.as_str()).map(|channel| channel.label.get(language).to_owned())
            }),
            by_type: named(types, &|id| {
                current.document.labels.get(id).map(|label| label.get(language).to_owned())
            }),
            by_service: named(services, &|id| {
                organisation.service(id.as_str()).map(|service| service.label.get(language).to_owned())
            }),
            opened_by_month: self.opened,
            closed_by_month: self.closed_by_month,
            delay_hours: Delay {
                count: self.delays.len() as u64,
                mean: mean(&self.delays),
                median: quantile(&self.delays, 1, 2),
                p90: quantile(&self.delays, 9, 10),
            },
            on_time: OnTime {
                within: self.within,
                late: self.late,
                share: if measured == 0 { 0.0 } else { self.within as f64 / measured as f64 },
            },
            anonymised: self.anonymised,
        }
    }
}

const HOUR: f64 = 3_600_000_000.0;

fn mean(sorted: &[i64]) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    let sum: i128 = sorted.iter().map(|delay| i128::from(*delay)).sum();
    sum as f64 / sorted.len() as f64 / HOUR
}

/// A quantile by linear interpolation (Hyndman and Fan, type 7), in hours; the values are in microseconds, sorted.
fn quantile(sorted: &[i64], numerator: usize, denominator: usize) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = last * numerator;
    let (index, rest) = (place / denominator, place % denominator);
    let low = sorted.get(index).copied().unwrap_or(0);
    let high = sorted.get(index + 1).copied().unwrap_or(low);
    (low as f64 + (high as f64 - low as f64) * (rest as f64 / denominator as f64)) / HOUR
}

impl Authority {
    /// Figures over the requests within a scope: one pass over the measure rows.
    pub(crate) async fn figures(
        &self,
        current: &Current,
        scope: &Condition,
        question: &Question,
    ) -> Result<Figures, GrcError> {
        let inner = self.inner();
        let zone = current.document.organisation.time_zone;
        let mut tally = Tally::default();
        let mut after = None;
        loop {
            let page =
                inner.grc.0.stores.store.measures(&inner.name, after.as_ref(), StoreInfo::MAX_PAGE).await?;
            for (_, bytes) in page.rows.iter().filter(|(key, _)| key.kind == crate::RequestId::KIND) {
                let measure =
                    Measure::from_bytes(bytes).map_err(|error| GrcError::Corrupt(error.to_string()))?;
                let env = MeasureEnv(&measure);
                if scope.holds(&env) && question.filter.as_ref().is_none_or(|filter| filter.holds(&env)) {
                    tally.add(&measure, zone);
                }
            }
            after = match page.next {
                Some(next) => Some(next),
                None => break,
            };
        }
        Ok(tally.figures(current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        let hours = |values: &[i64]| values.iter().map(|v| v * 3_600_000_000).collect::<Vec<_>>();
        for (values, half, ninety) in [
            (vec![], 0.0, 0.0),
            (vec![5], 5.0, 5.0),
            (vec![1, 2], 1.5, 1.9),
            (vec![-3, 0, 4, 10], 2.0, 8.2),
            (vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 5.0, 9.0),
        ] {
            let sorted = hours(&values);
            assert!((quantile(&sorted, 1, 2) - half).abs() < 1e-9, "{values:?}");
            assert!((quantile(&sorted, 9, 10) - ninety).abs() < 1e-9, "{values:?}");
        }
    }
}
