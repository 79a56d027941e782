//! A row as a case: an intake, and what followed.

use super::{
    mapping::{FieldColumn, Kind, Mapping},
    model::Vocabulary,
    reading::Encoding,
};
use chrono::{DateTime, Utc};
use csv::ByteRecord;
use grc_core::{
    Intake, Party, Place, Refusal, Word,
    definition::{Contact, Organisation},
};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a row: in which column, which code, what. Never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) column: String,
    pub(crate) code: String,
    pub(crate) reason: String,
}

/// A case to be replayed.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) intake: Intake,
    pub(crate) opened: DateTime<Utc>,
    pub(crate) closed: Option<DateTime<Utc>>,
    pub(crate) state: Option<Word>,
    pub(crate) assigned: Option<Word>,
    pub(crate) acceptability: Option<Word>,
    pub(crate) outcome: Option<Word>,
    pub(crate) note: Option<String>,
    pub(crate) message: Option<String>,
}

/// What makes cases of rows.
#[derive(Debug)]
pub(crate) struct Translator<'m> {
    mapping: &'m Mapping,
    encoding: Encoding,
    places: BTreeMap<String, usize>,
    vocabulary: Vocabulary,
    answers: BTreeSet<&'static str>,
    quiet: bool,
    now: DateTime<Utc>,
}

/// What free texts may hold, as the engine has it: a step that it would refuse is refused before the first.
const MAX_TEXT: usize = 20_000;

impl<'m> Translator<'m> {
    pub(crate) fn new(
        mapping: &'m Mapping,
        places: BTreeMap<String, usize>,
        vocabulary: Vocabulary,
        organisation: &Organisation,
        quiet: bool,
        now: DateTime<Utc>,
    ) -> Self {
        let contact = |channel: &grc_core::definition::Channel| channel.answer.map(Contact::detail);
        let answers = organisation.channels.iter().filter_map(contact).collect();
        Self { encoding: mapping.encoding, mapping, places, vocabulary, answers, quiet, now }
    }

    /// The bytes of the source key of a row.
    pub(crate) fn source<'r>(&self, record: &'r ByteRecord) -> Option<&'r [u8]> {
        record.get(*self.places.get(self.mapping.columns.source_key.as_deref()?)?)
    }

    /// The name of the column with the source key.
    pub(crate) fn source_column(&self) -> &str {
        self.mapping.columns.source_key.as_deref().unwrap_or("source_key")
    }

    /// Makes a case of a row, or says all that is wrong with it.
    pub(crate) fn case(&self, record: &ByteRecord) -> Result<Case, Vec<Flaw>> {
        let mut row = Reading { by: self, record, flaws: Vec::new() };
        let case = row.case();
        match case {
            Some(case) if row.flaws.is_empty() => Ok(case),
            _ => Err(row.flaws),
        }
    }

    /// The engine's reasons as flaws of columns.
    pub(crate) fn flaws(&self, refusal: &Refusal) -> Vec<Flaw> {
        let flaw = |problem: &grc_core::Problem| {
            let hint = problem.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
            Flaw {
                column: self.column_of(&problem.path),
                code: problem.code.to_owned(),
                reason: format!("{}{hint}", problem.message),
            }
        };
        refusal.problems().iter().map(flaw).collect()
    }

    /// The column behind a path of the engine.
    fn column_of(&self, path: &str) -> String {
        let columns = &self.mapping.columns;
        let field =
            |id: &str| self.mapping.fields.iter().find(|field| field.id == id).map(|field| &field.column);
        let found = match path {
            "source_key" => columns.source_key.as_ref(),
            "occurred_at" => columns.opened.as_ref(),
            "type" => columns.type_.as_ref(),
            "channel" => columns.channel.as_ref(),
            "service" => columns.service.as_ref(),
            "place.point" => columns.place.latitude.as_ref().or(columns.place.point.as_ref()),
            "place.address" => columns.place.street.as_ref(),
            "place.zone" => columns.place.zone.as_ref(),
            "requester.name" => columns.requester.family.as_ref(),
            "requester.given" => columns.requester.given.as_ref(),
            "requester.email" => columns.requester.email.as_ref(),
            "requester.phone" => columns.requester.phone.as_ref(),
            "requester.address" => columns.requester.street.as_ref(),
            "note" => columns.note.as_ref(),
            "message" => columns.message.as_ref(),
            path => field(path.strip_prefix("fields.").unwrap_or(path)),
        };
        found.cloned().unwrap_or_else(|| path.to_owned())
    }
}

/// One row while it is read.
struct Reading<'a> {
    by: &'a Translator<'a>,
    record: &'a ByteRecord,
    flaws: Vec<Flaw>,
}

