//! Lists: which index leads, and in which stretches it is read.
//!
//! A stretch (*leg*) fixes every column of an index before `opened`, so that it is read in the order of the list and
//! nothing is sorted. A condition on several services or states has a leg for each pair, merged by the store. What no
//! index leads is looked at row by row, at most [`Query::scan`] of them.

use super::{Bound, Dialect, Fragment, column, compile};
use crate::{
    Condition,
    condition::{Comparison, Scalar, Var},
    storage::{Fact, LinkKey, Query, StorageError},
};
use std::collections::{BTreeMap, BTreeSet};

/// How a list is read.
#[derive(Debug, Clone)]
pub struct Plan {
    dialect: Dialect,
    /// The authority and the kind.
    of: [String; 2],
    lead: Lead,
    /// What is looked at row by row.
    look: Fragment,
    /// The same with the whole condition, if there turn out to be too many legs.
    look_at_all: Fragment,
}

#[derive(Debug, Clone)]
enum Lead {
    Link(LinkKey),
    /// Open streams of these agents.
    Agents(BTreeSet<String>),
    /// Streams of these services, in these states; none means any.
    Desks(BTreeSet<String>, Option<BTreeSet<String>>),
    Opened,
}

/// One stretch of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// The tables, that of streams as `s`.
    pub from: String,
    /// Which rows.
    pub test: Fragment,
}

/// The stretches of a list, and what is looked at in each of their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legs {
    /// The stretches. No row is in two of them.
    pub legs: Vec<Leg>,
    /// True for the rows that are in the list.
    pub look: Fragment,
}

impl Plan {
    /// More legs than these are not worth it: the list is read by `opened`, and everything is looked at.
    pub const MOST_LEGS: usize = 64;
    /// The index of streams by authority, kind, service, state, `opened`, id.
    pub const BY_DESK: &str = "stream_by_desk";
    /// The index of streams that have an agent and are not closed, by authority, kind, agent (and closure), `opened`, id.
    pub const BY_AGENT: &str = "stream_by_agent";
    /// The index of streams by authority, kind, `opened`, id.
    pub const BY_OPENED: &str = "stream_by_opened";

    /// Plans a list.
    ///
    /// # Errors
    /// As [`compile`].
    pub fn new(dialect: Dialect, query: &Query) -> Result<Self, StorageError> {
        let mut parts = Vec::new();
        conjuncts(&query.filter, &mut parts);
        let words = |fact| parts.iter().enumerate().find_map(|(n, part)| Some((n, one_of(part, fact)?)));
        let open = parts.iter().position(|part| is_open(part));
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
            parts.iter().enumerate().filter(|(n, _)| !used.contains(n)).map(|(_, part)| (*part).clone());
        let mut look = compile(&dialect, &Condition::All(others.collect()))?;
        let mut look_at_all = compile(&dialect, &query.filter)?;
        // Any link of a kind may lead to most streams, and by several keys to one: it is looked at row by row.
        if let Some(link) = query.linked.as_ref().filter(|link| link.key.is_empty()) {
            for look in [&mut look, &mut look_at_all] {
                look.sql = format!(
                    "({}) AND EXISTS (SELECT 1 FROM {} l WHERE l.authority = s.authority AND l.kind = s.kind \
                     AND l.id = s.id AND l.link = ?)",
                    look.sql, dialect.links
                );
                look.bound.push(Bound::Text(link.kind.as_str().to_owned()));
            }
        }
        let of = [query.authority.as_str().to_owned(), query.kind.as_str().to_owned()];
        Ok(Self { dialect, of, lead, look, look_at_all })
    }

