//! On MySQL too, any figure by any two dimensions equals a naive recount from the events.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{fresh, options, shared};
use grc_core::{
    Definition,
    conformance::{Compared, prove_figures},
    definition::{Action, Grant, Scope},
};
use pollster::block_on;
use std::{path::Path, sync::Arc};

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
    block_on(async {
        let keyring = options().open_keyring(&fresh(shared())).await.unwrap();
        let stores = options().open(&fresh(shared()), Arc::new(keyring)).await.unwrap();
        prove_figures(stores, &definition, (21, 300), "a-09", &mut compared).await;
    });
    println!("{}", compared.summary());
    compared.at_least(&[
        ("opened", 1_000),
        ("closed", 100),
        ("open", 2_000),
        ("closure-median", 100),
        ("response-p90", 100),
        ("assignment-mean", 200),
        ("intervention-median", 80),
        ("cents", 80),
        ("messages-out", 200),
        ("by month", 1_000),
        ("by channel", 500),
    ]);
}
