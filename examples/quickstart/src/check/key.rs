//! What a key of a `facts.json` is about, by its name.

use crate::import::mapping::{Kind, Mapping};
use grc_core::insight::Dimension;
use std::collections::BTreeMap;

/// By what a key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// A dimension of figures.
    Dimension(Dimension),
    /// The year.
    Year,
    /// The day of the week, and what its first number is: Monday 0, Monday 1, Sunday 0.
    Weekday(Week),
    /// Whether it is closed.
    Status,
}

/// How the days of a week are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Week {
    MondayIs0,
    MondayIs1,
    SundayIs0,
}

/// What is dated: the opening or the closure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dated {
    Opened,
    Closed,
}

/// What a key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// How many there are.
    Rows,
    /// How many are not closed.
    Open,
    /// The first day, or the last.
    End { last: bool },
    /// How many by something.
    Counts(Dated, By),
    /// How many by two things.
    Crossed(By, By),
    /// How many different ones there are.
    Distinct(Dimension),
    /// How long it took: of all, or by something.
    Delays(Dated, Option<By>),
    /// How often it was on time: of all, or by something.
    OnTime(Dated, Option<By>),
    /// How many were open at moments.
    Backlog,
}

/// What names mean: those that many files use, and the columns of a mapping.
pub(crate) struct Names<'a> {
    columns: BTreeMap<&'a str, Dimension>,
    /// Columns that are something else.
    others: Vec<&'a str>,
    dates: [Option<&'a str>; 2],
}

impl<'a> Names<'a> {
    pub(crate) fn new(mapping: Option<&'a Mapping>) -> Self {
        let mut names = Self { columns: BTreeMap::new(), others: Vec::new(), dates: [None; 2] };
        let Some(mapping) = mapping else { return names };
        for (kind, column) in mapping.coded() {
            let dimension = match kind {
                Kind::Type => Dimension::Type,
                Kind::Channel => Dimension::Channel,
                Kind::Service => Dimension::Service,
                Kind::Zone => Dimension::Zone,
                Kind::Entity => Dimension::Entity,
                Kind::Outcome => Dimension::Outcome,
                Kind::Acceptability => Dimension::Acceptability,
                // The states of an export are translated, so that several may be one here.
                Kind::State => continue,
            };
            names.columns.insert(column, dimension);
        }
        names.others = mapping.fields.iter().map(|field| field.column.as_str()).collect();
        names.dates = [mapping.columns.opened.as_deref(), mapping.columns.closed.as_deref()];
        names
    }

    fn by(&self, name: &str) -> Option<By> {
        if let Some(dimension) = self.columns.get(name) {
            return Some(By::Dimension(*dimension));
        }
        if self.others.contains(&name) {
            return None;
        }
        Some(match name {
            "channel" | "canal" | "source" => By::Dimension(Dimension::Channel),
            "type" => By::Dimension(Dimension::Type),
            "unit" | "service" | "intervenant" => By::Dimension(Dimension::Service),
            "area" | "zone" | "arrondissement" | "neighborhood" | "neighbourhood" | "quartier" => {
                By::Dimension(Dimension::Zone)
            }
            "entity" | "commune" => By::Dimension(Dimension::Entity),
            "outcome" => By::Dimension(Dimension::Outcome),
            "acceptability" => By::Dimension(Dimension::Acceptability),
            "status" | "statut" => By::Status,
            period => return self.period(period),
        })
    }

    fn period(&self, name: &str) -> Option<By> {
        Some(match name {
            "month" => By::Dimension(Dimension::Month),
            "iso_week" | "week" => By::Dimension(Dimension::Week),
            "day" => By::Dimension(Dimension::Day),
            "hour" => By::Dimension(Dimension::Hour),
            "year" => By::Year,
            "weekday_mon0" | "weekday" => By::Weekday(Week::MondayIs0),
            "weekday_mon1" | "weekday_iso" => By::Weekday(Week::MondayIs1),
            "weekday_sun0" => By::Weekday(Week::SundayIs0),
            _ => return None,
        })
    }

    /// `month`, `opening_month`, `month_datedecl`: a period, and what is dated by it.
    fn dated(&self, name: &str) -> Option<(Dated, By)> {
        if let Some(by) = self.by(name) {
            return Some((Dated::Opened, by));
        }
        for (prefix, dated) in [("opening_", Dated::Opened), ("closing_", Dated::Closed)] {
            if let Some(rest) = name.strip_prefix(prefix) {
                return Some((dated, self.period(rest)?));
            }
        }
        let dates = self.dates.iter().zip([Dated::Opened, Dated::Closed]);
        dates
            .filter_map(|(column, dated)| {
                let rest = name.strip_suffix((*column)?)?.strip_suffix('_')?;
                Some((dated, self.period(rest)?))
            })
            .next()
    }

