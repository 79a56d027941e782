//! Numbers as a town hall writes them.

use crate::figures::{grouped, hours};
use grc_core::insight::Cell;

/// Cents as an amount in euros.
pub(crate) fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "−" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{},{:02} €", grouped(cents / 100), cents % 100)
}

/// A number of a table, with its unit; a dash where there is none.
pub(crate) fn number(cell: Cell) -> String {
    match cell {
        Cell::Count(count) => grouped(count),
        Cell::Hours(Some(delay)) => hours(delay),
        Cell::Share(Some(share)) => format!("{:.0} %", share * 100.0),
        Cell::Hours(None) | Cell::Share(None) => "–".to_owned(),
        Cell::Minutes(minutes) => format!("{} h {:02}", grouped(minutes / 60), minutes % 60),
        Cell::Cents(cents) => euros(cents),
    }
}

/// A text in so many columns: cut, or filled up with spaces.
pub(crate) fn column(text: &str, width: usize) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.chars().count() > width {
        plain.take(width.saturating_sub(1)).chain(['…']).collect()
    } else {
        plain.chain(std::iter::repeat(' ')).take(width).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_their_units() {
        let plain = |cell| number(cell).replace('\u{202f}', " ");
        for (cell, text) in [
            (Cell::Count(1_875), "1 875"),
            (Cell::Cents(-123_405), "−1 234,05 €"),
            (Cell::Cents(7), "0,07 €"),
            (Cell::Minutes(125), "2 h 05"),
            (Cell::Share(Some(0.704)), "70 %"),
            (Cell::Hours(Some(36.0)), "36,0 h"),
            (Cell::Hours(None), "–"),
        ] {
            assert_eq!(plain(cell), text);
        }
    }

    #[test]
    fn columns_are_as_wide_as_they_are_asked_to_be() {
        assert_eq!(column("Propreté urbaine", 8), "Propret…");
        assert_eq!(column("Eau", 5), "Eau  ");
    }
}
