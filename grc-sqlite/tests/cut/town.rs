//! The main job, step by step: intake, transitions, an intervention, erasure, retention, a scrub.

use super::support::definition;
use grc_core::{
    Actor, Assignee, Authority, Budget, Clock, Definition, Entropy, Grc, GrcError, Instruction, Intake,
    InterventionId, List, ManualClock, Moment, Party, Place, RequestId, SeededEntropy, Session, Stores,
    definition::{Retention, Then},
    engine::SiteInstruction,
    insight::Question,
    intervention::{Planning, Work},
    request::{Command, Fire},
};
use std::sync::Arc;

const TOWN: &str = "saint-aubin";
/// The step after which all of a request is there, and none of it was anonymised.
pub(crate) const FULL: usize = 11;
const START: Moment = Moment::from_micros(1_767_222_000_000_000);
/// How many steps the main job has.
pub(crate) const STEPS: usize = 16;

/// A month, so that the clock does not go far.
fn rules() -> Definition {
    let mut definition = definition();
    definition.procedures.get_mut("fuite-eau").unwrap().retention =
        Retention { months: 0, days: 30, then: Then::Anonymise };
    definition
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Whole,
    /// Something of it failed and was put off, as is reported: it is to be done again.
    Later,
}

/// What somebody who does the main job knows.
pub(crate) struct Town {
    grc: Grc,
    clock: Arc<ManualClock>,
    pub(crate) requests: Vec<RequestId>,
    intervention: Option<InterventionId>,
    /// How often something was put off within a step.
    put_off: i64,
}

impl Town {
    pub(crate) async fn open(stores: Stores, seed: u64) -> Result<Self, GrcError> {
        let clock = Arc::new(ManualClock::at(START));
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        let grc = Grc::with(stores, clock.clone(), entropy).await?;
        Ok(Self { grc, clock, requests: Vec::new(), intervention: None, put_off: 0 })
    }

    pub(crate) fn authority(&self) -> Authority {
        self.grc.authority(TOWN).unwrap()
    }

    fn agent(&self, id: &str) -> Session {
        self.authority().session(Actor::agent(id))
    }

    async fn act(&self, request: usize, agent: &str, step: usize, command: Command) -> Result<(), GrcError> {
        let instruction = Instruction::new(command).key(format!("step {step}"));
        self.agent(agent).act_on(self.requests[request], None, instruction).await.map(|_| ())
    }

    async fn on_site(&self, step: usize, work: Work) -> Result<(), GrcError> {
        let instruction = SiteInstruction::from(work).key(format!("step {step}"));
        self.agent("a-02").work_on(self.intervention.unwrap(), None, instruction).await.map(|_| ())
    }

    /// Does what is due; what failed is put off, and then due again.
    async fn work(&mut self) -> Result<Done, GrcError> {
        let report = self.authority().host("worker").work(None, Budget::ALL).await?;
        if report.later == 0 {
            return Ok(Done::Whole);
        }
        self.put_off += 1;
        Ok(Done::Later)
    }

    async fn submit(&mut self, n: usize) -> Result<(), GrcError> {
        let session = self.agent("a-09");
        let picture = [&b"\xff\xd8\xff\xe0"[..], &[n as u8; 3_000]].concat();
        let photo = session.store_file(Some("photo"), "fuite.jpg", &picture[..]).await?;
        let intake = Intake::new("fuite-eau", "telephone")
            .set("description", format!("fuite {n}"))
            .set("gravite", "ecoulement")
            .at(Place::address("12 rue des Lilas", "35000", "Rennes"))
            .party(Party::named("Anne", "Le Gall").phone("06 39 98 12 34").email("anne@example.org"))
            .file(photo)
            .key(format!("intake {n}"));
        let submitted = session.submit(intake).await?;
        self.requests.truncate(n);
        self.requests.push(submitted.id());
        Ok(())
    }

