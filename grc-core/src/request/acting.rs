//! An actor, resolved against the organisation: what they are and what they may.

use super::{Actor, ActorKind, ActorRef, Request};
use crate::{
    Condition, RequestId, Word,
    condition::Var,
    definition::{Action, FieldRights, Grant, Organisation, Procedure, Scope},
    refusal::{Problem, Refusal},
    storage::Fact,
};
use std::collections::BTreeSet;

/// An actor under one version of the organisation. Everything that is allowed is allowed through this.
#[derive(Debug, Clone)]
pub struct Acting {
    kind: ActorKind,
    id: Option<Word>,
    roles: BTreeSet<Word>,
    services: BTreeSet<Word>,
    teams: BTreeSet<Word>,
    holds: Option<RequestId>,
}

/// Who holds a request, or does something for it: what relations are judged by.
#[derive(Debug)]
pub(crate) struct Holding<'a> {
    pub(crate) request: RequestId,
    pub(crate) submitter: Option<&'a Word>,
    pub(crate) services: Vec<&'a Word>,
    pub(crate) teams: Vec<&'a Word>,
    pub(crate) agents: Vec<&'a Word>,
}

impl<'a> Holding<'a> {
    /// Who holds a request.
    pub(crate) fn of(request: &'a Request) -> Self {
        Self {
            request: request.id,
            submitter: request.submitter.as_ref(),
            services: request.service.iter().collect(),
            teams: request.team.iter().collect(),
            agents: request.agent.iter().collect(),
        }
    }
}

/// What is read only by agents unless the procedure says otherwise.
const INTERNAL: &[&str] = &["reason", "instructions", "report"];

impl Acting {
    /// Resolves an actor.
    ///
    /// # Errors
    /// `actor.unknown` for an agent who is not in the organisation and has no role from the host, `actor.role` for a
    /// role that does not exist, `actor.id` for an id that is not a word.
    pub fn resolve(organisation: &Organisation, actor: &Actor) -> Result<Self, Refusal> {
        let mut acting = Self {
            kind: actor.kind,
            id: None,
            roles: BTreeSet::new(),
            services: BTreeSet::new(),
            teams: BTreeSet::new(),
            holds: None,
        };
        if let Some(id) = &actor.id {
            let id = Word::new(id)
                .map_err(|error| Problem::new("actor.id", "actor", format!("the actor's id is {error}")))?;
            acting.id = Some(id);
        }
        for role in &actor.roles {
            let known = Word::new(role).ok().filter(|role| organisation.has_role(role.as_str()));
            let role = known.ok_or_else(|| {
                Problem::new(
                    "actor.role",
                    "actor.roles",
                    "the actor has a role that the organisation does not know",
                )
                .hint("name a role of the organisation")
            })?;
            acting.roles.insert(role);
        }
        if acting.kind == ActorKind::Agent {
            match acting.id.as_ref().and_then(|id| organisation.agent(id.as_str())) {
                Some(agent) => {
                    acting.roles.extend(agent.roles.iter().cloned());
                    acting.services.extend(agent.services.iter().cloned());
                    acting.teams.extend(agent.teams.iter().cloned());
                    let of_teams = agent.teams.iter().filter_map(|team| organisation.team(team.as_str()));
                    acting.services.extend(of_teams.map(|team| team.service.clone()));
                }
                None if acting.roles.is_empty() => {
                    return Err(Problem::new(
                        "actor.unknown",
                        "actor",
                        "this agent is not in the organisation",
                    )
                    .hint("add the agent to the organisation, or give a role that the host vouches for")
                    .into());
                }
                None => {}
            }
        }
        Ok(acting)
    }

    /// With the request whose tracking code they hold.
    #[must_use]
    pub const fn holding(mut self, request: RequestId) -> Self {
        self.holds = Some(request);
        self
    }

