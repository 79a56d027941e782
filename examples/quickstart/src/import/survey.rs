//! The first pass: which values there are, and whether the file can be read at all.

use super::{
    mapping::{Kind, Mapping},
    reading::{Row, Rows, not_text},
};
use crate::failure::{Failure, Res};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What the first pass finds.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Rows after the header.
    pub(crate) rows: u64,
    /// The distinct values of the columns that are taken as they are, without blank ones.
    pub(crate) values: BTreeMap<Kind, BTreeSet<String>>,
}

/// More distinct values are no list of types, channels or services.
const MAX_VALUES: usize = 5_000;

/// Reads the file once. Nothing is written, so that what is wrong with the file as a whole is said before anything
/// is taken in.
pub(crate) fn survey(path: &Path, mapping: &Mapping) -> Res<Survey> {
    let mut rows = Rows::open(path, mapping)?;
    for name in columns(mapping) {
        rows.column(path, name, mapping)?;
    }
    let mut taken = Vec::new();
    for (kind, name) in mapping.coded().into_iter().filter(|(kind, _)| mapping.take.contains(kind)) {
        taken.push((kind, name, rows.column(path, name, mapping)?));
    }
    let mut survey = Survey::default();
    let mut unreadable = 0_u64;
    let mut first = None;
    let mut even = 0_u64;
    while let Some((line, row)) = rows.next(path)? {
        survey.rows += 1;
        let Row::Whole(record) = row else { continue };
        even += 1;
        let bad = record.iter().position(|cell| rows.encoding.text(cell).is_none());
        if let Some(column) = bad {
            unreadable += 1;
            first.get_or_insert((line, column));
        }
        for (kind, name, place) in &taken {
            let Some(value) = record.get(*place).and_then(|cell| rows.encoding.text(cell)) else { continue };
            let values = survey.values.entry(*kind).or_default();
            if !value.trim().is_empty() && !values.contains(&value) {
                values.insert(value);
                if values.len() > MAX_VALUES {
                    return Err(Failure::file(
                        path,
                        format!(
                            "line {line}: column `{name}` has more than {MAX_VALUES} distinct values, too many for a \
                             list of {}s: map another column, or translate the values in `[values.{}]`",
                            kind.name(),
                            kind.name()
                        ),
                    ));
                }
            }
        }
    }
    // A slip in a row is that row's; a file of which one row in a hundred cannot be read is in another encoding.
    if let Some((line, column)) = first
        && unreadable * 100 >= survey.rows
    {
        return Err(not_text(path, line, rows.header.get(column).map(String::as_str), rows.encoding));
    }
    if survey.rows > 0 && even == 0 {
        return Err(Failure::file(
            path,
            format!(
                "no row has as many cells as the header, {}: look at `file.separator` and `file.quote` in the mapping",
                rows.header.len()
            ),
        ));
    }
    Ok(survey)
}

/// All columns that the mapping names.
pub(crate) fn columns(mapping: &Mapping) -> BTreeSet<&str> {
    let columns = &mapping.columns;
    let (person, place) = (&columns.requester, &columns.place);
    let plain = [
        &columns.source_key,
        &columns.opened,
        &columns.closed,
        &columns.target,
        &columns.note,
        &columns.message,
        &person.given,
        &person.family,
        &person.email,
        &person.phone,
        &person.street,
        &person.postcode,
        &person.city,
        &place.street,
        &place.postcode,
        &place.city,
        &place.latitude,
        &place.longitude,
        &place.point,
    ];
    let plain = plain.into_iter().filter_map(|column| column.as_deref());
    let fields = mapping.fields.iter().map(|field| field.column.as_str());
    plain.chain(fields).chain(mapping.coded().into_iter().map(|(_, column)| column)).collect()
}
