//! Ways out that do as they are told.

use async_trait::async_trait;
use grc_core::{
    Word,
    engine::{Delivery, Outgoing, Transport},
};
use std::{collections::BTreeMap, sync::Mutex};

/// Answers as it is told, by channel, and remembers what it was given.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    answers: BTreeMap<&'static str, Delivery>,
    pub(crate) given: Mutex<Vec<Outgoing>>,
}

impl Scripted {
    pub(crate) fn new(answers: &[(&'static str, Delivery)]) -> Self {
        Self { answers: answers.iter().cloned().collect(), given: Mutex::default() }
    }

    pub(crate) fn keys(&self) -> Vec<(String, String)> {
        self.given.lock().unwrap().iter().map(|o| (o.channel.to_string(), o.key.clone())).collect()
    }
}

#[async_trait]
impl Transport for Scripted {
    fn carries(&self, channel: &Word) -> bool {
        *channel != "nul"
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        self.given.lock().unwrap().push(outgoing.clone());
        self.answers.get(outgoing.channel.as_str()).cloned().unwrap_or(Delivery::Sent)
    }
}

/// Never answers.
#[derive(Debug)]
pub(crate) struct Hangs;

#[async_trait]
impl Transport for Hangs {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, _: &Outgoing) -> Delivery {
        std::future::pending().await
    }
}

/// Polls a future once, and drops it: what a host does with a worker that hangs.
pub(crate) fn poll_once<F: Future>(future: F) -> bool {
    let mut future = Box::pin(future);
    future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
}
