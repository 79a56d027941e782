//! The keys of cells while they are counted.

use super::Dimension;
use crate::{Moment, Word};
use chrono::{Datelike, Days, Months, NaiveDate, Timelike};
use chrono_tz::Tz;
use uuid::Uuid;

/// One part of a cell's key. What it is the number of, its dimension says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// There is no such thing.
    Without,
    /// Months of the Christian era, its days (of a week, the Monday), the weekday, or the hour.
    Number(i32),
    /// A word.
    Word(Word),
    /// A request.
    Request(Uuid),
}

impl Part {
    /// A word, or nothing.
    pub(super) fn word(word: Option<&Word>) -> Self {
        word.map_or(Self::Without, |word| Self::Word(word.clone()))
    }

    /// What a dimension of dates makes of a moment.
    pub(super) fn of_moment(dimension: Dimension, moment: Moment, zone: Tz) -> Self {
        let local = moment.to_utc().with_timezone(&zone);
        let day = local.date_naive();
        let small = |number: u32| i32::try_from(number).unwrap_or(0);
        Self::Number(match dimension {
            Dimension::Month => day.year() * 12 + small(day.month0()),
            Dimension::Week => day.num_days_from_ce() - small(day.weekday().num_days_from_monday()),
            Dimension::Day => day.num_days_from_ce(),
            Dimension::Weekday => small(day.weekday().number_from_monday()),
            Dimension::Hour => small(local.hour()),
            _ => return Self::Without,
        })
    }

    /// The moment at which a month, a week or a day is over.
    pub(super) fn end(&self, dimension: Dimension, zone: Tz) -> Option<Moment> {
        let Self::Number(number) = self else { return None };
        let day = match dimension {
            Dimension::Month => month(*number)?.checked_add_months(Months::new(1))?,
            Dimension::Week => {
                NaiveDate::from_num_days_from_ce_opt(*number)?.checked_add_days(Days::new(7))?
            }
            Dimension::Day => NaiveDate::from_num_days_from_ce_opt(*number)?.succ_opt()?,
            _ => return None,
        };
        Some(Moment::start_of(day, zone))
    }

    /// As it is written.
    pub(super) fn text(&self, dimension: Dimension) -> Option<String> {
        Some(match self {
            Self::Without => return None,
            Self::Word(word) => word.to_string(),
            Self::Request(id) => id.to_string(),
            Self::Number(number) => match dimension {
                Dimension::Month => month(*number)?.format("%Y-%m").to_string(),
                Dimension::Week => {
                    NaiveDate::from_num_days_from_ce_opt(*number)?.format("%G-W%V").to_string()
                }
                Dimension::Day => {
                    NaiveDate::from_num_days_from_ce_opt(*number)?.format("%Y-%m-%d").to_string()
                }
                Dimension::Hour => format!("{number:02}"),
                _ => number.to_string(),
            },
        })
    }

    /// Reads what [`Self::text`] writes.
    pub(super) fn read(dimension: Dimension, text: Option<&str>) -> Option<Self> {
        let Some(text) = text else { return Some(Self::Without) };
        let day = |text: &str, format: &str| NaiveDate::parse_from_str(text, format).ok();
        let among = |least: i32, most: i32| text.parse().ok().filter(|n| (least..=most).contains(n));
        let part = match dimension {
            Dimension::Month => {
                let day = day(&format!("{text}-01"), "%Y-%m-%d")?;
                Self::Number(day.year() * 12 + i32::try_from(day.month0()).ok()?)
            }
            Dimension::Week => Self::Number(day(&format!("{text}-1"), "%G-W%V-%u")?.num_days_from_ce()),
            Dimension::Day => Self::Number(day(text, "%Y-%m-%d")?.num_days_from_ce()),
            Dimension::Weekday => Self::Number(among(1, 7)?),
            Dimension::Hour => Self::Number(among(0, 23)?),
            Dimension::Request => Self::Request(text.parse().ok()?),
            _ => Self::Word(Word::new(text).ok()?),
        };
        Some(part)
    }
}

/// The first day of a month that is counted from the beginning of the era.
fn month(number: i32) -> Option<NaiveDate> {
    let month = u32::try_from(number.rem_euclid(12)).ok()?;
    NaiveDate::from_ymd_opt(number.div_euclid(12), month + 1, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_read_and_end_in_the_authoritys_zone() {
        let paris = chrono_tz::Europe::Paris;
        let at = |text: &str| Moment::from(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        for (dimension, moment, text, end) in [
            // 23:30 in UTC is the next day, and the next month, in Paris.
            (Dimension::Month, "2026-06-30T23:30:00Z", "2026-07", Some("2026-07-31T22:00:00Z")),
            (Dimension::Month, "2026-12-31T22:59:59Z", "2026-12", Some("2026-12-31T23:00:00Z")),
            (Dimension::Day, "2026-06-30T23:30:00Z", "2026-07-01", Some("2026-07-01T22:00:00Z")),
            // The day of the change to winter time has 25 hours.
            (Dimension::Day, "2026-10-25T10:00:00Z", "2026-10-25", Some("2026-10-25T23:00:00Z")),
            (Dimension::Week, "2027-01-01T10:00:00Z", "2026-W53", Some("2027-01-03T23:00:00Z")),
            (Dimension::Week, "2011-07-01T10:00:00Z", "2011-W26", Some("2011-07-03T22:00:00Z")),
            (Dimension::Weekday, "2026-11-23T10:00:00Z", "1", None),
            (Dimension::Weekday, "2026-11-22T10:00:00Z", "7", None),
            (Dimension::Hour, "2026-07-01T22:30:00Z", "00", None),
            (Dimension::Hour, "2026-11-24T22:30:00Z", "23", None),
        ] {
            let part = Part::of_moment(dimension, at(moment), paris);
            assert_eq!(part.text(dimension).as_deref(), Some(text), "{dimension} {moment}");
            assert_eq!(Part::read(dimension, Some(text)), Some(part.clone()), "{dimension} {text}");
            assert_eq!(part.end(dimension, paris), end.map(at), "{dimension} {moment}");
        }
        for (dimension, text) in [
            (Dimension::Month, "2026-13"),
            (Dimension::Week, "2026-W54"),
            (Dimension::Day, "2026-02-30"),
            (Dimension::Weekday, "0"),
            (Dimension::Hour, "24"),
            (Dimension::Type, "Not a word"),
            (Dimension::Request, "7"),
        ] {
            assert_eq!(Part::read(dimension, Some(text)), None, "{dimension} {text}");
        }
    }
}
