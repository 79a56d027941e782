//! Definitions: nothing that is read makes the reader fall over, hang or swell.

use crate::{
    strings,
    town::{Watchdog, bounded},
};
use grc_core::definition::Definition;

/// A definition without a fault.
const BASE: &str = include_str!("../definitions/base.toml");

/// As many times more memory as others have for each byte a definition takes while it is read.
const AS_OTHERS: usize = 24;

/// Whatever comes in, a bounded answer comes out.
#[track_caller]
fn survives(name: &str, text: &str) {
    let read = bounded(text, text.len() * AS_OTHERS, || Definition::from_files([(name, text)]));
    if let Err(error) = read {
        assert!(!error.findings().is_empty());
        assert!(error.findings().len() <= 1001);
        for finding in error.findings() {
            assert!(finding.message.len() < 2000, "{}", finding.message.len());
            assert!(!finding.message.contains('\n'), "{:?}", finding.message);
        }
    }
}

#[test]
fn nesting_without_end_is_refused() {
    let _watchdog = Watchdog::new("nested definitions");
    for depth in [70, 127, 500, 100_000] {
        survives("a.json", &"[".repeat(depth));
        survives("a.json", &"{\"procedure\":".repeat(depth));
        survives("a.json", &format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)));
        survives("a.json", &format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)));
        survives("a.toml", &format!("a = {}{}", "[".repeat(depth), "]".repeat(depth)));
        survives("a.toml", &format!("a = {}1{}", "{a = ".repeat(depth), "}".repeat(depth)));
        survives("a.toml", &format!("[{}a]\n", "a.".repeat(depth)));
        survives("a.toml", &format!("{}a = 1\n", "a.".repeat(depth)));
        survives("a.toml", &format!("[[{}a]]\n", "a.".repeat(depth)));
        let condition = format!("{}true{}", "{ \"!\" = ".repeat(depth), " }".repeat(depth));
        survives("a.toml", &BASE.replacen("when = true", &format!("when = {condition}"), 1));
    }
    // Both kinds of nesting multiply.
    let key = "a.".repeat(78);
    survives("a.toml", &format!("a = {}1{}", format!("{{{key}a = ").repeat(78), "}".repeat(78)));
    survives(
        "a.toml",
        &format!("[{key}a]\n{key}a = {}1{}", format!("{{{key}a = ").repeat(78), "}".repeat(78)),
    );
}

fn hostile() -> Vec<String> {
    let mut strings: Vec<String> = [
        "",
        " ",
        "\0",
        "\u{feff}",
        "\u{202e}gauche",
        "`; drop table",
        "\u{1f469}\u{200d}\u{1f692}",
        "@",
        "@@citizen",
        "a]]b.c[0].\"d\"",
        "organisation",
        "__proto__",
        "constructor",
        "é\u{301}\u{301}",
        "\r\n[organisation]",
        "{\"var\": \"state\"}",
        ".",
        "..",
        "-",
        "a.b.c",
        "unreadable",
        "x, expected one of `label`",
        "ǆ",
        "\u{10ffff}",
    ]
    .map(str::to_owned)
    .to_vec();
    strings.push("z".repeat(100_000));
    strings.push("a".repeat(64));
    strings.push("a".repeat(65));
    strings.extend(strings::all());
    strings
}

#[test]
fn hostile_texts_do_no_harm() {
    let _watchdog = Watchdog::new("definitions");
    let base = Definition::from_files([("base.toml", BASE)]).unwrap().to_json();
    for text in hostile() {
        survives("a.toml", &text);
        survives("a.json", &text);
        let quoted = serde_json::to_string(&text).unwrap();
        let name = quoted.trim_matches('"').to_owned();
        // In the places of an id, a label, a name, a key, a condition.
        let json = base.to_string();
        for (find, replace) in [
            ("\"recue\"", quoted.clone()),
            ("\"Web\"", quoted.clone()),
            ("\"fuite\"", quoted.clone()),
            ("\"releve\"", quoted.clone()),
            ("\"custodian\"", quoted.clone()),
            ("\"when\":true", format!("\"when\":{quoted}")),
            ("\"when\":true", format!("\"when\":{{{quoted}:[{{\"var\":{quoted}}},{quoted}]}}")),
            ("\"when\":true", format!("\"when\":{{\"==\":[{{\"var\":\"form.{name}\"}},{quoted}]}}")),
            ("\"when\":true", format!("\"when\":{{\"in\":[{quoted},{{\"var\":\"form.liste\"}}]}}")),
            ("\"Europe/Paris\"", quoted.clone()),
            ("\"fr\":", format!("{quoted}:")),
            ("\"outcome\":{", format!("{quoted}:{{")),
            ("\"requester\":false", format!("\"requester\":{quoted}")),
            ("{\"organisation\"", format!("{{{quoted}:{quoted},\"organisation\"")),
        ] {
            survives("a.json", &json.replace(find, &replace));
        }
        let label = BASE.replacen("label = \"Web\"", &format!("label = {quoted}"), 1);
        survives("a.toml", &label);
        survives("a.toml", &BASE.replacen("id = \"jour\"", &format!("id = {quoted}"), 1));
        survives("a.toml", &BASE.replacen("[procedure.simple]", &format!("[procedure.{quoted}]"), 1));
    }
}

