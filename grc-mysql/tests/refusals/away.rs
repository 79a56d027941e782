//! The server is not there, or goes and comes back.

use crate::{
    batches::{Call, change, changes, commit, create, list, put, read, version},
    common::{fresh, options, run, start},
    impatient, keyring_refused, open, refused,
};
use grc_core::{
    storage::{
        StorageError,
        StorageErrorKind::{OutcomeUnknown, Unavailable},
        Store,
    },
    vault::Keyring,
};
use grc_mysql::MysqlStore;
use private_server::{Server, Setup};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
    thread,
    time::Duration,
};

/// A server that need not flush: these tests do not cut the power.
fn quick() -> Setup {
    Setup::new().option("innodb-flush-log-at-trx-commit=2")
}

/// So many readings at once, so that as many connections are there.
fn crowd(store: &MysqlStore, count: usize) -> Vec<Result<usize, StorageError>> {
    thread::scope(|scope| {
        let all: Vec<_> = (0..count).map(|_| scope.spawn(|| list(store))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("mysql://grc:Zebra77@127.0.0.1:{port}/grc");
    let error = open(&address, &impatient()).unwrap_err();
    refused(&error, &address, Unavailable, &["no server answers", "start it, or check host and port"]);
    let error = pollster::block_on(impatient().open_keyring(&address)).unwrap_err();
    keyring_refused(&error, &address, true, &["no server answers"]);
}

#[test]
fn a_server_that_comes_back_is_used_again() {
    let server = start(quick());
    let (address, keys) = (fresh(&server), fresh(&server));
    let store = open(&address, &impatient()).unwrap();
    let keyring = pollster::block_on(impatient().open_keyring(&keys)).unwrap();
    let mut last = 0;
    let mut failed = 0;
    for kill in [false, true] {
        last += 1;
        commit(&store, create(last, 10)).unwrap();
        assert!(crowd(&store, 8).into_iter().all(|one| one.unwrap() == usize::try_from(last).unwrap()));
        if kill {
            server.kill().unwrap()
        } else {
            server.stop().unwrap()
        }
        let words = ["no server answers", "start it"];
        // At once: each of them waits.
        thread::scope(|scope| {
            let calls: [Call; 4] = [
                |store| commit(store, create(100, 10)),
                |store| changes(store).map(drop),
                |store| put(store, 1, 10),
                |store| read(store, 1).map(drop),
            ];
            let store = &store;
            let calls = calls.map(|call| scope.spawn(move || call(store).unwrap_err()));
            let keys_error = scope.spawn(|| pollster::block_on(keyring.epoch()).unwrap_err());
            let lists = crowd(store, 4).into_iter().map(Result::unwrap_err);
            for error in calls.map(|call| call.join().unwrap()).into_iter().chain(lists) {
                refused(&error, &address, Unavailable, &words);
                failed += 1;
            }
            keyring_refused(&keys_error.join().unwrap(), &keys, true, &words);
        });
        server.restart().unwrap();
        assert_eq!(version(&store, last), 1);
        assert_eq!(version(&store, 100), 0, "what was refused is not done");
        pollster::block_on(keyring.epoch()).unwrap();
    }
    // All that are idle are dead, and nobody has noticed yet.
    assert!(crowd(&store, 8).into_iter().all(|one| one.is_ok()));
    server.kill().unwrap();
    server.restart().unwrap();
    assert!(crowd(&store, 16).into_iter().all(|one| one.unwrap() == 2));
    server.restart().unwrap();
    commit(&store, change(1, 2)).unwrap();
    assert_eq!((version(&store, 1), changes(&store).unwrap()), (2, 3));
    println!("{failed} calls failed while the server was away");
    assert_eq!(failed, 16);
}

#[test]
fn a_call_waits_for_a_server_that_comes_back_within_its_patience() {
    let server = start(quick());
    let address = fresh(&server);
    let store = open(&address, &options().connections(2).patience(Duration::from_secs(120))).unwrap();
    server.kill().unwrap();
    thread::scope(|scope| {
        let waiting = [
            scope.spawn(|| commit(&store, create(1, 10)).map(|()| 0)),
            scope.spawn(|| list(&store)),
            scope.spawn(|| changes(&store)),
        ];
        server.restart().unwrap();
        for one in waiting {
            one.join().unwrap().unwrap();
        }
    });
    assert_eq!(version(&store, 1), 1);
}

#[test]
fn a_server_that_stands_still_is_not_waited_for() {
    let server = start(quick());
    let address = fresh(&server);
    let store = open(&address, &impatient()).unwrap();
    commit(&store, create(1, 10)).unwrap();
    server.freeze().unwrap();
    let read = list(&store);
    let write = commit(&store, change(1, 2));
    let new = open(&address, &impatient());
    server.thaw().unwrap();
    refused(&read.unwrap_err(), &address, Unavailable, &["does not answer", "patience"]);
    let error = write.unwrap_err();
    assert!(matches!(error.kind(), Unavailable | OutcomeUnknown), "{error}");
    refused(&error, &address, error.kind(), &["does not answer", "patience"]);
    refused(&new.unwrap_err(), &address, Unavailable, &["does not answer", "patience"]);
    assert_eq!(version(&store, 1), 1);
    commit(&store, change(1, 2)).unwrap();
    assert_eq!(version(&store, 1), 2);
}

type Once = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// Stands before a server. When a commit was done, does this before it is answered, and hangs up instead.
fn hang_up_at_commit(server: &Server, once: impl FnOnce() + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (own, port) = (listener.local_addr().unwrap().port(), server.port());
    let once: Once = Arc::new(Mutex::new(Some(Box::new(once))));
    let pass = move |client: TcpStream, once: Once| {
        let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let (mut from_client, mut to_server) = (client, server);
        let mute = Arc::new(AtomicBool::new(false));
        let (is_mute, (heard, answer)) = (Arc::clone(&mute), channel());
        thread::spawn(move || {
            let mut bytes = [0; 1 << 14];
            while let Ok(n @ 1..) = from_server.read(&mut bytes) {
                let said = if is_mute.load(Ordering::SeqCst) {
                    heard.send(()).is_ok()
                } else {
                    to_client.write_all(&bytes[..n]).is_ok()
                };
                if !said {
                    break;
                }
            }
            // The other side may have done so.
            let _ = to_client.shutdown(Shutdown::Both);
        });
        let mut bytes = [0; 1 << 14];
        while let Ok(n @ 1..) = from_client.read(&mut bytes) {
            let act = if bytes[..n].ends_with(b"COMMIT") { once.lock().unwrap().take() } else { None };
            mute.store(act.is_some(), Ordering::SeqCst);
            if to_server.write_all(&bytes[..n]).is_err() {
                break;
            }
            if let Some(act) = act {
                answer.recv().unwrap();
                act();
                break;
            }
        }
        let _ = to_server.shutdown(Shutdown::Both);
    };
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let once = Arc::clone(&once);
            thread::spawn(move || pass(client, once));
        }
    });
    own
}

#[test]
fn what_is_said_of_a_server_is_not_said_of_a_commit_that_may_be_done() {
    let server = Arc::new(start(quick()));
    let direct = fresh(&server);
    drop(open(&direct, &options()).unwrap());
    let spoil = Arc::clone(&server);
    let port = hang_up_at_commit(&server, move || run(&spoil, "SET GLOBAL max_allowed_packet = 1048576"));
    let place = format!("{}:{port}", server.host());
    let address = direct.replace(&format!("{}:{}", server.host(), server.port()), &place);
    // One connection: after it was cut off a new one is made, which meets the server's new setting.
    let store = open(&format!("{address}?ssl-mode=DISABLED"), &impatient().connections(1)).unwrap();
    let error = commit(&store, create(1, 10)).unwrap_err();
    refused(
        &error,
        &address,
        OutcomeUnknown,
        &["may or may not be done", "the same batch again", "`max_allowed_packet` to 16M"],
    );
    run(&server, "SET GLOBAL max_allowed_packet = 16777216");
    assert!(pollster::block_on(store.commit(create(1, 10))).unwrap().replayed, "it was done");
    assert_eq!((version(&store, 1), changes(&store).unwrap()), (1, 1));
}
