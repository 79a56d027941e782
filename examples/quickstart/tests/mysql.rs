//! On a private MariaDB: the same story, the same year and the same figures as on a file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests")]

mod boston;
#[expect(dead_code, reason = "the imports use the rest")]
mod support;
mod telling;

use private_server::{Program, Server, Setup};
use serde_json::Value as Json;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    sync::LazyLock,
};
use support::{err, json, mapping, out, run};

/// One server for all; each test has databases of its own.
static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let setup = DATABASES.iter().fold(Setup::new().program(Program::from_env()), |setup, name| {
        setup.sql(&format!("CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4"))
    });
    setup.start().unwrap_or_else(|error| panic!("{error}"))
});
const DATABASES: [&str; 5] = ["story", "year", "boston", "boston_keys", "wrong"];

/// Runs the program in a folder. Whatever it says, it does not say the password.
fn run_in(folder: &Path, args: &[&str]) -> Output {
    let output =
        Command::new(env!("CARGO_BIN_EXE_quickstart")).args(args).current_dir(folder).output().unwrap();
    for said in [out(&output), err(&output)] {
        assert!(!said.contains(SERVER.password()), "the password is shown:\n{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    output
}

#[test]
fn the_story_is_played_and_another_run_goes_on() {
    let (folder, url) = (tempfile::tempdir().unwrap(), SERVER.url("story"));
    let folder = folder.path();
    let output = run_in(folder, &["--db", &url, "--no-year"]);
    assert!(output.status.success(), "{}", err(&output));
    let text = out(&output);
    telling::check(&text);
    telling::check_order(&folder.join("bon-d-intervention.html"));
    let place = format!("mysql://grc:…@127.0.0.1:{}/story", SERVER.port());
    let keys = folder.join("story.keys").canonicalize().unwrap();
    assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(text.contains(&format!("La base : {place} ; ses clés, à part : {}\n", keys.display())), "{text}");
    assert!(text.contains(&format!("-- --db {place} --json\n")), "{text}");
    // A second run goes on with it, with its keys and with no others.
    let again = json(&run_in(folder, &["--db", &url, "--json"]));
    assert_eq!((again["total"].as_u64(), again["anonymised"].as_u64()), (Some(3), Some(1)));
    let output = run_in(folder, &["--db", &url, "--no-year"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("`--no-year` is for the story"), "{}", err(&output));
    let elsewhere = tempfile::tempdir().unwrap();
    let output = run_in(elsewhere.path(), &["--db", &url, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("story.keys") && err(&output).contains("`--keys`"), "{}", err(&output));
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "no keys are made anew");
    let there = run_in(elsewhere.path(), &["--db", &url, "--keys", keys.to_str().unwrap(), "--json"]);
    assert_eq!(json(&there), again);
    // Keys of another database are refused, and say where both are.
    let other = elsewhere.path().join("other.db");
    json(&run(&["--db", other.to_str().unwrap(), "--no-year", "--json"]));
    let other = other.with_extension("keys");
    let output = run_in(elsewhere.path(), &["--db", &url, "--keys", other.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        err(&output).contains("belongs to another store") && err(&output).contains(&place),
        "{}",
        err(&output)
    );
}

/// The numbers for programs that a dashboard has in it.
fn numbers(page: &Path) -> Json {
    let page = fs::read_to_string(page).unwrap();
    let block = page.split_once("id=\"figures\">").unwrap().1.split_once("</script>").unwrap().0;
    serde_json::from_str(block).unwrap()
}

#[test]
fn the_year_has_the_same_figures_as_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, file) = (folder.path(), folder.path().join("file"));
    fs::create_dir(&file).unwrap();
    let played = |folder: &Path, db: &str| {
        let output = run_in(folder, &["--db", db, "--now", "2026-11-20T12:00:00Z", "--json"]);
        let report = json(&output);
        println!(
            "{}",
            err(&output).lines().filter(|line| line.contains("étapes passées")).collect::<String>()
        );
        (report, numbers(&folder.join("dashboard.html")))
    };
    let (on_server, in_file) = (played(folder, &SERVER.url("year")), played(&file, "town.db"));
    assert_eq!(on_server, in_file);
    let (total, tables) = (on_server.0["total"].as_u64().unwrap(), on_server.1.as_array().unwrap().len());
    println!("{total} requests, {tables} tables are the same");
    assert!(total > 1_600 && tables == 15, "{total}, {tables}");
}

#[test]
fn an_export_has_the_same_figures_as_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (export, plain, refused) = boston::boston(400);
    fs::write(folder.path().join("export.csv"), export).unwrap();
    let (map, url, keys) = (mapping("boston-2011.toml"), SERVER.url("boston"), SERVER.url("boston_keys"));
    let places: [&[&str]; 2] = [&["--db", &url, "--keys", &keys], &["--db", "town.db"]];
    let both = |args: &[&str]| {
        let [on_server, in_file] =
            places.map(|place| json(&run_in(folder.path(), &[place, args, &["--json"]].concat())));
        assert_eq!(on_server, in_file, "{args:?}");
        on_server
    };
    let import = ["--csv", "export.csv", "--mapping", map.to_str().unwrap(), "--show", "0"];
    let first = both(&import);
    assert_eq!((&first["accepted"], &first["refused"]), (&plain.total.into(), &refused.len().into()));
    assert_eq!((&first["total"], &first["closed"]), (&plain.total.into(), &plain.hours.len().into()));
    // The same rows again are there already, and a few workers find the same.
    let again = both(&[&import[..], &["--workers", "3"]].concat());
    assert_eq!((&again["accepted"], &again["refused"]), (&0.into(), &400.into()));
    assert_eq!(both(&["--retention-at", "2011-09-01"])["anonymised"], 0);
    let forgotten = both(&["--retention-at", "2012-09-01T00:00:00Z"]);
    assert_eq!(forgotten["anonymised"], plain.hours.len());
    println!("{} requests, {} figures are the same", plain.total, first.as_object().unwrap().len());
    assert!(plain.total > 300 && first.as_object().unwrap().len() > 20);
    // The keys were where they were asked to be.
    let files: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!files.iter().any(|name| name == "boston.keys"), "{files:?}");
}

