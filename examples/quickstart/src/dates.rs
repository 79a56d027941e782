//! Dates as exports print them.

use crate::failure::{Failure, Res};
use chrono::{DateTime, Datelike, Duration, FixedOffset, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

/// The zone in which dates without one are read: a name (`Europe/Paris`, `Etc/GMT+5`) or an offset (`+02:00`).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

impl Zone {
    /// Reads its name.
    pub(crate) fn read(text: &str) -> Res<Self> {
        if let Ok(offset) = text.parse::<FixedOffset>() {
            return Ok(Self::Fixed(offset));
        }
        text.parse().map(Self::Named).map_err(|_| {
            Failure::usage(format!(
                "`{text}` is no time zone: write a name such as `Europe/Paris`, or an offset such as `+02:00`"
            ))
        })
    }

    fn utc(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let at = |local: NaiveDateTime| match self {
            Self::Named(zone) => zone.from_local_datetime(&local).earliest().map(|at| at.to_utc()),
            Self::Fixed(zone) => zone.from_local_datetime(&local).earliest().map(|at| at.to_utc()),
        };
        // A local time that a clock change leaves out is an hour later on the new clock.
        at(local).or_else(|| at(local.checked_add_signed(Duration::hours(1))?))
    }
}

/// How the dates of a file are written.
#[derive(Debug, Clone)]
pub(crate) struct Dates {
    formats: Vec<String>,
    zone: Zone,
}

impl Dates {
    pub(crate) const fn new(formats: Vec<String>, zone: Zone) -> Self {
        Self { formats, zone }
    }

    /// Reads a date; none if it is written in no format of the file.
    pub(crate) fn read(&self, text: &str) -> Option<DateTime<Utc>> {
        let text = text.trim();
        let found = self.formats.iter().find_map(|format| self.one(text, format))?;
        // What is outside is a slip of the pen, and no month can be named after it.
        (1..=9999).contains(&found.year()).then_some(found)
    }

    fn one(&self, text: &str, format: &str) -> Option<DateTime<Utc>> {
        if format == "rfc3339" {
            return DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
        }
        if let Ok(at) = DateTime::parse_from_str(text, format) {
            return Some(at.to_utc());
        }
        let local = NaiveDateTime::parse_from_str(text, format).ok().or_else(|| {
            NaiveDate::parse_from_str(text, format).ok().and_then(|day| day.and_hms_opt(0, 0, 0))
        })?;
        self.zone.utc(local)
    }

    /// How a date is to be written, for messages.
    pub(crate) fn wanted(&self) -> String {
        self.formats.iter().map(|format| format!("`{format}`")).collect::<Vec<_>>().join(" or ")
    }
}

/// A date of the command line: RFC 3339, or a day, which begins in the town's zone.
pub(crate) fn of_option(option: &str, text: &str, zone: Tz) -> Res<DateTime<Utc>> {
    let formats = vec!["rfc3339".to_owned(), "%Y-%m-%d".to_owned()];
    Dates::new(formats, Zone::Named(zone)).read(text).ok_or_else(|| {
        Failure::usage(format!(
            "`--{option} {text}`: give a day such as 2027-03-01, or a moment such as 2027-03-01T08:00:00+01:00"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_their_zone() {
        let read = |format: &str, zone: &str, text: &str| {
            let dates = Dates::new(vec![format.to_owned()], Zone::read(zone).unwrap());
            dates.read(text).map(|at| at.to_rfc3339())
        };
        let plain = "%Y-%m-%d %H:%M:%S";
        for (format, zone, text, expected) in [
            (plain, "Etc/GMT+5", "2011-07-01 01:32:33", Some("2011-07-01T06:32:33+00:00")),
            (plain, "-05:00", " 2011-07-01 01:32:33 ", Some("2011-07-01T06:32:33+00:00")),
            (plain, "Europe/Paris", "2026-07-01 12:00:00", Some("2026-07-01T10:00:00+00:00")),
            // Left out by the change to summer time.
            (plain, "Europe/Paris", "2027-03-28 02:30:00", Some("2027-03-28T01:30:00+00:00")),
            ("%d/%m/%Y", "+00:00", "24/11/2026", Some("2026-11-24T00:00:00+00:00")),
            ("rfc3339", "UTC", "2026-11-24T10:00:00.5+01:00", Some("2026-11-24T09:00:00.500+00:00")),
            ("rfc3339", "UTC", "24/11/2026", None),
            (plain, "UTC", "2011-02-30 00:00:00", None),
            ("%Y-%m-%d", "UTC", "-5-01-01", None),
        ] {
            assert_eq!(read(format, zone, text).as_deref(), expected, "{format} {zone} {text}");
        }
        assert!(Zone::read("Mars/Olympus").is_err());
    }
}
