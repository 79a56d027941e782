//! What an actor sees of a request.

use super::{
    Authority, GrcError, Here,
    files::info_of,
    form::{FieldsSeen, fields_seen},
    parts::{Choice, FileView, MessageView, NoteView, OnSiteView, PersonView, PlaceView},
    sealing::open_slots,
    session::Who,
    write::LoadedRequest,
};
use crate::{
    InterventionId, Moment, RequestId, TrackingCode, Value, Word,
    definition::{Action, FieldKind, Label, Procedure},
    request::{Acting, Context, Held, Request, Span, Values, choices},
    storage::{Access, Parts, Step},
    vault::Slot,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

/// A request as one actor sees it. What they may not read is not here, nor in its `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    request: Request,
    label: Label,
    stage: Label,
    citizen: bool,
    fields: BTreeMap<Word, Value>,
    parties: Vec<PersonView>,
    place: Option<PlaceView>,
    messages: Vec<MessageView>,
    notes: Vec<NoteView>,
    files: Vec<FileView>,
    code: Option<TrackingCode>,
    on_site: Vec<OnSiteView>,
    choices: Vec<Choice>,
    rights: BTreeSet<Action>,
    procedure: Arc<Procedure>,
    form: FieldsSeen,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen")
            .field("id", &self.id())
            .field("version", &self.version())
            .field("type", self.type_())
            .field("stage", &self.stage)
            .field("state", &self.state())
            .field("service", &self.service())
            .field("agent", &self.agent())
            .field("fields", &self.fields)
            .field("parties", &self.parties)
            .field("place", &self.place)
            .field("messages", &self.messages)
            .field("notes", &self.notes)
            .field("files", &self.files)
            .field("choices", &self.choices)
            .finish_non_exhaustive()
    }
}

impl Seen {
    /// Its id.
    pub const fn id(&self) -> RequestId {
        self.request.id
    }

    /// Its version: what a command that follows is compared with.
    pub const fn version(&self) -> u64 {
        self.request.version
    }

    /// Its type.
    pub const fn type_(&self) -> &Word {
        &self.request.type_
    }

    /// The name of its type.
    pub const fn label(&self) -> &Label {
        &self.label
    }

    /// Its family.
    pub const fn family(&self) -> Option<&Word> {
        self.request.family.as_ref()
    }

    /// Its state; a citizen sees the stage instead.
    pub fn state(&self) -> Option<&Word> {
        (!self.citizen).then_some(&self.request.state)
    }

    /// What the citizen is told of its state.
    pub const fn stage(&self) -> &Label {
        &self.stage
    }

    /// The phase: `received`, `in-progress`, `waiting`, `closed`.
    pub const fn phase(&self) -> &Word {
        &self.request.phase
    }

    /// The channel by which it came in.
    pub const fn channel(&self) -> &Word {
        &self.request.channel
    }

    /// The service that holds it.
    pub const fn service(&self) -> Option<&Word> {
        self.request.service.as_ref()
    }

    /// The team that holds it; not for citizens.
    pub fn team(&self) -> Option<&Word> {
        self.request.team.as_ref().filter(|_| !self.citizen)
    }

    /// The agent who holds it; not for citizens.
    pub fn agent(&self) -> Option<&Word> {
        self.request.agent.as_ref().filter(|_| !self.citizen)
    }

    /// When it came in.
    pub const fn opened_at(&self) -> Moment {
        self.request.opened_at
    }

    /// When its handling ended.
    pub const fn closed_at(&self) -> Option<Moment> {
        self.request.closed_at
    }

    /// When its closure was promised.
    pub const fn target(&self) -> Option<Moment> {
        self.request.target
    }

    /// Whether the service can act on it.
    pub const fn acceptability(&self) -> Option<&Word> {
        self.request.acceptability.as_ref()
    }

    /// What came of it.
    pub const fn outcome(&self) -> Option<&Word> {
        self.request.outcome.as_ref()
    }

    /// What its requester says of that: `satisfied`, `unsatisfied`.
    pub const fn confirmation(&self) -> Option<&Word> {
        self.request.confirmation.as_ref()
    }

    /// When it was anonymised.
    pub const fn anonymised_at(&self) -> Option<Moment> {
        self.request.anonymised_at
    }

    /// The legal holds that are set, by number; not for citizens.
    pub fn holds(&self) -> Vec<u32> {
        if self.citizen { Vec::new() } else { self.request.holds.iter().map(|hold| hold.hold).collect() }
    }

    /// Links to other requests: their kind and the other's id; not for citizens.
    pub fn links(&self) -> Vec<(Word, RequestId)> {
        if self.citizen {
            return Vec::new();
        }
        self.request.links.iter().map(|(kind, id)| (kind.clone(), RequestId::from_uuid(*id))).collect()
    }

    /// The fields of the form that the actor may read and that are filled.
    pub const fn fields(&self) -> &BTreeMap<Word, Value> {
        &self.fields
    }