    /// What a key says; none if no figure answers it.
    pub(crate) fn shape(&self, key: &str) -> Option<Shape> {
        let name = without_top(key);
        match name {
            "rows" => return Some(Shape::Rows),
            "closed_missing" => return Some(Shape::Open),
            "opened_min" | "date_min" => return Some(Shape::End { last: false }),
            "opened_max" | "date_max" => return Some(Shape::End { last: true }),
            "busiest_days" => return Some(Shape::Counts(Dated::Opened, By::Dimension(Dimension::Day))),
            "delay_overall" => return Some(Shape::Delays(Dated::Opened, None)),
            "ontime_recomputed" | "on_time_recomputed" => return Some(Shape::OnTime(Dated::Opened, None)),
            "open_backlog_at" => return Some(Shape::Backlog),
            _ => {}
        }
        if let Some((one, other)) = name.split_once("_x_") {
            return Some(Shape::Crossed(self.by(one)?, self.by(other)?));
        }
        if let Some(rest) = name.strip_prefix("distinct_") {
            return match self.by(rest).or_else(|| self.by(rest.strip_suffix('s')?))? {
                By::Dimension(dimension) => Some(Shape::Distinct(dimension)),
                By::Year | By::Weekday(_) | By::Status => None,
            };
        }
        if let Some(rest) = name.strip_prefix("delay_by_") {
            let (dated, by) = self.dated(rest)?;
            return Some(Shape::Delays(dated, Some(by)));
        }
        let on_time = ["ontime_recomputed_by_", "on_time_recomputed_by_", "ontime_by_", "on_time_by_"];
        if let Some(rest) = on_time.iter().find_map(|prefix| name.strip_prefix(prefix)) {
            let (dated, by) = self.dated(rest)?;
            return Some(Shape::OnTime(dated, Some(by)));
        }
        if let Some(rest) = name.strip_prefix("opened_per_") {
            return Some(Shape::Counts(Dated::Opened, self.period(rest)?));
        }
        if let Some(rest) = name.strip_prefix("closed_per_") {
            return Some(Shape::Counts(Dated::Closed, self.period(rest)?));
        }
        let rest = name.strip_prefix("by_").or_else(|| name.strip_prefix("per_"))?;
        let (dated, by) = self.dated(rest)?;
        Some(Shape::Counts(dated, by))
    }
}

/// `by_type_top20` is `by_type`.
fn without_top(key: &str) -> &str {
    match key.rsplit_once("_top") {
        Some((rest, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_understood_by_their_names() {
        let mapping = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/paris-dansmarue.toml");
        let mapping = Mapping::load(&mapping).unwrap();
        let (plain, paris) = (Names::new(None), Names::new(Some(&mapping)));
        let by = By::Dimension;
        for (key, expected) in [
            ("rows", Some(Shape::Rows)),
            ("by_type_top20", Some(Shape::Counts(Dated::Opened, by(Dimension::Type)))),
            ("by_canal", Some(Shape::Counts(Dated::Opened, by(Dimension::Channel)))),
            ("by_status", Some(Shape::Counts(Dated::Opened, By::Status))),
            ("closed_per_month", Some(Shape::Counts(Dated::Closed, by(Dimension::Month)))),
            ("opened_per_weekday_mon0", Some(Shape::Counts(Dated::Opened, By::Weekday(Week::MondayIs0)))),
            ("opened_per_year", Some(Shape::Counts(Dated::Opened, By::Year))),
            ("delay_by_closing_month", Some(Shape::Delays(Dated::Closed, Some(by(Dimension::Month))))),
            ("delay_by_type_top20", Some(Shape::Delays(Dated::Opened, Some(by(Dimension::Type))))),
            ("delay_overall_nonnegative", None),
            ("on_time_by_channel", Some(Shape::OnTime(Dated::Opened, Some(by(Dimension::Channel))))),
            ("channel_x_status", Some(Shape::Crossed(by(Dimension::Channel), By::Status))),
            ("distinct_units", Some(Shape::Distinct(Dimension::Service))),
            ("by_topping", None),
            ("definitions", None),
        ] {
            assert_eq!(plain.shape(key), expected, "{key}");
        }
        for (key, expected) in [
            ("per_month_datedecl", Some(Shape::Counts(Dated::Opened, by(Dimension::Month)))),
            ("by_prefixe", Some(Shape::Counts(Dated::Opened, by(Dimension::Channel)))),
            ("by_intervenant", Some(Shape::Counts(Dated::Opened, by(Dimension::Service)))),
            ("by_arrondissement", Some(Shape::Counts(Dated::Opened, by(Dimension::Zone)))),
            ("by_soustype_top20", None),
            ("distinct_id_dmr", None),
        ] {
            assert_eq!(paris.shape(key), expected, "{key}");
        }
    }
}
