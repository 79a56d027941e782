//! Counting one figure, case by case.

use super::{Case, Exchange, Recount, Work};
use crate::insight::{Cell, Dimension, Figure, Step};
use chrono::{DateTime, NaiveTime, TimeZone};
use std::collections::{BTreeMap, BTreeSet};

/// Of which time, and how dated; moments in microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// From, and until before.
    pub between: Option<(i64, i64)>,
    /// The moment at which what is open is counted.
    pub at: Option<i64>,
    /// Whether delays and promises are dated by the closure.
    pub by_closing: bool,
    /// When it is asked.
    pub now: i64,
}

/// Something that counts.
#[derive(Clone, Copy, Default)]
struct Item<'a> {
    date: Option<i64>,
    /// At this moment it counts: state and desk are those of then.
    moment: Option<i64>,
    work: Option<&'a Work>,
    exchange: Option<&'a Exchange>,
    /// What it is worth: 1, minutes, cents, microseconds.
    worth: i64,
    kept: bool,
}

type Keys = Vec<Option<String>>;

/// The last in the order of events of what had begun at a moment.
fn last_before<T>(list: &[T], moment: i64, at: impl Fn(&T) -> i64) -> Option<&T> {
    list.iter().rev().find(|item| at(item) <= moment)
}

impl Case {
    fn is_open(&self, moment: i64) -> bool {
        let visit = last_before(&self.visits, moment, |visit| visit.at);
        self.opened <= moment && visit.is_some_and(|visit| visit.phase != "closed")
    }

    fn answers(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(|exchange| exchange.direction == "out" && !exchange.automatic)
    }

    fn reached(&self, step: Step) -> Option<i64> {
        match step {
            Step::Closure => self.closed,
            Step::Response => self.answers().map(|answer| answer.at).filter(|at| *at >= self.opened).min(),
            Step::Assignment => {
                let given = self.desks.iter().filter(|desk| desk.held[1].is_some() || desk.held[2].is_some());
                given.map(|desk| desk.at).min()
            }
            Step::Intervention => self.interventions.iter().map(|(at, _)| *at).min(),
        }
    }

