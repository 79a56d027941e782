//! Building a decision: numbering slots, collecting problems.

use super::{Context, Decision, NewSlot};
use crate::{
    Typed, Value, Word,
    definition::FieldKind,
    refusal::{Problem, Refusal},
    request::{
        Assignee, NewFile, Request,
        event::{FileData, Held, RequestEvent},
        validate,
    },
    vault::{HEAD, Part, Slot, TEXTS, part_of_event},
};
use std::collections::BTreeMap;

/// The most fields that are given at once.
pub(super) const MAX_FIELDS: usize = 300;

/// Building a decision: numbering slots and collecting problems.
pub(crate) struct Draft<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) decision: Decision,
    next_slot: Slot,
    version: u64,
    pending: Vec<NewSlot>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Draft<'a> {
    pub(crate) const fn new(context: &'a Context<'a>, next_slot: Slot, version: u64) -> Self {
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
    pub(crate) fn slot(&mut self, path: &str, part: Part, value: Typed) -> Slot {
        let slot = self.next_slot;
        self.next_slot = self.next_slot.saturating_add(1);
        let path = Word::new(path).unwrap_or_else(|_| Word::of("x"));
        self.pending.push(NewSlot { slot, path, part, value });
        slot
    }

    /// The part of what the next event brings.
    pub(crate) fn own_part(&self) -> Part {
        part_of_event(u32::try_from(self.sequence()).unwrap_or(u32::MAX))
    }

    /// The sequence of the next event.
    pub(super) fn sequence(&self) -> u64 {
        self.version + self.decision.events.len() as u64 + 1
    }

    pub(crate) fn event(&mut self, event: RequestEvent) -> usize {
        let index = self.decision.events.len();
        self.decision.events.push(event);
        self.decision.slots.extend(self.pending.drain(..).map(|slot| (index, slot)));
        index
    }

    pub(crate) fn finish(self) -> Result<Decision, Refusal> {
        if self.problems.is_empty() { Ok(self.decision) } else { Err(Refusal::new(self.problems)) }
    }

    pub(crate) fn check<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }

    /// A field's value as events hold it.
    pub(crate) fn hold_field(&mut self, id: &Word, value: Value) -> Option<Held> {
        let field = self.context.procedure.field(id.as_str())?;
        Some(if field.is_clear() {
            Held::Clear(value)
        } else {
            let part = if field.kind == FieldKind::LongText { TEXTS } else { HEAD };
            Held::Slot(self.slot(id.as_str(), part, Typed::new(value)))
        })
    }

    /// Fields that were typed, checked for kind and for the right to write them.
    pub(crate) fn fields<'v>(
        &mut self,
        typed: impl ExactSizeIterator<Item = (&'v String, Option<&'v Typed>)>,
        request: Option<&Request>,
    ) -> BTreeMap<Word, Option<Held>> {
        let mut out = BTreeMap::new();
        if typed.len() > MAX_FIELDS {
            let problem = Problem::new("field.too-many", "fields", "there are more than 300 fields");
            self.problems.push(problem.hint("give those that change"));
            return out;
        }
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
            let is_blank = typed.is_none_or(|typed| match typed.expose() {
                Value::Text(text) => text.trim().is_empty(),
                Value::Choices(choices) => choices.is_empty(),
                _ => false,
            });
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
    pub(crate) fn file(&mut self, file: &NewFile, request: Option<&Request>) -> Option<FileData> {
        let context = self.context;
        let path = file.field.as_ref().map_or_else(|| "file".to_owned(), |_| "fields.file".to_owned());
        if file.field.is_none() && !self.may_write("file", request) {
            return None;
        }
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
            if !field.accept.is_empty() && !field.accept.iter().any(|accepted| takes(accepted, &file.media)) {
                let problem = Problem::new(
                    "file.media",
                    &path,
                    format!("a file of type `{}` is not taken here", file.media),
                )
                .hint(format!("attach one of `{}`", field.accept.join("`, `")));
                self.problems.push(problem);
                return None;
            }
            max = field.most();
            field_id = Some(id);
        }
        // What was stored and not handed in is swept away after a day: what is older may be gone already.
        let age = context.now.micros() / 1_000 - file.blob.millis();
        if age > 12 * 3_600_000 {
            let problem = Problem::new("file.expired", &path, "this file was stored too long ago");
            self.problems.push(problem.hint("attach it again"));
            return None;
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
            intervention: None,
            moment: None,
        })
    }

    /// Who is to hold it, with the service that goes with a team and the team that goes with an agent.
    pub(crate) fn assignee(
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

    /// Why something is done, in words: a slot of the next event.
    pub(crate) fn reason(&mut self, reason: Option<&Typed>, request: &Request) -> Option<Slot> {
        let reason = reason?;
        if !self.may_write("reason", Some(request)) {
            return None;
        }
        self.check(validate::free_text("reason", reason))?;
        let part = self.own_part();
        Some(self.slot("reason", part, reason.clone()))
    }

    /// Refuses what an explicit list of writers does not let the actor write.
    pub(crate) fn may_write(&mut self, path: &str, request: Option<&Request>) -> bool {
        let allowed = self.context.acting.may_write_part(self.context.procedure, path, request);
        if !allowed {
            let problem = Problem::new("permission.field", path, "you may not write this");
            self.problems.push(problem.hint("leave it out"));
        }
        allowed
    }
}

/// Whether `image/*` or `image/png` takes a media type.
fn takes(accepted: &str, media: &str) -> bool {
    match accepted.strip_suffix('*') {
        Some(kind) => media.starts_with(kind),
        None => accepted == media,
    }
}
