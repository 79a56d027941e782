//! The year and its page: the quickstart is run as a user runs it, the page is opened in headless Chromium, and every
//! number on it is compared with what the library says of the same file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

#[expect(dead_code, reason = "the imports use the rest")]
mod support;

use chrono::{DateTime, Utc};
use grc_core::{
    Actor, Clock, Grc, List, ManualClock, SystemEntropy,
    insight::{Cell, Dimension, Figure, Question, Table},
};
use grc_sqlite::Options;
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use support::{err, json, run};

const CHROMIUM: &str = "/usr/bin/chromium";
const NOW: &str = "2026-11-20T12:00:00Z";

/// A town with its year, as of a moment.
fn town(directory: &Path, name: &str) -> (PathBuf, Json) {
    let db = directory.join(name).join("town.db");
    std::fs::create_dir_all(db.parent().unwrap()).unwrap();
    let output = run(&["--db", db.to_str().unwrap(), "--now", NOW, "--json"]);
    let told = err(&output);
    assert!(told.contains("Une année de la ville") && told.contains("Le tableau de bord"), "{told}");
    for title in ["Délais de clôture, par service", "Coûts par fournisseur", "Recevabilité et motifs", "███"]
    {
        assert!(told.contains(title), "`{title}` is not in:\n{told}");
    }
    (db, json(&output))
}

/// Opens a page; answers the document after its scripts ran, and what was logged.
fn browse(page: &Path, more: &[&str]) -> (String, String) {
    assert!(
        Path::new(CHROMIUM).exists(),
        "{CHROMIUM} is not there: run `cargo xtask needs`, or install Debian's package `chromium`"
    );
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(CHROMIUM)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-dev-shm-usage", "--enable-logging=stderr", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(more)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{log}");
    (dom.into_owned(), log.into_owned())
}

/// The lines in which a page complains.
fn complaints(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("CONSOLE") || line.contains("Uncaught")).collect()
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The value of an attribute of a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    Some(rest.split_once('"')?.0)
}

/// What a table of the page says: what it asks, and each cell by its keys and figure.
struct Shown {
    id: String,
    by: Vec<Dimension>,
    figures: Vec<Figure>,
    closing: bool,
    cells: BTreeMap<(Vec<Option<String>>, String), String>,
}

fn tables(dom: &str) -> Vec<Shown> {
    let mut found = Vec::new();
    for rest in dom.split("<table ").skip(1) {
        let body = rest.split_once("</table>").unwrap().0;
        let tag = format!(" {}", body.split_once('>').unwrap().0);
        let by = attribute(&tag, "data-by").unwrap();
        let mut shown = Shown {
            id: attribute(&tag, "id").unwrap().to_owned(),
            by: by.split_whitespace().map(|name| Dimension::from_name(name).unwrap()).collect(),
            figures: Vec::new(),
            closing: attribute(&tag, "data-closing").is_some(),
            cells: BTreeMap::new(),
        };
        for cell in body.split("<td").skip(1) {
            let tag = cell.split_once('>').unwrap().0;
            let figure = attribute(tag, "data-figure").unwrap();
            let known = Figure::from_name(figure).unwrap();
            if !shown.figures.contains(&known) {
                shown.figures.push(known);
            }
            let keys: Vec<Option<String>> =
                serde_json::from_str(&unescape(attribute(tag, "data-keys").unwrap())).unwrap();
            let value = attribute(tag, "data-value").unwrap().to_owned();
            let before = shown.cells.insert((keys, figure.to_owned()), value);
            assert!(before.is_none(), "a cell is there twice in {}", shown.id);
        }
        found.push(shown);
    }
    found
}

/// The same questions, asked of the file through the library, at the moment of the page.
fn asked(db: &Path, now: &str, shown: &[Shown]) -> Vec<Table> {
    let now = now.parse::<DateTime<Utc>>().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now.into()));
    let opened = Options::new().open(db).unwrap();
    let store = Arc::clone(&opened.store);
    let questions: Vec<Question> = shown
        .iter()
        .map(|table| {
            let question = Question::all().figures(table.figures.clone()).by(table.by.clone());
            if table.closing { question.by_closing() } else { question }
        })
        .collect();
    let tables = pollster::block_on(async {
        let grc = Grc::with(opened.into(), clock, Arc::new(SystemEntropy)).await.unwrap();
        grc.authority("ville").unwrap().host("essai").measure_all(&questions).await.unwrap()
    });
    store.close();
    tables
}

