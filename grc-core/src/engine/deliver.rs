//! Handing messages over, and what follows when that fails.

use super::{
    Authority, Delivery, GrcError, Instruction, Outgoing, Transport,
    sealing::open_slots,
    session::Who,
    work::{ATTEMPTS, Done, read},
};
use crate::{
    RequestId, Typed, Value, Word,
    request::{Command, Decision, DeliveryReport, MessageState, Request, RequestEvent},
    storage::{Parts, Step, Task},
    vault::{HEAD, Slot, part_of_event},
};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

/// The body of a task that delivers.
#[derive(Deserialize)]
pub(super) struct Deliver {
    message: u64,
    channel: Word,
    #[serde(default)]
    round: u32,
}

/// The longest that a transport may ask to wait, in seconds: a week.
const MAX_WAIT: u32 = 7 * 86_400;

/// By what a transport, and its reports, know a message. A new round is another message to a transport that remembers:
/// the same key would be answered by what became of the first.
fn key(id: RequestId, message: u64, round: u32) -> String {
    if round == 0 { format!("{id}/{message}") } else { format!("{id}/{message}/{round}") }
}

/// What a key names, if it is one.
pub(super) fn read_key(key: &str) -> Option<(RequestId, u64, u32)> {
    let mut parts = key.split('/');
    let id = RequestId::from_uuid(parts.next()?.parse().ok()?);
    let message = parts.next()?.parse().ok()?;
    let round = match parts.next() {
        Some(round) => round.parse().ok().filter(|round| *round > 0)?,
        None => 0,
    };
    parts.next().is_none().then_some((id, message, round))
}

/// The message that a task is about, if it still waits in this round.
fn living(request: &Request, message: u64, round: u32) -> Option<&MessageState> {
    let known = request.messages.iter().find(|known| known.seq == message)?;
    (request.anonymised_at.is_none() && known.round == round && known.is_under_way()).then_some(known)
}

impl Authority {
    pub(super) async fn deliver(&self, task: &Task, transport: &dyn Transport) -> Result<Done, GrcError> {
        let Deliver { message, channel, round } = read(task)?;
        let id = RequestId::from_uuid(task.stream.id);
        // Whoever held it so often never came back: claims count, not answers.
        if task.attempts > ATTEMPTS {
            return self.undeliverable(task, "no-answer").await;
        }
        let part = part_of_event(u32::try_from(message).unwrap_or(u32::MAX));
        let parts = Parts::These(BTreeSet::from([HEAD, part]));
        let (loaded, _) = self.load_request(id, parts, None).await?;
        let Some(loaded) = loaded else { return self.drop_task(task).await };
        let Some(known) = living(&loaded.request, message, round) else { return self.drop_task(task).await };
        let organisation = &loaded.current.document.organisation;
        let Some(contact) = organisation.channel(channel.as_str()).and_then(|channel| channel.answer) else {
            return self.undeliverable(task, "channel-withdrawn").await;
        };
        let of_requester =
            |name: &str| loaded.request.requester().and_then(|party| party.details.get(name).copied());
        let to = of_requester(contact.detail());
        let names = [of_requester("given"), of_requester("name")];
        let wanted: Vec<Slot> =
            [Some(known.text), known.subject, to].into_iter().chain(names).flatten().collect();
        let keyring = &*self.inner().grc.0.stores.keyring;
        let opened = open_slots(keyring, &loaded.record, &|slot| wanted.contains(&slot)).await?;
        if !opened.dead.is_empty() {
            self.finish_erasure(&loaded).await?;
            return Ok(Done::Dropped);
        }
        let typed =
            |slot: Option<Slot>| slot.and_then(|slot| opened.values.get(&slot)).cloned().map(Typed::new);
        let (Some(to), Some(text)) = (typed(to), typed(Some(known.text))) else {
            return self.undeliverable(task, "no-contact").await;
        };
        if !transport.carries(&channel) {
            return self.again(task, "no-transport", None).await;
        }
        let name: Vec<String> = names
            .iter()
            .filter_map(|slot| match slot.and_then(|slot| opened.values.get(&slot)) {
                Some(Value::Text(name)) => Some(name.trim().to_owned()),
                _ => None,
            })
            .collect();
        let outgoing = Outgoing {
            authority: self.inner().name.clone(),
            channel,
            contact,
            to,
            recipient: (!name.is_empty()).then(|| Typed::new(name.join(" "))),
            sender: organisation.label.get(&organisation.language).to_owned(),
            subject: typed(known.subject),
            text,
            template: known.template.clone(),
            automatic: known.automatic,
            key: key(id, message, round),
        };
        // Looked at again at the last moment: what was forgotten since it was claimed is not handed over.
        let (loaded, _) = self.load_request(id, Parts::None, None).await?;
        if loaded.is_none_or(|loaded| living(&loaded.request, message, round).is_none()) {
            return self.drop_task(task).await;
        }
        match transport.deliver(&outgoing).await {
            Delivery::Sent => {
                let finish = |_: &Decision| Step::Finish(task.reference());
                let command = Command::Delivered { message, round, report: DeliveryReport::Sent };
                match self.execute(&Who::timer(), id, None, &Instruction::new(command), Some(&finish)).await {
                    Ok(_) => Ok(Done::Sent),
                    // Forgotten meanwhile, or its arrival was reported already.
                    Err(GrcError::Refused(_)) => self.drop_task(task).await,
                    Err(error) => Err(error),
                }
            }
            Delivery::Later(code) => self.again(task, code, None).await,
            Delivery::LaterIn(seconds, code) => self.again(task, code, Some(seconds)).await,
            Delivery::Refused(code) => self.undeliverable(task, code).await,
        }
    }

