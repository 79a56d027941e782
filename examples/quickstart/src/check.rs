//! Comparing figures with those that somebody else computed: a `facts.json`.
//!
//! Files of several cities and years name things in their own way (`by_channel`, `by_canal`; `opened_per_month`,
//! `per_month_datedecl`). What a key is about is read from its name ([`key`]), what it says becomes claims ([`claim`]), all
//! claims are answered in one pass, and what no figure answers is named as not compared.

mod claim;
mod key;

use crate::{
    failure::{Failure, Res},
    import::mapping::Mapping,
};
use chrono_tz::Tz;
use claim::{Claims, Expected};
use grc_core::{
    Host,
    insight::{Cell, Figure, Row, Table},
};
use key::{Names, Shape};
use serde_json::Value as Json;
use std::{io::Write, path::Path};

/// How far hours may be apart: the facts are rounded to a millionth.
const NEAR: f64 = 1e-5;

/// Compares, prints what was compared under each key and every difference, and answers whether all agree.
pub(crate) fn compare(
    out: &mut (dyn Write + Send),
    path: &Path,
    host: &Host,
    mapping: Option<&Mapping>,
) -> Res<bool> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, error))?;
    let facts: Json = serde_json::from_str(&text).map_err(|error| Failure::file(path, error))?;
    let facts =
        facts.as_object().ok_or_else(|| Failure::file(path, "this is no object with a key a fact"))?;
    let zone = pollster::block_on(host.definition())?.organisation.time_zone;
    let (mut claims, mut others) = read(facts, mapping, zone);
    if claims.is_empty() {
        return Err(Failure::file(path, "nothing in it can be compared with these figures"));
    }
    let questions: Vec<_> = claims.iter().flat_map(|claims| claims.questions()).collect();
    let mut tables = pollster::block_on(host.measure_all(&questions))?.into_iter();
    writeln!(out, "Figures compared with {}:", path.display())?;
    let (mut compared, mut differ) = (0, 0);
    for claims in &mut claims {
        let answers: Vec<Table> = tables.by_ref().take(claims.len()).collect();
        let wrong = differences(claims, &answers);
        let sign = if wrong.is_empty() { "=" } else { "≠" };
        writeln!(
            out,
            "  {sign} {}: {} of {} agree",
            claims.key,
            claims.count() - wrong.len(),
            claims.count()
        )?;
        for line in &wrong {
            writeln!(out, "      {line}")?;
        }
        compared += claims.count();
        differ += wrong.len();
    }
    others.sort_unstable();
    if !others.is_empty() {
        writeln!(out, "  not compared: {}", others.join(", "))?;
    }
    writeln!(out, "{compared} comparisons, {differ} differ")?;
    Ok(differ == 0)
}

/// The claims of each key that is understood, and the other keys.
fn read<'a>(
    facts: &'a serde_json::Map<String, Json>,
    mapping: Option<&Mapping>,
    zone: Tz,
) -> (Vec<Claims<'a>>, Vec<&'a str>) {
    let names = Names::new(mapping);
    let rows = facts.get("rows").and_then(Json::as_u64);
    let (mut claims, mut others) = (Vec::new(), Vec::new());
    for (key, value) in facts {
        let read = names.shape(key).and_then(|shape| match shape {
            // How many are closed follows from how many are not.
            Shape::Open => Claims::open(key, value, rows),
            shape => Claims::read(key, shape, value, mapping, zone),
        });
        match read {
            Some(read) => claims.push(read),
            None => others.push(key.as_str()),
        }
    }
    (claims, others)
}

/// What differs, a line each.
fn differences(claims: &Claims<'_>, answers: &[Table]) -> Vec<String> {
    let mut out = Vec::new();
    for claim in &claims.claims {
        let Some(table) = answers.get(claim.question) else { continue };
        let rows: Vec<&Row> = table.rows.iter().filter(|row| claim.is_of(row)).collect();
        let found = match claim.expected {
            Expected::Distinct(_) => Some(rows.len() as f64),
            Expected::First(_) | Expected::Last(_) => None,
            Expected::Count(_) => Some(count(table, &rows, claim.figure) as f64),
            Expected::Real(_) => match rows.as_slice() {
                [row] => table.of(row, claim.figure).and_then(Cell::number),
                _ => None,
            },
        };
        let agrees = match (&claim.expected, found) {
            (Expected::Count(n) | Expected::Distinct(n), Some(found)) => found == *n as f64,
            (Expected::Real(expected), Some(found)) => (found - expected).abs() <= NEAR,
            (Expected::First(day), _) => rows.first().is_some_and(|row| row.labels().contains(&day.as_str())),
            (Expected::Last(day), _) => rows.last().is_some_and(|row| row.labels().contains(&day.as_str())),
            (_, None) => false,
        };
        if !agrees {
            let found = found.map_or_else(|| "nothing".to_owned(), |found| found.to_string());
            out.push(format!("{}: {found}, expected {}", claim.what(), claim.expected));
        }
    }
    out
}

/// What rows of one name come to.
fn count(table: &Table, rows: &[&Row], figure: Figure) -> u64 {
    rows.iter().filter_map(|row| table.of(row, figure)?.count()).sum()
}
