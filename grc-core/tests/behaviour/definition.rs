//! Definitions: every rule, and every problem at once.

mod cases;

use cases::CASES;
use grc_core::definition::{Definition, Finding};
use std::{fmt::Write as _, path::Path};

/// A definition without a fault, which the cases break one at a time.
const BASE: &str = include_str!("../definitions/base.toml");

fn load(text: &str) -> Result<Definition, Vec<Finding>> {
    Definition::from_files([("ville.toml", text)]).map_err(|error| error.findings().to_vec())
}

fn show(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("\n  {finding}")).collect()
}

#[test]
fn the_base_has_no_fault() {
    load(BASE).unwrap_or_else(|findings| panic!("{}", show(&findings)));
}

#[test]
fn each_rule_finds_its_fault_and_nothing_else() {
    let mut failures = String::new();
    for (find, replace, code, path) in CASES {
        let text = if find.is_empty() {
            format!("{BASE}\n{replace}")
        } else {
            assert_eq!(BASE.matches(find).count().min(1), 1, "`{find}` is not in the base");
            BASE.replacen(find, replace, 1)
        };
        let line = text.lines().position(|line| line.ends_with("#!")).map(|line| line + 1);
        let text = text.replace("#!", "#");
        let findings = load(&text).err().unwrap_or_default();
        if code.is_empty() {
            if !findings.is_empty() {
                let _ = writeln!(failures, "{replace}\n=> should load{}", show(&findings));
            }
            continue;
        }
        let right = findings.len() == 1
            && findings.iter().all(|finding| {
                finding.code == *code
                    && finding.path == *path
                    && (line.is_none() || finding.line == line)
                    && finding.line.is_some()
                    && finding.file.as_deref() == Some("ville.toml")
            });
        if !right {
            let _ =
                writeln!(failures, "{replace}\n=> wanted {code} at {path}, line {line:?}{}", show(&findings));
        }
        for finding in &findings {
            let sentence = &finding.message;
            let plain = !sentence.ends_with('.') && !sentence.starts_with(char::is_uppercase);
            let names = ["u32", "i64", "struct", "Vec", "enum", "variant", "sequence", "map"];
            let ours = !names.iter().any(|name| sentence.split(' ').any(|word| word == *name));
            if !(plain || sentence.starts_with("TOML")) || !ours {
                let _ = writeln!(failures, "not how we speak: {sentence}");
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn hints_name_what_was_meant() {
    for (find, replace, hint) in [
        ("custodian = \"chef\"", "custodian = \"chfe\"", "did you mean `chef`?"),
        ("when = true", "whem = true", "did you mean `when`?"),
        ("kind = \"date\"", "kind = \"dat\"", "did you mean `date`?"),
        ("to = \"recue\"", "to = \"recu\"", "did you mean `recue`?"),
        ("to = [\"releve\"]", "to = [\"releve\", \"requester\"]", "did you mean `@requester`?"),
        ("id = \"jour\"", "id = \"Jour J\"", "for example `jour-j`"),
        ("[procedure.simple]", "[procedur.simple]", "did you mean `procedure`?"),
        ("\"{{ type }}\"", "\"{{ typ }}\"", "did you mean `type`?"),
        ("\"{{ type }}\"", "\"{{ fields.text }}\"", "did you mean `fields.texte`?"),
    ] {
        let findings = load(&BASE.replacen(find, replace, 1)).unwrap_err();
        let hints: Vec<_> = findings.iter().filter_map(|finding| finding.hint.as_deref()).collect();
        assert_eq!(hints, [hint], "{}", show(&findings));
    }
}

#[test]
fn ten_faults_in_three_files_are_ten_findings() {
    let cut = BASE.find("[workflow.commun]").unwrap();
    let (town, rest) = BASE.split_at(cut);
    let cut = rest.find("[procedure.fuite]").unwrap();
    let (shared, leak) = rest.split_at(cut);
    let change = |text: &str, changes: &[(&str, &str)]| {
        changes.iter().fold(text.to_owned(), |text, (find, replace)| {
            assert!(text.contains(find), "{find}");
            text.replacen(find, replace, 1)
        })
    };
    let town = change(
        town,
        &[
            ("custodian = \"chef\"", "custodian = \"chef\"\ncouleur = \"bleu\""),
            ("time-zone = \"Europe/Paris\"", "time-zone = \"Paris\""),
            ("may = [\"see\"]", "may = [\"sea\"]"),
        ],
    );
    let shared =
        change(shared, &[("to = \"fini\"", "to = \"finni\""), ("label = \"Simple\"", "label = \"\"")]);
    let leak = change(
        leak,
        &[
            ("family = \"rue\"", "family = \"ruelle\""),
            ("personal = \"no\"\n", ""),
            ("kind = \"integer\"", "kind = \"integer\"\nmin = 3\nmax = \"2\""),
            ("kind = \"boolean\"\n", ""),
            ("to = \"recue\"", "to = \"nulle-part\""),
        ],
    );
    let files = [("a.toml", town), ("b.toml", shared), ("c.toml", leak)];
    let error = Definition::from_files(files).unwrap_err();
    let found: Vec<(&str, &str)> =
        error.findings().iter().map(|f| (f.file.as_deref().unwrap_or("?"), f.code)).collect();
    assert_eq!(
        found,
        [
            ("a.toml", "time-zone"),
            ("a.toml", "unknown-key"),
            ("a.toml", "unknown-name"),
            ("b.toml", "dangling-target"),
            ("b.toml", "label-missing"),
            ("c.toml", "unknown-name"),
            ("c.toml", "free-text-without-class"),
            ("c.toml", "type"),
            ("c.toml", "missing"),
            ("c.toml", "dangling-target"),
        ],
        "{error}"
    );
}

#[test]
fn three_syntax_errors_are_three_findings() {
    let text = "[organisation]\nlabel = \"x\nphone-code = = 3\nlanguage = \"fr\"\ncustodian chef\n";
    let findings = load(text).unwrap_err();
    let found: Vec<_> = findings.iter().map(|finding| (finding.code, finding.line)).collect();
    assert_eq!(found, [("syntax", Some(2)), ("syntax", Some(3)), ("syntax", Some(5))], "{}", show(&findings));

    let error =
        Definition::from_files([("x.json", "{\n  \"organisation\": {\n    \"label\": }\n")]).unwrap_err();
    assert_eq!(error.findings()[0].line, Some(3));
    assert_eq!(error.findings()[0].code, "syntax");
}

#[test]
fn what_is_written_twice_is_refused() {
    let again =
        "[procedure.fuite]\nlabel = \"Encore\"\nworkflow = \"commun\"\n[organisation]\nlabel = \"x\"\n";
    let error = Definition::from_files([("a.toml", BASE), ("b.toml", again)]).unwrap_err();
    let found: Vec<_> = error.findings().iter().map(|f| (f.code, f.path.as_str(), f.line)).collect();
    assert_eq!(
        found,
        [("duplicate-id", "procedure.fuite", Some(1)), ("duplicate-id", "organisation", Some(4))],
        "{error}"
    );
    assert!(error.to_string().contains("`a.toml`") && error.to_string().contains("`b.toml`"), "{error}");

    let json = load(BASE).unwrap().to_json().to_string();
    let twice = json.replacen("\"custodian\":\"chef\"", "\"custodian\":\"chef\",\n\"custodian\":\"chef\"", 1);
    let error = Definition::from_files([("a.json", twice)]).unwrap_err();
    let found: Vec<_> = error.findings().iter().map(|f| (f.code, f.path.as_str(), f.line)).collect();
    assert_eq!(found, [("duplicate-id", "organisation.custodian", Some(2))], "{error}");
}

#[test]
fn json_and_toml_are_one() {
    let definition = load(BASE).unwrap();
    let json = definition.to_json();
    assert_eq!(Definition::from_json(&json).unwrap(), definition);
    let text = serde_json::to_string_pretty(&json).unwrap();
    assert_eq!(Definition::from_files([("ville.json", &text)]).unwrap(), definition);
    assert_eq!(Definition::from_files([("ville.json", format!("\u{feff}{text}"))]).unwrap(), definition);

    let broken = text.replacen("\"kind\": \"date\"", "\"kind\": \"dat\"", 1);
    let line = broken.lines().position(|line| line.contains("\"dat\"")).map(|line| line + 1);
    let error = Definition::from_files([("ville.json", &broken)]).unwrap_err();
    assert_eq!(error.findings().len(), 1);
    assert_eq!(error.findings()[0].path, "procedure.fuite.field[4].kind");
    assert_eq!(error.findings()[0].line, line);
}

#[test]
fn shared_workflows_are_copied_in() {
    let definition = load(BASE).unwrap().resolved();
    assert!(definition.workflows.is_empty());
    let simple = &definition.procedures["simple"];
    assert_eq!(simple.workflow, None);
    assert_eq!(simple.initial.as_ref().unwrap(), &"neuf");
    assert_eq!((simple.states.len(), simple.transitions.len()), (2, 1));
    definition.check().unwrap();
    assert_eq!(definition.clone().resolved(), definition);
}

#[test]
fn the_examples_load() {
    for (name, procedures) in [("voirie", 4), ("urbanisme", 2)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions").join(name);
        let definition = Definition::from_dir(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(definition.procedures.len(), procedures);
        let stored = definition.resolved();
        stored.check().unwrap();
        assert_eq!(Definition::from_json(&stored.to_json()).unwrap(), stored);
    }
}

#[test]
fn a_directory_that_cannot_be_read_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let error = Definition::from_dir(directory.path()).unwrap_err();
    assert_eq!(error.findings()[0].code, "file");
    let error = Definition::from_dir(directory.path().join("nowhere")).unwrap_err();
    assert_eq!(error.findings()[0].code, "file");

    std::fs::create_dir(directory.path().join("sub")).unwrap();
    std::fs::write(directory.path().join("sub/ville.toml"), BASE).unwrap();
    std::fs::write(directory.path().join(".cache.toml"), "???").unwrap();
    std::fs::write(directory.path().join("notes.txt"), "???").unwrap();
    Definition::from_dir(directory.path()).unwrap();

    std::fs::write(directory.path().join("latin.toml"), b"x = 1\n# \xe9t\xe9").unwrap();
    let error = Definition::from_dir(directory.path()).unwrap_err();
    assert_eq!(error.findings().len(), 1);
    assert_eq!(error.findings()[0].file.as_deref(), Some("latin.toml"));
    assert_eq!(error.findings()[0].line, Some(2));
}

#[test]
fn nothing_at_all_is_an_error() {
    let none: [(&str, &str); 0] = [];
    for error in [
        Definition::from_files(none).unwrap_err(),
        Definition::from_files([("a.toml", "")]).unwrap_err(),
        Definition::from_files([("a.json", "{}")]).unwrap_err(),
    ] {
        assert_eq!(error.findings().len(), 1, "{error}");
        assert_eq!(error.findings()[0].code, "missing", "{error}");
    }
}

#[test]
fn five_thousand_procedures_load() {
    let cut = BASE.find("[procedure.fuite]").unwrap();
    let (town, leak) = BASE.split_at(cut);
    let mut files = vec![("ville.toml".to_owned(), town.replace("types = [\"fuite\"]\n", ""))];
    for file in 0..50 {
        let mut text = String::new();
        for n in 0..100 {
            text.push_str(&leak.replace("procedure.fuite", &format!("procedure.p-{file}-{n}")));
        }
        files.push((format!("{file}.toml"), text));
    }
    // One is there already: the last goes.
    let (name, last) = files.pop().unwrap();
    let (kept, _) = last.split_once("[procedure.p-49-99]").unwrap();
    files.push((name, kept.to_owned()));
    let definition = Definition::from_files(files.clone()).unwrap();
    assert_eq!(definition.procedures.len(), 5000);

    // And with a fault in each: a bounded number of findings.
    for (_, text) in &mut files {
        *text = text.replace("kind = \"date\"", "kind = \"dat\"");
    }
    let error = Definition::from_files(files).unwrap_err();
    assert_eq!(error.findings().len(), 1001);
    assert_eq!(error.findings()[1000].code, "too-many-findings");
}

#[test]
fn too_much_is_refused() {
    let many = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    for (text, path) in [
        (
            many(201, &|n| {
                format!("[[procedure.fuite.field]]\nid = \"f-{n}\"\nlabel = \"F\"\nkind = \"date\"\n")
            }),
            "procedure.fuite.field",
        ),
        (
            many(101, &|n| {
                format!("[[procedure.fuite.state]]\nid = \"s-{n}\"\nlabel = \"S\"\nphase = \"closed\"\n")
            }),
            "procedure.fuite.state",
        ),
        (
            many(501, &|n| {
                format!(
                    "[[procedure.fuite.transition]]\nid = \"t-{n}\"\nlabel = \"T\"\nfrom = []\nto = \"recue\"\n"
                )
            }),
            "procedure.fuite.transition",
        ),
        (
            many(10_001, &|n| format!("[[organisation.role]]\nid = \"r-{n}\"\nlabel = \"R\"\n")),
            "organisation",
        ),
        (
            many(10_001, &|n| format!("[[organisation.impossibility]]\nid = \"i-{n}\"\nlabel = \"I\"\n")),
            "organisation",
        ),
        (many(5000, &|n| format!("[procedure.p-{n}]\nlabel = \"P\"\nworkflow = \"commun\"\n")), "procedure"),
    ] {
        let findings = load(&format!("{BASE}\n{text}")).unwrap_err();
        assert_eq!(findings.len(), 1, "{path}: {}", show(&findings));
        assert_eq!((findings[0].code, findings[0].path.as_str()), ("too-many", path));
    }
    let long = BASE.replacen("label = \"Web\"", &format!("label = \"{}\"", "é".repeat(501)), 1);
    assert_eq!(load(&long).unwrap_err()[0].code, "name-too-long");
    let huge = BASE.replacen("label = \"Web\"", &format!("label = \"{}\"", "x".repeat(10 << 20)), 1);
    assert_eq!(load(&huge).unwrap_err()[0].code, "too-large");
    let big = BASE.replacen("label = \"Web\"", &format!("label = \"{}\"", "x".repeat(3 << 20)), 1);
    let findings = load(&big).unwrap_err();
    assert!(findings.iter().all(|finding| finding.to_string().len() < 1000));
}
