//! Deciding: a command, or why not.

mod draft;
mod erase;
mod holding;
mod intake;
mod message;
mod transition;
pub(crate) mod variables;

use super::{
    Acting, ActorKind, Command, Given, Request, Span,
    event::{Held, RequestEvent},
    validate,
};
use crate::{
    BlobId, KeyId, Moment, Typed, Value, Word,
    condition::{Environment, Var},
    definition::{Action, Organisation, Procedure},
    refusal::{Problem, Refusal},
    vault::{Part, Slot, SlotBook},
};
use std::collections::BTreeMap;

pub(crate) use draft::Draft;
use erase::{anonymise, erase, plan_retention};
pub(crate) use erase::{coarse, stays};
pub use intake::decide_intake;
pub(crate) use transition::choices;

/// What a decision is made under.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The organisation.
    pub organisation: &'a Organisation,
    /// Its version.
    pub organisation_version: u64,
    /// The procedure of the request's version.
    pub procedure: &'a Procedure,
    /// Its version.
    pub procedure_version: u64,
    /// Who acts.
    pub acting: &'a Acting,
    /// Now.
    pub now: Moment,
}

/// The opened values of a request's slots, as far as they are known.
pub type Values = BTreeMap<Slot, Value>;

/// A slot that a decision fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSlot {
    /// Its number.
    pub slot: Slot,
    /// What it holds: a field's id, or `requester.phone`, `message`…
    pub path: Word,
    /// The part of the vault that it goes to.
    pub part: Part,
    /// Its value.
    pub value: Typed,
}

/// What a decision asks for besides its events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Plan {
    /// Anonymise when due.
    Retention {
        /// When.
        due: Moment,
    },
    /// Fire a transition when due, if the request is still in the state.
    Timer {
        /// When.
        due: Moment,
        /// Which.
        transition: Word,
    },
    /// Deliver a message.
    Deliver {
        /// The sequence of its event.
        message: u64,
        /// By which channel.
        channel: Word,
        /// How often it was begun again before.
        round: u32,
    },
    /// Take the waiting tasks of these kinds away.
    Cancel(Vec<&'static str>),
    /// Destroy what opens these keys' erased slots, and drop these blobs.
    Destroy {
        /// Keys of which slots were erased.
        keys: Vec<KeyId>,
        /// Blobs of erased files.
        blobs: Vec<BlobId>,
    },
}

/// The events of a command, in order, with the slots they fill and what is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// What happened.
    pub events: Vec<RequestEvent>,
    /// The slots that they fill: index of the event, and the slot.
    pub slots: Vec<(usize, NewSlot)>,
    /// What is to be done.
    pub plans: Vec<Plan>,
}

/// What a condition of a definition looks at: the request's facts and fields, and the actor's relations.
pub(crate) struct RequestEnv<'a> {
    pub(crate) request: &'a Request,
    pub(crate) values: &'a Values,
    pub(crate) acting: &'a Acting,
}

impl Environment for RequestEnv<'_> {
    fn value(&self, var: &Var) -> Option<Value> {
        match var {
            Var::Fact(fact) => self.request.facts(None).get(*fact).map(Value::from),
            Var::Field(field) => match self.request.fields.get(field) {
                Some(Held::Clear(value)) => Some(value.clone()),
                Some(Held::Slot(slot)) => self.values.get(slot).cloned(),
                // Of a file it can be asked whether it is there.
                None => {
                    let files =
                        self.request.files.iter().filter(|file| file.field.as_ref() == Some(field)).count();
                    i64::try_from(files).ok().filter(|files| *files > 0).map(Value::Integer)
                }
            },
        }
    }

    fn relation(&self, relation: &str) -> bool {
        self.acting.relation(relation, Some(self.request))
    }
}

/// The most living values of a request.
const MAX_SLOTS: usize = 5_000;

/// Slots with numbers near the last there are: no history comes so far, so this one was not made by the library.
const LAST_SLOT: Slot = Slot::MAX / 2;

/// Whether there is room for another value.
pub(crate) fn has_room(book: &SlotBook) -> Result<(), Problem> {
    if book.slots.len() < MAX_SLOTS && book.next_slot < LAST_SLOT {
        return Ok(());
    }
    let problem = Problem::new("request.full", "request", "this request has as many values as one can have");
    Err(problem.hint("close it and open a new one, linked to it"))
}

