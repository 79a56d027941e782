//! Lists: which index leads, and the merging of its stretches.
//!
//! A stretch (*leg*) fixes every column of an index before `opened`, so that SQLite reads it in the order of the list
//! and never sorts. A condition on several services or states has a leg for each pair, merged here. What no index
//! leads is looked at row by row, at most `scan` of them.

use super::{rows::uuid, streams};
use crate::{
    error::{NAME, Outcome},
    schema::quoted,
};
use grc_core::{
    Condition,
    condition::{Comparison, Scalar, Var},
    storage::{
        Fact, LinkKey, Order, Page, PageKey, Query, StorageError,
        sql::{Bound, Fragment, compile},
    },
};
use rusqlite::{Connection, Rows, params, types::Value};
use std::collections::BTreeSet;

/// More legs than these are not worth it: the list is read by `opened`, and everything is looked at.
const MOST_LEGS: usize = 64;

const LINKED: &str = " AND EXISTS (SELECT 1 FROM link l WHERE l.authority = s.authority AND l.kind = s.kind \
                      AND l.id = s.id AND l.link = ?)";

/// How a list is read.
pub(super) struct Plan {
    lead: Lead,
    /// What is looked at row by row.
    look: Fragment,
    /// The same with the whole condition, if there turn out to be too many legs.
    look_at_all: Fragment,
}

enum Lead {
    Link(LinkKey),
    /// Open streams of these agents.
    Agents(BTreeSet<String>),
    /// Streams of these services, in these states; none means any.
    Desks(BTreeSet<String>, Option<BTreeSet<String>>),
    Opened,
}

/// One stretch of an index: the tables, the test, its values.
struct Leg {
    from: &'static str,
    test: String,
    bound: Vec<Value>,
}

/// The next row of a leg.
struct Head {
    key: PageKey,
    row: i64,
    meets: bool,
}

