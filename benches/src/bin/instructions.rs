//! Counts the instructions of the core's main paths, which do not depend on what else the machine does, and compares them
//! with budgets; `cargo xtask instructions` runs it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks through its outputs"
)]

use grc_benches::{
    Res,
    pure::{Pure, SLOT},
};
use grc_core::{KeyId, SeededEntropy, canonical, request, vault};
use std::{
    hint::black_box,
    process::{Command, ExitCode},
};
use uuid::Uuid;

/// A path, and how many instructions it may take. Whoever makes one dearer raises its budget in the same change, with the
/// reason.
struct Path {
    name: &'static str,
    budget: u64,
    walk: fn(&Pure) -> Res<()>,
}

const PATHS: [Path; 11] = [
    Path { name: "decide an intake", budget: 215_000, walk: |pure| pure.decide_intake().and_then(keep) },
    Path {
        name: "decide an assignment and apply it",
        budget: 13_800,
        walk: |pure| pure.decide_and_apply_quietly().and_then(keep),
    },
    Path {
        name: "decide a transition that tells",
        budget: 149_000,
        walk: |pure| pure.decide().and_then(keep),
    },
    Path {
        name: "decide it and apply it",
        budget: 165_000,
        walk: |pure| pure.decide_and_apply().and_then(keep),
    },
    Path { name: "what an agent may read of a request", budget: 7_000, walk: |pure| keep(pure.redact()) },
    Path { name: "seal a value", budget: 32_000, walk: seal },
    Path {
        name: "open a value",
        budget: 26_200,
        walk: |pure| keep(vault::open(&pure.context, &pure.key, &pure.sealed)?),
    },
    Path { name: "encode an event", budget: 49_500, walk: |pure| keep(event(pure)?) },
    Path {
        name: "encode and decode an event",
        budget: 115_000,
        walk: |pure| keep(request::Event::<request::RequestEvent>::from_bytes(&event(pure)?)?),
    },
    Path { name: "encode a state", budget: 85_500, walk: |pure| keep(canonical::to_bytes(&pure.request)?) },
    Path {
        name: "encode and decode a state",
        budget: 173_000,
        walk: |pure| {
            let bytes = canonical::to_bytes(&pure.request)?;
            keep(serde_json::from_slice::<request::Request>(&bytes)?)
        },
    },
];

fn keep<T>(value: T) -> Res<()> {
    black_box(value);
    Ok(())
}

fn seal(pure: &Pure) -> Res<()> {
    let key = KeyId::from_uuid(Uuid::from_u128(2));
    keep(vault::seal(&pure.context, SLOT, key, &pure.key, &pure.value, &SeededEntropy::new(1))?)
}

fn event(pure: &Pure) -> Res<Vec<u8>> {
    Ok(pure.events.first().ok_or("there is no event")?.to_bytes()?)
}

/// How often a path is walked: the difference between the two counts is of the path alone.
const FEW: u64 = 2;
const MANY: u64 = 52;

/// The instructions of a whole run of this program that walks a path so often.
fn count(n: usize, times: u64) -> Res<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(std::env::current_exe()?).arg(n.to_string()).arg(times.to_string());
    let run = command.output().map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    if !run.status.success() {
        return Err(said.into());
    }
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    Ok(collected.ok_or("valgrind says no count")?.1.trim().parse()?)
}

fn compare() -> Res<()> {
    let mut wrong = Vec::new();
    println!("{:<40} {:>10} {:>10}", "instructions", "found", "budget");
    for (n, Path { name, budget, .. }) in PATHS.iter().enumerate() {
        let found = (count(n, MANY)? - count(n, FEW)?) / (MANY - FEW);
        println!("{name:<40} {found:>10} {budget:>10}");
        if found > *budget {
            wrong.push(format!("`{name}` takes {found}, more than {budget}"));
        } else if found < budget * 4 / 5 {
            wrong.push(format!("`{name}` takes {found}, far below {budget}: lower the budget"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn run() -> Res<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, times] = arguments.as_slice() else { return compare() };
    let path = PATHS.get(path.parse::<usize>()?).ok_or("there is no such path")?;
    let pure = Pure::new()?;
    (0..times.parse::<u64>()?).try_for_each(|_| (path.walk)(&pure))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
