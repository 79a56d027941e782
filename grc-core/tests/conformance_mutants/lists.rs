//! C-12, C-13, C-14: stores that are wrong about lists.

use crate::store::{Answer, Mutant, Reading, Under, each, word};
use grc_core::{
    Condition,
    condition::{Comparison, Scalar, Var},
    storage::{
        Cursor, Fact, IndexValue, Order, Page, Query, Step, StorageError, StorageErrorKind, StreamKey,
        StreamRecord,
    },
};
use std::collections::BTreeMap;

pub(crate) fn mutants() -> Vec<Mutant> {
    [comparisons(), operators(), pages(), links(), cursors()].concat()
}

/// The list with each part of its condition changed, the innermost first.
fn asked(query: Query, change: fn(Condition) -> Condition) -> Query {
    let filter = mapped(query.filter.clone(), change);
    Query { filter, ..query }
}

fn mapped(condition: Condition, change: fn(Condition) -> Condition) -> Condition {
    let all = |parts: Vec<Condition>| parts.into_iter().map(|part| mapped(part, change)).collect();
    change(match condition {
        Condition::All(parts) => Condition::All(all(parts)),
        Condition::Any(parts) => Condition::Any(all(parts)),
        Condition::Not(part) => Condition::Not(Box::new(mapped(*part, change))),
        other => other,
    })
}

/// One comparison taken for another, on facts or on fields.
fn swapped(condition: Condition, facts: bool, from: Comparison, to: Comparison) -> Condition {
    match condition {
        Condition::Compare(var, comparison, scalar)
            if comparison == from && matches!(var, Var::Fact(_)) == facts =>
        {
            Condition::Compare(var, to, scalar)
        }
        other => other,
    }
}

/// A mutant that takes one comparison for another.
macro_rules! swap {
    ($name:literal, $facts:literal, $from:ident, $to:ident) => {
        Mutant::new("C-12", $name).query(|under, query| {
            under.query(asked(query, |condition| {
                swapped(condition, $facts, Comparison::$from, Comparison::$to)
            }))
        })
    };
}

/// A mutant that answers another condition.
macro_rules! operator {
    ($name:literal, $pattern:pat $(if $guard:expr)? => $answer:expr) => {
        Mutant::new("C-12", $name).query(|under, query| {
            under.query(asked(query, |condition| match condition {
                $pattern $(if $guard)? => $answer,
                other => other,
            }))
        })
    };
}

fn comparisons() -> Vec<Mutant> {
    vec![
        swap!("`==` of a fact is `<=`", true, Equal, AtMost),
        swap!("`==` of a fact is `>=`", true, Equal, AtLeast),
        swap!("`!=` of a fact is `<`", true, NotEqual, Less),
        swap!("`<` of a fact is `<=`", true, Less, AtMost),
        swap!("`<=` of a fact is `<`", true, AtMost, Less),
        swap!("`>` of a fact is `>=`", true, More, AtLeast),
        swap!("`>=` of a fact is `>`", true, AtLeast, More),
        swap!("`==` of a field is `<=`", false, Equal, AtMost),
        swap!("`==` of a field is `>=`", false, Equal, AtLeast),
        swap!("`!=` of a field is `<`", false, NotEqual, Less),
        swap!("`<` of a field is `<=`", false, Less, AtMost),
        swap!("`<=` of a field is `<`", false, AtMost, Less),
        swap!("`>` of a field is `>=`", false, More, AtLeast),
        swap!("`>=` of a field is `>`", false, AtLeast, More),
        operator!("`!=` of what is absent is false",
        Condition::Compare(var, Comparison::NotEqual, scalar) => Condition::All(vec![
            Condition::Present(var.clone()),
            Condition::Compare(var, Comparison::NotEqual, scalar),
        ])),
        operator!("an absent count is 0",
        Condition::Compare(Var::Fact(Fact::Reopened), Comparison::Less, scalar) => Condition::Any(vec![
            Condition::Not(Box::new(Condition::Present(Var::Fact(Fact::Reopened)))),
            Condition::Compare(Var::Fact(Fact::Reopened), Comparison::Less, scalar),
        ])),
        operator!("words are compared whatever their case",
            Condition::Compare(var @ Var::Fact(_), comparison, Scalar::Text(text)) =>
                Condition::Compare(var, comparison, Scalar::Text(text.to_lowercase()))),
        operator!("spaces at the end of a word do not count",
            Condition::Compare(var @ Var::Fact(_), comparison, Scalar::Text(text)) =>
                Condition::Compare(var, comparison, Scalar::Text(text.trim_end().to_owned()))),
        operator!("texts are compared whatever their case",
            Condition::Compare(var @ Var::Field(_), comparison, Scalar::Text(text)) =>
                Condition::Compare(var, comparison, Scalar::Text(text.to_lowercase()))),
        operator!("texts are compared without accents",
            Condition::Compare(var, comparison, Scalar::Text(text)) if text.starts_with("elm") =>
                Condition::Compare(var, comparison, Scalar::Text(text.replacen("elm", "Élm", 1)))),
        operator!("a text is compared with its beginning",
            Condition::Compare(var @ Var::Field(_), Comparison::Equal, scalar) =>
                Condition::Compare(var, Comparison::AtLeast, scalar)),
        operator!("a number as a text is a number",
        Condition::Compare(var, comparison, Scalar::Text(text)) => {
            let number = text.parse().map_or(Scalar::Text(text), Scalar::Integer);
            Condition::Compare(var, comparison, number)
        }),
        operator!("yes and no are numbers of facts too",
            Condition::Compare(var @ Var::Fact(_), comparison, Scalar::Boolean(yes)) =>
                Condition::Compare(var, comparison, Scalar::Integer(yes.into()))),
        operator!("a word is 0 as a number",
            Condition::Compare(var @ Var::Fact(Fact::Service), Comparison::Equal, Scalar::Integer(0)) =>
                Condition::Present(var)),
        operator!("yes and no of a field are not 1 and 0",
            Condition::Compare(var @ Var::Field(_), comparison, Scalar::Boolean(yes)) =>
                Condition::Compare(var, comparison, Scalar::Text(yes.to_string()))),
        operator!("numbers have 32 bits",
        Condition::Compare(var, comparison, Scalar::Integer(number)) => {
            let number = number.clamp(i32::MIN.into(), i32::MAX.into());
            Condition::Compare(var, comparison, Scalar::Integer(number))
        }),
    ]
}