    /// The request whose tracking code they hold.
    pub const fn held_request(&self) -> Option<RequestId> {
        self.holds
    }

    /// Their kind.
    pub const fn kind(&self) -> ActorKind {
        self.kind
    }

    /// Their opaque id.
    pub const fn id(&self) -> Option<&Word> {
        self.id.as_ref()
    }

    /// The teams they belong to.
    pub const fn teams(&self) -> &BTreeSet<Word> {
        &self.teams
    }

    /// As events name them. The host's errand is not an id of a person and is kept; a holder has none.
    pub fn reference(&self) -> ActorRef {
        ActorRef { kind: self.kind, id: self.id.clone() }
    }

    /// Whether they act for the authority itself: due time, or the host.
    pub const fn is_internal(&self) -> bool {
        matches!(self.kind, ActorKind::Timer | ActorKind::Host)
    }

    /// Whether they are a citizen, known or not.
    pub const fn is_citizen(&self) -> bool {
        matches!(self.kind, ActorKind::Citizen | ActorKind::Holder)
    }

    /// Whether they have a relation (without `@`) to a request.
    pub fn relation(&self, relation: &str, request: Option<&Request>) -> bool {
        self.relates(relation, request.map(Holding::of).as_ref())
    }

    fn relates(&self, relation: &str, held: Option<&Holding<'_>>) -> bool {
        let agent =
            |who: Option<&Word>| self.kind == ActorKind::Agent && who.is_some() && who == self.id.as_ref();
        match relation {
            "citizen" => self.is_citizen(),
            "requester" => held.is_some_and(|held| self.holds == Some(held.request)),
            "assignee" => held.is_some_and(|held| held.agents.iter().any(|id| agent(Some(id)))),
            "submitter" => held.is_some_and(|held| agent(held.submitter)),
            "team" => held.is_some_and(|held| held.teams.iter().any(|team| self.teams.contains(*team))),
            "service" => {
                held.is_some_and(|held| held.services.iter().any(|service| self.services.contains(*service)))
            }
            _ => false,
        }
    }

    /// Whether they are named by a list of roles and relations.
    pub fn is_among(&self, names: &[String], request: Option<&Request>) -> bool {
        self.is_named(names, request.map(Holding::of).as_ref())
    }

    fn is_named(&self, names: &[String], held: Option<&Holding<'_>>) -> bool {
        names.iter().any(|name| match name.strip_prefix('@') {
            Some(relation) => self.relates(relation, held),
            None => self.roles.contains(name.as_str()),
        })
    }

    fn grant_reaches(&self, grant: &Grant, held: Option<&Holding<'_>>) -> bool {
        grant.to.iter().any(|name| match name.strip_prefix('@') {
            Some(relation) => self.relates(relation, held),
            None => self.roles.contains(name.as_str()) && self.in_scope(grant.scope, held),
        })
    }

    fn in_scope(&self, scope: Scope, held: Option<&Holding<'_>>) -> bool {
        match (scope, held) {
            (Scope::Any, _) => true,
            // Nothing is held by anyone before it is handed in.
            (_, None) => true,
            (Scope::Service, held) => self.relates("service", held),
            (Scope::Team, held) => self.relates("team", held),
            (Scope::Assigned, held) => self.relates("assignee", held),
            (Scope::Submitted, held) => self.relates("submitter", held),
        }
    }

    /// Whether they may do something with a request of a type, or with this request. Denied unless granted.
    pub fn may(
        &self,
        organisation: &Organisation,
        action: Action,
        type_: &Word,
        family: Option<&Word>,
        request: Option<&Request>,
    ) -> bool {
        self.may_held(organisation, action, type_, family, request.map(Holding::of).as_ref())
    }

