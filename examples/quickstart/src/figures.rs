//! Printing figures, for people and for programs.

use crate::{bars, failure::Res};
use grc_core::{
    Host,
    insight::{Cell, Delay, Dimension, Figure, Figures, OnTime, Question, Row, Step, Table},
};
use serde::Serialize;
use std::{collections::BTreeMap, io::Write};

/// The object that `--json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    /// Rows taken in by this run.
    pub(crate) accepted: u64,
    /// Rows refused in this run.
    pub(crate) refused: u64,
    /// Rows taken in of which a later step failed.
    pub(crate) incomplete: u64,
    #[serde(flatten)]
    pub(crate) figures: &'a Figures,
    #[serde(flatten)]
    pub(crate) more: &'a More,
}

/// What is counted besides, by the names of what it is counted by. Weekdays go from 1, Monday, to 7.
#[derive(Debug, Serialize)]
pub(crate) struct More {
    opened_by_week: BTreeMap<String, u64>,
    opened_by_weekday: BTreeMap<String, u64>,
    opened_by_hour: BTreeMap<String, u64>,
    opened_by_day: BTreeMap<String, u64>,
    by_zone: BTreeMap<String, u64>,
    delay_by_month: BTreeMap<String, Delay>,
    delay_by_type: BTreeMap<String, Delay>,
    delay_by_channel: BTreeMap<String, Delay>,
    on_time_by_month: BTreeMap<String, OnTime>,
    on_time_by_type: BTreeMap<String, OnTime>,
    on_time_by_channel: BTreeMap<String, OnTime>,
}

const CLOSURE: Step = Step::Closure;

const DELAYS: [Figure; 7] = [
    Figure::Delays(CLOSURE),
    Figure::Mean(CLOSURE),
    Figure::Median(CLOSURE),
    Figure::P90(CLOSURE),
    Figure::Promised(CLOSURE),
    Figure::Within(CLOSURE),
    Figure::Share(CLOSURE),
];

impl More {
    /// Asks for all of it: the rows are read once.
    pub(crate) async fn ask(host: &Host) -> Res<Self> {
        let by = |dimension| Question::all().figures([Figure::Opened]).by([dimension]);
        let delays = |dimension| Question::all().figures(DELAYS).by([dimension]);
        let questions = [
            by(Dimension::Week),
            by(Dimension::Weekday),
            by(Dimension::Hour),
            by(Dimension::Day),
            by(Dimension::Zone),
            delays(Dimension::Month),
            delays(Dimension::Type),
            delays(Dimension::Channel),
        ];
        let tables = host.measure_all(&questions).await?;
        let table = |n: usize| tables.get(n);
        let counts = |n| table(n).map(counts).unwrap_or_default();
        let delays = |n| table(n).map(|table| named(table, delay)).unwrap_or_default();
        let on_time = |n| table(n).map(|table| named(table, on_time)).unwrap_or_default();
        Ok(Self {
            opened_by_week: counts(0),
            opened_by_weekday: counts(1),
            opened_by_hour: counts(2),
            opened_by_day: counts(3),
            by_zone: counts(4),
            delay_by_month: delays(5),
            delay_by_type: delays(6),
            delay_by_channel: delays(7),
            on_time_by_month: on_time(5),
            on_time_by_type: on_time(6),
            on_time_by_channel: on_time(7),
        })
    }
}

/// The label of a row of one dimension; none for what is without.
fn label(row: &Row) -> Option<String> {
    row.keys.first()?.as_ref().map(|key| key.label.clone())
}

fn counts(table: &Table) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    for row in &table.rows {
        if let (Some(label), Some(count)) = (label(row), row.cells.first().and_then(|cell| cell.count())) {
            *out.entry(label).or_default() += count;
        }
    }
    out
}

fn named<T>(table: &Table, read: impl Fn(&Table, &Row) -> Option<T>) -> BTreeMap<String, T> {
    table.rows.iter().filter_map(|row| Some((label(row)?, read(table, row)?))).collect()
}

fn delay(table: &Table, row: &Row) -> Option<Delay> {
    let hours = |figure| table.of(row, figure).and_then(Cell::number);
    Some(Delay {
        count: table.of(row, Figure::Delays(CLOSURE))?.count()?,
        mean: hours(Figure::Mean(CLOSURE))?,
        median: hours(Figure::Median(CLOSURE))?,
        p90: hours(Figure::P90(CLOSURE))?,
    })
}

fn on_time(table: &Table, row: &Row) -> Option<OnTime> {
    let count = |figure| table.of(row, figure).and_then(Cell::count);
    let within = count(Figure::Within(CLOSURE))?;
    Some(OnTime {
        within,
        late: count(Figure::Promised(CLOSURE))?.saturating_sub(within),
        share: table.of(row, Figure::Share(CLOSURE))?.number()?,
    })
}

/// A number with its thousands apart, as it is written in French.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// Hours in words.
pub(crate) fn hours(hours: f64) -> String {
    if hours.abs() < 1.0 {
        format!("{:.0} min", hours * 60.0)
    } else if hours.abs() < 48.0 {
        format!("{hours:.1} h").replace('.', ",")
    } else {
        format!("{:.1} j", hours / 24.0).replace('.', ",")
    }
}

/// A share in words.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0).replace('.', ",")
}

fn block(out: &mut (dyn Write + Send), title: &str, rows: &[(String, String, f64)]) -> Res<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {title}")?;
    for line in bars::lines(rows) {
        writeln!(out, "    {line}")?;
    }
    Ok(())
}