impl<'a> Reading<'a> {
    fn flaw(&mut self, column: &str, code: &str, reason: impl Into<String>) {
        self.flaws.push(Flaw { column: column.to_owned(), code: code.to_owned(), reason: reason.into() });
    }

    /// A cell that is not blank.
    fn cell(&mut self, column: Option<&'a String>) -> Option<String> {
        let column = column?;
        let bytes = self.record.get(*self.by.places.get(column)?)?;
        match self.by.encoding.text(bytes) {
            Some(text) => Some(text).filter(|text| !text.trim().is_empty()),
            None => {
                self.flaw(column, "row.encoding", "these bytes are not in the encoding of the file");
                None
            }
        }
    }

    fn date(&mut self, column: Option<&'a String>, past: bool) -> Option<DateTime<Utc>> {
        let text = self.cell(column)?;
        let name = column.map_or("", String::as_str);
        match self.by.mapping.dates.read(&text) {
            Some(at) if past && at > self.by.now => {
                self.flaw(
                    name,
                    "date.future",
                    "this date is in the future; give the date on which it happened",
                );
                None
            }
            Some(at) => Some(at),
            None => {
                let wanted = self.by.mapping.dates.wanted();
                self.flaw(name, "row.date", format!("this is not a date that exists, written as {wanted}"));
                None
            }
        }
    }

    fn word(&mut self, kind: Kind, column: Option<&'a String>) -> Option<Word> {
        let default = || self.by.mapping.defaults.get(&kind).and_then(|id| Word::new(id).ok());
        let default = default();
        let Some(text) = self.cell(column) else { return default };
        let found = self.by.vocabulary.find(kind, &text).cloned();
        if found.is_none() {
            let name = kind.name();
            let reason =
                format!("this value is not in `[values.{name}]` of the mapping, and is not taken as it is");
            self.flaw(column.map_or(name, String::as_str), "value.unknown", reason);
        }
        found
    }

    fn wanted_word(&mut self, kind: Kind, column: Option<&'a String>) -> Option<Word> {
        let before = self.flaws.len();
        let word = self.word(kind, column);
        if word.is_none() && self.flaws.len() == before {
            let name = kind.name();
            let reason = format!("the {name} is blank, and the mapping has no `defaults.{name}`");
            self.flaw(column.map_or(name, String::as_str), "value.missing", reason);
        }
        word
    }

    fn free_text(&mut self, column: Option<&'a String>) -> Option<String> {
        let text = self.cell(column)?;
        let name = column.map_or("", String::as_str);
        if text.chars().count() > MAX_TEXT {
            self.flaw(name, "field.too-long", format!("this text has more than {MAX_TEXT} characters"));
        } else if text.contains('\0') {
            self.flaw(name, "field.control", "this text has a null character");
        }
        Some(text)
    }

    fn case(&mut self) -> Option<Case> {
        let by = self.by;
        let columns = &by.mapping.columns;
        let type_ = self.wanted_word(Kind::Type, columns.type_.as_ref());
        let channel = self.wanted_word(Kind::Channel, columns.channel.as_ref());
        let blank = self.cell(columns.opened.as_ref()).is_none();
        if blank && let Some(column) = &columns.opened {
            self.flaw(column, "value.missing", "the date of opening is blank");
        }
        let opened = self.date(columns.opened.as_ref(), true);
        let closed = self.date(columns.closed.as_ref(), true);
        let target = self.date(columns.target.as_ref(), false);
        let state = self.word(Kind::State, columns.state.as_ref());
        let outcome = self.word(Kind::Outcome, columns.outcome.as_ref());
        let acceptability = self.word(Kind::Acceptability, columns.acceptability.as_ref());
        let assigned = match &columns.assigned {
            Some(column) => self.word(Kind::Service, Some(column)),
            None => None,
        };
        let note = self.free_text(columns.note.as_ref());
        let message = self.free_text(columns.message.as_ref());
        let service = self.word(Kind::Service, columns.service.as_ref());
        let entity = self.word(Kind::Entity, columns.entity.as_ref());
        let source = self.cell(columns.source_key.as_ref());
        if source.is_none()
            && let Some(column) = &columns.source_key
        {
            self.flaw(
                column,
                "value.missing",
                "the source key is blank: the row could not be told from another",
            );
        }
        let place = self.place();
        let party = self.party();
        self.agree(closed.is_some(), state.as_ref(), outcome.is_some());
        if message.is_some() && !self.is_reachable() {
            let reason = "the requester cannot be reached by any answering channel of the mapping";
            self.flaw(columns.message.as_ref().map_or("", String::as_str), "message.unreachable", reason);
        }
        let (type_, channel, opened) = (type_?, channel?, opened?);
        let mut intake = Intake::new(type_.as_str(), channel.as_str()).occurred_at(opened);
        for field in &by.mapping.fields {
            if let Some(text) = self.field(field) {
                intake = intake.set(field.id.as_str(), text);
            }
        }
        if by.quiet {
            intake = intake.quiet();
        }
        intake = service.iter().fold(intake, |intake, id| intake.service(id.as_str()));
        intake = entity.iter().fold(intake, |intake, id| intake.entity(id.as_str()));
        intake = target.into_iter().fold(intake, Intake::target);
        intake = source.into_iter().fold(intake, Intake::source_key);
        intake = place.into_iter().fold(intake, Intake::at);
        intake = party.into_iter().fold(intake, Intake::party);
        Some(Case { intake, opened, closed, state, assigned, acceptability, outcome, note, message })
    }

