//! A question, made ready to be counted.

use super::{Dimension, Figure, Question, figure::Group, part::Part};
use crate::{Moment, refusal::Refusal};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// What a pass over the rows counts for one question.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) zone: Tz,
    pub(super) by: Vec<Dimension>,
    /// Each once.
    pub(super) groups: Vec<Group>,
    /// Whether a group keeps each delay.
    pub(super) each: Vec<bool>,
    pub(super) between: Option<(Moment, Moment)>,
    /// Until when what is open is followed: not beyond now.
    pub(super) until: Moment,
    /// The period at whose ends what is open is counted.
    pub(super) period: Option<Dimension>,
    /// The moment at which it is counted; none for now.
    pub(super) moment: Option<Moment>,
    pub(super) by_closing: bool,
    /// When each period that was met is over.
    ends: BTreeMap<Part, Option<Moment>>,
}

impl Plan {
    /// Makes a question ready.
    ///
    /// # Errors
    /// Every reason why it cannot be answered.
    pub(super) fn new(question: &Question, zone: Tz, now: Moment) -> Result<Self, Refusal> {
        question.check()?;
        let mut groups: Vec<Group> = question.figures.iter().map(|figure| figure.group()).collect();
        groups.sort_unstable();
        groups.dedup();
        let keeps = |group: &Group| {
            question.figures.iter().any(|figure| figure.group() == *group && figure.is_of_each())
        };
        let after_now = Moment::from_micros(now.micros().saturating_add(1));
        let until = question.between.map_or(after_now, |(_, until)| until.min(after_now));
        let end = question.between.map(|(_, until)| Moment::from_micros(until.micros().saturating_sub(1)));
        Ok(Self {
            zone,
            by: question.by.clone(),
            each: groups.iter().map(keeps).collect(),
            groups,
            between: question.between,
            until,
            period: question.by.iter().copied().find(|dimension| dimension.is_period()),
            moment: question.at.or(end),
            by_closing: question.by_closing,
            ends: BTreeMap::new(),
        })
    }

    /// The place of a figure's group among those that are counted.
    pub(super) fn place(&self, figure: Figure) -> Option<usize> {
        self.groups.iter().position(|group| *group == figure.group())
    }

    /// When the period in which a moment lies is over. What was found is kept: there are many requests and few periods.
    pub(super) fn end(&mut self, period: Dimension, moment: Moment) -> Option<Moment> {
        let part = Part::of_moment(period, moment, self.zone);
        let zone = self.zone;
        *self.ends.entry(part.clone()).or_insert_with(|| part.end(period, zone))
    }

    /// Whether something with this date is asked for.
    pub(super) fn takes(&self, group: Group, dated: Option<Moment>) -> bool {
        match (self.between, group) {
            (None, _) | (_, Group::Total | Group::Open) => true,
            (Some((from, until)), _) => dated.is_some_and(|at| from <= at && at < until),
        }
    }
}
