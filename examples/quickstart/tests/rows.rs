//! Hostile rows, encodings, malformed files, a second export.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod support;

use std::{fmt::Write as _, path::PathBuf};
use support::{Desk, err, json, mapping, out, run};

const PERSONAL: &str = "id,type,channel,opened,closed,first_name,last_name,email,phone,street,postcode,city,description,remark\n";

#[test]
fn hostile_values_are_taken_or_refused_with_their_line() {
    let long = "é".repeat(5_000);
    let mut text = PERSONAL.to_owned();
    let open = "2026-01-05T10:00:00+01:00";
    let rows = [
        format!(
            "1,\"Nid-de-poule, \"\"urgent\"\"\",Téléphone,{open},2026-01-06T10:00:00+01:00,Anne,\"Le Gall\",anne@example.org,06 39 98 12 34,\"12, rue des Lilas\",35000,Rennes,\"deux\nlignes\",{long}"
        ),
        format!("2,voirie,Web,{open},,,,,,,,,,"),
        format!(
            "3,Voirie ,web,{open},2026-01-04T10:00:00+01:00,李,☃,,,,,,'; DROP TABLE stream;--,\"=cmd()\""
        ),
        "1,voirie,Web,2026-03-05T10:00:00Z,,,,,,,,,,".to_owned(),
        "5,voirie,Web,2999-01-01T00:00:00Z,,,,,,,,,,".to_owned(),
        format!("6,voirie,Web,{open},2999-01-01T00:00:00Z,,,,,,,,,"),
        format!("7,voirie,Web,{open},,,,not-an-address,12,,,,,"),
        format!(",voirie,Web,{open},,,,,,,,,,"),
        "9,,Web,05/01/2026,,,,,,,,,,".to_owned(),
        format!("10,voirie,Web,{open},,x,{},,,,,,,", "n".repeat(600)),
        format!("11,{},Web,{open},,,,,,,,,,", "t".repeat(700)),
        format!("12,voirie,Web,{open},,,,,,,,,nul\0,"),
        "13,voirie".to_owned(),
    ];
    for row in rows {
        writeln!(text, "{row}").unwrap();
    }
    let desk = Desk::new(text.as_bytes());
    let found = json(&desk.import(&mapping("personal.toml"), &[]));
    let refused = desk.refused();
    let codes: Vec<(u64, &str, &str)> =
        refused.iter().map(|(l, c, k)| (*l, c.as_str(), k.as_str())).collect();
    assert_eq!(
        codes,
        [
            // The first row has two lines.
            (6, "id", "source.duplicate"),
            (7, "opened", "date.future"),
            (8, "closed", "date.future"),
            (9, "email", "field.email"),
            (9, "phone", "field.phone"),
            (10, "id", "value.missing"),
            (11, "type", "value.missing"),
            (11, "opened", "row.date"),
            (12, "last_name", "field.too-long"),
            (14, "description", "field.control"),
            (15, "2 cells", "row.cells"),
        ]
    );
    assert_eq!(
        (&found["accepted"], &found["refused"], &found["incomplete"]),
        (&4.into(), &9.into(), &0.into())
    );
    // A delay below zero is kept: 24 and −24 hours.
    assert_eq!((&found["delay_hours"]["count"], &found["delay_hours"]["mean"]), (&2.into(), &0.0.into()));
    let types = found["by_type"].as_object().unwrap();
    for type_ in ["Nid-de-poule, \"urgent\"", "voirie", "Voirie "] {
        assert_eq!(types[type_], 1, "{types:?}");
    }
    assert_eq!(found["by_channel"]["Téléphone"], 1);
    // No refusal says what was typed.
    let said = std::fs::read_to_string(desk.path("refused.csv")).unwrap();
    assert!(!said.contains("not-an-address"), "{said}");
    // What was typed is in no file, neither before (sealed) nor after.
    let db = desk.path("town.db");
    let later = json(&run(&["--db", &db, "--json", "--retention-at", "2026-05-01"]));
    assert_eq!(later["anonymised"], 2);
    assert_eq!(later["by_type"], found["by_type"]);
    for entry in std::fs::read_dir(desk.directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for needle in ["Le Gall", "rue des Lilas", "DROP TABLE", "anne@example.org"] {
            assert!(
                !bytes.windows(needle.len()).any(|part| part == needle.as_bytes()),
                "{needle} in {path:?}"
            );
        }
    }
}

/// A mapping made for a test.
fn written(desk: &Desk, text: &str) -> PathBuf {
    let path = PathBuf::from(desk.path("mapping.toml"));
    std::fs::write(&path, text).unwrap();
    path
}

