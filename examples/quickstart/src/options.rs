//! What is asked on the command line.

use crate::failure::{Failure, Res};
use lexopt::{Arg, Parser, ValueExt};
use std::{ffi::OsString, path::PathBuf};

pub(crate) const HELP: &str = "\
quickstart — a town's requests, from intake to anonymisation, on one SQLite file

USAGE
  cargo run --release -p quickstart
      Makes a database in a temporary place, plays a water leak step by step, then a year of a town of 20,000, and
      shows what a head of service looks at, here and as dashboard.html beside the database (all in French).
  cargo run --release -p quickstart -- --csv FILE --mapping FILE [--db FILE] [--json]
      Reads an export and replays every case through the engine, at its own dates.
  cargo run --release -p quickstart -- --db FILE [--retention-at DATE] [--json]
      Goes on with a database that exists: does what is due at a date, prints the figures.

OPTIONS
  --db FILE            The database; its keys are beside it (town.db, town.keys). It is made if it is not there.
                       Without it, a new one in a temporary place, whose path is printed.
  --definition DIR     Plays the story on the definition in DIR instead of the built-in one
                       (a copy of examples/quickstart/town that you changed).
  --no-year            Plays the story only.
  --now DATE           Plays the story and the year as if it were DATE, which is not in the future.
  --csv FILE           The export to read. Needs --mapping.
  --mapping FILE       Which column is what (TOML; examples in examples/quickstart/mappings).
  --refused FILE       Writes every refused row there (CSV: line, column, code, reason).
  --show N             How many refused rows are shown on standard error (20).
  --notify             Replayed cases queue their messages and start their timers; otherwise they do neither.
  --workers N          How many cases are in flight at once, of an export or of the year (32).
  --retention-at DATE  Sets the engine's clock to DATE (2027-03-01, in the town's zone, or RFC 3339) and does what
                       retention has due then, until nothing is left. What a run that was killed had in hand is
                       taken over by a run at a DATE five minutes later or more: its leases end then.
  --check FACTS        Compares the figures with all of a facts.json that they answer (totals by channel, type, month,
                       week, hour…, delays, promises, what was open when), with --mapping also by the names of its
                       columns; exit code 1 if one differs, or if nothing can be compared.
  --json               Prints the figures as one JSON object, alone on standard output; all else goes to standard
                       error.
  -h, --help           This text.

EXIT CODES
  0 done (rows may have been refused: they are counted)   1 failed, or a figure differs   2 asked wrongly
";

/// What is asked.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) db: Option<PathBuf>,
    pub(crate) definition: Option<PathBuf>,
    pub(crate) csv: Option<PathBuf>,
    pub(crate) mapping: Option<PathBuf>,
    pub(crate) refused: Option<PathBuf>,
    pub(crate) show: usize,
    pub(crate) notify: bool,
    pub(crate) workers: usize,
    pub(crate) retention_at: Option<String>,
    pub(crate) now: Option<String>,
    pub(crate) no_year: bool,
    pub(crate) check: Option<PathBuf>,
    pub(crate) json: bool,
    pub(crate) help: bool,
}

const NAMES: [&str; 15] = [
    "db",
    "definition",
    "csv",
    "mapping",
    "refused",
    "show",
    "notify",
    "workers",
    "retention-at",
    "now",
    "no-year",
    "check",
    "json",
    "help",
    "h",
];

fn wrong(text: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("{text}\nTry `quickstart --help`."))
}