fn operators() -> Vec<Mutant> {
    vec![
        operator!("all means any", Condition::All(parts) if parts.len() > 1 => Condition::Any(parts)),
        operator!("any means all", Condition::Any(parts) if parts.len() > 1 => Condition::All(parts)),
        operator!("all of nothing is false", Condition::All(parts) if parts.is_empty() => Condition::Constant(false)),
        operator!("any of nothing is true", Condition::Any(parts) if parts.is_empty() => Condition::Constant(true)),
        operator!("of several parts the first counts",
            Condition::All(parts) => Condition::All(parts.into_iter().take(1).collect())),
        operator!("not is passed over", Condition::Not(part) => *part),
        operator!("not of a comparison needs a value",
        Condition::Not(part) => match *part {
            Condition::Compare(var, comparison, scalar) => Condition::All(vec![
                Condition::Present(var.clone()),
                Condition::Not(Box::new(Condition::Compare(var, comparison, scalar))),
            ]),
            other => Condition::Not(Box::new(other)),
        }),
        operator!("a constant is always true", Condition::Constant(_) => Condition::Constant(true)),
        operator!("a constant is always false", Condition::Constant(_) => Condition::Constant(false)),
        operator!("among means the first",
            Condition::OneOf(var @ Var::Fact(_), scalars) =>
                Condition::OneOf(var, scalars.into_iter().take(1).collect())),
        operator!("among texts only",
        Condition::OneOf(var, mut scalars) => {
            scalars.retain(|scalar| matches!(scalar, Scalar::Text(_)));
            Condition::OneOf(var, scalars)
        }),
        operator!("among nothing is no condition",
            Condition::OneOf(_, scalars) if scalars.is_empty() => Condition::Constant(true)),
        operator!("among values of a field means the first",
            Condition::OneOf(var @ Var::Field(_), scalars) =>
                Condition::OneOf(var, scalars.into_iter().take(1).collect())),
        operator!("every fact is present", Condition::Present(Var::Fact(_)) => Condition::Constant(true)),
        operator!("no fact is present", Condition::Present(Var::Fact(_)) => Condition::Constant(false)),
        operator!("every field is present", Condition::Present(Var::Field(_)) => Condition::Constant(true)),
        operator!("no field is present", Condition::Present(Var::Field(_)) => Condition::Constant(false)),
        operator!("a word contains its beginning",
            Condition::Contains(var @ Var::Fact(_), text) =>
                Condition::Compare(var, Comparison::AtLeast, Scalar::Text(text))),
        operator!("no word contains itself",
            Condition::Contains(Var::Fact(_), _) => Condition::Constant(false)),
        operator!("choices are searched",
            Condition::Contains(var @ Var::Field(_), text) if text == "oa" || text == "street" =>
                Condition::Present(var)),
        operator!("no choice is included",
            Condition::Contains(Var::Field(_), _) => Condition::Constant(false)),
        operator!("one fact is taken for another",
            Condition::Compare(Var::Fact(Fact::ResponseTarget), comparison, scalar) =>
                Condition::Compare(Var::Fact(Fact::Submitter), comparison, scalar)),
        operator!("one fact is always there",
            Condition::Present(Var::Fact(Fact::Confirmation)) => Condition::Constant(true)),
        operator!("one field answers for another",
            Condition::Compare(Var::Field(_), comparison, scalar) =>
                Condition::Compare(Var::Field(word("g")), comparison, scalar)),
        operator!("all comparisons of a field are of one value",
            Condition::All(parts) if parts.len() == 2 => Condition::All(parts.into_iter().skip(1).collect())),
        Mutant::new("C-12", "the condition is not looked at")
            .query(|under, query| under.query(Query { filter: Condition::Constant(true), ..query })),
    ]
}

