//! What a key of a `facts.json` claims, as questions and the numbers that must come back.

use super::key::{By, Dated, Shape, Week};
use crate::import::mapping::{Kind, Mapping};
use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use grc_core::{
    Moment,
    insight::{Dimension, Figure, Question, Row, Step},
};
use serde_json::Value as Json;
use std::{collections::BTreeMap, fmt};

const CLOSURE: Step = Step::Closure;

/// What a key of a row must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Its name.
    Label(String),
    /// Its id.
    Id(String),
    /// The beginning of its id.
    Begins(String),
    /// None: a blank value.
    Without,
}

/// What must come back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expected {
    Count(u64),
    Real(f64),
    /// So many rows.
    Distinct(u64),
    /// The first row is this day's.
    First(String),
    /// The last row is this day's.
    Last(String),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) | Self::Distinct(n) => n.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::First(day) => write!(f, "{day} to be the first"),
            Self::Last(day) => write!(f, "{day} to be the last"),
        }
    }
}

/// Several numbers of one thing.
type Said = Vec<(Figure, Expected)>;

/// One number.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    /// Which of the questions of its key.
    pub(crate) question: usize,
    pub(crate) figure: Figure,
    /// The keys of the rows that come to it; without any, all rows that have a key.
    parts: Vec<Part>,
    pub(crate) expected: Expected,
}

impl Claim {
    /// Whether a row is one of those that it is about.
    pub(crate) fn is_of(&self, row: &Row) -> bool {
        if matches!(self.expected, Expected::Distinct(_)) {
            return row.keys.iter().all(Option::is_some);
        }
        self.parts.iter().zip(&row.keys).all(|(part, key)| match (part, key) {
            (Part::Without, None) => true,
            (Part::Label(label), Some(key)) => *label == key.label,
            (Part::Id(id), Some(key)) => *id == key.id,
            (Part::Begins(start), Some(key)) => key.id.starts_with(start.as_str()),
            _ => false,
        })
    }

    /// What it is about, for a reader.
    pub(crate) fn what(&self) -> String {
        let part = |part: &Part| match part {
            Part::Label(text) | Part::Id(text) | Part::Begins(text) => format!("{text:?}, "),
            Part::Without => "without, ".to_owned(),
        };
        format!("{}{}", self.parts.iter().map(part).collect::<String>(), self.figure)
    }
}

/// What one key claims.
#[derive(Debug)]
pub(crate) struct Claims<'a> {
    pub(crate) key: &'a str,
    questions: Vec<Question>,
    pub(crate) claims: Vec<Claim>,
}

impl<'a> Claims<'a> {
    /// One question with these claims; none if there are none.
    fn of(key: &'a str, question: Question, claims: Vec<(Vec<Part>, Figure, Expected)>) -> Option<Self> {
        let claim = |(parts, figure, expected)| Claim { question: 0, figure, parts, expected };
        let claims: Vec<Claim> = claims.into_iter().map(claim).collect();
        (!claims.is_empty()).then(|| {
            let mut figures: Vec<Figure> = claims.iter().map(|claim| claim.figure).collect();
            figures.sort_unstable();
            figures.dedup();
            Self { key, questions: vec![question.figures(figures)], claims }
        })
    }

    pub(crate) fn questions(&self) -> impl Iterator<Item = Question> {
        self.questions.iter().cloned()
    }

    /// How many questions there are.
    pub(crate) const fn len(&self) -> usize {
        self.questions.len()
    }

    /// How many numbers there are.
    pub(crate) const fn count(&self) -> usize {
        self.claims.len()
    }

    /// How many are open, and so how many are closed.
    pub(crate) fn open(key: &'a str, value: &Json, rows: Option<u64>) -> Option<Self> {
        let open = value.as_u64()?;
        let closed = rows.map(|rows| (vec![], Figure::Closed, Expected::Count(rows.saturating_sub(open))));
        let open = (vec![], Figure::Open, Expected::Count(open));
        Self::of(key, Question::all(), [open].into_iter().chain(closed).collect())
    }

