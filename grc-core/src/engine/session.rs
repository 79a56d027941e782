//! A session: an actor with an authority.

use super::{
    Authority, GrcError, Here, HistoryEntry, Instruction, List, Listed, Seen, authority::Current, files,
    kinds::LinkKind, write::Written,
};
use crate::{
    Actor, BlobId, RequestId, TrackingCode, Word,
    definition::{Action, Contact, Organisation},
    refusal::{Problem, Refusal},
    request::{Acting, Command, Fire, Intake, NewFile},
    storage::{LinkKey, Query},
};
use std::io::{Read, Write};

/// A request was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    id: RequestId,
    version: u64,
    code: TrackingCode,
}

impl Submitted {
    /// Its id, for agents.
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// Its version after it.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// What the citizen follows it by.
    pub const fn tracking_code(&self) -> &TrackingCode {
        &self.code
    }
}

/// A command was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acted {
    id: RequestId,
    version: u64,
}

impl Acted {
    pub(crate) const fn new(written: &Written) -> Self {
        Self { id: written.id, version: written.version }
    }

    /// The request.
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// Its version after it.
    pub const fn version(&self) -> u64 {
        self.version
    }
}

/// An actor with an authority: the only way to read or write. Cheap to make and to clone; the actor is resolved against
/// the newest organisation at each call, so that a right withdrawn is withdrawn at once.
#[derive(Debug, Clone)]
pub struct Session {
    authority: Authority,
    actor: Actor,
}

/// An actor before they are resolved: that is done under the version of the organisation that each reading and each
/// decision is made under.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    actor: Actor,
    held: Option<RequestId>,
}

impl Who {
    /// Due time.
    pub(crate) const fn timer() -> Self {
        Self { actor: Actor::timer(), held: None }
    }

    /// The embedding program, on an errand.
    pub(crate) fn host(errand: &Word) -> Self {
        Self { actor: Actor::host(errand.to_string()), held: None }
    }

    /// The actor under an organisation.
    pub(crate) fn acting(&self, organisation: &Organisation) -> Result<Acting, Refusal> {
        let acting = Acting::resolve(organisation, &self.actor)?;
        Ok(match self.held {
            Some(id) => acting.holding(id),
            None => acting,
        })
    }
}

impl Session {
    pub(super) const fn new(authority: Authority, actor: Actor) -> Self {
        Self { authority, actor }
    }

    pub(super) const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The actor, with the request whose tracking code they hold.
    pub(super) async fn who(&self) -> Result<Who, GrcError> {
        let held = match &self.actor.code {
            Some(code) => Some(self.find_code(code).await?.ok_or(GrcError::NotFound)?),
            None => None,
        };
        Ok(Who { actor: self.actor.clone(), held })
    }

    /// The actor under the newest organisation, for what is not read together with one request.
    pub(super) async fn acting(&self) -> Result<(Acting, Current), GrcError> {
        let current = self.authority.newest_organisation().await?;
        let acting = self.who().await?.acting(&current.document.organisation)?;
        Ok((acting, current))
    }

    fn find_code<'a>(&'a self, code: &'a TrackingCode) -> Here<'a, Result<Option<RequestId>, GrcError>> {
        Box::pin(async move {
            let inner = self.authority.inner();
            let token = inner.tracking_token(code).await?;
            let mut query = Query::new(inner.name.clone(), Word::of(RequestId::KIND));
            query.linked = Some(LinkKey { kind: LinkKind::Tracking.word(), key: token.to_vec() });
            query.limit = 1;
            let page = inner.grc.0.stores.store.query(&query).await?;
            Ok(page.rows.first().map(|record| RequestId::from_uuid(record.row.key.id)))
        })
    }

    /// Hands a request in.
    ///
    /// # Errors
    /// [`GrcError::Refused`] with every reason; [`GrcError::NotPermitted`]; [`GrcError::NoDefinition`];
    /// [`GrcError::Storage`] and [`GrcError::Keyring`] if they fail. Nothing is written then.
    pub async fn submit(&self, intake: Intake) -> Result<Submitted, GrcError> {
        let (written, code) = self.authority.submit(&self.who().await?, intake).await?;
        Ok(Submitted { id: written.id, version: written.version, code })
    }

    /// Opens a request, as far as the actor may see it. Readings of sensitive fields are noted.
    ///
    /// # Errors
    /// [`GrcError::NotFound`] if there is none, or the actor may not know of it.
    pub async fn open(&self, id: RequestId) -> Result<Seen, GrcError> {
        self.authority.see(&self.who().await?, id).await
    }

    /// Opens the request whose tracking code the actor holds.
    ///
    /// # Errors
    /// [`GrcError::NotFound`] if the code leads nowhere (any more), or the actor holds none.
    pub async fn follow(&self) -> Result<Seen, GrcError> {
        let who = self.who().await?;
        let id = who.held.ok_or(GrcError::NotFound)?;
        self.authority.see(&who, id).await
    }

    /// Gives a command to a request that was opened. It is refused if somebody changed what it touches since.
    ///
    /// # Errors
    /// [`GrcError::Refused`] with every reason; [`GrcError::NotPermitted`]; [`GrcError::Conflict`];
    /// [`GrcError::NotFound`]; [`GrcError::Storage`] and [`GrcError::Keyring`] if they fail. Nothing is written then.
    pub async fn act(&self, seen: &Seen, instruction: impl Into<Instruction>) -> Result<Acted, GrcError> {
        self.act_on(seen.id(), Some(seen.version()), instruction).await
    }

