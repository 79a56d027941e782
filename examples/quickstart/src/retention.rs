//! What retention has due at a date.

use crate::{
    clock::seconds_since,
    dates,
    failure::{Failure, Res},
    figures::grouped,
    town::{TOWN, Town},
};
use grc_core::{Budget, Clock, Host, SystemClock, engine::WorkReport};
use std::io::Write;

/// Workers that take due tasks side by side; the leases keep them apart.
const WORKERS: usize = 16;

fn done(report: &WorkReport) -> u64 {
    report.anonymised
        + report.sent
        + report.fired
        + report.destroyed
        + report.dropped
        + report.dead
        + report.months
}

fn add(all: &mut WorkReport, one: &WorkReport) {
    all.anonymised += one.anonymised;
    all.fired += one.fired;
    all.destroyed += one.destroyed;
    all.dropped += one.dropped;
    all.later += one.later;
    all.dead += one.dead;
    all.months += one.months;
}

/// One round of all workers.
fn round(host: &Host, workers: usize) -> Res<WorkReport> {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..workers).map(|_| scope.spawn(|| pollster::block_on(host.work(None, Budget::ALL)))).collect();
        let mut all = WorkReport::default();
        for thread in threads {
            let report = thread.join().map_err(|_| Failure::new("a thread of the work broke down"))??;
            add(&mut all, &report);
        }
        Ok(all)
    })
}

/// Sets the engine's clock to a date and does what is due then, until nothing is left; then the clock is the system's
/// again.
pub(crate) fn run(town: &Town, date: &str, out: &mut (dyn Write + Send)) -> Res<()> {
    let host = town.grc.authority(TOWN)?.host("conservation");
    let zone = pollster::block_on(host.definition())?.organisation.time_zone;
    let at = dates::of_option("retention-at", date, zone)?;
    let start = SystemClock.now();
    town.clock.set(at.into());
    let mut all = WorkReport::default();
    let mut workers = WORKERS;
    loop {
        let report = round(&host, workers)?;
        add(&mut all, &report);
        if done(&report) == 0 {
            break;
        }
        // What is left after the first round is little: keys of months, and what workers left to one another.
        workers = if report.anonymised > 0 { WORKERS } else { 1 };
    }
    let swept = pollster::block_on(host.sweep())?;
    let scrubbed = pollster::block_on(host.scrub())?;
    town.clock.release();
    writeln!(
        out,
        "Conservation au {} : {} demandes anonymisées, {} effacements dont les clés sont détruites, {} clés de mois \
         détruites, {} fichiers retirés, en {:.1} s",
        at.with_timezone(&zone).format("%d/%m/%Y %H:%M"),
        grouped(all.anonymised),
        grouped(all.destroyed),
        grouped(all.months),
        grouped(swept),
        seconds_since(start)
    )?;
    if all.later + all.dead > 0 {
        writeln!(out, "  {} tâches remises à plus tard, {} abandonnées", all.later, all.dead)?;
    }
    for left in &scrubbed.could_not {
        writeln!(out, "  Ce que la base ne peut pas effacer elle-même : {left}")?;
    }
    Ok(())
}