    fn field(&mut self, field: &'a FieldColumn) -> Option<String> {
        self.cell(Some(&field.column))
    }

    /// A state and a date of closing must say the same.
    fn agree(&mut self, closed: bool, state: Option<&Word>, outcome: bool) {
        let columns = &self.by.mapping.columns;
        let is_closed = state.map(|state| *state == *super::model::CLOSED);
        let name = |column: &Option<String>, other: &str| column.clone().unwrap_or_else(|| other.to_owned());
        match (is_closed, closed) {
            (Some(true), false) => {
                let column = name(&columns.closed, "closed");
                self.flaw(&column, "state.contradiction", "it is closed, but has no date of closing");
            }
            (Some(false), true) => {
                let column = name(&columns.state, "state");
                self.flaw(
                    &column,
                    "state.contradiction",
                    "it has a date of closing, but its state is not closed",
                );
            }
            _ => {}
        }
        if outcome && !closed {
            let column = name(&columns.outcome, "outcome");
            self.flaw(&column, "outcome.open", "it has an outcome, but no date of closing");
        }
    }

    fn place(&mut self) -> Option<Place> {
        let columns = &self.by.mapping.columns.place;
        let mut part = |column: &'a Option<String>| self.cell(column.as_ref()).unwrap_or_default();
        let (street, postcode, city) = (part(&columns.street), part(&columns.postcode), part(&columns.city));
        let zone = self.word(Kind::Zone, columns.zone.as_ref());
        let point = self.point();
        let address = [&street, &postcode, &city].iter().any(|part| !part.is_empty());
        if !address && zone.is_none() && point.is_none() {
            return None;
        }
        let mut place = Place::address(&street, &postcode, &city);
        if let Some((latitude, longitude)) = point {
            place = place.and_position(latitude, longitude);
        }
        Some(zone.iter().fold(place, |place, zone| place.in_zone(zone.as_str())))
    }

    fn point(&mut self) -> Option<(f64, f64)> {
        let columns = &self.by.mapping.columns.place;
        if let Some(column) = &columns.point {
            let text = self.cell(Some(column))?;
            let found = super::point::read(&text);
            if found.is_none() {
                let reason =
                    "not a position: write `{'lon': 2.33, 'lat': 48.88}`, or `48.88, 2.33`, latitude first";
                self.flaw(column, "place.point", reason);
            }
            return found;
        }
        let (latitude, longitude) = (columns.latitude.as_ref()?, columns.longitude.as_ref()?);
        let mut degrees = |column: &'a String, limit: f64| {
            let text = self.cell(Some(column))?;
            let number = text.trim().replace(',', ".").parse::<f64>().ok().filter(|n| n.abs() <= limit);
            if number.is_none() {
                self.flaw(column, "place.point", format!("not a number of degrees from −{limit} to {limit}"));
            }
            Some(number)
        };
        match (degrees(latitude, 90.0), degrees(longitude, 180.0)) {
            (Some(latitude), Some(longitude)) => Some((latitude?, longitude?)),
            (None, None) => None,
            (one, _) => {
                let column = if one.is_some() { longitude } else { latitude };
                self.flaw(column, "place.point", "a position needs both latitude and longitude");
                None
            }
        }
    }

    fn party(&mut self) -> Option<Party> {
        let columns = &self.by.mapping.columns.requester;
        let mut part = |column: &'a Option<String>| self.cell(column.as_ref()).unwrap_or_default();
        let party = Party::named(part(&columns.given), part(&columns.family))
            .email(part(&columns.email))
            .phone(part(&columns.phone))
            .address(&part(&columns.street), &part(&columns.postcode), &part(&columns.city));
        (!party.is_empty()).then_some(party)
    }

    fn is_reachable(&mut self) -> bool {
        let columns = &self.by.mapping.columns.requester;
        let ways = [
            ("email", vec![&columns.email]),
            ("phone", vec![&columns.phone]),
            ("address", vec![&columns.street, &columns.postcode, &columns.city]),
        ];
        ways.into_iter().any(|(contact, columns)| {
            self.by.answers.contains(contact)
                && columns.into_iter().any(|column| self.cell(column.as_ref()).is_some())
        })
    }
}
