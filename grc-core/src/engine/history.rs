//! What happened to a request, as an actor may see it.

use super::{
    Authority, GrcError, Here, sealing::open_slots, session::Who, view::readable, write::LoadedRequest,
};
use crate::{
    Moment, RequestId, Value, Word,
    definition::Action,
    request::{Acting, ActorKind, ActorRef, Event, Held, RequestEvent},
    storage::Parts,
    vault::Slot,
};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that happened. What the actor may not read is not here; what is all made of such things is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When it happened.
    pub occurred_at: Moment,
    /// When it was recorded.
    pub recorded_at: Moment,
    /// Who did it; for citizens without the agent's id.
    pub actor: ActorRef,
    /// What happened: a word of docs/formats.md §7.
    pub kind: Word,
    /// What can be said of it in clear: `from`, `to`, `service`, `channel`…
    pub details: BTreeMap<&'static str, String>,
    /// The values that it brought, by field or detail; none for one that was cleared, or erased since.
    pub values: BTreeMap<Word, Option<Value>>,
}

impl Authority {
    pub(super) fn history<'a>(
        &'a self,
        who: &'a Who,
        id: RequestId,
    ) -> Here<'a, Result<Vec<HistoryEntry>, GrcError>> {
        Box::pin(async move {
            for _ in 0..3 {
                let (loaded, _) = self.load_request(id, Parts::All, None).await?;
                let loaded = loaded.ok_or(GrcError::NotFound)?;
                let organisation = &loaded.current.document.organisation;
                let acting = &who.acting(organisation)?;
                if !acting.may_with(organisation, Action::See, &loaded.request) {
                    return Err(GrcError::NotFound);
                }
                let readable = readable(acting, &loaded);
                let keyring = &*self.inner().grc.0.stores.keyring;
                let opened = open_slots(keyring, &loaded.record, &|slot| readable.contains(&slot)).await?;
                if !opened.dead.is_empty() {
                    self.finish_erasure(&loaded).await?;
                    continue;
                }
                let events: Vec<Event> =
                    self.history_of(&loaded.record.row.key, 0, loaded.request.version).await?;
                let reader = Reader { acting, loaded: &loaded, readable: &readable, values: &opened.values };
                let entries: Vec<HistoryEntry> =
                    events.iter().filter_map(|event| reader.entry(event)).collect();
                let read = entries.iter().flat_map(|entry| entry.values.iter());
                let read = read.filter(|(_, value)| value.is_some()).map(|(path, _)| path).collect();
                self.note_reading(acting, &loaded, &read).await?;
                return Ok(entries);
            }
            Err(GrcError::Busy)
        })
    }
}

struct Reader<'a> {
    acting: &'a Acting,
    loaded: &'a LoadedRequest,
    readable: &'a BTreeSet<Slot>,
    values: &'a crate::request::Values,
}