    /// Later, or another way if it was tried often enough.
    async fn again(&self, task: &Task, code: &str, seconds: Option<u32>) -> Result<Done, GrcError> {
        if task.attempts >= ATTEMPTS {
            return self.undeliverable(task, code).await;
        }
        match seconds {
            None => self.release(task, code, false).await,
            Some(seconds) => {
                let now = self.inner().grc.0.clock.now();
                let due = now.plus_millis(i64::from(seconds.clamp(1, MAX_WAIT)) * 1_000);
                self.release_until(task, code, false, due).await
            }
        }
    }

    /// A message that does not leave by its channel: the history says so, and it goes on by the next one, or is given
    /// up, and its task stands aside as dead.
    pub(super) async fn undeliverable(&self, task: &Task, code: &str) -> Result<Done, GrcError> {
        let Deliver { message, round, .. } = read(task)?;
        let id = RequestId::from_uuid(task.stream.id);
        let report = DeliveryReport::Failed(code.to_owned());
        let command = Command::Delivered { message, round, report };
        let goes_on = AtomicBool::new(false);
        let now = self.inner().grc.0.clock.now();
        let ending = |decision: &Decision| {
            let next = decision
                .events
                .iter()
                .any(|event| matches!(event, RequestEvent::Delivered { next: Some(_), .. }));
            goes_on.store(next, Ordering::Relaxed);
            if next {
                return Step::Finish(task.reference());
            }
            Step::Release {
                task: task.reference(),
                due: now,
                dead: true,
                code: Some(Word::slug(code)),
                attempts: None,
            }
        };
        match self.execute(&Who::timer(), id, None, &Instruction::new(command), Some(&ending)).await {
            Ok(_) if goes_on.load(Ordering::Relaxed) => Ok(Done::Rerouted),
            Ok(_) => Ok(Done::Dead),
            // The request is forgotten, or what became of the message is known.
            Err(GrcError::Refused(_) | GrcError::NotFound) => self.drop_task(task).await,
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_message_and_nothing_else_does() {
        let id = RequestId::from_uuid(uuid::Uuid::from_u128(7));
        for (message, round) in [(1, 0), (12, 3)] {
            assert_eq!(read_key(&key(id, message, round)), Some((id, message, round)));
        }
        for text in [
            "",
            "/",
            "x/1",
            &format!("{id}"),
            &format!("{id}/x"),
            &format!("{id}/1/0"),
            &format!("{id}/1/2/3"),
        ] {
            assert_eq!(read_key(text), None, "{text}");
        }
    }
}
