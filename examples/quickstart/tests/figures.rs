//! An export of the shape of Boston's: its figures are those of plain counting.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod support;

use serde_json::Value as Json;
use std::collections::BTreeMap;
use support::{Desk, err, json, mapping, run};

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
    /// By week, weekday, hour and day, and by zone.
    when: [BTreeMap<String, u64>; 4],
    zones: BTreeMap<String, u64>,
    /// By month, type and channel: the delays, and how many promises were kept and broken.
    delays: [BTreeMap<String, Vec<f64>>; 3],
    promises: [BTreeMap<String, (u64, u64)>; 3],
}

fn moment(seconds: u64) -> chrono::NaiveDateTime {
    let start = chrono::NaiveDate::from_ymd_opt(2011, 7, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
    start + chrono::Duration::seconds(i64::try_from(seconds).unwrap())
}

fn at(seconds: u64) -> String {
    moment(seconds).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let low = place.floor();
    let value = |n: f64| sorted[n as usize];
    value(low) + (value(place.ceil()) - value(low)) * (place - low)
}

/// A row that must be refused: its line, the column, the code.
type Wrong = (u64, &'static str, &'static str);

/// The month of a moment, so many seconds after the beginning.
fn month(seconds: u64) -> String {
    at(seconds).chars().take(7).collect()
}

/// An export of Boston's shape, what its figures must be, and the lines that must be refused.
fn boston(rows: u64) -> (Vec<u8>, Plain, Vec<Wrong>) {
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
            *plain.opened.entry(month(open)).or_default() += 1;
            for (counts, format) in plain.when.iter_mut().zip(["%G-W%V", "%u", "%H", "%Y-%m-%d"]) {
                *counts.entry(moment(open).format(format).to_string()).or_default() += 1;
            }
            if !row["neighborhood"].trim().is_empty() {
                *plain.zones.entry(row["neighborhood"].clone()).or_default() += 1;
            }
            let names = [month(open), type_.to_owned(), channel.to_owned()];
            if is_closed {
                for ((delays, promises), name) in plain.delays.iter_mut().zip(&mut plain.promises).zip(&names)
                {
                    delays.entry(name.clone()).or_default().push((close - open) as f64 / 3600.0);
                    if has_target {
                        let (kept, broken) = promises.entry(name.clone()).or_default();
                        *(if close <= target { kept } else { broken }) += 1;
                    }
                }
                *plain.closed.entry(month(close)).or_default() += 1;
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
    for (key, expected) in ["opened_by_week", "opened_by_weekday", "opened_by_hour", "opened_by_day"]
        .into_iter()
        .zip(&plain.when)
    {
        assert_eq!(counts(key), *expected, "{key}");
    }
    assert_eq!(counts("by_zone"), plain.zones);
    for ((by, delays), promises) in
        ["month", "type", "channel"].into_iter().zip(&plain.delays).zip(&plain.promises)
    {
        let (key, said) = (format!("delay_by_{by}"), &found[format!("delay_by_{by}")]);
        assert_eq!(said.as_object().unwrap().len(), delays.len(), "{key}");
        for (name, hours) in delays {
            let mut hours = hours.clone();
            hours.sort_by(f64::total_cmp);
            let said = &said[name];
            assert_eq!(said["count"], hours.len(), "{key} {name}");
            for (share, what) in [(0.5, "median"), (0.9, "p90")] {
                let near = (said[what].as_f64().unwrap() - quantile(&hours, share)).abs() < 1e-5;
                assert!(near, "{key} {name} {what}: {said}");
            }
        }
        let (key, said) = (format!("on_time_by_{by}"), &found[format!("on_time_by_{by}")]);
        assert_eq!(said.as_object().unwrap().len(), promises.len(), "{key}");
        for (name, (kept, broken)) in promises {
            let said = &said[name];
            assert_eq!(
                (&said["within"], &said["late"]),
                (&(*kept).into(), &(*broken).into()),
                "{key} {name}"
            );
            let share = *kept as f64 / (kept + broken) as f64;
            assert!((said["share"].as_f64().unwrap() - share).abs() < 1e-9, "{key} {name}");
        }
    }
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
