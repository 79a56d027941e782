//! The directory of agents: events name them by an opaque id, their names are here, sealed, each under its own key.

use super::{Authority, GrcError, Here, Host, Session, kinds::DocumentKind};
use crate::{
    KeyId, Value, Word,
    refusal::{Problem, Refusal},
    storage::{Document, DocumentRange, Step},
    vault::{KeyState, StreamContext, VaultRow, open, seal},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The document `directory` / agent: the sealed name.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    key: KeyId,
    pub(super) row: String,
}

impl Authority {
    fn directory_context(&self) -> StreamContext {
        StreamContext::new(self.name(), &Word::of("directory"), Uuid::nil())
    }

    fn directory_entry<'a>(
        &'a self,
        agent: &'a Word,
    ) -> Here<'a, Result<Option<(Document, Entry)>, GrcError>> {
        Box::pin(async move {
            let range =
                DocumentRange::newest(self.name().clone(), DocumentKind::Directory.word(), agent.clone());
            let Some(document) = self.inner().grc.0.stores.store.documents(&range).await?.into_iter().next()
            else {
                return Ok(None);
            };
            let entry = serde_json::from_slice(&document.body).map_err(|_| {
                GrcError::Corrupt(format!("the directory's entry of agent `{agent}` cannot be read"))
            })?;
            Ok(Some((document, entry)))
        })
    }
}

impl Host {
    /// Writes the name of an agent into the directory, in place of the one before, whose key is destroyed.
    ///
    /// # Errors
    /// [`GrcError::Refused`] if the id is not a word, or the name is empty or has more than 200 characters.
    pub async fn name_agent(&self, agent: &str, name: &str) -> Result<(), GrcError> {
        let refuse = |path: &str, message: &str| {
            GrcError::from(Refusal::from(Problem::new("agent.name", path, message)))
        };
        let id = Word::new(agent).map_err(|_| refuse("agent", "the agent's id is not a word"))?;
        if name.trim().is_empty() || name.chars().count() > 200 {
            return Err(refuse("name", "a name has 1 to 200 characters"));
        }
        let authority = self.authority();
        let inner = authority.inner();
        let grc = &inner.grc.0;
        let before = authority.directory_entry(&id).await?;
        let (key_id, key) = inner.fresh_key().await?;
        let context = authority.directory_context();
        let sealed = seal(&context, 1, key_id, &key.slot(&context, 1), &Value::from(name), &*grc.entropy)?;
        let entry = Entry { key: key_id, row: URL_SAFE_NO_PAD.encode(VaultRow(vec![sealed]).to_bytes()?) };
        let document = Document {
            kind: DocumentKind::Directory.word(),
            name: id,
            version: before.as_ref().map_or(1, |(document, _)| document.version + 1),
            body: crate::canonical::to_bytes(&entry)?,
        };
        // Raised, so that no earlier version stays.
        let batch = grc.batch(&inner.name, grc.clock.now())?.with(Step::RaiseDocument(document));
        authority.commit(batch).await?;
        if let Some((_, old)) = before {
            let epoch = grc.stores.keyring.destroy(&[old.key]).await?;
            grc.note_epoch(epoch).await?;
        }
        Ok(())
    }

    /// Takes the name of an agent out of the directory and destroys its key; nothing happens if there is none. Events
    /// go on naming the opaque id.
    ///
    /// # Errors
    /// [`GrcError::Refused`] if the id is not a word.
    pub async fn forget_agent(&self, agent: &str) -> Result<(), GrcError> {
        let id = Word::new(agent).map_err(|_| {
            Refusal::from(Problem::new("agent.name", "agent", "the agent's id is not a word"))
        })?;
        let authority = self.authority();
        let inner = authority.inner();
        let grc = &inner.grc.0;
        let Some((document, entry)) = authority.directory_entry(&id).await? else { return Ok(()) };
        // The key first: a row without its key is nobody's name any more, whatever happens next.
        let epoch = grc.stores.keyring.destroy(&[entry.key]).await?;
        grc.note_epoch(epoch).await?;
        let step = Step::DropDocument { kind: document.kind, name: document.name, version: document.version };
        authority.commit(grc.batch(&inner.name, grc.clock.now())?.with(step)).await?;
        Ok(())
    }
}

impl Session {
    /// The name of an agent in the directory, for agents of the authority.
    ///
    /// # Errors
    /// [`GrcError::NotPermitted`] for a citizen, or an actor whom the organisation does not know.
    pub async fn agent_name(&self, agent: &str) -> Result<Option<String>, GrcError> {
        let (acting, _) = self.acting().await?;
        if acting.is_citizen() {
            let problem = Problem::new("permission.denied", "actor", "you may not read the directory");
            return Err(Refusal::from(problem).into());
        }
        match Word::new(agent) {
            Ok(id) => self.authority().name_of_agent(&id).await,
            Err(_) => Ok(None),
        }
    }
}

impl Authority {
    /// The name of an agent in the directory.
    pub(super) async fn name_of_agent(&self, id: &Word) -> Result<Option<String>, GrcError> {
        let Some((_, entry)) = self.directory_entry(id).await? else { return Ok(None) };
        let keyring = &self.inner().grc.0.stores.keyring;
        let Some(KeyState::Whole(key)) = keyring.open(&[entry.key]).await?.pop() else { return Ok(None) };
        let damaged = || GrcError::Corrupt(format!("the directory's entry of agent `{id}` is damaged"));
        let bytes = URL_SAFE_NO_PAD.decode(&entry.row).map_err(|_| damaged())?;
        let row = VaultRow::from_bytes(&bytes)?;
        let sealed = row.0.first().ok_or_else(damaged)?;
        let context = self.directory_context();
        match open(&context, &key.slot(&context, sealed.slot), sealed)? {
            Value::Text(name) => Ok(Some(name)),
            _ => Err(damaged()),
        }
    }
}