/// The largest first, and what the others come to.
fn ranked(out: &mut (dyn Write + Send), title: &str, counts: &BTreeMap<String, u64>) -> Res<()> {
    const SHOWN: usize = 8;
    let mut ranked: Vec<(&String, &u64)> = counts.iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let row = |(name, count): &(&String, &u64)| ((*name).clone(), grouped(**count), **count as f64);
    let rows: Vec<_> = ranked.iter().take(SHOWN).map(row).collect();
    block(out, title, &rows)?;
    let rest: u64 = ranked.iter().skip(SHOWN).map(|(_, count)| **count).sum();
    if rest > 0 {
        writeln!(out, "    … {} autres : {}", ranked.len() - SHOWN, grouped(rest))?;
    }
    Ok(())
}

/// In order of time, the first two years.
fn months(out: &mut (dyn Write + Send), title: &str, counts: &BTreeMap<String, u64>) -> Res<()> {
    const SHOWN: usize = 24;
    let row = |(month, count): (&String, &u64)| (month.clone(), grouped(*count), *count as f64);
    let rows: Vec<_> = counts.iter().take(SHOWN).map(row).collect();
    block(out, title, &rows)?;
    if counts.len() > SHOWN {
        let rest: u64 = counts.values().skip(SHOWN).sum();
        writeln!(out, "    … {} mois plus tard : {}", counts.len() - SHOWN, grouped(rest))?;
    }
    Ok(())
}

/// The dozen of which there is most, in the order of their names: months in that of time.
fn most(delays: &BTreeMap<String, Delay>) -> Vec<(&String, &Delay)> {
    let mut most: Vec<(&String, &Delay)> = delays.iter().collect();
    most.sort_by(|a, b| b.1.count.cmp(&a.1.count).then(a.0.cmp(b.0)));
    most.truncate(12);
    most.sort_unstable_by_key(|(name, _)| *name);
    most
}

/// How long it took, and how often the promise was kept.
fn delays(
    out: &mut (dyn Write + Send),
    title: &str,
    delays: &BTreeMap<String, Delay>,
    on_time: &BTreeMap<String, OnTime>,
) -> Res<()> {
    let most = most(delays);
    let row = |(name, delay): &(&String, &Delay)| ((*name).clone(), hours(delay.median), delay.median);
    let rows: Vec<_> = most.iter().map(row).collect();
    block(out, &format!("Délai médian de clôture {title}"), &rows)?;
    let row = |(name, _): &(&String, &Delay)| {
        let share = on_time.get(*name)?.share;
        Some(((*name).clone(), percent(share), share))
    };
    let rows: Vec<_> = most.iter().filter_map(row).collect();
    block(out, &format!("Promesses tenues {title}"), &rows)
}

/// Prints figures for people.
pub(crate) fn print(out: &mut (dyn Write + Send), figures: &Figures) -> Res<()> {
    writeln!(
        out,
        "  {} demandes : {} ouvertes, {} closes, {} anonymisées",
        grouped(figures.total),
        grouped(figures.open),
        grouped(figures.closed),
        grouped(figures.anonymised)
    )?;
    ranked(out, "Par canal", &figures.by_channel)?;
    ranked(out, "Par nature", &figures.by_type)?;
    ranked(out, "Par service", &figures.by_service)?;
    months(out, "Ouvertes par mois", &figures.opened_by_month)?;
    months(out, "Closes par mois", &figures.closed_by_month)?;
    let delay = &figures.delay_hours;
    if delay.count > 0 {
        writeln!(
            out,
            "  Délai de {} clôtures : médiane {}, moyenne {}, neuf sur dix en {} au plus",
            grouped(delay.count),
            hours(delay.median),
            hours(delay.mean),
            hours(delay.p90)
        )?;
    }
    let on_time = &figures.on_time;
    if on_time.within + on_time.late > 0 {
        writeln!(
            out,
            "  Promesses : {} tenues, {} en retard ({} tenues)",
            grouped(on_time.within),
            grouped(on_time.late),
            percent(on_time.share)
        )?;
    }
    Ok(())
}

/// Prints for people what is counted besides.
pub(crate) fn print_more(out: &mut (dyn Write + Send), more: &More) -> Res<()> {
    const DAYS: [&str; 7] = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
    let day = |(day, name): (usize, &&str)| {
        let count = more.opened_by_weekday.get(&(day + 1).to_string()).copied().unwrap_or(0);
        ((*name).to_owned(), grouped(count), count as f64)
    };
    let rows: Vec<_> = DAYS.iter().enumerate().map(day).collect();
    block(out, "Ouvertes par jour de la semaine", &rows)?;
    let row = |(hour, count): (&String, &u64)| (format!("{hour} h"), grouped(*count), *count as f64);
    let rows: Vec<_> = more.opened_by_hour.iter().map(row).collect();
    // An export without times has them all at midnight.
    if rows.len() > 1 {
        block(out, "Ouvertes par heure", &rows)?;
    }
    ranked(out, "Par zone", &more.by_zone)?;
    delays(out, "par mois d'ouverture", &more.delay_by_month, &more.on_time_by_month)?;
    delays(out, "par nature", &more.delay_by_type, &more.on_time_by_type)?;
    delays(out, "par canal", &more.delay_by_channel, &more.on_time_by_channel)
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_stand_apart() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1 000"), (58_251, "58 251"), (1_234_567, "1 234 567")]
        {
            assert_eq!(super::grouped(number).replace('\u{202f}', " "), text);
        }
    }
}
