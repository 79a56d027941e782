//! The program is run as a user runs it: the story, and what is asked wrongly.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

#[expect(dead_code, reason = "the imports use the rest")]
mod support;
mod telling;

use std::path::Path;
use support::{err, json, out, run};

#[test]
fn the_story_is_played() {
    let output = run(&["--no-year"]);
    assert!(output.status.success(), "{}", err(&output));
    let text = out(&output);
    assert!(!text.contains("Une année de la ville"), "{text}");
    telling::check(&text);
    let path = text.split_once("La base : ").unwrap().1.split(" ;").next().unwrap();
    telling::check_order(&Path::new(path).with_file_name("bon-d-intervention.html"));
    // The file is kept, and a second call goes on with it.
    let again = json(&run(&["--db", path, "--json"]));
    assert_eq!((again["total"].as_u64(), again["anonymised"].as_u64()), (Some(3), Some(1)));
    std::fs::remove_dir_all(Path::new(path).parent().unwrap()).unwrap();
}

#[test]
fn the_story_can_be_played_on_a_changed_definition() {
    let directory = tempfile::tempdir().unwrap();
    let town = Path::new(env!("CARGO_MANIFEST_DIR")).join("town");
    for entry in std::fs::read_dir(town).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap().replace("Saint-Aubin-des-Prés", "Trifouilly");
        std::fs::write(directory.path().join(path.file_name().unwrap()), text).unwrap();
    }
    let (db, town) = (directory.path().join("t.db"), directory.path().to_str().unwrap());
    // Without what the year needs, it is left out and said so.
    let gardens = directory.path().join("espaces-verts.toml");
    std::fs::remove_file(gardens).unwrap();
    let output = run(&["--definition", town, "--db", db.to_str().unwrap()]);
    assert!(
        out(&output).contains("Pas d'année : la définition n'a pas `arbre`, `espace-vert`."),
        "{}",
        out(&output)
    );
    assert!(output.status.success() && out(&output).contains("Ville de Trifouilly"), "{}", err(&output));
    std::fs::write(directory.path().join("eau.toml"), "[procedure.fuite-eau]\nlabel = 3\n").unwrap();
    let output = run(&["--definition", town]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("eau.toml:"), "{}", err(&output));
}

#[test]
fn what_is_asked_wrongly_is_said() {
    for (args, part) in [
        (&["--cvs", "x"][..], "did you mean `--csv`?"),
        (&["--csv", "x"], "needs `--mapping FILE`"),
        (&["--mapping", "x"], "goes with `--csv FILE`"),
        (&["--no-yaer"], "did you mean `--no-year`?"),
        (&["--csv", "x", "--mapping", "y", "--no-year"], "`--no-year` is for the story"),
        (&["--now", "2199-01-01"], "`--now` is in the future"),
        (&["--now", "hier"], "`--now hier`: give a day"),
        (&["--retention-at", "2030-01-01"], "needs a database"),
        (&["x.csv"], "unexpected argument `x.csv`"),
        (&["--workers", "0"], "a number from 1 to 256"),
        (&["--csv", "x", "--mapping", "/nowhere.toml"], "the mapping /nowhere.toml"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(err(&output).contains(part), "{args:?}: {}", err(&output));
        assert!(out(&output).is_empty());
    }
    let help = run(&["--help"]);
    assert!(help.status.success() && out(&help).contains("--retention-at DATE"));
}
