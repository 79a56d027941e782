//! What a request is made of, as an actor sees it: persons, place, messages, notes, files, work on site, and what may be done.

use crate::{
    BlobId, InterventionId, Moment, Problem, Value, Word,
    definition::{Ask, Label},
    vault::FileInfo,
};
use std::collections::BTreeMap;

/// A person of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    /// Their role.
    pub role: Word,
    /// The channel chosen for answers.
    pub answer: Option<Word>,
    /// Details by name: `name`, `given`, `email`, `phone`, `address`.
    pub details: BTreeMap<Word, Value>,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaceView {
    /// The zone.
    pub zone: Option<Word>,
    /// The address, in lines.
    pub address: Option<String>,
    /// The position in micro-degrees.
    pub point: Option<(i32, i32)>,
    /// Whether the position is only roughly where it was, because the request was anonymised.
    pub coarse: bool,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    /// The sequence of its event: how a command names it.
    pub seq: u64,
    /// When.
    pub at: Moment,
    /// Whether it came in.
    pub incoming: bool,
    /// By which channel.
    pub channel: Word,
    /// Its subject.
    pub subject: Option<String>,
    /// Its text.
    pub text: String,
    /// The template that it was made from; not for citizens.
    pub template: Option<Word>,
    /// Whether no person wrote it.
    pub automatic: bool,
    /// What became of it: `sent`, `delivered`, `read`; `said` where a person told it; `failed` while it is tried by
    /// another channel, `dead` once it is given up, `waiting` when it is tried again; none while it waits for the first
    /// time, or where nothing was to be sent.
    pub status: Option<Word>,
    /// Why it failed; not for citizens.
    pub code: Option<Word>,
}

/// An internal note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteView {
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: Option<Word>,
    /// Its text.
    pub text: String,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileView {
    pub(super) moment: Option<Word>,
    pub(super) field: Option<Word>,
    pub(super) blob: BlobId,
    pub(super) info: FileInfo,
}

impl From<&FileView> for BlobId {
    fn from(file: &FileView) -> Self {
        file.blob
    }
}

impl FileView {
    /// Its id: what a link to it may name.
    pub const fn id(&self) -> BlobId {
        self.blob
    }

    /// The field that it fills.
    pub const fn field(&self) -> Option<&Word> {
        self.field.as_ref()
    }

    /// `before` or `after`, for a picture of an intervention.
    pub const fn moment(&self) -> Option<&Word> {
        self.moment.as_ref()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Its media type.
    pub fn media(&self) -> &str {
        &self.info.media
    }

    /// Its size in bytes.
    pub const fn bytes(&self) -> u64 {
        self.info.bytes
    }
}

/// An intervention that serves a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnSiteView {
    /// Which.
    pub id: InterventionId,
    /// How far it is: `planned`, `acknowledged`, `started`, `done`, `impossible`, `cancelled`, `left`.
    pub stage: Word,
    /// From when it is planned.
    pub from: Moment,
    /// Until when it is planned.
    pub until: Moment,
    /// The team that does it.
    pub team: Option<Word>,
    /// The supplier who does it.
    pub supplier: Option<Word>,
    /// Why it was impossible.
    pub reason: Option<Word>,
    /// What was written to who does it, and by them, in order: `instructions`, `report`.
    pub texts: Vec<(Word, String)>,
    /// This request's share of the minutes spent.
    pub minutes: u64,
    /// This request's share of the cents spent, VAT included; none for who may not see amounts.
    pub cents: Option<i64>,
}

/// A transition that the actor may fire from where the request is, and what keeps it from being fired now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its id.
    pub transition: Word,
    /// Its name.
    pub label: Label,
    /// What must be given with it.
    pub asks: Vec<Ask>,
    /// The fields of the form that must be filled with it: those that it requires and that are not filled yet.
    pub fields: Vec<Word>,
    /// Why not now; empty if it can be fired.
    pub blocked: Vec<Problem>,
}
