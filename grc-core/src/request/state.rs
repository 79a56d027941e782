//! What a request is: the fold of its events.

use super::{
    MessageState, Span,
    event::{Event, FileData, Held, PartyData, PlaceData, RequestEvent},
    served::ServedState,
};
use crate::{
    Moment, RequestId, Word,
    storage::{Fact, Facts},
    vault::{Slot, SlotBook},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An internal note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteState {
    /// When it was written.
    pub at: Moment,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Word>,
    /// Its text.
    pub text: Slot,
}

/// A legal hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldState {
    /// Its number.
    pub hold: u32,
    /// Why.
    pub reason: Slot,
}

/// The place, and its coarse position once it was anonymised.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlaceState {
    /// As it was given.
    #[serde(flatten)]
    pub data: PlaceData,
    /// Where it was, roughly (micro-degrees).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coarse: Option<(i32, i32)>,
}

/// A request. Folding its events gives exactly this; it holds slots and no typed value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "each member is the fact or the part of a request that its name says (DESIGN: words)"
)]
pub struct Request {
    pub id: RequestId,
    /// The sequence of the last event.
    pub version: u64,
    #[serde(rename = "type")]
    pub type_: Word,
    pub procedure: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitter: Option<Word>,
    pub channel: Word,
    pub state: Word,
    pub phase: Word,
    pub opened_at: Moment,
    pub recorded_at: Moment,
    pub updated_at: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Moment>,
    /// What was promised besides its closure: `response`, `assignment`, `intervention`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub promises: BTreeMap<Word, Moment>,
    #[serde(default)]
    pub reopened: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptability: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptability_reason: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Word>,
    /// What its requester says of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Word>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Word, Held>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<PartyData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Slot>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessageState>,
    /// How many of its messages are given up, those included that were forgotten since.
    #[serde(default)]
    pub undelivered: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<NoteState>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileData>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interventions: Vec<ServedState>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<(Word, Uuid)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldState>,
    #[serde(default)]
    pub next_hold: u32,
    pub sector: Word,
    pub month: Word,
    /// Its slots, and the keys that they are sealed under.
    pub book: SlotBook,
    pub spans: Vec<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymised_at: Option<Moment>,
}

/// A history that cannot be folded: it is not the whole history of one request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// An event is missing, or out of order.
    #[error("event {found} follows event {version}")]
    Gap {
        /// The last event folded.
        version: u64,
        /// The sequence found.
        found: u64,
    },
    /// The first event is not the handing in, or a later one is.
    #[error("event {0} cannot stand where it stands")]
    Misplaced(u64),
}

impl Request {
    /// The version of the fold. A stream folded by another version is folded again from its events.
    pub const FOLD: u32 = 2;

    /// Folds a history from its first event.
    ///
    /// # Errors
    /// [`FoldError`] if it is not the whole history of one request.
    pub fn fold<'a>(
        id: RequestId,
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Result<Option<Self>, FoldError> {
        let mut request: Option<Self> = None;
        for event in events {
            match &mut request {
                None => request = Some(Self::begin(id, event)?),
                Some(request) => request.apply(event)?,
            }
        }
        Ok(request)
    }

