//! Comparing tables with the recount, cell by cell.

use super::{Asked, Recount};
use crate::{
    Condition, GrcError, Host, List, Moment, Session,
    insight::{Cell, Dimension, Figure, Question, Step},
};
use std::collections::{BTreeMap, BTreeSet};

/// How many cells were compared of each figure and dimension, and how many of them were not nothing.
#[derive(Debug, Clone, Default)]
pub struct Compared {
    /// By the name of the figure or dimension.
    pub cells: BTreeMap<String, (u64, u64)>,
    /// Questions that mean nothing or have too large an answer, which were refused.
    pub refused: u64,
    /// Cells of which the requests behind were counted.
    pub behind: u64,
    /// Cells of which the list was counted.
    pub listed: u64,
    /// Requests that were anonymised when all was compared again.
    pub anonymised: usize,
}

impl Compared {
    fn note(&mut self, figure: Figure, by: &[Dimension], is_something: bool) {
        let names = by.iter().map(|dimension| format!("by {dimension}")).chain([figure.name()]);
        for name in names {
            let counts = self.cells.entry(name).or_default();
            counts.0 += 1;
            counts.1 += u64::from(is_something);
        }
    }

    /// The counts, a line each.
    pub fn summary(&self) -> String {
        let line = |(name, (all, some)): (&String, &(u64, u64))| {
            format!("{name:<24} {all:>8} cells compared {some:>8} not nothing")
        };
        let mut lines: Vec<String> = self.cells.iter().map(line).collect();
        lines.push(format!(
            "{} questions refused, {} cells counted by what is behind, {} by a list; {} requests were anonymised",
            self.refused, self.behind, self.listed, self.anonymised
        ));
        lines.join("\n")
    }

    /// Fails if something was compared less often than it must be.
    pub fn at_least(&self, floors: &[(&str, u64)]) {
        for (name, least) in floors {
            let some = self.cells.get(*name).map_or(0, |counts| counts.1);
            assert!(some >= *least, "`{name}`: {some} cells that are not nothing, {least} are wanted");
        }
    }
}

fn is_nothing(cell: Cell) -> bool {
    cell.number().is_none_or(|number| number == 0.0)
}

fn same(one: Cell, other: Cell) -> bool {
    match (one, other) {
        (Cell::Hours(Some(one)), Cell::Hours(Some(other)))
        | (Cell::Share(Some(one)), Cell::Share(Some(other))) => {
            (one - other).abs() <= 1e-9 * one.abs().max(1.0)
        }
        _ => one == other || (is_nothing(one) && is_nothing(other)),
    }
}

/// Whether a pair means nothing, by the words of the documentation.
fn is_meaningless(figure: Figure, by: &[Dimension]) -> bool {
    let dates = [Dimension::Month, Dimension::Week, Dimension::Day, Dimension::Weekday, Dimension::Hour];
    let has = |some: &[Dimension]| by.iter().filter(|by| some.contains(by)).count();
    match figure {
        Figure::Total => has(&dates) > 0,
        Figure::Open => has(&dates[3..]) > 0 || has(&dates[..3]) > 1,
        Figure::MessagesIn
        | Figure::Minutes
        | Figure::Cents
        | Figure::PlannedMinutes
        | Figure::PlannedCents => has(&[Dimension::ChannelOut]) > 0,
        _ => false,
    }
}

fn question(asked: &Asked) -> Question {
    let moment = Moment::from_micros;
    let mut question = Question::all();
    if let Some((from, until)) = asked.between {
        question = question.between(moment(from), moment(until));
    }
    if let Some(at) = asked.at {
        question = question.at(moment(at));
    }
    if asked.by_closing { question.by_closing() } else { question }
}

