//! Rules on names: each is given once, and what is named exists.

use super::{CITIZEN, Findings, RELATIONS, Scope};
use crate::{
    Word,
    definition::{Action, Finding, Named},
    storage::Fact,
};
use std::collections::{BTreeMap, BTreeSet};

/// What rights can be given on beside the fields of the form: what every request has. A name on the left covers its
/// details too. A right on anything else would protect nothing, so it is refused.
const PARTS: [(&str, &[&str]); 12] = [
    ("requester", PERSON),
    ("beneficiary", PERSON),
    ("representative", PERSON),
    ("follower", PERSON),
    ("place", &["address", "point"]),
    ("message", &[]),
    ("note", &[]),
    ("reason", &[]),
    ("instructions", &[]),
    ("report", &[]),
    ("code", &[]),
    ("file", &[]),
];

const PERSON: &[&str] = &["name", "given", "email", "phone", "address"];

/// Whether a field's id would be taken for what every request has, or for a numbered slot.
fn is_reserved(id: &str) -> bool {
    let first = id.split('.').next().unwrap_or_default();
    PARTS.iter().any(|(part, _)| *part == first) || (first == "slot" && id != "slot")
}

/// No field has the name of what every request has: rights and retention go by names.
pub(super) fn reserved(scope: &Scope<'_>, findings: &mut Findings) {
    for form in &scope.forms {
        for (index, field) in form.procedure.fields.iter().enumerate() {
            if is_reserved(field.id.as_str()) {
                let message =
                    format!("`{}` is what every request has, and cannot be a field of a form", field.id);
                let path = format!("{}.field[{index}].id", form.path);
                findings.add("reserved-id", path, message, "give the field another id");
            }
        }
    }
}

/// No id is given twice in one list.
pub(super) fn unique(scope: &Scope<'_>, findings: &mut Findings) {
    let org = &scope.definition.organisation;
    for (key, items) in scope.lists() {
        once(items.into_iter().map(|(id, _)| id), &|| format!("organisation.{key}"), findings);
    }
    once(org.agents.iter().map(|agent| &agent.id), &|| "organisation.agent".to_owned(), findings);
    let ids = |list: &'_ [Named]| list.iter().map(|item| item.id.clone()).collect::<Vec<_>>();
    for (index, item) in org.acceptabilities.iter().enumerate() {
        let path = || format!("organisation.acceptability[{index}].reasons");
        once(&ids(&item.reasons), &path, findings);
    }
    for form in &scope.forms {
        let fields = &form.procedure.fields;
        once(fields.iter().map(|field| &field.id), &|| format!("{}.field", form.path), findings);
        for (index, field) in fields.iter().enumerate() {
            let path = || format!("{}.field[{index}].option", form.path);
            once(field.options.iter().map(|option| &option.id), &path, findings);
        }
    }
    for flow in &scope.flows {
        once(flow.states.iter().map(|state| &state.id), &|| format!("{}.state", flow.path), findings);
        let path = || format!("{}.transition", flow.path);
        once(flow.transitions.iter().map(|transition| &transition.id), &path, findings);
    }
}

fn once<'i>(ids: impl IntoIterator<Item = &'i Word>, path: &dyn Fn() -> String, findings: &mut Findings) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, id) in ids.into_iter().enumerate() {
        if let Some(first) = seen.get(id.as_str()) {
            let path = path();
            let message = format!("`{id}` is already the id of `{path}[{first}]`");
            findings.add("duplicate-id", format!("{path}[{index}].id"), message, "give each its own id");
        } else {
            seen.insert(id.as_str(), index);
        }
    }
}

/// What services and teams belong to exists, and so does the custodian's role.
pub(super) fn organisation(scope: &Scope<'_>, findings: &mut Findings) {
    let org = &scope.definition.organisation;
    known("role", &org.custodian, &scope.roles, || "organisation.custodian".to_owned(), findings);
    for (index, service) in org.services.iter().enumerate() {
        if let Some(entity) = &service.entity {
            let path = || format!("organisation.service[{index}].entity");
            known("entity", entity, &scope.entities, path, findings);
        }
    }
    for (index, team) in org.teams.iter().enumerate() {
        let path = || format!("organisation.team[{index}].service");
        known("service", &team.service, &scope.services, path, findings);
    }
}

fn known(
    what: &str,
    name: &Word,
    names: &BTreeSet<&str>,
    path: impl FnOnce() -> String,
    findings: &mut Findings,
) {
    if !names.contains(name.as_str()) {
        findings.unknown(what, name.as_str(), path(), names);
    }
}

/// Roles, services and teams of agents exist.
pub(super) fn agents(scope: &Scope<'_>, findings: &mut Findings) {
    for (index, agent) in scope.definition.organisation.agents.iter().enumerate() {
        let lists = [
            ("role", "roles", &agent.roles, &scope.roles),
            ("service", "services", &agent.services, &scope.services),
            ("team", "teams", &agent.teams, &scope.teams),
        ];
        for (what, key, list, names) in lists {
            for (n, name) in list.iter().enumerate() {
                known(what, name, names, || format!("organisation.agent[{index}].{key}[{n}]"), findings);
            }
        }
    }
}

