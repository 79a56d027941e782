//! The program is run as a user runs it: the story, and what is asked wrongly.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

#[expect(dead_code, reason = "the imports use the rest")]
mod support;

use std::path::Path;
use support::{err, json, out, run};

#[test]
fn without_arguments_the_story_is_played() {
    let output = run(&[]);
    assert!(output.status.success(), "{}", err(&output));
    let text = out(&output);
    for line in [
        "La base : ",
        "code `field.phone`, chemin `requester.phone`",
        "Ce que Claire dicte à Anne : son code de suivi, ",
        "cette demande n'existe pas",
        "✗ Rejeter",
        "sms au 06 39 98 12 34",
        "pièce jointe : fuite.png (image/png",
        "Ce n'est pas réglé",
        "Collier resserré",
        "3 demandes : 2 ouvertes, 1 closes",
        "1 demande anonymisée, 1 effacement dont les clés sont détruites",
        "Le code de suivi d'Anne ne mène plus nulle part.",
        "Les chiffres sont les mêmes qu'avant",
        "--retention-at",
    ] {
        assert!(text.contains(line), "`{line}` is not in:\n{text}");
    }
    assert!(!text.contains("défaut.") && !text.contains("  ! "), "{text}");
    assert_eq!(text.matches(", 0 problème").count(), 2, "{text}");
    // The file is kept, and a second call goes on with it.
    let rest = text.split_once("La base : ").unwrap().1;
    let path = rest.split(" ;").next().unwrap();
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
    let output = run(&["--definition", town, "--db", db.to_str().unwrap()]);
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
