//! Random walks on the reference store: folding gives the state, a fault at every commit leaves all or nothing, the
//! same seed gives the same events, two writers never both win.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use grc_core::{
    Actor, Assignee, Condition, Definition, List, Session, Stores,
    conformance::{Fault, FaultStore, Walk},
    insight::Question,
    request::Fire,
    storage::Fact,
};
use pollster::block_on;
use std::{collections::BTreeMap, path::Path, sync::Arc};

fn definition(name: &str) -> Definition {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/definitions").join(name);
    Definition::from_dir(path).unwrap_or_else(|error| panic!("{error}"))
}

async fn walk(stores: Stores, name: &str, seed: u64, steps: usize) -> Walk {
    let mut walk = Walk::begin(stores, &definition(name), seed).await.unwrap();
    for n in 0..steps {
        walk.step().await.unwrap();
        if n % 50 == 49 {
            walk.check().await.unwrap_or_else(|problem| panic!("seed {seed}, step {n}: {problem}"));
        }
    }
    walk
}

fn agents(walk: &Walk) -> Vec<String> {
    walk.definition().organisation.agents.iter().map(|agent| agent.id.to_string()).collect()
}

fn outcome(walk: &Walk) -> String {
    walk.definition().organisation.outcomes.first().map(|outcome| outcome.id.to_string()).unwrap_or_default()
}

/// Kinds of steps that must have succeeded at least so often in all walks together; the walk prints what it did.
const WANTED: &[(&str, u64)] = &[
    ("submit", 300),
    ("fire", 100),
    ("assign", 15),
    ("correct", 20),
    ("assess", 10),
    ("tell", 10),
    ("hear", 10),
    ("note", 20),
    ("work", 20),
    ("link", 10),
    ("take", 10),
    ("hand-over", 10),
    ("conclude", 10),
    ("confirm", 1),
    ("site.plan", 30),
    ("site.replan", 10),
    ("site.acknowledge", 3),
    ("site.start", 10),
    ("site.done", 10),
    ("site.impossible", 5),
    ("site.cancel", 1),
    ("site.spend", 30),
    ("site.buy", 20),
    ("site.strike", 5),
    ("site.photo", 3),
    ("hold", 3),
    ("release", 1),
    ("erase", 3),
    ("list", 30),
    ("figures", 30),
    ("follow", 20),
    ("history", 20),
    ("work.anonymised", 5),
    ("work.sent", 20),
    ("work.destroyed", 5),
    ("work.later", 3),
    ("work.dead", 1),
    ("work.fired", 1),
];

#[test]
fn walks_keep_every_invariant() {
    let mut coverage: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for name in ["voirie", "urbanisme"] {
        for seed in 1..=24 {
            let walk = block_on(walk(Stores::memory(), name, seed, 300));
            for (kind, (taken, done)) in &walk.trace.coverage {
                let counts = coverage.entry(kind.clone()).or_default();
                *counts = (counts.0 + taken, counts.1 + done);
            }
        }
    }
    for (kind, (taken, done)) in &coverage {
        println!("{kind:<20} {taken:>6} taken {done:>6} done");
    }
    for (kind, least) in WANTED {
        let done = coverage.get(*kind).map_or(0, |counts| counts.1);
        assert!(done >= *least, "`{kind}` succeeded {done} times only, {least} are wanted");
    }
}

#[test]
fn the_same_seed_gives_the_same_events() {
    block_on(async {
        let one = walk(Stores::memory(), "voirie", 42, 200).await;
        let two = walk(Stores::memory(), "voirie", 42, 200).await;
        assert_eq!(one.trace, two.trace);
        assert_eq!(one.events().await.unwrap(), two.events().await.unwrap());
    });
}

