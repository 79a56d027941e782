//! Checking what was typed against what a field takes.

use crate::{
    Typed, Value, Word, contact,
    definition::{Field, FieldKind, Organisation},
    refusal::Problem,
};
use chrono::{Datelike, NaiveDate};

/// Years outside of these are slips of the pen, and have other than four figures: days are compared as texts.
const YEARS: std::ops::RangeInclusive<i32> = 1_000..=9_999;

/// Texts longer than this are refused wherever they are typed.
const MAX_TEXT: usize = 20_000;

/// Checks a value for a field and brings it to the field's own form. Texts are taken for numbers, days, yes and no,
/// and options, since that is how forms send them. No message repeats the value.
pub(super) fn field(
    organisation: &Organisation,
    field: &Field,
    path: &str,
    typed: &Typed,
) -> Result<Value, Problem> {
    let wrong =
        |what: &str, hint: &str| Problem::new("field.kind", path, format!("this is not {what}")).hint(hint);
    let text = typed.expose_text().map(str::trim);
    let max = field.most();
    let value = match field.kind {
        FieldKind::Text | FieldKind::LongText => {
            let text = typed.expose_text().ok_or_else(|| wrong("a text", "give a text"))?;
            let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            if length > max {
                return Err(too_long(path, max));
            }
            if field.min.is_some_and(|min| length < min) {
                return Err(Problem::new("field.too-short", path, "this text is too short")
                    .hint(format!("give at least {} characters", field.min.unwrap_or(0))));
            }
            if field.kind == FieldKind::Text && text.contains(['\n', '\r']) {
                return Err(Problem::new("field.kind", path, "this field takes one line")
                    .hint("remove the line breaks"));
            }
            control(path, text)?;
            Value::Text(text.to_owned())
        }
        FieldKind::Integer | FieldKind::Amount => {
            let number = match (field.kind, typed.expose(), text) {
                // A bare number could be euros or cents, so it is neither.
                (FieldKind::Amount, Value::Amount(cents), _) => Some(*cents),
                (FieldKind::Amount, _, text) => text.and_then(cents),
                (_, Value::Integer(number), _) => Some(*number),
                (_, _, text) => text.and_then(|text| text.parse().ok()),
            }
            .ok_or_else(|| match field.kind {
                FieldKind::Amount => {
                    wrong("an amount", "give it as 12,50 or 12.50, or as an amount in cents")
                }
                _ => wrong("a whole number", "give it in figures, without spaces"),
            })?;
            let min = field.min.unwrap_or(-Field::GREATEST);
            if number > max || number < min {
                return Err(Problem::new("field.range", path, "this number is out of range")
                    .hint(format!("give a number from {min} to {max}")));
            }
            Value::Integer(number)
        }
        FieldKind::Boolean => match (typed.expose(), text) {
            (Value::Boolean(yes), _) => Value::Boolean(*yes),
            (_, Some("true" | "1" | "oui" | "yes")) => Value::Boolean(true),
            (_, Some("false" | "0" | "non" | "no")) => Value::Boolean(false),
            _ => return Err(wrong("yes or no", "give true or false")),
        },
        FieldKind::Date => {
            let day = match (typed.expose(), text) {
                (Value::Date(day), _) => Some(*day),
                (_, Some(text)) => NaiveDate::parse_from_str(text, "%Y-%m-%d")
                    .or_else(|_| NaiveDate::parse_from_str(text, "%d/%m/%Y"))
                    .ok(),
                _ => None,
            };
            let day = day.ok_or_else(|| wrong("a day", "give it as 2026-11-24 or 24/11/2026"))?;
            if !YEARS.contains(&day.year()) {
                return Err(Problem::new(
                    "date.range",
                    path,
                    "this day is before the year 1000 or after 9999",
                )
                .hint("give the year in four figures"));
            }
            Value::Date(day)
        }
        FieldKind::Choice => {
            let word = match (typed.expose(), text) {
                (Value::Choice(word), _) => Some(word.clone()),
                (_, Some(text)) => Word::new(text).ok(),
                _ => None,
            };
            Value::Choice(option(field, path, word)?)
        }
        FieldKind::Choices => {
            let words: Vec<Option<Word>> = match (typed.expose(), text) {
                (Value::Choices(words), _) => words.iter().cloned().map(Some).collect(),
                (Value::Choice(word), _) => vec![Some(word.clone())],
                (_, Some(text)) => text.split(',').map(|part| Word::new(part.trim()).ok()).collect(),
                _ => vec![None],
            };
            if words.len() > field.options.len() {
                return Err(Problem::new("field.option", path, "there are more choices than options"));
            }
            Value::Choices(words.into_iter().map(|word| option(field, path, word)).collect::<Result<_, _>>()?)
        }
        FieldKind::Email => Value::Text(email(path, typed)?),
        FieldKind::Phone => Value::Text(phone(organisation, path, typed)?),
        FieldKind::File => return Err(wrong("a file", "attach the file instead of setting the field")),
    };
    Ok(value)
}

fn option(field: &Field, path: &str, word: Option<Word>) -> Result<Word, Problem> {
    word.filter(|word| field.options.iter().any(|option| option.id == *word)).ok_or_else(|| {
        let known =
            field.options.iter().map(|option| option.id.as_str()).take(20).collect::<Vec<_>>().join("`, `");
        Problem::new("field.option", path, "this is not one of the options")
            .hint(format!("choose one of `{known}`"))
    })
}

