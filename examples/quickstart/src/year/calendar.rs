//! The days of the year that is generated, and the hours in which the town works.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// From the first day of the month a year ago up to now.
#[derive(Debug)]
pub(super) struct Calendar {
    zone: Tz,
    first: NaiveDate,
    pub(super) now: DateTime<Utc>,
    /// What an hour of a team costs, in cents.
    rates: BTreeMap<String, i64>,
}

/// When somebody is at the desk or out at work, in hours of the day.
const OPEN: std::ops::Range<u32> = 8..17;

impl Calendar {
    pub(super) fn new(zone: Tz, now: DateTime<Utc>, rates: BTreeMap<String, i64>) -> Self {
        let today = now.with_timezone(&zone).date_naive();
        let first = today.with_day(1).and_then(|day| day.checked_sub_months(chrono::Months::new(12)));
        Self { zone, first: first.unwrap_or(today), now, rates }
    }

    /// How many days it has, today included.
    pub(super) fn days(&self) -> u64 {
        let today = self.now.with_timezone(&self.zone).date_naive();
        u64::try_from((today - self.first).num_days()).unwrap_or(0) + 1
    }

    fn day(&self, day: u64) -> NaiveDate {
        self.first.checked_add_days(Days::new(day)).unwrap_or(self.first)
    }

    /// The month of a day (January is 0) and its weekday (Monday is 0).
    pub(super) fn month_and_weekday(&self, day: u64) -> (usize, usize) {
        let day = self.day(day);
        let place = |number: u32| usize::try_from(number).unwrap_or(0);
        (place(day.month0()), place(day.weekday().num_days_from_monday()))
    }

    fn utc(&self, local: NaiveDateTime) -> DateTime<Utc> {
        // The hour that a change to summer time leaves out is nobody's: an hour later is as good.
        let found = self.zone.from_local_datetime(&local).earliest();
        let later = || self.zone.from_local_datetime(&(local + chrono::Duration::hours(1))).earliest();
        found.or_else(later).map_or_else(|| local.and_utc(), |at| at.to_utc())
    }

    /// A moment of a day.
    pub(super) fn at(&self, day: u64, hour: u32, minute: u32) -> DateTime<Utc> {
        self.utc(self.day(day).and_hms_opt(hour, minute, 0).unwrap_or_default())
    }

    /// Whether somebody is there.
    pub(super) fn is_open(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.zone);
        local.weekday().num_days_from_monday() < 5 && OPEN.contains(&local.hour())
    }

    /// That moment, or the next at which somebody works, at the same minute of the hour.
    pub(super) fn working(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        if self.is_open(at) {
            return at;
        }
        let local = at.with_timezone(&self.zone);
        let mut day = local.date_naive();
        if local.hour() >= OPEN.start {
            day = day.succ_opt().unwrap_or(day);
        }
        while day.weekday().num_days_from_monday() >= 5 {
            day = day.succ_opt().unwrap_or(day);
        }
        // Not all at eight o'clock: those of the night are spread over the morning.
        let hour = OPEN.start + local.hour() % 3;
        self.utc(day.and_hms_opt(hour, local.minute(), 0).unwrap_or_default())
    }

    /// What an hour of a team costs.
    pub(super) fn rate(&self, team: &str) -> i64 {
        self.rates.get(team).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Calendar;
    use std::collections::BTreeMap;

    #[test]
    fn the_town_works_on_weekdays() {
        let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let calendar = Calendar::new(chrono_tz::Europe::Paris, at("2026-11-24T12:00:00Z"), BTreeMap::new());
        assert_eq!(calendar.days(), 389);
        assert_eq!(calendar.at(0, 9, 30), at("2025-11-01T08:30:00Z"));
        assert_eq!(calendar.month_and_weekday(0), (10, 5));
        for (given, expected) in [
            ("2026-11-24T10:05:00Z", "2026-11-24T10:05:00Z"),
            // Tuesday evening, Saturday, the small hours of Monday.
            ("2026-11-24T18:05:00Z", "2026-11-25T08:05:00Z"),
            ("2026-11-21T10:05:00Z", "2026-11-23T09:05:00Z"),
            ("2026-11-23T02:05:00Z", "2026-11-23T07:05:00Z"),
        ] {
            assert_eq!(calendar.working(at(given)), at(expected), "{given}");
        }
    }
}