    /// Whether they may do something with what is held so.
    pub(crate) fn may_held(
        &self,
        organisation: &Organisation,
        action: Action,
        type_: &Word,
        family: Option<&Word>,
        held: Option<&Holding<'_>>,
    ) -> bool {
        organisation
            .grants
            .iter()
            .filter(|grant| grant.may.iter().any(|may| may.covers(action)))
            .filter(|grant| covers_type(grant, type_, family))
            .any(|grant| self.grant_reaches(grant, held))
    }

    /// Whether some grant lets them do something with some request.
    pub fn may_somewhere(&self, organisation: &Organisation, action: Action) -> bool {
        let named = |name: &String| match name.strip_prefix('@') {
            Some("citizen") => self.is_citizen(),
            Some("requester") => self.holds.is_some(),
            Some(_) => self.kind == ActorKind::Agent,
            None => self.roles.contains(name.as_str()),
        };
        let grants =
            organisation.grants.iter().filter(|grant| grant.may.iter().any(|may| may.covers(action)));
        grants.flat_map(|grant| &grant.to).any(named)
    }

    /// Whether they may do something with this request.
    pub fn may_with(&self, organisation: &Organisation, action: Action, request: &Request) -> bool {
        self.may(organisation, action, &request.type_, request.family.as_ref(), Some(request))
    }

    /// Which requests they may do something with, as a condition that lists are filtered by. The holder of a tracking
    /// code finds their request by the code, not in a list.
    pub fn scope(&self, organisation: &Organisation, action: Action) -> Condition {
        let mut any = Vec::new();
        for grant in organisation.grants.iter().filter(|grant| grant.may.iter().any(|may| may.covers(action)))
        {
            let mut reach = Vec::new();
            for name in &grant.to {
                let scope = match name.as_str() {
                    "@assignee" => Some(Scope::Assigned),
                    "@team" => Some(Scope::Team),
                    "@service" => Some(Scope::Service),
                    "@submitter" => Some(Scope::Submitted),
                    role if self.roles.contains(role) => Some(grant.scope),
                    _ => None,
                };
                reach.extend(scope.map(|scope| self.reach(scope)));
            }
            if reach.contains(&Condition::Constant(true)) {
                reach = vec![Condition::Constant(true)];
            }
            let mut condition = match reach.len() {
                0 => continue,
                1 => reach.remove(0),
                _ => Condition::Any(reach),
            };
            if let Some(types) = &grant.types {
                condition = condition.and(Condition::among(Fact::Type, types));
            }
            if let Some(families) = &grant.families {
                condition = condition.and(Condition::among(Fact::Family, families));
            }
            if condition == Condition::Constant(true) {
                return condition;
            }
            any.push(condition);
        }
        match any.len() {
            0 => Condition::Constant(false),
            1 => any.remove(0),
            _ => Condition::Any(any),
        }
    }

    fn reach(&self, scope: Scope) -> Condition {
        let me = |fact| match (&self.id, self.kind) {
            (Some(id), ActorKind::Agent) => Condition::is(fact, id),
            _ => Condition::Constant(false),
        };
        match scope {
            Scope::Any => Condition::Constant(true),
            Scope::Service => Condition::among(Fact::Service, &self.services),
            Scope::Team => Condition::among(Fact::Team, &self.teams),
            Scope::Assigned => me(Fact::Agent),
            Scope::Submitted => me(Fact::Submitter),
        }
    }

    /// Whether they may read a value: a field of the form (`description`), or what every request has
    /// (`requester.phone`, `place.address`, `message`, `note`, `reason`, `code`). They must see the request besides.
    pub fn reads(
        &self,
        organisation: &Organisation,
        procedure: &Procedure,
        path: &str,
        request: Option<&Request>,
    ) -> bool {
        match path {
            "note" if !is_restricted(procedure, path) => {
                request.is_none_or(|request| self.may_with(organisation, Action::Note, request))
                    && !self.is_citizen()
            }
            _ => self.reads_held(procedure, path, request.map(Holding::of).as_ref()),
        }
    }

