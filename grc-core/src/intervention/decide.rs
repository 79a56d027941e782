//! Deciding what happens to an intervention, and what the requests that it serves are told.

mod costs;
mod planning;

use super::{Intervention, InterventionEvent, Occasion, Work, may_for, may_on, writes_on};
use crate::{
    KeyId, Moment, RequestId, Typed, Word,
    definition::{Action, Organisation, Procedure},
    refusal::{Problem, Refusal},
    request::{
        Acting, ActorKind, Context, Decision, Draft, NewSlot, Request, RequestEvent, denied, free_text,
        has_room, known, occurred,
    },
    vault::{HEAD, Slot},
};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use planning::check_number;
pub use planning::decide_plan;

/// What a decision on an intervention is made under.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// The organisation.
    pub organisation: &'a Organisation,
    /// Its version.
    pub organisation_version: u64,
    /// Who acts.
    pub acting: &'a Acting,
    /// Now.
    pub now: Moment,
}

/// A request that an intervention serves, with the procedure of its version.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// The request.
    pub request: &'a Request,
    /// The procedure of its version.
    pub procedure: &'a Procedure,
}

/// The events of a command on an intervention, with the slots that they fill, and what its requests are told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterventionDecision {
    /// What happened.
    pub events: Vec<InterventionEvent>,
    /// The slots that they fill: index of the event, and the slot.
    pub slots: Vec<(usize, NewSlot)>,
    /// What happened to each request.
    pub requests: BTreeMap<RequestId, Decision>,
    /// Keys of which slots were erased.
    pub destroy: Vec<KeyId>,
}

/// Most requests that one intervention serves.
const MAX_REQUESTS: usize = 50;
/// Most agents that are named for one intervention.
const MAX_AGENTS: usize = 50;
/// The longest number of a quote or an invoice, in characters: it outlives the requests.
const MAX_REFERENCE: usize = 60;
/// Most entries of one intervention.
const MAX_ENTRIES: usize = 200;
/// More minutes than any work takes at once: a year.
const MAX_MINUTES: i64 = 60 * 24 * 366;

/// Building a decision: numbering slots, collecting problems, here and in each request.
struct Desk<'a> {
    site: &'a Site<'a>,
    served: &'a [Served<'a>],
    decision: InterventionDecision,
    pending: Vec<NewSlot>,
    next_slot: Slot,
    told: BTreeMap<RequestId, Vec<Told<'a>>>,
    problems: Vec<Problem>,
}

/// What one request is told: events, with texts and pictures that become slots of its own.
enum Told<'a> {
    Stage { event: RequestEvent, instructions: Option<&'a Typed>, report: Option<&'a Typed> },
    Share(RequestEvent),
    Photo { intervention: &'a Intervention, occasion: Occasion, file: &'a crate::request::NewFile },
}

