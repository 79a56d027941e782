//! Printing figures, for people and for programs.

use crate::failure::Res;
use grc_core::insight::Figures;
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

fn ranked(out: &mut (dyn Write + Send), title: &str, counts: &BTreeMap<String, u64>) -> Res<()> {
    const SHOWN: usize = 8;
    if counts.is_empty() {
        return Ok(());
    }
    let mut ranked: Vec<(&String, &u64)> = counts.iter().collect();
    ranked.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    writeln!(out, "  {title}")?;
    for (name, count) in ranked.iter().take(SHOWN) {
        let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
        writeln!(out, "    {:>9}  {name}", grouped(**count))?;
    }
    let rest: u64 = ranked.iter().skip(SHOWN).map(|(_, count)| **count).sum();
    if rest > 0 {
        writeln!(out, "    {:>9}  … {} autres", grouped(rest), ranked.len() - SHOWN)?;
    }
    Ok(())
}

fn months(out: &mut (dyn Write + Send), title: &str, counts: &BTreeMap<String, u64>) -> Res<()> {
    if counts.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> =
        counts.iter().take(12).map(|(month, count)| format!("{month} : {}", grouped(*count))).collect();
    let more = if counts.len() > 12 { format!(", … ({} mois)", counts.len()) } else { String::new() };
    writeln!(out, "  {title} {}{more}", shown.join(", "))?;
    Ok(())
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
    months(out, "Ouvertes par mois :", &figures.opened_by_month)?;
    months(out, "Closes par mois :", &figures.closed_by_month)?;
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
            "  Promesses : {} tenues, {} en retard ({:.1} % tenues)",
            grouped(on_time.within),
            grouped(on_time.late),
            on_time.share * 100.0
        )?;
    }
    Ok(())
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