    /// Whether they may read a value of what is held so; notes aside, which are read by who may write them.
    pub(crate) fn reads_held(&self, procedure: &Procedure, path: &str, held: Option<&Holding<'_>>) -> bool {
        if let Some(readers) = rights_of(procedure, path).and_then(|rights| rights.0) {
            return self.is_named(readers, held);
        }
        match path {
            path if INTERNAL.contains(&path) => !self.is_citizen(),
            _ => true,
        }
    }

    /// Whether they may write a value. They must be allowed the action besides.
    pub fn writes(
        &self,
        organisation: &Organisation,
        procedure: &Procedure,
        path: &str,
        request: Option<&Request>,
    ) -> bool {
        match rights_of(procedure, path).and_then(|rights| rights.1) {
            Some(writers) => self.is_among(writers, request),
            None => self.reads(organisation, procedure, path, request),
        }
    }

    /// Whether an explicit list of writers lets them write what every request has; without one, the action decides. A
    /// citizen who hands in stands for the requester that they become.
    pub fn may_write_part(&self, procedure: &Procedure, path: &str, request: Option<&Request>) -> bool {
        rights_of(procedure, path).and_then(|rights| rights.1).is_none_or(|writers| {
            let hands_in = request.is_none() && self.is_citizen();
            self.is_among(writers, request) || (hands_in && writers.iter().any(|name| name == "@requester"))
        })
    }

    /// As [`Self::may_write_part`], of what is held so.
    pub(crate) fn may_write_held(&self, procedure: &Procedure, path: &str, held: &Holding<'_>) -> bool {
        rights_of(procedure, path)
            .and_then(|rights| rights.1)
            .is_none_or(|writers| self.is_named(writers, Some(held)))
    }

    /// Whether a condition's variable may be looked at by them: its facts always, its fields as they may read them.
    pub fn looks_at(
        &self,
        organisation: &Organisation,
        procedure: &Procedure,
        var: &Var,
        request: Option<&Request>,
    ) -> bool {
        match var {
            Var::Fact(Fact::Agent | Fact::Team | Fact::State | Fact::Submitter) => !self.is_citizen(),
            Var::Fact(Fact::Lat | Fact::Lon) => self.reads(organisation, procedure, "place.point", request),
            Var::Fact(_) => true,
            Var::Field(field) => self.reads(organisation, procedure, field.as_str(), request),
        }
    }
}

/// Whether the procedure says who reads a value.
fn is_restricted(procedure: &Procedure, path: &str) -> bool {
    rights_of(procedure, path).is_some_and(|rights| rights.0.is_some())
}

type Rights<'a> = (Option<&'a [String]>, Option<&'a [String]>);

fn rights_of<'a>(procedure: &'a Procedure, path: &str) -> Option<Rights<'a>> {
    if let Some(field) = procedure.field(path) {
        return Some((field.read.as_deref(), field.write.as_deref()));
    }
    let named = |path: &str| {
        procedure.rights.get(path).map(|FieldRights { read, write }| (read.as_deref(), write.as_deref()))
    };
    // `requester` covers `requester.phone`.
    named(path).or_else(|| path.split_once('.').and_then(|(head, _)| named(head)))
}

/// Whether the requester reads a value of their request, whatever grants there are: what they gave, or are told by
/// letter, needs no account.
pub(crate) fn requester_reads(procedure: &Procedure, path: &str) -> bool {
    match rights_of(procedure, path).and_then(|rights| rights.0) {
        Some(readers) => readers.iter().any(|reader| matches!(reader.as_str(), "@requester" | "@citizen")),
        None => path != "note" && !INTERNAL.contains(&path),
    }
}

fn covers_type(grant: &Grant, type_: &Word, family: Option<&Word>) -> bool {
    grant.types.as_ref().is_none_or(|types| types.contains(type_))
        && grant
            .families
            .as_ref()
            .is_none_or(|families| family.is_some_and(|family| families.contains(family)))
}
