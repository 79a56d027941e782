//! The servers that an address names, and which of them is used: the first, until it fails.

use crate::{
    Options, address,
    error::{Fault, Outcome},
    node::Node,
    session::Session,
};
use grc_core::storage::{StorageError, StorageErrorKind};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// How long one of several servers is waited for, at the least and at the most, before another is asked.
const HOP: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// After all of them were asked in vain.
const PAUSE: Duration = Duration::from_millis(50);

/// The servers that hold the database.
#[derive(Debug)]
pub(crate) struct Nodes {
    all: Vec<Node>,
    /// The one that is used. It is left when it fails, and not returned to before the next one does: whoever came to it
    /// has connections there, and knows that it works.
    current: AtomicUsize,
    /// How long one of several is waited for.
    hop: Duration,
    patience: Duration,
    place: Arc<str>,
}

impl Nodes {
    pub(crate) fn at(address: &str, options: &Options) -> Result<Self, StorageError> {
        let (addresses, place) = address::read(address)?;
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let hop = (options.patience / (2 * count)).clamp(HOP.0, HOP.1);
        let patience = if count > 1 { hop } else { options.patience };
        let all = addresses.into_iter().map(|one| Node::new(one, options, patience)).collect();
        Ok(Self { all, current: AtomicUsize::new(0), hop, patience: options.patience, place })
    }

    /// What they are called together.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// How many there are besides the one that is used.
    pub(crate) const fn others(&self) -> usize {
        self.all.len().saturating_sub(1)
    }

    fn current(&self) -> Option<(usize, &Node)> {
        let at = self.current.load(Ordering::Relaxed);
        self.all.get(at).map(|node| (at, node))
    }

    /// Another one is used from now on, unless that was said already.
    pub(crate) fn leave(&self, at: usize) {
        let next = if at + 1 < self.all.len() { at + 1 } else { 0 };
        let _ = self.current.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Makes one connection to one of them, and says what stands against it.
    pub(crate) async fn try_out(&self) -> Outcome<()> {
        let mut last = Ok(());
        for _ in &self.all {
            let Some((at, node)) = self.current() else { break };
            match node.look(self.patience).await {
                Ok(()) => return Ok(()),
                Err(fault) if self.all.len() == 1 => return Err(fault),
                Err(fault) => last = Err(Fault::Store(fault.at(node.place()))),
            }
            self.leave(at);
        }
        last
    }

    /// A connection on loan, to the one that is used; or to the first of the others that gives one.
    pub(crate) async fn session(self: &Arc<Self>) -> Outcome<Session> {
        if let [only] = self.all.as_slice() {
            return only.session().await;
        }
        let mut met = None;
        let found = timeout(self.patience, self.hop(&mut met)).await;
        match found {
            Ok(found) => found,
            Err(_) => Err(met.map_or(Fault::Silent, Fault::Away)),
        }
    }

    async fn hop(self: &Arc<Self>, met: &mut Option<StorageError>) -> Outcome<Session> {
        loop {
            let mut passing = false;
            for _ in &self.all {
                let Some((at, node)) = self.current() else { break };
                let fault = match node.session_at_once(self.hop).await {
                    Ok(session) => return Ok(session.of(self, at)),
                    Err(fault) => fault,
                };
                // With all connections in use nothing is wrong with it.
                let full = node.is_full();
                if !full {
                    self.leave(at);
                }
                let error = fault.at(node.place());
                passing |= full || error.kind() == StorageErrorKind::Unavailable;
                *met = Some(error);
            }
            // None of them will ever give one: a wrong password, no such database.
            if !passing {
                return Err(met.take().map_or(Fault::Silent, Fault::Away));
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether the next connection is a new one, as far as can be seen.
    pub(crate) fn is_next_new(&self) -> bool {
        self.current().is_none_or(|(_, node)| node.is_next_new())
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        for node in &self.all {
            node.close().await;
        }
    }
}