pub(crate) fn denied(path: &str, message: &str) -> Refusal {
    Problem::new("permission.denied", path, message.to_owned()).into()
}

/// Moments outside of these years are slips of the pen (and beyond what stored bodies hold).
pub(crate) fn is_plausible(at: Moment) -> bool {
    const YEAR_1900: Moment = Moment::from_micros(-2_208_988_800_000_000);
    const YEAR_2200: Moment = Moment::from_micros(7_258_118_400_000_000);
    YEAR_1900 <= at && at < YEAR_2200
}

fn implausible(path: &str) -> Problem {
    Problem::new("date.range", path, "this date is before 1900 or after 2199").hint("give the date as it is")
}

/// When it happened: not in the future.
pub(crate) fn occurred(given: Option<Moment>, now: Moment) -> Result<Moment, Problem> {
    match given {
        Some(at) if !is_plausible(at) => Err(implausible("occurred_at")),
        Some(at) if at > now => Err(Problem::new("date.future", "occurred_at", "this date is in the future")
            .hint("give the date on which it happened, or none for now")),
        Some(at) => Ok(at),
        None => Ok(now),
    }
}

/// Decides a command on a request.
///
/// Pure: the same arguments give the same decision. `values` are the opened slots of the request; conditions on a
/// field whose slot is not among them see no value.
///
/// # Errors
/// [`Refusal`] with every reason found, each with a code, a path and a hint; nothing in it repeats a typed value.
pub fn decide(
    request: &Request,
    values: &Values,
    command: &Command,
    given: Given,
    context: &Context<'_>,
) -> Result<Decision, Refusal> {
    let acting = context.acting;
    let organisation = context.organisation;
    let at = occurred(given.occurred_at, context.now)?;
    let mut draft = Draft::new(context, request.book.next_slot, request.version);
    let internal = acting.is_internal();
    if request.anonymised_at.is_some() {
        return Err(Problem::new(
            "request.anonymised",
            "request",
            "this request was anonymised and is not changed any more",
        )
        .hint("open a new request")
        .into());
    }
    // What is replayed, or said to have happened before what is known, moves delays and retention: a right of its own.
    // Who holds it is known too, where that changes.
    let moves = matches!(
        command,
        Command::Fire(_) | Command::Assign { .. } | Command::Take | Command::HandOver { .. }
    );
    let counts = |span: &&Span| span.kind == "state" || (moves && span.kind == "desk");
    let known = request.spans.iter().filter(counts).map(|span| span.from).max();
    let goes_back = given.occurred_at.is_some_and(|at| known.is_some_and(|known| at < known));
    if (given.quiet || goes_back) && !internal && !acting.may_with(organisation, Action::Import, request) {
        return Err(denied("occurred_at", "you may not replay, or date back behind what is known"));
    }
    // What can be forgotten in one go is bounded.
    if !internal {
        has_room(&request.book)?;
    }
    let may = |action: Action| {
        let allowed = acting.may_with(organisation, action, request);
        let seen = action == Action::See || acting.may_with(organisation, Action::See, request);
        if allowed && seen { Ok(()) } else { Err(denied("actor", "you may not do this")) }
    };
    let host_or = |action: Action| if acting.kind() == ActorKind::Host { Ok(()) } else { may(action) };
    let only_due = || if internal { Ok(()) } else { Err(denied("actor", "only due time does this")) };
    match command {
        Command::Fire(fire) => transition::fire(request, values, fire, at, given.quiet, &mut draft)?,
        Command::Elapsed { transition } => {
            only_due()?;
            transition::elapsed(request, values, transition, at, &mut draft)?;
        }
        Command::Assign { to, reason } => {
            may(Action::Assign)?;
            holding::assign(request, to, reason.as_ref(), false, &mut draft);
        }
        Command::Take => holding::take(request, &mut draft)?,
        Command::HandOver { to, reason } => holding::hand_over(request, to, reason, &mut draft)?,
        Command::Correct(fields) => {
            may(Action::Correct)?;
            let fields =
                draft.fields(fields.iter().map(|(name, typed)| (name, typed.as_ref())), Some(request));
            for (id, held) in &fields {
                let required = context.procedure.field(id.as_str()).is_some_and(|field| field.required);
                if held.is_none() && required {
                    draft.problems.push(required_problem(id));
                }
            }
            if fields.is_empty() && draft.problems.is_empty() {
                draft.problems.push(
                    Problem::new("command.empty", "fields", "nothing is corrected").hint("name a field"),
                );
            }
            draft.event(RequestEvent::Corrected { fields });
        }
        Command::Assess { acceptability, reason } => {
            may(Action::Assess)?;
            let known = organisation.acceptabilities.iter().map(|known| &known.id);
            let id = draft.check(validate::known(
                "acceptability",
                "acceptability.unknown",
                "acceptability",
                acceptability,
                known,
            ));
            if let Some(id) = id {
                let of_it = organisation.acceptabilities.iter().filter(|known| known.id == id);
                let reasons: Vec<&Word> =
                    of_it.flat_map(|known| known.reasons.iter().map(|r| &r.id)).collect();
                let reason = match reason {
                    Some(name) => draft.check(validate::known(
                        "reason",
                        "reason.unknown",
                        "reason",
                        name,
                        reasons.iter().copied(),
                    )),
                    None if reasons.is_empty() => None,
                    None => {
                        let problem =
                            Problem::new("reason.required", "reason", "this must be given a reason");
                        let names: Vec<&str> = reasons.iter().map(|id| id.as_str()).take(20).collect();
                        draft.problems.push(problem.hint(format!("choose one of `{}`", names.join("`, `"))));
                        None
                    }
                };
                draft.event(RequestEvent::Assessed { acceptability: id, reason });
            }
        }
        Command::Conclude { outcome, reason } => {
            may(Action::Conclude)?;
            let known = organisation.outcomes.iter().map(|outcome| &outcome.id);
            let outcome =
                draft.check(validate::known("outcome", "outcome.unknown", "outcome", outcome, known));
            let reason = draft.reason(reason.as_ref(), request);
            if let Some(outcome) = outcome {
                draft.event(RequestEvent::Concluded { outcome, reason });
            }
        }
        Command::Confirm { satisfied, comment } => {
            may(Action::Confirm)?;
            if !request.is_closed() {
                let problem = Problem::new("request.open", "request", "this request is not closed yet");
                draft.problems.push(problem.hint("say it when its handling is over"));
            }
            let comment = match comment {
                Some(text)
                    if draft.may_write("message", Some(request))
                        && draft.check(validate::free_text("comment", text)).is_some() =>
                {
                    let part = draft.own_part();
                    Some(draft.slot("message", part, text.clone()))
                }
                _ => None,
            };
            let confirmation = Word::of(if *satisfied { "satisfied" } else { "unsatisfied" });
            draft.event(RequestEvent::Confirmed { confirmation, comment });
        }
        Command::Tell { text, channel } => {
            may(Action::Message)?;
            if acting.is_citizen() {
                return Err(denied("actor", "you may not do this"));
            }
            draft.message_out(request, values, text, channel.as_deref(), given.quiet);
        }
        Command::Resend { message, channel } => {
            host_or(Action::Message)?;
            if acting.is_citizen() {
                return Err(denied("actor", "you may not do this"));
            }
            draft.resend(request, values, *message, channel.as_deref());
        }
        Command::Hear { text, channel } => {
            may(Action::Message)?;
            let known = organisation.channels.iter().filter(|c| c.incoming).map(|channel| &channel.id);
            let channel =
                draft.check(validate::known("channel", "channel.unknown", "channel", channel, known));
            if let Some(channel) = channel {
                draft.message_in(request, text, channel);
            }
        }
        Command::Note(text) => {
            may(Action::Note)?;
            note(request, &mut draft, text);
        }
        Command::Attach(file) => {
            may(Action::Attach)?;
            if let Some(file) = draft.file(file, Some(request)) {
                draft.event(RequestEvent::Attached { file });
            }
        }
        Command::Work { minutes, cents, supplier } => {
            may(Action::Work)?;
            if *cents != 0 && may(Action::Cost).is_err() {
                return Err(denied("cents", "you may not enter amounts"));
            }
            let supplier = match supplier {
                Some(name) => {
                    let known = organisation.suppliers.iter().map(|supplier| &supplier.id);
                    draft.check(validate::known("supplier", "supplier.unknown", "supplier", name, known))
                }
                None => None,
            };
            if *minutes > 60 * 24 * 366 || cents.unsigned_abs() > 100_000_000_000 {
                draft.problems.push(
                    Problem::new("work.range", "work", "this is more than any work takes")
                        .hint("give minutes and cents, at most a year and a thousand million"),
                );
            }
            let agent = (acting.kind() == ActorKind::Agent).then(|| acting.id().cloned()).flatten();
            let team = request.team.clone();
            draft.event(RequestEvent::Worked { minutes: *minutes, cents: *cents, supplier, team, agent });
        }
        Command::Link { kind, target } => {
            may(Action::Link)?;
            match Word::new(kind) {
                Ok(kind) if *target != request.id => {
                    draft.event(RequestEvent::Linked { kind, target: target.uuid() });
                }
                Ok(_) => draft.problems.push(Problem::new(
                    "link.self",
                    "target",
                    "a request is not linked to itself",
                )),
                Err(error) => draft.problems.push(Problem::new(
                    "link.kind",
                    "kind",
                    format!("the link's kind is {error}"),
                )),
            }
        }
        Command::Hold { reason } => {
            host_or(Action::Hold)?;
            if draft.check(validate::free_text("reason", reason)).is_some() {
                let part = draft.own_part();
                let reason = draft.slot("reason", part, reason.clone());
                draft.event(RequestEvent::Held { hold: request.next_hold, reason });
            }
        }
        Command::Release { hold } => {
            host_or(Action::Hold)?;
            if request.holds.iter().all(|held| held.hold != *hold) {
                draft.problems.push(
                    Problem::new("hold.unknown", "hold", "there is no such hold")
                        .hint("name a hold that is set"),
                );
            }
            draft.event(RequestEvent::Released { hold: *hold });
            // What fell due while it was held is due now.
            if request.holds.len() == 1 && request.is_closed() {
                plan_retention(request.closed_at.unwrap_or(at), &mut draft);
            }
        }
        Command::Erase { paths, reason } => {
            host_or(Action::Erase)?;
            erase(request, paths, reason, &mut draft);
        }
        Command::Anonymise { rule } => {
            only_due()?;
            anonymise(request, values, rule, &mut draft)?;
        }
        Command::Delivered { message, round, report } => {
            only_due()?;
            draft.delivered(request, values, *message, *round, report);
        }
    }
    draft.finish()
}

