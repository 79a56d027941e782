//! Ways out for messages: files in a directory, a signed webhook, and a router between them.
//!
//! Each is a [`Transport`] of the engine. What speaks to a network is the host's: [`Webhook`] makes a signed request and
//! hands it to the host's own client.

mod eml;
mod file_drop;
mod letter;
mod webhook;

pub use file_drop::FileDrop;
pub use webhook::{Answered, Post, SecretError, UnsignedError, Webhook, WebhookRequest, WebhookSecret};

use crate::{
    Word, WordError,
    engine::{Delivery, Outgoing, Transport},
};
use async_trait::async_trait;
use std::sync::Arc;

/// Several transports as one: each takes the messages of its channels.
///
/// ```
/// use grc_core::{SystemClock, SystemEntropy, engine::RecordingTransport, transport::{FileDrop, Transports}};
/// use std::sync::Arc;
/// let letters = FileDrop::new("out", "mairie@ville.example", Arc::new(SystemClock), Arc::new(SystemEntropy));
/// let all = Transports::new()
///     .route(["courrier", "courriel"], Arc::new(letters))?
///     .route(["sms"], Arc::new(RecordingTransport::new()))?;
/// # Ok::<(), grc_core::WordError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Transports(Vec<(Vec<Word>, Arc<dyn Transport>)>);

impl Transports {
    /// None yet: nothing is carried.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one for these channels. The first that was named for a channel takes its messages.
    ///
    /// # Errors
    /// [`WordError`] if a channel is not a word.
    pub fn route<'c>(
        mut self,
        channels: impl IntoIterator<Item = &'c str>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, WordError> {
        let channels = channels.into_iter().map(Word::new).collect::<Result<_, _>>()?;
        self.0.push((channels, transport));
        Ok(self)
    }

    fn of(&self, channel: &Word) -> Option<&dyn Transport> {
        let found = self
            .0
            .iter()
            .find(|(channels, transport)| channels.contains(channel) && transport.carries(channel));
        found.map(|(_, transport)| &**transport)
    }
}

#[async_trait]
impl Transport for Transports {
    fn carries(&self, channel: &Word) -> bool {
        self.of(channel).is_some()
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        match self.of(&outgoing.channel) {
            Some(transport) => transport.deliver(outgoing).await,
            None => Delivery::Later("no-transport"),
        }
    }
}
