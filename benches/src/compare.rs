//! The comparison: scenarios, rounds, figures.

use crate::{
    Res, beside, flush,
    pair::Pair,
    peer::Peer,
    place::{Kind, Place},
    rates::Rates,
    timing::now,
    town::AGENT,
};
use serde::Serialize;
use std::{path::PathBuf, time::Duration};

/// How much is compared.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Rounds, ours and theirs in turn.
    pub rounds: usize,
    /// Things done a round by one caller.
    pub count: usize,
    /// Requests that there are where lists and figures are read.
    pub requests: usize,
}

/// What is compared with what.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The peers that are wanted.
    pub peers: Vec<Peer>,
    /// A Python that has the bindings and the packages of `benches/python/requirements.txt`.
    pub python: Option<PathBuf>,
    /// How much.
    pub size: Size,
}

/// A line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// What was done.
    pub scenario: &'static str,
    /// On what.
    pub store: &'static str,
    /// By how many at once.
    pub callers: usize,
    /// How often a second by the library.
    pub ours: f64,
    /// Beside what.
    pub peer: &'static str,
    /// How often a second by that.
    pub theirs: f64,
    /// Ours over theirs.
    pub ratio: f64,
}

impl Line {
    /// How many microseconds longer a call of ours takes; less than none if it is faster.
    pub fn overhead(&self) -> f64 {
        (1.0 / self.ours - 1.0 / self.theirs) * 1e6
    }
}

/// What is aimed at: a least ratio.
pub fn aim(line: &Line, flush: Duration) -> Option<f64> {
    match (line.peer, line.scenario, line.store, line.callers) {
        ("raw", "intake" | "transition", "sqlite", 1) | ("raw", "intake" | "transition", "mariadb", 16) => {
            Some(0.8)
        }
        ("raw", "intake", "sqlite", 16) => Some(if flush >= Duration::from_millis(1) { 3.0 } else { 1.0 }),
        ("raw", "import", "sqlite", _) => Some(0.6),
        ("django", _, _, 1) => Some(3.0),
        ("django", ..) => Some(8.0),
        _ => None,
    }
}

/// How many are at work where many are.
pub(crate) const MANY: usize = 16;
/// How many transactions are one where rows are taken over by hand: those of a hundred cases, of four each.
const GROUPED: usize = 400;

/// Runs all scenarios on a kind of store; answers the lines, and how long a flush takes there.
///
/// # Errors
/// If anything fails, or both sides do not hold the same in the end.
pub fn run(kind: Kind, wanted: &Beside, mut say: impl FnMut(&Line)) -> Res<(Vec<Line>, Duration)> {
    let place = Place::new(kind)?;
    let flush = flush::time(place.directory())?;
    let mut lines = Vec::new();
    let mut push = |line: Line| {
        say(&line);
        lines.push(line);
    };
    for peer in &wanted.peers {
        match peer {
            Peer::Raw => by_hand(&place, within(kind, wanted.size), &mut push)?,
            Peer::Python | Peer::Django if kind == Kind::Sqlite => {
                let python = wanted.python.as_deref().ok_or(
                    "where is a Python with the bindings? `cargo xtask compare` makes one and says so with `--python`",
                )?;
                beside::run(&place, python, *peer, wanted.size, &mut push)?;
            }
            Peer::Python | Peer::Django => {}
        }
    }
    Ok((lines, flush))
}

/// Beside the same writes by hand.
fn by_hand(place: &Place, size: Size, push: &mut impl FnMut(Line)) -> Res<()> {
    for callers in [1, MANY] {
        push(intake(place, size, callers)?);
    }
    for callers in [1, MANY] {
        push(transition(place, size, callers)?);
    }
    push(import(place, size)?);
    for line in read(place, size)? {
        push(line);
    }
    Ok(())
}

/// The reference copies all of its maps at each commit, so that all or nothing is obvious: it is not filled further, neither
/// before nor by what is compared.
const IN_MEMORY: usize = 2_000;

/// So much that nothing is filled further than it bears.
const fn within(kind: Kind, size: Size) -> Size {
    let most = IN_MEMORY / (size.rounds * MORE);
    let count = if matches!(kind, Kind::Memory) && size.count > most { most } else { size.count };
    Size { count, ..size }
}

/// How many times as much is done a round by many at once.
const MORE: usize = 4;

/// More at once do more a round.
pub(crate) const fn done(size: Size, callers: usize) -> usize {
    if callers == 1 { size.count } else { size.count * MORE }
}

