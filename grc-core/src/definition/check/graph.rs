//! Rules on states and transitions as a graph: a request cannot get stuck.

use super::{Findings, Flow, Scope};
use crate::{
    Word,
    definition::{Finding, Phase, State},
};
use std::collections::{BTreeMap, BTreeSet};

/// Each procedure has states of its own, or names a workflow.
pub(super) fn workflows(scope: &Scope<'_>, findings: &mut Findings) {
    for form in &scope.forms {
        let procedure = form.procedure;
        let own =
            !procedure.states.is_empty() || !procedure.transitions.is_empty() || procedure.initial.is_some();
        if procedure.workflow.is_some() && own {
            let message = "it names a workflow and has states, transitions or an initial state of its own";
            findings.add(
                "workflow-and-states",
                format!("{}.workflow", form.path),
                message,
                "keep one of the two",
            );
        } else if procedure.workflow.is_none() && procedure.states.is_empty() {
            let message = "it has no states and names no workflow";
            findings.add(
                "workflow-missing",
                &form.path,
                message,
                "give `workflow`, or states and transitions",
            );
        }
    }
    for flow in &scope.flows {
        if flow.states.is_empty() {
            findings.add("workflow-missing", &flow.path, "the workflow has no states", "give it some");
        }
    }
}

/// The flows that have states at all.
fn flows<'s, 'a>(scope: &'s Scope<'a>) -> impl Iterator<Item = &'s Flow<'a>> {
    scope.flows.iter().filter(|flow| !flow.states.is_empty())
}

/// It is known where a request begins.
pub(super) fn initial(scope: &Scope<'_>, findings: &mut Findings) {
    for flow in flows(scope) {
        let path = format!("{}.initial", flow.path);
        match flow.initial {
            None => findings.add(
                "no-initial-state",
                path,
                "nothing says in which state a request begins",
                "give `initial` the id of a state",
            ),
            Some(id) if flow.state(id).is_none() => {
                let near =
                    super::path::nearest(id.as_str(), flow.states.iter().map(|state| state.id.as_str()));
                let finding = Finding::new("no-initial-state", path, format!("there is no state `{id}`"));
                findings.push(finding.maybe_hint(near.map(super::path::did_you_mean)));
            }
            Some(_) => {}
        }
    }
}

fn is_closed(state: &State) -> bool {
    state.phase == Phase::Closed
}

/// A request can be over: retention counts from there.
pub(super) fn ends(scope: &Scope<'_>, findings: &mut Findings) {
    for flow in flows(scope) {
        if !flow.states.iter().any(is_closed) {
            let message = "no state is of the phase `closed`: no request would ever be over";
            findings.add("no-final-state", &flow.path, message, "give the last state `phase = \"closed\"`");
        }
    }
}

/// All that can be reached from some states, following pairs.
fn reach<'w>(start: impl IntoIterator<Item = &'w str>, pairs: &[(&'w str, &'w str)]) -> BTreeSet<&'w str> {
    let mut next: BTreeMap<&str, Vec<&'w str>> = BTreeMap::new();
    for (from, to) in pairs {
        next.entry(from).or_default().push(to);
    }
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: Vec<&str> = start.into_iter().collect();
    while let Some(state) = waiting.pop() {
        if reached.insert(state) {
            waiting.extend(next.get(state).into_iter().flatten());
        }
    }
    reached
}

fn pairs<'s>(flow: &'s Flow<'_>) -> Vec<(&'s str, &'s str)> {
    let pairs = flow
        .transitions
        .iter()
        .flat_map(|transition| transition.from.iter().map(|from| (from.as_str(), transition.to.as_str())));
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// The flows in which every way leads somewhere: of the others nobody can tell what was meant.
fn whole<'s, 'a>(scope: &'s Scope<'a>) -> impl Iterator<Item = &'s Flow<'a>> {
    flows(scope).filter(|flow| {
        flow.transitions.iter().all(|transition| {
            !transition.from.is_empty()
                && transition.from.iter().chain([&transition.to]).all(|state| flow.state(state).is_some())
        })
    })
}

