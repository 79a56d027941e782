//! The store on a Galera cluster of three nodes: the conformance kit with each call at another node; and people at work
//! while a node is killed, another stands still, and one is cut off.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and what it measured is shown"
)]

#[expect(dead_code, reason = "the one server of other programs")]
mod common;
#[path = "galera/found.rs"]
mod found;
#[path = "galera/network.rs"]
mod network;
#[path = "galera/nodes.rs"]
mod nodes;
#[expect(dead_code, reason = "what waits for the one server of another program")]
mod people;
#[path = "galera/spread.rs"]
mod spread;
mod stepped;
#[path = "galera/town.rs"]
mod town;
#[path = "galera/under_way.rs"]
mod under_way;

use common::{block_on, options, run};
use found::{Found, check_order};
use grc_core::conformance::Dice;
use network::Network;
use nodes::{NODES, alone, status, wait_until_ready, wait_until_together};
use private_server::{Cluster, Setup};
use spread::Nodes;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use town::{Town, WHOLE};

grc_core::store_conformance!(Nodes);
grc_core::keyring_conformance!(Nodes);

/// Those who write, and those who work.
const PEOPLE: (usize, usize) = (8, 2);
/// Commands between two faults, and during one.
const BETWEEN: usize = 60;
/// Longer than it takes until the others go on without a node that stands still (`evs.suspect_timeout`: 5 s).
const FROZEN: Duration = Duration::from_secs(8);
/// Another seed than the usual one.
const SEED: &str = "GRC_SEED";

fn seed() -> u64 {
    let given = std::env::var_os(SEED).and_then(|seed| seed.to_str()?.parse().ok());
    given.unwrap_or(1)
}

/// Says which seed failed.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("failed with {SEED}={}", self.0);
        }
    }
}

/// Shows what the nodes said last, if the test fails.
struct Logs<'a>(&'a Cluster);

impl Drop for Logs<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (number, node) in self.0.nodes().iter().enumerate() {
                let log = node.log();
                let last: Vec<&str> = log.lines().rev().take(60).collect();
                println!("node {number}:\n{}\n", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
            }
        }
    }
}

/// Lets people work while something goes wrong, and says how long nothing was acknowledged.
fn while_wrong(town: &Town, what: &str, fault: impl FnOnce()) {
    town.people.wait_for(BETWEEN);
    let (before, begun) = (town.people.count(), town::elapsed());
    town.reset_longest();
    fault();
    town.people.wait_for(BETWEEN);
    let (longest, after, took) = (town.longest(), town.people.count(), town::elapsed() - begun);
    println!(
        "{what}: {} commands in {:.1} s, {} of them and {} works repeated, nothing acknowledged for {:.1} s at the most",
        after.submitted + after.acted - before.submitted - before.acted,
        took.as_secs_f64(),
        after.repeated - before.repeated,
        after.works - before.works,
        longest.as_secs_f64()
    );
}

#[test]
fn a_town_whose_nodes_are_killed_frozen_and_cut_off_loses_nothing() {
    let _alone = alone();
    network::run("a_town_in_a_network_of_its_own");
}