fn required_problem(field: &Word) -> Problem {
    Problem::new("field.required", format!("fields.{field}"), "this field must be filled")
        .hint("give a value")
}

fn note(request: &Request, draft: &mut Draft<'_>, text: &Typed) {
    if draft.may_write("note", Some(request)) && draft.check(validate::free_text("note", text)).is_some() {
        let part = draft.own_part();
        let text = draft.slot("note", part, text.clone());
        draft.event(RequestEvent::Noted { text });
    }
}

/// What a command touches: it is stale if an event that touches some of it came after what its author saw.
pub(crate) fn touched_by(command: &Command, procedure: &Procedure) -> Vec<String> {
    match command {
        Command::Fire(fire) => {
            let mut all = vec!["state".to_owned()];
            all.extend(fire.fields.keys().map(|field| format!("field:{field}")));
            if fire.assignee.is_some() {
                all.push("assignment".to_owned());
            }
            if let Some(transition) = procedure.transition(&fire.transition) {
                all.extend(transition.when.iter().flat_map(|when| when.vars()).filter_map(|var| match var {
                    Var::Field(field) => Some(format!("field:{field}")),
                    Var::Fact(_) => None,
                }));
            }
            all
        }
        Command::Assign { .. } | Command::Take | Command::HandOver { .. } => vec!["assignment".to_owned()],
        Command::Conclude { .. } => vec!["outcome".to_owned()],
        Command::Correct(fields) => fields.keys().map(|field| format!("field:{field}")).collect(),
        Command::Assess { .. } => vec!["acceptability".to_owned()],
        Command::Hold { .. } | Command::Release { .. } => vec!["hold".to_owned()],
        _ => Vec::new(),
    }
}
