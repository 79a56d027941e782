//! Reading a real export and replaying each case through the engine, at its own dates.

mod cases;
#[cfg(test)]
mod hostile;
pub(crate) mod mapping;
mod model;
mod point;
mod reading;
mod refused;
mod replay;
mod survey;

use crate::{
    clock::seconds_since,
    failure::Res,
    figures::grouped,
    options::Options,
    town::{TOWN, Town},
};
use cases::Translator;
use grc_core::{Clock, GrcError, SystemClock};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mapping::Mapping;
use reading::Rows;
use refused::Collector;
use replay::Replay;
use std::{collections::BTreeMap, io::IsTerminal, io::Write, path::Path};

/// How many rows were taken in, and how many were not.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Imported {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) incomplete: u64,
}

/// Reads a file twice: once for what is in it, once to replay it.
pub(crate) fn import(
    town: &Town,
    csv: &Path,
    mapping: &Mapping,
    options: &Options,
    out: &mut (dyn Write + Send),
) -> Res<Imported> {
    let start = SystemClock.now();
    let survey = survey::survey(csv, mapping)?;
    let authority = town.grc.authority(TOWN)?;
    let host = authority.host("reprise");
    let there = match pollster::block_on(host.definition()) {
        Ok(definition) => Some(definition),
        Err(GrcError::NoDefinition(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let (definition, vocabulary) = model::build(mapping, &survey, there)?;
    pollster::block_on(host.publish(&definition))?;
    let mut rows = Rows::open(csv, mapping)?;
    let mut places = BTreeMap::new();
    for name in survey::columns(mapping) {
        places.insert(name.to_owned(), rows.column(csv, name, mapping)?);
    }
    let quiet = !options.notify;
    let now = town.grc.now().to_utc();
    let translator = Translator::new(mapping, places, vocabulary, &definition.organisation, quiet, now);
    let mut collector = Collector::new(options.show, options.refused.as_deref())?;
    let progress = bar(survey.rows);
    let replay = Replay { town: &authority, translator: &translator, workers: options.workers, quiet };
    let outcome = replay.run(csv, &mut rows, &mut collector, &progress);
    progress.finish_and_clear();
    collector.finish()?;
    let Collector { accepted, refused, incomplete, .. } = collector;
    let seconds = seconds_since(start);
    writeln!(
        out,
        "{} : {} lignes lues, {} prises en compte, {} refusées, en {:.1} s",
        csv.display(),
        grouped(survey.rows),
        grouped(accepted),
        grouped(refused),
        seconds
    )?;
    if incomplete > 0 {
        writeln!(out, "{} demandes dont une étape a été refusée après l'arrivée", grouped(incomplete))?;
    }
    outcome?;
    Ok(Imported { accepted, refused, incomplete })
}

fn bar(rows: u64) -> ProgressBar {
    let progress = ProgressBar::new(rows);
    if std::io::stderr().is_terminal() {
        let template = "{elapsed_precise} {bar:40} {pos}/{len} lignes ({per_sec}, reste {eta})";
        if let Ok(style) = ProgressStyle::with_template(template) {
            progress.set_style(style);
        }
    } else {
        progress.set_draw_target(ProgressDrawTarget::hidden());
    }
    progress
}
