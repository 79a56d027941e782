//! What one request adds to what is counted.

use super::{Dimension, figure::Group, figure::Step, part::Part, plan::Plan};
use crate::{
    Moment, Word,
    request::{Measure, Span},
    storage::Fact,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Something that is added to a cell, or to several where a dimension has several values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Contribution<'a> {
    /// Its own date.
    pub(super) dated: Option<Moment>,
    /// The work or the message that it is.
    span: Option<&'a Span>,
    /// The moment whose state and desk count.
    moment: Option<Moment>,
    /// How many requests, messages or minutes.
    pub(super) count: u64,
    /// Cents, microseconds of delay, or 1 for a promise kept.
    pub(super) amount: i64,
}

/// One request, as figures see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted<'a> {
    pub(super) id: Uuid,
    pub(super) measure: &'a Measure,
    /// Whether its amounts are seen, and from whom something was bought.
    pub(super) money: bool,
}

impl<'a> Counted<'a> {
    fn moment(self, fact: Fact) -> Option<Moment> {
        self.measure.facts.integer(fact).map(Moment::from_micros)
    }

    fn spans(self, kind: &'static str) -> impl Iterator<Item = &'a Span> {
        self.measure.spans.iter().filter(move |span| span.kind == kind)
    }

    /// The span of a kind that counted at a moment: the last in the order of events among those that had begun.
    fn at(self, kind: &'static str, moment: Moment) -> Option<&'a Span> {
        self.spans(kind).filter(|span| span.from <= moment).last()
    }

    fn is_open_at(self, moment: Moment) -> bool {
        self.moment(Fact::Opened).is_some_and(|opened| opened <= moment)
            && self.at("state", moment).is_some_and(is_open)
    }

    /// When it came to a step.
    fn reached(self, step: Step, opened: Moment) -> Option<Moment> {
        let first = |kind, is: &dyn Fn(&Span) -> bool| {
            self.spans(kind).filter(|span| is(span)).map(|span| span.from).min()
        };
        match step {
            Step::Response => first("exchange", &|span| is_answer(span) && span.from >= opened),
            Step::Assignment => {
                first("desk", &|span| span.dimension("team").is_some() || span.dimension("agent").is_some())
            }
            Step::Intervention => first("intervention", &|_| true),
            Step::Closure => self.moment(Fact::Closed),
        }
    }

    fn delay(self, step: Step, plan: &Plan) -> Option<(Contribution<'a>, Moment)> {
        let opened = self.moment(Fact::Opened)?;
        let reached = self.reached(step, opened)?;
        let dated = if plan.by_closing { self.moment(Fact::Closed)? } else { opened };
        let amount = reached.micros().saturating_sub(opened.micros());
        Some((Contribution { dated: Some(dated), count: 1, amount, ..Contribution::default() }, reached))
    }

    /// All that it adds to a group, whatever its date.
    pub(super) fn each(self, group: Group, plan: &mut Plan, add: &mut dyn FnMut(Contribution<'a>)) {
        let one = |dated| Contribution { dated, count: 1, ..Contribution::default() };
        match group {
            Group::Total => add(one(None)),
            Group::Opened => add(one(self.moment(Fact::Opened))),
            Group::Closed => self.moment(Fact::Closed).into_iter().for_each(|at| add(one(Some(at)))),
            Group::Anonymised => self.moment(Fact::Anonymised).into_iter().for_each(|at| add(one(Some(at)))),
            Group::Open => self.open(plan, add),
            Group::Reopened => {
                let mut before = None;
                for span in self.spans("state") {
                    if before.is_some_and(|before| !is_open(before)) && is_open(span) {
                        add(one(Some(span.from)));
                    }
                    before = Some(span);
                }
            }
            Group::Delay(step) => {
                self.delay(step, plan).into_iter().for_each(|(contribution, _)| add(contribution))
            }
            Group::Promise(step) => {
                let target = self.moment(match step {
                    Step::Response => Fact::ResponseTarget,
                    Step::Assignment => Fact::AssignmentTarget,
                    Step::Intervention => Fact::InterventionTarget,
                    Step::Closure => Fact::Target,
                });
                if let (Some((contribution, reached)), Some(target)) = (self.delay(step, plan), target) {
                    add(Contribution { amount: i64::from(reached <= target), ..contribution });
                }
            }
            Group::Minutes | Group::PlannedMinutes | Group::Cents | Group::PlannedCents => {
                let planned = matches!(group, Group::PlannedMinutes | Group::PlannedCents);
                for span in self.spans(if planned { "estimate" } else { "work" }) {
                    let (count, amount) =
                        if group.is_money() { (0, span.cents) } else { (span.minutes.into(), 0) };
                    if (count, amount) != (0, 0) {
                        let (dated, span) = (Some(span.from), Some(span));
                        add(Contribution { dated, span, count, amount, moment: None });
                    }
                }
            }
            Group::MessagesIn | Group::MessagesOut => {
                let direction = if group == Group::MessagesIn { "in" } else { "out" };
                for span in self.spans("exchange").filter(|span| is(span, "direction", direction)) {
                    add(Contribution { span: Some(span), ..one(Some(span.from)) });
                }
            }
        }
    }

    /// Whether it is open: now, at a moment, or at the end of each period.
    fn open(self, plan: &mut Plan, add: &mut dyn FnMut(Contribution<'a>)) {
        let at = |moment| Contribution {
            dated: Some(moment),
            moment: Some(moment),
            count: 1,
            ..Contribution::default()
        };
        let Some(period) = plan.period else {
            match plan.moment {
                Some(moment) if self.is_open_at(moment) => add(at(moment)),
                None if self.moment(Fact::Closed).is_none() => {
                    add(Contribution { count: 1, ..Contribution::default() });
                }
                _ => {}
            }
            return;
        };
        let Some(opened) = self.moment(Fact::Opened) else { return };
        let last = self.spans("state").map(|span| span.from).max();
        let mut begin = plan.between.map_or(opened, |(from, _)| from.max(opened));
        while begin < plan.until {
            let Some(end) = plan.end(period, begin) else { return };
            // The last moment of the period, or of the time that is asked for.
            let moment = Moment::from_micros(end.min(plan.until).micros().saturating_sub(1));
            let open = self.is_open_at(moment);
            if open {
                add(at(moment));
            } else if last.is_none_or(|last| last <= moment) {
                return;
            }
            begin = end;
        }
    }

    /// The keys of a contribution in a dimension: one, or several.
    pub(super) fn parts(
        self,
        dimension: Dimension,
        group: Group,
        contribution: &Contribution<'a>,
        plan: &Plan,
        parts: &mut Vec<Part>,
    ) {
        parts.clear();
        if dimension.is_date() {
            parts.push(
                contribution.dated.map_or(Part::Without, |at| Part::of_moment(dimension, at, plan.zone)),
            );
            return;
        }
        let own = |name: &str| Part::word(contribution.span.and_then(|span| span.dimension(name)));
        let part = match (dimension, contribution.moment) {
            (Dimension::Request, _) => Part::Request(self.id),
            (Dimension::State | Dimension::Phase, Some(moment)) => {
                Part::word(self.at("state", moment).and_then(|span| span.dimension(dimension.name())))
            }
            (Dimension::Service | Dimension::Team | Dimension::Agent, Some(moment)) => {
                Part::word(self.at("desk", moment).and_then(|span| span.dimension(dimension.name())))
            }
            (Dimension::Team | Dimension::Agent | Dimension::Supplier, _) if group.is_work() => {
                own(dimension.name())
            }
            (Dimension::Channel, _) if group == Group::MessagesIn => own("channel"),
            (Dimension::ChannelOut, _) if group == Group::MessagesOut => own("channel"),
            (Dimension::ChannelOut, _) => {
                return several(self.spans("exchange").filter(|span| is_answer(span)), "channel", parts);
            }
            (Dimension::Supplier, _) => {
                let work = self.spans("work").filter(|_| self.money);
                let spans = work.chain(self.spans("intervention"));
                return several(spans, "supplier", parts);
            }
            _ => Part::word(dimension.fact().and_then(|fact| self.measure.facts.word(fact))),
        };
        parts.push(part);
    }
}

/// The distinct values of a dimension of spans; without any, that.
fn several<'a>(spans: impl Iterator<Item = &'a Span>, name: &str, parts: &mut Vec<Part>) {
    let words: BTreeSet<&Word> = spans.filter_map(|span| span.dimension(name)).collect();
    parts.extend(words.into_iter().map(|word| Part::Word(word.clone())));
    if parts.is_empty() {
        parts.push(Part::Without);
    }
}

fn is(span: &Span, name: &str, value: &str) -> bool {
    span.dimension(name).is_some_and(|known| known == value)
}

fn is_open(state: &Span) -> bool {
    !is(state, "phase", "closed")
}

/// A message out that somebody wrote.
fn is_answer(exchange: &Span) -> bool {
    is(exchange, "direction", "out") && !is(exchange, "automatic", "yes")
}
