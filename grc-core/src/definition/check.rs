//! Checking definitions: the rules, all of them, on all of it.

mod conditions;
mod fields;
mod graph;
mod limits;
mod names;
mod rights;
mod templates;

use super::{
    Action, Definition, DefinitionError, Field, Finding, Grant, Procedure, State, Transition,
    read::{MAX_FINDINGS, path},
};
use crate::Word;
use std::collections::{BTreeMap, BTreeSet};

/// The relations that an actor can have to a request.
const RELATIONS: [&str; 5] = ["@assignee", "@requester", "@service", "@submitter", "@team"];
/// Who is not known yet.
const CITIZEN: &str = "@citizen";

impl Definition {
    /// Runs all rules. What was read by [`Definition::from_files`] has passed them already; this is for a definition
    /// that was made or changed in code.
    ///
    /// # Errors
    /// [`DefinitionError`] with everything that cannot work.
    pub fn check(&self) -> Result<(), DefinitionError> {
        let findings = run(self);
        if findings.is_empty() { Ok(()) } else { Err(DefinitionError::new(findings)) }
    }
}

/// Runs all rules.
pub(super) fn run(definition: &Definition) -> Vec<Finding> {
    let mut findings = Findings::default();
    // Too much of anything, and nothing else is looked at: the rules cost what they look at.
    limits::sizes(definition, &mut findings);
    if !findings.list.is_empty() {
        return findings.list;
    }
    let scope = Scope::of(definition);
    for rule in RULES {
        rule(&scope, &mut findings);
    }
    findings.list
}

type Rule = fn(&Scope<'_>, &mut Findings);

const RULES: [Rule; 31] = [
    limits::labels,
    limits::numbers,
    limits::incoming,
    names::unique,
    names::reserved,
    names::organisation,
    names::agents,
    names::grants,
    names::procedures,
    names::transitions,
    rights::grants,
    rights::seen,
    rights::submitted,
    rights::fired,
    rights::required,
    fields::classes,
    fields::options,
    fields::bounds,
    fields::indexes,
    graph::workflows,
    graph::initial,
    graph::ends,
    graph::reached,
    graph::trapped,
    graph::closed,
    graph::timers,
    graph::twins,
    conditions::guards,
    templates::named,
    templates::channels,
    templates::texts,
];

/// Whether a rule says something of a graph as a whole, or of the phases of its states.
pub(super) fn needs_graph(code: &str) -> bool {
    matches!(
        code,
        "no-initial-state"
            | "no-final-state"
            | "unreachable-state"
            | "trap-state"
            | "final-with-exits"
            | "reopens-nothing"
            | "workflow-missing"
            | "workflow-and-states"
    )
}

/// Whether a rule looks at what all grants give together.
pub(super) fn needs_grants(code: &str) -> bool {
    matches!(code, "no-one-may-see" | "no-one-may-submit" | "no-one-may-fire" | "required-not-writable")
}

/// Whether a rule holds something against its author that may be in what could not be read.
pub(super) fn needs_names(code: &str) -> bool {
    matches!(code, "unknown-name" | "no-incoming-channel") || needs_grants(code)
}

/// What was found.
#[derive(Default)]
struct Findings {
    list: Vec<Finding>,
    seen: BTreeSet<(&'static str, String)>,
}

impl Findings {
    /// Whether there are so many that no more are noted.
    const fn full(&self) -> bool {
        self.list.len() > MAX_FINDINGS
    }

    /// Notes a finding, once a code and path; beyond the bound nothing more.
    fn push(&mut self, finding: Finding) {
        if !self.full() && self.seen.insert((finding.code, finding.path.clone())) {
            self.list.push(finding);
        }
    }

    fn add(&mut self, code: &'static str, path: impl Into<String>, message: impl Into<String>, hint: &str) {
        self.push(Finding::new(code, path, message).hint(hint));
    }

    /// Notes that a name is not among those known.
    fn unknown(&mut self, what: &str, name: &str, path: String, known: &BTreeSet<&str>) {
        if self.full() {
            return;
        }
        let hint = path::nearest(name, known.iter().copied()).map(path::did_you_mean).or_else(|| {
            if known.is_empty() {
                return Some("none is defined".to_owned());
            }
            let names: Vec<String> = known.iter().take(8).map(|name| format!("`{name}`")).collect();
            let more = if known.len() > 8 { "…" } else { "" };
            Some(format!("there are {}{more}", names.join(", ")))
        });
        let message = format!("there is no {what} {}", path::shown(name));
        self.push(Finding::new("unknown-name", path, message).maybe_hint(hint));
    }
}

/// A definition with what the rules look up in it.
struct Scope<'a> {
    definition: &'a Definition,
    entities: BTreeSet<&'a str>,
    services: BTreeSet<&'a str>,
    teams: BTreeSet<&'a str>,
    families: BTreeSet<&'a str>,
    zones: BTreeSet<&'a str>,
    channels: BTreeSet<&'a str>,
    roles: BTreeSet<&'a str>,
    agents: BTreeSet<&'a str>,
    acceptabilities: BTreeSet<&'a str>,
    outcomes: BTreeSet<&'a str>,
    templates: BTreeSet<&'a str>,
    types: BTreeSet<&'a str>,
    /// Whether all that grants name exists; of others nobody can tell what was meant.
    grants_whole: bool,
    forms: Vec<Form<'a>>,
    flows: Vec<Flow<'a>>,
}

/// A procedure, and who may do what with it.
struct Form<'a> {
    path: String,
    procedure: &'a Procedure,
    fields: BTreeMap<&'a str, &'a Field>,
    /// Roles, and relations, to which `see` is granted.
    seers: BTreeSet<&'a str>,
    /// Roles, and perhaps `@citizen`, to which `submit` is granted.
    submitters: BTreeSet<&'a str>,
}

