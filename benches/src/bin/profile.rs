//! Does one thing over and over, for a profiler to look at: see docs/performance.md.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its outputs"
)]

use grc_benches::{
    Res, many,
    place::{Kind, Place},
    spent::Call,
    timing::now,
    town::{AGENT, Town},
};
use lexopt::prelude::{Long, Short, Value, ValueExt};
use std::{process::ExitCode, time::Duration};

const HELP: &str = "\
profile [intake | transition | import | list | measure | authorities]

  --store NAME   memory, sqlite (this one if none is named), mariadb
  --callers N    how many at once
  --count N      how often; how many authorities
  --requests N   among how many requests lists and figures are (5000)";

struct Options {
    what: String,
    store: Kind,
    callers: usize,
    count: usize,
    requests: usize,
}

/// So many at a time.
const CHUNK: usize = 1_000;

/// The memory that the process has, in MiB.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib / 1_024)
}

/// None if only help was asked for.
fn read() -> Result<Option<Options>, lexopt::Error> {
    let mut out = Options {
        what: "transition".to_owned(),
        store: Kind::Sqlite,
        callers: 1,
        count: 2_000,
        requests: 5_000,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(what) => out.what = what.string()?,
            Long("store") => {
                let name = parser.value()?.string()?;
                let known = Kind::ALL.into_iter().find(|kind| kind.name() == name);
                out.store = known.ok_or("the stores are memory, sqlite and mariadb")?;
            }
            Long("callers") => out.callers = parser.value()?.parse()?,
            Long("count") => out.count = parser.value()?.parse()?,
            Long("requests") => out.requests = parser.value()?.parse()?,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(out))
}

fn run(options: &Options) -> Res<()> {
    let Options { what, store, callers, count, requests } = options;
    let (callers, count) = (*callers, *count);
    let place = Place::new(*store)?;
    if what == "authorities" {
        return many::run(place.ours("profile")?, count, |line| println!("{line}"));
    }
    let town = Town::open(place.ours("profile")?)?;
    let forget = || Call::ALL.map(|call| town.spent.take(call));
    forget();
    let took = match what.as_str() {
        "intake" => {
            // What is recorded for a comparison by hand is let go, so that the memory is the library's.
            let mut took = Duration::ZERO;
            let mut first = None;
            for from in (0..count).step_by(CHUNK) {
                took += town.receive(callers, from, CHUNK.min(count - from))?.1;
                town.committed();
                first = first.or_else(resident);
            }
            if let (Some(first), Some(last)) = (first, resident()) {
                println!("memory: {first} MiB after the first {CHUNK}, {last} MiB in the end");
            }
            took
        }
        "transition" => {
            let (ids, _) = town.receive(16, 0, count)?;
            forget();
            town.assign(callers, &ids)?
        }
        "import" => town.import(callers, 0, count)?,
        "list" | "measure" => {
            let (ids, _) = town.receive(16, 0, *requests)?;
            let own: Vec<_> = ids.into_iter().step_by(50).collect();
            town.assign(16, &own)?;
            forget();
            let begun = now();
            for _ in 0..count {
                if what == "list" {
                    town.page(AGENT, 50)?;
                } else {
                    town.by_service()?;
                }
            }
            begun.elapsed()
        }
        _ => return Err(HELP.into()),
    };
    let each = took.as_secs_f64() * 1_000.0 / count.max(1) as f64;
    println!("{what}: {count} in {:.2} s, {each:.3} ms each", took.as_secs_f64());
    let mut rest = each * callers as f64;
    for call in Call::ALL {
        let (times, waited) = town.spent.take(call);
        let waited = waited.as_secs_f64() * 1_000.0 / count.max(1) as f64;
        rest -= waited;
        println!(
            "  {:<8} {:>5.2} times, {waited:.3} ms",
            format!("{call:?}"),
            times as f64 / count.max(1) as f64
        );
    }
    println!("  the engine itself, {rest:.3} ms");
    Ok(())
}

fn main() -> ExitCode {
    let failed = match read() {
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(Some(options)) => run(&options).err().map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    };
    match failed {
        None => ExitCode::SUCCESS,
        Some(error) => {
            eprintln!("profile: {error}");
            ExitCode::FAILURE
        }
    }
}
