//! The process that is killed.

use crate::{
    DAYS, STEPS, TOWN, rules,
    support::say,
    watched::{Output, engine},
};
use grc_core::{
    Actor, Assignee, Budget, Clock, Grc, GrcError, Instruction, Intake, ManualClock, Moment, Party, Place,
    RequestId,
    conformance::Dice,
    request::{Command, Fire},
};
use pollster::block_on;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// A request that a child works on.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) id: RequestId,
    pub(crate) stage: u8,
    pub(crate) erased: Vec<&'static str>,
    pub(crate) photo: bool,
}

pub(crate) struct Worker {
    pub(crate) grc: Grc,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) dice: Dice,
    pub(crate) favour: String,
    pub(crate) items: Arc<Mutex<Vec<Item>>>,
}

/// A picture of so many bytes.
pub(crate) fn picture(bytes: usize) -> Vec<u8> {
    let mut picture = b"\xff\xd8\xff\xe0".to_vec();
    picture.extend((picture.len()..bytes).map(|n| (n % 251) as u8));
    picture
}

/// Whether an error is only somebody else's having been faster.
pub(crate) fn is_race(error: &GrcError) -> bool {
    matches!(error, GrcError::Conflict(_) | GrcError::Refused(_))
}

impl Worker {
    pub(crate) fn run(mut self, until: &Path) {
        for _ in 0..STEPS {
            if until.exists() {
                break;
            }
            if let Err(error) = block_on(self.step()) {
                say(&format!("bad\t{error} ({error:?})"));
                return;
            }
        }
        say("end");
    }

    pub(crate) async fn step(&mut self) -> Result<(), GrcError> {
        self.clock.set(self.clock.now().plus_millis(1_000));
        let count = self.items.lock().unwrap().len();
        let (submit, act, erase) = match self.favour.as_str() {
            "issue" => (80, 90, 95),
            "commit" => (40, 90, 95),
            "erase" => (25, 60, 92),
            "month" => return self.month().await,
            _ => (25, 60, 80),
        };
        match self.dice.below(100) {
            n if n < submit || count == 0 => {
                // Some are letters that lay about, perhaps of a month that is over, its key destroyed.
                let days = if self.dice.once_in(4) { self.dice.below(300) } else { 0 };
                self.submit(days as i64).await.map(|_| ())
            }
            n if n < act => {
                let index = self.dice.below(count);
                self.advance(index).await
            }
            n if n < erase => self.erase().await,
            _ => self.work().await,
        }
    }

    /// The only request of a month that is over comes in, is closed and forgotten; the month's key goes with it.
    pub(crate) async fn month(&mut self) -> Result<(), GrcError> {
        let days = 400 + 31 * self.dice.below(400) as i64;
        let index = self.submit(days).await?;
        for _ in 0..4 {
            self.advance(index).await?;
        }
        self.work().await?;
        self.work().await
    }

    pub(crate) async fn submit(&mut self, days_ago: i64) -> Result<usize, GrcError> {
        let session = self.grc.authority(TOWN)?.session(Actor::agent("a-09"));
        let needle = format!("needle-{:016x}", self.dice.next());
        let phone = format!("06 39 98 {:02} {:02}", self.dice.below(100), self.dice.below(100));
        let mut intake = Intake::new("fuite-eau", "telephone")
            .set("description", needle.as_str())
            .set("gravite", "ecoulement")
            .at(Place::address("12 rue des Lilas", "35000", "Rennes").and_position(48.117_266, -1.677_793))
            .party(Party::named("Anne", "Le Gall").phone(phone).email("anne@example.org"));
        let size = match self.dice.below(4) {
            0 => 1_000 + self.dice.below(1_000),
            1 => 100_000,
            _ => 0,
        };
        if size > 0 {
            let photo = session.store_file(Some("photo"), "fuite.jpg", &*picture(size)).await?;
            intake = intake.file(photo);
        }
        if days_ago > 0 {
            intake = intake.occurred_at(self.clock.now().plus_days(-days_ago).to_utc());
        }
        let submitted = match session.submit(intake).await {
            // The other thread moved the clock by a month in between: the file counts as left behind.
            Err(error) if error.refusal().is_some_and(|refusal| refusal.has("file.expired")) => {
                return Box::pin(self.submit(days_ago)).await;
            }
            submitted => submitted?,
        };
        let (id, code) = (submitted.id(), submitted.tracking_code().to_string());
        say(&format!("submitted\t{id}\t{}\t{code}\t{needle}\t{size}", submitted.version()));
        let mut items = self.items.lock().unwrap();
        items.push(Item { id, stage: 0, erased: Vec::new(), photo: size > 0 });
        Ok(items.len() - 1)
    }