impl Reader<'_> {
    fn reads(&self, path: &str) -> bool {
        let LoadedRequest { current, procedure, request, .. } = self.loaded;
        self.acting.reads(&current.document.organisation, procedure, path, Some(request))
    }

    /// Whether the actor may see amounts.
    fn counts(&self) -> bool {
        let LoadedRequest { current, request, .. } = self.loaded;
        self.acting.may_with(&current.document.organisation, Action::Cost, request)
    }

    fn value(&self, slot: Slot) -> Option<Value> {
        self.values.get(&slot).filter(|_| self.readable.contains(&slot)).cloned()
    }

    fn field(&self, id: &Word, held: Option<&Held>) -> Option<Value> {
        let value = match held? {
            Held::Clear(value) => value.clone(),
            Held::Slot(slot) => self.value(*slot)?,
        };
        Some(self.loaded.procedure.shown(id.as_str(), value))
    }

    #[expect(clippy::too_many_lines, reason = "one arm a kind of event, each a few lines")]
    fn entry(&self, event: &Event) -> Option<HistoryEntry> {
        let citizen = self.acting.is_citizen();
        let mut details: BTreeMap<&'static str, String> = BTreeMap::new();
        let mut values: BTreeMap<Word, Option<Value>> = BTreeMap::new();
        let mut say = |name: &'static str, word: Option<&Word>| {
            if let Some(word) = word {
                details.insert(name, word.to_string());
            }
        };
        let kind = match &event.data {
            RequestEvent::Submitted { type_, service, channel, state, fields, parties, place, .. } => {
                say("type", Some(type_));
                say("service", service.as_ref());
                say("channel", Some(channel));
                say("state", Some(state).filter(|_| !citizen));
                for (id, held) in fields.iter().filter(|(id, _)| self.reads(id.as_str())) {
                    values.insert(id.clone(), self.field(id, Some(held)));
                }
                for party in parties {
                    for (detail, slot) in &party.details {
                        let path = Word::slug_path(&party.role, detail);
                        if self.reads(path.as_str()) {
                            values.insert(path, self.value(*slot));
                        }
                    }
                }
                for (name, slot) in
                    place.iter().flat_map(|p| [("place.address", p.address), ("place.point", p.point)])
                {
                    if let Some(slot) = slot.filter(|_| self.reads(name)) {
                        values.insert(Word::of(name), self.value(slot));
                    }
                }
                "submitted"
            }
            RequestEvent::Moved { transition, from, to, outcome, .. } => {
                if citizen {
                    let stage = |id: &Word| {
                        let state = self.loaded.procedure.state(id.as_str());
                        let language = &self.loaded.current.document.organisation.language;
                        state.map(|s| s.stage.as_ref().unwrap_or(&s.label).get(language).to_owned())
                    };
                    if let Some(stage) = stage(to) {
                        details.insert("stage", stage);
                    }
                } else {
                    say("transition", Some(transition));
                    say("from", Some(from));
                    say("to", Some(to));
                }
                let mut say =
                    |name, word: Option<&Word>| word.map(|word| details.insert(name, word.to_string()));
                say("outcome", outcome.as_ref());
                "moved"
            }
            RequestEvent::Assigned { service, team, agent, reason, taken } => {
                if *taken && !citizen {
                    say("taken", Some(&Word::of("yes")));
                }
                say("service", service.as_ref());
                if !citizen {
                    say("team", team.as_ref());
                    say("agent", agent.as_ref());
                }
                if let Some(slot) = reason.filter(|_| self.reads("reason")) {
                    values.insert(Word::of("reason"), self.value(slot));
                }
                "assigned"
            }
            RequestEvent::Corrected { fields } => {
                for (id, held) in fields.iter().filter(|(id, _)| self.reads(id.as_str())) {
                    values.insert(id.clone(), self.field(id, held.as_ref()));
                }
                if values.is_empty() {
                    return None;
                }
                "corrected"
            }
            RequestEvent::Assessed { acceptability, reason } => {
                say("acceptability", Some(acceptability));
                say("reason", reason.as_ref());
                "assessed"
            }
            RequestEvent::Concluded { outcome, reason } => {
                say("outcome", Some(outcome));
                if let Some(slot) = reason.filter(|_| self.reads("reason")) {
                    values.insert(Word::of("reason"), self.value(slot));
                }
                "concluded"
            }
            RequestEvent::Confirmed { confirmation, comment } => {
                say("confirmation", Some(confirmation));
                if let Some(slot) = comment.filter(|_| self.reads("message")) {
                    values.insert(Word::of("message"), self.value(slot));
                }
                "confirmed"
            }
            RequestEvent::Messaged { direction, channel, text, subject, template, automatic, .. } => {
                if !self.reads("message") {
                    return None;
                }
                say("direction", Some(direction));
                say("channel", Some(channel));
                say("template", template.as_ref().filter(|_| !citizen));
                say("automatic", automatic.then(|| Word::of("yes")).as_ref());
                if let Some(subject) = subject {
                    values.insert(Word::of("subject"), self.value(*subject));
                }
                values.insert(Word::of("message"), self.value(*text));
                "messaged"
            }
            RequestEvent::Delivered { message, status, code, channel, next } => {
                if !self.reads("message") {
                    return None;
                }
                say("status", Some(status));
                say("code", code.as_ref().filter(|_| !citizen));
                say("channel", channel.as_ref());
                say("next", next.as_ref());
                details.insert("message", message.to_string());
                "delivered"
            }
            RequestEvent::Noted { text } => {
                if !self.reads("note") {
                    return None;
                }
                values.insert(Word::of("note"), self.value(*text));
                "noted"
            }
            RequestEvent::Attached { file } => {
                let path = file.field.clone().unwrap_or_else(|| Word::of("file"));
                if !self.reads(path.as_str()) {
                    return None;
                }
                values.insert(path, self.value(file.slot));
                "attached"
            }
            RequestEvent::Worked { minutes, cents, supplier, .. } => {
                if citizen {
                    return None;
                }
                say("supplier", supplier.as_ref());
                details.insert("minutes", minutes.to_string());
                if self.counts() {
                    details.insert("cents", cents.to_string());
                }
                "worked"
            }
            RequestEvent::Served {
                intervention,
                stage,
                from,
                until,
                team,
                supplier,
                reason,
                instructions,
                report,
                ..
            } => {
                if citizen {
                    return None;
                }
                say("stage", Some(stage));
                say("team", team.as_ref());
                say("supplier", supplier.as_ref());
                say("reason", reason.as_ref());
                details.insert("intervention", intervention.to_string());
                details.insert("from", from.to_string());
                details.insert("until", until.to_string());
                for (name, slot) in [("instructions", instructions), ("report", report)] {
                    if let Some(slot) = slot.filter(|_| self.reads(name)) {
                        values.insert(Word::of(name), self.value(slot));
                    }
                }
                "served"
            }
            RequestEvent::Charged { intervention, minutes, cents, supplier, .. } => {
                if citizen {
                    return None;
                }
                say("supplier", supplier.as_ref().filter(|_| self.counts()));
                details.insert("intervention", intervention.to_string());
                details.insert("minutes", minutes.to_string());
                if self.counts() {
                    details.insert("cents", cents.to_string());
                }
                "charged"
            }
            RequestEvent::Linked { kind, target } => {
                if citizen {
                    return None;
                }
                say("link", Some(kind));
                details.insert("target", target.to_string());
                "linked"
            }
            RequestEvent::Held { hold, reason } => {
                if citizen {
                    return None;
                }
                details.insert("hold", hold.to_string());
                if self.reads("reason") {
                    values.insert(Word::of("reason"), self.value(*reason));
                }
                "held"
            }
            RequestEvent::Released { hold } => {
                if citizen {
                    return None;
                }
                details.insert("hold", hold.to_string());
                "released"
            }
            RequestEvent::Erased { slots, reason } => {
                say("reason", Some(reason));
                if !citizen {
                    details.insert("values", slots.len().to_string());
                }
                "erased"
            }
            RequestEvent::Anonymised { rule, .. } => {
                say("rule", Some(rule));
                "anonymised"
            }
        };
        let actor = match event.actor.kind {
            // Who of the authority did it is the authority's to say.
            ActorKind::Agent | ActorKind::Host if citizen => ActorRef { kind: ActorKind::Agent, id: None },
            _ => event.actor.clone(),
        };
        Some(HistoryEntry {
            occurred_at: event.occurred_at,
            recorded_at: event.recorded_at,
            actor,
            kind: Word::of(kind),
            details,
            values,
        })
    }
}
