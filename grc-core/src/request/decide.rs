//! Deciding: a command, or why not.

mod intake;
mod transition;

use super::{
    Acting, ActorKind, Assignee, Command, Given, NewFile, Request,
    event::{FileData, Held, RequestEvent},
    validate,
};
use crate::{
    BlobId, KeyId, Moment, Typed, Value, Word,
    condition::{Environment, Var},
    definition::{Action, Contact, FieldKind, Organisation, Personal, Procedure, Then},
    refusal::{Problem, Refusal},
    vault::{HEAD, Part, Slot, TEXTS, part_of_event},
};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Deliver the message of the event of this index in the decision.
    Deliver {
        /// Which of the decision's events.
        event: usize,
        /// By which channel.
        channel: Word,
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

/// Building a decision: numbering slots and collecting problems.
struct Draft<'a> {
    context: &'a Context<'a>,
    decision: Decision,
    next_slot: Slot,
    version: u64,
    pending: Vec<NewSlot>,
    problems: Vec<Problem>,
}

impl<'a> Draft<'a> {
    const fn new(context: &'a Context<'a>, next_slot: Slot, version: u64) -> Self {
        Self {
            context,
            decision: Decision { events: Vec::new(), slots: Vec::new(), plans: Vec::new() },
            next_slot,
            version,
            pending: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Gives a value its slot, for the next event.
    fn slot(&mut self, path: &str, part: Part, value: Typed) -> Slot {
        let slot = self.next_slot;
        self.next_slot += 1;
        let path = Word::new(path).unwrap_or_else(|_| Word::of("x"));
        self.pending.push(NewSlot { slot, path, part, value });
        slot
    }

    /// The part of what the next event brings.
    fn own_part(&self) -> Part {
        let sequence = self.version + self.decision.events.len() as u64 + 1;
        part_of_event(u32::try_from(sequence).unwrap_or(u32::MAX))
    }

    fn event(&mut self, event: RequestEvent) -> usize {
        let index = self.decision.events.len();
        self.decision.events.push(event);
        self.decision.slots.extend(self.pending.drain(..).map(|slot| (index, slot)));
        index
    }

    fn finish(self) -> Result<Decision, Refusal> {
        if self.problems.is_empty() { Ok(self.decision) } else { Err(Refusal::new(self.problems)) }
    }

    fn check<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }

    /// A field's value as events hold it.
    fn hold_field(&mut self, id: &Word, value: Value) -> Option<Held> {
        let field = self.context.procedure.field(id.as_str())?;
        Some(if field.is_clear() {
            Held::Clear(value)
        } else {
            let part = if field.kind == FieldKind::LongText { TEXTS } else { HEAD };
            Held::Slot(self.slot(id.as_str(), part, Typed::new(value)))
        })
    }

    /// Fields that were typed, checked for kind and for the right to write them.
    fn fields<'v>(
        &mut self,
        typed: impl Iterator<Item = (&'v String, Option<&'v Typed>)>,
        request: Option<&Request>,
    ) -> BTreeMap<Word, Option<Held>> {
        let mut out = BTreeMap::new();
        let context = self.context;
        for (name, typed) in typed {
            let path = format!(
                "fields.{}",
                Word::new(name).map_or_else(|_| "?".to_owned(), |word| word.to_string())
            );
            // A field that the actor may not read is answered like one that does not exist.
            let visible: Vec<&Word> = context
                .procedure
                .fields
                .iter()
                .map(|field| &field.id)
                .filter(|id| {
                    context.acting.reads(context.organisation, context.procedure, id.as_str(), request)
                        || context.acting.writes(
                            context.organisation,
                            context.procedure,
                            id.as_str(),
                            request,
                        )
                })
                .collect();
            let Some(id) =
                self.check(validate::known(&path, "field.unknown", "field", name, visible.into_iter()))
            else {
                continue;
            };
            let Some(field) = context.procedure.field(id.as_str()) else { continue };
            if !context.acting.writes(context.organisation, context.procedure, id.as_str(), request) {
                self.problems.push(
                    Problem::new("permission.field", &path, "you may not write this field")
                        .hint("leave it out"),
                );
                continue;
            }
            let is_blank =
                typed.is_none_or(|typed| typed.expose_text().is_some_and(|text| text.trim().is_empty()));
            if is_blank {
                out.insert(id, None);
                continue;
            }
            let value = typed.map(|typed| validate::field(context.organisation, field, &path, typed));
            if let Some(value) = value.and_then(|value| self.check(value)) {
                let held = self.hold_field(&id, value);
                out.insert(id, held);
            }
        }
        out
    }