/// Grants name roles, relations, types and families that exist.
pub(super) fn grants(scope: &Scope<'_>, findings: &mut Findings) {
    for (index, grant) in scope.definition.organisation.grants.iter().enumerate() {
        let path = format!("organisation.grant[{index}]");
        for (key, empty) in [
            ("to", grant.to.is_empty()),
            ("may", grant.may.is_empty()),
            ("types", grant.types.as_ref().is_some_and(Vec::is_empty)),
            ("families", grant.families.as_ref().is_some_and(Vec::is_empty)),
        ] {
            if empty {
                let hint = "write at least one, or leave it out where it may be left out";
                findings.add("empty", format!("{path}.{key}"), "the list is empty: it grants nothing", hint);
            }
        }
        let citizen = grant.may.contains(&Action::Submit);
        actors(scope, &grant.to, citizen, &format!("{path}.to"), findings);
        for (n, type_) in grant.types.iter().flatten().enumerate() {
            known("procedure", type_, &scope.types, || format!("{path}.types[{n}]"), findings);
        }
        for (n, family) in grant.families.iter().flatten().enumerate() {
            known("family", family, &scope.families, || format!("{path}.families[{n}]"), findings);
        }
    }
}

/// Roles and relations exist. Who is not known yet can only hand in, and so read and write what is handed in.
fn actors(scope: &Scope<'_>, list: &[String], citizen: bool, path: &str, findings: &mut Findings) {
    for (index, name) in list.iter().enumerate() {
        if findings.full() {
            return;
        }
        let name = name.as_str();
        let path = || format!("{path}[{index}]");
        if name == CITIZEN {
            if !citizen {
                let message = "`@citizen` is not known yet, and can only be granted `submit`";
                findings.add("citizen-not-known", path(), message, "did you mean `@requester`?");
            }
        } else if name.starts_with('@') {
            if !RELATIONS.contains(&name) {
                let mut names: BTreeSet<&str> = RELATIONS.into();
                names.extend(citizen.then_some(CITIZEN));
                findings.unknown("relation", name, path(), &names);
            }
        } else if !scope.roles.contains(name) {
            let mut names = scope.roles.clone();
            names.extend(RELATIONS.iter().filter(|relation| relation.strip_prefix('@') == Some(name)));
            findings.unknown("role", name, path(), &names);
        }
    }
}

/// What procedures name exists.
pub(super) fn procedures(scope: &Scope<'_>, findings: &mut Findings) {
    for form in &scope.forms {
        let procedure = form.procedure;
        if let Some(family) = &procedure.family {
            known("family", family, &scope.families, || format!("{}.family", form.path), findings);
        }
        if let Some(service) = &procedure.service {
            known("service", service, &scope.services, || format!("{}.service", form.path), findings);
        }
        if let Some(workflow) = &procedure.workflow
            && !scope.definition.workflows.contains_key(workflow)
        {
            let names = scope.definition.workflows.keys().map(Word::as_str).collect();
            findings.unknown("workflow", workflow.as_str(), format!("{}.workflow", form.path), &names);
        }
        for (index, field) in procedure.fields.iter().enumerate() {
            for (key, list) in [("read", &field.read), ("write", &field.write)] {
                if let Some(list) = list {
                    let path = format!("{}.field[{index}].{key}", form.path);
                    actors(scope, list, true, &path, findings);
                }
            }
        }
        for (what, rights) in &procedure.rights {
            let names: BTreeSet<String> = PARTS
                .iter()
                .flat_map(|(part, details)| {
                    let details = details.iter().map(move |detail| format!("{part}.{detail}"));
                    std::iter::once((*part).to_owned()).chain(details)
                })
                .collect();
            if !names.contains(what.as_str()) {
                let names = names.iter().map(String::as_str).collect();
                let path = format!("{}.rights.{what}", form.path);
                findings.unknown("part of a request called", what.as_str(), path, &names);
            }
            for (key, list) in [("read", &rights.read), ("write", &rights.write)] {
                if let Some(list) = list {
                    actors(scope, list, true, &format!("{}.rights.{what}.{key}", form.path), findings);
                }
            }
        }
    }
}

/// What transitions name exists: states, roles and relations, and fields in each procedure that goes through them.
pub(super) fn transitions(scope: &Scope<'_>, findings: &mut Findings) {
    for flow in &scope.flows {
        let states: BTreeSet<&str> = flow.states.iter().map(|state| state.id.as_str()).collect();
        for (index, transition) in flow.transitions.iter().enumerate() {
            let path = flow.transition_path(index);
            let mut state = |code: &'static str, id: &Word, path: String| {
                if !states.contains(id.as_str()) {
                    let near = super::path::nearest(id.as_str(), states.iter().copied());
                    let finding = Finding::new(code, path, format!("there is no state `{id}`"));
                    findings.push(finding.maybe_hint(near.map(super::path::did_you_mean)));
                }
            };
            for (n, from) in transition.from.iter().enumerate() {
                state("dangling-source", from, format!("{path}.from[{n}]"));
            }
            state("dangling-target", &transition.to, format!("{path}.to"));
            if transition.from.is_empty() {
                findings.add("empty", format!("{path}.from"), "it leaves no state", "name at least one");
            }
            if !transition.by.is_empty() {
                actors(scope, &transition.by, false, &format!("{path}.by"), findings);
            }
            if transition.requires.is_empty() && transition.discloses.is_empty() {
                continue;
            }
            for form in scope.users(flow) {
                let lists = [("requires", &transition.requires), ("discloses", &transition.discloses)];
                for (key, list) in lists {
                    for (n, field) in list.iter().enumerate() {
                        let fact = key == "discloses" && Fact::from_name(field.as_str()).is_some();
                        if !fact && !form.fields.contains_key(field.as_str()) && !findings.full() {
                            let names = form.fields.keys().copied().collect();
                            let what = format!("field of {}", super::path::shown(&form.path));
                            findings.unknown(
                                &format!("{what} called"),
                                field.as_str(),
                                format!("{path}.{key}[{n}]"),
                                &names,
                            );
                        }
                    }
                }
            }
        }
    }
}