#[test]
#[ignore = "the test above runs it, in a network of its own"]
fn a_town_in_a_network_of_its_own() {
    let network = Network::here();
    let _told = Told(seed());
    let mut dice = Dice::new(seed());
    let cluster = nodes::start(&Setup::new());
    let _logs = Logs(&cluster);
    for name in Town::databases() {
        run(&cluster.nodes()[0], &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
    }
    for node in cluster.nodes() {
        run(node, "SET SESSION wsrep_sync_wait = 1; SELECT 1");
    }
    let town = Town::open(&cluster);
    std::thread::scope(|scope| {
        let ending = town.people.ending();
        town.start(scope, PEOPLE, seed());
        while_wrong(&town, "nothing wrong", || town.people.wait_for(BETWEEN));

        let killed = dice.below(NODES);
        while_wrong(&town, &format!("node {killed} killed, and started again"), || {
            cluster.nodes()[killed].kill().unwrap();
            town.people.wait_for(BETWEEN);
            cluster.rejoin(killed).unwrap();
            wait_until_together(&cluster);
        });

        let frozen = (killed + 1 + dice.below(NODES - 1)) % NODES;
        while_wrong(&town, &format!("node {frozen} frozen, and thawed"), || {
            cluster.nodes()[frozen].freeze().unwrap();
            std::thread::sleep(FROZEN);
            town.people.wait_for(BETWEEN);
            cluster.nodes()[frozen].thaw().unwrap();
            wait_until_together(&cluster);
        });

        let cut = dice.below(NODES);
        while_wrong(&town, &format!("node {cut} cut off from the others, and back"), || {
            network.cut(&cluster, cut);
            let node = &cluster.nodes()[cut];
            wait_until_ready(node, "OFF");
            town.people.wait_for(BETWEEN);
            assert_eq!(status(node, "wsrep_ready").as_deref(), Some("OFF"), "a node alone serves nobody");
            network.mend();
            wait_until_together(&cluster);
        });

        drop(ending);
    });
    town.finish();
    town.catch_up();
    println!("{:?}", town.people.count());
    check_tables(&cluster, &town);
    check_messages(&town);
    check_requests(&cluster, &town);
}

/// The nodes have the same, each request came in once, and the feed tells all of it.
fn check_tables(cluster: &Cluster, town: &Town) {
    let found: Vec<Found> =
        cluster.nodes().iter().map(|node| block_on(async { Found::read(node).await })).collect();
    let told = check_order(&town.changes());
    for (number, node) in found.iter().enumerate() {
        assert_eq!(node.differences(&found[0]), Vec::<String>::new(), "nodes {number} and 0");
        let submitted = town.people.count().submitted as u64;
        assert_eq!((node.requests, node.codes), (submitted, submitted), "each intake came in once");
        assert_eq!(node.waiting, 0, "all messages were sent");
        assert_eq!(node.batches, told, "the feed tells all of it");
    }
    let codes: BTreeSet<String> = town.requests().into_values().map(|(code, _)| code).collect();
    assert_eq!(codes.len(), town.people.count().submitted, "no two have the same reference");
    println!("{} batches on each node", told.len());
}

/// Each message was handed over, and none before the one before it.
fn check_messages(town: &Town) {
    let mut queues: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let handed = town.handed();
    for key in &handed {
        let mut parts = key.split('/');
        let (request, message) = (parts.next().unwrap(), parts.next().unwrap().parse().unwrap());
        let queue = queues.entry(request.to_owned()).or_default();
        if !queue.contains(&message) {
            assert!(queue.last().is_none_or(|last| *last < message), "{key} after {queue:?}");
            queue.push(message);
        }
    }
    assert_eq!(queues.len(), town.people.count().submitted, "each request had messages");
    assert!(queues.values().all(|queue| queue.len() == 4), "{queues:?}");
    let messages = 4 * queues.len();
    println!("{messages} messages, {} of them handed over twice", handed.len() - messages);
}

/// What was acknowledged was done, once: each request as one of the nodes has it, which all have the same.
fn check_requests(cluster: &Cluster, town: &Town) {
    let whole: BTreeMap<String, usize> =
        WHOLE.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
    let requests: Vec<_> = town.requests().into_iter().collect();
    std::thread::scope(|scope| {
        for node in 0..NODES {
            let (requests, whole) = (&requests, &whole);
            scope.spawn(move || {
                let engine = town.engine_at(cluster, node);
                for (id, (_, acknowledged)) in requests.iter().skip(node).step_by(NODES) {
                    let (version, kinds) = town.seen_at(&engine, *id);
                    assert!(
                        version >= *acknowledged,
                        "node {node}: {id}: {version}, acknowledged {acknowledged}"
                    );
                    assert_eq!(kinds, *whole, "node {node}: {id}");
                }
            });
        }
    });
}

#[test]
fn every_order_of_two_at_two_nodes() {
    let _inside = nodes::among_others();
    let counts = stepped::all(|| {
        let (database, keys) = (nodes::fresh(nodes::cluster()), nodes::fresh(nodes::cluster()));
        [0, 1].map(|node| {
            let node = &nodes::cluster().nodes()[node];
            let keyring = pollster::block_on(options().open_keyring(&node.url(&keys))).unwrap();
            pollster::block_on(options().open(&node.url(&database), Arc::new(keyring))).unwrap()
        })
    });
    println!("{counts:?}");
}

#[test]
fn a_node_that_is_not_there_is_passed_over() {
    let _inside = nodes::among_others();
    let cluster = nodes::cluster();
    let database = nodes::fresh(cluster);
    // Nobody listens at the first, the second answers nobody.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ports = [gone.local_addr().unwrap().port(), silent.local_addr().unwrap().port()];
    drop(gone);
    let node = &cluster.nodes()[2];
    let hosts = format!("127.0.0.1:{},127.0.0.1:{},127.0.0.1:{}", ports[0], ports[1], node.port());
    let (user, password) = (node.user(), node.password());
    let options = options().patience(Duration::from_secs(3));
    let store =
        pollster::block_on(options.open_store(&format!("mysql://{user}:{password}@{hosts}/{database}")));
    let store = store.unwrap();
    let load = grc_core::storage::Load {
        authority: grc_core::Word::new("rennes").unwrap(),
        streams: Vec::new(),
        parts: grc_core::storage::Parts::None,
        receipt: None,
    };
    pollster::block_on(grc_core::storage::Store::load(&store, &load)).unwrap();
    let none = format!("mysql://{user}:{password}@127.0.0.1:{0},127.0.0.1:{0}/{database}", ports[0]);
    let error = pollster::block_on(options.open_store(&none)).unwrap_err();
    assert_eq!(error.kind(), grc_core::storage::StorageErrorKind::Unavailable, "{error:?}");
    let wrong = format!("mysql://{user}:wrong@127.0.0.1:{0},127.0.0.1:{0}/{database}", node.port());
    let error = pollster::block_on(options.open_store(&wrong)).unwrap_err();
    assert_eq!(error.kind(), grc_core::storage::StorageErrorKind::Unusable, "{error:?}");
}

#[test]
fn a_node_that_is_set_otherwise_is_refused_with_the_cure() {
    let _alone = alone();
    let setup = Setup::new().option("wsrep-slave-threads=1").option("innodb-autoinc-lock-mode=1");
    let cluster = Cluster::start(&setup, 1).unwrap_or_else(|error| panic!("{error}"));
    let error = pollster::block_on(options().open_store(&cluster.url("grc", 0))).unwrap_err();
    assert_eq!(error.kind(), grc_core::storage::StorageErrorKind::Unusable, "{error:?}");
    let text = error.to_string();
    assert!(text.contains("`innodb_autoinc_lock_mode` is 1") && text.contains("every node"), "{text}");
}