    /// A file for an `attached` event, checked against its field.
    fn file(&mut self, file: &NewFile, request: Option<&Request>) -> Option<FileData> {
        let context = self.context;
        let path = file.field.as_ref().map_or_else(|| "file".to_owned(), |_| "fields.file".to_owned());
        let mut max = 20_i64 << 20;
        let mut field_id = None;
        if let Some(name) = &file.field {
            let files = context.procedure.fields.iter().filter(|field| field.kind == FieldKind::File);
            let id = self.check(validate::known(
                &path,
                "field.unknown",
                "file field",
                name,
                files.map(|f| &f.id),
            ))?;
            let field = context.procedure.field(id.as_str())?;
            if !context.acting.writes(context.organisation, context.procedure, id.as_str(), request) {
                self.problems.push(Problem::new("permission.field", &path, "you may not write this field"));
                return None;
            }
            if !field.accept.is_empty() && !field.accept.iter().any(|media| *media == file.media) {
                let problem = Problem::new(
                    "file.media",
                    &path,
                    format!("a file of type `{}` is not taken here", file.media),
                )
                .hint(format!("attach one of `{}`", field.accept.join("`, `")));
                self.problems.push(problem);
                return None;
            }
            max = field.max.unwrap_or(max);
            field_id = Some(id);
        }
        if i64::try_from(file.bytes).unwrap_or(i64::MAX) > max {
            self.problems.push(
                Problem::new("file.too-large", &path, "this file is too large")
                    .hint(format!("attach at most {max} bytes")),
            );
            return None;
        }
        let name = field_id.as_ref().map_or("file", Word::as_str).to_owned();
        let part = self.own_part();
        let slot = self.slot(&name, part, file.info.clone());
        Some(FileData {
            slot,
            blob: file.blob,
            bytes: file.bytes,
            media: file.media.clone(),
            field: field_id,
        })
    }

    /// Who is to hold it, with the service that goes with a team and the team that goes with an agent.
    fn assignee(
        &mut self,
        to: &Assignee,
        request: &Request,
    ) -> Option<(Option<Word>, Option<Word>, Option<Word>)> {
        let organisation = self.context.organisation;
        let mut service = None;
        if let Some(name) = &to.service {
            let known = organisation.services.iter().map(|service| &service.id);
            service = Some(self.check(validate::known(
                "assignee.service",
                "assignee.unknown",
                "service",
                name,
                known,
            ))?);
        }
        let mut team = None;
        if let Some(name) = &to.team {
            let known = organisation.teams.iter().map(|team| &team.id);
            let id = self.check(validate::known("assignee.team", "assignee.unknown", "team", name, known))?;
            service = organisation.team(id.as_str()).map(|team| team.service.clone());
            team = Some(id);
        }
        let mut agent = None;
        if let Some(name) = &to.agent {
            let known = organisation.agents.iter().map(|agent| &agent.id);
            let id =
                self.check(validate::known("assignee.agent", "assignee.unknown", "agent", name, known))?;
            if team.is_none() && service.is_none() {
                let member = organisation.agent(id.as_str());
                let teams =
                    || member.iter().flat_map(|m| &m.teams).filter_map(|t| organisation.team(t.as_str()));
                // Where it is already, if the agent belongs there; else where the agent belongs.
                let stays = request.team.as_ref().filter(|team| teams().any(|known| known.id == **team));
                team = stays.cloned().or_else(|| {
                    teams()
                        .find(|known| request.service.as_ref() == Some(&known.service))
                        .map(|known| known.id.clone())
                });
                let belongs = |service: &Word| member.is_some_and(|member| member.services.contains(service));
                service = match &team {
                    Some(team) => organisation.team(team.as_str()).map(|team| team.service.clone()),
                    None => request.service.clone().filter(|service| belongs(service)).or_else(|| {
                        let own = member.and_then(|member| member.services.first().cloned());
                        own.or_else(|| teams().next().map(|team| team.service.clone()))
                            .or_else(|| request.service.clone())
                    }),
                };
            }
            agent = Some(id);
        }
        if service.is_none() && team.is_none() && agent.is_none() {
            self.problems.push(
                Problem::new("assignee.missing", "assignee", "nobody is named")
                    .hint("name a service, a team or an agent"),
            );
            return None;
        }
        Some((service, team, agent))
    }