const SEMICOLONS: &str = r#"
take = ["service", "outcome"]
[file]
separator = ";"
encoding = "ENCODING"
dates = ["%d/%m/%Y %H:%M", "%d/%m/%Y"]
time-zone = "Europe/Paris"
[columns]
opened = "Reçu le"
closed = "Clos le"
type = "Objet"
channel = "Canal"
service = "Service"
outcome = "Suite"
note = "Note"
state = "État"
source-key = "N°"
[values.type]
"Voirie - trou" = "nid-de-poule"
"Trou" = "nid-de-poule"
[labels.type]
nid-de-poule = "Nid-de-poule"
[values.channel]
"Tél." = "telephone"
[labels.channel]
telephone = "Téléphone"
[values.state]
"soldé" = "cloturee"
"en cours" = "en-cours"
[defaults]
channel = "telephone"
"#;

#[test]
fn values_are_translated_and_windows_1252_is_read() {
    let text = "N°;Reçu le;Clos le;Objet;Canal;Service;Suite;Note;État\r\n\
                1;05/01/2026 09:30;06/01/2026 10:30;Voirie - trou;Tél.;Propreté;Réglé;Coût : 12 €;soldé\r\n\
                2;05/01/2026;;Trou;;Propreté;;à voir;en cours\r\n\
                3;05/01/2026;;Inconnu;;;;;\r\n\
                4;05/01/2026;;Trou;;;;;soldé\r\n\
                5;05/01/2026;;Trou;;;Réglé;;\r\n";
    let bytes: Vec<u8> =
        text.chars().map(|c| if c == '€' { 0x80 } else { u8::try_from(u32::from(c)).unwrap() }).collect();
    let desk = Desk::new(&bytes);
    let found = json(&desk.import(&written(&desk, &SEMICOLONS.replace("ENCODING", "windows-1252")), &[]));
    assert_eq!(found["by_type"], serde_json::json!({ "Nid-de-poule": 2 }));
    assert_eq!(found["by_channel"], serde_json::json!({ "Téléphone": 2 }));
    assert_eq!(found["by_service"], serde_json::json!({ "Propreté": 2 }));
    assert_eq!((&found["closed"], &found["delay_hours"]["mean"]), (&1.into(), &25.0.into()));
    let refused = desk.refused();
    let codes: Vec<(u64, &str)> = refused.iter().map(|(line, _, code)| (*line, code.as_str())).collect();
    assert_eq!(codes, [(4, "value.unknown"), (5, "state.contradiction"), (6, "outcome.open")]);
}

#[test]
fn a_malformed_file_is_refused_as_a_whole_and_precisely() {
    let latin = b"N\xb0;Re\xe7u le;Clos le;Objet;Canal;Service;Suite;Note;\xc9tat\n".to_vec();
    let utf8 = "N°;Reçu le;Clos le;Objet;Canal;Service;Suite;Note;État\n";
    let bom = format!("\u{feff}{utf8}");
    let bad_row = [utf8.as_bytes(), b"1;05/01/2026;;Trou;;;;caf\xe9;\n"].concat();
    let commas = utf8.replace(';', ",");
    let renamed = utf8.replace("Clos le", "Clos-le");
    for (bytes, encoding, part) in [
        (&latin[..], "utf-8", "line 1: these bytes are not UTF-8"),
        (&bad_row, "utf-8", "line 2, column `Note`: these bytes are not UTF-8"),
        (bom.as_bytes(), "windows-1252", "begins with its mark"),
        (commas.as_bytes(), "utf-8", "there is one with `,`: set `file.separator`"),
        (renamed.as_bytes(), "utf-8", "no column `Clos le`; did you mean `Clos-le`?"),
        (b"", "utf-8", "the file is empty"),
        (b"\xff\xfeN", "utf-8", "UTF-16"),
    ] {
        let desk = Desk::new(bytes);
        let output = desk.import(&written(&desk, &SEMICOLONS.replace("ENCODING", encoding)), &[]);
        assert_eq!(output.status.code(), Some(1), "{part}");
        assert!(err(&output).contains(part), "{part}: {}", err(&output));
        assert!(out(&output).is_empty());
    }
    // With its mark it is read.
    let desk = Desk::new(format!("{bom}1;05/01/2026;;Trou;;;;;\n").as_bytes());
    assert_eq!(
        json(&desk.import(&written(&desk, &SEMICOLONS.replace("ENCODING", "utf-8")), &[]))["accepted"],
        1
    );
}

#[test]
fn a_second_export_adds_to_the_first() {
    let desk = Desk::new(format!("{PERSONAL}1,A B,Web,2026-01-05T10:00:00Z,,,,,,,,,,\n").as_bytes());
    let map = mapping("personal.toml");
    json(&desk.import(&map, &[]));
    std::fs::write(desk.path("export.csv"), format!("{PERSONAL}2,A-B,Web,2026-01-05T10:00:00Z,,,,,,,,,,\n"))
        .unwrap();
    let found = json(&desk.import(&map, &[]));
    assert_eq!(found["by_type"], serde_json::json!({ "A B": 1, "A-B": 1 }));
    assert_eq!(found["by_channel"], serde_json::json!({ "Web": 2 }));
    // Another zone would count other months.
    let output = desk.import(&mapping("boston-2011.toml"), &[]);
    assert!(!output.status.success());
}
