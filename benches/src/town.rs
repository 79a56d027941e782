//! What is done, by the library: the quickstart's town receives requests.

use crate::{
    Res,
    recorder::Recorder,
    spent::{Asked, Spent},
    timing::timed,
};
use grc_core::{
    Actor, Assignee, Authority, Clock, Definition, Grc, GrcError, Instruction, Intake, List, Moment, Party,
    Place, RequestId, Session, Stores, SystemClock,
    insight::{Dimension, Figure, Question, Row},
    request::{Command, Fire},
    storage::Batch,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The agent whose list is read.
pub const AGENT: &str = "a-08";
const TEXTS: [&str; 4] = [
    "De l'eau coule devant le numéro 12 depuis ce matin, le trottoir est glissant.",
    "Fuite importante au pied de la bouche d'incendie.",
    "Un filet d'eau sort de la chaussée, cela gèle la nuit.",
    "Regard qui déborde après l'orage, l'eau entre dans la cour.",
];
const NAMES: [(&str, &str); 4] =
    [("Anne", "Le Gall"), ("Yacine", "Benali"), ("Maëlys", "Dupont-Nguyen"), ("Théo", "Guivarc'h")];

/// Where the definition of the quickstart is.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/town")
}

/// The definition of the quickstart.
///
/// # Errors
/// If it cannot be read.
pub fn definition() -> Res<Definition> {
    Ok(Definition::from_dir(folder())?)
}

/// The nth of some, over and over.
fn turn<T: Copy + Default>(of: &[T], n: usize) -> T {
    of.get(n % of.len().max(1)).copied().unwrap_or_default()
}

/// The nth request.
pub fn intake(n: usize) -> Intake {
    let (given, family) = turn(&NAMES, n);
    Intake::new("fuite-eau", turn(&["telephone", "guichet", "site", "appli"], n))
        .set("description", turn(&TEXTS, n / 4))
        .set("gravite", turn(&["suintement", "ecoulement", "jaillissement"], n))
        .at(Place::address(&format!("{} rue des Lilas", n % 300 + 1), "35000", "Saint-Aubin-des-Prés"))
        .party(
            Party::named(given, family)
                .phone(format!(
                    "06 {:02} {:02} {:02} {:02}",
                    n / 1_000_000 % 100,
                    n / 10_000 % 100,
                    n / 100 % 100,
                    n % 100
                ))
                .answer_by("sms"),
        )
}

fn published(stores: Stores) -> Res<Authority> {
    pollster::block_on(async {
        let authority = Grc::open(stores).await?.authority("town")?;
        authority.host("bench").publish(&definition()?).await?;
        Ok(authority)
    })
}

/// An engine over a store, and what was committed through it.
#[derive(Debug)]
pub struct Town {
    authority: Authority,
    /// None where nothing is to be between the engine and its store.
    recorder: Option<Arc<Recorder>>,
    /// Whether commands have keys, under which each is done once.
    keyed: bool,
    /// Where its callers' time goes.
    pub spent: Arc<Spent>,
}

impl Town {
    /// Opens an engine and publishes the definition. What is committed is noted.
    ///
    /// # Errors
    /// If the store or the definition is refused.
    pub fn open(stores: Stores) -> Res<Self> {
        let spent = Arc::new(Spent::default());
        let recorder = Recorder::before(stores.store, spent.clone());
        let keyring = Asked::before(stores.keyring, spent.clone());
        let stores = Stores { store: recorder.clone(), keyring, ..stores };
        let authority = published(stores)?;
        recorder.take();
        Ok(Self { authority, recorder: Some(recorder), keyed: false, spent })
    }

    /// Opens an engine as a program does that embeds it: nothing is noted, and each command has a key.
    ///
    /// # Errors
    /// If the store or the definition is refused.
    pub fn keyed(stores: Stores) -> Res<Self> {
        Ok(Self { authority: published(stores)?, recorder: None, keyed: true, spent: Arc::default() })
    }

    /// What was committed since this was asked last, without what the definition is.
    pub fn committed(&self) -> Vec<Batch> {
        let mut batches = self.recorder.as_deref().map(Recorder::take).unwrap_or_default();
        batches.retain(|batch| batch.authority() == "town");
        batches
    }

    fn session(&self, agent: &str) -> Session {
        self.authority.session(Actor::agent(agent).role("reprise"))
    }