    /// The request that its first event makes.
    ///
    /// # Errors
    /// [`FoldError`] if this is not the first event of a request.
    pub fn begin(id: RequestId, event: &Event) -> Result<Self, FoldError> {
        let RequestEvent::Submitted {
            type_,
            procedure,
            family,
            entity,
            service,
            channel,
            state,
            phase,
            fields,
            parties,
            place,
            code,
            target,
            promises,
            sector,
            month,
        } = &event.data
        else {
            return Err(FoldError::Misplaced(event.seq));
        };
        if event.seq != 1 {
            return Err(FoldError::Gap { version: 0, found: event.seq });
        }
        let at = event.occurred_at;
        let mut request = Self {
            id,
            version: 1,
            type_: type_.clone(),
            procedure: *procedure,
            family: family.clone(),
            entity: entity.clone(),
            service: service.clone(),
            team: None,
            agent: None,
            submitter: (event.actor.kind == super::ActorKind::Agent)
                .then(|| event.actor.id.clone())
                .flatten(),
            channel: channel.clone(),
            state: state.clone(),
            phase: phase.clone(),
            opened_at: at,
            recorded_at: event.recorded_at,
            updated_at: event.recorded_at,
            closed_at: (*phase == CLOSED).then_some(at),
            target: *target,
            promises: promises.clone(),
            reopened: 0,
            acceptability: None,
            acceptability_reason: None,
            outcome: None,
            confirmation: None,
            fields: fields.clone(),
            parties: parties.clone(),
            place: place.clone().map(|data| PlaceState { data, coarse: None }),
            code: Some(*code),
            messages: Vec::new(),
            undelivered: 0,
            notes: Vec::new(),
            files: Vec::new(),
            interventions: Vec::new(),
            links: Vec::new(),
            holds: Vec::new(),
            next_hold: 1,
            sector: sector.clone(),
            month: month.clone(),
            book: SlotBook::default(),
            spans: Vec::new(),
            anonymised_at: None,
        };
        request.book.take(event.key, &event.slots);
        request.name_slot(*code, "code");
        for (field, held) in fields {
            request.name_held(held, field);
        }
        for party in parties {
            for (detail, slot) in &party.details {
                request.name_slot(*slot, &format!("{}.{detail}", party.role));
            }
        }
        if let Some(place) = place {
            if let Some(slot) = place.address {
                request.name_slot(slot, "place.address");
            }
            if let Some(slot) = place.point {
                request.name_slot(slot, "place.point");
            }
        }
        request.spans.push(Span::new("state", at, &[("state", Some(state)), ("phase", Some(phase))]));
        request.spans.push(
            Span::new("exchange", at, &[("direction", Some(&Word::of("in"))), ("channel", Some(channel))])
                .point(),
        );
        if request.closed_at.is_none() {
            request.sit_down(at);
        }
        Ok(request)
    }

