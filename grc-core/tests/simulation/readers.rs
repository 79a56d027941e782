//! Who reads: lists, histories, figures, the feed. What is read while others write must be whole.

use crate::{
    errand::{AGENTS, OVERSEER, session, some_case, somebody},
    ledger::Person,
    world::World,
};
use grc_core::{
    Authority, GrcError, List, RequestId, definition::Contact, insight::Question, storage::Touched,
};
use std::collections::BTreeSet;

/// All pages of a list, each request once.
pub(crate) async fn list(
    town: &Authority,
    person: &Person,
    list: List,
) -> Result<BTreeSet<RequestId>, GrcError> {
    let session = session(town, person);
    let mut found = BTreeSet::new();
    let mut list = list.limit(5);
    loop {
        let page = session.list(&list).await?;
        for request in page.requests {
            assert!(found.insert(request.id), "{} is on two pages of one list", request.id);
        }
        match page.next {
            Some(next) => list = list.after(next),
            None => return Ok(found),
        }
    }
}

pub(crate) async fn read(world: &World, town: &Authority) -> Result<(), GrcError> {
    let agent = Person::Agent(AGENTS[world.lock().below(AGENTS.len())]);
    let choice = world.lock().below(7);
    match choice {
        0 => {
            // What is known before is on the pages, whatever is written meanwhile.
            let before: Vec<RequestId> = world.lock().ledger.cases.iter().map(|case| case.id).collect();
            let found = list(town, &Person::Agent(OVERSEER), List::new()).await?;
            let missing = before.iter().find(|id| !found.contains(id));
            assert_eq!(missing, None, "a request is on no page");
            world.lock().count("lists read");
        }
        1 => {
            let mine = [List::new().mine(), List::new().my_teams(), List::new().overdue()];
            let which = world.lock().below(mine.len());
            list(town, &agent, mine[which].clone()).await?;
        }
        2 => {
            let before = world.lock().ledger.cases.len() as u64;
            let figures = town.host("mairie").figures(&Question::all()).await?;
            assert!(
                figures.total >= before,
                "{before} requests were known, the figures say {}",
                figures.total
            );
            world.lock().count("figures read");
        }
        3 => {
            let phone = some_case(world).and_then(|case| case.phone);
            if let Some(phone) = phone {
                let chief = session(town, &Person::Agent(OVERSEER));
                chief.by_contact("voie", Contact::Phone, &phone).await?;
                world.lock().count("persons looked for");
            }
        }
        4 => {
            let Some(case) = some_case(world) else { return Ok(()) };
            let verdict = town.host("garde").verify(case.id).await?;
            assert_eq!(verdict.problems, Vec::<String>::new(), "{} at tick {}", case.id, world.lock().tick);
            world.lock().count("histories verified");
        }
        _ => {
            let Some(case) = some_case(world) else { return Ok(()) };
            let person = somebody(world, &case);
            session(town, &person).history(case.id).await?;
            world.lock().count("histories read");
        }
    }
    Ok(())
}

/// Follows the feed for a page. What was read and how far are remembered together, when the page is read.
pub(crate) async fn follow(
    world: &World,
    town: &Authority,
    which: usize,
    limit: u32,
) -> Result<(), GrcError> {
    let cursor = world.lock().ledger.followers[which].cursor.clone();
    let page = town.host("suiveur").changes(cursor.as_ref(), limit).await?;
    let mut state = world.lock();
    let follower = &mut state.ledger.followers[which];
    // Another life of it was faster.
    if follower.cursor != cursor {
        return Ok(());
    }
    follower.cursor = Some(page.next);
    for change in page.changes {
        follower.seen.push(change.batch);
        for touched in change.touched {
            if let Touched::Stream(stream, version) = touched {
                let last = follower.streams.insert(stream.id, version).unwrap_or_default();
                assert!(version >= last, "the feed tells version {version} of {} after {last}", stream.id);
            }
        }
    }
    state.count("pages of the feed");
    Ok(())
}
