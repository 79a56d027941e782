//! Every mutant under every case.

use crate::{batches, bounds, documents, feeds, files, lists, refusals, ring, rings, rows, store, tasks};
use grc_core::conformance::{Case, cases, keyring_cases};
use std::{
    panic::{catch_unwind, set_hook, take_hook},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// What became of one mutant.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) clause: &'static str,
    pub(crate) name: &'static str,
    pub(crate) failed: Vec<&'static str>,
}

impl Row {
    /// Whether a case failed that cites the clause that the mutant breaks: `C-04` is cited by `c04_…`.
    pub(crate) fn fails_its_clause(&self) -> bool {
        let prefix = self.clause.replace('-', "").to_lowercase() + "_";
        self.failed.iter().any(|case| case.starts_with(&prefix))
    }
}

#[derive(Debug)]
pub(crate) struct Matrix {
    /// The wrappers of the store and of the keyring with nothing broken.
    pub(crate) sound: (Row, Row),
    pub(crate) rows: Vec<Row>,
}

/// Made once, by whichever test comes first; the others wait for it.
pub(crate) fn matrix() -> &'static Matrix {
    static MATRIX: OnceLock<Matrix> = OnceLock::new();
    MATRIX.get_or_init(|| {
        // Thousands of cases fail here as they should: what they say is not shown.
        let hook = take_hook();
        set_hook(Box::new(|_| {}));
        let matrix = run();
        set_hook(hook);
        matrix
    })
}

enum Kind {
    Store(store::Mutant),
    Ring(ring::Mutant),
}

fn run() -> Matrix {
    let stores = [
        vec![store::Mutant::new("", "the sound store")],
        batches::mutants(),
        refusals::mutants(),
        rows::mutants(),
        documents::mutants(),
        tasks::mutants(),
        lists::mutants(),
        feeds::mutants(),
        bounds::mutants(),
        files::mutants(),
    ];
    let rings = [vec![ring::Mutant::new("", "the sound keyring")], rings::mutants()];
    let jobs: Vec<Kind> = stores
        .into_iter()
        .flatten()
        .map(Kind::Store)
        .chain(rings.into_iter().flatten().map(Kind::Ring))
        .collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((n, job)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| jobs.get(n).map(|job| (n, job)))
                {
                    let row = tried(job);
                    done.lock().unwrap().push((n, row));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(n, _)| *n);
    let mut rows: Vec<Row> = done.into_iter().map(|(_, row)| row).collect();
    let keyring = rows.iter().position(|row| row.name == "the sound keyring").unwrap();
    let keyring = rows.remove(keyring);
    Matrix { sound: (rows.remove(0), keyring), rows }
}

fn tried(job: &Kind) -> Row {
    let (clause, name, cases) = match job {
        Kind::Store(mutant) => {
            store::choose(*mutant);
            (mutant.clause, mutant.name, cases::every::<store::Mutants>())
        }
        Kind::Ring(mutant) => {
            ring::choose(*mutant);
            (mutant.clause, mutant.name, keyring_cases::every::<ring::Mutants>())
        }
    };
    Row { clause, name, failed: cases.into_iter().filter_map(failed).collect() }
}

fn failed((case, run): (&'static Case, fn())) -> Option<&'static str> {
    catch_unwind(run).is_err().then_some(case.name)
}
