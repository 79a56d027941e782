//! The way out for messages: it takes them, refuses them, hangs, is down, and takes them and loses the answer.

use crate::{ledger::Handed, mutant::Mutant, shadow::has_needle, world::World};
use async_trait::async_trait;
use grc_core::{
    RequestId, Word,
    engine::{Delivery, Outgoing, Transport},
};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Post(pub(crate) Arc<World>);

/// What a key says of its message: request, message, round.
pub(crate) fn read_key(key: &str) -> Option<(RequestId, u64, u32)> {
    let mut parts = key.split('/');
    let id = RequestId::from_uuid(parts.next()?.parse().ok()?);
    let message = parts.next()?.parse().ok()?;
    Some((id, message, parts.next().map_or(Some(0), |round| round.parse().ok())?))
}

enum Mood {
    Takes,
    LosesAnswer,
    HangsAfterTaking,
    Hangs,
    Refuses,
    Busy,
    Down,
}

impl Post {
    /// Decides, and notes what was handed over.
    fn take(&self, outgoing: &Outgoing) -> (Mood, usize) {
        let mut state = self.0.lock();
        let mood = if state.calm {
            Mood::Takes
        } else if state.transport_down_until > state.tick {
            Mood::Down
        } else {
            match state.below(100) {
                0..10 => Mood::LosesAnswer,
                10..14 => Mood::HangsAfterTaking,
                14..18 => Mood::Hangs,
                18..28 => Mood::Refuses,
                28..36 => Mood::Busy,
                _ => Mood::Takes,
            }
        };
        let (what, accepted) = match mood {
            Mood::Takes => ("messages taken", true),
            Mood::LosesAnswer => ("messages taken, answer lost", true),
            Mood::HangsAfterTaking => ("messages taken, then hung", true),
            Mood::Hangs => ("messages hung", false),
            Mood::Refuses => ("messages refused", false),
            Mood::Busy => ("messages put off", false),
            Mood::Down => ("messages while the way out is down", false),
        };
        state.count(what);
        let (request, message, round) = read_key(&outgoing.key).unwrap();
        // It was looked at again at the last moment.
        let looked = state.shadow.looked.get(&(state.at.task, request.uuid())).copied().unwrap_or_default();
        let forgotten = state.shadow.anonymised.get(&request.uuid()).copied();
        assert!(
            forgotten.is_none_or(|at| at >= looked),
            "{} was handed over although its request was seen to be forgotten",
            outgoing.key
        );
        let text = outgoing.text.expose_text().unwrap_or_default().to_owned();
        if has_needle(text.as_bytes()) {
            state.count("typed texts handed over");
        }
        let mut key = outgoing.key.clone();
        if self.0.mutant == Mutant::OtherKeys {
            key = format!("{key}/{}", state.tick);
        }
        let channel = outgoing.channel.clone();
        state.ledger.handed.push(Handed { key, request, message, round, channel, text, accepted });
        let patience = 300 + state.below(900);
        (mood, patience)
    }
}

#[async_trait]
impl Transport for Post {
    fn carries(&self, _: &Word) -> bool {
        true
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Delivery {
        let (mood, patience) = self.take(outgoing);
        match mood {
            Mood::Takes => {
                self.0.pause().await;
                Delivery::Sent
            }
            Mood::LosesAnswer => {
                self.0.pause().await;
                Delivery::Later("timeout")
            }
            Mood::HangsAfterTaking | Mood::Hangs => {
                self.0.wait(patience).await;
                Delivery::Later("timeout")
            }
            Mood::Refuses => Delivery::Refused("refused"),
            Mood::Busy => Delivery::LaterIn(60 + u32::try_from(patience).unwrap_or_default(), "busy"),
            Mood::Down => Delivery::Later("down"),
        }
    }
}