/// Compares every figure by some dimensions with the recount.
///
/// # Panics
/// If a cell differs, or a question that means nothing is answered.
pub async fn compare(
    host: &Host,
    recount: &Recount,
    by: &[Dimension],
    asked: &Asked,
    compared: &mut Compared,
) {
    let has_period = by.iter().any(|by| matches!(by, Dimension::Month | Dimension::Week | Dimension::Day));
    let (mut figures, mut meaningless) = (Vec::new(), Vec::new());
    for figure in Figure::all() {
        if is_meaningless(figure, by) {
            meaningless.push(figure);
        } else if !(figure == Figure::Open && has_period && asked.at.is_some()) {
            figures.push(figure);
        }
    }
    for figure in meaningless {
        let refused = host.measure(&question(asked).figures([figure]).by(by.iter().copied())).await;
        let Err(GrcError::Refused(refusal)) = refused else { panic!("{figure} by {by:?} was answered") };
        assert!(refusal.has("figures.dimension"), "{refusal}");
        compared.refused += 1;
    }
    let asks = question(asked).figures(figures.clone()).by(by.iter().copied());
    let mut counted: BTreeMap<Figure, _> =
        figures.iter().map(|figure| (*figure, recount.count(*figure, by, asked))).collect();
    let table = match host.measure(&asks).await {
        Err(GrcError::Refused(refusal)) if refusal.has("figures.too-many") => {
            let rows: BTreeSet<_> = counted.values().flat_map(BTreeMap::keys).collect();
            assert!(
                rows.len() * figures.len() > Question::MAX_CELLS,
                "{by:?}: {} rows are not many",
                rows.len()
            );
            compared.refused += 1;
            return;
        }
        table => table.unwrap(),
    };
    for figure in figures {
        let mut expected = counted.remove(&figure).unwrap();
        for row in &table.rows {
            let keys: Vec<Option<String>> = row.ids().iter().map(|id| id.map(str::to_owned)).collect();
            let found = table.of(row, figure).unwrap();
            let cell = expected.remove(&keys);
            let agrees = cell.map_or_else(|| is_nothing(found), |cell| same(found, cell));
            assert!(
                agrees,
                "{figure} by {by:?}, {asked:?}, at {keys:?}: {found:?}, but the events say {cell:?}"
            );
            compared.note(figure, by, cell.is_some_and(|cell| !is_nothing(cell)));
        }
        expected.retain(|_, cell| !is_nothing(*cell));
        assert!(expected.is_empty(), "{figure} by {by:?}, {asked:?}: missing are {expected:?}");
    }
}

/// The figures that count requests, each once in its cell.
const COUNTS: [Figure; 8] = [
    Figure::Opened,
    Figure::Closed,
    Figure::Open,
    Figure::Total,
    Figure::Anonymised,
    Figure::Delays(Step::Response),
    Figure::Within(Step::Closure),
    Figure::Promised(Step::Closure),
];

impl Compared {
    /// Compares each count of a table with what is behind it and, where it can be asked for, with the list: for an actor
    /// who may see what they measure.
    ///
    /// # Panics
    /// If a number differs.
    pub async fn count_behind(&mut self, session: &Session, by: &[Dimension], asked: &Asked) {
        for figure in COUNTS.into_iter().filter(|figure| !is_meaningless(*figure, by)) {
            let question = question(asked).figures([figure]).by(by.iter().copied());
            let table = session.measure(&question).await.unwrap();
            // A few rows are enough of a long table: reading it once a row takes its time.
            for row in table.rows.iter().step_by(table.rows.len().div_ceil(10).max(1)) {
                let count = row.cells[0].count().unwrap();
                let mut requests = Vec::new();
                let mut after = None;
                loop {
                    let page = session.behind(&question, figure, &row.ids(), after, 7).await.unwrap();
                    assert!(page.requests.len() <= 7);
                    requests.extend(page.requests);
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert!(requests.is_sorted() && requests.windows(2).all(|two| two[0] != two[1]));
                assert_eq!(requests.len() as u64, count, "{figure} by {by:?} at {:?}", row.ids());
                self.behind += 1;
                if let Some(list) = list_of(figure, by, &row.ids(), asked) {
                    assert_eq!(listed(session, list).await, count, "{figure} by {by:?} at {:?}", row.ids());
                    self.listed += 1;
                }
            }
        }
    }
}

/// The list behind a cell, where every key is a fact as it is today and nothing is dated.
fn list_of(figure: Figure, by: &[Dimension], ids: &[Option<&str>], asked: &Asked) -> Option<List> {
    use crate::{condition::Var, storage::Fact};
    if asked.between.is_some() || asked.at.is_some() {
        return None;
    }
    let mut list = List::new();
    let present = |fact| Condition::Present(Var::Fact(fact));
    list = match figure {
        Figure::Opened | Figure::Total => list,
        Figure::Open => list.filter(Condition::Not(Box::new(present(Fact::Closed)))),
        Figure::Closed => list.filter(present(Fact::Closed)),
        Figure::Anonymised => list.filter(present(Fact::Anonymised)),
        Figure::Promised(Step::Closure) => list.filter(present(Fact::Closed).and(present(Fact::Target))),
        _ => return None,
    };
    for (dimension, id) in by.iter().zip(ids) {
        let fact = dimension.fact()?;
        list = match id {
            Some(id) => list.is(fact, id),
            None => list.filter(Condition::Not(Box::new(present(fact)))),
        };
    }
    Some(list)
}

async fn listed(session: &Session, list: List) -> u64 {
    let mut count = 0;
    let mut list = list.limit(50);
    loop {
        let page = session.list(&list).await.unwrap();
        count += page.requests.len() as u64;
        match page.next {
            Some(next) => list = list.after(next),
            None => return count,
        }
    }
}
