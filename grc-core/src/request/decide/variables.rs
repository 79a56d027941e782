//! What a template can say of a request.

use super::{Context, Values};
use crate::{
    Moment, Value, Word,
    definition::{Channel, Field, FieldKind, Label, Procedure},
    request::{Held, Request, acting::requester_reads},
    template::{Variables, written},
    vault::Slot,
};
use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

/// The variables that are texts of their own, and what of a request each shows, where rights can be given on it.
pub(crate) const TEXTS: [(&str, Option<&str>); 19] = [
    ("acceptability", None),
    ("acceptability_reason", None),
    ("authority", None),
    ("channel", None),
    ("closed", None),
    ("code", Some("code")),
    ("message", None),
    ("opened", None),
    ("outcome", None),
    ("place", Some("place.address")),
    ("requester.given", Some("requester.given")),
    ("requester.name", Some("requester.name")),
    ("service", None),
    ("service_address", None),
    ("service_email", None),
    ("service_phone", None),
    ("stage", None),
    ("target", None),
    ("today", None),
];

/// The fields that templates can show at all, rights apart.
pub(crate) fn fields(procedure: &Procedure) -> impl Iterator<Item = &Field> {
    procedure.fields.iter().filter(|field| field.kind != FieldKind::File)
}

/// Sets a variable by its name, in its group if it has one.
pub(crate) fn set(variables: &mut Variables, name: &str, text: String) {
    match name.strip_prefix("requester.") {
        Some(detail) => variables.set_in("requester", detail, text),
        None => variables.set(name, text),
    }
}

/// A request as it is after a command, with the values that are known.
pub(super) struct After {
    pub(super) request: Request,
    pub(super) values: Values,
}

/// The variables of a message in a channel. What the requester may not read is not among them.
pub(super) fn variables(
    after: &After,
    context: &Context<'_>,
    channel: &Channel,
    own: Option<&str>,
) -> Variables {
    let Context { organisation, procedure, .. } = *context;
    let After { request, values } = after;
    let (language, zone) = (organisation.language.as_str(), organisation.time_zone);
    let label = |label: &Label| label.get(language).to_owned();
    let text = |slot: Option<Slot>| match slot.and_then(|slot| values.get(&slot)) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let date = |at: Option<Moment>| at.map(|at| day(at, zone, language));
    let requester = request.requester();
    let detail = |name: &str| text(requester.and_then(|party| party.details.get(name).copied()));
    let service = request.service.as_ref().and_then(|id| organisation.service(id.as_str()));
    let named = |id: Option<&Word>, list: &[crate::definition::Named]| {
        list.iter().find(|item| Some(&item.id) == id).map(|item| label(&item.label))
    };
    let judged =
        organisation.acceptabilities.iter().find(|item| Some(&item.id) == request.acceptability.as_ref());
    let mut variables = Variables::default();
    for (name, path) in TEXTS {
        if path.is_some_and(|path| !requester_reads(procedure, path)) {
            continue;
        }
        let value = match name {
            "acceptability" => judged.map(|item| label(&item.label)),
            "acceptability_reason" => {
                judged.and_then(|item| named(request.acceptability_reason.as_ref(), &item.reasons))
            }
            "authority" => Some(label(&organisation.label)),
            "channel" => Some(label(&channel.label)),
            "closed" => date(request.closed_at),
            "code" => text(request.code),
            "message" => own.map(str::to_owned),
            "opened" => date(Some(request.opened_at)),
            "outcome" => named(request.outcome.as_ref(), &organisation.outcomes),
            "place" => text(request.place.as_ref().and_then(|place| place.data.address))
                .map(|address| address.lines().collect::<Vec<_>>().join(", ")),
            "requester.given" => detail("given"),
            "requester.name" => detail("name"),
            "service" => service.map(|service| label(&service.label)),
            "service_address" => service.and_then(|service| service.address.clone()),
            "service_email" => service.and_then(|service| service.email.clone()),
            "service_phone" => service.and_then(|service| service.phone.clone()),
            "stage" => procedure
                .state(request.state.as_str())
                .map(|state| label(state.stage.as_ref().unwrap_or(&state.label))),
            "target" => date(request.target),
            _ => date(Some(context.now)),
        };
        set(&mut variables, name, value.unwrap_or_default());
    }
    variables.set("type", label(&procedure.label));
    for field in fields(procedure).filter(|field| requester_reads(procedure, field.id.as_str())) {
        let value = match request.fields.get(&field.id) {
            Some(Held::Clear(value)) => Some(value),
            Some(Held::Slot(slot)) => values.get(slot),
            None => None,
        };
        let shown = value.map(|value| shown(value, field, language)).unwrap_or_default();
        variables.set_in("fields", &written(field.id.as_str()), shown);
    }
    variables
}

/// A value as a template has it: no is nothing, so that it can ask for it.
fn shown(value: &Value, field: &Field, language: &str) -> String {
    match value {
        Value::Boolean(false) => String::new(),
        value => spelt(value, field, language),
    }
}

/// A value as people read it: options go by their names.
pub(crate) fn spelt(value: &Value, field: &Field, language: &str) -> String {
    let option = |id: &Word| {
        let known = field.options.iter().find(|option| option.id == *id);
        known.map_or_else(|| id.to_string(), |option| option.label.get(language).to_owned())
    };
    let french = is_french(language);
    match value {
        Value::Integer(cents) | Value::Amount(cents) if field.kind == FieldKind::Amount => {
            let (sign, size) = (if *cents < 0 { "-" } else { "" }, cents.unsigned_abs());
            let point = if french { ',' } else { '.' };
            format!("{sign}{}{point}{:02} €", size / 100, size % 100)
        }
        Value::Boolean(true) => if french { "oui" } else { "yes" }.to_owned(),
        Value::Boolean(false) => if french { "non" } else { "no" }.to_owned(),
        Value::Date(day) => written_day(*day, language),
        Value::Choice(id) => option(id),
        Value::Choices(ids) => ids.iter().map(option).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// French, of whatever country: `fr`, `fr-CA`.
fn is_french(language: &str) -> bool {
    language.split('-').next() == Some("fr")
}

/// The day of a moment, as it is written in a letter.
fn day(at: Moment, zone: Tz, language: &str) -> String {
    written_day(at.day(zone), language)
}

fn written_day(day: NaiveDate, language: &str) -> String {
    const MONTHS: [&str; 12] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ];
    let month = MONTHS.get(day.month0() as usize).filter(|_| is_french(language));
    match month {
        Some(month) if day.day() == 1 => format!("1er {month} {}", day.year()),
        Some(month) => format!("{} {month} {}", day.day(), day.year()),
        None => day.format("%Y-%m-%d").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_the_language_has_them_whatever_the_country() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        for (language, expected) in [
            ("fr", "1er novembre 2026"),
            ("fr-FR", "1er novembre 2026"),
            ("fr-PF", "1er novembre 2026"),
            ("fry", "2026-11-01"),
            ("en-GB", "2026-11-01"),
        ] {
            assert_eq!(written_day(day, language), expected, "{language}");
        }
    }
}
