//! Tokens: what can be looked up without being kept (docs/formats.md §10).

use crate::{Typed, Value, Word, contact, storage::IndexValue, vault::DataKey};

pub(crate) fn named_kind(kind: &str, name: &Word) -> Word {
    Word::new(&format!("{kind}.{name}")).unwrap_or_else(|_| Word::slug(&format!("{kind}.{name}")))
}

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

/// The token of a personal value in the index.
pub(crate) fn index_token(key: &DataKey, field: &Word, value: &Value) -> Option<IndexValue> {
    let plain = value.to_plain().ok()?;
    Some(IndexValue::Token(key.token("grc-index-1", &[field.as_str().as_bytes(), b"\0", &plain])))
}

/// The index rows of a value in clear.
pub(crate) fn index_values(value: &Value) -> Vec<IndexValue> {
    match value {
        Value::Text(text) => vec![IndexValue::Text(text.chars().take(50).collect())],
        Value::Choice(word) => vec![IndexValue::Text(word.to_string())],
        Value::Choices(words) => words.iter().map(|word| IndexValue::Text(word.to_string())).collect(),
        Value::Date(day) => vec![IndexValue::Text(day.to_string())],
        Value::Integer(number) => vec![IndexValue::Number(*number)],
        Value::Boolean(yes) => vec![IndexValue::Number(i64::from(*yes))],
        Value::Point(..) | Value::File(_) => Vec::new(),
    }
}
