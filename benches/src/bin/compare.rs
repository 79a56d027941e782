//! Prints the comparison; `cargo xtask compare` runs it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its outputs"
)]

use grc_benches::{
    Res,
    compare::{Line, Size, aim, run},
    place::Kind,
};
use lexopt::prelude::{Long, Short, ValueExt};
use std::process::ExitCode;

const HELP: &str = "\
How fast the library is beside the same writes by hand, on this machine, in one run.

  --quick          fewer rounds, 5,000 requests where lists and figures are read (full: 100,000)
  --requests N     how many requests there are where lists and figures are read
  --store NAME     only this store: memory, sqlite, mariadb
  --json           an array of {scenario, store, callers, ours, peer, theirs, ratio}; the table goes to standard error";

struct Options {
    size: Size,
    stores: Vec<Kind>,
    json: bool,
}

/// None if only help was asked for.
fn read() -> Result<Option<Options>, lexopt::Error> {
    let (mut quick, mut json, mut requests, mut stores) = (false, false, None, Kind::ALL.to_vec());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("quick") => quick = true,
            Long("json") => json = true,
            Long("requests") => requests = Some(parser.value()?.parse()?),
            Long("store") => {
                let name = parser.value()?.string()?;
                stores.retain(|kind| kind.name() == name);
                if stores.is_empty() {
                    return Err(format!("there is no store `{name}`: memory, sqlite or mariadb").into());
                }
            }
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let mut size = if quick {
        Size { rounds: 3, count: 100, requests: 5_000 }
    } else {
        Size { rounds: 9, count: 400, requests: 100_000 }
    };
    size.requests = requests.unwrap_or(size.requests);
    Ok(Some(Options { size, stores, json }))
}

fn compare(options: &Options) -> Res<()> {
    let mut lines = Vec::new();
    let say = |text: &str| if options.json { eprintln!("{text}") } else { println!("{text}") };
    let Size { rounds, requests, .. } = options.size;
    say(&format!(
        "a second, medians of {rounds} rounds in turn; lists and figures among {requests} requests (in memory: at most 2,000)\n"
    ));
    say("scenario    store    callers        ours     by hand   ratio");
    for kind in &options.stores {
        let show = |line: &Line| {
            let Line { scenario, store, callers, ours, theirs, ratio, .. } = line;
            say(&format!("{scenario:<11} {store:<8} {callers:>7} {ours:>11.1} {theirs:>11.1} {ratio:>7.2}"));
        };
        let (of_kind, flush) = run(*kind, options.size, show)?;
        for line in &of_kind {
            if let Some(aim) = aim(line, flush) {
                let Line { scenario, callers, ratio, .. } = line;
                let word = if *ratio >= aim { "reached" } else { "NOT reached" };
                say(&format!("  aim for {scenario} by {callers}: {aim}, {word} ({ratio:.2})"));
            }
        }
        if *kind != Kind::Memory {
            say(&format!("  a flush of this disk: {:.2} ms", flush.as_secs_f64() * 1_000.0));
        }
        lines.extend(of_kind);
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
    }
    Ok(())
}

fn main() -> ExitCode {
    let failed = match read() {
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(Some(options)) => compare(&options).err().map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    };
    match failed {
        None => ExitCode::SUCCESS,
        Some(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}
