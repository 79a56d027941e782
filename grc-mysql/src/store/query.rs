//! Lists: the stretches of the shared plan as one statement, read a few rows at a time until the page is full.

use super::{rows::as_text, streams};
use crate::{
    error::{NAME, Outcome},
    session::{Session, Sql, sql},
};
use grc_core::storage::{
    Order, Page, PageKey, Query, StorageError, StreamKey, StreamRecord,
    sql::{Bound, Dialect, Legs, Plan},
};
use sqlx::Row;
use std::collections::BTreeMap;

const DIALECT: Dialect = Dialect {
    store: NAME,
    streams: "grc_stream",
    index: "grc_index",
    links: "grc_link",
    by: ("FORCE INDEX (", ")"),
    join: "STRAIGHT_JOIN",
};

/// Rows that are looked at in one statement, at most.
const MOST_AT_ONCE: u32 = 4_000;

/// Plans a list; refuses a condition that no store can answer.
pub(super) fn plan(query: &Query) -> Result<Plan, StorageError> {
    Plan::new(DIALECT, query)
}

/// Reads a page, within a reading transaction.
pub(super) async fn read(
    session: &mut Session,
    (plan, query, start): &(Plan, Query, Option<PageKey>),
) -> Outcome<Page> {
    let mut states = BTreeMap::new();
    for service in plan.services() {
        states.insert(service.to_owned(), states_of(session, query, service).await?);
    }
    let legs = plan.clone().legs(&states);
    let (mut found, mut next) = (Vec::new(), None);
    let (mut looked, mut last) = (0, *start);
    // Most lists are led by an index, so that nearly all that is looked at is listed.
    let mut at_once = query.limit.saturating_add(1);
    'page: loop {
        let wanted = at_once.min(MOST_AT_ONCE).min((query.scan - looked).saturating_add(1));
        let heads = look(session, &legs, query, last, wanted).await?;
        for (key, meets) in &heads {
            if found.len() == query.limit as usize || looked == query.scan {
                next = last.as_ref().map(|key| query.cursor(key));
                break 'page;
            }
            // Two links of one key to one stream.
            if last == Some(*key) {
                continue;
            }
            looked += 1;
            last = Some(*key);
            if *meets {
                found.push(StreamKey::new(query.authority.clone(), query.kind.clone(), key.id));
            }
        }
        if heads.len() < wanted as usize {
            break;
        }
        at_once = at_once.saturating_mul(4);
    }
    let keys: Vec<&StreamKey> = found.iter().collect();
    let mut rows = streams::read(session, &query.authority, &keys).await?;
    let parts: Vec<_> = query.parts.iter().copied().collect();
    let mut vaults = if parts.is_empty() {
        BTreeMap::new()
    } else {
        streams::vaults(session, &query.authority, &keys, Some(&parts)).await?
    };
    let record = |key: &StreamKey| {
        let row = rows.remove(key)?;
        Some(StreamRecord { row, vault: vaults.remove(key).unwrap_or_default() })
    };
    Ok(Page { rows: found.iter().filter_map(record).collect(), next })
}

/// The next rows of all legs, in order: where they stand, and whether they are in the list.
async fn look(
    session: &mut Session,
    Legs { legs, look }: &Legs,
    query: &Query,
    after: Option<PageKey>,
    count: u32,
) -> Outcome<Vec<(PageKey, bool)>> {
    let newest = query.order == Order::NewestFirst;
    let (past, direction) = if newest { ("<", "DESC") } else { (">", "ASC") };
    // Two stretches of the index that leads: many may have been opened at one moment.
    let keyset = after.map_or_else(String::new, |_| {
        format!(" AND ((s.opened = ? AND s.id {past} ?) OR s.opened {past} ?)")
    });
    let one = |from: &str, test: &str| {
        format!(
            "SELECT s.opened AS o, s.id AS i, ({}) AS meets FROM {from} WHERE {test}{keyset}
             ORDER BY s.opened {direction}, s.id {direction} LIMIT ?",
            look.sql
        )
    };
    let text = match legs.as_slice() {
        [] => return Ok(Vec::new()),
        [leg] => one(&leg.from, &leg.test.sql),
        legs => {
            let all: Vec<String> =
                legs.iter().map(|leg| format!("({})", one(&leg.from, &leg.test.sql))).collect();
            format!("{} ORDER BY o {direction}, i {direction} LIMIT ?", all.join(" UNION ALL "))
        }
    };
    let mut read = sql(text);
    for leg in legs {
        for value in look.bound.iter().chain(&leg.test.bound) {
            read = bind(read, value);
        }
        if let Some(key) = &after {
            read = read.bind(key.value).bind(&key.id.as_bytes()[..]).bind(key.value);
        }
        read = read.bind(count);
    }
    if legs.len() > 1 {
        read = read.bind(count);
    }
    let rows = session.rows(read).await?;
    rows.iter().map(|row| Ok((streams::place(row)?, row.try_get::<i64, _>(2)? != 0))).collect()
}

fn bind<'a>(sql: Sql<'a>, value: &Bound) -> Sql<'a> {
    match value {
        Bound::Text(text) => sql.bind(text.as_bytes()),
        Bound::Bytes(bytes) => sql.bind(&bytes[..]),
        Bound::Integer(number) => sql.bind(*number),
    }
}

/// The states that there are in a service, each found by one step through the index. A statement that names them all
/// at once is shorter, and reads every row of the service whenever the server's optimiser thinks so.
async fn states_of(session: &mut Session, query: &Query, service: &str) -> Outcome<Vec<String>> {
    let read = "SELECT MIN(f_state) FROM grc_stream
         WHERE authority = ? AND kind = ? AND f_service = ? AND f_state > ?";
    let mut out: Vec<String> = Vec::new();
    while out.len() < Plan::MOST_LEGS {
        let next = sqlx::query(read)
            .bind(query.authority.as_str().as_bytes())
            .bind(query.kind.as_str().as_bytes())
            .bind(service.as_bytes())
            .bind(out.last().map_or(&[][..], |last| last.as_bytes()));
        let next: Option<Vec<u8>> = match session.row(next).await? {
            Some(row) => row.try_get(0)?,
            None => None,
        };
        let Some(next) = next else { break };
        out.push(as_text(next)?);
    }
    Ok(out)
}
