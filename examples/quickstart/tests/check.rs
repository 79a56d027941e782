//! Comparing with facts that somebody else computed: what is understood, what differs, what cannot be compared.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod support;

use serde_json::{Value as Json, json};
use std::process::Output;
use support::{Desk, err, json, mapping, out, run};

/// Five reports in the shape of Paris's, the third of which is refused.
const PARIS: &str = r#"numero,type,soustype,adresse,code_postal,ville,arrondissement,conseilquartier,datedecl,anneedecl,moisdecl,prefixe,intervenant,id_dmr,geo_shape,geo_point_2d,mois_annee_decla
1,"Graffitis, tags","Mur, façade","11 Rue Pierre Fontaine, 75009 PARIS",75009,Paris 09,9,BLANCHE,2024-07-29,2024,7,Android,graffitis,G1,,"{'lon': 2.334404229526263, 'lat': 48.88124847353733}",2024-07
2,Propreté,[] Déchets U2,"17 Cours de Vincennes, 75020 PARIS",75020,Paris 20,20,PLAINE,2024-07-29,2024,7,Android,DPE-STPP-DT,G2,,"{'lon': 2.4, 'lat': 48.8}",2024-07
3,Propreté,Autre,"1 Rue, 75020 PARIS",75020,Paris 20,20,PLAINE,2024-07-30,2024,7,Android,DPE-STPP-DT,G3,,"{'lon': 2.4, 'lat': north}",2024-07
1,Propreté,Autre,"39 avenue des Ternes, 75017 PARIS",75017,Paris 17,17,TERNES,2024-12-30,2024,12,Back Office,,G4,,,2024-12
5,Propreté,Autre,"39 avenue des Ternes, 75017 PARIS",75017,Paris 17,,TERNES,2025-01-05,2025,1,Back Office,DPE-STPP-DT,G5,,"{'lon': 2.29, 'lat': 48.87}",2025-01
"#;

fn facts() -> Json {
    json!({
        "definitions": {"canal": "column prefixe"},
        "rows": 4,
        "date_min": "2024-07-29",
        "date_max": "2025-01-05",
        "by_canal": [{"value": "Android", "n": 2}, {"value": "Back Office", "n": 2}],
        "by_type": {"Propreté": 3, "Graffitis, tags": 1},
        "by_soustype_top20": [{"value": "Autre", "n": 2}],
        "by_intervenant": [{"value": "DPE-STPP-DT", "n": 2}, {"value": "graffitis", "n": 1}, {"value": "", "n": 1}],
        "by_arrondissement": [
            {"value": "9", "n": 1}, {"value": "20", "n": 1}, {"value": "17", "n": 1}, {"value": " ", "n": 1},
        ],
        "distinct_types": 2,
        "per_month_datedecl": {"2024-07": 2, "2024-12": 1, "2025-01": 1},
        "opened_per_year": {"2024": 3, "2025": 1},
        // 30 December 2024 is in the first week of 2025, 5 January 2025 too.
        "opened_per_iso_week": {"2024-W31": 2, "2025-W01": 2},
        "opened_per_weekday_mon0": {"0": 3, "6": 1, "2": 0},
        "opened_per_hour": {"0": 4, "9": 0},
        "busiest_days_top10": [{"value": "2024-07-29", "n": 2}],
        "type_x_canal": {"Propreté": {"Android": 1, "Back Office": 2}, "Graffitis, tags": {"Android": 1, "Back Office": 0}},
        "channel_x_status": {"Android": {"Open": 2, "Closed": 0}},
        "closed_missing": 4,
        "open_backlog_at": {"2024-07-28 23:59:59": 0, "2024-07-29 00:00:00": 2, "2024-12-31 23:59:59": 3},
        "geo_within": [],
    })
}

