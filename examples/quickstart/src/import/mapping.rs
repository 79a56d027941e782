//! The mapping: which column of an export is what.

use super::reading::Encoding;
use crate::{
    dates::{Dates, Zone},
    failure::{Failure, Res},
};
use grc_core::definition::{Contact, FieldKind, Personal, Retention};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The states of the workflow that an export is replayed on: what those of the other software become.
pub(crate) const STATES: [&str; 4] = ["a-traiter", "en-cours", "en-attente", "cloturee"];

/// What a value of the export is turned into an identifier of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Type,
    Channel,
    Service,
    Zone,
    Entity,
    Outcome,
    Acceptability,
    State,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Channel => "channel",
            Self::Service => "service",
            Self::Zone => "zone",
            Self::Entity => "entity",
            Self::Outcome => "outcome",
            Self::Acceptability => "acceptability",
            Self::State => "state",
        }
    }
}

/// How the file is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct FileFormat {
    separator: String,
    quote: String,
    encoding: String,
    dates: OneOrMore,
    time_zone: String,
}

impl Default for FileFormat {
    fn default() -> Self {
        Self {
            separator: ",".to_owned(),
            quote: "\"".to_owned(),
            encoding: "utf-8".to_owned(),
            dates: OneOrMore::One("rfc3339".to_owned()),
            time_zone: "Europe/Paris".to_owned(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// What the town is called, and what is common to its types.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Town {
    pub(crate) label: String,
    /// Absent: that of the database, or `Europe/Paris` for a new one.
    pub(crate) time_zone: Option<String>,
    pub(crate) phone_code: u16,
    pub(crate) retention: Retention,
    /// Whether places are somebody's own, so that positions are kept like names.
    pub(crate) private_places: bool,
}

impl Default for Town {
    fn default() -> Self {
        Self {
            label: "Ville importée".to_owned(),
            time_zone: None,
            phone_code: 33,
            retention: Retention::default(),
            private_places: false,
        }
    }
}

/// The columns of a person.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct PersonColumns {
    pub(crate) given: Option<String>,
    pub(crate) family: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) street: Option<String>,
    pub(crate) postcode: Option<String>,
    pub(crate) city: Option<String>,
}

/// The columns of a place. Its position is in two columns, or in one, `point`: see [`super::point::read`].
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct PlaceColumns {
    pub(crate) street: Option<String>,
    pub(crate) postcode: Option<String>,
    pub(crate) city: Option<String>,
    pub(crate) latitude: Option<String>,
    pub(crate) longitude: Option<String>,
    pub(crate) point: Option<String>,
    pub(crate) zone: Option<String>,
}

/// Which column is what.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Columns {
    pub(crate) source_key: Option<String>,
    pub(crate) opened: Option<String>,
    pub(crate) closed: Option<String>,
    pub(crate) target: Option<String>,
    #[serde(rename = "type")]
    pub(crate) type_: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) assigned: Option<String>,
    pub(crate) entity: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) acceptability: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) requester: PersonColumns,
    pub(crate) place: PlaceColumns,
}

/// A field of the form, and the column that fills it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FieldColumn {
    pub(crate) column: String,
    pub(crate) id: String,
    pub(crate) label: Option<String>,
    #[serde(default = "long_text")]
    pub(crate) kind: FieldKind,
    pub(crate) personal: Option<Personal>,
    #[serde(default)]
    pub(crate) indexed: bool,
}

const fn long_text() -> FieldKind {
    FieldKind::LongText
}

/// A channel by which answers go out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AnswerChannel {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) answer: Contact,
}

/// A mapping file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MappingFile {
    #[serde(default)]
    file: FileFormat,
    #[serde(default)]
    town: Town,
    columns: Columns,
    #[serde(default, rename = "field")]
    fields: Vec<FieldColumn>,
    #[serde(default)]
    take: BTreeSet<Kind>,
    #[serde(default)]
    values: BTreeMap<Kind, BTreeMap<String, String>>,
    #[serde(default)]
    defaults: BTreeMap<Kind, String>,
    #[serde(default)]
    labels: BTreeMap<Kind, BTreeMap<String, String>>,
    #[serde(default, rename = "answer-channel")]
    answer_channels: Vec<AnswerChannel>,
}

