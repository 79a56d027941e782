//! What is asked on the command line.

use crate::{
    failure::{Failure, Res},
    place::Place,
};
use lexopt::{Arg, Parser, ValueExt};
use std::{ffi::OsString, path::PathBuf};

pub(crate) const HELP: &str = "\
quickstart — a town's requests, from intake to anonymisation, on one SQLite file or a MySQL or MariaDB server

USAGE
  cargo run --release -p quickstart
      Makes a database in a temporary place, plays a water leak step by step, then a year of a town of 20,000, and
      shows what a head of service looks at, here and as dashboard.html beside the database (all in French).
  cargo run --release -p quickstart -- --db mysql://user:password@host:port/database
      The same in an empty database of a MySQL or MariaDB server; dashboard.html is in the current directory.
  cargo run --release -p quickstart -- --csv FILE --mapping FILE [--db PLACE] [--json]
      Reads an export and replays every case through the engine, at its own dates.
  cargo run --release -p quickstart -- --db PLACE [--retention-at DATE] [--json]
      Goes on with a database that exists: does what is due at a date, prints the figures.

OPTIONS
  --db PLACE           The database. A path: an SQLite file, made if it is not there, its keys beside it (town.db,
                       town.keys). mysql://user:password@host:port/database (or mariadb://…): a database of a server,
                       which must be there; its tables are made. Special characters of the password are written %XX;
                       ?ssl-mode=…&ssl-ca=FILE may follow. No password is ever printed.
                       Without it, a new file in a temporary place, whose path is printed.
  --keys PLACE         Where the keys of a database of a server are: a file, or another database, best of another
                       server (mysql://…). Without it, in <database>.keys in the current directory.
  --definition DIR     Plays the story on the definition in DIR instead of the built-in one
                       (a copy of examples/quickstart/town that you changed).
  --no-year            Plays the story only.
  --now DATE           Plays the story and the year as if it were DATE, which is not in the future.
  --csv FILE           The export to read. Needs --mapping.
  --mapping FILE       Which column is what (TOML; examples in examples/quickstart/mappings).
  --refused FILE       Writes every refused row there (CSV: line, column, code, reason).
  --show N             How many refused rows are shown on standard error (20).
  --notify             Replayed cases queue their messages and start their timers; otherwise they do neither.
  --workers N          How many cases are in flight at once, of an export or of the year (32). On a server each has a
                       connection, up to 64.
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
    pub(crate) db: Option<Place>,
    pub(crate) keys: Option<Place>,
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

const NAMES: [&str; 16] = [
    "db",
    "keys",
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
                    return Err(wrong(if shown.contains("://") {
                        "unexpected argument: an address needs its option, `--db`".to_owned()
                    } else {
                        format!(
                            "unexpected argument `{shown}`: a file needs its option, such as `--csv {shown}`"
                        )
                    }));
                }
            };
            match name.as_str() {
                "db" => options.db = Some(place(&mut parser, "db")?),
                "keys" => options.keys = Some(place(&mut parser, "keys")?),
                "definition" => options.definition = Some(path(&mut parser)?),
                "csv" => options.csv = Some(path(&mut parser)?),
                "mapping" => options.mapping = Some(path(&mut parser)?),
                "refused" => options.refused = Some(path(&mut parser)?),
                "check" => options.check = Some(path(&mut parser)?),
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
        if self.keys.is_some() && !matches!(self.db, Some(Place::Server(_))) {
            return Err(wrong(
                "`--keys` goes with `--db mysql://…`: the keys of a file are beside it, and stay there",
            ));
        }
        self.goes_on(self.db.as_ref().is_some_and(Place::is_file_there))?;
        if self.retention_at.is_some() && self.csv.is_none() && self.db.is_none() {
            return Err(wrong(
                "`--retention-at` needs a database: give `--db PLACE`, or `--csv` to import one first",
            ));
        }
        Ok(())
    }

    /// Whether something is to be done on what is there, so that nothing is generated; refuses what is asked for the
    /// story then.
    pub(crate) fn goes_on(&self, is_there: bool) -> Res<bool> {
        let goes_on = self.csv.is_some() || self.retention_at.is_some() || is_there;
        let of_story = [(self.no_year, "--no-year"), (self.now.is_some(), "--now")];
        match of_story.iter().find(|(given, _)| goes_on && *given) {
            Some((_, name)) => {
                Err(wrong(format!("`{name}` is for the story, which is played only on a new database")))
            }
            None => Ok(goes_on),
        }
    }
}

fn path(parser: &mut Parser) -> Res<PathBuf> {
    parser.value().map(PathBuf::from).map_err(wrong)
}

fn place(parser: &mut Parser, name: &str) -> Res<Place> {
    Place::read(name, parser.value().map_err(wrong)?)
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
        .map(|known| (strsim::levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= 2 && known.len() > 1)
        .min();
    wrong(match near {
        Some((_, known)) => format!("unknown option `{dashes}{name}`; did you mean `--{known}`?"),
        None => format!("unknown option `{dashes}{name}`"),
    })
}
