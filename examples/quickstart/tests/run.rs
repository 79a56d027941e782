//! The program is run as a user runs it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

use serde_json::Value as Json;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

fn mapping(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings").join(name)
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quickstart")).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What `--json` prints, alone.
fn json(output: &Output) -> Json {
    assert!(output.status.success(), "{}", err(output));
    serde_json::from_str(&out(output)).unwrap()
}

/// A directory with an export and a database in it.
struct Desk {
    directory: TempDir,
}

impl Desk {
    fn new(export: &[u8]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("export.csv"), export).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    fn import(&self, mapping: &Path, more: &[&str]) -> Output {
        let (csv, db, refused) = (self.path("export.csv"), self.path("town.db"), self.path("refused.csv"));
        let mapping = mapping.to_str().unwrap();
        let args = ["--csv", &csv, "--mapping", mapping, "--db", &db, "--refused", &refused, "--json"];
        run(&[&args[..], more].concat())
    }

    /// The refused rows: line, column, code.
    fn refused(&self) -> Vec<(u64, String, String)> {
        let mut reader = csv::Reader::from_path(self.path("refused.csv")).unwrap();
        reader
            .records()
            .map(|record| {
                let record = record.unwrap();
                (record[0].parse().unwrap(), record[1].to_owned(), record[2].to_owned())
            })
            .collect()
    }
}

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
    let start = text.find("La base : ").unwrap() + "La base : ".len();
    let path = text[start..].split(" ;").next().unwrap();
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

/// A small generator: the same numbers for the same seed.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn among<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

const BOSTON: [&str; 29] = [
    "case_enquiry_id",
    "open_dt",
    "target_dt",
    "closed_dt",
    "ontime",
    "case_status",
    "closure_reason",
    "case_title",
    "subject",
    "reason",
    "type",
    "queue",
    "department",
    "submittedphoto",
    "closedphoto",
    "location",
    "fire_district",
    "pwd_district",
    "city_council_district",
    "police_district",
    "neighborhood",
    "neighborhood_services_district",
    "ward",
    "precinct",
    "location_street_name",
    "location_zipcode",
    "latitude",
    "longitude",
    "source",
];

/// What the figures of an export must be, by plain counting.
#[derive(Default)]
struct Plain {
    total: u64,
    by: [BTreeMap<String, u64>; 3],
    opened: BTreeMap<String, u64>,
    closed: BTreeMap<String, u64>,
    hours: Vec<f64>,
    within: u64,
    late: u64,
}

fn at(seconds: u64) -> String {
    let start = chrono::NaiveDate::from_ymd_opt(2011, 7, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
    (start + chrono::Duration::seconds(i64::try_from(seconds).unwrap()))
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let low = place.floor();
    let value = |n: f64| sorted[n as usize];
    value(low) + (value(place.ceil()) - value(low)) * (place - low)
}

/// An export of Boston's shape, what its figures must be, and the lines that must be refused.
fn boston(rows: u64) -> (Vec<u8>, Plain, Vec<(u64, &'static str, &'static str)>) {
    let mut seeded = Seeded(2011);
    let mut plain = Plain::default();
    let mut refused = Vec::new();
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(BOSTON).unwrap();
    for n in 0..rows {
        let line = n + 2;
        let open = seeded.below(184 * 86_400);
        let close = open + seeded.below(40 * 86_400);
        let target = open + seeded.below(30 * 86_400);
        let is_closed = seeded.below(10) > 0;
        let has_target = seeded.below(5) > 0;
        let mut row: BTreeMap<&str, String> = BOSTON.iter().map(|column| (*column, String::new())).collect();
        row.insert("case_enquiry_id", format!("1010{n:08}"));
        row.insert("open_dt", at(open));
        if is_closed {
            row.insert("closed_dt", at(close));
            row.insert("closure_reason", "Case Closed, \"done\" ".to_owned());
        }
        if has_target {
            row.insert("target_dt", at(target));
        }
        let type_ = seeded.among(&[
            "Pothole (Internal)",
            "pothole (internal)",
            "Graffiti, «tags»",
            "Graffiti tags ",
            "O'Neil \"x\"",
        ]);
        let channel = seeded.among(&["Constituent Call", "Self Service", "Twitter"]);
        let service = seeded.among(&["Public Works", "Parks & Recreation", "parks recreation"]);
        row.insert("type", type_.to_owned());
        row.insert("source", channel.to_owned());
        row.insert("subject", service.to_owned());
        row.insert(
            "neighborhood",
            seeded.among(&["Roxbury", "", " ", "South Boston / Waterfront"]).to_owned(),
        );
        row.insert("latitude", "42.2715".to_owned());
        row.insert("longitude", "-71.0772".to_owned());
        let mut refuse = |column: &'static str, value: &str, code: &'static str| {
            row.insert(column, value.to_owned());
            refused.push((line, column, code));
            true
        };
        let bad = match n % 50 {
            7 => refuse("open_dt", "2011-02-30 10:00:00", "row.date"),
            14 => refuse("open_dt", "", "value.missing"),
            21 => refuse("closed_dt", "2999-01-01 00:00:00", "date.future"),
            28 => refuse("latitude", "north", "place.point"),
            35 => refuse("source", "  ", "value.missing"),
            42 if n > 50 => refuse("case_enquiry_id", "101000000000", "source.duplicate"),
            _ => false,
        };
        let mut cells: Vec<&str> = BOSTON.iter().map(|column| row[column].as_str()).collect();
        if n % 50 == 49 {
            cells.pop();
            refused.push((line, "28 cells", "row.cells"));
        } else if !bad {
            plain.total += 1;
            for (counts, value) in plain.by.iter_mut().zip([channel, type_, service]) {
                *counts.entry(value.to_owned()).or_default() += 1;
            }
            *plain.opened.entry(at(open)[..7].to_owned()).or_default() += 1;
            if is_closed {
                *plain.closed.entry(at(close)[..7].to_owned()).or_default() += 1;
                plain.hours.push((close - open) as f64 / 3600.0);
                if has_target {
                    *(if close <= target { &mut plain.within } else { &mut plain.late }) += 1;
                }
            }
        }
        writer.write_record(&cells).unwrap();
    }
    plain.hours.sort_by(f64::total_cmp);
    (writer.into_inner().unwrap(), plain, refused)
}

fn compare(found: &Json, plain: &Plain) {
    let counts = |key: &str| serde_json::from_value::<BTreeMap<String, u64>>(found[key].clone()).unwrap();
    for (key, expected) in ["by_channel", "by_type", "by_service"].into_iter().zip(&plain.by) {
        assert_eq!(counts(key), *expected, "{key}");
    }
    assert_eq!(counts("opened_by_month"), plain.opened);
    assert_eq!(counts("closed_by_month"), plain.closed);
    let closed = plain.hours.len() as u64;
    assert_eq!(found["closed"], closed);
    assert_eq!(found["open"], plain.total - closed);
    let delay = &found["delay_hours"];
    assert_eq!(delay["count"], closed);
    let mean = plain.hours.iter().sum::<f64>() / closed as f64;
    for (key, expected) in
        [("mean", mean), ("median", quantile(&plain.hours, 0.5)), ("p90", quantile(&plain.hours, 0.9))]
    {
        assert!((delay[key].as_f64().unwrap() - expected).abs() < 1e-5, "{key}: {delay} {expected}");
    }
    assert_eq!(
        (&found["on_time"]["within"], &found["on_time"]["late"]),
        (&plain.within.into(), &plain.late.into())
    );
}

#[test]
fn figures_of_an_export_are_those_of_plain_counting() {
    let (export, plain, refused) = boston(400);
    let desk = Desk::new(&export);
    let map = mapping("boston-2011.toml");
    let first = desk.import(&map, &["--show", "2"]);
    let found = json(&first);
    assert_eq!(found["accepted"], plain.total);
    assert_eq!(found["refused"], refused.len());
    assert_eq!(found["incomplete"], 0);
    compare(&found, &plain);
    let expected: Vec<_> =
        refused.iter().map(|(line, column, code)| (*line, column.to_string(), code.to_string())).collect();
    assert_eq!(desk.refused(), expected);
    assert_eq!(err(&first).matches("refused: ").count(), 2, "{}", err(&first));
    // The same rows again are there already.
    let again = json(&desk.import(&map, &[]));
    assert_eq!(again["accepted"], 0);
    assert_eq!(again["refused"], 400);
    compare(&again, &plain);
    assert_eq!(
        desk.refused().iter().filter(|(_, _, code)| code == "source.duplicate").count() as u64,
        plain.total + 7
    );
    // Retention waits to be asked; then what is closed is anonymised, and the figures stay.
    assert_eq!(again["anonymised"], 0);
    let kept = json(&run(&["--db", &desk.path("town.db"), "--json", "--retention-at", "2011-09-01"]));
    assert_eq!(kept["anonymised"], 0);
    let forgotten =
        json(&run(&["--db", &desk.path("town.db"), "--json", "--retention-at", "2012-09-01T00:00:00Z"]));
    assert_eq!(forgotten["anonymised"], plain.hours.len());
    compare(&forgotten, &plain);
}

#[test]
fn the_order_of_the_lines_does_not_matter() {
    let (export, plain, _) = boston(41);
    let text = String::from_utf8(export).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    let desk = Desk::new((lines.join("\n") + "\n").as_bytes());
    compare(&json(&desk.import(&mapping("boston-2011.toml"), &["--workers", "5"])), &plain);
}

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
        format!("1,voirie,Web,2026-03-05T10:00:00Z,,,,,,,,,,"),
        format!("5,voirie,Web,2999-01-01T00:00:00Z,,,,,,,,,,"),
        format!("6,voirie,Web,{open},2999-01-01T00:00:00Z,,,,,,,,,"),
        format!("7,voirie,Web,{open},,,,not-an-address,12,,,,,"),
        format!(",voirie,Web,{open},,,,,,,,,,"),
        format!("9,,Web,05/01/2026,,,,,,,,,,"),
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

/// The real export, where it is at hand: in `GRC_DATA`, or beside the workspace.
#[test]
#[ignore = "a minute or two; needs the data"]
fn the_real_export_gives_the_facts() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("GRC_DATA").map_or(beside, PathBuf::from).join("boston311-2011");
    if !data.exists() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = |path: PathBuf| path.to_str().unwrap().to_owned();
    let (csv, facts) = (path(data.join("311_service_requests_2011.csv")), path(data.join("facts.json")));
    let (map, db) = (path(mapping("boston-2011.toml")), path(directory.path().join("town.db")));
    let output = run(&["--csv", &csv, "--mapping", &map, "--db", &db, "--check", &facts]);
    assert!(output.status.success(), "{}{}", out(&output), err(&output));
}
