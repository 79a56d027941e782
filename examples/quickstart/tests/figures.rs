//! An export of the shape of Boston's: its figures are those of plain counting.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod boston;
mod support;

use boston::{Plain, boston};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use support::{Desk, err, json, mapping, run};

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let low = place.floor();
    let value = |n: f64| sorted[n as usize];
    value(low) + (value(place.ceil()) - value(low)) * (place - low)
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