    /// A field.
    pub fn field(&self, id: &str) -> Option<&Value> {
        self.fields.get(id)
    }

    /// The version of the procedure that it stands on, and what of its form is seen.
    pub(super) fn fields_seen(&self) -> (&Procedure, &FieldsSeen) {
        (&self.procedure, &self.form)
    }

    /// The persons.
    pub fn parties(&self) -> &[PersonView] {
        &self.parties
    }

    /// Where it is.
    pub const fn place(&self) -> Option<&PlaceView> {
        self.place.as_ref()
    }

    /// The messages, in order.
    pub fn messages(&self) -> &[MessageView] {
        &self.messages
    }

    /// The notes, in order.
    pub fn notes(&self) -> &[NoteView] {
        &self.notes
    }

    /// The files, in order.
    pub fn files(&self) -> &[FileView] {
        &self.files
    }

    /// The interventions that serve it, the one that was heard of last at the end; not for citizens.
    pub fn interventions(&self) -> &[OnSiteView] {
        &self.on_site
    }

    /// The tracking code, to tell it again.
    pub const fn tracking_code(&self) -> Option<&TrackingCode> {
        self.code.as_ref()
    }

    /// Whether the actor may do something with it besides firing transitions.
    pub fn may(&self, action: Action) -> bool {
        self.rights.contains(&action)
    }

    /// What the actor may do now, and why not the rest.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }
}

/// Which living slots an actor may read.
pub(super) fn readable(acting: &Acting, loaded: &LoadedRequest) -> BTreeSet<Slot> {
    let organisation = &loaded.current.document.organisation;
    let request = &loaded.request;
    let reads = |path: &Word| acting.reads(organisation, &loaded.procedure, path.as_str(), Some(request));
    request.book.slots.iter().filter(|(_, path)| reads(path)).map(|(slot, _)| *slot).collect()
}

impl Authority {
    /// Opens a request as an actor sees it.
    pub(super) fn see<'a>(&'a self, who: &'a Who, id: RequestId) -> Here<'a, Result<Seen, GrcError>> {
        Box::pin(async move {
            let inner = self.inner();
            for _ in 0..3 {
                let (loaded, _) = self.load_request(id, Parts::All, None).await?;
                let loaded = loaded.ok_or(GrcError::NotFound)?;
                // Resolved under the version that was loaded with the request.
                let organisation = &loaded.current.document.organisation;
                let acting = &who.acting(organisation)?;
                if !acting.may_with(organisation, Action::See, &loaded.request) {
                    return Err(GrcError::NotFound);
                }
                let readable = readable(acting, &loaded);
                // Guards look at fields that the actor may not read, where the definition says so.
                let living = |slot| loaded.request.book.slots.contains_key(&slot);
                let opened = open_slots(&*inner.grc.0.stores.keyring, &loaded.record, &living).await?;
                if !opened.dead.is_empty() {
                    self.finish_erasure(&loaded).await?;
                    continue;
                }
                let seen = self.show(acting, &loaded, &readable, &opened.values);
                self.note_access(acting, &loaded, &seen).await?;
                return Ok(seen);
            }
            Err(GrcError::Busy)
        })
    }

