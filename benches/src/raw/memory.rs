//! Maps of the standard library by hand, behind one lock.

use super::{Content, Raw, Row, TABLES, Totals, Value, Verb};
use crate::{Res, timing::timed};
use std::{borrow::Cow, collections::BTreeMap, sync::Mutex, time::Duration};

type Columns = BTreeMap<Cow<'static, str>, Value>;

/// A map a table, from primary keys to the other columns.
#[derive(Debug, Default)]
pub struct Maps(BTreeMap<&'static str, BTreeMap<Vec<Value>, Columns>>);

impl Maps {
    fn apply(&mut self, row: &Row) {
        let table = self.0.entry(row.table).or_default();
        let key: Vec<Value> = row.key.iter().map(|(_, value)| value.clone()).collect();
        match row.verb {
            Verb::Delete => drop(table.remove(&key)),
            Verb::Insert | Verb::Update => table.entry(key).or_default().extend(row.rest.iter().cloned()),
        }
    }

    fn requests(&self) -> impl DoubleEndedIterator<Item = (&Vec<Value>, &Columns)> {
        let request = Value::Text("request".to_owned());
        self.0.get("stream").into_iter().flatten().filter(move |(key, _)| key.get(1) == Some(&request))
    }
}

impl Raw for Maps {
    fn write(&mut self, callers: usize, transactions: &[Vec<Row>]) -> Res<Duration> {
        let shared = Mutex::new(self);
        timed(&mut vec![(); callers], transactions.len(), |(), n| {
            let mut maps = shared.lock().map_err(|_| "a caller panicked")?;
            transactions.get(n).into_iter().flatten().for_each(|row| maps.apply(row));
            Ok(())
        })
    }

    fn page(&mut self, agent: &str, limit: u32) -> Res<usize> {
        let agent = Some(Value::Text(agent.to_owned()));
        let mut found: Vec<_> = self
            .requests()
            .filter(|(_, columns)| {
                columns.get("f_agent") == agent.as_ref() && columns.get("f_closed") == Some(&Value::Null)
            })
            .map(|(key, columns)| (columns.get("opened"), key, columns.clone()))
            .collect();
        found.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)));
        found.truncate(limit as usize);
        Ok(found.len())
    }

    fn by_service(&mut self) -> Res<BTreeMap<String, i64>> {
        let mut out = BTreeMap::new();
        for (_, columns) in self.requests() {
            if let Some(Value::Text(service)) = columns.get("f_service") {
                *out.entry(service.clone()).or_insert(0) += 1;
            }
        }
        Ok(out)
    }

    fn totals(&mut self) -> Res<Totals> {
        let count = |table: &str| self.0.get(table).map_or(0, BTreeMap::len);
        TABLES.into_iter().map(|(table, _)| Ok((table, (i64::try_from(count(table))?, 0)))).collect()
    }

    fn content(&mut self) -> Res<Content> {
        Ok(Content::new())
    }
}