    /// Folds one more event.
    ///
    /// # Errors
    /// [`FoldError`] if it is not the next event of this request.
    pub fn apply(&mut self, event: &Event) -> Result<(), FoldError> {
        if Some(event.seq) != self.version.checked_add(1) {
            return Err(FoldError::Gap { version: self.version, found: event.seq });
        }
        self.version = event.seq;
        self.updated_at = event.recorded_at;
        self.book.take(event.key, &event.slots);
        let at = event.occurred_at;
        match &event.data {
            RequestEvent::Submitted { .. } => return Err(FoldError::Misplaced(event.seq)),
            RequestEvent::Moved { to, phase, outcome, .. } => self.moved(at, to, phase, outcome.as_ref()),
            RequestEvent::Assigned { service, team, agent, reason, .. } => {
                let changed = (&self.service, &self.team, &self.agent) != (service, team, agent);
                self.service.clone_from(service);
                self.team.clone_from(team);
                self.agent.clone_from(agent);
                if let Some(reason) = reason {
                    self.name_slot(*reason, "reason");
                }
                if changed && self.closed_at.is_none() {
                    self.stand_up(at);
                    self.sit_down(at);
                }
            }
            RequestEvent::Corrected { fields } => {
                for (field, held) in fields {
                    match held {
                        Some(held) => {
                            self.name_held(held, field);
                            self.fields.insert(field.clone(), held.clone());
                        }
                        None => {
                            self.fields.remove(field);
                        }
                    }
                }
            }
            RequestEvent::Assessed { acceptability, reason } => {
                self.acceptability = Some(acceptability.clone());
                self.acceptability_reason.clone_from(reason);
            }
            RequestEvent::Concluded { outcome, reason } => {
                self.outcome = Some(outcome.clone());
                if let Some(reason) = reason {
                    self.name_slot(*reason, "reason");
                }
            }
            RequestEvent::Confirmed { confirmation, comment } => {
                self.confirmation = Some(confirmation.clone());
                if let Some(comment) = comment {
                    self.name_slot(*comment, "message");
                }
            }
            RequestEvent::Messaged { direction, channel, text, subject, template, automatic, .. } => {
                for slot in std::iter::once(*text).chain(*subject) {
                    self.name_slot(slot, "message");
                }
                self.messages.push(MessageState {
                    seq: event.seq,
                    at,
                    direction: direction.clone(),
                    channel: channel.clone(),
                    text: *text,
                    subject: *subject,
                    template: template.clone(),
                    automatic: *automatic,
                    status: None,
                    code: None,
                    since: None,
                    tried: Vec::new(),
                    round: 0,
                });
                let yes = automatic.then(|| Word::of("yes"));
                let dimensions =
                    [("direction", Some(direction)), ("channel", Some(channel)), ("automatic", yes.as_ref())];
                self.spans.push(Span::new("exchange", at, &dimensions).point());
            }
            RequestEvent::Delivered { message, status, code, next, .. } => {
                if let Some(message) = self.messages.iter_mut().find(|known| known.seq == *message) {
                    let before = message.is_dead();
                    message.follow(at, status, code.as_ref(), next.as_ref());
                    match (before, message.is_dead()) {
                        (false, true) => self.undelivered = self.undelivered.saturating_add(1),
                        (true, false) => self.undelivered = self.undelivered.saturating_sub(1),
                        _ => {}
                    }
                }
            }
            RequestEvent::Noted { text } => {
                self.name_slot(*text, "note");
                self.notes.push(NoteState { at, by: event.actor.id.clone(), text: *text });
            }
            RequestEvent::Attached { file } => {
                let path = file.field.as_ref().map_or("file", Word::as_str).to_owned();
                self.name_slot(file.slot, &path);
                self.files.push(file.clone());
            }
            RequestEvent::Worked { minutes, cents, supplier, team, agent } => {
                let dimensions =
                    [("supplier", supplier.as_ref()), ("team", team.as_ref()), ("agent", agent.as_ref())];
                let mut span = Span::new("work", at, &dimensions).point();
                span.minutes = *minutes;
                span.cents = *cents;
                self.spans.push(span);
            }
            RequestEvent::Served { instructions, report, .. } => {
                for (path, slot) in [("instructions", instructions), ("report", report)] {
                    if let Some(slot) = slot {
                        self.name_slot(*slot, path);
                    }
                }
                self.served(at, &event.data);
            }
            RequestEvent::Charged { .. } => self.charged(&event.data),
            RequestEvent::Linked { kind, target } => {
                let link = (kind.clone(), *target);
                if !self.links.contains(&link) {
                    self.links.push(link);
                }
            }
            RequestEvent::Held { hold, reason } => {
                self.name_slot(*reason, "reason");
                self.holds.push(HoldState { hold: *hold, reason: *reason });
                self.next_hold = hold.saturating_add(1);
            }
            RequestEvent::Released { hold } => self.holds.retain(|held| held.hold != *hold),
            RequestEvent::Erased { slots, .. } => {
                self.forget(slots);
            }
            RequestEvent::Anonymised { slots, point, .. } => {
                self.forget(slots);
                self.anonymised_at = Some(event.recorded_at);
                if let Some(place) = &mut self.place {
                    place.coarse = *point;
                }
            }
        }
        Ok(())
    }

    fn moved(&mut self, at: Moment, to: &Word, phase: &Word, outcome: Option<&Word>) {
        self.end("state", at);
        self.spans.push(Span::new("state", at, &[("state", Some(to)), ("phase", Some(phase))]));
        match (self.closed_at.is_some(), *phase == CLOSED) {
            (false, true) => {
                self.closed_at = Some(at);
                self.stand_up(at);
            }
            (true, false) => {
                self.closed_at = None;
                self.outcome = None;
                self.confirmation = None;
                self.reopened = self.reopened.saturating_add(1);
                self.sit_down(at);
            }
            _ => {}
        }
        self.state = to.clone();
        self.phase = phase.clone();
        if let Some(outcome) = outcome {
            self.outcome = Some(outcome.clone());
        }
    }

    fn sit_down(&mut self, at: Moment) {
        let dimensions = [
            ("service", self.service.as_ref()),
            ("team", self.team.as_ref()),
            ("agent", self.agent.as_ref()),
        ];
        if dimensions.iter().any(|(_, value)| value.is_some()) {
            self.spans.push(Span::new("desk", at, &dimensions));
        }
    }

    fn stand_up(&mut self, at: Moment) {
        self.end("desk", at);
    }

    fn end(&mut self, kind: &str, at: Moment) {
        for span in self.spans.iter_mut().filter(|span| span.kind == *kind && span.until.is_none()) {
            span.until = Some(at);
        }
    }

