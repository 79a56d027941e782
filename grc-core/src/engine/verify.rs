//! Verifying a history: the chain, the commitments, the fold.

use super::{
    Authority, GrcError,
    sealing::{context_of, open_slots, read_state},
    stream::Folded,
};
use crate::{
    Word,
    request::{Event, head},
    storage::{EventRange, Load, Log, Parts, StoreInfo, StreamKey},
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// How many events were looked at.
    pub events: u64,
    /// How many commitments could be compared with their values; the others were erased.
    pub opened: u64,
    /// What is wrong; empty if all is well.
    pub problems: Vec<String>,
}

impl Authority {
    /// Verifies the history of a stream.
    pub(super) async fn verify<S: Folded>(&self, id: Uuid) -> Result<Verdict, GrcError> {
        for _ in 0..100 {
            let (verdict, seen) = self.verify_at_once::<S>(id).await?;
            // The row and its events are not read at one moment: what was written in between is no problem.
            if verdict.problems.is_empty() || self.stream_version::<S>(id).await? == Some(seen) {
                return Ok(verdict);
            }
        }
        Err(GrcError::Busy)
    }

    async fn stream_version<S: Folded>(&self, id: Uuid) -> Result<Option<u64>, GrcError> {
        let inner = self.inner();
        let streams = vec![StreamKey::new(inner.name.clone(), Word::of(S::KIND), id)];
        let load = Load { authority: inner.name.clone(), streams, parts: Parts::None, receipt: None };
        let record = inner.grc.0.stores.store.load(&load).await?.streams.pop().flatten();
        Ok(record.map(|record| record.row.version))
    }

    /// Verifies a history, and tells at which version of its row.
    async fn verify_at_once<S: Folded>(&self, id: Uuid) -> Result<(Verdict, u64), GrcError> {
        let inner = self.inner();
        let stream = StreamKey::new(inner.name.clone(), Word::of(S::KIND), id);
        let load = Load {
            authority: inner.name.clone(),
            streams: vec![stream.clone()],
            parts: Parts::All,
            receipt: None,
        };
        let record =
            inner.grc.0.stores.store.load(&load).await?.streams.pop().flatten().ok_or(GrcError::NotFound)?;
        let seen = record.row.version;
        let context = context_of(&record.row);
        let mut verdict = Verdict { events: 0, opened: 0, problems: Vec::new() };
        let mut events: Vec<Event<S::Data>> = Vec::new();
        let mut previous = [0; 32];
        loop {
            let range = EventRange {
                stream: stream.clone(),
                log: Log::History,
                after: verdict.events,
                limit: StoreInfo::MAX_PAGE,
            };
            let page = inner.grc.0.stores.store.events(&range).await?;
            if page.is_empty() {
                break;
            }
            for stored in page {
                let expected = verdict.events + 1;
                if stored.sequence != expected {
                    verdict.problems.push(format!("event {expected} is missing"));
                    return Ok((verdict, seen));
                }
                previous = head(&context, stored.sequence, &previous, &stored.body);
                if previous != stored.head {
                    verdict
                        .problems
                        .push(format!("event {expected} was changed, or stands in another place"));
                    return Ok((verdict, seen));
                }
                verdict.events = expected;
                match Event::from_bytes(&stored.body) {
                    Ok(event) if event.seq == expected => events.push(event),
                    Ok(_) => verdict.problems.push(format!("event {expected} says that it is another")),
                    Err(error) => verdict.problems.push(format!("event {expected}: {error}")),
                }
            }
        }
        if record.row.head != previous {
            verdict.problems.push("the row's head is not that of the last event".to_owned());
        }
        match S::fold_all(id, &events) {
            Ok(Some(folded)) => match read_state::<S>(&record.row) {
                Ok(Some(stored)) if stored == folded => {}
                Ok(None) => {}
                _ => verdict.problems.push("folding the events does not give the stored state".to_owned()),
            },
            Ok(None) => verdict.problems.push("there are no events".to_owned()),
            Err(error) => verdict.problems.push(error.to_string()),
        }
        let keyring = &*inner.grc.0.stores.keyring;
        match open_slots(keyring, &record, &|_| true).await {
            Ok(opened) => {
                let ids: Vec<crate::KeyId> = events.iter().filter_map(|event| event.key).collect();
                let states: BTreeMap<_, _> = ids.iter().copied().zip(keyring.open(&ids).await?).collect();
                for event in &events {
                    for (slot, commitment) in &event.slots {
                        let key = event.key.and_then(|key| states.get(&key)?.slot(&context, *slot));
                        if let (Some(key), Some(value)) = (key, opened.values.get(slot)) {
                            verdict.opened += 1;
                            if !commitment.holds(&key, value) {
                                verdict.problems.push(format!(
                                    "slot {slot} does not hold what event {} committed to",
                                    event.seq
                                ));
                            }
                        }
                    }
                }
            }
            Err(GrcError::Corrupt(problem)) => verdict.problems.push(problem),
            Err(error) => return Err(error),
        }
        Ok((verdict, seen))
    }
}