    /// What a value claims; none if it has not the shape that its key promises.
    pub(crate) fn read(
        key: &'a str,
        shape: Shape,
        value: &Json,
        mapping: Option<&Mapping>,
        zone: Tz,
    ) -> Option<Self> {
        let reader = Reader { mapping };
        match shape {
            Shape::Rows => {
                let rows = Expected::Count(value.as_u64()?);
                Self::of(key, Question::all(), vec![(vec![], Figure::Total, rows)])
            }
            Shape::Open => None,
            Shape::End { last } => {
                let day = value.as_str()?.get(..10)?.to_owned();
                NaiveDate::parse_from_str(&day, "%Y-%m-%d").ok()?;
                let expected = if last { Expected::Last(day) } else { Expected::First(day) };
                let by_day = Question::all().by([Dimension::Day]);
                Self::of(key, by_day, vec![(vec![], Figure::Opened, expected)])
            }
            Shape::Counts(dated, by) => {
                let figure = if dated == Dated::Closed { Figure::Closed } else { Figure::Opened };
                let mut counts: BTreeMap<_, u64> = BTreeMap::new();
                for (name, n) in values(value)? {
                    let Some((part, figure)) = reader.part(by, name, figure) else { continue };
                    *counts.entry((part.into_iter().collect::<Vec<_>>(), figure)).or_default() +=
                        n.as_u64()?;
                }
                let claim = |((parts, figure), n)| (parts, figure, Expected::Count(n));
                Self::of(key, ask(&[by]), counts.into_iter().map(claim).collect())
            }
            Shape::Crossed(one, other) => {
                let mut counts: BTreeMap<_, u64> = BTreeMap::new();
                for (name, inner) in value.as_object()? {
                    for (second, n) in values(inner)? {
                        let first = reader.part(one, name, Figure::Opened);
                        let Some((part, figure)) = first else { continue };
                        let Some((second, figure)) = reader.part(other, second, figure) else { continue };
                        let parts: Vec<Part> = part.into_iter().chain(second).collect();
                        *counts.entry((parts, figure)).or_default() += n.as_u64()?;
                    }
                }
                let claim = |((parts, figure), n)| (parts, figure, Expected::Count(n));
                Self::of(key, ask(&[one, other]), counts.into_iter().map(claim).collect())
            }
            Shape::Distinct(dimension) => {
                let expected = Expected::Distinct(value.as_u64()?);
                Self::of(key, Question::all().by([dimension]), vec![(vec![], Figure::Opened, expected)])
            }
            Shape::Delays(dated, by) => reader.nested(key, dated, by, value, delay),
            Shape::OnTime(dated, by) => reader.nested(key, dated, by, value, on_time),
            Shape::Backlog => {
                let (mut questions, mut claims) = (Vec::new(), Vec::new());
                for (moment, n) in value.as_object()? {
                    questions.push(Question::all().figures([Figure::Open]).at(instant(moment, zone)?));
                    let (question, figure) = (questions.len() - 1, Figure::Open);
                    let expected = Expected::Count(n.as_u64()?);
                    claims.push(Claim { question, figure, parts: Vec::new(), expected });
                }
                (!claims.is_empty()).then_some(Self { key, questions, claims })
            }
        }
    }
}

/// A question by what is a dimension of figures; what is closed is a figure.
fn ask(by: &[By]) -> Question {
    let dimension = |by: &By| match by {
        By::Dimension(dimension) => Some(*dimension),
        By::Year => Some(Dimension::Month),
        By::Weekday(_) => Some(Dimension::Weekday),
        By::Status => None,
    };
    Question::all().by(by.iter().filter_map(dimension))
}

/// `[{"value": "Twitter", "n": 3}]` or `{"Twitter": 3}`.
fn values(json: &Json) -> Option<Vec<(&str, &Json)>> {
    match json {
        Json::Array(list) => {
            list.iter().map(|item| Some((item.get("value")?.as_str()?, item.get("n")?))).collect()
        }
        Json::Object(map) => Some(map.iter().map(|(name, n)| (name.as_str(), n)).collect()),
        _ => None,
    }
}

/// A moment as it is printed in the town's zone.
fn instant(text: &str, zone: Tz) -> Option<Moment> {
    use chrono::TimeZone;
    let formats = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    Some(zone.from_local_datetime(&local).earliest()?.to_utc().into())
}