    /// A message to the requester: the channel they chose, or another by which they can be reached.
    fn message_out(&mut self, request: &Request, text: &Typed, channel: Option<&str>, quiet: bool) {
        let organisation = self.context.organisation;
        if let Err(problem) = validate::free_text("message", text) {
            self.problems.push(problem);
            return;
        }
        let has = |need: Contact| {
            let detail = match need {
                Contact::Email => "email",
                Contact::Phone => "phone",
                Contact::Address => "address",
            };
            request.requester().is_some_and(|party| party.details.contains_key(detail))
        };
        let answers = || organisation.channels.iter().filter(|channel| channel.answer.is_some());
        let channel = match channel {
            Some(name) => {
                let known = answers().map(|channel| &channel.id);
                match self.check(validate::known(
                    "channel",
                    "channel.unknown",
                    "answering channel",
                    name,
                    known,
                )) {
                    Some(channel) => channel,
                    None => return,
                }
            }
            None => {
                let chosen = request.requester().and_then(|party| party.answer.as_ref());
                let reachable =
                    |id: &Word| organisation.channel(id.as_str()).is_some_and(|c| c.answer.is_some_and(has));
                let found = chosen
                    .filter(|id| reachable(id))
                    .or_else(|| Some(&request.channel).filter(|id| reachable(id)))
                    .or_else(|| {
                        answers().find(|channel| channel.answer.is_some_and(has)).map(|channel| &channel.id)
                    });
                match found {
                    Some(channel) => channel.clone(),
                    None => {
                        self.problems.push(
                            Problem::new(
                                "message.unreachable",
                                "message",
                                "the requester cannot be reached by any channel",
                            )
                            .hint("leave the message out, or correct the requester's contact"),
                        );
                        return;
                    }
                }
            }
        };
        let part = self.own_part();
        let slot = self.slot("message", part, text.clone());
        let party = (!request.parties.is_empty()).then_some(0);
        let event = self.event(RequestEvent::Messaged {
            direction: Word::of("out"),
            channel: channel.clone(),
            text: slot,
            party,
        });
        if !quiet {
            self.decision.plans.push(Plan::Deliver { event, channel });
        }
    }
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
            Var::Field(field) => match self.request.fields.get(field)? {
                Held::Clear(value) => Some(value.clone()),
                Held::Slot(slot) => self.values.get(slot).cloned(),
            },
        }
    }

    fn relation(&self, relation: &str) -> bool {
        self.acting.relation(relation, Some(self.request))
    }
}

fn denied(path: &str, message: &str) -> Refusal {
    Problem::new("permission.denied", path, message.to_owned()).into()
}

/// When it happened: not in the future.
fn occurred(given: Option<Moment>, now: Moment) -> Result<Moment, Problem> {
    match given {
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
    let mut draft = Draft::new(context, request.next_slot, request.version);
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
            let reason = match reason {
                Some(reason) if draft.check(validate::free_text("reason", reason)).is_some() => {
                    let part = draft.own_part();
                    Some(draft.slot("reason", part, reason.clone()))
                }
                _ => None,
            };
            if let Some((service, team, agent)) = draft.assignee(to, request) {
                draft.event(RequestEvent::Assigned { service, team, agent, reason });
            }
        }
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
                        reasons.into_iter(),
                    )),
                    None => None,
                };
                draft.event(RequestEvent::Assessed { acceptability: id, reason });
            }
        }
        Command::Tell { text, channel } => {
            may(Action::Message)?;
            if acting.is_citizen() {
                return Err(denied("actor", "you may not do this"));
            }
            draft.message_out(request, text, channel.as_deref(), given.quiet);
        }
        Command::Hear { text, channel } => {
            may(Action::Message)?;
            draft.check(validate::free_text("message", text));
            let known = organisation.channels.iter().filter(|c| c.incoming).map(|channel| &channel.id);
            let channel =
                draft.check(validate::known("channel", "channel.unknown", "channel", channel, known));
            if let (Some(channel), true) = (channel, draft.problems.is_empty()) {
                let part = draft.own_part();
                let text = draft.slot("message", part, text.clone());
                let party = (!request.parties.is_empty()).then_some(0);
                draft.event(RequestEvent::Messaged { direction: Word::of("in"), channel, text, party });
            }
        }
        Command::Note(text) => {
            may(Action::Note)?;
            note(&mut draft, text);
        }
        Command::Attach(file) => {
            may(Action::Attach)?;
            if let Some(file) = draft.file(file, Some(request)) {
                draft.event(RequestEvent::Attached { file });
            }
        }
        Command::Work { minutes, cents, supplier } => {
            may(Action::Work)?;
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
        Command::Delivered { message, sent, code } => {
            only_due()?;
            if request.messages.iter().all(|known| known.seq != *message) {
                draft.problems.push(Problem::new("message.unknown", "message", "there is no such message"));
            }
            let code = code.as_ref().map(|code| Word::slug(code));
            let status = Word::of(if *sent { "sent" } else { "dead" });
            draft.event(RequestEvent::Delivered { message: *message, status, code });
        }
    }
    draft.finish()
}

fn required_problem(field: &Word) -> Problem {
    Problem::new("field.required", format!("fields.{field}"), "this field must be filled")
        .hint("give a value")
}

