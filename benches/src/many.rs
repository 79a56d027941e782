//! What it costs to have many authorities in one store and in one engine, each with next to nothing to do.

use crate::{
    Res,
    timing::now,
    town::{definition, intake},
};
use grc_core::{Actor, Authority, Budget, Grc, Stores};
use pollster::block_on;
use std::time::Duration;

/// Publishes a definition for so many authorities, receives a request in each, opens an engine anew, and lets it look
/// whether there is anything to be done; says what each of it took, and what an engine keeps of an authority.
///
/// # Errors
/// If something is refused.
pub fn run(stores: Stores, count: usize, say: impl Fn(&str)) -> Res<()> {
    let definition = definition()?;
    let each = |what: &str, took: Duration| {
        say(&format!("{what}: {:.3} ms each", took.as_secs_f64() * 1_000.0 / count.max(1) as f64));
    };
    let submit = |grc: &Grc, count: usize, what: &str| -> Res<()> {
        let begun = now();
        for (n, town) in authorities(grc, count)?.iter().enumerate() {
            block_on(town.session(Actor::agent("a-17")).submit(intake(n)))?;
        }
        each(what, begun.elapsed());
        Ok(())
    };
    let writes = block_on(Grc::open(stores.clone()))?;
    let before = resident()?;
    let begun = now();
    for town in authorities(&writes, count)? {
        block_on(town.host("bench").publish(&definition))?;
    }
    each("a definition is published", begun.elapsed());
    submit(&writes, count, "the first request of each")?;
    submit(&writes, count, "the second")?;
    let kept = resident()?.saturating_sub(before) as f64 / count.max(1) as f64;
    say(&format!("an engine keeps of an authority at most {kept:.1} KiB"));
    drop(writes);

    let reads = block_on(Grc::open(stores))?;
    submit(&reads, count, "the next one, in an engine that was just opened")?;
    for pass in ["first", "second"] {
        let begun = now();
        for town in authorities(&reads, count)? {
            block_on(town.host("bench").work(None, Budget::ALL))?;
        }
        each(&format!("a {pass} look at what is due, which is nothing"), begun.elapsed());
    }
    Ok(())
}

fn authorities(grc: &Grc, count: usize) -> Res<Vec<Authority>> {
    (0..count).map(|n| Ok(grc.authority(&format!("town-{n}"))?)).collect()
}

/// The memory of this process, in KiB, as Linux counts it.
fn resident() -> Res<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
