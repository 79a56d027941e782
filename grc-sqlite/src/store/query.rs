//! Lists: the stretches of the shared plan, each read row by row, merged.

use super::{rows::uuid, streams};
use crate::error::{NAME, Outcome};
use grc_core::storage::{
    Order, Page, PageKey, Query, StorageError,
    sql::{Bound, Dialect, Leg, Legs, Plan},
};
use rusqlite::{Connection, Rows, params, types::Value};
use std::collections::BTreeMap;

const DIALECT: Dialect = Dialect {
    store: NAME,
    streams: "stream",
    index: "idx",
    links: "link",
    by: ("INDEXED BY ", ""),
    join: "CROSS JOIN",
};

/// Plans a list; refuses a condition that no store can answer.
pub(super) fn plan(query: &Query) -> Result<Plan, StorageError> {
    Plan::new(DIALECT, query)
}

/// The next row of a leg.
struct Head {
    key: PageKey,
    row: i64,
    meets: bool,
}

/// Reads a page, within a read transaction.
pub(super) fn read(
    connection: &Connection,
    plan: Plan,
    query: &Query,
    start: Option<PageKey>,
) -> Outcome<Page> {
    let mut states = BTreeMap::new();
    for service in plan.services() {
        states.insert(service.to_owned(), states_of(connection, query, service)?);
    }
    let Legs { legs, look } = plan.legs(&states);
    let newest = query.order == Order::NewestFirst;
    let (past, direction) = if newest { ("<", "DESC") } else { (">", "ASC") };
    let mut statements = Vec::new();
    for Leg { from, test } in legs {
        let keyset =
            if start.is_some() { format!(" AND (s.opened, s.id) {past} (?, ?)") } else { String::new() };
        let sql = format!(
            "SELECT s.opened, s.id, s.rowid, ({}) FROM {from} WHERE {}{keyset}
             ORDER BY s.opened {direction}, s.id {direction} LIMIT ?",
            look.sql, test.sql
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut values: Vec<Value> = look.bound.iter().chain(&test.bound).map(value).collect();
        if let Some(key) = &start {
            values.push(key.value.into());
            values.push(key.id.as_bytes().to_vec().into());
        }
        values.push((i64::from(query.scan) + 1).into());
        for (n, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(n + 1, value)?;
        }
        statements.push(statement);
    }
    let mut stretches: Vec<Rows<'_>> = statements.iter_mut().map(|statement| statement.raw_query()).collect();
    let mut heads = stretches.iter_mut().map(next).collect::<Outcome<Vec<_>>>()?;
    let mut page = Page::default();
    let mut looked = 0;
    let mut last = None;
    loop {
        let ahead = heads.iter().enumerate().filter_map(|(n, head)| Some((head.as_ref()?.key, n)));
        let first = if newest { ahead.max() } else { ahead.min() };
        let Some((key, n)) = first else { break };
        if page.rows.len() == query.limit as usize || looked == query.scan {
            page.next = last.as_ref().map(|key| query.cursor(key));
            break;
        }
        looked += 1;
        last = Some(key);
        let (Some(slot), Some(leg)) = (heads.get_mut(n), stretches.get_mut(n)) else { break };
        if let Some(head) = std::mem::replace(slot, next(leg)?)
            && head.meets
        {
            page.rows.push(streams::by_row(connection, head.row, query.parts.iter().copied())?);
        }
    }
    Ok(page)
}

/// The states that there are in a service, each found by one step through the index.
fn states_of(connection: &Connection, query: &Query, service: &str) -> Outcome<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT min(f_state) FROM stream INDEXED BY stream_by_desk
         WHERE authority = ? AND kind = ? AND f_service = ? AND f_state > ?",
    )?;
    let mut out: Vec<String> = Vec::new();
    while out.len() < Plan::MOST_LEGS {
        let last = out.last().map_or("", String::as_str);
        let next: Option<String> = statement
            .query_row(params![query.authority.as_str(), query.kind.as_str(), service, last], |row| {
                row.get(0)
            })?;
        let Some(next) = next else { break };
        out.push(next);
    }
    Ok(out)
}

fn value(bound: &Bound) -> Value {
    match bound {
        Bound::Text(text) => text.clone().into(),
        Bound::Integer(number) => (*number).into(),
        Bound::Bytes(bytes) => bytes.clone().into(),
    }
}

fn next(rows: &mut Rows<'_>) -> Outcome<Option<Head>> {
    Ok(match rows.next()? {
        None => None,
        Some(row) => Some(Head {
            key: PageKey { value: row.get(0)?, id: uuid(row, 1)? },
            row: row.get(2)?,
            meets: row.get(3)?,
        }),
    })
}
