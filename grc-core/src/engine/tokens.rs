//! Tokens: what can be looked up without being kept (docs/formats.md §10).

use super::{keys::NamedKey, kinds::LinkKind};
use crate::{
    Typed, Value, Word, contact,
    definition::Procedure,
    request::{Held, Request, Values},
    storage::{IndexValue, Link, LinkKey, Step, StreamKey},
    vault::DataKey,
};
use std::collections::BTreeSet;

/// The token of a contact; none for what is no contact.
pub(crate) fn contact_token(
    key: &DataKey,
    sector: &Word,
    path: &str,
    value: &Value,
    phone_code: u16,
) -> Option<[u8; 16]> {
    let Value::Text(text) = value else { return None };
    let (kind, normal) = match path.rsplit_once('.')?.1 {
        "email" => ("email", contact::email(text)?),
        "phone" => ("phone", contact::phone(text, phone_code)?),
        _ => return None,
    };
    let length = [u8::try_from(sector.as_str().len()).unwrap_or(u8::MAX)];
    Some(key.token(
        "grc-contact-1",
        &[&length, sector.as_str().as_bytes(), kind.as_bytes(), b"\0", normal.as_bytes()],
    ))
}

/// The token of a source key.
pub(crate) fn source_token(key: &DataKey, source: &Typed) -> [u8; 16] {
    key.token("grc-source-1", &[source.expose_text().unwrap_or_default().as_bytes()])
}

/// The token of a personal indexed field's value.
pub(crate) fn field_token(key: &DataKey, field: &Word, value: &Value) -> Option<[u8; 16]> {
    let plain = value.to_plain().ok()?;
    Some(key.token("grc-index-1", &[field.as_str().as_bytes(), b"\0", &plain]))
}

/// The links by which a request is found again by what somebody typed: the contacts of its parties and its personal
/// indexed fields, as far as their values are at hand.
pub(crate) fn token_links(
    request: &Request,
    procedure: &Procedure,
    values: &Values,
    month: &NamedKey,
    phone_code: u16,
    stream: &StreamKey,
) -> Vec<Step> {
    let mut keys = BTreeSet::new();
    for party in &request.parties {
        for (detail, slot) in &party.details {
            let path = format!("{}.{detail}", party.role);
            let token = values
                .get(slot)
                .and_then(|value| contact_token(&month.key, &request.sector, &path, value, phone_code));
            keys.extend(token.map(|token| (LinkKind::Contact, token)));
        }
    }
    for (id, held) in &request.fields {
        if let (Held::Slot(slot), true) = (held, is_personal_index(procedure, id)) {
            let token = values.get(slot).and_then(|value| field_token(&month.key, id, value));
            keys.extend(token.map(|token| (LinkKind::Index, token)));
        }
    }
    let link = |(kind, token): (LinkKind, [u8; 16])| {
        let key = LinkKey { kind: kind.named(&month.name), key: token.to_vec() };
        Step::PutLink(Link { key, stream: stream.clone(), unique: false })
    };
    keys.into_iter().map(link).collect()
}

/// Whether a field is indexed by a token only.
pub(crate) fn is_personal_index(procedure: &Procedure, field: &Word) -> bool {
    procedure.field(field.as_str()).is_some_and(|field| field.indexed && !field.is_clear())
}

/// Whether a path is that of a contact of a party.
pub(crate) fn is_contact(path: &Word) -> bool {
    path.as_str().ends_with(".email") || path.as_str().ends_with(".phone")
}

/// The index rows of a value in clear.
pub(crate) fn index_values(value: &Value) -> Vec<IndexValue> {
    match value {
        Value::Text(text) => vec![IndexValue::Text(text.clone())],
        Value::Choice(word) => vec![IndexValue::Text(word.to_string())],
        Value::Choices(words) => words.iter().map(|word| IndexValue::Text(word.to_string())).collect(),
        Value::Date(day) => vec![IndexValue::Text(day.to_string())],
        Value::Integer(number) | Value::Amount(number) => vec![IndexValue::Number(*number)],
        Value::Boolean(yes) => vec![IndexValue::Number(i64::from(*yes))],
        Value::Point(..) | Value::File(_) => Vec::new(),
    }
}