fn checked(desk: &Desk, facts: &Json) -> Output {
    std::fs::write(desk.path("facts.json"), facts.to_string()).unwrap();
    let (map, csv, db) = (mapping("paris-dansmarue.toml"), desk.path("export.csv"), desk.path("town.db"));
    let facts = desk.path("facts.json");
    let map = map.to_str().unwrap();
    run(&["--csv", &csv, "--mapping", map, "--db", &db, "--check", &facts])
}

#[test]
fn facts_of_another_city_are_understood_and_compared() {
    let desk = Desk::new(PARIS.as_bytes());
    let output = checked(&desk, &facts());
    assert!(output.status.success(), "{}{}", out(&output), err(&output));
    let said = out(&output);
    assert!(said.contains("not compared: by_soustype_top20, definitions, geo_within\n"), "{said}");
    assert!(said.contains("\n39 comparisons, 0 differ\n"), "{said}");
}

#[test]
fn each_number_that_is_wrong_is_found() {
    let desk = Desk::new(PARIS.as_bytes());
    for (pointer, wrong, line) in [
        ("/rows", json!(5), "total: 4, expected 5"),
        ("/by_canal/0/n", json!(3), "\"Android\", opened: 2, expected 3"),
        ("/by_arrondissement/3/n", json!(2), "without, opened: 1, expected 2"),
        ("/distinct_types", json!(3), "opened: 2, expected 3"),
        ("/opened_per_iso_week/2024-W31", json!(1), "\"2024-W31\", opened: 2, expected 1"),
        ("/opened_per_weekday_mon0/6", json!(0), "\"7\", opened: 1, expected 0"),
        ("/opened_per_hour/9", json!(1), "\"09\", opened: 0, expected 1"),
        ("/opened_per_year/2025", json!(2), "\"2025-\", opened: 1, expected 2"),
        ("/type_x_canal/Propreté/Android", json!(2), "\"Propreté\", \"Android\", opened: 1, expected 2"),
        ("/channel_x_status/Android/Open", json!(1), "\"Android\", open: 2, expected 1"),
        ("/open_backlog_at/2024-07-28 23:59:59", json!(2), "open: 0, expected 2"),
        ("/date_max", json!("2025-01-06"), "expected 2025-01-06 to be the last"),
        ("/closed_missing", json!(3), "open: 4, expected 3"),
    ] {
        let mut facts = facts();
        *facts.pointer_mut(pointer).unwrap() = wrong;
        let output = checked(&desk, &facts);
        assert_eq!(output.status.code(), Some(1), "{pointer}");
        assert!(out(&output).contains(line), "{pointer}: {}", out(&output));
    }
}

#[test]
fn facts_that_say_nothing_comparable_are_a_failure() {
    let desk = Desk::new(PARIS.as_bytes());
    for (facts, part) in [
        (json!({"definitions": {}, "by_soustype": {"Autre": 2}}), "nothing in it can be compared"),
        (json!({"by_type": 7, "rows": "many"}), "nothing in it can be compared"),
        (json!([1, 2]), "no object with a key a fact"),
    ] {
        let output = checked(&desk, &facts);
        assert_eq!(output.status.code(), Some(1), "{facts}");
        assert!(err(&output).contains(part), "{facts}: {}", err(&output));
    }
}

#[test]
fn a_position_is_read_out_of_one_column_and_zones_are_taken() {
    let desk = Desk::new(PARIS.as_bytes());
    let found = json(&desk.import(&mapping("paris-dansmarue.toml"), &[]));
    assert_eq!((&found["accepted"], &found["open"], &found["closed"]), (&json!(4), &json!(4), &json!(0)));
    assert_eq!(desk.refused(), [(4, "geo_point_2d".to_owned(), "place.point".to_owned())]);
    assert_eq!(found["by_zone"], json!({"17": 1, "20": 1, "9": 1}));
    assert_eq!(found["opened_by_week"], json!({"2024-W31": 2, "2025-W01": 2}));
    assert_eq!(found["delay_by_type"], json!({}));
}
