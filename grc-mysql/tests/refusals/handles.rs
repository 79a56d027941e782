//! Handles: closed, dropped anywhere, used from everywhere.

use crate::{
    batches::{changes, commit, create, every_call, list, put, stream, town, version},
    common::{fresh, options, shared},
    open,
    processes::{another, say},
    refused,
};
use grc_core::storage::{BlobStore, Load, Parts, StorageErrorKind::Unusable, Store};
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

#[test]
fn a_closed_store_says_so() {
    let address = fresh(shared());
    let store = open(&address, &options()).unwrap();
    every_call(&store, 1);
    for _ in 0..2 {
        pollster::block_on(store.close());
        let answers = [
            list(&store).map(|_| ()),
            changes(&store).map(|_| ()),
            commit(&store, create(2, 10)),
            put(&store, 2, 10),
            pollster::block_on(store.scrub()).map(|_| ()),
            pollster::block_on(BlobStore::remove(&store, &town(), crate::batches::blob(1))),
        ];
        for answer in answers {
            refused(&answer.unwrap_err(), &address, Unusable, &["was closed", "open it again"]);
        }
    }
    assert_eq!(version(&open(&address, &options()).unwrap(), 1), 2);
}

fn runtimes() -> [Runtime; 2] {
    let many = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    [many, Builder::new_current_thread().build().unwrap()]
}

#[test]
fn a_store_is_used_from_every_runtime_at_once() {
    let address = fresh(shared());
    let store = Arc::new(open(&address, &options()).unwrap());
    let [many, single] = runtimes();
    std::thread::scope(|scope| {
        for (first, runtime) in [(100, Some(many)), (200, Some(single)), (300, None)] {
            let store = &store;
            scope.spawn(move || {
                let work = async {
                    for n in first..first + 20 {
                        store.commit(create(n, 10)).await.unwrap();
                        let load = Load {
                            authority: town(),
                            streams: vec![stream(n)],
                            parts: Parts::All,
                            receipt: None,
                        };
                        assert!(store.load(&load).await.unwrap().streams[0].is_some());
                    }
                };
                match runtime {
                    Some(runtime) => runtime.block_on(work),
                    None => pollster::block_on(work),
                }
            });
        }
    });
    assert_eq!(changes(&store).unwrap(), 60);
}

/// In a process of its own, whose output shows each panic, on whatever thread it was.
#[test]
fn the_last_handle_is_dropped_anywhere_without_a_panic() {
    let address = fresh(shared());
    let output = another(&["drop", &address]).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !text.contains("panicked"), "{text}");
    assert!(text.contains("dropped 40"), "{text}");
}

pub(crate) fn drop_everywhere(address: &str) {
    let mut count = 0;
    for round in 0..10_u128 {
        for (n, runtime) in runtimes().into_iter().enumerate() {
            for given_up in [false, true] {
                count += 1;
                let id = 1000 * round + 100 * (n as u128) + count;
                runtime.block_on(async {
                    let store = options().open_store(address).await.unwrap();
                    if given_up {
                        // Calls that are begun and not waited for.
                        for m in 0..4 {
                            let mut call = Box::pin(store.commit(create((id << 4) + m, 10)));
                            std::future::poll_fn(|context| {
                                let _ = call.as_mut().poll(context);
                                std::task::Poll::Ready(())
                            })
                            .await;
                        }
                    } else {
                        store.commit(create(id << 4, 10)).await.unwrap();
                    }
                    drop(store);
                });
            }
        }
    }
    say(&format!("dropped {count}"));
}
