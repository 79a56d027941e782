//! Comparing figures with those that somebody else computed.

use crate::failure::{Failure, Res};
use grc_core::insight::Figures;
use serde::Deserialize;
use std::{collections::BTreeMap, io::Write, path::Path};

#[derive(Deserialize)]
struct Counted {
    value: String,
    n: u64,
}

#[derive(Deserialize)]
struct Delay {
    n: u64,
    median_h: f64,
    p90_h: f64,
    mean_h: f64,
}

#[derive(Deserialize)]
struct OnTime {
    closed_le_target: u64,
    closed_gt_target: u64,
}

/// What a facts.json says, as far as it is compared.
#[derive(Deserialize)]
struct Facts {
    rows: u64,
    closed_missing: u64,
    by_channel: Vec<Counted>,
    by_type_top20: Vec<Counted>,
    distinct_types: u64,
    by_unit_top20: Vec<Counted>,
    distinct_units: u64,
    opened_per_month: BTreeMap<String, u64>,
    closed_per_month: BTreeMap<String, u64>,
    delay_overall: Delay,
    #[serde(default)]
    ontime_recomputed: Option<OnTime>,
}

/// How far hours may be apart: the facts are rounded to a millionth.
const NEAR: f64 = 1e-5;

struct Comparing<'a> {
    out: &'a mut (dyn Write + Send),
    compared: u32,
    differ: u32,
}

impl Comparing<'_> {
    fn line(&mut self, same: bool, what: &str, expected: &str, found: &str) -> Res<()> {
        self.compared += 1;
        let sign = if same { "=" } else { "≠" };
        writeln!(self.out, "  {sign} {what}: {found}")?;
        if !same {
            self.differ += 1;
            writeln!(self.out, "      expected {expected}")?;
        }
        Ok(())
    }

    fn count(&mut self, what: &str, expected: u64, found: u64) -> Res<()> {
        self.line(expected == found, what, &expected.to_string(), &found.to_string())
    }

    fn hours(&mut self, what: &str, expected: f64, found: f64) -> Res<()> {
        self.line((expected - found).abs() <= NEAR, what, &expected.to_string(), &format!("{found:.6}"))
    }

    fn counts(&mut self, what: &str, expected: &[Counted], found: &BTreeMap<String, u64>) -> Res<()> {
        for Counted { value, n } in expected {
            self.count(&format!("{what} {value:?}"), *n, found.get(value).copied().unwrap_or(0))?;
        }
        Ok(())
    }

    fn months(
        &mut self,
        what: &str,
        expected: &BTreeMap<String, u64>,
        found: &BTreeMap<String, u64>,
    ) -> Res<()> {
        self.count(&format!("{what}, number of months"), expected.len() as u64, found.len() as u64)?;
        for (month, n) in expected {
            self.count(&format!("{what} {month}"), *n, found.get(month).copied().unwrap_or(0))?;
        }
        Ok(())
    }
}

/// Compares, prints each comparison, and answers whether all agree.
pub(crate) fn compare(out: &mut (dyn Write + Send), path: &Path, figures: &Figures) -> Res<bool> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let facts: Facts = serde_json::from_str(&text).map_err(|error| Failure::file(path, error))?;
    writeln!(out, "Figures compared with {}:", path.display())?;
    let mut comparing = Comparing { out, compared: 0, differ: 0 };
    comparing.count("requests", facts.rows, figures.total)?;
    comparing.count("open", facts.closed_missing, figures.open)?;
    comparing.count("closed", facts.rows.saturating_sub(facts.closed_missing), figures.closed)?;
    comparing.counts("channel", &facts.by_channel, &figures.by_channel)?;
    comparing.count("distinct types", facts.distinct_types, figures.by_type.len() as u64)?;
    comparing.counts("type", &facts.by_type_top20, &figures.by_type)?;
    comparing.count("distinct services", facts.distinct_units, figures.by_service.len() as u64)?;
    comparing.counts("service", &facts.by_unit_top20, &figures.by_service)?;
    comparing.months("opened in", &facts.opened_per_month, &figures.opened_by_month)?;
    comparing.months("closed in", &facts.closed_per_month, &figures.closed_by_month)?;
    comparing.count("delays", facts.delay_overall.n, figures.delay_hours.count)?;
    comparing.hours("delay, median (h)", facts.delay_overall.median_h, figures.delay_hours.median)?;
    comparing.hours("delay, 9 in 10 (h)", facts.delay_overall.p90_h, figures.delay_hours.p90)?;
    comparing.hours("delay, mean (h)", facts.delay_overall.mean_h, figures.delay_hours.mean)?;
    if let Some(expected) = facts.ontime_recomputed {
        comparing.count("closed by the target", expected.closed_le_target, figures.on_time.within)?;
        comparing.count("closed after the target", expected.closed_gt_target, figures.on_time.late)?;
    }
    let Comparing { compared, differ, .. } = comparing;
    writeln!(out, "{compared} comparisons, {differ} differ")?;
    Ok(differ == 0)
}
