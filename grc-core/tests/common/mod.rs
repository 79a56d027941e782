//! A town for tests: the definition `voirie` on the reference store, with a clock that is moved by hand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use grc_core::{
    Actor, Authority, Definition, Grc, GrcError, Intake, ManualClock, Moment, Refusal, SeededEntropy,
    Session, Stores,
};
use std::{path::Path, sync::Arc};

pub(crate) struct Town {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) authority: Authority,
    pub(crate) stores: Stores,
}

pub(crate) fn definition(name: &str) -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions").join(name);
    let read = if path.is_dir() {
        Definition::from_dir(path)
    } else {
        Definition::from_files([(name, std::fs::read_to_string(path).unwrap())])
    };
    read.unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn at(text: &str) -> Moment {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into()
}

impl Town {
    pub(crate) async fn open(name: &str) -> Self {
        Self::on(name, Stores::memory()).await
    }

    pub(crate) async fn on(name: &str, stores: Stores) -> Self {
        let clock = Arc::new(ManualClock::at(at("2026-11-24T09:00:00Z")));
        let shown: Arc<dyn grc_core::Clock> = Arc::<ManualClock>::clone(&clock);
        let grc = Grc::with(stores.clone(), shown, Arc::new(SeededEntropy::new(3))).await.unwrap();
        let authority = grc.authority("ville").unwrap();
        authority.host("essai").publish(&definition(name)).await.unwrap();
        Self { clock, authority, stores }
    }

    pub(crate) fn agent(&self, id: &str) -> Session {
        self.authority.session(Actor::agent(id))
    }
}

/// A leak with everything that must be given.
pub(crate) fn leak() -> Intake {
    Intake::new("fuite-eau", "telephone").set("description", "l'eau coule").set("gravite", "ecoulement")
}

#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, GrcError>) -> Refusal {
    match result {
        Err(GrcError::Refused(refusal) | GrcError::NotPermitted(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}