    /// What it adds to a figure; `ends` are the moments at which what is open is counted.
    fn items(&self, figure: Figure, asked: &Asked, ends: Option<&[i64]>) -> Vec<Item<'_>> {
        let one = |date| Item { date, worth: 1, ..Item::default() };
        let direction = if figure == Figure::MessagesIn { "in" } else { "out" };
        match figure {
            Figure::Total => vec![one(None)],
            Figure::Opened => vec![one(Some(self.opened))],
            Figure::Closed => self.closed.map(|at| one(Some(at))).into_iter().collect(),
            Figure::Anonymised => self.anonymised.map(|at| one(Some(at))).into_iter().collect(),
            Figure::Reopened => self.reopenings.iter().map(|at| one(Some(*at))).collect(),
            Figure::Open => match ends {
                Some(ends) => {
                    let open = ends.iter().copied().filter(|end| self.is_open(*end));
                    open.map(|end| Item { moment: Some(end), ..one(Some(end)) }).collect()
                }
                None if self.closed.is_none() => vec![one(None)],
                None => Vec::new(),
            },
            Figure::Delays(step)
            | Figure::Mean(step)
            | Figure::Median(step)
            | Figure::P90(step)
            | Figure::Promised(step)
            | Figure::Within(step)
            | Figure::Share(step) => {
                let date = if asked.by_closing { self.closed } else { Some(self.opened) };
                let (Some(reached), Some(_)) = (self.reached(step), date) else { return Vec::new() };
                let target = self.targets.get(step.name());
                let promises = matches!(figure, Figure::Promised(_) | Figure::Within(_) | Figure::Share(_));
                if promises && target.is_none() {
                    return Vec::new();
                }
                let kept = target.is_some_and(|target| reached <= *target);
                vec![Item { date, worth: reached - self.opened, kept, ..Item::default() }]
            }
            Figure::Minutes | Figure::Cents | Figure::PlannedMinutes | Figure::PlannedCents => {
                let planned = matches!(figure, Figure::PlannedMinutes | Figure::PlannedCents);
                let list = if planned { &self.planned } else { &self.done };
                let item = |work| {
                    let Work { at, minutes, cents, .. }: &Work = work;
                    let minutes = i64::try_from(*minutes).unwrap();
                    let money = matches!(figure, Figure::Cents | Figure::PlannedCents);
                    let worth = if money { *cents } else { minutes };
                    Item { date: Some(*at), work: Some(work), worth, ..Item::default() }
                };
                list.iter().map(item).collect()
            }
            Figure::MessagesIn | Figure::MessagesOut => {
                let of = self.exchanges.iter().filter(|exchange| exchange.direction == direction);
                of.map(|exchange| Item { exchange: Some(exchange), ..one(Some(exchange.at)) }).collect()
            }
        }
    }

    /// Everything that it is in a dimension.
    fn keys(&self, dimension: Dimension, figure: Figure, item: &Item<'_>, zone: chrono_tz::Tz) -> Keys {
        let fact = || self.facts.get(dimension.name()).cloned();
        let set = |values: BTreeSet<String>| match values.is_empty() {
            true => vec![None],
            false => values.into_iter().map(Some).collect(),
        };
        let visit = |moment| last_before(&self.visits, moment, |visit| visit.at);
        let desk = |moment| last_before(&self.desks, moment, |desk| desk.at);
        let held = |n: usize| match item.moment {
            Some(moment) => desk(moment).and_then(|desk| desk.held[n].clone()),
            None => fact(),
        };
        match dimension {
            Dimension::Month | Dimension::Week | Dimension::Day | Dimension::Weekday | Dimension::Hour => {
                vec![item.date.map(|date| named(dimension, date, zone))]
            }
            Dimension::Request => vec![Some(self.id.clone())],
            Dimension::State if item.moment.is_some() => {
                vec![item.moment.and_then(visit).map(|visit| visit.state.clone())]
            }
            Dimension::Phase if item.moment.is_some() => {
                vec![item.moment.and_then(visit).map(|visit| visit.phase.clone())]
            }
            Dimension::Service => vec![held(0)],
            Dimension::Team => vec![item.work.map_or_else(|| held(1), |work| work.team.clone())],
            Dimension::Agent => vec![item.work.map_or_else(|| held(2), |work| work.agent.clone())],
            Dimension::Supplier => match item.work {
                Some(work) => vec![work.supplier.clone()],
                None => {
                    let done = self.done.iter().filter_map(|work| work.supplier.clone());
                    let sent = self.interventions.iter().filter_map(|(_, supplier)| supplier.clone());
                    set(done.chain(sent).collect())
                }
            },
            Dimension::Channel if figure == Figure::MessagesIn => {
                vec![item.exchange.map(|exchange| exchange.channel.clone())]
            }
            Dimension::ChannelOut if figure == Figure::MessagesOut => {
                vec![item.exchange.map(|exchange| exchange.channel.clone())]
            }
            Dimension::ChannelOut => set(self.answers().map(|answer| answer.channel.clone()).collect()),
            _ => vec![fact()],
        }
    }
}

/// What a moment is called in a dimension of dates.
fn named(dimension: Dimension, moment: i64, zone: chrono_tz::Tz) -> String {
    let format = match dimension {
        Dimension::Month => "%Y-%m",
        Dimension::Week => "%G-W%V",
        Dimension::Day => "%Y-%m-%d",
        Dimension::Weekday => "%u",
        _ => "%H",
    };
    DateTime::from_timestamp_micros(moment).unwrap().with_timezone(&zone).format(format).to_string()
}

