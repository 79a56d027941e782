//! What is handed in: requests, persons, places.

use crate::{
    failure::unsuitable,
    files::StoredFile,
    values::{boolean, each, fields, moment, optional_moment, optional_text, part, text},
};
use grc_core::{Assignee, Intake, Party, Place};
use pyo3::{exceptions::PyTypeError, prelude::*};

type Any<'py> = Bound<'py, PyAny>;

/// The text of a part, if it was given.
fn of(given: &Any<'_>, path: &str, name: &str) -> PyResult<Option<String>> {
    optional_text(&format!("{path}.{name}"), &part(given, name)?)
}

pub(crate) fn intake(given: &Any<'_>) -> PyResult<Intake> {
    let mut intake =
        Intake::new(text("type", &part(given, "type")?)?, text("channel", &part(given, "channel")?)?);
    for (name, value) in fields("fields", &part(given, "fields")?)? {
        intake = intake.set(name, value);
    }
    for (n, one) in part(given, "parties")?.try_iter()?.enumerate() {
        intake = intake.party(party(&format!("parties.{n}"), &one?)?);
    }
    let at = part(given, "place")?;
    if !at.is_none() {
        intake = intake.at(place(&at)?);
    }
    for one in part(given, "files")?.try_iter()? {
        intake = intake.file(StoredFile::taken("files", &one?)?);
    }
    if let Some(service) = optional_text("service", &part(given, "service")?)? {
        intake = intake.service(service);
    }
    if let Some(entity) = optional_text("entity", &part(given, "entity")?)? {
        intake = intake.entity(entity);
    }
    if let Some(target) = optional_moment("target", &part(given, "target")?)? {
        intake = intake.target(target);
    }
    if let Some(at) = optional_moment("occurred_at", &part(given, "occurred_at")?)? {
        intake = intake.occurred_at(at);
    }
    if let Some(key) = optional_text("source_key", &part(given, "source_key")?)? {
        intake = intake.source_key(key);
    }
    if let Some(code) = optional_text("code", &part(given, "code")?)? {
        let code = code.parse().map_err(|_| unsuitable("code: this is no tracking code"))?;
        intake = intake.code(code);
    }
    if let Some(key) = optional_text("key", &part(given, "key")?)? {
        intake = intake.key(key);
    }
    Ok(if boolean("quiet", &part(given, "quiet")?)? { intake.quiet() } else { intake })
}

/// A postal address: street, postcode and town.
fn address(path: &str, given: &Any<'_>) -> PyResult<Option<(String, String, String)>> {
    if given.is_none() {
        return Ok(None);
    }
    let lines = given.extract::<(Any<'_>, Any<'_>, Any<'_>)>().map_err(|_| {
        PyTypeError::new_err(format!("{path}: an address is three texts: street, postcode, town"))
    })?;
    Ok(Some((text(path, &lines.0)?, text(path, &lines.1)?, text(path, &lines.2)?)))
}

fn party(path: &str, given: &Any<'_>) -> PyResult<Party> {
    let mut party = Party::new(text(&format!("{path}.role"), &part(given, "role")?)?);
    if let Some(name) = of(given, path, "given")? {
        party = party.given_name(name);
    }
    if let Some(name) = of(given, path, "family")? {
        party = party.family_name(name);
    }
    if let Some(email) = of(given, path, "email")? {
        party = party.email(email);
    }
    if let Some(phone) = of(given, path, "phone")? {
        party = party.phone(phone);
    }
    if let Some((street, postcode, town)) = address(&format!("{path}.address"), &part(given, "address")?)? {
        party = party.address(&street, &postcode, &town);
    }
    if let Some(channel) = of(given, path, "answer_by")? {
        party = party.answer_by(channel);
    }
    Ok(party)
}

fn place(given: &Any<'_>) -> PyResult<Place> {
    let mut place = match address("place.address", &part(given, "address")?)? {
        Some((street, postcode, town)) => Place::address(&street, &postcode, &town),
        None => Place::default(),
    };
    let position = part(given, "position")?;
    if !position.is_none() {
        let degrees = position.extract::<(f64, f64)>().map_err(|_| {
            PyTypeError::new_err("place.position: two numbers: latitude and longitude, in degrees")
        })?;
        place = place.and_position(degrees.0, degrees.1);
    }
    if let Some(zone) = of(given, "place", "zone")? {
        place = place.in_zone(zone);
    }
    Ok(place)
}

/// Who is to hold something: a service, a team, an agent.
pub(crate) fn assignee(path: &str, given: &Any<'_>) -> PyResult<Assignee> {
    let (service, team, agent) =
        (of(given, path, "service")?, of(given, path, "team")?, of(given, path, "agent")?);
    let assignee = match (service, team) {
        (Some(_), Some(_)) => {
            return Err(unsuitable(format!("{path}: name the team or the service: a team has one")));
        }
        (Some(service), None) => Some(Assignee::service(service)),
        (None, Some(team)) => Some(Assignee::team(team)),
        (None, None) => None,
    };
    match (assignee, agent) {
        (Some(assignee), Some(agent)) => Ok(assignee.and_agent(agent)),
        (Some(assignee), None) => Ok(assignee),
        (None, Some(agent)) => Ok(Assignee::agent(agent)),
        (None, None) => Err(unsuitable(format!("{path}: name a service, a team or an agent"))),
    }
}

/// What goes with a command: when it happened, its key, whether it is a replay.
pub(crate) struct How {
    pub(crate) key: Option<String>,
    pub(crate) occurred_at: Option<chrono::DateTime<chrono::Utc>>,
    pub(crate) quiet: bool,
}

pub(crate) fn how(key: &Any<'_>, occurred_at: &Any<'_>, quiet: &Any<'_>) -> PyResult<How> {
    Ok(How {
        key: optional_text("key", key)?,
        occurred_at: if occurred_at.is_none() { None } else { Some(moment("occurred_at", occurred_at)?) },
        quiet: boolean("quiet", quiet)?,
    })
}

/// Texts by request.
pub(crate) fn by_request(
    path: &str,
    given: &Any<'_>,
) -> PyResult<std::collections::BTreeMap<grc_core::RequestId, String>> {
    let mut out = std::collections::BTreeMap::new();
    for (id, said) in crate::values::items(path, given)? {
        out.insert(grc_core::RequestId::from_uuid(crate::values::uuid(path, &id)?), text(path, &said)?);
    }
    Ok(out)
}

/// Checks that something is a mapping, for its error.
pub(crate) fn mapping(path: &str, given: &Any<'_>) -> PyResult<()> {
    each(path, given).map(drop)
}