    /// Does a step. Doing it again after a failure does it once.
    pub(crate) async fn step(&mut self, n: usize) -> Result<Done, GrcError> {
        // Steps are days apart, so that one of which something was put off does not move the next.
        let days = 2 * n as i64 + if n < 12 { 0 } else { 40 };
        self.clock.set(START.plus_days(days).plus_millis(3_600_000 * self.put_off));
        if matches!(n, 9 | 12 | 14) {
            return self.work().await;
        }
        self.put_off = 0;
        self.command(n).await.map(|()| Done::Whole)
    }

    async fn command(&mut self, n: usize) -> Result<(), GrcError> {
        match n {
            0 => self.authority().host("set-up").publish(&rules()).await.map(|_| ()),
            1 => self.submit(0).await,
            2 => {
                let assign = Fire::new("affecter").to(Assignee::team("fontainiers"));
                self.act(0, "a-09", n, Command::Fire(assign)).await
            }
            3 => self.act(0, "a-09", n, Command::note("vu")).await,
            4 => {
                let (from, until) =
                    (self.clock.now().to_utc(), self.clock.now().plus_millis(3_600_000).to_utc());
                let planning = Planning::new(from, until)
                    .team("fontainiers")
                    .serving(self.requests[0])
                    .estimate(60, 12_000)
                    .key("plan");
                self.intervention = Some(self.agent("a-02").plan(planning).await?.id());
                Ok(())
            }
            5 => self.on_site(n, Work::Start).await,
            6 => self.on_site(n, Work::Spend { agent: None, minutes: 45 }).await,
            7 => self.on_site(n, Work::done()).await,
            8 => {
                let paths = vec!["requester.phone".to_owned()];
                let erase = Command::Erase { paths, reason: "droit-a-l-effacement".to_owned() };
                self.act(0, "a-09", n, erase).await
            }
            10 => {
                let assess = Command::Assess { acceptability: "traitable".to_owned(), reason: None };
                self.act(0, "a-02", n, assess).await?;
                let done = Command::Fire(Fire::new("traiter"));
                let instruction = Instruction::new(done).key("step 10, second part");
                self.agent("a-02").act_on(self.requests[0], None, instruction).await.map(|_| ())
            }
            11 => self.act(0, "a-02", n, Command::Fire(Fire::new("cloturer").outcome("repare"))).await,
            13 => self.submit(1).await,
            _ => self.authority().host("worker").scrub().await.map(|_| ()),
        }
    }

    /// What is there is whole, and work goes on.
    pub(crate) async fn goes_on(&mut self) -> Result<(), GrcError> {
        self.step(0).await?;
        let listed = self.agent("a-09").list(&List::new()).await?;
        for request in &listed.requests {
            let verdict = self.authority().host("checks").verify(request.id).await?;
            assert!(verdict.problems.is_empty(), "{verdict:?}");
        }
        self.clock.set(START.plus_days(100));
        self.submit(0).await?;
        assert_eq!(self.work().await?, Done::Whole);
        Ok(())
    }

    /// What is said of the town: figures, and all that an agent may read.
    pub(crate) async fn report(&self) -> Result<String, GrcError> {
        let host = self.authority().host("chiffres");
        let mut out = format!("{:?}\n", host.figures(&Question::all()).await?);
        for request in &self.requests {
            let verdict = host.verify(*request).await?;
            assert!(verdict.problems.is_empty(), "{verdict:?}");
            let seen = self.agent("a-09").open(*request).await?;
            out.push_str(&format!("{:?} {:?}\n", seen.version(), seen.state()));
            out.push_str(&format!("{:?}\n{:?}\n", seen.fields(), seen.place()));
            out.push_str(&format!("{:?}\n{:?}\n", seen.parties(), seen.notes()));
            for message in seen.messages() {
                out.push_str(&format!("{:?}: {:?}, {}\n", message.seq, message.subject, message.text));
            }
            for file in seen.files() {
                let bytes = self.agent("a-09").read_file(*request, file).await?;
                out.push_str(&format!("{:?}: {} {:?}\n", file.field(), file.name(), bytes));
            }
            // A code is drawn anew by who does again what failed.
            if let Some(code) = seen.tracking_code() {
                out = out.replace(&code.to_string(), "its code");
            }
        }
        Ok(out)
    }
}