    /// Leads a request a step further: assigned, done, closed; or notes something.
    pub(crate) async fn advance(&mut self, index: usize) -> Result<(), GrcError> {
        let item = self.items.lock().unwrap()[index].clone();
        let town = self.grc.authority(TOWN)?;
        let (agent, command, note) = match item.stage {
            0 => ("a-09", Command::Fire(Fire::new("affecter").to(Assignee::team("fontainiers"))), None),
            1 => ("a-02", Command::Assess { acceptability: "traitable".to_owned(), reason: None }, None),
            2 => ("a-02", Command::Fire(Fire::new("traiter")), None),
            3 => ("a-02", Command::Fire(Fire::new("cloturer").outcome("repare")), None),
            _ => {
                let note = format!("note-{:016x}", self.dice.next());
                ("a-09", Command::note(note.as_str()), Some(note))
            }
        };
        match town.session(Actor::agent(agent)).act_on(item.id, None, Instruction::new(command)).await {
            Ok(acted) => {
                say(&format!("acted\t{}\t{}\t{}", item.id, acted.version(), note.unwrap_or_default()));
                self.items.lock().unwrap()[index].stage = 4.min(item.stage + 1);
                Ok(())
            }
            Err(error) if is_race(&error) => {
                self.items.lock().unwrap()[index].stage = 4.min(item.stage + 1);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn erase(&mut self) -> Result<(), GrcError> {
        let (index, item) = {
            let items = self.items.lock().unwrap();
            let index = self.dice.below(items.len());
            (index, items[index].clone())
        };
        let mut paths = vec!["requester.phone", "place.address", "description"];
        if item.photo {
            paths.push("photo");
        }
        paths.retain(|path| !item.erased.contains(path));
        let Some(path) = self.dice.pick(&paths).copied() else { return Ok(()) };
        say(&format!("erasing\t{}\t{path}", item.id));
        let command =
            Command::Erase { paths: vec![path.to_owned()], reason: "droit-a-l-effacement".to_owned() };
        let session = self.grc.authority(TOWN)?.session(Actor::agent("a-09"));
        let outcome = session.act_on(item.id, None, Instruction::new(command)).await;
        self.items.lock().unwrap()[index].erased.push(path);
        match outcome {
            Ok(acted) => {
                say(&format!("erased\t{}\t{}\t{path}", item.id, acted.version()));
                // Often the key goes at once.
                if self.dice.once_in(2) { self.due().await } else { Ok(()) }
            }
            Err(error) if is_race(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets the retention of all that is closed pass, and does what is due.
    pub(crate) async fn work(&mut self) -> Result<(), GrcError> {
        self.clock.set(self.clock.now().plus_days(DAYS));
        say(&format!("clock\t{}", self.clock.now().micros()));
        self.due().await
    }

    pub(crate) async fn due(&mut self) -> Result<(), GrcError> {
        let report = self.grc.authority(TOWN)?.host("worker").work(None, Budget::ALL).await?;
        say(&format!("worked\t{report:?}"));
        Ok(())
    }
}

/// Does what a child was told to do, until it is killed or told to stop.
pub(crate) fn run(role: Vec<String>) {
    let [directory, start, seed, favour, stop] = <[String; 5]>::try_from(role).unwrap();
    let directory = PathBuf::from(directory);
    let clock = Arc::new(ManualClock::at(Moment::from_micros(start.parse().unwrap())));
    let seed: u64 = seed.parse().unwrap();
    say("\nbegin");
    let grc = block_on(async {
        let grc = engine(&directory, &clock, Arc::new(Output)).await.unwrap();
        grc.authority(TOWN).unwrap().host("set-up").publish(&rules()).await.unwrap();
        let session = grc.authority(TOWN).unwrap().session(Actor::agent("a-09"));
        let listed = session.list(&grc_core::List::new().limit(12)).await.unwrap();
        let items = listed.requests.iter().map(|request| Item {
            id: request.id,
            stage: match request.state.as_str() {
                "recue" => 0,
                "affectee" => 1,
                "traitee" => 3,
                _ => 4,
            },
            erased: Vec::new(),
            photo: false,
        });
        (grc, Arc::new(Mutex::new(items.collect::<Vec<_>>())))
    });
    let (grc, items) = grc;
    let workers: Vec<_> = (0..2_u64)
        .map(|n| {
            let worker = Worker {
                grc: grc.clone(),
                clock: Arc::clone(&clock),
                dice: Dice::new(seed ^ (n << 32)),
                favour: favour.clone(),
                items: Arc::clone(&items),
            };
            let stop = PathBuf::from(&stop);
            std::thread::Builder::new().name(n.to_string()).spawn(move || worker.run(&stop)).unwrap()
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}
