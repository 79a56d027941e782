//! Rules on conditions: they compare like with like, name what exists, and give nothing hidden away.

use super::{CITIZEN, Findings, Flow, Form, RELATIONS, Scope};
use crate::{
    Condition, Word,
    condition::Var,
    definition::{
        Field, Finding, Transition,
        look::{Look, looks},
    },
    storage::Fact,
};
use std::collections::BTreeSet;

const PHASES: [&str; 4] = ["received", "in-progress", "waiting", "closed"];

/// Guards of transitions.
pub(super) fn guards(scope: &Scope<'_>, findings: &mut Findings) {
    for flow in &scope.flows {
        for (index, transition) in flow.transitions.iter().enumerate() {
            for (n, id) in transition.requires.iter().enumerate() {
                let path = format!("{}.requires[{n}]", flow.transition_path(index));
                for form in scope.users(flow) {
                    hidden(form, transition, id, "it requires", &path, findings);
                }
            }
            let Some(when) = &transition.when else { continue };
            let path = format!("{}.when", flow.transition_path(index));
            if constant(when) == Some(false) {
                let message = "the condition never holds";
                findings.add("guard-never", &path, message, "remove the transition, or the condition");
            }
            let states = flow.states.iter().map(|state| state.id.as_str()).collect();
            let guard = Guard { scope, flow, states, phases: PHASES.into(), path };
            when.visit(&mut |node| guard.node(node, findings));
            for form in scope.users(flow) {
                for var in when.vars() {
                    // Facts are seen by whoever sees the request.
                    if let Var::Field(id) = var {
                        hidden(form, transition, id, "the condition reads", &guard.path, findings);
                    }
                }
            }
        }
    }
}

/// What a condition always is, where its form alone says so.
fn constant(condition: &Condition) -> Option<bool> {
    match condition {
        Condition::Constant(value) => Some(*value),
        Condition::Not(part) => constant(part).map(|value| !value),
        Condition::All(parts) => {
            if parts.iter().any(|part| constant(part) == Some(false)) {
                Some(false)
            } else {
                parts.iter().all(|part| constant(part) == Some(true)).then_some(true)
            }
        }
        Condition::Any(parts) => {
            if parts.iter().any(|part| constant(part) == Some(true)) {
                Some(true)
            } else {
                parts.iter().all(|part| constant(part) == Some(false)).then_some(false)
            }
        }
        Condition::OneOf(_, values) if values.is_empty() => Some(false),
        _ => None,
    }
}

struct Guard<'s, 'a> {
    scope: &'s Scope<'a>,
    flow: &'s Flow<'a>,
    states: BTreeSet<&'s str>,
    phases: BTreeSet<&'s str>,
    path: String,
}

impl<'s> Guard<'s, '_> {
    fn node(&self, node: &Condition, findings: &mut Findings) {
        match node {
            Condition::Relation(relation) => {
                let name = format!("@{relation}");
                if !RELATIONS.contains(&name.as_str()) {
                    findings.unknown("relation", &name, self.path.clone(), &RELATIONS.into());
                }
            }
            Condition::OneOf(var, scalars) if scalars.is_empty() => self.exists(var, findings),
            Condition::Present(var) => self.exists(var, findings),
            _ => looks(node, &mut |var, look| self.look(var, look, findings)),
        }
    }

    fn exists(&self, var: &Var, findings: &mut Findings) {
        let Var::Field(field) = var else { return };
        for form in self.scope.users(self.flow) {
            self.field(form, field, findings);
        }
    }

    fn field<'f>(&self, form: &Form<'f>, id: &Word, findings: &mut Findings) -> Option<&'f Field> {
        let found = form.fields.get(id.as_str()).copied();
        if found.is_none() && !findings.full() {
            let near =
                super::path::nearest(id.as_str(), form.fields.keys().copied()).map(super::path::did_you_mean);
            let message = format!("{} has no field `{id}`", super::path::shown(&form.path));
            findings.push(Finding::new("guard-type", &self.path, message).maybe_hint(near));
        }
        found
    }

    fn look(&self, var: &Var, look: Look<'_>, findings: &mut Findings) {
        match var {
            Var::Fact(fact) => self.fact(*fact, look, findings),
            Var::Field(id) => {
                for form in self.scope.users(self.flow) {
                    let Some(field) = self.field(form, id, findings) else { continue };
                    if let Err((message, hint)) = look.fits(field) {
                        findings.add("guard-type", &self.path, format!("`{var}` {message}"), &hint);
                    }
                }
            }
        }
    }

    fn fact(&self, fact: Fact, look: Look<'_>, findings: &mut Findings) {
        if let Err((message, hint)) = look.fits_fact(fact) {
            return findings.add("guard-type", &self.path, format!("`{}` {message}", fact.name()), &hint);
        }
        let Some(word) = look.word() else { return };
        let (what, known): (&str, &BTreeSet<&str>) = match fact {
            Fact::Type => ("procedure", &self.scope.types),
            Fact::Family => ("family", &self.scope.families),
            Fact::Entity => ("entity", &self.scope.entities),
            Fact::Service => ("service", &self.scope.services),
            Fact::Team => ("team", &self.scope.teams),
            Fact::Agent | Fact::Submitter => ("agent", &self.scope.agents),
            Fact::State => ("state", &self.states),
            Fact::Phase => ("phase", &self.phases),
            Fact::Channel | Fact::Answer => ("channel", &self.scope.channels),
            Fact::Zone => ("zone", &self.scope.zones),
            Fact::Acceptability => ("acceptability", &self.scope.acceptabilities),
            Fact::Outcome => ("outcome", &self.scope.outcomes),
            _ => return,
        };
        if !known.contains(word) {
            findings.unknown(what, word, self.path.clone(), known);
        }
    }
}

/// A guard that reads what somebody may not gives it away: whether the button is there, or why it is refused, tells.
fn hidden(
    form: &Form<'_>,
    transition: &Transition,
    id: &Word,
    how: &str,
    path: &str,
    findings: &mut Findings,
) {
    let read = form.fields.get(id.as_str()).and_then(|field| field.read.as_deref());
    let Some(read) = read else { return };
    if transition.discloses.contains(id) {
        return;
    }
    let may = |by: &str| read.iter().any(|name| name == by || (by == "@requester" && name == CITIZEN));
    let who = match transition.by.iter().find(|by| !may(by)) {
        Some(by) => super::path::shown(by),
        None if transition.after.is_some() => "who sees the state change".to_owned(),
        None => return,
    };
    let message = format!("{how} `{}`, which {who} may not read", Var::Field(id.clone()));
    let hint = format!("add `{id}` to `discloses` if that is meant, or to its `read` those in `by`");
    findings.push(Finding::new("guard-reads-hidden", path, message).hint(hint));
}
