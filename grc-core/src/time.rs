//! Moments, and who tells the time.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering},
};

/// An instant as it is stored: whole microseconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use grc_core::Moment;
/// let at: chrono::DateTime<chrono::Utc> = "2026-11-24T10:00:00Z".parse()?;
/// assert_eq!(Moment::from(at).to_utc(), at);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    /// The beginning of 1970, in UTC.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// As a date and time in UTC. Moments beyond what chrono can hold (the year 262,000) become its limit.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        })
    }

    /// Later by a number of milliseconds (earlier if negative), stopping at the limits.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1_000)))
    }

    /// Later by a number of days of 24 hours.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_millis(days.saturating_mul(86_400_000))
    }

    /// The civil day of this moment in a zone.
    pub fn day(self, zone: Tz) -> NaiveDate {
        self.local(zone).date()
    }

    /// The civil time of this moment in a zone; that of UTC where the zone's would be beyond what chrono can hold.
    fn local(self, zone: Tz) -> NaiveDateTime {
        let utc = self.to_utc().naive_utc();
        utc.checked_add_offset(zone.offset_from_utc_datetime(&utc).fix()).unwrap_or(utc)
    }

    /// `YYYY-MM` in a zone.
    pub fn month(self, zone: Tz) -> String {
        let day = self.day(zone);
        format!("{:04}-{:02}", day.year(), day.month())
    }

    /// The same civil time of day some months later (date to date; no such day in that month, then its last; code
    /// de procédure civile, article 641). A local time that a clock change removes becomes the next that exists.
    #[must_use]
    pub fn plus_months(self, months: u32, zone: Tz) -> Self {
        let Some(later) = self.local(zone).checked_add_months(Months::new(months)) else {
            return Self(i64::MAX);
        };
        Self::of_local(later, zone)
    }

    /// The beginning of a civil day in a zone: midnight, or what comes next where a clock change removes it.
    pub fn start_of(day: NaiveDate, zone: Tz) -> Self {
        Self::of_local(day.and_time(NaiveTime::MIN), zone)
    }

    /// The moment of a local time: the earlier of two, and the next that exists for one that does not.
    fn of_local(local: NaiveDateTime, zone: Tz) -> Self {
        let mut candidate = local;
        // Up to a whole day: countries that crossed the date line left one out.
        for _ in 0..=48 {
            if let Some(found) = zone.from_local_datetime(&candidate).earliest() {
                return found.with_timezone(&Utc).into();
            }
            let Some(next) = candidate.checked_add_signed(chrono::Duration::minutes(30)) else { break };
            candidate = next;
        }
        local.and_utc().into()
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_micros())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_utc().format("%Y-%m-%dT%H:%M:%S%.6fZ"))
    }
}

/// Who tells the time. The engine reads it once a command; nothing else does.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now.
    fn now(&self) -> Moment;
}

/// The system's clock.
#[cfg(feature = "system")]
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(feature = "system")]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> Moment {
        DateTime::<Utc>::from(std::time::SystemTime::now()).into()
    }
}

/// A clock that stands still until it is moved: for tests, replays and dry runs.
///
/// ```
/// use grc_core::{Clock, ManualClock, Moment};
/// let clock = ManualClock::at(Moment::EPOCH);
/// clock.set(clock.now().plus_days(1));
/// assert_eq!(clock.now().micros(), 86_400_000_000);
/// ```
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows this moment.
    pub const fn at(moment: Moment) -> Self {
        Self(AtomicI64::new(moment.0))
    }

    /// Moves the clock, forwards or backwards.
    pub fn set(&self, moment: Moment) {
        self.0.store(moment.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_go_date_to_date_in_the_authoritys_zone() {
        let paris = chrono_tz::Europe::Paris;
        let at = |text: &str| Moment::from(text.parse::<DateTime<Utc>>().unwrap());
        for (from, months, to) in [
            ("2026-11-30T11:00:00Z", 3, "2027-02-28T11:00:00Z"),
            ("2027-11-30T11:00:00Z", 3, "2028-02-29T11:00:00Z"),
            // 10:00 in summer is 10:00 in winter, an hour later in UTC.
            ("2026-08-24T08:00:00Z", 3, "2026-11-24T09:00:00Z"),
            // 02:30 does not exist on 28 March 2027 in Paris.
            ("2026-12-28T01:30:00Z", 3, "2027-03-28T01:00:00Z"),
        ] {
            assert_eq!(at(from).plus_months(months, paris), at(to), "{from} + {months} months");
        }
    }

    #[test]
    fn the_ends_of_time_have_a_day_in_every_zone() {
        for zone in chrono_tz::TZ_VARIANTS {
            for micros in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
                let at = Moment::from_micros(micros);
                for months in [0, 1, u32::MAX] {
                    let _ = at.plus_months(months, zone);
                }
                let _ = (at.month(zone), Moment::start_of(at.day(zone), zone), at.plus_days(i64::MAX));
            }
            for day in [NaiveDate::MIN, NaiveDate::MAX] {
                let _ = Moment::start_of(day, zone);
            }
        }
    }

    #[test]
    fn a_day_that_a_country_left_out_begins_where_the_next_one_does() {
        for (zone, left_out) in [
            (chrono_tz::Pacific::Apia, (2011, 12, 30)),
            (chrono_tz::Pacific::Kwajalein, (1993, 8, 21)),
            (chrono_tz::Pacific::Kiritimati, (1994, 12, 31)),
        ] {
            let day = NaiveDate::from_ymd_opt(left_out.0, left_out.1, left_out.2).unwrap();
            let next = Moment::start_of(day.succ_opt().unwrap(), zone);
            assert_eq!(Moment::start_of(day, zone), next, "{zone}");
            assert_eq!(Some(next.day(zone)), day.succ_opt(), "{zone}");
        }
    }
}