fn note(draft: &mut Draft<'_>, text: &Typed) {
    if draft.check(validate::free_text("note", text)).is_some() {
        let part = draft.own_part();
        let text = draft.slot("note", part, text.clone());
        draft.event(RequestEvent::Noted { text });
    }
}

/// Schedules what the procedure's retention rule says, counted from closure.
fn plan_retention(closed_at: Moment, draft: &mut Draft<'_>) {
    let rule = draft.context.procedure.retention;
    draft.decision.plans.push(Plan::Cancel(vec!["retention"]));
    if rule.then == Then::Anonymise {
        let due = rule.delay().from(closed_at, draft.context.organisation.time_zone);
        draft.decision.plans.push(Plan::Retention { due });
    }
}

fn slots_of(request: &Request, path: &str) -> Vec<Slot> {
    match path.strip_prefix("slot.").and_then(|number| number.parse::<Slot>().ok()) {
        Some(slot) => request.slots.contains_key(&slot).then_some(slot).into_iter().collect(),
        None => request.slots.iter().filter(|(_, held)| **held == *path).map(|(slot, _)| *slot).collect(),
    }
}

fn erase(request: &Request, paths: &[String], reason: &str, draft: &mut Draft<'_>) {
    let Ok(reason) = Word::new(reason) else {
        draft.problems.push(
            Problem::new("erase.reason", "reason", "the reason is not a word")
                .hint("give one such as `right-to-erasure`"),
        );
        return;
    };
    if !request.holds.is_empty() {
        draft.problems.push(Problem::new(
            "request.held",
            "request",
            "nothing is erased while a legal hold is set",
        ));
        return;
    }
    let mut slots = BTreeSet::new();
    for (n, path) in paths.iter().enumerate() {
        let found = slots_of(request, path);
        if found.is_empty() {
            draft.problems.push(
                Problem::new("erase.nothing", format!("paths[{n}]"), "there is nothing there to erase")
                    .hint("name a field, a detail such as `requester.phone`, or `slot.` and a number"),
            );
        }
        slots.extend(found);
    }
    if slots.is_empty() && draft.problems.is_empty() {
        draft
            .problems
            .push(Problem::new("erase.nothing", "paths", "nothing is named").hint("name what to erase"));
    }
    let slots: Vec<Slot> = slots.into_iter().collect();
    forget(request, &slots, draft);
    draft.event(RequestEvent::Erased { slots, reason });
}

fn forget(request: &Request, slots: &[Slot], draft: &mut Draft<'_>) {
    let keys: BTreeSet<KeyId> = slots.iter().filter_map(|slot| request.key_of(*slot)).collect();
    let blobs =
        request.files.iter().filter(|file| slots.contains(&file.slot)).map(|file| file.blob).collect();
    draft.decision.plans.push(Plan::Destroy { keys: keys.into_iter().collect(), blobs });
}

/// Whether anonymising keeps what is held under a path: a field of the form that is not personal.
fn stays(procedure: &Procedure, path: &Word) -> bool {
    procedure.field(path.as_str()).is_some_and(|field| field.personal() == Personal::No)
}

fn anonymise(request: &Request, values: &Values, rule: &str, draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let rule = Word::slug(rule);
    if !request.holds.is_empty() {
        return Err(
            Problem::new("request.held", "request", "nothing is erased while a legal hold is set").into()
        );
    }
    if !request.is_closed() {
        return Err(Problem::new("request.open", "request", "an open request is not anonymised").into());
    }
    let procedure = draft.context.procedure;
    let slots: Vec<Slot> =
        request.slots.iter().filter(|(_, path)| !stays(procedure, path)).map(|(slot, _)| *slot).collect();
    let point =
        request.place.as_ref().filter(|place| place.data.public).and_then(|place| place.data.point).and_then(
            |slot| match values.get(&slot) {
                Some(Value::Point(lat, lon)) => Some((coarse(*lat), coarse(*lon))),
                _ => None,
            },
        );
    forget(request, &slots, draft);
    draft.decision.plans.push(Plan::Cancel(vec!["deliver", "timer", "retention"]));
    draft.event(RequestEvent::Anonymised { rule, slots, point });
    Ok(())
}

/// About a kilometre.
const fn coarse(micro: i32) -> i32 {
    micro.div_euclid(10_000) * 10_000
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
        Command::Assign { .. } => vec!["assignment".to_owned()],
        Command::Correct(fields) => fields.keys().map(|field| format!("field:{field}")).collect(),
        Command::Assess { .. } => vec!["acceptability".to_owned()],
        Command::Hold { .. } | Command::Release { .. } => vec!["hold".to_owned()],
        _ => Vec::new(),
    }
}