    /// Gives a command to a request by its id, whatever its version, or the version that was seen elsewhere.
    ///
    /// # Errors
    /// As [`Session::act`].
    pub async fn act_on(
        &self,
        id: RequestId,
        seen: Option<u64>,
        instruction: impl Into<Instruction>,
    ) -> Result<Acted, GrcError> {
        let instruction = instruction.into();
        self.authority
            .execute(&self.who().await?, id, seen, &instruction, None)
            .await
            .map(|written| Acted::new(&written))
    }

    /// Fires a transition.
    ///
    /// # Errors
    /// As [`Session::act`].
    pub async fn fire(&self, seen: &Seen, fire: Fire) -> Result<Acted, GrcError> {
        self.act(seen, fire).await
    }

    /// Stores the bytes of a file, sealed, to be given to an intake ([`Intake::file`]) or to [`Command::Attach`].
    /// What is never given to either is swept away later.
    ///
    /// # Errors
    /// [`GrcError::Refused`] for a file in disguise, empty, or larger than any type takes for the field
    /// (20 MiB where the definition does not say); [`GrcError::Attachment`] if it
    /// cannot be read.
    pub async fn store_file(
        &self,
        field: Option<&str>,
        name: &str,
        bytes: impl Read + Send,
    ) -> Result<NewFile, GrcError> {
        // Whoever may do nothing at all may not fill the disk either.
        let (acting, current) = self.acting().await?;
        let organisation = &current.document.organisation;
        let allowed = [Action::Submit, Action::Attach, Action::Work]
            .into_iter()
            .any(|action| acting.may_somewhere(organisation, action));
        if !allowed {
            let problem = Problem::new("permission.denied", "actor", "you may not hand in files");
            return Err(Refusal::from(problem).into());
        }
        files::store(&self.authority, field, name, bytes).await
    }

    /// Reads a file of a request, if the actor may: one that a view shows, or by its id.
    ///
    /// # Errors
    /// [`GrcError::NotFound`] if there is no such request or file for the actor.
    pub async fn read_file(&self, id: RequestId, file: impl Into<BlobId>) -> Result<Vec<u8>, GrcError> {
        let mut bytes = Vec::new();
        self.read_file_to(id, file, &mut bytes).await?;
        Ok(bytes)
    }

    /// Reads a file piece by piece into something, such as a file or the body of an answer, so that it is never in memory
    /// whole. Answers how many bytes it has.
    ///
    /// # Errors
    /// As [`Session::read_file`]; [`GrcError::Attachment`] if it cannot be written. What was written until then is a part
    /// of the file, and not to be used.
    pub async fn read_file_to(
        &self,
        id: RequestId,
        file: impl Into<BlobId>,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, GrcError> {
        let seen = self.open(id).await?;
        files::read(&self.authority, &seen, file.into(), out).await
    }

    /// What happened to a request, as far as the actor may see it.
    ///
    /// # Errors
    /// [`GrcError::NotFound`] if there is none, or the actor may not know of it.
    pub async fn history(&self, id: RequestId) -> Result<Vec<HistoryEntry>, GrcError> {
        self.authority.history(&self.who().await?, id).await
    }

    /// A page of the requests that the actor may see.
    ///
    /// # Errors
    /// [`GrcError::Refused`] if the list is made by a field that the actor may not read, or that is not indexed.
    pub async fn list(&self, list: &List) -> Result<Listed, GrcError> {
        let (acting, current) = self.acting().await?;
        self.authority.list(&acting, &current, list).await
    }

    /// The requests in which somebody with this contact is named, within a sector, as far as the actor may see them:
    /// the newest first, at most 100.
    ///
    /// # Errors
    /// [`GrcError::Refused`] if the text is not such a contact.
    pub async fn by_contact(
        &self,
        sector: &str,
        kind: Contact,
        text: &str,
    ) -> Result<Vec<RequestId>, GrcError> {
        let (acting, current) = self.acting().await?;
        self.authority.by_contact(&acting, &current, sector, kind, text).await
    }
}

impl Command {
    /// Assigns to a service, team or agent.
    pub const fn assign(to: crate::Assignee) -> Self {
        Self::Assign { to, reason: None }
    }

    /// Writes to the requester by the channel that they chose.
    pub fn tell(text: impl Into<String>) -> Self {
        Self::Tell { text: crate::Typed::new(text.into()), channel: None }
    }

    /// Leaves an internal note.
    pub fn note(text: impl Into<String>) -> Self {
        Self::Note(crate::Typed::new(text.into()))
    }

    /// Hands over what one holds.
    pub fn hand_over(to: crate::Assignee, reason: impl Into<String>) -> Self {
        Self::HandOver { to, reason: crate::Typed::new(reason.into()) }
    }

    /// Says what came of it.
    pub fn conclude(outcome: impl Into<String>, reason: Option<&str>) -> Self {
        Self::Conclude { outcome: outcome.into(), reason: reason.map(crate::Typed::new) }
    }

    /// Says, as the requester, whether what came of it is what was needed.
    pub fn confirm(satisfied: bool, comment: Option<&str>) -> Self {
        Self::Confirm { satisfied, comment: comment.map(crate::Typed::new) }
    }

    /// Corrects one field.
    pub fn correct(field: impl Into<String>, value: impl Into<crate::Value>) -> Self {
        Self::Correct([(field.into(), Some(crate::Typed::new(value)))].into())
    }
}