/// A quantile as a table of formulas has it (Hyndman and Fan, type 7).
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = (sorted.len().checked_sub(1)? as f64) * share;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * (place - place.floor()))
}

impl Recount {
    /// The last moments of the periods that are asked for: found day by day.
    fn ends(&self, period: Dimension, asked: &Asked) -> Vec<i64> {
        let mut until = asked.now + 1;
        let mut from = self.cases.iter().map(|case| case.opened).min().unwrap_or(until);
        if let Some((begin, end)) = asked.between {
            from = begin;
            until = until.min(end);
        }
        let mut ends = Vec::new();
        let mut day = DateTime::from_timestamp_micros(from).unwrap().with_timezone(&self.zone).date_naive();
        let midnight = |day: chrono::NaiveDate| {
            self.zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).unwrap().timestamp_micros()
        };
        while from < until && midnight(day) < until {
            let next = day.succ_opt().unwrap();
            let (today, tomorrow) = (midnight(day), midnight(next));
            if named(period, today, self.zone) != named(period, tomorrow, self.zone) || tomorrow >= until {
                ends.push(tomorrow.min(until) - 1);
            }
            day = next;
        }
        ends
    }

    /// One figure by some dimensions: each cell that is not nothing.
    pub fn count(&self, figure: Figure, by: &[Dimension], asked: &Asked) -> BTreeMap<Keys, Cell> {
        let period = by.iter().find(|by| matches!(by, Dimension::Month | Dimension::Week | Dimension::Day));
        let ends = match (period, asked.at, asked.between) {
            (Some(period), ..) if figure == Figure::Open => Some(self.ends(*period, asked)),
            (_, Some(at), _) => Some(vec![at]),
            (_, None, Some((_, until))) => Some(vec![until - 1]),
            _ => None,
        };
        let mut cells: BTreeMap<Keys, Vec<Item<'_>>> = BTreeMap::new();
        for case in &self.cases {
            for item in case.items(figure, asked, ends.as_deref()) {
                let outside = |(from, until)| item.date.is_none_or(|date| date < from || date >= until);
                let dated = !matches!(figure, Figure::Total | Figure::Open);
                if dated && asked.between.is_some_and(outside) {
                    continue;
                }
                let mut all: Vec<Keys> = vec![Vec::new()];
                for dimension in by {
                    let keys = case.keys(*dimension, figure, &item, self.zone);
                    let with = |before: &Keys| {
                        let longer =
                            |key: &Option<String>| [before.as_slice(), std::slice::from_ref(key)].concat();
                        keys.iter().map(longer).collect::<Vec<Keys>>()
                    };
                    all = all.iter().flat_map(with).collect();
                }
                for keys in all {
                    cells.entry(keys).or_default().push(item);
                }
            }
        }
        let cell = |items: Vec<Item<'_>>| {
            let sum = items.iter().map(|item| item.worth).sum::<i64>();
            let count = items.len() as u64;
            let kept = items.iter().filter(|item| item.kept).count() as u64;
            let mut hours: Vec<f64> = items.iter().map(|item| item.worth as f64 / 3.6e9).collect();
            hours.sort_by(f64::total_cmp);
            match figure {
                Figure::Mean(_) => Cell::Hours(Some(hours.iter().sum::<f64>() / count as f64)),
                Figure::Median(_) => Cell::Hours(quantile(&hours, 0.5)),
                Figure::P90(_) => Cell::Hours(quantile(&hours, 0.9)),
                Figure::Within(_) => Cell::Count(kept),
                Figure::Share(_) => Cell::Share(Some(kept as f64 / count as f64)),
                Figure::Minutes | Figure::PlannedMinutes => Cell::Minutes(u64::try_from(sum).unwrap()),
                Figure::Cents | Figure::PlannedCents => Cell::Cents(sum),
                _ => Cell::Count(count),
            }
        };
        cells.into_iter().map(|(keys, items)| (keys, cell(items))).collect()
    }
}