/// The cents of an amount that is written as people write it.
pub(crate) fn cents(text: &str) -> Option<i64> {
    let text = text.trim_end_matches('€').trim();
    let (whole, part) = text.split_once([',', '.']).unwrap_or((text, ""));
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let negative = whole.starts_with('-');
    let whole: i64 = whole.replace([' ', '\u{a0}', '\u{202f}'], "").parse().ok()?;
    let part: i64 = match part.len() {
        0 => 0,
        1 => part.parse::<i64>().ok()?.checked_mul(10)?,
        2 => part.parse().ok()?,
        _ => return None,
    };
    let size = whole.checked_abs()?.checked_mul(100)?.checked_add(part.checked_abs()?)?;
    Some(if negative { -size } else { size })
}

/// An amount that was given as cents or as a text such as `12,50`.
pub(crate) fn amount(path: &str, value: &Value) -> Result<i64, Problem> {
    const MOST: i64 = 100_000_000_000;
    let hint = "give it as 12,50 or 12.50";
    let cents = match value {
        Value::Integer(cents) | Value::Amount(cents) => Some(*cents),
        Value::Text(text) => {
            let part = text.trim().trim_end_matches('€').trim_end();
            let decimals = part.rsplit_once([',', '.']).map_or("", |(_, decimals)| decimals);
            if decimals.len() > 2 && decimals.bytes().all(|byte| byte.is_ascii_digit()) {
                let message = "this amount has more than two decimals";
                return Err(Problem::new("amount.decimals", path, message).hint(hint));
            }
            cents(text.trim())
        }
        _ => None,
    };
    match cents {
        None => Err(Problem::new("amount.form", path, "this is not an amount").hint(hint)),
        Some(cents) if cents.unsigned_abs() > MOST.unsigned_abs() => {
            let message = "this amount is larger than any that is paid";
            Err(Problem::new("amount.range", path, message).hint("give at most a thousand million"))
        }
        Some(cents) => Ok(cents),
    }
}

fn too_long(path: &str, max: i64) -> Problem {
    Problem::new("field.too-long", path, "this text is too long")
        .hint(format!("give at most {max} characters"))
}

/// Control characters have no place in what a person types, and some hide what follows.
fn control(path: &str, text: &str) -> Result<(), Problem> {
    if text.chars().any(|c| c == '\0') {
        return Err(Problem::new("field.control", path, "this text has a null character").hint("remove it"));
    }
    Ok(())
}

/// Checks a free text: a message, a note, a reason.
pub(crate) fn free_text(path: &str, typed: &Typed) -> Result<(), Problem> {
    let text = typed
        .expose_text()
        .ok_or_else(|| Problem::new("field.kind", path, "this is not a text").hint("give a text"))?;
    if text.trim().is_empty() {
        return Err(Problem::new("field.required", path, "this text is empty").hint("write something"));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(too_long(path, 20_000));
    }
    control(path, text)
}

/// Checks a short text: a name, an address.
pub(crate) fn short_text(path: &str, typed: &Typed) -> Result<(), Problem> {
    let text = typed
        .expose_text()
        .ok_or_else(|| Problem::new("field.kind", path, "this is not a text").hint("give a text"))?;
    if text.chars().count() > 500 {
        return Err(too_long(path, 500));
    }
    control(path, text)
}

pub(super) fn email(path: &str, typed: &Typed) -> Result<String, Problem> {
    typed
        .expose_text()
        .filter(|text| contact::email(text).is_some())
        .map(|text| text.trim().to_owned())
        .ok_or_else(|| {
            Problem::new("field.email", path, "this is not an e-mail address")
                .hint("give it as name@example.org")
        })
}

pub(super) fn phone(organisation: &Organisation, path: &str, typed: &Typed) -> Result<String, Problem> {
    typed
        .expose_text()
        .filter(|text| contact::phone(text, organisation.phone_code).is_some())
        .map(|text| text.trim().to_owned())
        .ok_or_else(|| {
            Problem::new("field.phone", path, "this is not a phone number")
                .hint("give it as 06 39 98 12 34 or with its country code as +33 6 39 98 12 34")
        })
}

/// An identifier that must be one of some.
pub(crate) fn known<'a>(
    path: &str,
    code: &'static str,
    what: &str,
    text: &str,
    known: impl Iterator<Item = &'a Word>,
) -> Result<Word, Problem> {
    let all: Vec<&Word> = known.collect();
    if let Some(word) = all.iter().find(|word| ***word == *text) {
        return Ok((*word).clone());
    }
    let problem = Problem::new(code, path, format!("there is no such {what}"));
    // Nothing that is much longer than a word is near to one.
    let folded = if text.len() <= Word::MAX + 2 { crate::fold::folded(text) } else { String::new() };
    let near = all
        .iter()
        .filter(|_| !folded.is_empty())
        .map(|word| (strsim::levenshtein(word.as_str(), &folded), word))
        .filter(|(distance, _)| *distance <= 2)
        .min_by_key(|(distance, _)| *distance);
    Err(match near {
        Some((_, word)) => problem.hint(format!("did you mean `{word}`?")),
        None if all.is_empty() => problem.hint(format!("the definition has no {what}")),
        None => problem.hint(format!(
            "the definition has {} of them, such as `{}`",
            all.len(),
            all.first().map_or("", |w| w.as_str())
        )),
    })
}
