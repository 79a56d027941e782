//! A year of a town of 20,000: generated from a seed, and played through the engine at its own dates.

mod acts;
mod calendar;
mod dice;
mod kinds;
mod plan;
mod play;

use crate::{
    clock::seconds_since,
    failure::Res,
    figures::grouped,
    town::{TOWN, Town},
};
use calendar::Calendar;
use grc_core::{Clock, Definition, Moment, SystemClock, definition::Named};
use play::Players;
use std::{collections::BTreeSet, io::Write};

/// What the definition lacks of what the year speaks of.
fn missing(definition: &Definition) -> BTreeSet<&'static str> {
    let organisation = &definition.organisation;
    let named = |list: &[Named]| list.iter().map(|known| known.id.to_string()).collect();
    let reasons = organisation.acceptabilities.iter().flat_map(|known| &known.reasons);
    let kinds = kinds::KINDS.iter();
    let crews = || kinds::KINDS.iter().map(|kind| kind.crew);
    let agents = crews().flat_map(|crew| crew.agents.iter().copied().chain([crew.head]));
    let wanted: [(BTreeSet<String>, Vec<&'static str>); 9] = [
        (
            definition.procedures.keys().map(ToString::to_string).collect(),
            kinds.clone().map(|k| k.id).collect(),
        ),
        (
            named(&organisation.suppliers),
            kinds.clone().flat_map(|kind| kind.suppliers.iter().copied()).collect(),
        ),
        (named(&organisation.outcomes), kinds.map(|kind| kind.outcome).chain(plan::OUTCOMES).collect()),
        (named(&organisation.zones), kinds::ZONES.iter().map(|(zone, _)| *zone).collect()),
        (named(&organisation.impossibilities), plan::IMPOSSIBLE.iter().map(|(reason, _)| *reason).collect()),
        (named(&organisation.roles), vec![play::ROLE]),
        (
            reasons.map(|reason| reason.id.to_string()).collect(),
            plan::REASONS.iter().map(|(reason, _)| *reason).chain([plan::KNOWN]).collect(),
        ),
        (
            organisation.teams.iter().map(|team| team.id.to_string()).collect(),
            crews().map(|crew| crew.team).collect(),
        ),
        (
            organisation.agents.iter().map(|agent| agent.id.to_string()).collect(),
            agents.chain(plan::DESK).collect(),
        ),
    ];
    let channels = kinds::CHANNELS.iter().map(|(channel, ..)| *channel).chain(["sms"]);
    let channels = channels.filter(|id| organisation.channel(id).is_none());
    let lacks = |(known, wanted): (BTreeSet<String>, Vec<&'static str>)| {
        wanted.into_iter().filter(move |id| !known.contains(*id)).collect::<Vec<_>>()
    };
    wanted.into_iter().flat_map(lacks).chain(channels).collect()
}

/// Generates the year that ends now. Answers whether it did: with another definition it may not be able to.
pub(crate) fn play(
    town: &Town,
    definition: &Definition,
    now: Moment,
    workers: usize,
    out: &mut (dyn Write + Send),
) -> Res<bool> {
    writeln!(out, "\nUne année de la ville")?;
    writeln!(out, "=====================")?;
    let missing = missing(definition);
    if !missing.is_empty() {
        let missing: Vec<&str> = missing.into_iter().collect();
        writeln!(out, "   Pas d'année : la définition n'a pas `{}`.", missing.join("`, `"))?;
        return Ok(false);
    }
    let start = SystemClock.now();
    let organisation = &definition.organisation;
    let teams = organisation.teams.iter();
    let rates = teams.map(|team| (team.id.to_string(), i64::from(team.rate.unwrap_or(0)))).collect();
    let calendar = Calendar::new(organisation.time_zone, now.to_utc(), rates);
    let cases = plan::cases(plan::SEED, &calendar);
    let authority = town.grc.authority(TOWN)?;
    let (requests, steps) = Players { authority: &authority, workers }.play(&cases)?;
    writeln!(
        out,
        "   {} demandes d'une commune de 20 000 habitants, {} étapes passées par le moteur à leurs dates, en {:.1} s",
        grouped(requests),
        grouped(steps),
        seconds_since(start)
    )?;
    writeln!(out, "   (elles sont tirées au sort, toujours de la même façon ; --no-year s'en passe)")?;
    Ok(true)
}
