//! Canonical JSON: the one way in which bodies are written (docs/formats.md §2).

use serde::Serialize;
use serde_json::Value as Json;

/// Why a body cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// A number with a fraction, or beyond 2⁵³.
    #[error("a number is not a whole number of at most 2^53")]
    Number,
    /// The value cannot be JSON at all.
    #[error("not serialisable: {0}")]
    Shape(String),
}

/// Writes a value as canonical JSON: keys sorted by code point whatever features serde_json was built with,
/// no white space, whole numbers only.
///
/// # Errors
/// [`CanonicalError`] if the value has a fraction, a number beyond 2⁵³, or is no JSON.
///
/// ```
/// let body = grc_core::canonical::to_bytes(&serde_json::json!({"b": 1, "a": "é\n"})).unwrap();
/// assert_eq!(body, "{\"a\":\"é\\n\",\"b\":1}".as_bytes());
/// assert!(grc_core::canonical::to_bytes(&1.5).is_err());
/// ```
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let json = serde_json::to_value(value).map_err(|error| CanonicalError::Shape(error.to_string()))?;
    let mut out = Vec::with_capacity(256);
    write(&json, &mut out)?;
    Ok(out)
}

fn write(json: &Json, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match json {
        Json::Null => out.extend_from_slice(b"null"),
        Json::Bool(true) => out.extend_from_slice(b"true"),
        Json::Bool(false) => out.extend_from_slice(b"false"),
        Json::Number(number) => {
            let limit = 1_i64 << 53;
            let number =
                number.as_i64().filter(|n| (-limit..=limit).contains(n)).ok_or(CanonicalError::Number)?;
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Json::String(text) => write_text(text, out),
        Json::Array(items) => {
            out.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by(|a, b| a.0.cmp(b.0));
            out.push(b'{');
            for (n, (key, value)) in members.into_iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write_text(key, out);
                out.push(b':');
                write(value, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if c < ' ' => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}
