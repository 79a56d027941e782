//! The keys, in a file of their own.

use crate::{
    Options,
    connection::{self, at_once, at_one_moment},
    error::{Fault, NAME, Outcome, corrupt, unusable},
    files,
    pool::Pool,
    schema,
};
use async_trait::async_trait;
use grc_core::{
    Entropy, KeyId, SystemEntropy,
    storage::StorageError,
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use uuid::Uuid;

// Each one byte in a row, so that a row keeps its size whatever happens to its key.
const WHOLE: i64 = 10;
const KEPT: i64 = 11;
const DESTROYED: i64 = 12;

/// A keyring in an SQLite file, `town.keys` beside `town.db`.
///
/// A key is destroyed by overwriting its bytes where they are; the journal, which holds the page as it was, is cut when
/// the change is durable. The file is small and its changes are rare: one thread does everything.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("town.keys");
/// use grc_core::{KeyId, vault::{DataKey, KeyState, Keyring}};
/// use grc_sqlite::{Options, SqliteKeyring};
///
/// let keyring = SqliteKeyring::open(&path, &Options::new().create(true))?;
/// let id = KeyId::from_uuid(uuid::Uuid::from_u128(7));
/// pollster::block_on(async {
///     keyring.issue(&[(id, DataKey::from_bytes([9; 32]))]).await?;
///     keyring.destroy(&[id]).await?;
///     assert_eq!(keyring.open(&[id]).await?, [KeyState::Destroyed]);
///     Ok::<(), grc_core::vault::KeyringError>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteKeyring {
    id: Uuid,
    file: PathBuf,
    thread: Pool,
}

impl SqliteKeyring {
    /// Opens a keyring alone. [`Options::open`] opens it with its store, and sees to it that the two belong together.
    ///
    /// # Errors
    /// [`KeyringError`] with what is wrong with the file and what to do.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, KeyringError> {
        let file = path.as_ref();
        Self::start(options, file).map_err(|error| Fault::Store(error).keyring_at(file))
    }

    pub(crate) fn start(options: &Options, file: &Path) -> Result<Self, StorageError> {
        files::prepare(file, options.create, schema::KEYRING.what)?;
        let (id, connection) = connect(options, file).map_err(|fault| fault.at(file))?;
        let thread = Pool::start("grc-keyring", vec![connection])
            .map_err(|error| unusable(format!("no thread for the keyring: {error}")))?;
        Ok(Self { id, file: file.to_owned(), thread })
    }

    /// The keyring's own id.
    pub(crate) const fn id(&self) -> Uuid {
        self.id
    }

    /// Ends the keyring's thread when it has done what it was handed. Later calls fail. Dropping the last handle does
    /// the same.
    pub fn close(&self) {
        self.thread.close();
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    ) -> Result<T, KeyringError> {
        self.thread
            .run(work)
            .await
            .unwrap_or_else(|closed| Err(closed.into()))
            .map_err(|fault| fault.keyring_at(&self.file))
    }
}

fn connect(options: &Options, file: &Path) -> Outcome<(Uuid, Connection)> {
    let connection = connection::keyring(file, options)?;
    schema::KEYRING.migrate(&connection, file, |connection| {
        let mut id = [0; 16];
        SystemEntropy.fill(&mut id).map_err(|error| unusable(error.to_string()))?;
        let id = uuid::Builder::from_random_bytes(id).into_uuid();
        connection.execute("INSERT INTO keyring (id, epoch) VALUES (?, 0)", params![&id.as_bytes()[..]])?;
        Ok(())
    })?;
    Ok((epoch(&connection)?.0, connection))
}

#[async_trait]
impl Keyring for SqliteKeyring {
    fn info(&self) -> KeyringInfo {
        KeyringInfo::new(
            NAME,
            "the key's bytes are overwritten in the keyring's file and its journal is cut; copies of the file made \
             before, and what the disk or the file system keeps of overwritten blocks, are not reached",
        )
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.run(epoch).await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        let keys = keys.to_vec();
        self.run(move |connection| {
            at_once(connection, |connection| {
                let mut changed = false;
                for (id, key) in &keys {
                    if find(connection, *id)?.is_none() {
                        append(connection, *id, WHOLE, key.expose())?;
                        changed = true;
                    }
                }
                advance(connection, changed)
            })
        })
        .await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        let ids = ids.to_vec();
        self.run(move |connection| {
            at_one_moment(connection, |connection| ids.iter().map(|id| state(connection, *id)).collect())
        })
        .await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        let slots = slots.clone();
        let name = self.file.clone();
        self.run(move |connection| at_once(connection, |connection| keep(connection, id, &slots)))
            .await
            .and_then(|epoch| {
                epoch.ok_or_else(|| {
                    KeyringError::new(
                        NAME,
                        format!(
                            "key {id} is not in `{}`: is it the keyring of this store, and no older copy?",
                            name.display()
                        ),
                    )
                })
            })
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        let ids = ids.to_vec();
        self.run(move |connection| at_once(connection, |connection| destroy(connection, &ids))).await
    }
}

