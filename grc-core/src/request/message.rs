//! A message of a request, and what became of it.

use crate::{Moment, Word, vault::Slot};
use serde::{Deserialize, Serialize};

/// A message, in either direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageState {
    /// The sequence of its event.
    pub seq: u64,
    /// When it was exchanged.
    pub at: Moment,
    /// `in` or `out`.
    pub direction: Word,
    /// By which channel; of one that failed elsewhere, the one by which it is tried now.
    pub channel: Word,
    /// Its text.
    pub text: Slot,
    /// Its subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Slot>,
    /// The template that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Word>,
    /// Whether no person wrote it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// What became of it: `sent`, `delivered`, `read`; `said` where a person told it; `failed` while it is tried by
    /// another channel; `dead` once it is given up; `waiting` when it is tried again by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Word>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Word>,
    /// Since when its status is what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// The channels by which it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Word>,
    /// How often it was begun again: by another channel, or by hand.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub round: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What is known of how a message fares. Codes are words, not texts: `no-such-address`; what is
/// no word is kept as `other`, since a provider's text may repeat whom it was sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryReport {
    /// It left.
    Sent,
    /// It did not leave, and will not by this channel.
    Failed(String),
    /// It arrived.
    Delivered,
    /// It left, and came back.
    Bounced(String),
    /// It was opened.
    Read,
}

impl MessageState {
    /// Whether it goes to the requester.
    pub fn is_outgoing(&self) -> bool {
        self.direction == "out"
    }

    /// Whether it was given up.
    pub fn is_dead(&self) -> bool {
        self.status.as_ref().is_some_and(|status| *status == "dead")
    }

    /// Whether nothing is known yet of it in its present round.
    pub fn is_under_way(&self) -> bool {
        self.is_outgoing()
            && self.status.as_ref().is_none_or(|status| matches!(status.as_str(), "failed" | "waiting"))
    }

    /// Whether a report of its present round says something new. What comes late or twice does not.
    pub(super) fn is_news(&self, round: u32, report: &DeliveryReport) -> bool {
        let status = self.status.as_ref().map(Word::as_str);
        let left = status == Some("sent");
        let arrived = status == Some("delivered");
        self.round == round
            && match report {
                DeliveryReport::Sent | DeliveryReport::Failed(_) => self.is_under_way(),
                DeliveryReport::Delivered => self.is_under_way() || left,
                DeliveryReport::Bounced(_) | DeliveryReport::Read => self.is_under_way() || left || arrived,
            }
    }

    /// Folds what became of it.
    pub(super) fn follow(&mut self, at: Moment, status: &Word, code: Option<&Word>, next: Option<&Word>) {
        self.status = Some(status.clone());
        self.code = code.cloned();
        self.since = Some(at);
        if let Some(next) = next {
            if *status == "waiting" {
                self.tried.clear();
            } else {
                self.tried.push(self.channel.clone());
            }
            self.channel = next.clone();
            self.round = self.round.saturating_add(1);
        }
    }
}