/// The last 16 bytes of a list's cursor are the id where it goes on.
fn continued(page: Answer<Page>, change: fn(u128) -> u128) -> Answer<Page> {
    let mut page = page?;
    page.next = page.next.map(|cursor| {
        let (place, id) = cursor.as_bytes().split_last_chunk::<16>().unwrap();
        let id = change(u128::from_be_bytes(*id));
        Cursor::from_bytes([place, &id.to_be_bytes()].concat())
    });
    Ok(page)
}

fn opened(record: &StreamRecord) -> Option<i64> {
    record.row.facts.integer(Fact::Opened)
}

fn pages() -> Vec<Mutant> {
    vec![
        Mutant::new("C-12", "values of an index are added to those of the same batch").commit(
            |under, batch| {
                let mut seen: BTreeMap<_, Vec<IndexValue>> = BTreeMap::new();
                under.commit(each(&batch, |step| match step {
                    Step::PutIndex { stream, field, values } => {
                        let all = seen.entry((stream.clone(), field.clone())).or_default();
                        all.extend(values);
                        Some(Step::PutIndex { stream, field, values: all.clone() })
                    }
                    other => Some(other),
                }))
            },
        ),
        Mutant::new("C-12", "a page goes on after all that are equal to its last").query(|under, query| {
            match query.order {
                Order::OldestFirst => continued(under.query(query), |_| u128::MAX),
                _ => continued(under.query(query), |_| 0),
            }
        }),
        Mutant::new("C-12", "a page begins with all that are equal to the last").query(|under, query| {
            match query.order {
                Order::OldestFirst => continued(under.query(query), |_| 0),
                _ => continued(under.query(query), |_| u128::MAX),
            }
        }),
        Mutant::new("C-12", "a page begins with the last row of the one before").query(|under, query| {
            match query.order {
                Order::OldestFirst => continued(under.query(query), |id| id.saturating_sub(1)),
                _ => continued(under.query(query), |id| id.saturating_add(1)),
            }
        }),
        Mutant::new("C-12", "the first row after a page is passed over").query(|under, query| {
            match query.order {
                Order::OldestFirst => continued(under.query(query), |id| id.saturating_add(1)),
                _ => continued(under.query(query), |id| id.saturating_sub(1)),
            }
        }),
        Mutant::new("C-12", "a cursor counts rows").query(|under, query| {
            let place = match &query.after {
                None => 0,
                Some(cursor) => match cursor.as_bytes().try_into() {
                    Ok(bytes) => usize::from_be_bytes(bytes),
                    Err(_) => return under.query(query),
                },
            };
            query.start("mutant").or_else(|error| if place > 0 { Ok(None) } else { Err(error) })?;
            let all = under.everything(&query)?;
            let (limit, end) = (query.limit as usize, all.len());
            let rows: Vec<_> = all.into_iter().skip(place).take(limit).collect();
            let reached = place + rows.len();
            let next = (reached < end).then(|| Cursor::from_bytes(reached.to_be_bytes().to_vec()));
            Ok(Page { rows, next })
        }),
        Mutant::new("C-12", "a cursor counts rows among those that are equal").query(|under, query| {
            // The cursor: the value of the last row, and how many rows of this value were given.
            let read = |cursor: &Cursor| {
                let (value, given) = cursor.as_bytes().split_first_chunk::<8>()?;
                Some((i64::from_be_bytes(*value), usize::from_be_bytes(given.try_into().ok()?)))
            };
            let after = match &query.after {
                None => None,
                Some(cursor) => match read(cursor) {
                    None => return under.query(query),
                    read => read,
                },
            };
            query.start("mutant").or_else(|error| if after.is_some() { Ok(None) } else { Err(error) })?;
            let value = |record: &StreamRecord| opened(record).unwrap_or(i64::MIN);
            let mut all = under.everything(&query)?;
            if let Some((last, given)) = after {
                let mut equal = 0;
                all.retain(|record| {
                    let value = value(record);
                    equal += usize::from(value == last);
                    match query.order {
                        Order::OldestFirst => value > last || (value == last && equal > given),
                        _ => value < last || (value == last && equal > given),
                    }
                });
            }
            let more = all.len() > query.limit as usize;
            all.truncate(query.limit as usize);
            let next = all.last().filter(|_| more).map(|record| {
                let last = value(record);
                let before = after.filter(|(value, _)| *value == last).map_or(0, |(_, given)| given);
                let given = before + all.iter().filter(|record| value(record) == last).count();
                Cursor::from_bytes([last.to_be_bytes(), given.to_be_bytes()].concat())
            });
            Ok(Page { rows: all, next })
        }),
        Mutant::new("C-12", "a stream that moved is where it was, too").query(|under, query| {
            let mut page = under.query(query)?;
            let moved = page.rows.iter().find(|record| record.row.version == 2).cloned();
            page.rows.extend(moved);
            Ok(page)
        }),
        Mutant::new("C-12", "both orders are the newest first").query(|under, query| {
            let order = if query.order == Order::OldestFirst { Order::NewestFirst } else { query.order };
            under.query(Query { order, ..query })
        }),
        Mutant::new("C-12", "equal rows are in the same order both ways").query(|under, query| {
            let order = query.order;
            let mut page = under.query(query)?;
            if order == Order::NewestFirst {
                page.rows.sort_by_key(|record| (std::cmp::Reverse(opened(record)), record.row.key.id));
            }
            Ok(page)
        }),
        Mutant::new("C-12", "what was never opened comes last").query(|under, query| {
            let mut page = under.query(query)?;
            page.rows.sort_by_key(|record| opened(record).is_none());
            Ok(page)
        }),
        Mutant::new("C-12", "what was never opened is not listed").query(|under, query| {
            let mut page = under.query(query)?;
            page.rows.retain(|record| opened(record).is_some());
            Ok(page)
        }),
        Mutant::new("C-12", "a list never ends").query(|under, query| {
            let mut page = under.query(query.clone())?;
            if page.next.is_none() {
                let id = page.rows.last().map_or(uuid::Uuid::nil(), |record| record.row.key.id);
                page.next = Some(query.cursor(&grc_core::storage::PageKey { value: 0, id }));
            }
            Ok(page)
        }),
        Mutant::new("C-12", "a list ends after its first page")
            .query(|under, query| Ok(Page { next: None, ..under.query(query)? })),
        Mutant::new("C-12", "rows come without parts")
            .query(|under, query| under.query(Query { parts: [].into(), ..query })),
        Mutant::new("C-12", "rows come with all parts")
            .query(|under, query| under.query(Query { parts: (0..10).collect(), ..query })),
        Mutant::new("C-12", "pages of any size are given")
            .query(|under, query| under.query(Query { limit: query.limit.clamp(1, 1_000), ..query })),
        Mutant::new("C-12", "a page of the largest size is refused").query(|under, query| {
            if query.limit == 1_000 {
                let message = "so it says";
                return Err(StorageError::new("mutant", StorageErrorKind::Unsupported, message));
            }
            under.query(query)
        }),
        Mutant::new("C-13", "a look at no row is a look at one")
            .query(|under, query| under.query(Query { scan: query.scan.max(1), ..query })),
        Mutant::new("C-13", "a page looks at as many rows as it needs").query(|under, query| {
            let scan = if query.scan == 0 { 0 } else { u32::MAX };
            under.query(Query { scan, ..query })
        }),
        Mutant::new("C-13", "a short page is the end").query(|under, query| {
            let limit = query.limit as usize;
            let mut page = under.query(query)?;
            if page.rows.len() < limit {
                page.next = None;
            }
            Ok(page)
        }),
        Mutant::new("C-13", "a page looks at one row too many").query(|under, query| {
            under.query(Query { scan: query.scan.saturating_add(u32::from(query.scan > 0)), ..query })
        }),
    ]
}

