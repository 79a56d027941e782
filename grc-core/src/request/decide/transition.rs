//! Deciding a transition.

use super::{Draft, RequestEnv, Values, denied, intake::plan_entry, message::Notice, note, validate};
use crate::{
    Moment, Word,
    definition::{Action, Ask, FieldKind, Transition},
    refusal::{Problem, Refusal},
    request::{Fire, Request, event::RequestEvent},
};

/// What goes with a transition that nobody fires by hand.
fn by_timer(transition: &Word) -> Fire {
    Fire::new(transition.as_str())
}

pub(super) fn fire(
    request: &Request,
    values: &Values,
    fire: &Fire,
    at: Moment,
    quiet: bool,
    draft: &mut Draft<'_>,
) -> Result<(), Refusal> {
    let super::Context { organisation, procedure, acting, .. } = *draft.context;
    if !acting.may_with(organisation, Action::See, request) {
        return Err(denied("actor", "you may not do this"));
    }
    // What others may fire is not named to who may not.
    let mine =
        procedure.transitions.iter().filter(|transition| acting.is_among(&transition.by, Some(request)));
    let id = validate::known(
        "transition",
        "transition.unknown",
        "transition for you",
        &fire.transition,
        mine.map(|transition| &transition.id),
    );
    let Some(transition) = id.as_ref().ok().and_then(|id| procedure.transition(id.as_str())) else {
        let exists = procedure.transition(&fire.transition).is_some();
        return Err(match (exists, id) {
            (true, _) => denied("transition", "you may not fire this transition"),
            (false, Err(problem)) => problem.into(),
            (false, Ok(_)) => denied("transition", "you may not fire this transition"),
        });
    };
    // What goes with it is what it asks for, or what the actor may do anyway.
    let asks = |ask| transition.asks.contains(&ask);
    let may = |action| acting.may_with(organisation, action, request);
    let extra = |name: &String| !transition.requires.iter().any(|id| *id == *name.as_str());
    for (given, allowed, path) in [
        (fire.assignee.is_some(), asks(Ask::Assignee) || may(Action::Assign), "assignee"),
        (fire.outcome.is_some(), asks(Ask::Outcome) || !acting.is_citizen(), "outcome"),
        (fire.message.is_some(), asks(Ask::Message) || may(Action::Message), "message"),
        (fire.note.is_some(), asks(Ask::Note) || may(Action::Note), "note"),
        (fire.fields.keys().any(extra), may(Action::Correct), "fields"),
    ] {
        if given && !allowed {
            return Err(denied(path, "this transition does not ask for it, and you may not do it besides"));
        }
    }
    // Time runs for everybody, but for who replays what was done in time.
    let judged = if may(Action::Import) { at } else { draft.context.now };
    draft.problems.extend(blocked(request, values, transition, judged, draft));
    let fields = draft.fields(fire.fields.iter().map(|(name, typed)| (name, typed.as_ref())), Some(request));
    for id in &transition.requires {
        let given = fields.get(id).map(Option::is_some);
        // One that was typed wrong has its own problem already.
        let wrong = given.is_none() && fire.fields.contains_key(id.as_str());
        if !wrong && !given.unwrap_or_else(|| is_filled(request, procedure, id)) {
            draft.problems.push(missing_field(id, request, draft));
        }
    }
    for (id, held) in &fields {
        let required = procedure.field(id.as_str()).is_some_and(|field| field.required);
        if held.is_none() && required && !transition.requires.contains(id) {
            draft.problems.push(super::required_problem(id));
        }
    }
    if !fields.is_empty() {
        draft.event(RequestEvent::Corrected { fields });
    }
    go(request, values, transition, fire, Firing { at, quiet, timer: false }, draft);
    Ok(())
}

