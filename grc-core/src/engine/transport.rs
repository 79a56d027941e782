//! How messages leave: the host's.

use crate::{Typed, Word, definition::Contact};
use async_trait::async_trait;
use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// A message on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outgoing {
    /// The authority whose message it is.
    pub authority: Word,
    /// By which channel.
    pub channel: Word,
    /// What the channel needs to reach somebody.
    pub contact: Contact,
    /// To which e-mail address, telephone number or postal address.
    pub to: Typed,
    /// Who they are, where that is known.
    pub recipient: Option<Typed>,
    /// The authority's name.
    pub sender: String,
    /// What it is about, in one line; for channels that show such a thing.
    pub subject: Option<Typed>,
    /// What it says.
    pub text: Typed,
    /// The template that it was made from.
    pub template: Option<Word>,
    /// Whether no person wrote it: an acknowledgement, or what a timer sends.
    pub automatic: bool,
    /// The same for each attempt at the same message: a transport that remembers it sends once.
    pub key: String,
}

/// What a transport says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It left.
    Sent,
    /// Not now; again later. The code says why: a word, not a text.
    Later(&'static str),
    /// Not now; again after so many seconds, at most a week.
    LaterIn(u32, &'static str),
    /// Never by this channel: it goes on by the next one, or is given up.
    Refused(&'static str),
}

/// Takes messages out. Each is given at least once; a message whose acknowledgement was lost is given again with the
/// same key.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Whether it takes messages of a channel.
    fn carries(&self, channel: &Word) -> bool;
    /// Takes one out.
    async fn deliver(&self, outgoing: &Outgoing) -> Delivery;
}

/// A transport that remembers what it was given and sends nothing: for tests and demonstrations.
#[derive(Debug, Default)]
pub struct RecordingTransport(Mutex<Vec<Outgoing>>);

impl RecordingTransport {
    /// One that was given nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What it was given, in order.
    pub fn given(&self) -> Vec<Outgoing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Transport for RecordingTransport {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(outgoing.clone());
        Delivery::Sent
    }
}