/// Whether a written number is the cell's, exactly.
fn same(cell: Cell, written: &str) -> bool {
    match cell {
        Cell::Count(count) | Cell::Minutes(count) => written.parse() == Ok(count),
        Cell::Cents(cents) => written.parse() == Ok(cents),
        Cell::Hours(None) | Cell::Share(None) => written.is_empty(),
        Cell::Hours(Some(number)) | Cell::Share(Some(number)) => written.parse() == Ok(number),
    }
}

#[test]
fn the_page_opens_without_error_and_its_numbers_are_the_librarys() {
    let directory = tempfile::tempdir().unwrap();
    let (db, report) = town(directory.path(), "one");
    let page = db.with_file_name("dashboard.html");
    let (dom, log) = browse(&page, &["--dump-dom"]);
    assert_eq!(complaints(&log), Vec::<&str>::new());
    assert!(dom.contains("<button>"), "the script has run");
    let shown = tables(&dom);
    assert_eq!(shown.len(), 15);
    let now = attribute(dom.split_once("<main").unwrap().1, "data-now").unwrap();
    let asked = asked(&db, now, &shown);
    let mut compared = 0;
    for (shown, table) in shown.iter().zip(&asked) {
        let mut known = BTreeSet::new();
        for row in &table.rows {
            let keys: Vec<Option<String>> = row.ids().iter().map(|id| id.map(str::to_owned)).collect();
            for (figure, cell) in table.figures.iter().zip(&row.cells) {
                let place = (keys.clone(), figure.name());
                let written =
                    shown.cells.get(&place).unwrap_or_else(|| panic!("{}: {place:?} is not shown", shown.id));
                assert!(same(*cell, written), "{}: {place:?} is {cell:?}, the page says {written}", shown.id);
                known.insert(place);
                compared += 1;
            }
        }
        assert_eq!(known.len(), shown.cells.len(), "{} shows what is not there", shown.id);
        assert!(!table.rows.is_empty(), "{} is empty", shown.id);
    }
    println!("{compared} numbers of {} tables compared", shown.len());
    assert!(compared > 400, "{compared}");
    // The numbers for programs are the same, to the last digit.
    let block = dom.split_once("id=\"figures\">").unwrap().1.split_once("</script>").unwrap().0;
    let expected: Vec<Json> = shown
        .iter()
        .zip(&asked)
        .map(|(shown, table)| serde_json::json!({ "id": shown.id, "closing": shown.closing, "table": table }))
        .collect();
    assert_eq!(block, Json::from(expected).to_string());
    // And they are those of the run itself.
    let whole = shown.iter().find(|table| table.id == "ensemble").unwrap();
    let total: u64 = whole.cells[&(vec![], "total".to_owned())].parse().unwrap();
    assert_eq!(report["total"], total);
    assert!((1_600..2_200).contains(&total), "{total} requests");
    looks(&page, directory.path(), &dom);
}

/// What a screenshot shows, and what a reader that sees nothing is told.
fn looks(page: &Path, directory: &Path, dom: &str) {
    let picture = directory.join("dashboard.png");
    let shot = format!("--screenshot={}", picture.display());
    let (_, log) = browse(page, &[&shot, "--window-size=1280,2400"]);
    assert_eq!(complaints(&log), Vec::<&str>::new());
    let bytes = std::fs::read(&picture).unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 50_000, "{} bytes", bytes.len());
    let charts = dom.matches("<svg").count();
    assert!(charts >= 10, "{charts}");
    for part in ["role=\"img\"", "<title id=", "<desc id="] {
        assert_eq!(dom.matches(part).count(), charts, "{part}");
    }
    assert_eq!(dom.matches("<caption>").count(), 15);
    assert!(!dom.contains("<th>") && dom.contains("<th scope=\"row\""));
    for outside in ["http://", "https://", "//www", "@import", "url("] {
        assert!(!dom.contains(outside), "the page points outside: {outside}");
    }
}

#[test]
fn a_script_that_fails_would_be_seen() {
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("bad.html");
    std::fs::write(&page, "<!doctype html><script>nothing.at.all()</script>").unwrap();
    let (_, log) = browse(&page, &["--dump-dom"]);
    assert_eq!(complaints(&log).len(), 1, "{log}");
}

