//! Deciding who holds a request.

use super::{Draft, denied};
use crate::{
    Typed,
    definition::Action,
    refusal::{Problem, Refusal},
    request::{ActorKind, Assignee, Request, event::RequestEvent},
};

/// Says who holds it.
pub(super) fn assign(
    request: &Request,
    to: &Assignee,
    reason: Option<&Typed>,
    taken: bool,
    draft: &mut Draft<'_>,
) {
    let reason = draft.reason(reason, request);
    if let Some((service, team, agent)) = draft.assignee(to, request) {
        draft.event(RequestEvent::Assigned { service, team, agent, reason, taken });
    }
}

/// Taking for oneself: only what nobody holds. Of two who try, the second finds it held when it is decided again.
pub(super) fn take(request: &Request, draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let super::Context { organisation, acting, .. } = *draft.context;
    let allowed = [Action::Take, Action::Assign].iter().any(|a| acting.may_with(organisation, *a, request));
    let me = acting.id().filter(|_| acting.kind() == ActorKind::Agent);
    let Some(me) = me.filter(|_| allowed && acting.may_with(organisation, Action::See, request)) else {
        return Err(denied("actor", "you may not take this request"));
    };
    if request.is_closed() {
        return Err(closed());
    }
    match &request.agent {
        None => assign(request, &Assignee::agent(me.as_str()), None, true, draft),
        Some(agent) => {
            let message = if agent == me {
                "you hold this request already"
            } else {
                "somebody holds this request already"
            };
            let problem = Problem::new("assignment.held", "assignment", message);
            return Err(problem.hint("who may assign can give it to somebody else").into());
        }
    }
    Ok(())
}

/// Handing over: by who holds it, or may assign, and always with a reason.
pub(super) fn hand_over(
    request: &Request,
    to: &Assignee,
    reason: &Typed,
    draft: &mut Draft<'_>,
) -> Result<(), Refusal> {
    let super::Context { organisation, acting, .. } = *draft.context;
    let may = |action| acting.may_with(organisation, action, request);
    let holds = may(Action::Take) && acting.relation("assignee", Some(request));
    if !may(Action::See) || !(holds || may(Action::Assign)) {
        return Err(denied("actor", "you may only hand over what you hold"));
    }
    if request.is_closed() {
        return Err(closed());
    }
    if to.agent.as_deref().is_some_and(|to| request.agent.as_ref().is_some_and(|agent| *agent == *to)) {
        let problem = Problem::new("assignment.same", "assignee.agent", "they hold this request already");
        draft.problems.push(problem.hint("name somebody else, a team or a service"));
    }
    assign(request, to, Some(reason), false, draft);
    Ok(())
}

fn closed() -> Refusal {
    let problem = Problem::new("request.closed", "request", "the handling of this request is over");
    problem.hint("open it again first").into()
}
