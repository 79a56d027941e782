//! Messages that were given up, and what providers report.

use super::{GrcError, Host, Instruction, asked, deliver::read_key};
use crate::{
    Condition, Moment, RequestId, Word,
    condition::{Comparison, Var},
    request::{Command, DeliveryReport},
    storage::{Cursor, Fact, Query},
};

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Whose.
    pub request: RequestId,
    /// The sequence of its event.
    pub message: u64,
    /// The channel by which it was tried last.
    pub channel: Word,
    /// Why.
    pub code: Option<Word>,
    /// Since when.
    pub since: Moment,
}

impl DeadLetter {
    /// One that was listed before, and noted elsewhere: to be sent again.
    pub const fn new(request: RequestId, message: u64, channel: Word, since: Moment) -> Self {
        Self { request, message, channel, code: None, since }
    }
}

/// A page of messages that were given up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadLetters {
    /// The messages; a page may have none and still go on.
    pub letters: Vec<DeadLetter>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

impl Host {
    /// Looks over the messages that were given up: those of at most `limit` requests (1 to 1000), the newest first.
    ///
    /// # Errors
    /// [`GrcError::Refused`] if the cursor is of another list or the limit is out of range; [`GrcError::Storage`].
    pub async fn dead_letters(&self, after: Option<&Cursor>, limit: u32) -> Result<DeadLetters, GrcError> {
        let authority = self.authority();
        let inner = authority.inner();
        let mut query = Query::new(inner.name.clone(), Word::of(RequestId::KIND));
        query.filter = Condition::Compare(Var::Fact(Fact::Undelivered), Comparison::More, 0.into())
            .and(Condition::Not(Box::new(Condition::Present(Var::Fact(Fact::Anonymised)))));
        query.limit = limit;
        query.after = after.cloned();
        asked::page(&query)?;
        let page = inner.grc.0.stores.store.query(&query).await?;
        let mut letters = Vec::new();
        for record in &page.rows {
            let request: crate::request::Request = authority.state_of(&record.row).await?;
            let dead = request.messages.into_iter().filter(|message| message.is_dead());
            letters.extend(dead.map(|message| DeadLetter {
                request: request.id,
                message: message.seq,
                since: message.since.unwrap_or(message.at),
                channel: message.channel,
                code: message.code,
            }));
        }
        Ok(DeadLetters { letters, next: page.next })
    }

    /// Sends again what was given up, by the first channel that reaches the requester now, and says how many went back
    /// into their queues. What goes on its way already, was sent since, or cannot be sent is left as it is: doing it
    /// twice does no more than once.
    ///
    /// # Errors
    /// [`GrcError::Storage`] and [`GrcError::Keyring`] if they fail; what was put back until then stays so.
    pub async fn resend(&self, letters: &[DeadLetter]) -> Result<u64, GrcError> {
        let mut again = 0;
        for letter in letters {
            let command = Command::Resend { message: letter.message, channel: None };
            match self.act(letter.request, command).await {
                Ok(_) => again += 1,
                Err(GrcError::Refused(_) | GrcError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(again)
    }

    /// Takes in what a provider reports of a message, by the key under which it was handed over. What is reported late
    /// or twice changes nothing, and neither does a key that names nothing, or nothing any more: the provider is told
    /// nothing of what there is. A message that bounced goes on by the next channel.
    ///
    /// # Errors
    /// [`GrcError::Storage`] and [`GrcError::Keyring`] if they fail: report it again.
    pub async fn report(&self, key: &str, report: DeliveryReport) -> Result<(), GrcError> {
        let Some((id, message, round)) = read_key(key) else { return Ok(()) };
        let command = Command::Delivered { message, round, report };
        match self.authority().execute(&self.who(), id, None, &Instruction::new(command), None).await {
            Ok(_) | Err(GrcError::Refused(_) | GrcError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
