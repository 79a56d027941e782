//! Prints the comparison; `cargo xtask compare` runs it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its outputs"
)]

use grc_benches::{
    Res,
    compare::{Beside, Line, Size, aim, run},
    peer::Peer,
    place::Kind,
};
use lexopt::prelude::{Long, Short, ValueExt};
use std::{path::PathBuf, process::ExitCode};

const HELP: &str = "\
How fast the library is beside others, on this machine, in one run: beside the same writes by hand (raw); through Python,
beside the engine without it (python) and beside Django doing the same work (django), both on SQLite.

  --quick          fewer rounds, 5,000 requests where lists and figures are read (full: 100,000)
  --requests N     how many requests there are where lists and figures are read
  --store NAME     only this store: memory, sqlite, mariadb
  --peer NAME      only this peer: raw, python, django; may be given again
  --python PATH    a Python with the bindings and the packages of benches/python/requirements.txt
  --json           an array of {scenario, store, callers, ours, peer, theirs, ratio}; the table goes to standard error";

struct Options {
    beside: Beside,
    stores: Vec<Kind>,
    json: bool,
}

/// None if only help was asked for.
fn read() -> Result<Option<Options>, lexopt::Error> {
    let (mut quick, mut json, mut requests, mut stores) = (false, false, None, Kind::ALL.to_vec());
    let (mut peers, mut python): (Vec<Peer>, Option<PathBuf>) = (Vec::new(), None);
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
            Long("peer") => {
                let name = parser.value()?.string()?;
                let peer = Peer::ALL.into_iter().find(|peer| peer.name() == name);
                peers.push(peer.ok_or_else(|| format!("there is no peer `{name}`: raw, python or django"))?);
            }
            Long("python") => {
                python = Some(std::path::absolute(parser.value()?).map_err(|error| error.to_string())?)
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
    if peers.is_empty() {
        peers = Peer::ALL.to_vec();
    }
    if !peers.contains(&Peer::Raw) && !stores.contains(&Kind::Sqlite) {
        return Err("the peers `python` and `django` are there on `sqlite` only".into());
    }
    Ok(Some(Options { beside: Beside { peers, python, size }, stores, json }))
}

fn compare(options: &Options) -> Res<()> {
    let mut lines = Vec::new();
    let say = |text: &str| if options.json { eprintln!("{text}") } else { println!("{text}") };
    let Size { rounds, requests, .. } = options.beside.size;
    say(&format!(
        "a second, medians of {rounds} rounds in turn; lists and figures among {requests} requests (in memory: at most 2,000)\n"
    ));
    say("scenario    store    callers  peer          ours      theirs   ratio");
    for kind in &options.stores {
        let show = |line: &Line| {
            let Line { scenario, store, callers, ours, peer, theirs, ratio } = line;
            let more = match *peer {
                "python" => format!("  {:+.0} us a call", line.overhead()),
                _ => String::new(),
            };
            say(&format!(
                "{scenario:<11} {store:<8} {callers:>7}  {peer:<7} {ours:>10.1} {theirs:>11.1} {ratio:>7.2}{more}"
            ));
        };
        let (of_kind, flush) = run(*kind, &options.beside, show)?;
        for line in &of_kind {
            if let Some(aim) = aim(line, flush) {
                let Line { scenario, callers, peer, ratio, .. } = line;
                let word = if *ratio >= aim { "reached" } else { "NOT reached" };
                say(&format!("  aim for {scenario} by {callers} beside {peer}: {aim}, {word} ({ratio:.2})"));
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