pub(super) fn elapsed(
    request: &Request,
    values: &Values,
    id: &str,
    at: Moment,
    draft: &mut Draft<'_>,
) -> Result<(), Refusal> {
    let transition =
        draft
            .context
            .procedure
            .transition(id)
            .filter(|transition| transition.after.is_some())
            .ok_or_else(|| Problem::new("transition.unknown", "transition", "there is no such timer"))?;
    draft.problems.extend(blocked(request, values, transition, at, draft));
    go(
        request,
        values,
        transition,
        &by_timer(&transition.id),
        Firing { at, quiet: false, timer: true },
        draft,
    );
    Ok(())
}

/// A field that must be filled, named only to who may read or write it.
fn missing_field(id: &Word, request: &Request, draft: &Draft<'_>) -> Problem {
    let super::Context { organisation, procedure, acting, .. } = *draft.context;
    let knows = acting.reads(organisation, procedure, id.as_str(), Some(request))
        || acting.writes(organisation, procedure, id.as_str(), Some(request));
    if knows || acting.is_internal() {
        super::required_problem(id)
    } else {
        Problem::new("transition.guard", "transition", "a condition does not hold")
    }
}

fn is_filled(request: &Request, procedure: &crate::definition::Procedure, id: &Word) -> bool {
    match procedure.field(id.as_str()).map(|field| field.kind) {
        Some(FieldKind::File) => request.files.iter().any(|file| file.field.as_ref() == Some(id)),
        _ => request.fields.contains_key(id),
    }
}

/// Why the transition cannot be fired now, whoever fires it. A guard's fields are named only to who may read them.
fn blocked(
    request: &Request,
    values: &Values,
    transition: &Transition,
    at: Moment,
    draft: &Draft<'_>,
) -> Vec<Problem> {
    let super::Context { organisation, procedure, acting, .. } = *draft.context;
    let mut problems = Vec::new();
    if !transition.from.contains(&request.state) {
        problems.push(
            Problem::new(
                "transition.state",
                "transition",
                "the request is not in a state from which this can be fired",
            )
            .hint("open the request again to see what can be done now"),
        );
    }
    let until = transition.within.zip(request.closed_at);
    let until = until.map(|(within, closed)| within.from(closed, organisation.time_zone));
    if until.is_some_and(|until| at > until) {
        let message = "it is too long since the request was closed";
        problems.push(Problem::new("transition.late", "transition", message).hint("hand in a new request"));
    }
    if let Some(when) = &transition.when {
        let env = RequestEnv { request, values, acting };
        for unmet in when.unmet(&env) {
            let visible = acting.is_internal()
                || unmet
                    .var
                    .as_ref()
                    .is_none_or(|var| acting.looks_at(organisation, procedure, var, Some(request)));
            let problem = match &unmet.var {
                Some(var) if visible => Problem::new(
                    "transition.guard",
                    var.to_string(),
                    format!("this must be so first: {}", unmet.part),
                ),
                _ => Problem::new("transition.guard", "transition", "a condition does not hold"),
            };
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}

/// How a transition comes to be fired.
#[derive(Clone, Copy)]
struct Firing {
    at: Moment,
    quiet: bool,
    timer: bool,
}

fn go(
    request: &Request,
    values: &Values,
    transition: &Transition,
    fire: &Fire,
    firing: Firing,
    draft: &mut Draft<'_>,
) {
    let Firing { at, quiet, timer } = firing;
    let super::Context { organisation, procedure, .. } = *draft.context;
    let asks = |ask| transition.asks.contains(&ask);
    let missing = |draft: &mut Draft<'_>, path: &str, hint: &str| {
        let problem = Problem::new("transition.asks", path, "this must be given with the transition");
        draft.problems.push(problem.hint(hint));
    };
    if let Some(to) = &fire.assignee {
        if let Some((service, team, agent)) = draft.assignee(to, request) {
            draft.event(RequestEvent::Assigned { service, team, agent, reason: None, taken: false });
        }
    } else if asks(Ask::Assignee) && !timer {
        missing(draft, "assignee", "name a service, a team or an agent");
    }
    let outcome = match &fire.outcome {
        Some(name) => {
            let known = organisation.outcomes.iter().map(|outcome| &outcome.id);
            draft.check(validate::known("outcome", "outcome.unknown", "outcome", name, known))
        }
        None => {
            if asks(Ask::Outcome) && !timer {
                missing(draft, "outcome", "say what came of it");
            }
            None
        }
    };
    let phase = procedure
        .state(transition.to.as_str())
        .map_or_else(|| Word::of("received"), |state| state.phase.word());
    let closed = phase == "closed";
    draft.event(RequestEvent::Moved {
        transition: transition.id.clone(),
        from: request.state.clone(),
        to: transition.to.clone(),
        phase,
        outcome,
        timer,
    });
    let citizen = draft.context.acting.is_citizen();
    // A replay tells nothing by itself.
    let notice = transition.tell.as_ref().filter(|_| !quiet).map(|template| Notice {
        template,
        own: fire.message.as_ref().filter(|_| !citizen),
        automatic: timer,
        at,
    });
    match &fire.message {
        Some(text) if citizen => {
            // What a citizen says with a transition comes in.
            draft.message_in(request, text, request.channel.clone());
        }
        // It is part of the notice.
        Some(_) if notice.is_some() => {}
        Some(text) => draft.message_out(request, values, text, None, quiet),
        None if asks(Ask::Message) && !timer => missing(draft, "message", "write to the requester"),
        None => {}
    }
    if let Some(notice) = notice.filter(|_| draft.problems.is_empty()) {
        draft.notice(&notice, Some(request), values);
    }
    match &fire.note {
        Some(_) if draft.context.acting.is_citizen() => {
            draft.problems.push(Problem::new(
                "permission.denied",
                "note",
                "you may not write internal notes",
            ));
        }
        Some(text) => note(request, draft, text),
        None if asks(Ask::Note) && !timer => missing(draft, "note", "leave a note"),
        None => {}
    }
    draft.decision.plans.push(super::Plan::Cancel(vec!["timer"]));
    if request.is_closed() && !closed {
        draft.decision.plans.push(super::Plan::Cancel(vec!["retention"]));
    }
    // Moving between final states does not restart retention.
    plan_entry(&transition.to, closed && !request.is_closed(), at, quiet, draft);
}

/// A transition that the actor may fire from where the request is.
pub(crate) struct Open<'a> {
    pub(crate) transition: &'a Transition,
    /// The fields that must be filled with it.
    pub(crate) fields: Vec<&'a Word>,
    /// What keeps it from being fired now.
    pub(crate) blocked: Vec<Problem>,
}

