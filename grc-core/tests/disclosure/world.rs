//! One of the two worlds.

use crate::{secrets::Secrets, turns::Turns};
use grc_core::{
    Actor, Authority, BlobId, Clock, Definition, Entropy, Grc, InterventionId, ManualClock, Moment,
    RequestId, Session, Stores, TrackingCode,
};
use std::sync::{Arc, LazyLock};

static DEFINITION: LazyLock<Definition> = LazyLock::new(|| {
    let text = include_str!("../definitions/disclosure.toml");
    Definition::from_files([("ville.toml", text)]).unwrap_or_else(|error| panic!("{error}"))
});

/// A request that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) id: RequestId,
    pub(crate) code: TrackingCode,
    /// Whether agents who may read little see it at all.
    pub(crate) is_seen: bool,
}

/// What there is: the same in both worlds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) cases: Vec<Case>,
    pub(crate) interventions: Vec<InterventionId>,
    pub(crate) files: Vec<(RequestId, BlobId)>,
}

pub(crate) struct World {
    pub(crate) town: Authority,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) entropy: Arc<Turns>,
    pub(crate) secrets: Secrets,
    pub(crate) known: Known,
}

impl World {
    pub(crate) async fn open(secrets: Secrets) -> Self {
        let begin: chrono::DateTime<chrono::Utc> = "2026-11-24T09:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(Moment::from(begin)));
        let entropy = Arc::new(Turns::default());
        let shown: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let random: Arc<dyn Entropy> = Arc::<Turns>::clone(&entropy);
        let grc = Grc::with(Stores::memory(), shown, random).await.unwrap();
        let town = grc.authority("ville").unwrap();
        town.host("cadre").publish(&DEFINITION).await.unwrap();
        Self { town, clock, entropy, secrets, known: Known::default() }
    }

    pub(crate) fn agent(&self, id: &str) -> Session {
        self.town.session(Actor::agent(id))
    }

    pub(crate) fn advance(&self, millis: i64) {
        self.clock.set(self.clock.now().plus_millis(millis));
    }

    /// How many requests there are, at least one.
    pub(crate) const fn most(&self) -> usize {
        if self.known.cases.is_empty() { 1 } else { self.known.cases.len() }
    }
}
