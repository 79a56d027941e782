//! Two commands, workers or publications at once, whose calls to the store are made in every order that there is.

mod stage;

use async_trait::async_trait;
use grc_core::{
    Actor, Assignee, Authority, Budget, Definition, Grc, GrcError, Intake, ManualClock, Moment, Party, Place,
    RequestId, Stores, SystemEntropy, Word,
    engine::{Delivery, Outgoing, Transport},
    request::{Command, Fire},
};
use pollster::block_on;
use stage::{Played, Stage, Stepped, Who, every_order};
use std::{
    path::Path,
    sync::{Arc, Mutex},
};

const TOWN: &str = "saint-aubin";
/// The calls that a decision depends on, or another's call. Where nothing is published, documents say the same before and
/// after everything else; lists and histories decide nothing, and with them the orders would be thousands.
const DECIDES: &[&str] = &["load", "commit", "claim"];

/// Two engines over one store, which take turns, and a third that does not.
pub(crate) struct Two {
    stage: Arc<Stage>,
    engines: [Grc; 2],
    plain: Grc,
    definition: Definition,
}

impl Two {
    /// Each of the two has handles of its own to the same rows and keys, perhaps at other nodes.
    pub(crate) fn open(stores: [Stores; 2]) -> Self {
        let stage = Arc::new(Stage::default());
        let clock = Arc::new(ManualClock::at(Moment::from_micros(1_767_222_000_000_000)));
        let engine = |stores: Stores| {
            let clock = Arc::<ManualClock>::clone(&clock);
            block_on(Grc::with(stores, clock, Arc::new(SystemEntropy))).unwrap()
        };
        let [first, second] = stores;
        let plain = engine(first.clone());
        let stepped = |stores: Stores, who: Who| {
            let store = Stepped { under: stores.store, stage: Arc::clone(&stage), who };
            engine(Stores { store: Arc::new(store), ..stores })
        };
        let engines = [stepped(first, 0), stepped(second, 1)];
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grc-core/tests/definitions/voirie");
        let definition = Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"));
        let two = Self { stage, engines, plain, definition };
        block_on(two.plain().host("set-up").publish(&two.definition)).unwrap();
        two
    }

    fn plain(&self) -> Authority {
        self.plain.authority(TOWN).unwrap()
    }

    fn town(&self, who: Who) -> Authority {
        self.engines[who].authority(TOWN).unwrap()
    }

    fn submit(&self) -> (RequestId, u64) {
        let intake = Intake::new("nid-de-poule", "telephone")
            .set("description", "un trou")
            .set("danger", false)
            .at(Place::address("12 rue des Lilas", "35000", "Rennes").and_position(48.117_266, -1.677_793))
            .party(Party::named("Anne", "Le Gall").email("anne@example.org"));
        let submitted = block_on(self.plain().session(Actor::agent("a-09")).submit(intake)).unwrap();
        (submitted.id(), submitted.version())
    }

    /// What a request has been through, of some kinds, in order.
    fn history(&self, id: RequestId, kinds: &[&str]) -> Vec<String> {
        let entries = block_on(self.plain().session(Actor::agent("a-09")).history(id)).unwrap();
        let verdict = block_on(self.plain().host("audit").verify(id)).unwrap();
        assert_eq!(verdict.problems, Vec::<String>::new(), "{id}");
        let names = entries.iter().map(|entry| entry.kind.to_string());
        names.filter(|kind| kinds.contains(&kind.as_str())).collect()
    }

