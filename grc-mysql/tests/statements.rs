//! How many statements a command takes, as the server itself counts them: each is a way to it and back.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;
#[path = "../../grc-sqlite/tests/budget/town.rs"]
mod town;

use common::{block_on, connect, fresh, options, shared};
use private_server::Server;
use std::{collections::BTreeMap, sync::Arc};
use town::Town;

/// What is counted: all that clients send, and of which kinds it is.
const COUNTED: [&str; 5] = ["Questions", "Com_select", "Com_insert", "Com_update", "Com_delete"];
/// Commands that are counted, after others that are not.
const COMMANDS: usize = 20;
/// The lanes of the feed.
const LANES: usize = 64;

fn counts(server: &Server) -> BTreeMap<String, u64> {
    block_on(async {
        let mut connection = connect(server, "grc").await;
        let rows =
            sqlx::query_as::<_, (String, String)>("SHOW GLOBAL STATUS").fetch_all(&mut connection).await;
        let counts = rows.unwrap().into_iter().filter(|(name, _)| COUNTED.contains(&name.as_str()));
        counts.map(|(name, count)| (name, count.parse().unwrap())).collect()
    })
}

/// What a command costs, without what counting it costs, nor what is done once in twenty.
fn cost(server: &Server, mut command: impl FnMut(usize)) -> BTreeMap<String, u64> {
    let start = counts(server);
    let before = counts(server);
    (0..COMMANDS).for_each(&mut command);
    let after = counts(server);
    let of = |name: &str| (after[name] - before[name]).saturating_sub(before[name] - start[name]);
    before.keys().map(|name| (name.clone(), (of(name) + COMMANDS as u64 / 2) / COMMANDS as u64)).collect()
}

/// Whoever makes a command dearer raises its budget in the same change, with the reason.
#[test]
fn a_command_takes_so_many_statements() {
    // This program's own: its counts are of all its clients.
    let server = shared();
    let (store, keys) = (fresh(server), fresh(server));
    let stores = block_on(async {
        // One connection each: another that is opened meanwhile would be counted too.
        let options = || options().connections(1);
        let keyring = Arc::new(options().open_keyring(&keys).await.unwrap());
        options().open(&store, keyring).await.unwrap()
    });
    let town = Town::on(stores);
    // Who is the first in a lane of the feed asks once more.
    let known: Vec<_> = (0..LANES).map(|n| town.submit(n)).collect();
    let mut ids = Vec::new();
    let intake = cost(server, |n| ids.push(town.submit(LANES + n)));
    known.into_iter().take(COMMANDS).for_each(|id| town.assign(id));
    let mut ids = ids.into_iter();
    let transition = cost(server, |_| town.assign(ids.next().unwrap()));
    println!("an intake: {intake:?}\na transition: {transition:?}");
    let within =
        |cost: &BTreeMap<String, u64>, budget: u64| (budget - 2..=budget).contains(&cost["Questions"]);
    assert!(within(&intake, 12), "12 statements an intake: {intake:?}");
    assert!(within(&transition, 21), "21 statements a transition: {transition:?}");
}
