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
use grc_core::{Clock, Definition, Moment, SystemClock};
use play::Players;
use std::{collections::BTreeSet, io::Write};

/// What the definition lacks of what the year speaks of.
fn missing(definition: &Definition) -> BTreeSet<&'static str> {
    let organisation = &definition.organisation;
    let types = kinds::KINDS.iter().map(|kind| kind.id);
    let types = types.filter(|id| !definition.procedures.contains_key(*id));
    let suppliers = kinds::KINDS.iter().flat_map(|kind| kind.suppliers.iter().copied());
    let suppliers = suppliers.filter(|id| organisation.suppliers.iter().all(|known| known.id != **id));
    let crews = || kinds::KINDS.iter().map(|kind| kind.crew);
    let teams = crews().map(|crew| crew.team).filter(|id| organisation.team(id).is_none());
    let agents = crews().flat_map(|crew| crew.agents.iter().copied().chain([crew.head]));
    let agents = agents.chain(["a-17", "a-18"]).filter(|id| organisation.agent(id).is_none());
    let role = Some(play::ROLE).filter(|role| !organisation.has_role(role));
    types.chain(suppliers).chain(teams).chain(agents).chain(role).collect()
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