fn epoch(connection: &Connection) -> Outcome<(Uuid, u64)> {
    let (id, epoch) = connection
        .prepare_cached("SELECT id, epoch FROM keyring")?
        .query_row([], |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, i64>(1)?)))?;
    Ok((Uuid::from_bytes(id), u64::try_from(epoch).map_err(|_| corrupt("the keyring's epoch is negative"))?))
}

/// Raises the epoch if something changed, within the transaction that changed it.
fn advance(connection: &Connection, changed: bool) -> Outcome<u64> {
    if changed {
        connection.prepare_cached("UPDATE keyring SET epoch = epoch + 1")?.execute([])?;
    }
    Ok(epoch(connection)?.1)
}

/// The row of a key, and its state.
fn find(connection: &Connection, id: KeyId) -> Outcome<Option<(i64, i64)>> {
    Ok(connection
        .prepare_cached("SELECT n, state FROM entry WHERE id = ?")?
        .query_row([&id.as_bytes()[..]], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

fn append(connection: &Connection, id: KeyId, state: i64, key: &[u8; 32]) -> Outcome<()> {
    // No number is given: SQLite takes the one after the last, so that rows only grow at the end.
    connection.prepare_cached("INSERT INTO entry (id, state, key) VALUES (?, ?, ?)")?.execute(params![
        &id.as_bytes()[..],
        state,
        &key[..]
    ])?;
    Ok(())
}

/// Overwrites a key in its place.
fn overwrite(connection: &Connection, n: i64, state: i64) -> Outcome<()> {
    connection
        .prepare_cached("UPDATE entry SET state = ?, key = zeroblob(32) WHERE n = ?")?
        .execute([state, n])?;
    Ok(())
}

/// The rows of the slots that are kept of a key.
fn kept(connection: &Connection, id: KeyId) -> Outcome<Vec<(i64, Slot, SlotKey)>> {
    let mut statement =
        connection.prepare_cached("SELECT n, slot, key FROM kept WHERE id = ? AND state = 10 ORDER BY n")?;
    let mut rows = statement.query([&id.as_bytes()[..]])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push((row.get(0)?, row.get(1)?, SlotKey::from_bytes(row.get(2)?)));
    }
    Ok(out)
}

fn drop_kept(connection: &Connection, n: i64) -> Outcome<()> {
    connection.prepare_cached("UPDATE kept SET state = 12, key = zeroblob(32) WHERE n = ?")?.execute([n])?;
    Ok(())
}

fn state(connection: &Connection, id: KeyId) -> Outcome<KeyState> {
    let found = connection
        .prepare_cached("SELECT state, key FROM entry WHERE id = ?")?
        .query_row([&id.as_bytes()[..]], |row| Ok((row.get::<_, i64>(0)?, DataKey::from_bytes(row.get(1)?))))
        .optional()?;
    Ok(match found {
        None => KeyState::Unknown,
        Some((WHOLE, key)) => KeyState::Whole(key),
        Some((KEPT, _)) => {
            KeyState::Kept(kept(connection, id)?.into_iter().map(|(_, slot, key)| (slot, key)).collect())
        }
        Some((DESTROYED, _)) => KeyState::Destroyed,
        Some(_) => return Err(Fault::Store(corrupt("a key is in a state that is not known"))),
    })
}

/// The epoch after it; none if the key is not here.
fn keep(connection: &Connection, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Outcome<Option<u64>> {
    let changed = match find(connection, id)? {
        None => return Ok(None),
        Some((_, DESTROYED)) => false,
        Some((n, WHOLE)) => {
            for (slot, key) in slots {
                connection
                    .prepare_cached("INSERT INTO kept (id, slot, state, key) VALUES (?, ?, 10, ?)")?
                    .execute(params![&id.as_bytes()[..], slot, &key.expose()[..]])?;
            }
            overwrite(connection, n, KEPT)?;
            true
        }
        Some(_) => {
            let mut changed = false;
            for (n, slot, _) in kept(connection, id)? {
                if !slots.contains_key(&slot) {
                    drop_kept(connection, n)?;
                    changed = true;
                }
            }
            changed
        }
    };
    advance(connection, changed).map(Some)
}

fn destroy(connection: &Connection, ids: &[KeyId]) -> Outcome<u64> {
    let mut changed = false;
    for id in ids {
        match find(connection, *id)? {
            Some((_, DESTROYED)) => continue,
            Some((n, state)) => {
                overwrite(connection, n, DESTROYED)?;
                if state == KEPT {
                    for (n, ..) in kept(connection, *id)? {
                        drop_kept(connection, n)?;
                    }
                }
            }
            // A tombstone for a key that this keyring never had.
            None => append(connection, *id, DESTROYED, &[0; 32])?,
        }
        changed = true;
    }
    advance(connection, changed)
}
