//! The library and the same writes by hand, side by side.

use crate::{
    Res,
    place::{Kind, Place},
    raw::{Content, Plan, Raw, Row, Totals},
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
    eye: Option<(Box<dyn Raw>, Totals, Content)>,
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
                let (totals, content) = (eye.totals()?, eye.content()?);
                Some((eye, totals, content))
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

    /// That both hold the same, column by column.
    ///
    /// # Errors
    /// If they do not.
    pub fn check(&mut self) -> Res<()> {
        let Some((eye, before, content)) = &mut self.eye else { return Ok(()) };
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
        let theirs = self.hand.content()?;
        for (table, sum) in eye.content()? {
            let ours = sum.wrapping_sub(content.get(table).copied().unwrap_or_default());
            if theirs.get(table) != Some(&ours) {
                return Err(format!("`{table}` holds something else, in as many rows and bytes").into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Value;

    fn filled() -> (Place, Pair, Vec<Vec<Row>>) {
        let place = Place::new(Kind::Sqlite).unwrap();
        let mut pair = Pair::new(&place, "filled").unwrap();
        let (ids, _) = pair.town.receive(1, 0, 3).unwrap();
        pair.town.assign(1, &ids).unwrap();
        let rows = pair.written().unwrap();
        (place, pair, rows)
    }

    #[test]
    fn what_is_written_by_hand_is_the_same() {
        let (_place, mut pair, rows) = filled();
        pair.hand.write(1, &rows).unwrap();
        pair.check().unwrap();
    }

    /// A fact that is not written makes an index smaller, and no row or body.
    #[test]
    fn another_value_of_any_column_is_seen() {
        for column in ["f_service", "head", "opened", "due", "text", "single"] {
            let (_place, mut pair, mut rows) = filled();
            let value = rows
                .iter_mut()
                .flatten()
                .flat_map(|row| &mut row.rest)
                // What is written first may be written again.
                .rfind(|(name, value)| name == column && *value != Value::Null)
                .map(|(_, value)| value)
                .unwrap_or_else(|| panic!("no row has {column}"));
            match value {
                Value::Integer(number) => *number += 1,
                Value::Text(text) => *text = text.chars().rev().collect(),
                Value::Bytes(bytes) => bytes.reverse(),
                Value::Null => {}
            }
            pair.hand.write(1, &rows).unwrap();
            let error = pair.check().map_err(|error| error.to_string());
            assert!(
                error.as_ref().is_err_and(|error| error.contains("holds something else")),
                "{column}: {error:?}"
            );
        }
    }
}
