//! The library through Python, beside the engine without it, and beside Django; on SQLite.

use crate::{
    Res,
    compare::{Line, MANY, Size, done},
    peer::Peer,
    place::Place,
    rates::Rates,
    raw::Totals,
    side::{Bindings, Desk, Engine, Scenario, Side},
};
use std::path::Path;

/// Runs all scenarios: ours through Python, theirs as the peer does it.
///
/// # Errors
/// If anything fails, or either side does not hold in the end what was asked for.
pub(crate) fn run(
    place: &Place,
    python: &Path,
    peer: Peer,
    size: Size,
    push: &mut impl FnMut(Line),
) -> Res<()> {
    for scenario in Scenario::ALL {
        for callers in [1, MANY] {
            let name = format!("{}_{}{callers}", peer.name(), scenario.name());
            let mut ours = Bindings::new(python, place, &name)?;
            let theirs = format!("{name}_theirs");
            let mut theirs: Box<dyn Side> = match peer {
                Peer::Django => Box::new(Desk::new(python, place, &theirs)?),
                Peer::Python | Peer::Raw => Box::new(Engine::new(place, &theirs)?),
            };
            let count = done(size, callers);
            let rates = Rates::rounds(size, count, |_| {
                Ok((ours.round(scenario, callers, count)?, theirs.round(scenario, callers, count)?))
            })?;
            let requests = (size.rounds + 1) * count;
            let (ours, theirs) = (ours.check(scenario, requests)?, theirs.check(scenario, requests)?);
            if theirs.is_some_and(|theirs| ours.is_none_or(|ours| fixed(ours) != fixed(theirs))) {
                return Err(
                    "the file of the engine and that written through Python hold different things".into()
                );
            }
            push(rates.line(scenario.name(), place.kind().name(), callers, peer));
        }
    }
    Ok(())
}

/// What is the same of two files in which the same was done: measures count how long things took, in fewer or more bytes.
fn fixed(mut totals: Totals) -> Totals {
    if let Some((_, bytes)) = totals.get_mut("measure") {
        *bytes = 0;
    }
    totals
}
