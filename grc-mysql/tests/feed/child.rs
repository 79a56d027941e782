//! A process that writes until it is told to stop, and says what became of each batch.

use crate::{
    load::{
        plan::Plan,
        writer::{End, Writer},
    },
    open,
    support::say,
};
use grc_core::storage::Store;
use std::path::Path;

/// What a process is told.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) address: String,
    pub(crate) stop: String,
    /// The number of its first writer, and how often each one takes streams that others write too.
    pub(crate) first: u16,
    pub(crate) shares: Vec<usize>,
    pub(crate) seed: u64,
    /// In seconds.
    pub(crate) patience: u64,
}

impl Role {
    pub(crate) fn words(&self) -> Vec<String> {
        let shares = self.shares.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        vec![
            self.address.clone(),
            self.stop.clone(),
            self.first.to_string(),
            shares,
            self.seed.to_string(),
            self.patience.to_string(),
        ]
    }

    pub(crate) fn read(words: Vec<String>) -> Self {
        let [address, stop, first, shares, seed, patience] = <[String; 6]>::try_from(words).unwrap();
        Self {
            address,
            stop,
            first: first.parse().unwrap(),
            shares: shares.split(',').map(|share| share.parse().unwrap()).collect(),
            seed: seed.parse().unwrap(),
            patience: patience.parse().unwrap(),
        }
    }

    pub(crate) fn play(&self) {
        let store = open(&self.address, self.patience);
        say("\nbegin");
        std::thread::scope(|scope| {
            for (n, shares) in self.shares.iter().enumerate() {
                let store: &dyn Store = &store;
                let writer = Writer::new(store, self.first + n as u16, *shares, self.seed);
                scope.spawn(move || write(writer, Path::new(&self.stop)));
            }
        });
        say("end");
    }
}

fn write(mut writer: Writer<'_>, stop: &Path) {
    while !stop.exists() {
        let plan: Plan = writer.plan();
        match writer.settle(&plan, |_| ()) {
            End::Acknowledged => say(&format!("acknowledged {plan}")),
            End::Refused => say(&format!("refused {plan}")),
        }
    }
    say(&format!("tally {:?}", writer.tally));
}