/// Which procedures, by their place, a grant covers.
struct Covers<'a> {
    types: BTreeMap<&'a Word, usize>,
    families: BTreeMap<&'a Word, Vec<usize>>,
    procedures: Vec<&'a Procedure>,
}

impl<'a> Covers<'a> {
    fn of(definition: &'a Definition) -> Self {
        let mut families: BTreeMap<&Word, Vec<usize>> = BTreeMap::new();
        for (index, procedure) in definition.procedures.values().enumerate() {
            if let Some(family) = &procedure.family {
                families.entry(family).or_default().push(index);
            }
        }
        Self {
            types: definition.procedures.keys().enumerate().map(|(index, type_)| (type_, index)).collect(),
            families,
            procedures: definition.procedures.values().collect(),
        }
    }

    fn forms(&self, grant: &Grant) -> BTreeSet<usize> {
        match (&grant.types, &grant.families) {
            (Some(types), families) => types
                .iter()
                .filter_map(|type_| self.types.get(type_).copied())
                .filter(|index| {
                    let family = self.procedures.get(*index).and_then(|procedure| procedure.family.as_ref());
                    families.as_ref().is_none_or(|all| family.is_some_and(|family| all.contains(family)))
                })
                .collect(),
            (None, Some(families)) => {
                families.iter().filter_map(|family| self.families.get(family)).flatten().copied().collect()
            }
            (None, None) => (0..self.procedures.len()).collect(),
        }
    }
}

/// The states and transitions of a procedure, or those that several share.
struct Flow<'a> {
    path: String,
    initial: Option<&'a Word>,
    states: &'a [State],
    transitions: &'a [Transition],
    /// The procedures that go through it, by their place in [`Scope::forms`].
    users: Vec<usize>,
}

impl Flow<'_> {
    fn state(&self, id: &Word) -> Option<&State> {
        self.states.iter().find(|state| state.id == *id)
    }

    fn transition_path(&self, index: usize) -> String {
        format!("{}.transition[{index}]", self.path)
    }
}

