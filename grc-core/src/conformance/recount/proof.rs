//! The property: any figure by any two dimensions equals the recount, before and after anonymisation.

use super::{Asked, Compared, Recount, compare};
use crate::{
    Actor, Budget, Clock, Definition, Host, Session, Stores,
    conformance::{Dice, Walk},
    insight::{Dimension, Figure, Question},
};

const DAY: i64 = 86_400_000_000;

/// Walks, then compares every figure by no dimension, by each, by any two and by some three with the recount; asked of
/// all time, and of stretches of it; then forgets what is due and compares all of it again. The counts are compared
/// with what is behind them for `overseer`, an agent who sees and measures everything.
///
/// # Panics
/// If a cell differs.
pub async fn prove_figures(
    stores: Stores,
    definition: &Definition,
    (seed, steps): (u64, usize),
    overseer: &str,
    compared: &mut Compared,
) {
    let mut walk = Walk::begin(stores, definition, seed).await.unwrap();
    for _ in 0..steps.div_ceil(20) {
        let known = walk.trace.requests.len();
        for _ in 0..20 {
            walk.step().await.unwrap();
        }
        walk.deal(known, 10).await.unwrap();
    }
    walk.deal(0, 4).await.unwrap();
    let mut dice = Dice::new(seed);
    let before = all_pairs(&walk, &mut dice, overseer, compared).await;
    let host = walk.grc.authority(Walk::TOWN).unwrap().host("recount");
    // Long after: what was closed is forgotten, and no figure but that one changes of the time before.
    walk.clock.set(walk.clock.now().plus_days(600));
    for _ in 0..20 {
        host.work(None, Budget::ALL).await.unwrap();
    }
    let after = all_pairs(&walk, &mut dice, overseer, compared).await;
    assert!(after >= before, "{after} requests are anonymised, {before} were before");
    compared.anonymised += after;
}

/// Compares everything; answers how many requests are anonymised.
async fn all_pairs(walk: &Walk, dice: &mut Dice, overseer: &str, compared: &mut Compared) -> usize {
    let town = walk.grc.authority(Walk::TOWN).unwrap();
    let (host, session) = (town.host("recount"), town.session(Actor::agent(overseer)));
    let zone = walk.definition().organisation.time_zone;
    let store = &walk.grc.stores().store;
    let recount = Recount::read(&**store, town.name(), &walk.trace.requests, zone).await;
    let now = walk.clock.now().micros();
    let all = Asked { now, ..Asked::default() };
    compare(&host, &recount, &[], &all, compared).await;
    session_agrees(&host, &session).await;
    for (n, one) in Dimension::ALL.into_iter().enumerate() {
        compare(&host, &recount, &[one], &all, compared).await;
        compared.count_behind(&session, &[one], &all).await;
        for other in Dimension::ALL.into_iter().skip(n + 1) {
            let by = if dice.once_in(2) { [one, other] } else { [other, one] };
            // The walk lasts about two years from the beginning of 2026.
            let begin = 1_767_222_000_000_000 + dice.below(600) as i64 * DAY;
            // Every day for years would be long, and nothing new.
            let by_day = by.contains(&Dimension::Day);
            let length = dice.below(if by_day { 40 } else { 300 }) as i64 * DAY + dice.below(100_000) as i64;
            let asked = Asked {
                between: (by_day || dice.once_in(2)).then_some((begin, begin + length)),
                at: dice.once_in(3).then_some(begin),
                by_closing: dice.once_in(3),
                now,
            };
            compare(&host, &recount, &by, &asked, compared).await;
            if !by_day {
                compare(&host, &recount, &by, &all, compared).await;
            }
            if dice.once_in(8) {
                let by = [by[0], by[1], Dimension::ALL[dice.below(Dimension::ALL.len())]];
                if by[2] != by[0] && by[2] != by[1] && by[2] != Dimension::Day {
                    compare(&host, &recount, &by, &asked, compared).await;
                }
            }
            if dice.once_in(12) {
                let asked = if dice.once_in(2) && !by_day { all } else { asked };
                if asked.at.is_none() {
                    compared.count_behind(&session, &by, &asked).await;
                }
            }
        }
    }
    recount.anonymised()
}

/// An actor who may measure, see and cost everything gets what the host gets.
async fn session_agrees(host: &Host, session: &Session) {
    let question = Question::all().figures(Figure::all()).by([Dimension::Type, Dimension::Request]);
    assert_eq!(session.measure(&question).await.unwrap(), host.measure(&question).await.unwrap());
}