#[test]
fn the_same_moment_gives_the_same_year_and_it_is_like_those_of_real_towns() {
    let directory = tempfile::tempdir().unwrap();
    let [(one, first), (two, second)] = ["one", "two"].map(|name| town(directory.path(), name));
    assert_eq!(first, second);
    let page = |db: &Path| std::fs::read_to_string(db.with_file_name("dashboard.html")).unwrap();
    let figures = |db: &Path| page(db).split_once("id=\"figures\">").unwrap().1.to_owned();
    assert_eq!(figures(&one), figures(&two));
    volumes(&page(&one));
    println!("{}", sites(&one));
}

/// Interventions of all ends; some serve requests of two families.
fn sites(db: &Path) -> String {
    let opened = Options::new().open(db).unwrap();
    let store = Arc::clone(&opened.store);
    let (mut stages, mut shared) = (BTreeMap::<String, u32>::new(), 0);
    pollster::block_on(async {
        let grc = Grc::open(opened.into()).await.unwrap();
        let authority = grc.authority("ville").unwrap();
        let (town, host) = (authority.session(Actor::agent("a-02")), authority.host("essai"));
        let mut list = List::new().limit(500);
        loop {
            let page = town.interventions(&list).await.unwrap();
            for site in &page.interventions {
                *stages.entry(site.stage.to_string()).or_default() += 1;
                if let [one, two] = site.requests[..] {
                    for id in [one, two] {
                        assert_eq!(host.verify(id).await.unwrap().problems, Vec::<String>::new());
                    }
                    let [one, two] = [town.open(one).await.unwrap(), town.open(two).await.unwrap()];
                    assert_ne!(one.family(), two.family());
                    shared += 1;
                }
            }
            match page.next {
                Some(next) => list = List::new().limit(500).after(next),
                None => break,
            }
        }
    });
    store.close();
    assert!(shared >= 20 && stages["done"] > 400 && stages["impossible"] >= 10, "{stages:?}, {shared}");
    format!("interventions: {stages:?}; {shared} serve two requests")
}

/// Shares, delays and costs.
fn volumes(page: &str) {
    let tables = tables(page);
    let number = |table: &str, keys: &[&str], figure: &str| -> f64 {
        let table = tables.iter().find(|known| known.id == table).unwrap();
        let keys: Vec<Option<String>> = keys.iter().map(|key| Some((*key).to_owned())).collect();
        table.cells[&(keys, figure.to_owned())].parse().unwrap()
    };
    let sum = |table: &str, part: &str, figure: &str| -> f64 {
        let table = tables.iter().find(|known| known.id == table).unwrap();
        let cells = table.cells.iter().filter(|((keys, known), _)| {
            known == figure && keys.iter().any(|key| key.as_deref() == Some(part))
        });
        cells.map(|(_, written)| written.parse::<f64>().unwrap()).sum()
    };
    let total = number("ensemble", &[], "total");
    let near = |what: &str, value: f64, least: f64, most: f64| {
        assert!((least..most).contains(&value), "{what}: {value}, not from {least} to {most}");
    };
    near("cleanliness", sum("natures", "proprete", "opened") / total, 0.34, 0.46);
    near("roads", sum("natures", "voirie", "opened") / total, 0.25, 0.37);
    near("lighting", sum("natures", "eclairage", "opened") / total, 0.10, 0.18);
    near(
        "duplicates",
        number("recevabilite", &["non-traitable", "deja-signale"], "total") / total,
        0.05,
        0.15,
    );
    for (service, least, most) in
        [("proprete", 1.5, 3.5), ("eclairage", 4.0, 9.0), ("voirie", 10.0, 18.0), ("batiments", 12.0, 40.0)]
    {
        near(service, number("delais-services", &[service], "closure-median") / 24.0, least, most);
    }
    let app = |month: &str| number("canaux", &[month, "appli"], "opened") / sum("canaux", month, "opened");
    let (before, after) = (app("2025-11") + app("2025-12"), app("2026-09") + app("2026-10"));
    assert!(after > before * 1.2, "the application grows: {before} then {after}");
    near("reopened", number("ensemble", &[], "reopened") / total, 0.01, 0.08);
    near("open", number("ensemble", &[], "open") / total, 0.02, 0.12);
    for table in ["couts-familles", "couts-fournisseurs"] {
        let table = tables.iter().find(|known| known.id == table).unwrap();
        let cents = table.cells.iter().filter(|((_, figure), _)| figure == "cents");
        let sum: f64 = cents.map(|(_, written)| written.parse::<f64>().unwrap()).sum();
        assert_eq!(sum, number("ensemble", &[], "cents"), "{} sums to the cent", table.id);
    }
}
