//! What the fuzz targets (`grc-core/fuzz`) read that the library keeps to itself.

use crate::{
    Value,
    engine::stored,
    request::Request,
    template::{Use, Variables, render, uses},
};

/// Reads bytes as each of the small bodies that the engine stores; answers as how many of them they could be read.
pub fn bodies(bytes: &[u8]) -> usize {
    stored::read_as_each(bytes)
}

/// Whether what a list reads of the stored state of a request is what reading all of it gives.
pub fn outlined(state: &[u8], request: Request) -> bool {
    stored::is_outlined(state, request)
}

/// A value out of the plain bytes of a slot.
pub fn value(bytes: &[u8]) -> Option<Value> {
    Value::from_plain(bytes)
}

/// The plain bytes of a value.
pub fn plain(value: &Value) -> Option<Vec<u8>> {
    value.to_plain().ok().map(|bytes| bytes.to_vec())
}

/// What a template says with these values, of variables named alone or in a group (`requester.name`).
pub fn template(source: &str, values: &[(&str, &str)]) -> Option<String> {
    let mut variables = Variables::default();
    for (name, value) in values {
        match name.split_once('.') {
            Some(("requester", name)) => variables.set_in("requester", name, *value),
            Some((_, name)) => variables.set_in("fields", name, *value),
            None => variables.set(name, *value),
        }
    }
    let readable = uses(source).is_ok();
    let out = render(source, &variables, Use::Decision).ok();
    assert!(readable || out.is_none(), "what is rendered can be read");
    out
}