impl<'a> Scope<'a> {
    fn of(definition: &'a Definition) -> Self {
        let org = &definition.organisation;
        let mut forms: Vec<Form<'a>> = definition
            .procedures
            .iter()
            .map(|(type_, procedure)| Form {
                path: format!("procedure.{type_}"),
                procedure,
                fields: procedure.fields.iter().map(|field| (field.id.as_str(), field)).collect(),
                seers: BTreeSet::new(),
                submitters: BTreeSet::new(),
            })
            .collect();
        let covers = Covers::of(definition);
        for grant in &org.grants {
            let sees = grant.may.iter().any(|may| may.covers(Action::See));
            let submits = grant.may.iter().any(|may| may.covers(Action::Submit));
            for index in covers.forms(grant) {
                let Some(form) = forms.get_mut(index) else { continue };
                if sees {
                    form.seers.extend(grant.to.iter().map(String::as_str));
                }
                if submits {
                    form.submitters.extend(grant.to.iter().map(String::as_str));
                }
            }
        }
        let mut users: BTreeMap<&Word, Vec<usize>> = BTreeMap::new();
        let mut flows = Vec::new();
        for (index, form) in forms.iter().enumerate() {
            let procedure = form.procedure;
            if let Some(workflow) = &procedure.workflow {
                users.entry(workflow).or_default().push(index);
            } else if !procedure.states.is_empty() {
                flows.push(Flow {
                    path: form.path.clone(),
                    initial: procedure.initial.as_ref(),
                    states: &procedure.states,
                    transitions: &procedure.transitions,
                    users: vec![index],
                });
            }
        }
        for (name, workflow) in &definition.workflows {
            flows.push(Flow {
                path: format!("workflow.{name}"),
                initial: Some(&workflow.initial),
                states: &workflow.states,
                transitions: &workflow.transitions,
                users: users.remove(name).unwrap_or_default(),
            });
        }
        let mut scope = Self {
            definition,
            entities: org.entities.iter().map(|item| item.id.as_str()).collect(),
            services: org.services.iter().map(|item| item.id.as_str()).collect(),
            teams: org.teams.iter().map(|item| item.id.as_str()).collect(),
            families: org.families.iter().map(|item| item.id.as_str()).collect(),
            zones: org.zones.iter().map(|item| item.id.as_str()).collect(),
            channels: org.channels.iter().map(|item| item.id.as_str()).collect(),
            roles: org.roles.iter().map(|item| item.id.as_str()).collect(),
            agents: org.agents.iter().map(|item| item.id.as_str()).collect(),
            acceptabilities: org.acceptabilities.iter().map(|item| item.id.as_str()).collect(),
            outcomes: org.outcomes.iter().map(|item| item.id.as_str()).collect(),
            templates: org.templates.iter().map(|item| item.id.as_str()).collect(),
            types: definition.procedures.keys().map(Word::as_str).collect(),
            grants_whole: true,
            forms,
            flows,
        };
        scope.grants_whole = org.grants.iter().all(|grant| scope.knows(grant));
        scope
    }

    fn knows(&self, grant: &Grant) -> bool {
        !grant.to.is_empty()
            && !grant.may.is_empty()
            && grant.to.iter().all(|to| to.starts_with('@') || self.roles.contains(to.as_str()))
            && grant.types.iter().flatten().all(|type_| self.types.contains(type_.as_str()))
            && grant.families.iter().flatten().all(|family| self.families.contains(family.as_str()))
    }

    /// The procedures that go through a flow.
    fn users<'s>(&'s self, flow: &'s Flow<'a>) -> impl Iterator<Item = &'s Form<'a>> {
        flow.users.iter().filter_map(|index| self.forms.get(*index))
    }

    /// All lists of things with an id and a label in the organisation: key, and id and label of each.
    fn lists(&self) -> Vec<(&'static str, Vec<(&'a Word, &'a super::Label)>)> {
        let org = &self.definition.organisation;
        let named = |list: &'a [super::Named]| list.iter().map(|item| (&item.id, &item.label)).collect();
        vec![
            ("entity", named(&org.entities)),
            ("service", org.services.iter().map(|item| (&item.id, &item.label)).collect()),
            ("team", org.teams.iter().map(|item| (&item.id, &item.label)).collect()),
            ("supplier", named(&org.suppliers)),
            ("family", named(&org.families)),
            ("zone", named(&org.zones)),
            ("channel", org.channels.iter().map(|item| (&item.id, &item.label)).collect()),
            ("role", named(&org.roles)),
            ("acceptability", org.acceptabilities.iter().map(|item| (&item.id, &item.label)).collect()),
            ("outcome", named(&org.outcomes)),
            ("impossibility", named(&org.impossibilities)),
            ("template", org.templates.iter().map(|item| (&item.id, &item.label)).collect()),
        ]
    }
}
