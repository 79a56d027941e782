//! Rules on the fields of a form.

use super::{Findings, Scope};
use crate::definition::{Field, FieldKind};

/// Calls a function for each field of each form, with its path.
fn each(scope: &Scope<'_>, mut check: impl FnMut(&Field, &dyn Fn(&str) -> String)) {
    for form in &scope.forms {
        for (index, field) in form.procedure.fields.iter().enumerate() {
            check(field, &|part| format!("{}.field[{index}]{part}", form.path));
        }
    }
}

/// Texts say what they may hold of persons.
pub(super) fn classes(scope: &Scope<'_>, findings: &mut Findings) {
    each(scope, |field, path| {
        if field.personal.is_none() && matches!(field.kind, FieldKind::Text | FieldKind::LongText) {
            findings.add(
                "free-text-without-class",
                path(""),
                format!("`{}` does not say whether it is about persons", field.id),
                "add `personal`: \"no\", \"yes\", or \"free-text\" where anything may be written",
            );
        }
    });
}

/// Choices have options, and nothing else has.
pub(super) fn options(scope: &Scope<'_>, findings: &mut Findings) {
    each(scope, |field, path| {
        let choice = matches!(field.kind, FieldKind::Choice | FieldKind::Choices);
        if choice && field.options.is_empty() {
            let message = format!("`{}` is a choice without options", field.id);
            findings.add("options-missing", path(""), message, "add `option` with `id` and `label`");
        } else if !choice && !field.options.is_empty() {
            let message = format!("`{}` has options and is not a choice", field.id);
            findings.add(
                "options-not-allowed",
                path(".option"),
                message,
                "make its kind `choice` or `choices`",
            );
        }
    });
}

/// Limits can be met, and mean something for the kind.
pub(super) fn bounds(scope: &Scope<'_>, findings: &mut Findings) {
    each(scope, |field, path| {
        if let (Some(min), Some(max)) = (field.min, field.max)
            && min > max
        {
            findings.add("min-above-max", path(".min"), "the least is above the most", "exchange them");
        }
        for (part, limit) in [(".min", field.min), (".max", field.max)] {
            let Some(limit) = limit else { continue };
            let (allowed, negative) = match field.kind {
                FieldKind::Integer | FieldKind::Amount => (true, true),
                FieldKind::Text | FieldKind::LongText | FieldKind::Choices | FieldKind::File => (true, false),
                _ => (false, false),
            };
            if !allowed {
                let hint = "leave it out";
                findings.add("limit-not-allowed", path(part), "a field of this kind has no limits", hint);
            } else if !negative && limit < 0 {
                let hint = "use 0 or more";
                findings.add("limit-not-allowed", path(part), "a length cannot be negative", hint);
            }
        }
        if !field.accept.is_empty() && field.kind != FieldKind::File {
            findings.add(
                "accept-not-allowed",
                path(".accept"),
                "only files have media types",
                "leave it out",
            );
        }
        for (index, media) in field.accept.iter().enumerate() {
            if !is_media_type(media) {
                let path = path(&format!(".accept[{index}]"));
                findings.add("media-type", path, "not a media type", "for example `image/jpeg` or `image/*`");
            }
        }
    });
}

fn is_media_type(text: &str) -> bool {
    let part = |part: &str| {
        matches!(part.len(), 1..=64)
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b))
    };
    text.split_once('/').is_some_and(|(major, minor)| part(major) && (minor == "*" || part(minor)))
}

/// Only what can be looked up is indexed.
pub(super) fn indexes(scope: &Scope<'_>, findings: &mut Findings) {
    each(scope, |field, path| {
        if field.indexed && matches!(field.kind, FieldKind::LongText | FieldKind::File) {
            findings.add(
                "index-not-possible",
                path(".indexed"),
                format!("`{}` cannot be indexed: nobody looks for a whole long text or file", field.id),
                "leave `indexed` out; search looks into texts",
            );
        }
    });
}
