//! What a head of service looks at: the questions, asked all at once, and their answers in the terminal.

use crate::{
    bars::{self, bar},
    failure::{Failure, Res},
    figures::grouped,
    numbers::{column, number},
};
use grc_core::{
    Moment, Session,
    insight::{Dimension, Figure, Question, Row, Step, Table},
};
use std::io::Write;

/// A table that is looked at.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    by: &'static [Dimension],
    figures: &'static [Figure],
    /// Dated by the closure instead of the opening.
    pub(crate) closing: bool,
}

impl View {
    const fn new(
        id: &'static str,
        title: &'static str,
        by: &'static [Dimension],
        figures: &'static [Figure],
    ) -> Self {
        Self { id, title, by, figures, closing: false }
    }

    const fn by_closing(mut self) -> Self {
        self.closing = true;
        self
    }

    fn question(&self) -> Question {
        let question = Question::all().figures(self.figures.iter().copied()).by(self.by.iter().copied());
        if self.closing { question.by_closing() } else { question }
    }
}

const CLOSURE: Step = Step::Closure;
const MEDIAN: Figure = Figure::Median(CLOSURE);
const P90: Figure = Figure::P90(CLOSURE);
const SHARE: Figure = Figure::Share(CLOSURE);
const DELAYS: [Figure; 5] = [Figure::Delays(CLOSURE), MEDIAN, P90, Figure::Promised(CLOSURE), SHARE];

/// All of them. One pass over the rows answers all.
pub(crate) const VIEWS: [View; 15] = [
    View::new(
        "ensemble",
        "L'ensemble",
        &[],
        &[
            Figure::Total,
            Figure::Open,
            Figure::Closed,
            Figure::Reopened,
            MEDIAN,
            P90,
            SHARE,
            Figure::Minutes,
            Figure::Cents,
            Figure::MessagesIn,
            Figure::MessagesOut,
        ],
    ),
    View::new("etats", "Ouvertes, par état", &[Dimension::State], &[Figure::Open]),
    View::new(
        "services-etats",
        "Ouvertes, par service et par état",
        &[Dimension::Service, Dimension::State],
        &[Figure::Open],
    ),
    View::new("mois", "Mois par mois", &[Dimension::Month], &[Figure::Opened, Figure::Closed, Figure::Open]),
    View::new("stock", "Demandes ouvertes à la fin de chaque semaine", &[Dimension::Week], &[Figure::Open]),
    View::new("delais-mois", "Délais de clôture, par mois de clôture", &[Dimension::Month], &DELAYS)
        .by_closing(),
    View::new("delais-services", "Délais de clôture, par service", &[Dimension::Service], &DELAYS),
    View::new(
        "etapes",
        "Étapes tenues dans le délai promis, par service",
        &[Dimension::Service],
        &[
            Figure::Median(Step::Response),
            Figure::Share(Step::Response),
            Figure::Median(Step::Assignment),
            Figure::Share(Step::Assignment),
            Figure::Median(Step::Intervention),
            Figure::Share(Step::Intervention),
        ],
    ),
    View::new(
        "natures",
        "Familles et natures",
        &[Dimension::Family, Dimension::Type],
        &[Figure::Opened, Figure::Open, Figure::Reopened, MEDIAN, SHARE],
    ),
    View::new(
        "canaux",
        "Canaux d'arrivée, mois par mois",
        &[Dimension::Month, Dimension::Channel],
        &[Figure::Opened],
    ),
    View::new("canaux-sortants", "Réponses, par canal", &[Dimension::ChannelOut], &[Figure::MessagesOut]),
    View::new(
        "recevabilite",
        "Recevabilité et motifs",
        &[Dimension::Acceptability, Dimension::AcceptabilityReason],
        &[Figure::Total],
    ),
    View::new("avis", "L'avis des demandeurs", &[Dimension::Confirmation], &[Figure::Total]),
    View::new(
        "couts-familles",
        "Coûts par famille : estimés et réels",
        &[Dimension::Family],
        &[Figure::PlannedMinutes, Figure::Minutes, Figure::PlannedCents, Figure::Cents],
    ),
    View::new(
        "couts-fournisseurs",
        "Coûts par fournisseur : estimés et réels",
        &[Dimension::Supplier],
        &[Figure::PlannedCents, Figure::Cents],
    ),
];

/// The answers, in the order of the views.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) tables: Vec<Table>,
    /// When they were asked for.
    pub(crate) now: Moment,
}

impl Answers {
    /// Asks, as somebody who may see figures and amounts.
    pub(crate) async fn ask(session: &Session, now: Moment) -> Res<Self> {
        let questions: Vec<Question> = VIEWS.iter().map(View::question).collect();
        Ok(Self { tables: session.measure_all(&questions).await?, now })
    }

    /// The views with their answers.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static View, &Table)> {
        VIEWS.iter().zip(&self.tables)
    }

    /// The answer to a view.
    pub(crate) fn of(&self, id: &str) -> Res<(&'static View, &Table)> {
        self.all()
            .find(|(view, _)| view.id == id)
            .ok_or_else(|| Failure::new(format!("there is no view `{id}`")))
    }
}