/// What links of a kind lead to, once for each link.
fn links() -> Vec<Mutant> {
    vec![
        Mutant::new("C-12", "kinds of streams are not told apart").query(|under, query| {
            let asset = query.linked.is_some();
            let mut page = under.query(query.clone())?;
            if asset {
                let query = Query { kind: word("asset"), after: None, ..query };
                page.rows.extend(under.query(query)?.rows);
            }
            Ok(page)
        }),
        Mutant::new("C-12", "the link is not looked at")
            .query(|under, query| under.query(Query { linked: None, ..query })),
        Mutant::new("C-12", "an empty key is a key like others").query(|under, query| {
            if query.linked.as_ref().is_some_and(|link| link.key.is_empty()) {
                query.start("mutant")?;
                return Ok(Page::default());
            }
            under.query(query)
        }),
        Mutant::new("C-12", "a stream is listed once for each of its links").query(|under, query| {
            let any = query.linked.as_ref().is_some_and(|link| link.key.is_empty());
            let mut page = under.query(query)?;
            if any {
                page.rows = page.rows.iter().flat_map(|row| [row.clone(), row.clone()]).collect();
            }
            Ok(page)
        }),
        Mutant::new("C-12", "the kind of a link is a beginning").query(|under, mut query| {
            if let Some(link) = &mut query.linked
                && link.kind == word("contact")
            {
                link.kind = word("contact.a");
            }
            under.query(query)
        }),
        Mutant::new("C-12", "a link to what is not there is listed").query(|under, query| {
            let linked = query.linked.clone();
            let mut page = under.query(query)?;
            if let (Some(_), Some(first)) = (linked, page.rows.first().cloned()) {
                let mut ghost = first;
                ghost.row.key = StreamKey { id: uuid::Uuid::from_u128(9), ..ghost.row.key };
                page.rows.push(ghost);
            }
            Ok(page)
        }),
        Mutant::new("C-12", "with a link the condition is not looked at").query(|under, query| {
            let filter =
                if query.linked.is_some() { Condition::Constant(true) } else { query.filter.clone() };
            under.query(Query { filter, ..query })
        }),
    ]
}