/// A mapping that can be worked with.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) separator: u8,
    pub(crate) quote: Option<u8>,
    pub(crate) encoding: Encoding,
    pub(crate) dates: Dates,
    pub(crate) town: Town,
    pub(crate) columns: Columns,
    pub(crate) fields: Vec<FieldColumn>,
    /// Kinds of which the distinct values of the column become part of the definition.
    pub(crate) take: BTreeSet<Kind>,
    pub(crate) values: BTreeMap<Kind, BTreeMap<String, String>>,
    pub(crate) defaults: BTreeMap<Kind, String>,
    pub(crate) labels: BTreeMap<Kind, BTreeMap<String, String>>,
    pub(crate) answer_channels: Vec<AnswerChannel>,
}

impl Mapping {
    /// Reads a mapping file.
    pub(crate) fn load(path: &Path) -> Res<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("the mapping {}: {error}", path.display())))?;
        Self::parse(&text)
            .map_err(|error| Failure::usage(format!("the mapping {}: {}", path.display(), error.text)))
    }

    /// Reads the text of a mapping file; what is said of a wrong one is short, however long its lines and names are.
    pub(super) fn parse(text: &str) -> Res<Self> {
        Self::read(text).map_err(|error| Failure { text: both_ends(error.text), ..error })
    }

    fn read(text: &str) -> Res<Self> {
        let read: MappingFile =
            toml::from_str(text).map_err(|error| Failure::usage(error.to_string().trim_end().to_owned()))?;
        let FileFormat { separator, quote, encoding, dates, time_zone } = read.file;
        let formats = match dates {
            OneOrMore::One(format) => vec![format],
            OneOrMore::More(formats) => formats,
        };
        let mapping = Self {
            separator: match separator.as_str() {
                "tab" => b'\t',
                text => one_byte("file.separator", text)?,
            },
            quote: if quote.is_empty() { None } else { Some(one_byte("file.quote", &quote)?) },
            encoding: Encoding::named(&encoding)?,
            dates: Dates::new(formats, Zone::read(&time_zone)?),
            town: read.town,
            columns: read.columns,
            fields: read.fields,
            take: read.take,
            values: read.values,
            defaults: read.defaults,
            labels: read.labels,
            answer_channels: read.answer_channels,
        };
        mapping.agree()?;
        Ok(mapping)
    }

    /// The columns whose values become identifiers.
    pub(crate) fn coded(&self) -> Vec<(Kind, &str)> {
        let columns = &self.columns;
        [
            (Kind::Type, &columns.type_),
            (Kind::Channel, &columns.channel),
            (Kind::Service, &columns.service),
            (Kind::Service, &columns.assigned),
            (Kind::Zone, &columns.place.zone),
            (Kind::Entity, &columns.entity),
            (Kind::Outcome, &columns.outcome),
            (Kind::Acceptability, &columns.acceptability),
            (Kind::State, &columns.state),
        ]
        .into_iter()
        .filter_map(|(kind, column)| Some((kind, column.as_deref()?)))
        .collect()
    }

    /// Says what cannot work before the file is looked at.
    fn agree(&self) -> Res<()> {
        let wrong = |text: String| Err(Failure::usage(text));
        if self.columns.opened.is_none() {
            return wrong("`columns.opened` is missing: name the column with the date of opening".to_owned());
        }
        for kind in [Kind::Type, Kind::Channel] {
            let column = self.coded().iter().any(|(mapped, _)| *mapped == kind);
            if !column && !self.defaults.contains_key(&kind) {
                let name = kind.name();
                return wrong(format!(
                    "nothing gives the {name}: map `columns.{name}`, or give `defaults.{name}`"
                ));
            }
        }
        for (kind, column) in self.coded() {
            if !self.take.contains(&kind) && !self.values.contains_key(&kind) {
                let name = kind.name();
                return wrong(format!(
                    "column `{column}` is the {name}, but nothing says what its values become: write \
                     `take = [\"{name}\"]` to take them as they are, or translate them in `[values.{name}]`"
                ));
            }
        }
        if self.take.contains(&Kind::State) {
            return wrong(format!(
                "states cannot be taken from a column: translate them in `[values.state]` to {}",
                STATES.map(|state| format!("`{state}`")).join(", ")
            ));
        }
        let states = self.values.get(&Kind::State).into_iter().flat_map(BTreeMap::values);
        for state in states.chain(self.defaults.get(&Kind::State)) {
            if !STATES.contains(&state.as_str()) {
                return wrong(format!(
                    "`{state}` is no state: there are {}",
                    STATES.map(|state| format!("`{state}`")).join(", ")
                ));
            }
        }
        for field in &self.fields {
            if matches!(field.kind, FieldKind::Choice | FieldKind::Choices | FieldKind::File) {
                return wrong(format!(
                    "field `{}`: an export fills texts, numbers, days, yes and no, e-mail and phone",
                    field.id
                ));
            }
        }
        let place = &self.columns.place;
        if place.latitude.is_some() != place.longitude.is_some() {
            return wrong(
                "a position needs both `columns.place.latitude` and `columns.place.longitude`, or `columns.place.point` \
                 for one column with both"
                    .to_owned(),
            );
        }
        if place.latitude.is_some() && place.point.is_some() {
            return wrong(
                "the position is mapped twice: keep `columns.place.point`, or `columns.place.latitude` and \
                 `columns.place.longitude`"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// A text without its middle if it is long: what is wrong stands at its start or at its end.
fn both_ends(text: String) -> String {
    const EACH: usize = 250;
    let count = text.chars().count();
    if count <= 2 * EACH {
        return text;
    }
    let start: String = text.chars().take(EACH).collect();
    let end: String = text.chars().skip(count - EACH).collect();
    format!("{start} … {end}")
}

fn one_byte(key: &str, text: &str) -> Res<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => {
            Err(Failure::usage(format!("`{key}` is one character, such as `;`; for a tabulator write `tab`")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mappings_that_are_shipped_can_be_read() {
        for text in [
            include_str!("../../mappings/boston-2011.toml"),
            include_str!("../../mappings/paris-dansmarue.toml"),
            include_str!("../../mappings/personal.toml"),
        ] {
            Mapping::parse(text).unwrap_or_else(|error| panic!("{}", error.text));
        }
    }

    /// Found by fuzzing: the reader of TOML repeats the line that is wrong, and a line can be as long as the file.
    #[test]
    fn of_a_long_line_both_ends_are_said() {
        let long = "é".repeat(50_000);
        for (text, start, end) in [
            (
                format!("[columns]\n\nopened = {long}"),
                "TOML parse error at line 3, column 10",
                "string values must be quoted",
            ),
            (format!("[columns]\n{long} = \"o\""), "TOML parse error at line 2", "^"),
            (format!("[columns]\n\"{long}\" = \"o\""), "TOML parse error at line 2", "`place`"),
            (format!("[columns]\n[file]\nencoding = \"{long}\""), "`éé", "`windows-1252` or `latin-1`"),
        ] {
            let said = Mapping::parse(&text).unwrap_err().text;
            assert!(said.chars().count() < 600, "{} characters are said", said.chars().count());
            assert!(said.starts_with(start) && said.contains(end), "{said}");
        }
    }

    #[test]
    fn what_cannot_work_is_said() {
        for (text, part) in [
            ("", "missing field `columns`"),
            ("[columns]\nopened = \"o\"", "nothing gives the type"),
            ("[columns]\ntype = \"t\"\nchannel = \"c\"", "`columns.opened` is missing"),
            ("[columns]\nopened = \"o\"\ntype = \"t\"\nchannel = \"c\"", "take = [\"type\"]"),
            ("[columns]\nopned = \"o\"", "unknown field `opned`"),
            ("[file]\nseparator = \";;\"\n[columns]", "one character"),
            ("[file]\nencoding = \"ebcdic\"\n[columns]", "encoding"),
            (
                "take = [\"state\"]\n[columns]\nopened = \"o\"\n[defaults]\ntype = \"t\"\nchannel = \"c\"",
                "states cannot",
            ),
            (
                "[columns]\nopened = \"o\"\n[columns.place]\nlatitude = \"y\"\n[defaults]\ntype = \"t\"\nchannel = \"c\"",
                "needs both `columns.place.latitude`",
            ),
            (
                "[columns]\nopened = \"o\"\n[columns.place]\npoint = \"p\"\nlatitude = \"y\"\nlongitude = \"x\"\n[defaults]\ntype = \"t\"\nchannel = \"c\"",
                "mapped twice",
            ),
        ] {
            let error = Mapping::parse(text).unwrap_err();
            assert!(error.text.contains(part), "{text:?} gives {}", error.text);
        }
    }
}
