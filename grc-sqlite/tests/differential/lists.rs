//! Random lists.

use crate::{World, dice::*, same};
use grc_core::{
    Condition, Word,
    condition::{Comparison, Scalar, Var},
    storage::{Fact, Order, Page, Query, StorageError, Store, StreamRecord},
};
use pollster::block_on;

impl World {
    pub(crate) fn condition(&mut self, depth: u32) -> Condition {
        let scalar = |dice: &mut Dice| match dice.roll(4) {
            0 => Scalar::Integer(i64::try_from(dice.roll(4)).unwrap()),
            1 => Scalar::Boolean(dice.once_in(2)),
            _ => Scalar::Text(dice.of(TEXTS).to_owned()),
        };
        let var = |dice: &mut Dice| {
            if dice.once_in(3) {
                Var::Field(dice.word(FIELDS))
            } else {
                let facts =
                    [Fact::Service, Fact::State, Fact::Agent, Fact::Opened, Fact::Closed, Fact::Reopened];
                Var::Fact(facts[usize::try_from(dice.roll(6)).unwrap()])
            }
        };
        let comparisons = [
            Comparison::Equal,
            Comparison::NotEqual,
            Comparison::Less,
            Comparison::AtMost,
            Comparison::More,
            Comparison::AtLeast,
        ];
        let dice = &mut self.dice;
        match dice.roll(if depth == 0 { 5 } else { 9 }) {
            0 => Condition::Constant(dice.once_in(2)),
            1 => {
                let comparison = comparisons[usize::try_from(dice.roll(6)).unwrap()];
                Condition::Compare(var(dice), comparison, scalar(dice))
            }
            2 => Condition::OneOf(var(dice), (0..dice.roll(4)).map(|_| scalar(dice)).collect()),
            3 => Condition::Present(var(dice)),
            4 => Condition::Contains(var(dice), dice.of(TEXTS).to_owned()),
            5 => Condition::Not(Box::new(self.condition(depth - 1))),
            6 => Condition::Any((0..self.dice.roll(3)).map(|_| self.condition(depth - 1)).collect()),
            _ => Condition::All((0..self.dice.roll(4)).map(|_| self.condition(depth - 1)).collect()),
        }
    }

    /// A condition as lists have them: what an index leads, and the rest.
    pub(crate) fn filter(&mut self) -> Condition {
        let mut parts = Vec::new();
        for fact in [Fact::Service, Fact::State, Fact::Agent] {
            if self.dice.once_in(2) {
                let words: Vec<Word> = (0..=self.dice.roll(2)).map(|_| self.dice.word(WORDS)).collect();
                parts.push(Condition::among(fact, &words));
            }
        }
        if self.dice.once_in(2) {
            parts.push(Condition::Not(Box::new(Condition::Present(Var::Fact(Fact::Closed)))));
        }
        if self.dice.once_in(2) {
            parts.push(self.condition(2));
        }
        if self.dice.once_in(5) { self.condition(3) } else { Condition::All(parts) }
    }

    pub(crate) fn query(&mut self) {
        let mut query = Query::new(self.town(), self.dice.word(KINDS));
        query.filter = self.filter();
        if self.dice.once_in(4) {
            let mut key = self.link_key();
            if self.dice.once_in(3) {
                key.key.clear();
            }
            query.linked = Some(key);
        }
        query.order = if self.dice.once_in(2) { Order::NewestFirst } else { Order::OldestFirst };
        query.limit = u32::try_from(self.dice.roll(6)).unwrap();
        query.scan =
            u32::try_from(if self.dice.once_in(3) { 1 + self.dice.roll(5) } else { 10_000 }).unwrap();
        query.parts = (0..self.dice.roll(3)).map(|n| u32::try_from(n).unwrap()).collect();
        let what = format!("{query:?}");
        if let Some(rows) = same(all_pages(&self.memory, &query), all_pages(&*self.sqlite, &query), &what) {
            *self.covered.entry(("query", if rows.is_empty() { "empty" } else { "rows" })).or_default() += 1;
        }
    }
}

fn all_pages(store: &dyn Store, query: &Query) -> Result<Vec<StreamRecord>, StorageError> {
    let mut query = query.clone();
    let mut out = Vec::new();
    loop {
        let Page { rows, next } = block_on(store.query(&query))?;
        assert!(rows.len() <= query.limit as usize);
        assert!(query.scan >= query.limit || rows.len() <= query.scan as usize);
        out.extend(rows);
        match next {
            Some(next) => query.after = Some(next),
            None => return Ok(out),
        }
    }
}
