//! Rules on rights: for everything that must be done there is somebody who may.

use super::{CITIZEN, Findings, Form, Scope};
use crate::definition::{Action, Field, Scope as Reach};

const REQUESTER: &str = "@requester";

fn is_role(name: &str) -> bool {
    !name.starts_with('@')
}

/// A reach is a matter of roles, and handing in has none.
pub(super) fn grants(scope: &Scope<'_>, findings: &mut Findings) {
    for (index, grant) in scope.definition.organisation.grants.iter().enumerate() {
        let path = || format!("organisation.grant[{index}].scope");
        if grant.scope == Reach::Any || grant.to.is_empty() {
            continue;
        }
        if !grant.to.iter().any(|to| is_role(to)) {
            let message = "a scope limits roles, and this grant is to relations only";
            findings.add("scope-without-role", path(), message, "leave it out: a relation is its own limit");
        } else if grant.may.as_slice() == [Action::Submit] {
            let message = "a request that is handed in is in no scope yet";
            findings.add("scope-of-submit", path(), message, "leave it out");
        }
    }
}

/// Some role sees the requests of each type.
pub(super) fn seen(scope: &Scope<'_>, findings: &mut Findings) {
    for form in scope.forms.iter().filter(|_| scope.grants_whole) {
        if !form.seers.iter().any(|name| scope.roles.contains(name)) {
            let message = "no role may see requests of this type";
            findings.add("no-one-may-see", &form.path, message, "add a grant of `see` that covers it");
        }
    }
}

/// Somebody may hand in requests of each type.
pub(super) fn submitted(scope: &Scope<'_>, findings: &mut Findings) {
    for form in scope.forms.iter().filter(|_| scope.grants_whole) {
        if !form.submitters.iter().any(|name| *name == CITIZEN || scope.roles.contains(name)) {
            let message = "nobody may hand in a request of this type";
            let hint = "add a grant of `submit` that covers it, to a role or to `@citizen`";
            findings.add("no-one-may-submit", &form.path, message, hint);
        }
    }
}

/// Somebody, or a timer, may fire each transition.
pub(super) fn fired(scope: &Scope<'_>, findings: &mut Findings) {
    for flow in &scope.flows {
        for (index, transition) in flow.transitions.iter().enumerate() {
            if transition.by.is_empty() {
                if transition.after.is_none() {
                    let message = "nobody may fire this transition, and no timer does";
                    let hint = "give `by`, or `after` for a timer";
                    findings.add("no-one-may-fire", flow.transition_path(index), message, hint);
                }
                continue;
            }
            // A name that does not exist is another rule's finding.
            let all_exist = transition.by.iter().all(|by| !is_role(by) || scope.roles.contains(by.as_str()));
            if !all_exist || !scope.grants_whole || transition.after.is_some() {
                continue;
            }
            for form in scope.users(flow) {
                // A role may see by a relation that an agent has to a request.
                let by_relation = form.seers.iter().any(|seer| !is_role(seer) && *seer != REQUESTER);
                let able = transition.by.iter().any(|by| {
                    form.seers.contains(by.as_str())
                        || by_relation && by != REQUESTER
                        || !is_role(by) && by != REQUESTER
                });
                if !able && !form.seers.is_empty() {
                    let message = format!(
                        "nobody who may fire this transition may see requests of {}",
                        super::path::shown(&form.path)
                    );
                    let hint = "grant `see` to one of those in `by`";
                    findings.add(
                        "no-one-may-fire",
                        format!("{}.by", flow.transition_path(index)),
                        message,
                        hint,
                    );
                }
            }
        }
    }
}

/// Who may write a field, where it says so.
fn writers(field: &Field) -> Option<&[String]> {
    field.write.as_deref().or(field.read.as_deref())
}

/// Required fields can be filled by somebody.
pub(super) fn required(scope: &Scope<'_>, findings: &mut Findings) {
    for form in &scope.forms {
        for (index, field) in form.procedure.fields.iter().enumerate() {
            if field.required && scope.grants_whole && !form.submitters.is_empty() && !may_fill(form, field) {
                let message = format!("`{}` is required, and nobody who may hand in may write it", field.id);
                let hint = "add one of those who may submit to `write`";
                findings.add("required-not-writable", format!("{}.field[{index}]", form.path), message, hint);
            }
        }
    }
    for flow in &scope.flows {
        for (index, transition) in flow.transitions.iter().enumerate() {
            for (n, required) in transition.requires.iter().enumerate() {
                for form in scope.users(flow) {
                    let field = form.fields.get(required.as_str());
                    if field.and_then(|field| writers(field)).is_some_and(<[String]>::is_empty) {
                        let path = format!("{}.requires[{n}]", flow.transition_path(index));
                        let message = format!("`{required}` must be filled, and nobody may write it");
                        findings.add("required-not-writable", path, message, "add somebody to `write`");
                    }
                }
            }
        }
    }
}

fn may_fill(form: &Form<'_>, field: &Field) -> bool {
    writers(field).is_none_or(|writers| {
        writers.iter().any(|writer| match writer.as_str() {
            // A citizen who hands in becomes the requester, an agent who does becomes the submitter.
            CITIZEN | REQUESTER => form.submitters.contains(CITIZEN),
            "@submitter" => form.submitters.iter().any(|submitter| is_role(submitter)),
            role => form.submitters.contains(role),
        })
    })
}