    fn show(
        &self,
        acting: &Acting,
        loaded: &LoadedRequest,
        readable: &BTreeSet<Slot>,
        values: &Values,
    ) -> Seen {
        let LoadedRequest { request, procedure, current, .. } = loaded;
        let organisation = &current.document.organisation;
        let value = |slot: Slot| values.get(&slot).filter(|_| readable.contains(&slot)).cloned();
        let text = |slot: Slot| match value(slot) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        let may = |action: &Action| acting.may_with(organisation, *action, request);
        let context = Context {
            organisation,
            organisation_version: current.version,
            procedure,
            procedure_version: request.procedure,
            acting,
            now: self.inner().grc.0.clock.now(),
        };
        let state = procedure.state(request.state.as_str());
        let stage = state.map_or_else(
            || Label::from(request.state.as_str()),
            |state| state.stage.clone().unwrap_or_else(|| state.label.clone()),
        );
        let fields = request
            .fields
            .iter()
            .filter(|(id, _)| acting.reads(organisation, procedure, id.as_str(), Some(request)))
            .filter_map(|(id, held)| match held {
                Held::Clear(value) => Some((id, value.clone())),
                Held::Slot(slot) => value(*slot).map(|value| (id, value)),
            })
            .map(|(id, value)| (id.clone(), procedure.shown(id.as_str(), value)))
            .collect();
        let form = fields_seen(
            procedure,
            |id| acting.reads(organisation, procedure, id, Some(request)),
            |field| {
                let action = if field.kind == FieldKind::File { Action::Attach } else { Action::Correct };
                request.anonymised_at.is_none()
                    && may(&action)
                    && acting.writes(organisation, procedure, field.id.as_str(), Some(request))
            },
        );
        let parties = request
            .parties
            .iter()
            .map(|party| PersonView {
                role: party.role.clone(),
                answer: party.answer.clone(),
                details: party
                    .details
                    .iter()
                    .filter_map(|(name, slot)| value(*slot).map(|value| (name.clone(), value)))
                    .collect(),
            })
            .collect();
        // What is left of a position tells of it too.
        let coarse = request.place.as_ref().and_then(|place| place.coarse);
        let coarse = coarse.filter(|_| acting.reads(organisation, procedure, "place.point", Some(request)));
        let place = request.place.as_ref().map(|place| PlaceView {
            zone: place.data.zone.clone(),
            address: place.data.address.and_then(text),
            point: coarse.or_else(|| match place.data.point.and_then(value) {
                Some(Value::Point(lat, lon)) => Some((lat, lon)),
                _ => None,
            }),
            coarse: coarse.is_some(),
        });
        let messages = request
            .messages
            .iter()
            .filter_map(|message| {
                Some(MessageView {
                    seq: message.seq,
                    at: message.at,
                    incoming: message.direction == "in",
                    channel: message.channel.clone(),
                    subject: message.subject.and_then(text),
                    text: text(message.text)?,
                    template: message.template.clone().filter(|_| !acting.is_citizen()),
                    automatic: message.automatic,
                    status: message.status.clone(),
                    code: message.code.clone().filter(|_| !acting.is_citizen()),
                })
            })
            .collect();
        let notes = request
            .notes
            .iter()
            .filter_map(|note| Some(NoteView { at: note.at, by: note.by.clone(), text: text(note.text)? }))
            .collect();
        let files = request
            .files
            .iter()
            .filter_map(|file| {
                let info = info_of(value(file.slot).as_ref())?;
                Some(FileView {
                    moment: file.moment.clone(),
                    field: file.field.clone(),
                    blob: file.blob,
                    info,
                })
            })
            .collect();
        let choices = choices(request, values, &context)
            .into_iter()
            .map(|open| Choice {
                transition: open.transition.id.clone(),
                label: open.transition.label.clone(),
                asks: open.transition.asks.clone(),
                fields: open.fields.into_iter().cloned().collect(),
                blocked: open.blocked,
            })
            .collect();
        let costs = may(&Action::Cost);
        let on_site = request
            .interventions
            .iter()
            .filter(|_| !acting.is_citizen())
            .map(|served| {
                let id = InterventionId::from_uuid(served.intervention);
                let word = id.word();
                let work = || {
                    let of_it =
                        |span: &&Span| span.kind == "work" && span.dimension("intervention") == Some(&word);
                    request.spans.iter().filter(of_it)
                };
                OnSiteView {
                    id,
                    stage: served.stage.clone(),
                    from: served.from,
                    until: served.until,
                    team: served.team.clone(),
                    supplier: served.supplier.clone(),
                    reason: served.reason.clone(),
                    texts: served
                        .texts
                        .iter()
                        .filter_map(|(path, slot)| Some((path.clone(), text(*slot)?)))
                        .collect(),
                    minutes: work().map(|span| u64::from(span.minutes)).sum(),
                    cents: costs.then(|| work().map(|span| span.cents).fold(0, i64::saturating_add)),
                }
            })
            .collect();
        Seen {
            on_site,
            rights: Action::ALL.into_iter().filter(may).collect(),
            label: procedure.label.clone(),
            stage,
            citizen: acting.is_citizen(),
            fields,
            parties,
            place,
            messages,
            notes,
            files,
            code: request.code.and_then(text).and_then(|code| code.parse().ok()),
            choices,
            procedure: Arc::clone(procedure),
            form,
            request: request.clone(),
        }
    }

    /// Notes the reading of sensitive fields.
    async fn note_access(
        &self,
        acting: &Acting,
        loaded: &LoadedRequest,
        seen: &Seen,
    ) -> Result<(), GrcError> {
        let files = seen.files.iter().filter_map(|file| file.field.as_ref());
        self.note_reading(acting, loaded, &seen.fields.keys().chain(files).collect()).await
    }

    /// Notes the reading of those of these fields that are sensitive.
    pub(super) async fn note_reading(
        &self,
        acting: &Acting,
        loaded: &LoadedRequest,
        read: &BTreeSet<&Word>,
    ) -> Result<(), GrcError> {
        let sensitive: Vec<&Word> = loaded
            .procedure
            .fields
            .iter()
            .filter(|field| field.sensitive && read.contains(&field.id))
            .map(|field| &field.id)
            .collect();
        if sensitive.is_empty() {
            return Ok(());
        }
        let grc = &self.inner().grc.0;
        let now = grc.clock.now();
        let body = json!({ "actor": acting.reference(), "at": now, "fields": sensitive });
        let access = Access {
            stream: loaded.record.row.key.clone(),
            at: now,
            body: crate::canonical::to_bytes(&body)?,
        };
        let batch = grc.batch(&self.inner().name, now)?.with(Step::LogAccess(access));
        self.commit(batch).await?;
        Ok(())
    }
}