fn intake(place: &Place, size: Size, callers: usize) -> Res<Line> {
    let mut pair = Pair::new(place, &format!("intake{callers}"))?;
    let count = done(size, callers);
    let rates = Rates::rounds(size, count, |n| {
        let (_, ours) = pair.town.receive(callers, n * count, count)?;
        Ok((ours, pair.follow(callers, 1)?))
    })?;
    pair.check()?;
    Ok(rates.line("intake", place.kind().name(), callers, Peer::Raw))
}

fn transition(place: &Place, size: Size, callers: usize) -> Res<Line> {
    let mut pair = Pair::new(place, &format!("transition{callers}"))?;
    let count = done(size, callers);
    let rates = Rates::rounds(size, count, |n| {
        let (ids, _) = pair.town.receive(MANY, n * count, count)?;
        pair.follow(1, GROUPED)?;
        let ours = pair.town.assign(callers, &ids)?;
        Ok((ours, pair.follow(callers, 1)?))
    })?;
    pair.check()?;
    Ok(rates.line("transition", place.kind().name(), callers, Peer::Raw))
}

fn import(place: &Place, size: Size) -> Res<Line> {
    let mut pair = Pair::new(place, "import")?;
    let count = done(size, MANY) / 2;
    let rates = Rates::rounds(size, count, |n| {
        let ours = pair.town.import(MANY, n * count, count)?;
        Ok((ours, pair.follow(1, GROUPED)?))
    })?;
    pair.check()?;
    Ok(rates.line("import", place.kind().name(), MANY, Peer::Raw))
}

/// A list and a figure where there are many requests, one in fifty of them the agent's own.
fn read(place: &Place, size: Size) -> Res<[Line; 2]> {
    const PAGE: u32 = 50;
    let mut pair = Pair::new(place, "filled")?;
    let most = if place.kind() == Kind::Memory { IN_MEMORY } else { usize::MAX };
    let (mut from, requests) = (0, size.requests.min(most));
    while from < requests {
        let count = 1_000.min(requests - from);
        let (ids, _) = pair.town.receive(MANY, from, count)?;
        let own: Vec<_> = ids.into_iter().step_by(50).collect();
        pair.town.assign(MANY, &own)?;
        pair.follow(1, GROUPED)?;
        from += count;
    }
    pair.check()?;
    let pages = size.count.min(100);
    let list = Rates::rounds(size, pages, |_| {
        let begun = now();
        let ours: usize = (0..pages).map(|_| pair.town.page(AGENT, PAGE)).sum::<Res<usize>>()?;
        let ours_took = begun.elapsed();
        let begun = now();
        let theirs: usize = (0..pages).map(|_| pair.hand.page(AGENT, PAGE)).sum::<Res<usize>>()?;
        if ours != theirs || theirs == 0 {
            return Err(format!("the lists differ: ours {ours}, by hand {theirs}").into());
        }
        Ok((ours_took, begun.elapsed()))
    })?
    .line("list", place.kind().name(), 1, Peer::Raw);
    let measure = Rates::rounds(size, 1, |_| {
        let begun = now();
        let ours = pair.town.by_service()?;
        let ours_took = begun.elapsed();
        let begun = now();
        let theirs = pair.hand.by_service()?;
        let took = begun.elapsed();
        if ours != theirs {
            return Err(format!("the figures differ: ours {ours:?}, by hand {theirs:?}").into());
        }
        Ok((ours_took, took))
    })?
    .line("measure", place.kind().name(), 1, Peer::Raw);
    Ok([list, measure])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each scenario once, and the names by which others read the figures.
    #[test]
    fn each_scenario_gives_a_line_with_the_names_that_are_promised() {
        let size = Size { rounds: 1, count: 2, requests: 60 };
        let wanted = Beside { peers: vec![Peer::Raw], python: None, size };
        for (kind, name) in [(Kind::Memory, "memory"), (Kind::Sqlite, "sqlite")] {
            let mut said = 0;
            let (lines, _) = run(kind, &wanted, |_| said += 1).unwrap();
            assert_eq!(said, lines.len());
            let scenarios: Vec<_> = lines.iter().map(|line| (line.scenario, line.callers)).collect();
            assert_eq!(
                scenarios,
                [
                    ("intake", 1),
                    ("intake", 16),
                    ("transition", 1),
                    ("transition", 16),
                    ("import", 16),
                    ("list", 1),
                    ("measure", 1)
                ]
            );
            for line in lines {
                let json = serde_json::to_value(&line).unwrap();
                let names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
                assert_eq!(names, ["callers", "ours", "peer", "ratio", "scenario", "store", "theirs"]);
                assert_eq!((line.store, line.peer), (name, "raw"));
                assert!(line.ours > 0.0 && line.theirs > 0.0 && line.ratio == line.ours / line.theirs);
            }
        }
    }
}