#[test]
fn what_is_wrong_with_an_address_is_said_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let url = SERVER.url("wrong");
    let (head, tail) = url.split_once(SERVER.password()).unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let with = |password: &str| format!("{head}{password}{tail}");
    for (args, code, part) in [
        (vec!["--db", &with("s3cret")], 1, "refuses the user or the password"),
        (vec!["--db", &SERVER.url("nowhere")], 1, "there is no such database"),
        (vec!["--db", &format!("mysql://grc:s3cret@127.0.0.1:{closed}/grc")], 1, "no server answers at"),
        (vec!["--db", &with("12/s3cret")], 1, "as %XX"),
        (vec!["--db", "mysql://grc:s3cret@127.0.0.1"], 1, "names no database"),
        (vec!["--db", "postgres://grc:s3cret@127.0.0.1/grc"], 2, "begins with `mysql://`"),
        (vec![&with("s3cret")], 2, "an address needs its option, `--db`"),
        (vec!["--csv", &with("s3cret"), "--mapping", "x"], 2, "the mapping x"),
        (vec![&format!("--json={}", with("s3cret"))], 2, "mysql://grc:…@"),
        (vec!["--keys", "a.keys"], 2, "`--keys` goes with `--db mysql://…`"),
        (vec!["--db", "town.db", "--keys", &with("s3cret")], 2, "`--keys` goes with `--db mysql://…`"),
        (vec!["--db", &url, "--keys", &with("s3cret")], 1, "refuses the user or the password"),
        (vec!["--db", &url, "--keys", "."], 1, "is a directory"),
        (vec!["--db", &url, "--csv", "x", "--mapping", "y", "--no-year"], 2, "`--no-year` is for the story"),
        (vec!["--db", &url, "--definition", "nowhere"], 2, "nowhere"),
    ] {
        let output = run_in(folder.path(), &args);
        let said = err(&output);
        let shown = said.replace("s3cret", "SHOWN");
        assert_eq!(output.status.code(), Some(code), "{part}: {shown}");
        assert!(said.contains(part) && !said.contains("s3cret"), "{part}: {shown}");
        assert!(out(&output).is_empty(), "{part}");
    }
}
