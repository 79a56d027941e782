//! Who holds a request: taking, handing over, the lists of what is whose.

#![expect(clippy::unwrap_used, reason = "tests")]

use crate::common::{Town, leak, refusal};
use grc_core::{
    Assignee, GrcError, List, RequestId, Session,
    definition::Action,
    request::{Command, Fire},
};
use pollster::block_on;

async fn held_by_the_team(town: &Town) -> RequestId {
    let id = town.agent("a-01").submit(leak()).await.unwrap().id();
    let head = town.agent("a-02");
    let seen = head.open(id).await.unwrap();
    head.act(&seen, Fire::new("affecter").to(Assignee::team("fontainiers"))).await.unwrap();
    id
}

async fn ids(session: &Session, list: List) -> Vec<RequestId> {
    session.list(&list).await.unwrap().requests.into_iter().map(|request| request.id).collect()
}

#[test]
fn who_may_takes_what_nobody_holds_and_only_that() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = held_by_the_team(&town).await;
        let paul = town.agent("a-05");
        let seen = paul.open(id).await.unwrap();
        assert!(seen.may(Action::Take));
        paul.act(&seen, Command::Take).await.unwrap();
        let seen = paul.open(id).await.unwrap();
        assert_eq!(seen.agent().map(|agent| agent.as_str()), Some("a-05"));
        assert_eq!(seen.team().map(|team| team.as_str()), Some("fontainiers"), "where it was already");
        let again = refusal(paul.act(&seen, Command::Take).await);
        assert!(again.has("assignment.held"), "{again}");
        // Of another team: for them it does not exist. Who hands requests in may not take any.
        assert!(matches!(town.agent("a-06").act_on(id, None, Command::Take).await, Err(GrcError::NotFound)));
        let desk = town.agent("a-01");
        assert!(desk.open(id).await.unwrap().may(Action::Assign), "who may assign may take");
        let other = refusal(desk.act_on(id, None, Command::Take).await);
        assert!(other.has("assignment.held"), "{other}");
        let entries = paul.history(id).await.unwrap();
        let taken = entries.iter().filter(|entry| entry.details.contains_key("taken")).count();
        assert_eq!(taken, 1);
    });
}

#[test]
fn of_many_who_take_at_once_one_holds_it() {
    let town = block_on(Town::open("voirie"));
    let head = town.agent("a-02");
    let mut races = 0;
    for _ in 0..25 {
        let id = block_on(held_by_the_team(&town));
        let racers = ["a-05", "a-02", "a-05", "a-02", "a-09"];
        let won: Vec<bool> = std::thread::scope(|scope| {
            let started: Vec<_> = racers
                .iter()
                .map(|agent| {
                    let session = town.agent(agent);
                    scope.spawn(move || match block_on(session.act_on(id, None, Command::Take)) {
                        Ok(_) => true,
                        Err(GrcError::Refused(why)) if why.has("assignment.held") => false,
                        // The head of the service took it out of the team's hands.
                        Err(GrcError::NotFound) => false,
                        Err(error) => panic!("{error}"),
                    })
                })
                .collect();
            started.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "exactly one takes it");
        let entries = block_on(head.history(id)).unwrap();
        assert_eq!(entries.iter().filter(|entry| entry.details.contains_key("taken")).count(), 1);
        races += 1;
    }
    println!("{races} races");
    assert!(races >= 25);
}

#[test]
fn who_saw_it_free_and_comes_late_is_told_of_a_conflict() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = held_by_the_team(&town).await;
        let (paul, marc) = (town.agent("a-05"), town.agent("a-02"));
        let seen = marc.open(id).await.unwrap();
        paul.act_on(id, None, Command::Take).await.unwrap();
        match marc.act(&seen, Command::Take).await {
            Err(GrcError::Conflict(conflict)) => assert_eq!(conflict.changed, ["assignment"]),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn handing_over_needs_a_reason_and_that_one_holds_it() {
    block_on(async {
        let town = Town::open("voirie").await;
        let id = held_by_the_team(&town).await;
        let paul = town.agent("a-05");
        let over = |reason: &str| Command::hand_over(Assignee::agent("a-02"), reason);
        let not_his = refusal(paul.act_on(id, None, over("je suis absent")).await);
        assert!(not_his.is_denied());
        paul.act_on(id, None, Command::Take).await.unwrap();
        let without = refusal(paul.act_on(id, None, over("  ")).await);
        assert!(without.has("field.required"));
        assert_eq!(without.problems().len(), 1, "{without}");
        let same = Command::hand_over(Assignee::agent("a-05"), "à moi");
        assert!(refusal(paul.act_on(id, None, same).await).has("assignment.same"));
        paul.act_on(id, None, over("je suis absent demain")).await.unwrap();
        let marc = town.agent("a-02");
        let seen = marc.open(id).await.unwrap();
        assert_eq!(seen.agent().map(|agent| agent.as_str()), Some("a-02"));
        let reasons: Vec<String> = marc
            .history(id)
            .await
            .unwrap()
            .iter()
            .filter_map(|entry| entry.values.get("reason").cloned().flatten())
            .map(|value| value.to_string())
            .collect();
        assert_eq!(reasons, ["je suis absent demain"]);
        // Back to the team, and so free to be taken.
        marc.act(&seen, Command::hand_over(Assignee::team("fontainiers"), "retour à l'équipe"))
            .await
            .unwrap();
        paul.act_on(id, None, Command::Take).await.unwrap();
    });
}

#[test]
fn the_lists_of_what_is_whose() {
    block_on(async {
        let town = Town::open("voirie").await;
        let (mine, teams, late) =
            (held_by_the_team(&town).await, held_by_the_team(&town).await, held_by_the_team(&town).await);
        let closed = held_by_the_team(&town).await;
        let paul = town.agent("a-05");
        paul.act_on(mine, None, Command::Take).await.unwrap();
        paul.act_on(closed, None, Command::Take).await.unwrap();
        let marc = town.agent("a-02");
        for step in [Fire::new("traiter"), Fire::new("cloturer").outcome("repare")] {
            marc.act_on(closed, None, step).await.unwrap();
        }
        assert_eq!(ids(&paul, List::new().mine()).await, [mine]);
        assert_eq!(ids(&marc, List::new().mine()).await, []);
        let mut all = ids(&paul, List::new().my_teams()).await;
        all.sort_unstable();
        let mut expected = vec![mine, teams, late];
        expected.sort_unstable();
        assert_eq!(all, expected, "what is closed is nobody's work any more");
        let mut free = ids(&marc, List::new().unassigned()).await;
        free.sort_unstable();
        let mut expected = vec![teams, late];
        expected.sort_unstable();
        assert_eq!(free, expected);
        assert_eq!(ids(&marc, List::new().overdue()).await, []);
        let target = marc.open(late).await.unwrap().target().unwrap();
        town.clock.set(target.plus_millis(1));
        assert_eq!(ids(&marc, List::new().overdue()).await.len(), 3);
        assert_eq!(ids(&marc, List::new().overdue().mine()).await, []);
        assert_eq!(ids(&paul, List::new().overdue().mine()).await, [mine]);
        // Of others' services nothing is listed, whatever is asked.
        let other = town.agent("a-03");
        assert_eq!(ids(&other, List::new().unassigned()).await, []);
        assert!(town.stores.store.info().test);
    });
}
