//! Lists: the rows in their order, each looked at until the page is full. An engine without SQL does what SQL would.

use crate::{
    bytes::Reader,
    engine::Read,
    error::{Fault, Outcome, unsupported, whole},
    keys, links, reading,
    rows::read_index,
    streams,
};
use grc_core::{
    Word,
    condition::Var,
    storage::{IndexValue, LinkKey, Order, Page, PageKey, Parts, Query, StreamKey, StreamRow, filter},
};
use std::{collections::BTreeMap, ops::Bound};

type Places<'a> = Box<dyn DoubleEndedIterator<Item = Outcome<PageKey>> + 'a>;

/// Reads a page that begins after `start`.
pub(crate) fn read(rows: &dyn Read, query: &Query, start: Option<PageKey>) -> Outcome<Page> {
    let places = match linked_to_key(query) {
        Some(link) => linked(rows, query, link, start)?,
        None => opened(rows, query, start)?,
    };
    let places: Box<dyn Iterator<Item = _>> = match query.order {
        Order::OldestFirst => places,
        Order::NewestFirst => Box::new(places.rev()),
        _ => return Err(Fault::Store(unsupported("this order is not known"))),
    };
    let mut page = Page::default();
    let (mut looked, mut last) = (0, None);
    for place in places {
        // Only now, when there is one more, is it known that the list goes on.
        if page.rows.len() == query.limit as usize || looked == query.scan {
            page.next = last.map(|place| query.cursor(&place));
            break;
        }
        let place = place?;
        looked += 1;
        last = Some(place);
        let key = StreamKey::new(query.authority.clone(), query.kind.clone(), place.id);
        let row = whole("a list has a stream that is not there", streams::by_key(rows, &key)?)?;
        if is_in(rows, query, &row)? {
            page.rows.push(reading::record(rows, row, &Parts::These(query.parts.clone()))?);
        }
    }
    Ok(page)
}

fn linked_to_key(query: &Query) -> Option<&LinkKey> {
    query.linked.as_ref().filter(|link| !link.key.is_empty())
}

/// All streams of a kind in the order of their opening, from the cursor on: before it, if the newest are first.
fn opened<'a>(rows: &'a dyn Read, query: &Query, start: Option<PageKey>) -> Outcome<Places<'a>> {
    let all = keys::by_opening(&query.authority, &query.kind);
    let start = start.map(|place| keys::opened(&query.authority, &query.kind, &place));
    let (mut from, end) = (Bound::Included(&all[..]), all.end());
    let mut to = Bound::Excluded(&end[..]);
    match (&start, query.order) {
        (Some(start), Order::OldestFirst) => from = Bound::Excluded(start),
        (Some(start), _) => to = Bound::Excluded(start),
        (None, _) => {}
    }
    let found = rows.range(from, to)?;
    Ok(Box::new(found.map(move |row| {
        let (key, _) = row?;
        let mut reader = Reader::after(&all, &key);
        let mut place = || Some(PageKey { value: reader.signed()?, id: reader.uuid()? });
        whole("a place in a list cannot be read", place())
    })))
}

/// The streams that a link leads to: few, so they are sorted here.
fn linked<'a>(rows: &dyn Read, query: &Query, link: &LinkKey, start: Option<PageKey>) -> Outcome<Places<'a>> {
    let mut places = Vec::new();
    for stream in links::leads_to(rows, &query.authority, link)? {
        // A link may lead to streams of several kinds, and to what is not there yet.
        if stream.kind == query.kind
            && let Some(row) = streams::by_key(rows, &stream)?
        {
            places.push(streams::place(&row));
        }
    }
    places.retain(|place| match (start, query.order) {
        (None, _) => true,
        (Some(start), Order::OldestFirst) => *place > start,
        (Some(start), _) => *place < start,
    });
    places.sort_unstable();
    Ok(Box::new(places.into_iter().map(Ok)))
}

/// Whether a stream is in the list, by the core's own reading of the condition.
fn is_in(rows: &dyn Read, query: &Query, row: &StreamRow) -> Outcome<bool> {
    if let Some(link) = query.linked.as_ref().filter(|link| link.key.is_empty())
        && !links::has_kind(rows, &row.key, &link.kind)?
    {
        return Ok(false);
    }
    let mut index: BTreeMap<&Word, Vec<IndexValue>> = BTreeMap::new();
    for var in query.filter.vars() {
        if let Var::Field(field) = var
            && let Some(bytes) = rows.get(&keys::index(&row.key, field))?
        {
            index.insert(field, read_index(&bytes)?);
        }
    }
    let values = |field: &Word| index.get(field).map_or(&[][..], Vec::as_slice);
    Ok(filter::holds(&query.filter, &row.facts, &values))
}