impl Options {
    /// Reads the arguments.
    pub(crate) fn read(args: impl IntoIterator<Item = OsString, IntoIter: 'static>) -> Res<Self> {
        let mut options = Self { show: 20, workers: 32, ..Self::default() };
        let mut parser = Parser::from_args(args);
        while let Some(arg) = parser.next().map_err(wrong)? {
            let name = match &arg {
                Arg::Long(name) => (*name).to_owned(),
                Arg::Short(letter) => letter.to_string(),
                Arg::Value(value) => {
                    let shown = value.to_string_lossy();
                    return Err(wrong(format!(
                        "unexpected argument `{shown}`: a file needs its option, such as `--csv {shown}`"
                    )));
                }
            };
            let mut path = || parser.value().map(PathBuf::from).map_err(wrong);
            match name.as_str() {
                "db" => options.db = Some(path()?),
                "definition" => options.definition = Some(path()?),
                "csv" => options.csv = Some(path()?),
                "mapping" => options.mapping = Some(path()?),
                "refused" => options.refused = Some(path()?),
                "check" => options.check = Some(path()?),
                "show" => options.show = number(&mut parser, "show", 0, 1_000_000)?,
                "workers" => options.workers = number(&mut parser, "workers", 1, 256)?,
                "retention-at" => options.retention_at = Some(text(&mut parser)?),
                "now" => options.now = Some(text(&mut parser)?),
                "no-year" => options.no_year = true,
                "notify" => options.notify = true,
                "json" => options.json = true,
                "h" | "help" => options.help = true,
                unknown => return Err(unknown_option(unknown)),
            }
        }
        options.agree()?;
        Ok(options)
    }

    /// Options that make no sense together.
    fn agree(&self) -> Res<()> {
        let needs_csv = [
            (self.mapping.is_some(), "--mapping"),
            (self.refused.is_some(), "--refused"),
            (self.notify, "--notify"),
        ];
        match (&self.csv, &self.mapping) {
            (Some(_), None) => {
                return Err(wrong(
                    "`--csv` needs `--mapping FILE`, which says what each column is (examples: \
                     examples/quickstart/mappings)",
                ));
            }
            (None, _) => {
                if let Some((_, name)) = needs_csv.iter().find(|(given, _)| *given) {
                    return Err(wrong(format!("`{name}` goes with `--csv FILE`")));
                }
            }
            _ => {}
        }
        if self.csv.is_some() && self.definition.is_some() {
            return Err(wrong(
                "`--definition` is for the story; with `--csv` the definition is made from the mapping and the file",
            ));
        }
        let of_story = [(self.no_year, "--no-year"), (self.now.is_some(), "--now")];
        if self.goes_on()
            && let Some((_, name)) = of_story.iter().find(|(given, _)| *given)
        {
            return Err(wrong(format!("`{name}` is for the story, which is played only on a new database")));
        }
        if self.retention_at.is_some() && self.csv.is_none() && self.db.is_none() {
            return Err(wrong(
                "`--retention-at` needs a database: give `--db FILE`, or `--csv` to import one first",
            ));
        }
        Ok(())
    }

    /// Whether something is to be done on what is there, so that nothing is generated.
    pub(crate) fn goes_on(&self) -> bool {
        self.csv.is_some()
            || self.retention_at.is_some()
            || self.db.as_ref().is_some_and(|path| path.exists())
    }
}

fn text(parser: &mut Parser) -> Res<String> {
    parser.value().and_then(|value| value.string()).map_err(wrong)
}

fn number(parser: &mut Parser, name: &str, least: usize, most: usize) -> Res<usize> {
    text(parser)?
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| wrong(format!("`--{name}` wants a number from {least} to {most}")))
}

fn unknown_option(name: &str) -> Failure {
    let dashes = if name.chars().count() == 1 { "-" } else { "--" };
    let near = NAMES
        .iter()
        .map(|known| (distance(name, known), known))
        .filter(|(distance, known)| *distance <= 2 && known.len() > 1)
        .min();
    wrong(match near {
        Some((_, known)) => format!("unknown option `{dashes}{name}`; did you mean `--{known}`?"),
        None => format!("unknown option `{dashes}{name}`"),
    })
}

/// How many characters must be changed, added or left out to make one text of the other.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, up) in b.iter().zip(row.iter().skip(1)) {
            left = (before + usize::from(x != *y)).min(left + 1).min(up + 1);
            before = *up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
