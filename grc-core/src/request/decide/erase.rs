//! Deciding what is forgotten, and when.

use super::{Draft, Plan, Values};
use crate::{
    KeyId, Moment, Value, Word,
    definition::{Personal, Procedure, Then},
    refusal::{Problem, Refusal},
    request::{Request, event::RequestEvent},
    vault::Slot,
};
use std::collections::BTreeSet;

/// Schedules what the procedure's retention rule says, counted from closure.
pub(super) fn plan_retention(closed_at: Moment, draft: &mut Draft<'_>) {
    let rule = draft.context.procedure.retention;
    draft.decision.plans.push(Plan::Cancel(vec!["retention"]));
    if rule.then == Then::Anonymise {
        let due = rule.delay().from(closed_at, draft.context.organisation.time_zone);
        draft.decision.plans.push(Plan::Retention { due });
    }
}

fn slots_of(request: &Request, path: &str) -> Vec<Slot> {
    match path.strip_prefix("slot.").and_then(|number| number.parse::<Slot>().ok()) {
        Some(slot) => request.book.slots.contains_key(&slot).then_some(slot).into_iter().collect(),
        None => {
            request.book.slots.iter().filter(|(_, held)| **held == *path).map(|(slot, _)| *slot).collect()
        }
    }
}

/// Erases what is named, before its time.
pub(super) fn erase(request: &Request, paths: &[String], reason: &str, draft: &mut Draft<'_>) {
    let Ok(reason) = Word::new(reason) else {
        draft.problems.push(
            Problem::new("erase.reason", "reason", "the reason is not a word")
                .hint("give one such as `right-to-erasure`"),
        );
        return;
    };
    if !request.holds.is_empty() {
        draft.problems.push(Problem::new(
            "request.held",
            "request",
            "nothing is erased while a legal hold is set",
        ));
        return;
    }
    let super::Context { organisation, procedure, acting, .. } = *draft.context;
    // Whether there is something that the actor may not read is not theirs to find out.
    let visible = |slot: &Slot| {
        acting.is_internal()
            || request
                .book
                .slots
                .get(slot)
                .is_some_and(|held| acting.reads(organisation, procedure, held.as_str(), Some(request)))
    };
    // Each is looked for among all values.
    if paths.len() > super::MAX_SLOTS {
        let problem =
            Problem::new("erase.too-many", "paths", "there are more names than a request has values");
        draft.problems.push(problem.hint("name each once"));
        return;
    }
    let mut slots = BTreeSet::new();
    let mut nothing = paths.is_empty();
    for path in paths {
        let found: Vec<Slot> = slots_of(request, path).into_iter().filter(visible).collect();
        nothing |= found.is_empty();
        slots.extend(found);
    }
    if nothing {
        let problem =
            Problem::new("erase.nothing", "paths", "there is nothing to erase under some of these names");
        draft
            .problems
            .push(problem.hint("name a field, a detail such as `requester.phone`, or `slot.` and a number"));
    }
    let slots: Vec<Slot> = slots.into_iter().collect();
    forget(request, &slots, draft);
    draft.event(RequestEvent::Erased { slots, reason });
}

fn forget(request: &Request, slots: &[Slot], draft: &mut Draft<'_>) {
    let keys: BTreeSet<KeyId> = slots.iter().filter_map(|slot| request.book.key_of(*slot)).collect();
    let (gone, stay): (Vec<_>, Vec<_>) = request.files.iter().partition(|file| slots.contains(&file.slot));
    let blobs =
        gone.iter().map(|file| file.blob).filter(|blob| stay.iter().all(|file| file.blob != *blob)).collect();
    draft.decision.plans.push(Plan::Destroy { keys: keys.into_iter().collect(), blobs });
}

/// Whether anonymising keeps what is held under a path: a field of the form that is not personal.
pub(crate) fn stays(procedure: &Procedure, path: &Word) -> bool {
    procedure.field(path.as_str()).is_some_and(|field| field.personal() == Personal::No)
}

/// Erases all that is personal, and coarsens the place.
pub(super) fn anonymise(
    request: &Request,
    values: &Values,
    rule: &str,
    draft: &mut Draft<'_>,
) -> Result<(), Refusal> {
    let rule = Word::slug(rule);
    if !request.holds.is_empty() {
        return Err(
            Problem::new("request.held", "request", "nothing is erased while a legal hold is set").into()
        );
    }
    if !request.is_closed() {
        return Err(Problem::new("request.open", "request", "an open request is not anonymised").into());
    }
    let procedure = draft.context.procedure;
    let slots: Vec<Slot> = request
        .book
        .slots
        .iter()
        .filter(|(_, path)| !stays(procedure, path))
        .map(|(slot, _)| *slot)
        .collect();
    let point =
        request.place.as_ref().filter(|place| place.data.public).and_then(|place| place.data.point).and_then(
            |slot| match values.get(&slot) {
                Some(Value::Point(lat, lon)) => Some((coarse(*lat), coarse(*lon))),
                _ => None,
            },
        );
    forget(request, &slots, draft);
    draft.decision.plans.push(Plan::Cancel(vec!["deliver", "timer", "retention"]));
    draft.event(RequestEvent::Anonymised { rule, slots, point });
    Ok(())
}

/// About a kilometre.
pub(crate) const fn coarse(micro: i32) -> i32 {
    micro.div_euclid(10_000) * 10_000
}
