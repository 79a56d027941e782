//! What goes with erased values, and erasures that were not finished.

use super::{
    Authority, GrcError,
    kinds::LinkKind,
    rows::Writing,
    sealing::{Envelope, open_slots, point_of},
    session::Who,
    write::LoadedRequest,
};
use crate::{
    KeyId, Word,
    request::{Decision, Plan, Request, RequestEvent, coarse, stays},
    storage::{Batch, LinkKey, Parts, Step},
    vault::Slot,
};
use std::collections::BTreeSet;

impl Authority {
    /// Takes away the links, tokens and index rows of what was erased.
    pub(super) fn unlink(
        &self,
        before: &Request,
        gone: &BTreeSet<Slot>,
        writing: &Writing<'_>,
        batch: &mut Batch,
    ) {
        if gone.is_empty() {
            return;
        }
        let stream = writing.stream.clone();
        let drop = |kind: LinkKind| Step::DropLinks { stream: stream.clone(), prefix: kind.prefix() };
        for file in before.files.iter().filter(|file| gone.contains(&file.slot)) {
            let key = LinkKey { kind: LinkKind::Blob.word(), key: file.blob.as_bytes().to_vec() };
            batch.push(Step::DropLink { key, stream: stream.clone() });
        }
        let paths: BTreeSet<&Word> = gone.iter().filter_map(|slot| before.book.slots.get(slot)).collect();
        if writing.request.anonymised_at.is_some() {
            for kind in [LinkKind::Contact, LinkKind::Index, LinkKind::Source, LinkKind::Tracking] {
                batch.push(drop(kind));
            }
        } else if paths.iter().any(|path| path.as_str() == "code") {
            batch.push(drop(LinkKind::Tracking));
        }
    }

    /// Writes what the keyring knows already: slots whose key was destroyed are erased. Happens when an erasure was
    /// interrupted, or when an old backup brought rows back.
    pub(crate) async fn finish_erasure(&self, loaded: &LoadedRequest) -> Result<(), GrcError> {
        let grc = &self.inner().grc.0;
        let (again, _) = self.load_request(loaded.request.id, Parts::All, None).await?;
        let Some(loaded) = again else { return Ok(()) };
        let living = |slot| loaded.request.book.slots.contains_key(&slot);
        let opened = open_slots(&*grc.stores.keyring, &loaded.record, &living).await?;
        if opened.dead.is_empty() {
            return Ok(());
        }
        let slots: Vec<Slot> = opened.dead.iter().copied().collect();
        let rule = Word::of("key-destroyed");
        let keys: Vec<KeyId> = slots
            .iter()
            .filter_map(|slot| loaded.request.book.key_of(*slot))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let files = loaded.request.files.iter().filter(|file| opened.dead.contains(&file.slot));
        let blobs = files.map(|file| file.blob).collect();
        let all = opened.values.keys().all(|slot| {
            loaded.request.book.slots.get(slot).is_some_and(|path| stays(&loaded.procedure, path))
        });
        // The tracking code goes with anonymisation only: without it, this was one.
        let anonymised = all
            && loaded.request.is_closed()
            && loaded.request.code.is_some_and(|code| opened.dead.contains(&code));
        let event = if anonymised {
            let point = point_of(&loaded.record.row).map(|(lat, lon)| (coarse(lat), coarse(lon)));
            RequestEvent::Anonymised { rule, slots, point }
        } else {
            RequestEvent::Erased { slots, reason: rule }
        };
        let mut decision = Decision { events: vec![event], ..Decision::default() };
        decision.plans.push(Plan::Destroy { keys, blobs });
        if anonymised {
            decision.plans.push(Plan::Cancel(vec!["deliver", "timer", "retention"]));
        }
        let now = grc.clock.now();
        let acting = Who::timer().acting(&loaded.current.document.organisation)?;
        let mut batch = grc.batch(&self.inner().name, now)?;
        let envelope = Envelope {
            occurred_at: now,
            recorded_at: now,
            acting: &acting,
            organisation: loaded.current.version,
            batch: batch.id(),
        };
        self.write(&loaded, &decision, &opened.values, None, &envelope, &mut batch).await?;
        match self.commit(batch).await {
            // Somebody else does the same.
            Err(error) if error.conflict_on().is_some() => Ok(()),
            other => other.map(|_| ()).map_err(GrcError::from),
        }
    }
}
