//! Bars in a terminal.

/// The widest bar, in characters.
pub(crate) const WIDEST: usize = 30;
/// The longest name beside a bar, in characters.
const LONGEST: usize = 44;

/// Eighths of a character, from none to all of it.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// A bar for a value, as long as its share of the largest, at most [`WIDEST`] characters; whatever is more than nothing
/// shows.
pub(crate) fn bar(value: f64, largest: f64) -> String {
    if !(value > 0.0 && largest > 0.0) {
        return String::new();
    }
    let eighths = WIDEST * 8;
    // Not above the widest, and finite: both are above nothing.
    let length = ((value / largest).min(1.0) * eighths as f64).round() as usize;
    let length = length.clamp(1, eighths);
    let mut out = "█".repeat(length / 8);
    out.extend(EIGHTHS.get(length % 8).filter(|_| !length.is_multiple_of(8)));
    out
}

/// A name that fits beside a bar, without what a terminal would obey.
pub(crate) fn name(text: &str) -> String {
    let mut out: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    if text.chars().count() > LONGEST {
        out.pop();
        out.push('…');
    }
    out
}

/// Lines with a name, a number as it is written, and its bar. A number is written to the right.
pub(crate) fn lines(rows: &[(String, String, f64)]) -> Vec<String> {
    let largest = rows.iter().map(|(.., value)| *value).fold(0.0, f64::max);
    let width = |text: &str| text.chars().count();
    let names: Vec<String> = rows.iter().map(|(text, ..)| name(text)).collect();
    let (named, numbered) = (
        names.iter().map(|text| width(text)).max().unwrap_or(0),
        rows.iter().map(|(_, text, _)| width(text)).max().unwrap_or(0),
    );
    let line = |(name, (_, number, value)): (&String, &(String, String, f64))| {
        let line = format!("{name:<named$}  {number:>numbered$}  {}", bar(*value, largest));
        line.trim_end().to_owned()
    };
    names.iter().zip(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_bounded() {
        for (value, largest, expected) in [
            (0.0, 10.0, 0),
            (10.0, 10.0, WIDEST),
            (5.0, 10.0, WIDEST / 2),
            (0.001, 1e9, 1),
            (20.0, 10.0, WIDEST),
            (-3.0, 10.0, 0),
            (1.0, 0.0, 0),
            (f64::NAN, 1.0, 0),
            (f64::INFINITY, f64::INFINITY, 0),
        ] {
            let found = bar(value, largest).chars().count();
            if value.is_infinite() {
                assert!(found <= WIDEST);
            } else {
                assert_eq!(found, expected, "{value} of {largest}");
            }
        }
        assert_eq!(bar(1.0, 240.0 / 7.0), "▉");
        let rows = [
            ("Téléphone".to_owned(), "1 000".to_owned(), 1_000.0),
            ("é\u{1b}".repeat(40), "5".to_owned(), 5.0),
        ];
        let lines = lines(&rows);
        assert!(lines.iter().all(|line| line.chars().count() <= LONGEST + 5 + 4 + WIDEST), "{lines:?}");
        assert!(lines[1].starts_with("é é") && lines[1].contains('…') && !lines[1].contains('\u{1b}'));
    }
}