    /// Plays both in all orders of these calls. Each time `prepare` makes what they are about, and `check` looks at what became of it.
    fn all<S: Sync, T: Send + std::fmt::Debug>(
        &self,
        (what, turns): (&str, &'static [&'static str]),
        prepare: impl Fn() -> S,
        acts: [&(dyn Fn(&S) -> T + Sync); 2],
        check: impl Fn(&S, &Played<T>),
    ) -> usize {
        let count = every_order(|choices| {
            let subject = prepare();
            let played = self.stage.play(turns, choices, [&|| acts[0](&subject), &|| acts[1](&subject)]);
            check(&subject, &played);
            played.chosen
        });
        assert!(count > 1, "{what}: they never met");
        count
    }

    /// Two clerks send the same request to two teams, as each has seen it: one wins, the other is told.
    pub(crate) fn commit_against_commit(&self) -> usize {
        let send = |who: Who, (id, version): &(RequestId, u64)| {
            let team = ["chaussee", "eclairage"][who];
            let command = Command::Fire(Fire::new("affecter").to(Assignee::team(team)));
            block_on(self.town(who).session(Actor::agent("a-09")).act_on(*id, Some(*version), command))
        };
        let acts: [&(dyn Fn(&_) -> _ + Sync); 2] = [&|subject| send(0, subject), &|subject| send(1, subject)];
        self.all(
            ("commits", DECIDES),
            || self.submit(),
            acts,
            |(id, _), played| {
                let won = played.ends.iter().filter(|end| end.is_ok()).count();
                assert_eq!(won, 1, "{played:?}");
                let told = |end: &Result<_, GrcError>| matches!(end, Ok(_) | Err(GrcError::Conflict(_)));
                assert!(played.ends.iter().all(told), "{played:?}");
                assert_eq!(self.history(*id, &["assigned", "moved"]).len(), 2, "{played:?}");
            },
        )
    }

    /// One sets a hold, the other erases: nothing is erased after the hold.
    pub(crate) fn erasure_against_hold(&self) -> usize {
        let give = |who: Who, id: RequestId, command: Command| {
            block_on(self.town(who).host("dpo").act(id, command)).map(drop)
        };
        let hold = |(id, _): &(RequestId, u64)| give(0, *id, Command::Hold { reason: "litige".into() });
        let erase = |(id, _): &(RequestId, u64)| {
            give(1, *id, Command::Erase { paths: vec!["description".into()], reason: "droit".into() })
        };
        self.all(
            ("erasure and hold", DECIDES),
            || self.submit(),
            [&hold, &erase],
            |(id, _), played| {
                let history = self.history(*id, &["held", "erased"]);
                match &played.ends[..] {
                    [Ok(()), Ok(())] => assert_eq!(history, ["erased", "held"], "{played:?}"),
                    [Ok(()), Err(GrcError::Refused(_))] => assert_eq!(history, ["held"], "{played:?}"),
                    _ => panic!("{played:?}"),
                }
            },
        )
    }

    /// The right of an agent is withdrawn while they use it: not any more once that was committed.
    pub(crate) fn publish_against_command(&self) -> usize {
        let mut without = self.definition.clone();
        without.organisation.agents.retain(|agent| agent.id.as_str() != "a-01");
        let prepare = || {
            block_on(self.plain().host("set-up").publish(&self.definition)).unwrap();
            self.submit()
        };
        let publish =
            |_: &(RequestId, u64)| block_on(self.town(0).host("set-up").publish(&without)).map(drop);
        let note = |(id, _): &(RequestId, u64)| {
            let note = Command::Note("vu".into());
            block_on(self.town(1).session(Actor::agent("a-01")).act_on(*id, None, note)).map(drop)
        };
        let turns = &["load", "commit", "documents"];
        self.all(("publication and command", turns), prepare, [&publish, &note], |(id, _), played| {
            assert!(played.ends[0].is_ok(), "{played:?}");
            let (published, noted) = (played.last(0, "commit"), played.last(1, "commit"));
            let history = self.history(*id, &["noted"]).len();
            if played.ends[1].is_ok() {
                assert!(noted < published, "{played:?}");
                assert_eq!(history, 1, "{played:?}");
            } else {
                // Who is not in the organisation any more.
                let told = matches!(&played.ends[1], Err(GrcError::Refused(_)));
                assert!(told, "{played:?}");
                assert_eq!(history, 0, "{played:?}");
            }
        })
    }

    /// Two workers find one message to be sent: one sends it.
    pub(crate) fn claim_against_claim(&self) -> usize {
        let post = Post::default();
        let work = |who: Who| block_on(self.town(who).host("worker").work(Some(&post), Budget::tasks(1)));
        let prepare = || {
            post.0.lock().unwrap().clear();
            self.submit()
        };
        self.all(("claims", DECIDES), prepare, [&|_| work(0), &|_| work(1)], |(id, _), played| {
            assert!(played.ends.iter().all(Result::is_ok), "{played:?}");
            assert_eq!(post.0.lock().unwrap().len(), 1, "{played:?}");
            assert_eq!(self.history(*id, &["delivered"]).len(), 1, "{played:?}");
        })
    }
}

/// Takes every message, and remembers which.
#[derive(Debug, Default)]
struct Post(Mutex<Vec<String>>);

#[async_trait]
impl Transport for Post {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        self.0.lock().unwrap().push(outgoing.key.clone());
        Delivery::Sent
    }
}

/// All of them, in a store of their own each. Answers how many orders there were.
pub(crate) fn all(open: impl Fn() -> [Stores; 2]) -> [(&'static str, usize); 4] {
    [
        ("commit against commit", Two::open(open()).commit_against_commit()),
        ("erasure against hold", Two::open(open()).erasure_against_hold()),
        ("publish against command", Two::open(open()).publish_against_command()),
        ("claim against claim", Two::open(open()).claim_against_claim()),
    ]
}