#[test]
fn a_fault_at_every_commit_leaves_all_or_nothing() {
    for fault in [Fault::Before, Fault::AnswerLost, Fault::Dies] {
        let mut at = 0;
        loop {
            at += 1;
            let stores = Stores::memory();
            let faulty = Arc::new(FaultStore::new(Arc::clone(&stores.store), fault, at));
            let wrapped = Stores { store: faulty.clone(), ..stores };
            let failed = block_on(async {
                let Ok(mut walk) = Walk::begin(wrapped, &definition("voirie"), 7).await else {
                    return true;
                };
                for _ in 0..60 {
                    walk.step().await.unwrap();
                }
                faulty.heal();
                // What was acknowledged is there, what was not is there whole or not at all, and work goes on.
                let checked = walk.check().await;
                if fault != Fault::Dies {
                    assert_eq!(checked, Ok(()), "{fault:?} at commit {at}");
                }
                for id in &walk.trace.requests {
                    let host = walk.grc.authority("promenade").unwrap().host("check");
                    assert_eq!(
                        host.verify(*id).await.unwrap().problems,
                        Vec::<String>::new(),
                        "{fault:?} at {at}"
                    );
                }
                for _ in 0..10 {
                    walk.step().await.unwrap();
                }
                at <= faulty.calls() && faulty.has_failed()
            });
            if !failed || at > 60 {
                println!("{fault:?}: {at} cuts");
                assert!(at > 30, "only {at} cuts");
                break;
            }
        }
    }
}

/// How many requests there are on all pages of a list.
async fn listed(session: &Session, list: &List) -> u64 {
    let mut count = 0;
    let mut list = list.clone().limit(7);
    loop {
        let page = session.list(&list).await.unwrap();
        count += page.requests.len() as u64;
        match page.next {
            Some(next) => list = list.after(next),
            None => return count,
        }
    }
}

#[test]
fn totals_equal_the_list_behind_them() {
    block_on(async {
        let walk = walk(Stores::memory(), "voirie", 5, 300).await;
        let town = walk.grc.authority("promenade").unwrap();
        let mut compared = 0;
        for agent in agents(&walk) {
            let session = town.session(Actor::agent(agent));
            let Ok(all) = session.figures(&Question::all()).await else { continue };
            // Some measure more than they may open; for who has both rights alike the numbers must agree.
            if all.total != listed(&session, &List::new()).await {
                continue;
            }
            for phase in ["received", "in-progress", "waiting", "closed"] {
                let figures =
                    session.figures(&Question::those(Condition::is(Fact::Phase, phase))).await.unwrap();
                let length = listed(&session, &List::new().is(Fact::Phase, phase)).await;
                compared += length;
                assert_eq!(figures.total, length, "{phase}");
            }
        }
        println!("{compared} requests were counted and listed");
        assert!(compared >= 20);
    });
}

#[test]
fn of_two_writers_on_one_version_one_wins() {
    let walk = block_on(walk(Stores::memory(), "voirie", 9, 300));
    let town = walk.grc.authority("promenade").unwrap();
    let mut races = 0;
    for id in &walk.trace.requests {
        for agent in agents(&walk) {
            let session = town.session(Actor::agent(agent));
            let Ok(seen) = block_on(session.open(*id)) else { continue };
            let Some(choice) = seen.choices().iter().find(|choice| choice.blocked.is_empty()) else {
                continue;
            };
            let fire = || {
                let fire = Fire::new(choice.transition.as_str()).outcome(outcome(&walk));
                fire.to(Assignee::agent(agents(&walk).remove(0)))
            };
            let outcomes: Vec<bool> = std::thread::scope(|scope| {
                let racers: Vec<_> =
                    (0..4).map(|_| scope.spawn(|| block_on(session.act(&seen, fire())).is_ok())).collect();
                racers.into_iter().map(|racer| racer.join().unwrap()).collect()
            });
            let winners = outcomes.iter().filter(|won| **won).count();
            assert!(winners <= 1, "{winners} writers won on one version");
            races += winners;
            break;
        }
    }
    println!("{races} races were won");
    assert!(races >= 10, "only {races} races were won");
}