/// The list from a cursor made its own.
fn adopted(under: &Under, query: Query, after: Option<Cursor>) -> Answer<Page> {
    match under.query(query.clone()) {
        Err(error) if error.kind() == StorageErrorKind::Unsupported && query.after.is_some() => {
            under.query(Query { after, ..query })
        }
        result => result,
    }
}

fn cursors() -> Vec<Mutant> {
    vec![
        Mutant::new("C-14", "a list takes the cursor of any list").query(|under, query| {
            let after = query.after.as_ref().filter(|cursor| cursor.as_bytes().len() == 32).map(|cursor| {
                let (_, rest) = cursor.as_bytes().split_at(8);
                Cursor::from_bytes([query.fingerprint().as_slice(), rest].concat())
            });
            if after.is_some() { adopted(under, query, after) } else { under.query(query) }
        }),
        Mutant::new("C-14", "a damaged cursor is the beginning")
            .query(|under, query| adopted(under, query, None)),
        Mutant::new("C-14", "what follows a cursor is not looked at").query(|under, query| {
            let after = query.after.clone().map(|cursor| {
                let bytes = cursor.as_bytes();
                Cursor::from_bytes(bytes.get(..32).unwrap_or(bytes).to_vec())
            });
            under.query(Query { after, ..query })
        }),
        Mutant::new("C-14", "a cursor is bound to the size of its page").query(|under, query| {
            let limit = u64::from(query.limit);
            let before = std::mem::replace(&mut under.notes().count, limit);
            if query.after.is_some() && before != limit {
                let message = "so it says";
                return Err(StorageError::new("mutant", StorageErrorKind::Unsupported, message));
            }
            under.query(query)
        }),
        Mutant::new("C-14", "the measures begin where a cursor cannot be read").measures(|under, from| {
            under.measures(from.clone()).or_else(|_| under.measures(Reading { after: None, ..from }))
        }),
        Mutant::new("C-14", "the feed begins where a cursor cannot be read").changes(
            |under, from| match &from.after {
                Some(cursor) if cursor.as_bytes().len() != 24 => {
                    under.changes(Reading { after: None, ..from })
                }
                _ => under.changes(from),
            },
        ),
        Mutant::new("C-14", "the blobs begin where a cursor cannot be read").list(|under, (before, from)| {
            let again = (before, Reading { after: None, ..from.clone() });
            under.list((before, from)).or_else(|_| under.list(again))
        }),
    ]
}
