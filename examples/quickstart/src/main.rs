//! A town's requests from intake to anonymisation, on one SQLite file, or a database of a MySQL or MariaDB server.

mod bars;
mod check;
mod clock;
mod dashboard;
mod database;
mod dates;
mod failure;
mod figures;
mod head;
mod import;
mod numbers;
mod options;
mod picture;
mod place;
mod retention;
mod story;
mod town;
mod year;

use database::Database;
use failure::{Failure, Res};
use figures::{More, Report};
use grc_core::{Actor, Clock, Moment, SystemClock, definition::Organisation, insight::Question};
use head::Answers;
use import::{Imported, mapping::Mapping};
use options::Options;
use place::Place;
use std::{
    io::{Write, stderr, stdout},
    process::ExitCode,
};
use town::{TOWN, Town};

fn main() -> ExitCode {
    match Options::read(std::env::args_os().skip(1)).and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Failure { text, code }) => {
            if !text.is_empty() {
                // Nothing is left to be done if not even this can be written.
                let _ = writeln!(stderr(), "quickstart: {}", place::discreet(&text));
            }
            ExitCode::from(code)
        }
    }
}

/// Does what is asked; answers whether all that was compared agrees.
fn run(options: &Options) -> Res<bool> {
    if options.help {
        stdout().write_all(options::HELP.as_bytes())?;
        return Ok(true);
    }
    // With `--json` the object stands alone on standard output.
    let mut out: Box<dyn Write + Send> = if options.json { Box::new(stderr()) } else { Box::new(stdout()) };
    let mapping = options.mapping.as_deref().map(Mapping::load).transpose()?;
    let database = Database::open(options.db.as_ref(), options.keys.as_ref(), options.workers)?;
    let goes_on = options.goes_on(database.was_there)?;
    let town = Town::on(database)?;
    let mut imported = Imported::default();
    if goes_on {
        if let (Some(csv), Some(mapping)) = (&options.csv, &mapping) {
            imported = import::import(&town, csv, mapping, options, &mut out)?;
        }
        if let Some(date) = &options.retention_at {
            retention::run(&town, date, &mut out)?;
        }
    } else {
        let definition = town::definition(options.definition.as_deref())?;
        let zone = definition.organisation.time_zone;
        let now = match &options.now {
            Some(date) => dates::of_option("now", date, zone)?.into(),
            None => SystemClock.now(),
        };
        if now > SystemClock.now() {
            return Err(Failure::usage("`--now` is in the future: the requests of the story would be too"));
        }
        pollster::block_on(story::play(&town, &definition, now, &mut out))?;
        // It stands until all is counted, so that figures of one moment are of one moment.
        town.clock.set(now);
        if !options.no_year && year::play(&town, &definition, now, options.workers, &mut out)? {
            look(&town, &definition.organisation, now, &mut out)?;
        }
    }
    let host = town.grc.authority(TOWN)?.host("chiffres");
    let figures = pollster::block_on(host.figures(&Question::all()))?;
    let more = pollster::block_on(More::ask(&host))?;
    if goes_on {
        writeln!(out, "\nLes chiffres :")?;
        figures::print(&mut out, &figures)?;
        figures::print_more(&mut out, &more)?;
    }
    let agrees = match &options.check {
        Some(facts) => check::compare(&mut out, facts, &host, mapping.as_ref())?,
        None => true,
    };
    let Town { database, .. } = town;
    database.close();
    let beside = if matches!(database.place, Place::File(_)) { "à côté" } else { "à part" };
    writeln!(out, "\nLa base est dans {} (ses clés {beside}, dans {}).", database.place, database.keys)?;
    if !goes_on {
        story::what_next(&database, &mut out)?;
    }
    out.flush()?;
    if options.json {
        let Imported { accepted, refused, incomplete } = imported;
        let report = Report { accepted, refused, incomplete, figures: &figures, more: &more };
        let text = serde_json::to_string_pretty(&report).map_err(|error| Failure::new(error.to_string()))?;
        writeln!(stdout(), "{text}")?;
    }
    Ok(agrees)
}

/// What a head of service looks at: here, and as a page: beside the database if it is a file, else in the current directory.
fn look(town: &Town, organisation: &Organisation, now: Moment, out: &mut (dyn Write + Send)) -> Res<()> {
    let session = town.grc.authority(TOWN)?.session(Actor::agent("a-01"));
    let answers = pollster::block_on(Answers::ask(&session, now))?;
    head::print(out, &answers)?;
    let path = dashboard::write(&answers, organisation, &town.database.folder)?;
    writeln!(out, "\nLe tableau de bord, à ouvrir dans un navigateur : {}", path.display())?;
    Ok(())
}