impl<'a> Desk<'a> {
    fn new(site: &'a Site<'a>, served: &'a [Served<'a>], next_slot: Slot) -> Self {
        Self {
            site,
            served,
            decision: InterventionDecision::default(),
            pending: Vec::new(),
            next_slot,
            told: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    fn check<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn problem(&mut self, code: &'static str, path: &str, message: &str, hint: &str) {
        self.problems.push(Problem::new(code, path, message).hint(hint));
    }

    fn event(&mut self, event: InterventionEvent) {
        let index = self.decision.events.len();
        self.decision.events.push(event);
        self.decision.slots.extend(self.pending.drain(..).map(|slot| (index, slot)));
    }

    /// A short text of the intervention's own: the number of a quote or an invoice, what was bought.
    fn reference(&mut self, path: &'static str, typed: Option<&Typed>) -> Option<Slot> {
        let typed = typed?;
        self.check(crate::request::short_text(path, typed))?;
        let long = typed.expose_text().is_some_and(|text| text.chars().count() > MAX_REFERENCE);
        if path != "item" && long {
            let hint = "give the number as it is written on the document, at most 60 characters";
            self.problem(
                "field.too-long",
                path,
                "this is longer than a number of a quote or an invoice",
                hint,
            );
            return None;
        }
        let slot = self.next_slot;
        self.next_slot = self.next_slot.saturating_add(1);
        self.pending.push(NewSlot { slot, path: Word::of(path), part: HEAD, value: typed.clone() });
        Some(slot)
    }

    fn tell(&mut self, request: RequestId, told: Told<'a>) {
        self.told.entry(request).or_default().push(told);
    }

    fn named(&mut self, path: &str, what: &str, name: &str, ids: &[&Word]) -> Option<Word> {
        let code = match what {
            "supplier" => "supplier.unknown",
            "reason" => "reason.unknown",
            _ => "assignee.unknown",
        };
        self.check(known(path, code, what, name, ids.iter().copied()))
    }

    /// Refuses texts about what is not served, or not theirs to write on (`may`), and texts for a request that is
    /// forgotten.
    fn texts(
        &mut self,
        path: &str,
        texts: &'a BTreeMap<RequestId, Typed>,
        intervention: Option<&Intervention>,
        may: &dyn Fn(&Request) -> bool,
    ) {
        for (id, text) in texts {
            match self.served.iter().find(|served| served.request.id == *id && may(served.request)) {
                None => self.problem(
                    "request.unknown",
                    path,
                    "a text is about a request that this intervention does not serve",
                    "name one of its requests",
                ),
                Some(served) if served.request.anonymised_at.is_some() => self.problem(
                    "request.anonymised",
                    path,
                    "a request was anonymised and takes no texts any more",
                    "leave the text out",
                ),
                Some(Served { request, procedure })
                    if !writes_on(self.site.acting, procedure, path, intervention, request) =>
                {
                    self.problem("permission.field", path, "you may not write this", "leave it out");
                }
                Some(Served { request, .. }) => {
                    self.check(has_room(&request.book));
                    self.check(free_text(path, text));
                }
            }
        }
    }

    fn finish(mut self) -> Result<InterventionDecision, Refusal> {
        for (id, told) in std::mem::take(&mut self.told) {
            let Some(served) = self.served.iter().find(|served| served.request.id == id) else { continue };
            let context = Context {
                organisation: self.site.organisation,
                organisation_version: self.site.organisation_version,
                procedure: served.procedure,
                procedure_version: served.request.procedure,
                acting: self.site.acting,
                now: self.site.now,
            };
            let mut draft = Draft::new(&context, served.request.book.next_slot, served.request.version);
            for told in told {
                told.write(&mut draft);
            }
            match draft.finish() {
                Ok(decision) => {
                    self.decision.requests.insert(id, decision);
                }
                Err(refusal) => self.problems.extend(refusal.problems().iter().cloned()),
            }
        }
        if self.problems.is_empty() { Ok(self.decision) } else { Err(Refusal::new(self.problems)) }
    }
}

impl Told<'_> {
    fn write(self, draft: &mut Draft<'_>) {
        match self {
            Self::Stage { mut event, instructions: order, report: done } => {
                let part = draft.own_part();
                if let RequestEvent::Served { instructions, report, .. } = &mut event {
                    *instructions = order.map(|text| draft.slot("instructions", part, text.clone()));
                    *report = done.map(|text| draft.slot("report", part, text.clone()));
                }
                draft.event(event);
            }
            Self::Share(event) => {
                draft.event(event);
            }
            Self::Photo { intervention, occasion, file } => {
                if let Some(mut data) = draft.file(file, None) {
                    data.intervention = Some(intervention.id.uuid());
                    data.moment = Some(Word::of(match occasion {
                        Occasion::Before => "before",
                        Occasion::After => "after",
                    }));
                    draft.event(RequestEvent::Attached { file: data });
                }
            }
        }
    }
}

/// What an intervention says of itself to a request, with the request's share of the estimate.
fn stage_event(
    intervention: &Intervention,
    stage: &Word,
    reason: Option<&Word>,
    estimate: (i64, i64),
) -> RequestEvent {
    RequestEvent::Served {
        intervention: intervention.id.uuid(),
        stage: stage.clone(),
        from: intervention.from,
        until: intervention.until,
        service: intervention.service.clone(),
        team: intervention.team.clone(),
        supplier: intervention.supplier.clone(),
        minutes: u32::try_from(estimate.0).unwrap_or(0),
        cents: estimate.1,
        reason: reason.cloned(),
        instructions: None,
        report: None,
    }
}

/// The shares of the estimate, a request each.
fn estimates(intervention: &Intervention) -> Vec<(i64, i64)> {
    let weights = intervention.weights();
    let minutes = super::shares(intervention.minutes.into(), &weights, 0);
    minutes.into_iter().zip(super::shares(intervention.cents, &weights, 0)).collect()
}

