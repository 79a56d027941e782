//! The page: headings, charts and tables, in one file that fetches nothing.

use super::svg::{Chart, Columns, Series};
use crate::{
    failure::Res,
    figures::grouped,
    head::{Answers, View, heading, name, sums},
    numbers::number,
};
use chrono_tz::Tz;
use grc_core::insight::{Cell, Dimension, Figure, Row, Step, Table};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A text as HTML, within elements and attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A cell's number as it is, for programs; blank where there is none.
fn exact(cell: Cell) -> String {
    match cell {
        Cell::Count(count) | Cell::Minutes(count) => count.to_string(),
        Cell::Cents(cents) => cents.to_string(),
        Cell::Hours(number) | Cell::Share(number) => {
            number.map_or_else(String::new, |number| number.to_string())
        }
    }
}

/// A table with all its numbers.
fn table(out: &mut String, view: &View, table: &Table) {
    let by: Vec<&str> = table.dimensions.iter().map(|dimension| dimension.name()).collect();
    let closing = if view.closing { " data-closing=\"yes\"" } else { "" };
    let title = escape(view.title);
    let _ = write!(
        out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Tableau : {title}\">\
         <table id=\"{}\" data-by=\"{}\"{closing}><caption>{title}</caption><thead><tr>",
        view.id,
        by.join(" ")
    );
    for dimension in &by {
        let _ = write!(out, "<th scope=\"col\">{}</th>", dimension_name(dimension));
    }
    for figure in &table.figures {
        let _ = write!(out, "<th scope=\"col\" class=\"num\">{}</th>", escape(heading(*figure)));
    }
    out.push_str("</tr></thead><tbody>");
    for row in &table.rows {
        out.push_str("<tr>");
        for place in 0..row.keys.len() {
            let id = row.keys.get(place).and_then(Option::as_ref).map_or("", |key| key.id.as_str());
            let shown = escape(&period(&name(row, place, table), table.dimensions.get(place).copied()));
            let _ = write!(out, "<th scope=\"row\" data-sort=\"{}\">{shown}</th>", escape(id));
        }
        let keys = serde_json::to_string(&row.ids()).unwrap_or_default();
        for (figure, cell) in table.figures.iter().zip(&row.cells) {
            let _ = write!(
                out,
                "<td data-figure=\"{}\" data-keys=\"{}\" data-value=\"{}\">{}</td>",
                figure.name(),
                escape(&keys),
                exact(*cell),
                escape(&number(*cell))
            );
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
}

fn dimension_name(name: &str) -> &'static str {
    match name {
        "month" => "Mois",
        "week" => "Semaine",
        "service" => "Service",
        "state" => "État",
        "family" => "Famille",
        "type" => "Nature",
        "channel" | "channel-out" => "Canal",
        "acceptability" => "Recevabilité",
        "acceptability-reason" => "Motif",
        "confirmation" => "Avis",
        "supplier" => "Fournisseur",
        _ => "",
    }
}

const MONTHS: [&str; 12] =
    ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."];

/// The year of a period and its name: `juil.` for `2026-07`, `S07` for `2026-W07`.
fn year_and_name(id: &str) -> (&str, String) {
    let (year, rest) = id.split_once('-').unwrap_or((id, ""));
    let name = match rest.strip_prefix('W') {
        Some(week) => format!("S{week}"),
        None => {
            let month = rest.parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
            month.map_or_else(|| rest.to_owned(), |month| (*month).to_owned())
        }
    };
    (year, name)
}

/// A key as a table has it: months and weeks with their years, the rest as it is.
fn period(key: &str, dimension: Option<Dimension>) -> String {
    if matches!(dimension, Some(Dimension::Month | Dimension::Week)) {
        let (year, name) = year_and_name(key);
        return format!("{name}\u{a0}{year}");
    }
    key.to_owned()
}

/// Periods as an axis has them: three letters, with the year where one begins.
fn periods(ids: &[String]) -> Vec<String> {
    let mut before = "";
    let mut labels = Vec::new();
    for id in ids {
        let (year, name) = year_and_name(id);
        let name: String = match name.strip_suffix('.') {
            Some("juil") => "jul".to_owned(),
            _ if name == "juin" => "jun".to_owned(),
            _ => name.chars().take(3).collect(),
        };
        labels.push(if year == before { name } else { format!("{name} {year}") });
        before = year;
    }
    labels
}

/// One figure of a table as a series, in a unit of its own.
fn series(table: &Table, figure: Figure, unit: f64) -> Series {
    let value = |row: &Row| table.of(row, figure).and_then(Cell::number).unwrap_or(0.0) / unit;
    Series { name: heading(figure).to_owned(), values: table.rows.iter().map(value).collect() }
}

fn names(table: &Table) -> Vec<String> {
    table.rows.iter().map(|row| name(row, 0, table)).collect()
}

fn plain(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    grouped(value.round().max(0.0) as u64)
}

fn days(value: f64) -> String {
    format!("{value:.0} j")
}

fn days_exact(value: f64) -> String {
    format!("{value:.1} j").replace('.', ",")
}

fn whole_euros(value: f64) -> String {
    format!("{} €", plain(value))
}

/// Two dimensions as a stack: a label for each of the first, a series for each of the second.
fn stack(table: &Table, first: usize, second: usize) -> (Vec<String>, Vec<Series>) {
    let id = |row: &Row, place: usize| name(row, place, table);
    let mut labels: Vec<String> = Vec::new();
    for row in &table.rows {
        let label = id(row, first);
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let series = sums(table, second).into_iter().map(|(name, _)| {
        let of = |label: &String| {
            let rows = table.rows.iter().filter(|row| id(row, first) == *label && id(row, second) == name);
            rows.filter_map(|row| row.cells.first()?.number()).sum()
        };
        let values = labels.iter().map(of).collect();
        Series { name, values }
    });
    let series = series.collect();
    (labels, series)
}

/// Writing the page.
struct Page<'a> {
    out: String,
    answers: &'a Answers,
}

impl Page<'_> {
    fn chart(&self, view: &str, id: &'static str, desc: &str) -> Res<Chart> {
        let (view, _) = self.answers.of(view)?;
        let desc = format!("{desc} Les nombres sont dans le tableau qui suit.");
        Ok(Chart {
            id,
            title: view.title.to_owned(),
            desc,
            labels: Vec::new(),
            series: Vec::new(),
            text: plain,
        })
    }

    /// A card: a heading, what is drawn, and the table of a view.
    fn card(&mut self, id: &str, drawn: &str) -> Res<()> {
        let (view, answer) = self.answers.of(id)?;
        let class = if drawn.is_empty() { "card wide" } else { "card" };
        let _ = write!(self.out, "<section class=\"{class}\"><h3>{}</h3>{drawn}", escape(view.title));
        table(&mut self.out, view, answer);
        self.out.push_str("</section>");
        Ok(())
    }

    fn group(&mut self, title: &str) {
        let _ = write!(self.out, "</div><h2>{}</h2><div class=\"cards\">", escape(title));
    }

    fn tiles(&mut self) -> Res<()> {
        let (view, answer) = self.answers.of("ensemble")?;
        self.out.push_str("<section><h2>L'ensemble</h2><dl class=\"tiles\">");
        for row in &answer.rows {
            for (figure, cell) in answer.figures.iter().zip(&row.cells) {
                let (name, value) = (escape(heading(*figure)), escape(&number(*cell)));
                let _ = write!(self.out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
            }
        }
        self.out.push_str("</dl><details><summary>En tableau</summary>");
        table(&mut self.out, view, answer);
        self.out.push_str("</details></section><div>");
        Ok(())
    }

    fn bars(
        &mut self,
        view: &'static str,
        desc: &str,
        figures: &[Figure],
        unit: f64,
        text: fn(f64) -> String,
    ) -> Res<()> {
        let (_, answer) = self.answers.of(view)?;
        let mut chart = self.chart(view, view, desc)?;
        chart.labels = names(answer);
        chart.series = figures.iter().map(|figure| series(answer, *figure, unit)).collect();
        chart.text = text;
        self.card(view, &(chart.legend() + &chart.bars(false)))
    }

    fn columns(
        &mut self,
        view: &'static str,
        desc: &str,
        figures: &[Figure],
        unit: f64,
        (how, text): (Columns, fn(f64) -> String),
    ) -> Res<()> {
        let (_, answer) = self.answers.of(view)?;
        let mut chart = self.chart(view, view, desc)?;
        chart.labels = periods(&names(answer));
        chart.series = figures.iter().map(|figure| series(answer, *figure, unit)).collect();
        chart.text = text;
        self.card(view, &(chart.legend() + &chart.columns(how)))
    }

    fn work(&mut self) -> Res<()> {
        self.group("Ce qui est ouvert");
        self.bars("etats", "Barres : demandes ouvertes par état.", &[Figure::Open], 1.0, plain)?;
        let (_, answer) = self.answers.of("services-etats")?;
        let mut chart =
            self.chart("services-etats", "services", "Barres : demandes ouvertes par service et par état.")?;
        (chart.labels, chart.series) = stack(answer, 0, 1);
        self.card("services-etats", &(chart.legend() + &chart.bars(true)))?;
        let flow = [Figure::Opened, Figure::Closed];
        self.columns(
            "mois",
            "Colonnes : demandes arrivées et closes chaque mois.",
            &flow,
            1.0,
            (Columns::Beside, plain),
        )?;
        let (_, answer) = self.answers.of("stock")?;
        let mut chart =
            self.chart("stock", "stock", "Courbe : demandes ouvertes à la fin de chaque semaine.")?;
        chart.labels = periods(&names(answer));
        chart.series = vec![series(answer, Figure::Open, 1.0)];
        self.card("stock", &chart.line())
    }

    fn delays(&mut self) -> Res<()> {
        self.group("Les délais");
        let both = [Figure::Median(Step::Closure), Figure::P90(Step::Closure)];
        let desc = "Colonnes : délai médian, et délai de neuf demandes sur dix, en jours.";
        self.columns("delais-mois", desc, &both, 24.0, (Columns::Before, days))?;
        self.bars("delais-services", desc, &both, 24.0, days_exact)?;
        self.card("etapes", "")?;
        self.card("natures", "")
    }

    fn exchanges(&mut self) -> Res<()> {
        self.group("Les échanges avec les habitants");
        let (_, answer) = self.answers.of("canaux")?;
        let mut chart =
            self.chart("canaux", "canaux", "Colonnes empilées : demandes arrivées chaque mois, par canal.")?;
        (chart.labels, chart.series) = stack(answer, 0, 1);
        chart.labels = periods(&chart.labels);
        self.card("canaux", &(chart.legend() + &chart.columns(Columns::Stacked)))?;
        let sent = [Figure::MessagesOut];
        self.bars("canaux-sortants", "Barres : messages envoyés par canal.", &sent, 1.0, plain)?;
        let (_, answer) = self.answers.of("recevabilite")?;
        let mut chart =
            self.chart("recevabilite", "recevabilite", "Barres : demandes par recevabilité et motif.")?;
        chart.labels = answer
            .rows
            .iter()
            .map(|row| {
                if row.keys.get(1).is_some_and(Option::is_some) {
                    name(row, 1, answer)
                } else {
                    name(row, 0, answer)
                }
            })
            .collect();
        chart.series = vec![series(answer, Figure::Total, 1.0)];
        self.card("recevabilite", &chart.bars(false))?;
        self.bars(
            "avis",
            "Barres : ce que les demandeurs disent de la suite donnée.",
            &[Figure::Total],
            1.0,
            plain,
        )
    }

    fn costs(&mut self) -> Res<()> {
        self.group("Les coûts");
        let both = [Figure::PlannedCents, Figure::Cents];
        let desc = "Barres : coût estimé et coût réel, en euros.";
        self.bars("couts-familles", desc, &both, 100.0, whole_euros)?;
        self.bars("couts-fournisseurs", desc, &both, 100.0, whole_euros)
    }
}

/// The page of a town's answers.
pub(super) fn page(answers: &Answers, town: &str, zone: Tz) -> Res<String> {
    let mut page = Page { out: String::new(), answers };
    let town = escape(town);
    let now = answers.now.to_utc();
    let shown = now.with_timezone(&zone).format("%d/%m/%Y à %Hh%M");
    let _ = write!(
        page.out,
        "<!doctype html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; img-src data:\">\
         <link rel=\"icon\" href=\"data:,\"><title>Tableau de bord – {town}</title><style>{STYLE}</style></head>\
         <body><header><h1>Tableau de bord des demandes</h1><p>{town} · au <time datetime=\"{}\">{shown}</time></p>\
         </header><main data-now=\"{}\">",
        now.to_rfc3339(),
        now.to_rfc3339()
    );
    page.tiles()?;
    page.work()?;
    page.delays()?;
    page.exchanges()?;
    page.costs()?;
    let tables: Vec<_> = answers
        .all()
        .map(|(view, table)| serde_json::json!({ "id": view.id, "closing": view.closing, "table": table }))
        .collect();
    // Nothing in it can end the element.
    let json = serde_json::Value::from(tables).to_string().replace('<', "\\u003c");
    let _ = writeln!(
        page.out,
        "</div></main><footer><p>Les délais vont de l'arrivée à la clôture, en temps écoulé. Les coûts comprennent la \
         TVA et le temps des équipes. Le temps réel comprend celui qui est passé sans intervention planifiée ; \
         l'estimation d'une intervention confiée à un fournisseur comprend le temps de l'équipe, dont le coût réel est \
         sous « Régie ». Toutes les données de cette page sont dans la page.</p></footer>\
         <script type=\"application/json\" id=\"figures\">{json}</script><script>{SCRIPT}</script></body></html>"
    );
    Ok(page.out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_escaped_and_exact() {
        assert_eq!(
            escape("<a href=\"x\">L'eau & co</a>"),
            "&lt;a href=&quot;x&quot;&gt;L&#39;eau &amp; co&lt;/a&gt;"
        );
        assert_eq!(exact(Cell::Cents(-5)), "-5");
        assert_eq!(exact(Cell::Hours(None)), "");
        assert_eq!(exact(Cell::Share(Some(1.0 / 3.0))).parse::<f64>(), Ok(1.0 / 3.0));
        assert_eq!(period("2026-07", Some(Dimension::Month)), "juil.\u{a0}2026");
        assert_eq!(period("2025-W48", Some(Dimension::Week)), "S48\u{a0}2025");
        let axis = |ids: [&str; 3]| periods(&ids.map(str::to_owned));
        assert_eq!(axis(["2025-12", "2026-01", "2026-07"]), ["déc 2025", "jan 2026", "jul"]);
    }
}