    fn name_held(&mut self, held: &Held, field: &Word) {
        if let Held::Slot(slot) = held {
            self.name_slot(*slot, field.as_str());
        }
    }

    fn name_slot(&mut self, slot: Slot, path: &str) {
        self.book.name(slot, path);
    }

    fn forget(&mut self, slots: &[Slot]) {
        self.book.forget(slots);
        let lives = |slot: &Slot| !slots.contains(slot);
        self.fields.retain(|_, held| !matches!(held, Held::Slot(slot) if slots.contains(slot)));
        for party in &mut self.parties {
            party.details.retain(|_, slot| lives(slot));
        }
        if let Some(place) = &mut self.place {
            place.data.address = place.data.address.filter(lives);
            place.data.point = place.data.point.filter(lives);
        }
        self.code = self.code.filter(lives);
        self.messages.retain(|message| lives(&message.text));
        for message in &mut self.messages {
            message.subject = message.subject.filter(lives);
        }
        self.notes.retain(|note| lives(&note.text));
        self.files.retain(|file| lives(&file.slot));
        for served in &mut self.interventions {
            served.texts.retain(|(_, slot)| lives(slot));
        }
    }

    /// Whether its handling is over.
    pub fn is_closed(&self) -> bool {
        self.closed_at.is_some()
    }

    /// The requester, or else the first person.
    pub fn requester(&self) -> Option<&PartyData> {
        Self::requester_of(&self.parties)
    }

    /// Which of the persons asks.
    pub(crate) fn requester_of(parties: &[PartyData]) -> Option<&PartyData> {
        parties.iter().find(|party| party.role == "requester").or_else(|| parties.first())
    }

    /// Its facts. The position of a public place is given besides: the state holds its slot only.
    pub fn facts(&self, point: Option<(i32, i32)>) -> Facts {
        let mut facts = Facts::new();
        let place = self.place.as_ref();
        let answer = self.requester().and_then(|party| party.answer.as_ref());
        for (fact, word) in [
            (Fact::Type, Some(&self.type_)),
            (Fact::Family, self.family.as_ref()),
            (Fact::Entity, self.entity.as_ref()),
            (Fact::Service, self.service.as_ref()),
            (Fact::Team, self.team.as_ref()),
            (Fact::Agent, self.agent.as_ref()),
            (Fact::Submitter, self.submitter.as_ref()),
            (Fact::State, Some(&self.state)),
            (Fact::Phase, Some(&self.phase)),
            (Fact::Channel, Some(&self.channel)),
            (Fact::Answer, answer),
            (Fact::Zone, place.and_then(|place| place.data.zone.as_ref())),
            (Fact::Acceptability, self.acceptability.as_ref()),
            (Fact::AcceptabilityReason, self.acceptability_reason.as_ref()),
            (Fact::Outcome, self.outcome.as_ref()),
            (Fact::Confirmation, self.confirmation.as_ref()),
            (Fact::Intervention, self.work_on_site()),
        ] {
            facts.set_word(fact, word);
        }
        let promised = |what: &str| self.promises.get(what).map(|at| at.micros());
        let point = place
            .filter(|place| place.data.public)
            .and_then(|place| place.coarse.or(point.filter(|_| place.data.point.is_some())));
        for (fact, number) in [
            (Fact::Procedure, i64::try_from(self.procedure).ok()),
            (Fact::Opened, Some(self.opened_at.micros())),
            (Fact::Closed, self.closed_at.map(Moment::micros)),
            (Fact::Target, self.target.map(Moment::micros)),
            (Fact::Updated, Some(self.updated_at.micros())),
            (Fact::Anonymised, self.anonymised_at.map(Moment::micros)),
            (Fact::Reopened, (self.reopened > 0).then_some(i64::from(self.reopened))),
            (Fact::ResponseTarget, promised("response")),
            (Fact::AssignmentTarget, promised("assignment")),
            (Fact::InterventionTarget, promised("intervention")),
            (Fact::Undelivered, (self.undelivered > 0).then_some(i64::from(self.undelivered))),
            (Fact::Lat, point.map(|point| i64::from(point.0))),
            (Fact::Lon, point.map(|point| i64::from(point.1))),
        ] {
            facts.set_integer(fact, number);
        }
        facts
    }
}

/// The phase in which handling is over.
const CLOSED: &str = "closed";