/// A transition that the actor may fire from where the request is, and what keeps it from being fired.
pub(crate) fn choices<'a>(
    request: &'a Request,
    values: &Values,
    context: &'a super::Context<'a>,
) -> Vec<Open<'a>> {
    let draft = Draft::new(context, request.book.next_slot, request.version);
    if request.anonymised_at.is_some() || !context.acting.may_with(context.organisation, Action::See, request)
    {
        return Vec::new();
    }
    context
        .procedure
        .exits(&request.state)
        .filter(|transition| context.acting.is_among(&transition.by, Some(request)))
        .map(|transition| {
            let mut blocked = blocked(request, values, transition, context.now, &draft);
            let mut fields = Vec::new();
            for id in transition.requires.iter().filter(|id| !is_filled(request, context.procedure, id)) {
                // A field that the actor can fill on the way is not what keeps them from it; a file is attached before.
                let kind = context.procedure.field(id.as_str()).map(|field| field.kind);
                let writes = kind != Some(FieldKind::File)
                    && context.acting.writes(
                        context.organisation,
                        context.procedure,
                        id.as_str(),
                        Some(request),
                    );
                if writes {
                    fields.push(id);
                } else {
                    blocked.push(missing_field(id, request, &draft));
                }
            }
            Open { transition, fields, blocked }
        })
        .collect()
}