/// Refuses what happened before any of the requests was there, but to who may replay what is past, as for requests.
fn not_before(at: Moment, served: &[Served<'_>], site: &Site<'_>) -> Result<(), Refusal> {
    let requests = || served.iter().map(|served| served.request);
    let before = requests().map(|request| request.opened_at).min().is_some_and(|opened| at < opened);
    let replays = |request: &Request| site.acting.may_with(site.organisation, Action::Import, request);
    if before && !site.acting.is_internal() && !requests().any(replays) {
        return Err(denied("occurred_at", "you may not date work back behind what it is for"));
    }
    Ok(())
}

/// Decides a command on an intervention. `served` are the requests that it serves, and those that it is to serve.
///
/// Pure: the same arguments give the same decision.
///
/// # Errors
/// [`Refusal`] with every reason found, each with a code, a path and a hint; nothing in it repeats a typed value.
pub fn decide_work(
    intervention: &Intervention,
    command: &Work,
    occurred_at: Option<Moment>,
    served: &[Served<'_>],
    site: &Site<'_>,
) -> Result<InterventionDecision, Refusal> {
    let at = occurred(occurred_at, site.now)?;
    let mut desk = Desk::new(site, served, intervention.book.next_slot);
    let may = |action| may_on(site.acting, site.organisation, action, intervention, served);
    let works = |action| {
        move |request: &Request| may_for(site.acting, site.organisation, action, intervention, request)
    };
    let need = |action| if may(action) { Ok(()) } else { Err(denied("actor", "you may not do this")) };
    match command {
        Work::Plan(plan) => {
            // As for cancelling: what it serves no more hears that it was left.
            need(Action::Plan)?;
            if !intervention.is_open() {
                return Err(ended());
            }
            planning::plan(intervention.id, plan, Some(intervention), &mut desk)?;
        }
        Work::Acknowledge => {
            need(Action::Work)?;
            desk.stage(intervention, "acknowledged", &["planned"], at, None, None);
            desk.event(InterventionEvent::Acknowledged {});
        }
        Work::Start => {
            need(Action::Work)?;
            let from = &["planned", "acknowledged"];
            desk.stage(intervention, "started", from, at, None, None);
            desk.event(InterventionEvent::Started {});
        }
        Work::Done { report } => {
            need(Action::Work)?;
            desk.texts("report", report, Some(intervention), &works(Action::Work));
            desk.stage(intervention, "done", OPEN, at, Some(report), None);
            desk.event(InterventionEvent::Done {});
        }
        Work::Impossible { reason, report } => {
            need(Action::Work)?;
            desk.texts("report", report, Some(intervention), &works(Action::Work));
            let reason = desk.impossibility(reason.as_deref(), report);
            desk.stage(intervention, "impossible", OPEN, at, Some(report), reason.as_ref());
            desk.event(InterventionEvent::Impossible { reason });
        }
        Work::Cancel { report } => {
            need(Action::Plan)?;
            desk.texts("report", report, Some(intervention), &works(Action::Plan));
            desk.stage(intervention, "cancelled", OPEN, at, Some(report), None);
            desk.event(InterventionEvent::Cancelled {});
        }
        Work::Spend { agent, minutes } => {
            need(Action::Work)?;
            costs::spend(intervention, agent.as_deref(), *minutes, at, &mut desk);
        }
        Work::Buy(purchase) => {
            if !may(Action::Cost) {
                return Err(denied("cents", "you may not enter amounts"));
            }
            costs::buy(intervention, purchase, at, &mut desk);
        }
        Work::Strike { entry } => costs::strike(intervention, *entry, &may, &mut desk)?,
        Work::Photo { request, occasion, file } => {
            need(Action::Work)?;
            desk.photo(intervention, *request, *occasion, file, &works(Action::Work));
        }
        Work::Erase { slots, reason } => {
            let host = site.acting.kind() == ActorKind::Host;
            if !host {
                need(Action::Erase)?;
            }
            erase(intervention, slots, reason, host || may(Action::Cost), &mut desk);
        }
    }
    not_before(at, served, site)?;
    desk.finish()
}

/// The stages in which it is still to be done.
const OPEN: &[&str] = &["planned", "acknowledged", "started"];

fn ended() -> Refusal {
    let problem = Problem::new("intervention.ended", "intervention", "this intervention is over");
    problem.hint("plan another one").into()
}

impl<'a> Desk<'a> {
    /// Tells all requests that it has come so far.
    fn stage(
        &mut self,
        intervention: &Intervention,
        stage: &'static str,
        from: &[&str],
        at: Moment,
        reports: Option<&'a BTreeMap<RequestId, Typed>>,
        reason: Option<&Word>,
    ) {
        if !intervention.is_open() {
            self.problems.extend(ended().problems().iter().cloned());
        } else if !from.contains(&intervention.stage.as_str()) {
            let hint = "open it again to see how far it is";
            self.problem("intervention.stage", "intervention", "it is not so far, or further already", hint);
        }
        if intervention.started_at.is_some_and(|started| at < started) {
            let hint = "give the moment at which it ended, or none for now";
            self.problem("intervention.order", "occurred_at", "it would end before it began", hint);
        }
        let stage = Word::of(stage);
        for (served, estimate) in intervention.requests.iter().zip(estimates(intervention)) {
            let id = RequestId::from_uuid(served.request);
            let event = stage_event(intervention, &stage, reason, estimate);
            self.tell(
                id,
                Told::Stage {
                    event,
                    instructions: None,
                    report: reports.and_then(|reports| reports.get(&id)),
                },
            );
        }
    }

    /// Why it is impossible: from the list, where there is one; else in words.
    fn impossibility(&mut self, reason: Option<&str>, report: &BTreeMap<RequestId, Typed>) -> Option<Word> {
        let ids: Vec<&Word> = self.site.organisation.impossibilities.iter().map(|known| &known.id).collect();
        match reason {
            Some(name) => self.named("reason", "reason", name, &ids),
            None if ids.is_empty() && !report.is_empty() => None,
            None => {
                let hint = match ids.as_slice() {
                    [] => "say in the report what was found".to_owned(),
                    ids => {
                        let names: Vec<&str> = ids.iter().map(|id| id.as_str()).take(20).collect();
                        format!("choose one of `{}`", names.join("`, `"))
                    }
                };
                self.problem("reason.required", "reason", "this must be given a reason", &hint);
                None
            }
        }
    }

    fn photo(
        &mut self,
        intervention: &'a Intervention,
        request: Option<RequestId>,
        occasion: Occasion,
        file: &'a crate::request::NewFile,
        may: &dyn Fn(&Request) -> bool,
    ) {
        let theirs = self.served.iter().map(|served| served.request).filter(|request| may(request));
        let served = |id: &RequestId| intervention.requests.iter().any(|served| served.request == id.uuid());
        let ids: Vec<RequestId> = theirs.map(|request| request.id).filter(served).collect();
        let id = match (request, ids.as_slice()) {
            (Some(id), ids) if ids.contains(&id) => id,
            (None, [only]) => *only,
            _ => {
                let hint = "name one of the requests that it serves";
                return self.problem(
                    "request.unknown",
                    "request",
                    "it is not said of what this is a picture",
                    hint,
                );
            }
        };
        let gone = self
            .served
            .iter()
            .any(|served| served.request.id == id && served.request.anonymised_at.is_some());
        if let Some(served) = self.served.iter().find(|served| served.request.id == id) {
            self.check(has_room(&served.request.book));
        }
        if gone {
            let hint = "attach it to another request that it serves";
            self.problem("request.anonymised", "request", "this request takes no files any more", hint);
        }
        if file.field.is_some() || !file.media.starts_with("image/") {
            let hint = "store a picture, for no field of the form";
            self.problem("file.media", "file", "this is not a picture", hint);
        }
        self.tell(id, Told::Photo { intervention, occasion, file });
    }
}

/// Its values are for who may see amounts (`reads`): whether there is one is not for others to find out.
fn erase(intervention: &Intervention, slots: &[Slot], reason: &str, reads: bool, desk: &mut Desk<'_>) {
    let Ok(reason) = Word::new(reason) else {
        let hint = "give one such as `right-to-erasure`";
        return desk.problem("erase.reason", "reason", "the reason is not a word", hint);
    };
    if desk.served.iter().any(|served| !served.request.holds.is_empty()) {
        let message = "nothing is erased while a legal hold is set on a request that it serves";
        return desk.problem("request.held", "request", message, "ask who set it to lift it first");
    }
    let living = |slot: &Slot| intervention.book.slots.contains_key(slot);
    if !reads || slots.is_empty() || !slots.iter().all(living) {
        let hint = "name slots of this intervention that are still there";
        return desk.problem("erase.nothing", "slots", "there is nothing to erase under some of these", hint);
    }
    let keys: BTreeSet<KeyId> = slots.iter().filter_map(|slot| intervention.book.key_of(*slot)).collect();
    desk.decision.destroy = keys.into_iter().collect();
    let slots: BTreeSet<Slot> = slots.iter().copied().collect();
    desk.event(InterventionEvent::Erased { slots: slots.into_iter().collect(), reason });
}

/// What a command touches: it is stale if an event that touches some of it came after what its author saw.
pub(crate) const fn touched_by(command: &Work) -> &'static [&'static str] {
    match command {
        Work::Plan(_) => &["plan", "stage", "entries"],
        Work::Acknowledge
        | Work::Start
        | Work::Done { .. }
        | Work::Impossible { .. }
        | Work::Cancel { .. } => &["stage"],
        Work::Strike { .. } => &["entries"],
        Work::Spend { .. } | Work::Buy(_) | Work::Photo { .. } | Work::Erase { .. } => &[],
    }
}
