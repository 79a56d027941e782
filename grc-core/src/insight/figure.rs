//! What is counted.

use serde::{Serialize, Serializer};
use std::fmt;

/// A step on the way of a request, to which the time from its opening is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The first message out that no machine sent by itself, at or after the opening.
    Response,
    /// The first time that a team or an agent held it.
    Assignment,
    /// The beginning of the first intervention.
    Intervention,
    /// Its closure; the last one if it was opened again. What is open has none.
    Closure,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Response, Self::Assignment, Self::Intervention, Self::Closure];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Assignment => "assignment",
            Self::Intervention => "intervention",
            Self::Closure => "closure",
        }
    }
}

/// A figure: one number a cell.
///
/// Each counts on *its own date*: opened, the delays and the promises on that of the opening (or of the closure, see
/// [`Question::by_closing`](super::Question::by_closing)), closed on that of the closure, reopened on that of each
/// reopening, anonymised on that of the anonymising, costs and messages on that of the work or message itself. Delays
/// are in hours of elapsed time and may be below zero where they were entered so. What a request is worth does not
/// change when it is anonymised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Figure {
    /// Requests, by when they were opened.
    Opened,
    /// Requests that are closed, by when they were; one that was opened again is not among them.
    Closed,
    /// Requests that are open: now, at a past moment, or at the end of each month, week or day. A moment counts what
    /// had happened by then, as it is known today.
    Open,
    /// Reopenings: a request counts as often as it was opened again.
    Reopened,
    /// Requests, whenever they were opened: it has no date.
    Total,
    /// Requests that are anonymised.
    Anonymised,
    /// How many requests have come to a step.
    Delays(Step),
    /// The mean time to a step, in hours.
    Mean(Step),
    /// Half of them came to the step in so many hours at most (linear interpolation, Hyndman and Fan's type 7).
    Median(Step),
    /// Nine in ten of them came to the step in so many hours at most (as the median).
    P90(Step),
    /// How many requests have come to a step that was promised by a time.
    Promised(Step),
    /// How many of these came to it by that time, or at it.
    Within(Step),
    /// The share of the latter, from 0 to 1.
    Share(Step),
    /// Minutes of work done.
    Minutes,
    /// Cents of work done and purchases, VAT included. Only where the actor has the right `cost`.
    Cents,
    /// Minutes of work planned.
    PlannedMinutes,
    /// Cents of work planned, VAT included. Only where the actor has the right `cost`.
    PlannedCents,
    /// Messages from requesters, the handing in included.
    MessagesIn,
    /// Messages to requesters, those that a machine sent by itself included.
    MessagesOut,
}

/// What is counted together: several figures may be read off one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Opened,
    Closed,
    Open,
    Reopened,
    Total,
    Anonymised,
    Delay(Step),
    Promise(Step),
    Minutes,
    Cents,
    PlannedMinutes,
    PlannedCents,
    MessagesIn,
    MessagesOut,
}

impl Group {
    /// Whether only the right to see amounts shows it.
    pub(super) const fn is_money(self) -> bool {
        matches!(self, Self::Cents | Self::PlannedCents)
    }

    /// Whether it is of what work took, so that team, agent and supplier are those of the work.
    pub(super) const fn is_work(self) -> bool {
        matches!(self, Self::Minutes | Self::PlannedMinutes) || self.is_money()
    }
}

impl Figure {
    /// All figures.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = [Self::Opened, Self::Closed, Self::Open, Self::Reopened, Self::Total, Self::Anonymised];
        let of = |step| {
            [
                Self::Delays(step),
                Self::Mean(step),
                Self::Median(step),
                Self::P90(step),
                Self::Promised(step),
                Self::Within(step),
                Self::Share(step),
            ]
        };
        let rest = [
            Self::Minutes,
            Self::Cents,
            Self::PlannedMinutes,
            Self::PlannedCents,
            Self::MessagesIn,
            Self::MessagesOut,
        ];
        plain.into_iter().chain(Step::ALL.into_iter().flat_map(of)).chain(rest)
    }

    /// Its name, as columns have it: `opened`, `closure-median`, `planned-cents`…
    pub fn name(self) -> String {
        let of = |step: Step, what| format!("{}-{what}", step.name());
        let plain = match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Reopened => "reopened",
            Self::Total => "total",
            Self::Anonymised => "anonymised",
            Self::Delays(step) => return of(step, "count"),
            Self::Mean(step) => return of(step, "mean"),
            Self::Median(step) => return of(step, "median"),
            Self::P90(step) => return of(step, "p90"),
            Self::Promised(step) => return of(step, "promised"),
            Self::Within(step) => return of(step, "within"),
            Self::Share(step) => return of(step, "share"),
            Self::Minutes => "minutes",
            Self::Cents => "cents",
            Self::PlannedMinutes => "planned-minutes",
            Self::PlannedCents => "planned-cents",
            Self::MessagesIn => "messages-in",
            Self::MessagesOut => "messages-out",
        };
        plain.to_owned()
    }

    /// The figure of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|figure| figure.name() == name)
    }

    pub(super) const fn group(self) -> Group {
        match self {
            Self::Opened => Group::Opened,
            Self::Closed => Group::Closed,
            Self::Open => Group::Open,
            Self::Reopened => Group::Reopened,
            Self::Total => Group::Total,
            Self::Anonymised => Group::Anonymised,
            Self::Delays(step) | Self::Mean(step) | Self::Median(step) | Self::P90(step) => {
                Group::Delay(step)
            }
            Self::Promised(step) | Self::Within(step) | Self::Share(step) => Group::Promise(step),
            Self::Minutes => Group::Minutes,
            Self::Cents => Group::Cents,
            Self::PlannedMinutes => Group::PlannedMinutes,
            Self::PlannedCents => Group::PlannedCents,
            Self::MessagesIn => Group::MessagesIn,
            Self::MessagesOut => Group::MessagesOut,
        }
    }

    /// Whether it needs each delay, not only how many there are.
    pub(super) const fn is_of_each(self) -> bool {
        matches!(self, Self::Mean(_) | Self::Median(_) | Self::P90(_))
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_figure_has_a_name_of_its_own() {
        let names: BTreeSet<String> = Figure::all().map(Figure::name).collect();
        assert_eq!((names.len(), Figure::all().count()), (40, 40));
        for figure in Figure::all() {
            assert_eq!(Figure::from_name(&figure.name()), Some(figure));
        }
        assert_eq!(Figure::from_name("closure-p90"), Some(Figure::P90(Step::Closure)));
    }
}