/// What a row is called: its labels, or what it means that there is none.
pub(crate) fn name(row: &Row, place: usize, table: &Table) -> String {
    match row.keys.get(place) {
        Some(Some(key)) => match table.dimensions.get(place) {
            Some(Dimension::Confirmation) if key.id == "satisfied" => "Satisfait".to_owned(),
            Some(Dimension::Confirmation) if key.id == "unsatisfied" => "Pas satisfait".to_owned(),
            _ => key.label.clone(),
        },
        _ => match table.dimensions.get(place) {
            Some(Dimension::Supplier) => "Régie (sans fournisseur)".to_owned(),
            Some(Dimension::Acceptability) => "Pas encore examinée".to_owned(),
            Some(Dimension::Confirmation) => "Sans avis".to_owned(),
            Some(Dimension::AcceptabilityReason) => "–".to_owned(),
            _ => "Sans".to_owned(),
        },
    }
}

/// What a figure is called at the head of a column.
pub(crate) const fn heading(figure: Figure) -> &'static str {
    match figure {
        Figure::Opened => "Arrivées",
        Figure::Closed => "Closes",
        Figure::Open => "Ouvertes",
        Figure::Reopened => "Rouvertes",
        Figure::Total => "Demandes",
        Figure::Anonymised => "Anonymisées",
        Figure::Delays(_) => "Nombre",
        Figure::Mean(_) => "Moyenne",
        Figure::Median(Step::Closure) => "Médiane",
        Figure::Median(Step::Response) => "1re réponse, médiane",
        Figure::Median(Step::Assignment) => "Affectation, médiane",
        Figure::Median(Step::Intervention) => "Intervention, médiane",
        Figure::P90(_) => "9 sur 10 en",
        Figure::Promised(_) => "Promises",
        Figure::Within(_) => "Dans le délai",
        Figure::Share(Step::Closure) => "% dans le délai",
        Figure::Share(Step::Response) => "1re réponse, % à temps",
        Figure::Share(Step::Assignment) => "Affectation, % à temps",
        Figure::Share(Step::Intervention) => "Intervention, % à temps",
        Figure::Minutes => "Temps réel",
        Figure::Cents => "Coût réel",
        Figure::PlannedMinutes => "Temps estimé",
        Figure::PlannedCents => "Coût estimé",
        Figure::MessagesIn => "Messages reçus",
        Figure::MessagesOut => "Messages envoyés",
    }
}

/// Rows as sums over all dimensions but one.
pub(crate) fn sums(table: &Table, place: usize) -> Vec<(String, f64)> {
    let mut sums: Vec<(String, f64)> = Vec::new();
    for row in &table.rows {
        let name = name(row, place, table);
        let value = row.cells.first().and_then(|cell| cell.number()).unwrap_or(0.0);
        match sums.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += value,
            None => sums.push((name, value)),
        }
    }
    sums
}

type Out<'a> = &'a mut (dyn Write + Send);

/// The rows of a table, a bar each for one of its figures.
fn rows(out: Out<'_>, (view, table): (&View, &Table), drawn: Figure) -> Res<()> {
    writeln!(out, "\n  {}", view.title)?;
    let wide = |figure: &Figure| heading(*figure).chars().count().max(12) + 2;
    let heads: String =
        table.figures.iter().map(|figure| format!("{:>1$}", heading(*figure), wide(figure))).collect();
    let width = if table.dimensions.len() > 1 { 44 } else { 26 };
    writeln!(out, "    {}{heads}", column("", width))?;
    let value = |row| table.of(row, drawn).and_then(|cell| cell.number()).unwrap_or(0.0);
    let greatest = table.rows.iter().map(value).fold(0.0, f64::max);
    for row in &table.rows {
        let names: Vec<String> = (0..row.keys.len()).map(|place| name(row, place, table)).collect();
        let cells = table.figures.iter().zip(&row.cells);
        let cells: String =
            cells.map(|(figure, cell)| format!("{:>1$}", number(*cell), wide(figure))).collect();
        let name = column(&names.join(" · "), width);
        writeln!(out, "    {name}{cells}  {}", bar(value(row), greatest))?;
    }
    Ok(())
}

/// Prints them, with bars.
pub(crate) fn print(out: Out<'_>, answers: &Answers) -> Res<()> {
    writeln!(out, "\nCe que regarde un chef de service")?;
    writeln!(out, "=================================")?;
    let (_, whole) = answers.of("ensemble")?;
    for row in &whole.rows {
        let said: Vec<String> = whole
            .figures
            .iter()
            .zip(&row.cells)
            .map(|(figure, cell)| format!("{} : {}", heading(*figure).to_lowercase(), number(*cell)))
            .collect();
        for line in said.chunks(4) {
            writeln!(out, "  {}", line.join(" ; "))?;
        }
    }
    rows(out, answers.of("etats")?, Figure::Open)?;
    rows(out, answers.of("delais-mois")?, MEDIAN)?;
    rows(out, answers.of("delais-services")?, MEDIAN)?;
    let (_, channels) = answers.of("canaux")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    let line = |(name, count): (String, f64)| (name, grouped(count as u64), count);
    let counted: Vec<_> = sums(channels, 1).into_iter().map(line).collect();
    writeln!(out, "\n  Arrivées, par canal")?;
    for line in bars::lines(&counted) {
        writeln!(out, "    {line}")?;
    }
    rows(out, answers.of("canaux-sortants")?, Figure::MessagesOut)?;
    rows(out, answers.of("recevabilite")?, Figure::Total)?;
    rows(out, answers.of("couts-familles")?, Figure::Cents)?;
    rows(out, answers.of("couts-fournisseurs")?, Figure::Cents)
}
