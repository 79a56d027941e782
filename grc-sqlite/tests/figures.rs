//! On SQLite too, any figure by any two dimensions equals a naive recount from the events.

use grc_core::{
    Definition,
    conformance::{Compared, prove_figures},
    definition::{Action, Grant, Scope},
};
use grc_sqlite::Options;
use pollster::block_on;
use std::path::Path;

#[test]
fn any_figure_by_any_two_dimensions_equals_a_recount_from_the_events() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions/voirie");
    let mut definition = Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"));
    definition.organisation.grants.push(Grant {
        to: vec!["administrateur".to_owned()],
        may: vec![Action::See, Action::Measure, Action::Cost],
        types: None,
        families: None,
        scope: Scope::Any,
    });
    let mut compared = Compared::default();
    let directory = tempfile::tempdir().unwrap();
    for seed in [21, 22] {
        let file = directory.path().join(format!("town-{seed}.db"));
        let opened = Options::new().create(true).test(true).open(file).unwrap();
        block_on(prove_figures(opened.into(), &definition, (seed, 300), "a-09", &mut compared));
    }
    println!("{}", compared.summary());
    compared.at_least(&[
        ("opened", 2_000),
        ("closed", 300),
        ("open", 4_000),
        ("reopened", 50),
        ("closure-median", 300),
        ("response-p90", 300),
        ("assignment-mean", 500),
        ("intervention-median", 200),
        ("planned-cents", 200),
        ("cents", 200),
        ("messages-out", 500),
        ("by month", 2_000),
        ("by week", 2_000),
        ("by team", 1_000),
        ("by channel", 1_000),
    ]);
    assert!(compared.anonymised > 3, "{} requests were anonymised", compared.anonymised);
}
