//! The library and the same writes by hand, side by side.

use crate::{
    Res,
    place::{Kind, Place},
    raw::{Plan, Raw, Row, Totals},
    town::Town,
};
use std::time::Duration;

/// Two databases of the same content: one that the engine writes, one that is written by hand after it.
#[derive(Debug)]
pub struct Pair {
    /// The engine.
    pub town: Town,
    /// By hand.
    pub hand: Box<dyn Raw>,
    plan: Plan,
    /// Looks into the engine's database, and what was there at first; a store in memory cannot be looked into.
    eye: Option<(Box<dyn Raw>, Totals)>,
}

impl Pair {
    /// Two empty databases.
    ///
    /// # Errors
    /// If they cannot be made.
    pub fn new(place: &Place, name: &str) -> Res<Self> {
        let town = Town::open(place.ours(name)?)?;
        let eye = match place.kind() {
            Kind::Memory => None,
            Kind::Sqlite | Kind::Mariadb => {
                let mut eye = place.eye(name)?;
                let before = eye.totals()?;
                Some((eye, before))
            }
        };
        Ok(Self { town, hand: place.by_hand(name)?, plan: Plan::new(place.kind().dialect()), eye })
    }

    /// What the engine wrote since, a transaction a batch.
    ///
    /// # Errors
    /// If no scenario does that.
    pub fn written(&mut self) -> Res<Vec<Vec<Row>>> {
        self.town.committed().iter().map(|batch| self.plan.rows(batch)).collect()
    }

    /// Writes by hand what the engine wrote since, and answers how long it took. Several of its transactions are one.
    ///
    /// # Errors
    /// As the driver says.
    pub fn follow(&mut self, callers: usize, grouped: usize) -> Res<Duration> {
        let mut transactions = self.written()?.into_iter().peekable();
        let mut groups = Vec::new();
        while transactions.peek().is_some() {
            groups.push(transactions.by_ref().take(grouped).flatten().collect());
        }
        self.hand.write(callers, &groups)
    }

    /// That both hold the same.
    ///
    /// # Errors
    /// If they do not.
    pub fn check(&mut self) -> Res<()> {
        let Some((eye, before)) = &mut self.eye else { return Ok(()) };
        let theirs = self.hand.totals()?;
        for (table, (rows, bytes)) in eye.totals()? {
            let (old_rows, old_bytes) = before.get(table).copied().unwrap_or_default();
            let ours = (rows - old_rows, bytes - old_bytes);
            if theirs.get(table) != Some(&ours) {
                let theirs = theirs.get(table);
                return Err(
                    format!("`{table}` has other rows or bytes: ours {ours:?}, by hand {theirs:?}").into()
                );
            }
        }
        Ok(())
    }
}