/// Every state can be reached.
pub(super) fn reached(scope: &Scope<'_>, findings: &mut Findings) {
    for flow in whole(scope) {
        let Some(initial) = flow.initial.filter(|initial| flow.state(initial).is_some()) else { continue };
        let reached = reach([initial.as_str()], &pairs(flow));
        for (index, state) in flow.states.iter().enumerate() {
            if !reached.contains(state.id.as_str()) {
                let message = format!("no way leads from the initial state to `{}`", state.id);
                let path = format!("{}.state[{index}]", flow.path);
                findings.add("unreachable-state", path, message, "add a transition to it, or remove it");
            }
        }
    }
}

/// From every state a closed one can be reached.
pub(super) fn trapped(scope: &Scope<'_>, findings: &mut Findings) {
    for flow in whole(scope) {
        if !flow.states.iter().any(is_closed) {
            continue;
        }
        let back: Vec<_> = pairs(flow).into_iter().map(|(from, to)| (to, from)).collect();
        let ends = flow.states.iter().filter(|state| is_closed(state)).map(|state| state.id.as_str());
        let saved = reach(ends, &back);
        for (index, state) in flow.states.iter().enumerate() {
            if !saved.contains(state.id.as_str()) {
                let message = format!("no way leads from `{}` to a closed state", state.id);
                let path = format!("{}.state[{index}]", flow.path);
                findings.add(
                    "trap-state",
                    path,
                    message,
                    "add a transition out of it, or make its phase `closed`",
                );
            }
        }
    }
}

/// A closed request stays closed unless it is opened again on purpose.
pub(super) fn closed(scope: &Scope<'_>, findings: &mut Findings) {
    for flow in flows(scope) {
        for (index, transition) in flow.transitions.iter().enumerate() {
            let Some(to) = flow.state(&transition.to) else { continue };
            let from: Vec<&State> = transition.from.iter().filter_map(|from| flow.state(from)).collect();
            let path = flow.transition_path(index);
            if transition.reopens {
                if from.iter().any(|from| !is_closed(from)) || is_closed(to) {
                    findings.add(
                        "reopens-nothing",
                        format!("{path}.reopens"),
                        "a transition that opens again leads from closed states to one that is not",
                        "leave `reopens` out, or split the transition",
                    );
                }
            } else if !is_closed(to) && from.iter().any(|from| is_closed(from)) {
                let message = "it leads out of a closed state without opening the request again";
                findings.add(
                    "final-with-exits",
                    path,
                    message,
                    "add `reopens = true`, or take the closed state out of `from`",
                );
            }
        }
    }
}

/// A timer leads somewhere else, and brings nothing with it.
pub(super) fn timers(scope: &Scope<'_>, findings: &mut Findings) {
    for flow in flows(scope) {
        for (index, transition) in flow.transitions.iter().enumerate() {
            if transition.after.is_none() {
                continue;
            }
            let path = flow.transition_path(index);
            if transition.from.contains(&transition.to) {
                let message = "the timer leads back to the state that it waits in, without end";
                findings.add("timer-loop", format!("{path}.to"), message, "lead to another state");
            }
            if !transition.asks.is_empty() {
                let message = "a timer gives no answer to what is asked";
                findings.add(
                    "timer-asks",
                    format!("{path}.asks"),
                    message,
                    "leave `asks` out, or make it two transitions",
                );
            }
        }
    }
}

/// No two transitions are the same.
pub(super) fn twins(scope: &Scope<'_>, findings: &mut Findings) {
    for flow in flows(scope) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (index, transition) in flow.transitions.iter().enumerate() {
            let from: BTreeSet<&Word> = transition.from.iter().collect();
            let by: BTreeSet<&String> = transition.by.iter().collect();
            let when = transition.when.as_ref().map(|when| when.to_json().to_string());
            let key = format!("{from:?} {} {by:?} {when:?} {:?}", transition.to, transition.after);
            if let Some(first) = seen.get(&key) {
                let message = format!("it is the same as `{}`", flow.transition_path(*first));
                let hint = "remove one: same states, same people, same condition";
                findings.add("duplicate-transition", flow.transition_path(index), message, hint);
            } else {
                seen.insert(key, index);
            }
        }
    }
}