/// What is said of a delay.
fn delay(said: &Json) -> Option<Said> {
    let n = (Figure::Delays(CLOSURE), Expected::Count(said.get("n")?.as_u64()?));
    let figures = [Figure::Median(CLOSURE), Figure::P90(CLOSURE), Figure::Mean(CLOSURE)];
    let hours = figures
        .into_iter()
        .zip(["median_h", "p90_h", "mean_h"])
        .filter_map(|(figure, name)| Some((figure, Expected::Real(said.get(name)?.as_f64()?))));
    Some([n].into_iter().chain(hours).collect())
}

/// What is said of promises.
fn on_time(said: &Json) -> Option<Said> {
    let number = |names: &[&str]| names.iter().find_map(|name| said.get(name)?.as_u64());
    let within = number(&["closed_le_target", "within"])?;
    let late = number(&["closed_gt_target", "late"])?;
    let mut out = vec![
        (Figure::Within(CLOSURE), Expected::Count(within)),
        (Figure::Promised(CLOSURE), Expected::Count(within + late)),
    ];
    if let Some(share) = said.get("share").and_then(Json::as_f64) {
        out.push((Figure::Share(CLOSURE), Expected::Real(share)));
    }
    Some(out)
}

struct Reader<'a> {
    mapping: Option<&'a Mapping>,
}

impl Reader<'_> {
    /// The key of a value, and the figure that it is counted by; nothing for a status that says nothing here.
    fn part(&self, by: By, value: &str, figure: Figure) -> Option<(Option<Part>, Figure)> {
        let part = match by {
            By::Status => {
                return match value.trim().to_lowercase().as_str() {
                    "closed" | "clos" | "close" | "clôturé" | "clôturée" => Some((None, Figure::Closed)),
                    "open" | "ouvert" | "ouverte" => Some((None, Figure::Open)),
                    _ => None,
                };
            }
            By::Year => Part::Begins(format!("{value}-")),
            By::Weekday(week) => {
                let day: u32 = value.parse().ok().filter(|day| *day <= 7)?;
                Part::Id(match week {
                    Week::MondayIs0 => (day + 1).to_string(),
                    Week::SundayIs0 if day == 0 => "7".to_owned(),
                    Week::MondayIs1 | Week::SundayIs0 => day.to_string(),
                })
            }
            By::Dimension(Dimension::Hour) => Part::Id(format!("{value:0>2}")),
            By::Dimension(dimension) if dimension.is_date() => Part::Id(value.to_owned()),
            By::Dimension(_) if value.trim().is_empty() => Part::Without,
            By::Dimension(dimension) => match self.translated(dimension, value) {
                Some(id) => Part::Id(id),
                None => Part::Label(value.to_owned()),
            },
        };
        Some((Some(part), figure))
    }

    /// What the mapping makes of a value, where it does not take it as it is.
    fn translated(&self, dimension: Dimension, value: &str) -> Option<String> {
        let kind = match dimension {
            Dimension::Type => Kind::Type,
            Dimension::Channel => Kind::Channel,
            Dimension::Service => Kind::Service,
            Dimension::Zone => Kind::Zone,
            Dimension::Entity => Kind::Entity,
            Dimension::Outcome => Kind::Outcome,
            Dimension::Acceptability => Kind::Acceptability,
            _ => return None,
        };
        self.mapping?.values.get(&kind)?.get(value).cloned()
    }

    /// Several numbers of all, or by something.
    fn nested<'k>(
        &self,
        key: &'k str,
        dated: Dated,
        by: Option<By>,
        value: &Json,
        read: fn(&Json) -> Option<Said>,
    ) -> Option<Claims<'k>> {
        let mut claims = Vec::new();
        let mut add = |part: Option<Part>, said: &Json| {
            let parts: Vec<Part> = part.into_iter().collect();
            claims
                .extend(read(said)?.into_iter().map(|(figure, expected)| (parts.clone(), figure, expected)));
            Some(())
        };
        match by {
            None => add(None, value)?,
            Some(by) => {
                for (name, said) in value.as_object()? {
                    let Some((part, _)) = self.part(by, name, Figure::Opened) else { continue };
                    add(part, said)?;
                }
            }
        }
        let question = ask(&by.into_iter().collect::<Vec<_>>());
        let question = if dated == Dated::Closed { question.by_closing() } else { question };
        Claims::of(key, question, claims)
    }
}