impl Plan {
    /// Plans a list; refuses a condition that no store can answer.
    pub(super) fn new(query: &Query) -> Result<Self, StorageError> {
        let parts = match &query.filter {
            Condition::All(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        let words = |fact| parts.iter().enumerate().find_map(|(n, part)| Some((n, one_of(part, fact)?)));
        let open = parts.iter().position(is_open);
        let mut used = Vec::new();
        let lead = if let Some(link) = query.linked.as_ref().filter(|link| !link.key.is_empty()) {
            Lead::Link(link.clone())
        } else if let (Some((n, agents)), Some(open)) = (words(Fact::Agent), open) {
            used = vec![n, open];
            Lead::Agents(agents)
        } else if let Some((n, services)) = words(Fact::Service) {
            used.push(n);
            let states = words(Fact::State).map(|(n, states)| {
                used.push(n);
                states
            });
            Lead::Desks(services, states)
        } else {
            Lead::Opened
        };
        let others =
            parts.iter().enumerate().filter(|(n, _)| !used.contains(n)).map(|(_, part)| part.clone());
        let mut out = Self {
            lead,
            look: whole(&Condition::All(others.collect()))?,
            look_at_all: whole(&query.filter)?,
        };
        // Any link of a kind may lead to most streams, and by several keys to one: it is looked at row by row.
        if let Some(link) = query.linked.as_ref().filter(|link| link.key.is_empty()) {
            for look in [&mut out.look, &mut out.look_at_all] {
                look.sql.push_str(LINKED);
                look.bound.push(Bound::Text(link.kind.as_str().to_owned()));
            }
        }
        Ok(out)
    }

    /// Reads a page, within a read transaction.
    pub(super) fn run(
        &self,
        connection: &Connection,
        query: &Query,
        start: Option<PageKey>,
    ) -> Outcome<Page> {
        let (legs, look) = match self.legs(connection, query)? {
            Some(legs) => (legs, &self.look),
            None => (vec![opened(query)], &self.look_at_all),
        };
        let newest = query.order == Order::NewestFirst;
        let (past, direction) = if newest { ("<", "DESC") } else { (">", "ASC") };
        let mut statements = Vec::new();
        for Leg { from, test, bound } in legs {
            let keyset =
                if start.is_some() { format!(" AND (s.opened, s.id) {past} (?, ?)") } else { String::new() };
            let sql = format!(
                "SELECT s.opened, s.id, s.rowid, ({}) FROM {from} WHERE {test}{keyset}
                 ORDER BY s.opened {direction}, s.id {direction} LIMIT ?",
                look.sql
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut values: Vec<Value> = look.bound.iter().map(value).collect();
            values.extend(bound);
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
        let mut legs: Vec<Rows<'_>> = statements.iter_mut().map(|statement| statement.raw_query()).collect();
        let mut heads = legs.iter_mut().map(next).collect::<Outcome<Vec<_>>>()?;
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
            let (Some(slot), Some(leg)) = (heads.get_mut(n), legs.get_mut(n)) else { break };
            if let Some(head) = std::mem::replace(slot, next(leg)?)
                && head.meets
            {
                page.rows.push(streams::by_row(connection, head.row, query.parts.iter().copied())?);
            }
        }
        Ok(page)
    }

    /// The stretches to read; none if they are too many.
    fn legs(&self, connection: &Connection, query: &Query) -> Outcome<Option<Vec<Leg>>> {
        Ok(match &self.lead {
            Lead::Opened => Some(vec![opened(query)]),
            Lead::Link(link) => Some(vec![Leg {
                // In this order: the link leads to few streams, which are sorted.
                from: "link l CROSS JOIN stream s ON s.authority = l.authority AND s.kind = l.kind AND s.id = l.id",
                test: "l.authority = ? AND l.link = ? AND l.key = ? AND l.kind = ?".to_owned(),
                bound: vec![
                    query.authority.as_str().to_owned().into(),
                    link.kind.as_str().to_owned().into(),
                    link.key.clone().into(),
                    query.kind.as_str().to_owned().into(),
                ],
            }]),
            Lead::Agents(agents) => (agents.len() <= MOST_LEGS).then(|| {
                agents
                    .iter()
                    .map(|agent| {
                        let agent_column = quoted(Fact::Agent);
                        let test = format!(
                            "s.{agent_column} = ? AND s.{agent_column} IS NOT NULL AND s.{} IS NULL",
                            quoted(Fact::Closed)
                        );
                        leg("stream s INDEXED BY stream_by_agent", query, &test, vec![agent.clone().into()])
                    })
                    .collect()
            }),
            Lead::Desks(services, states) => {
                let mut legs = Vec::new();
                for service in services {
                    let states: Vec<Option<String>> = match states {
                        Some(states) => states.iter().cloned().map(Some).collect(),
                        None => states_of(connection, query, service)?,
                    };
                    if legs.len() + states.len() > MOST_LEGS {
                        return Ok(None);
                    }
                    legs.extend(states.into_iter().map(|state| {
                        let test =
                            format!("s.{} = ? AND s.{} IS ?", quoted(Fact::Service), quoted(Fact::State));
                        let bound = vec![service.clone().into(), state.into()];
                        leg("stream s INDEXED BY stream_by_desk", query, &test, bound)
                    }));
                }
                Some(legs)
            }
        })
    }
}

fn leg(from: &'static str, query: &Query, test: &str, bound: Vec<Value>) -> Leg {
    let mut all: Vec<Value> =
        vec![query.authority.as_str().to_owned().into(), query.kind.as_str().to_owned().into()];
    all.extend(bound);
    Leg { from, test: format!("s.authority = ? AND s.kind = ? AND {test}"), bound: all }
}

fn opened(query: &Query) -> Leg {
    leg("stream s INDEXED BY stream_by_opened", query, "1=1", Vec::new())
}

/// The states that there are in a service, each found by one step through the index; and none.
fn states_of(connection: &Connection, query: &Query, service: &str) -> Outcome<Vec<Option<String>>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT min({state}) FROM stream INDEXED BY stream_by_desk
         WHERE authority = ? AND kind = ? AND {service} = ? AND {state} > ?",
        state = quoted(Fact::State),
        service = quoted(Fact::Service)
    ))?;
    let mut out = vec![None];
    let mut last = String::new();
    while out.len() <= MOST_LEGS {
        let next: Option<String> = statement
            .query_row(params![query.authority.as_str(), query.kind.as_str(), service, last], |row| {
                row.get(0)
            })?;
        let Some(next) = next else { break };
        last.clone_from(&next);
        out.push(Some(next));
    }
    Ok(out)
}

/// The words that a condition asks a fact to be one of.
fn one_of(condition: &Condition, fact: Fact) -> Option<BTreeSet<String>> {
    let word = |scalar: &Scalar| match scalar {
        Scalar::Text(text) => Some(text.clone()),
        // A word is never a number.
        Scalar::Integer(_) | Scalar::Boolean(_) => None,
    };
    match condition {
        Condition::Compare(Var::Fact(of), Comparison::Equal, scalar) if *of == fact => {
            Some(word(scalar).into_iter().collect())
        }
        Condition::OneOf(Var::Fact(of), scalars) if *of == fact => {
            Some(scalars.iter().filter_map(word).collect())
        }
        _ => None,
    }
}

/// Whether a condition asks for what is not closed.
fn is_open(condition: &Condition) -> bool {
    matches!(condition, Condition::Not(part)
        if matches!(&**part, Condition::Present(Var::Fact(Fact::Closed))))
}

/// A condition in one piece.
fn whole(condition: &Condition) -> Result<Fragment, StorageError> {
    let mut compiled = compile(NAME, condition)?;
    // The pieces' own order is that of their values.
    let mut bound = std::mem::take(&mut compiled.leading.bound);
    bound.append(&mut compiled.rest.bound);
    Ok(Fragment { sql: format!("({}) AND ({})", compiled.leading.sql, compiled.rest.sql), bound })
}

fn value(bound: &Bound) -> Value {
    match bound {
        Bound::Text(text) => text.clone().into(),
        Bound::Integer(number) => (*number).into(),
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