    /// The services whose states the store must tell before [`Self::legs`].
    pub fn services(&self) -> Vec<&str> {
        match &self.lead {
            Lead::Desks(services, None) => services.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The stretches, given the states that there are in each of [`Self::services`], a stream without a state apart.
    pub fn legs(self, states: &BTreeMap<String, Vec<String>>) -> Legs {
        let legs = match &self.lead {
            Lead::Opened => None,
            Lead::Link(link) => Some(vec![self.linked(link)]),
            Lead::Agents(agents) => (agents.len() <= Self::MOST_LEGS)
                .then(|| agents.iter().map(|agent| self.of_agent(agent)).collect()),
            Lead::Desks(services, these) => {
                let mut legs = Vec::new();
                for service in services {
                    let known = states.get(service).into_iter().flatten();
                    match these {
                        Some(these) => {
                            legs.extend(these.iter().map(|state| self.at_desk(service, Some(state))))
                        }
                        None => {
                            legs.push(self.at_desk(service, None));
                            legs.extend(known.map(|state| self.at_desk(service, Some(state))));
                        }
                    }
                }
                (legs.len() <= Self::MOST_LEGS).then_some(legs)
            }
        };
        match legs {
            Some(legs) => Legs { legs, look: self.look },
            None => Legs { legs: vec![self.by(Self::BY_OPENED, "", [])], look: self.look_at_all },
        }
    }

    /// A stretch of an index of the table of streams.
    fn by<const N: usize>(&self, index: &str, test: &str, bound: [&String; N]) -> Leg {
        let (before, after) = self.dialect.by;
        let of = self.of.iter().chain(bound);
        Leg {
            from: format!("{} s {before}{index}{after}", self.dialect.streams),
            test: Fragment {
                sql: format!("s.authority = ? AND s.kind = ?{test}"),
                bound: of.map(|text| Bound::Text(text.clone())).collect(),
            },
        }
    }

    fn of_agent(&self, agent: &String) -> Leg {
        let (column, closed) = (column(Fact::Agent), column(Fact::Closed));
        let test = format!(" AND s.{column} = ? AND s.{column} IS NOT NULL AND s.{closed} IS NULL");
        self.by(Self::BY_AGENT, &test, [agent])
    }

    fn at_desk(&self, service: &String, state: Option<&String>) -> Leg {
        let (of_service, of_state) = (column(Fact::Service), column(Fact::State));
        match state {
            Some(state) => {
                let test = format!(" AND s.{of_service} = ? AND s.{of_state} = ?");
                self.by(Self::BY_DESK, &test, [service, state])
            }
            None => {
                let test = format!(" AND s.{of_service} = ? AND s.{of_state} IS NULL");
                self.by(Self::BY_DESK, &test, [service])
            }
        }
    }

    /// In this order: the link leads to few streams, which are sorted.
    fn linked(&self, link: &LinkKey) -> Leg {
        let Dialect { streams, links, join, .. } = self.dialect;
        let [authority, kind] = &self.of;
        Leg {
            from: format!(
                "{links} l {join} {streams} s ON s.authority = l.authority AND s.kind = l.kind AND s.id = l.id"
            ),
            test: Fragment {
                sql: "l.authority = ? AND l.link = ? AND l.key = ? AND l.kind = ?".to_owned(),
                bound: vec![
                    Bound::Text(authority.clone()),
                    Bound::Text(link.kind.as_str().to_owned()),
                    Bound::Bytes(link.key.clone()),
                    Bound::Text(kind.clone()),
                ],
            },
        }
    }
}

/// What must all hold for a condition to hold, however it is nested.
fn conjuncts<'c>(condition: &'c Condition, out: &mut Vec<&'c Condition>) {
    match condition {
        Condition::All(parts) => parts.iter().for_each(|part| conjuncts(part, out)),
        one => out.push(one),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Word, storage::Query};

    #[test]
    fn what_leads_is_found_however_the_condition_was_put_together() {
        let dialect = Dialect {
            store: "test",
            streams: "stream",
            index: "idx",
            links: "link",
            by: ("", ""),
            join: "JOIN",
        };
        let agent = Condition::is(Fact::Agent, "a-1");
        let open = Condition::Not(Box::new(Condition::Present(Var::Fact(Fact::Closed))));
        let scope = Condition::Any(vec![Condition::is(Fact::Type, "a"), Condition::is(Fact::Type, "b")]);
        for filter in [
            agent.clone().and(open.clone()),
            scope.clone().and(agent.clone().and(open.clone())),
            scope.clone().and(open.clone()).and(agent.clone()),
            Condition::All(vec![Condition::All(vec![scope, Condition::All(vec![open])]), agent]),
        ] {
            let mut query = Query::new(Word::of("town"), Word::of("request"));
            query.filter = filter;
            let legs = Plan::new(dialect, &query).unwrap().legs(&BTreeMap::new()).legs;
            assert!(legs.iter().all(|leg| leg.from.contains(Plan::BY_AGENT)), "{legs:?}");
        }
    }
}