    fn hands(&self, agent: &str, callers: usize) -> Vec<Session> {
        (0..callers).map(|_| self.session(agent)).collect()
    }

    /// Receives requests, from the nth on.
    ///
    /// # Errors
    /// If one is refused.
    pub fn receive(&self, callers: usize, from: usize, count: usize) -> Res<(Vec<RequestId>, Duration)> {
        let ids = Mutex::new(Vec::with_capacity(count));
        let time = timed(&mut self.hands("a-17", callers), count, |session, n| {
            let n = from + n;
            let intake = || if self.keyed { intake(n).key(format!("intake-{n}")) } else { intake(n) };
            let submitted = patient(|| session.submit(intake()))?;
            ids.lock().unwrap_or_else(PoisonError::into_inner).push(submitted.id());
            Ok(())
        })?;
        Ok((ids.into_inner().unwrap_or_else(PoisonError::into_inner), time))
    }

    /// Assigns requests to an agent.
    ///
    /// # Errors
    /// If one is refused.
    pub fn assign(&self, callers: usize, ids: &[RequestId]) -> Res<Duration> {
        timed(&mut self.hands("a-03", callers), ids.len(), |session, n| {
            let Some(id) = ids.get(n) else { return Ok(()) };
            let fire = Fire::new("confier").to(Assignee::agent(AGENT));
            let mut instruction = Instruction::new(Command::Fire(fire));
            if self.keyed {
                instruction = instruction.key(format!("confier-{id}"));
            }
            patient(|| session.act_on(*id, None, instruction.clone()))?;
            Ok(())
        })
    }

    /// Takes over cases of another system, from the nth on: received a year ago, dealt with, closed.
    ///
    /// # Errors
    /// If one is refused.
    pub fn import(&self, callers: usize, from: usize, count: usize) -> Res<Duration> {
        let now = SystemClock.now();
        let at = |n: usize, hours: i64| {
            Moment::from_micros(
                now.micros() - (365 * 24 * 60 - n as i64 % 40_000) * 60_000_000 + hours * 3_600_000_000,
            )
        };
        let mut hands: Vec<_> = (0..callers).map(|_| (self.session("a-17"), self.session("a-03"))).collect();
        timed(&mut hands, count, |(takes, deals), n| {
            let n = from + n;
            let dated = intake(n).occurred_at(at(n, 0).to_utc()).source_key(format!("case-{n}")).quiet();
            let id = patient(|| takes.submit(dated.clone()))?.id();
            let fires = [
                Fire::new("confier").to(Assignee::agent(AGENT)),
                Fire::new("traiter"),
                Fire::new("cloturer").outcome("repare").message("Les travaux sont faits."),
            ];
            for (hours, fire) in (1..).zip(fires) {
                let instruction =
                    Instruction::new(Command::Fire(fire)).occurred_at(at(n, hours).to_utc()).quiet();
                patient(|| deals.act_on(id, None, instruction.clone()))?;
            }
            Ok(())
        })
    }

    /// Reads a page of what an agent holds; answers how many there were.
    ///
    /// # Errors
    /// If it is refused.
    pub fn page(&self, agent: &str, limit: u32) -> Res<usize> {
        let listed = pollster::block_on(self.session(agent).list(&List::new().mine().limit(limit)))?;
        Ok(listed.requests.len())
    }

    /// Counts the requests of each service.
    ///
    /// # Errors
    /// If it is refused.
    pub fn by_service(&self) -> Res<BTreeMap<String, i64>> {
        let question = Question::all().figures([Figure::Opened]).by([Dimension::Service]);
        let table = pollster::block_on(self.authority.host("bench").measure(&question))?;
        let count = |row: &Row| {
            let service = row.ids().first().copied().flatten()?.to_owned();
            Some((service, i64::try_from(row.cells.first()?.count()?).ok()?))
        };
        Ok(table.rows.iter().filter_map(count).collect())
    }
}

/// Again if others were in the way.
fn patient<T, F: Future<Output = Result<T, GrcError>>>(mut run: impl FnMut() -> F) -> Result<T, GrcError> {
    for _ in 0..20 {
        match pollster::block_on(run()) {
            Err(GrcError::Busy) => std::thread::yield_now(),
            other => return other,
        }
    }
    pollster::block_on(run())
}