#[test]
fn any_value_in_any_place_is_survived() {
    let _watchdog = Watchdog::new("any value");
    let base = Definition::from_files([("base.toml", BASE)]).unwrap().to_json();
    let mut pointers = Vec::new();
    pointers_of(&base, &mut String::new(), &mut pointers);
    let values = [
        serde_json::json!(null),
        serde_json::json!(true),
        serde_json::json!(-1),
        serde_json::json!(1.5),
        serde_json::json!(u64::MAX),
        serde_json::json!("?"),
        serde_json::json!([]),
        serde_json::json!([[1]]),
        serde_json::json!({}),
        serde_json::json!({"id": 1, "x": [null]}),
    ];
    let mut codes = std::collections::BTreeSet::new();
    for pointer in &pointers {
        for value in &values {
            let mut broken = base.clone();
            *broken.pointer_mut(pointer).unwrap() = value.clone();
            let text = broken.to_string();
            survives("a.json", &text);
            if let Err(error) = Definition::from_files([("a.json", text)]) {
                codes.extend(error.findings().iter().map(|finding| finding.code));
                for finding in error.findings() {
                    assert_ne!(finding.message, "not understood", "{pointer} {value}: {error}");
                }
            }
            let _ = Definition::from_json(&broken);
        }
    }
    assert!(codes.contains("type") && codes.contains("missing"), "{codes:?}");
}

fn pointers_of(value: &serde_json::Value, at: &mut String, out: &mut Vec<String>) {
    out.push(at.clone());
    let length = at.len();
    let mut visit = |key: String, value: &serde_json::Value| {
        at.push('/');
        at.push_str(&key);
        pointers_of(value, at, out);
        at.truncate(length);
    };
    match value {
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, v)| visit(n.to_string(), v))
        }
        serde_json::Value::Object(members) => members.iter().for_each(|(key, v)| visit(key.clone(), v)),
        _ => {}
    }
}

#[test]
fn work_that_multiplies_is_refused() {
    let _watchdog = Watchdog::new("work that multiplies");
    // Each file is small; what is shared is looked at once for each procedure.
    let mut text =
        BASE.replacen("by = [\"chef\"] },", &format!("by = [{}] }},", "\"chef\", ".repeat(5000)), 1);
    for n in 0..4000 {
        text.push_str(&format!("[procedure.p-{n}]\nlabel = \"P\"\nworkflow = \"commun\"\n"));
    }
    let read = bounded("", text.len() * AS_OTHERS, || Definition::from_files([("a.toml", &text)]));
    let error = read.unwrap_err();
    assert_eq!(error.findings().len(), 1, "{error}");
    assert_eq!(error.findings()[0].code, "too-many");
}

#[test]
fn large_texts_take_their_time_but_end() {
    let _watchdog = Watchdog::new("large definitions");
    let size = 1 << 20;
    for part in [
        "[[a]]\n",
        "[[organisation.role]]\n",
        "x",
        "\"",
        "'''",
        "a.b.",
        "[a.",
        "{",
        "a=1\n",
        "=\n",
        "\\u",
        "#",
        "[[organisation.grant]]\nto=[\"x\"]\nmay=[\"see\"]\n",
        "[procedure.",
        "\n",
        "\u{feff}",
    ] {
        survives("a.toml", &part.repeat(size / part.len()));
        survives("a.json", &part.repeat(size / part.len()));
    }
    // The largest of which all errors are kept.
    survives("a.toml", &"=\n".repeat(32 << 10));
    let unique = |one: &dyn Fn(usize) -> String| (0..40_000).map(one).collect::<String>();
    survives("a.toml", &unique(&|n| format!("[procedure.p{n}]\n")));
    survives("a.toml", &unique(&|n| format!("procedure.p{n}.field.x = {n}\n")));
    survives("a.toml", &format!("{BASE}\n[procedure.z]\n{}", unique(&|n| format!("k{n} = 1\n"))));
    let bad = unique(&|n| format!("\"É{n}\", "));
    survives("a.toml", &BASE.replacen("from = [\"finie\"]", &format!("from = [{bad}]"), 1));
    survives("a.toml", &BASE.replacen("to = [\"releve\"]", &format!("to = [{bad}]"), 1));
    survives("a.json", &format!("{{{}\"a\":1}}", unique(&|n| format!("\"organisation{n}\":{{}},"))));
}
