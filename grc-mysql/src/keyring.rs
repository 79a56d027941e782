//! The keys, in a database of their own.

use crate::{
    Options,
    database::Database,
    error::{Fault, NAME, Outcome, corrupt},
    schema,
    server::Server,
    session::{Session, holes, sql},
    store::fresh_id,
};
use async_trait::async_trait;
use grc_core::{
    KeyId,
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use sqlx::{Row, mysql::MySqlRow};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

const WHOLE: u8 = 10;
const KEPT: u8 = 11;
const DESTROYED: u8 = 12;

/// A keyring in a database of a MySQL or MariaDB server: best on another server than the store's, under another account,
/// so that whoever copies the one has not copied the other.
///
/// A key is destroyed by overwriting it in its row, which from then on answers to nobody. The server's own logs hold the
/// older row for a while, the redo log until it has come round once: keep its binary log short or off, its redo log small,
/// and its backups apart and short-lived.
#[derive(Debug)]
pub struct MysqlKeyring {
    database: Database,
}

impl MysqlKeyring {
    pub(crate) async fn start(options: &Options, address: &str) -> Result<Self, KeyringError> {
        let opened = Database::open(options, address, connect).await;
        let (database, ()) = opened.map_err(|error| Fault::Store(error).keyring_at(""))?;
        Ok(Self { database })
    }

    /// Waits for what was handed in, and closes the connections. Later calls fail.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Does something on the keyring's own threads.
    async fn run<T, F>(&self, work: impl FnOnce(Server) -> F) -> Result<T, KeyringError>
    where
        T: Send + 'static,
        F: Future<Output = Outcome<T>> + Send + 'static,
    {
        let done = self.database.run(work).await;
        done.map_err(|error| Fault::Store(error).keyring_at(self.database.place()))
    }
}

async fn connect(server: Server, options: Options) -> Outcome<()> {
    server.try_out().await?;
    let mut session = server.session().await?;
    schema::KEYRING.migrate(&mut session, options.create, server.place()).await?;
    let found = session.rows(sqlx::query("SELECT 1 FROM grc_keyring")).await?;
    if !found.is_empty() {
        return Ok(());
    }
    // Made with the keyring, never anew: of several who make it at once, the first wins.
    let first = "INSERT INTO grc_keyring (one, id, epoch) VALUES (1, ?, 0)";
    session.begin().await?;
    match session.execute(sqlx::query(first).bind(&fresh_id()?.as_bytes()[..])).await {
        Err(fault) if fault.is_duplicate() => {
            session.rollback().await;
            return Ok(());
        }
        other => other.map(|_| ())?,
    }
    for (table, slot) in [("grc_key (n, id,", ""), ("grc_kept (n, id, slot,", " 0,")] {
        let row = |n: u64| format!("({n}, NULL,{slot} {DESTROYED}, x'{:064x}')", 0);
        let rows = (1..=BLANKS).map(row).collect::<Vec<_>>().join(", ");
        session.execute(sql(format!("INSERT INTO {table} state, `key`) VALUES {rows}"))).await?;
    }
    session.commit().await
}

/// How many rows without a key a table begins with: more than the largest page holds (64 KiB), see the migration.
const BLANKS: u64 = 2_000;

/// What the keyring says of itself, on a server with a binary log and on one without: the log keeps older rows. Rows do
/// not move, but for those of a page that is full just when the adding of a row was taken back.
const ERASURE: &str = "the key's bytes are overwritten in its row and given to nobody any more; copies stay in the \
                       keyring server's redo, undo and doublewrite logs until they are overwritten, in its binary log, \
                       if it has one, and in its replicas and backups until they expire; and, rarely, in a page of the \
                       table that the server has split, until the table is written anew";

#[async_trait]
impl Keyring for MysqlKeyring {
    fn info(&self) -> KeyringInfo {
        KeyringInfo::new(NAME, ERASURE)
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.run(|server| async move {
            let rows = server.rows(|| sqlx::query("SELECT id, epoch FROM grc_keyring WHERE one = 1")).await?;
            let row = rows.first().ok_or_else(|| corrupt("the keyring has no id"))?;
            Ok((Uuid::from_bytes(array(row, 0)?), row.try_get::<u64, _>(1)?))
        })
        .await
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        let keys = keys.to_vec();
        self.run(|server| async move { server.again(|| issue(&server, &keys)).await }).await
    }

    async fn open(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        let ids = ids.to_vec();
        self.run(|server| async move { server.read(&ids, |session, ids| Box::pin(open(session, ids))).await })
            .await
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        let slots = slots.clone();
        let epoch =
            self.run(|server| async move { server.again(|| keep(&server, id, &slots)).await }).await?;
        epoch.ok_or_else(|| {
            KeyringError::new(
                NAME,
                format!(
                    "key {id} is not in `{}`: is it the keyring of this store, and no older copy?",
                    self.database.place()
                ),
            )
        })
    }

    async fn destroy(&self, ids: &[KeyId]) -> Result<u64, KeyringError> {
        let ids = ids.to_vec();
        self.run(|server| async move { server.again(|| destroy(&server, &ids)).await }).await
    }
}

fn array<const N: usize>(row: &MySqlRow, column: usize) -> Outcome<[u8; N]> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map_err(|_| corrupt("a column of the keyring has a wrong length"))
}

/// Begins a change: whoever changes the keyring writes the row of its epoch first, so one does at a time.
async fn begin(server: &Server) -> Outcome<Session> {
    let mut session = server.session().await?;
    session.begin().await?;
    session.execute(sqlx::query("UPDATE grc_keyring SET epoch = epoch + 1 WHERE one = 1")).await?;
    Ok(session)
}

/// Ends a change: the epoch stays where it was if nothing changed. What was found to be so already is flushed.
async fn end(mut session: Session, changed: bool) -> Outcome<u64> {
    if !changed {
        session.rollback().await;
    }
    let row = session.row(sqlx::query("SELECT epoch FROM grc_keyring WHERE one = 1")).await?;
    let epoch = row.ok_or_else(|| corrupt("the keyring has no epoch"))?.try_get::<u64, _>(0)?;
    if changed {
        session.commit().await?;
    } else {
        // After the reading: the epoch too may be another's, and not flushed yet.
        session.flush().await?;
    }
    Ok(epoch)
}

/// The states of keys, as far as they are there.
async fn states(session: &mut Session, ids: &[KeyId]) -> Outcome<HashMap<KeyId, (u8, [u8; 32])>> {
    let mut out = HashMap::new();
    for ids in ids.chunks(500) {
        let text = format!("SELECT id, state, `key` FROM grc_key WHERE id IN ({})", holes(ids.len()));
        let read = ids.iter().fold(sql(text), |sql, id| sql.bind(&id.as_bytes()[..]));
        for row in session.rows(read).await? {
            out.insert(
                KeyId::from_uuid(Uuid::from_bytes(array(&row, 0)?)),
                (row.try_get::<u8, _>(1)?, array(&row, 2)?),
            );
        }
    }
    Ok(out)
}

/// The number of a table's last row. Nobody else adds one: they all wait for the row of the epoch.
async fn last(session: &mut Session, table: &'static str) -> Outcome<u64> {
    let row = session.row(sql(format!("SELECT MAX(n) FROM {table}"))).await?;
    let last = row.map_or(Ok(None), |row| row.try_get::<Option<u64>, _>(0))?;
    Ok(last.unwrap_or(0))
}

/// Adds keys after those that there are: rows never move, see the migration.
async fn append(session: &mut Session, state: u8, keys: &[(KeyId, &[u8; 32])]) -> Outcome<()> {
    let insert = "INSERT INTO grc_key (n, id, state, `key`) VALUES (?, ?, ?, ?)";
    let mut n = last(session, "grc_key").await?;
    for (id, key) in keys {
        n += 1;
        let insert = sqlx::query(insert).bind(n).bind(&id.as_bytes()[..]).bind(state).bind(&key[..]);
        session.execute(insert).await?;
    }
    Ok(())
}

/// Adds the slots that are kept of a key.
async fn append_kept(session: &mut Session, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Outcome<()> {
    let insert = "INSERT INTO grc_kept (n, id, slot, state, `key`) VALUES (?, ?, ?, 10, ?)";
    let mut n = last(session, "grc_kept").await?;
    for (slot, key) in slots {
        n += 1;
        let insert = sqlx::query(insert).bind(n).bind(&id.as_bytes()[..]).bind(*slot);
        session.execute(insert.bind(&key.expose()[..])).await?;
    }
    Ok(())
}

/// Overwrites a key in its place.
async fn overwrite(session: &mut Session, id: KeyId, state: u8) -> Outcome<()> {
    let update = "UPDATE grc_key SET state = ?, `key` = ? WHERE id = ?";
    let update = sqlx::query(update).bind(state).bind(&[0_u8; 32][..]).bind(&id.as_bytes()[..]);
    session.execute(update).await.map(|_| ())
}

/// The slots that are kept of a key.
async fn kept(session: &mut Session, id: KeyId) -> Outcome<BTreeMap<Slot, SlotKey>> {
    let read = "SELECT slot, `key` FROM grc_kept WHERE id = ? AND state = 10 ORDER BY slot";
    let rows = session.rows(sqlx::query(read).bind(&id.as_bytes()[..])).await?;
    rows.iter().map(|row| Ok((row.try_get::<u32, _>(0)?, SlotKey::from_bytes(array(row, 1)?)))).collect()
}

/// Overwrites the kept slots of a key, but for some.
async fn drop_kept(session: &mut Session, id: KeyId, but: &[Slot]) -> Outcome<bool> {
    let except =
        if but.is_empty() { String::new() } else { format!(" AND slot NOT IN ({})", holes(but.len())) };
    let text = format!("UPDATE grc_kept SET state = 12, `key` = ? WHERE id = ? AND state = 10{except}");
    let update = sql(text).bind(&[0_u8; 32][..]).bind(&id.as_bytes()[..]);
    let update = but.iter().fold(update, |sql, slot| sql.bind(*slot));
    Ok(session.execute(update).await? > 0)
}

async fn open(session: &mut Session, ids: &[KeyId]) -> Outcome<Vec<KeyState>> {
    let states = states(session, ids).await?;
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        out.push(match states.get(id) {
            None => KeyState::Unknown,
            Some((WHOLE, key)) => KeyState::Whole(DataKey::from_bytes(*key)),
            Some((KEPT, _)) => KeyState::Kept(kept(session, *id).await?),
            Some((DESTROYED, _)) => KeyState::Destroyed,
            Some(_) => return Err(corrupt("a key is in a state that is not known")),
        });
    }
    Ok(out)
}

async fn issue(server: &Server, keys: &[(KeyId, DataKey)]) -> Outcome<u64> {
    let mut session = begin(server).await?;
    let ids: Vec<KeyId> = keys.iter().map(|(id, _)| *id).collect();
    let known = states(&mut session, &ids).await?;
    let mut fresh: BTreeMap<KeyId, &DataKey> = BTreeMap::new();
    for (id, key) in keys.iter().filter(|(id, _)| !known.contains_key(id)) {
        fresh.entry(*id).or_insert(key);
    }
    let rows: Vec<(KeyId, &[u8; 32])> = fresh.iter().map(|(id, key)| (*id, key.expose())).collect();
    append(&mut session, WHOLE, &rows).await?;
    end(session, !fresh.is_empty()).await
}

/// The epoch after it; none if the key is not here.
async fn keep(server: &Server, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Outcome<Option<u64>> {
    let mut session = begin(server).await?;
    let changed = match states(&mut session, &[id]).await?.get(&id) {
        None => {
            session.rollback().await;
            return Ok(None);
        }
        Some((DESTROYED, _)) => false,
        Some((WHOLE, _)) => {
            append_kept(&mut session, id, slots).await?;
            overwrite(&mut session, id, KEPT).await?;
            true
        }
        Some(_) => {
            let but: Vec<Slot> = slots.keys().copied().collect();
            drop_kept(&mut session, id, &but).await?
        }
    };
    end(session, changed).await.map(Some)
}

async fn destroy(server: &Server, ids: &[KeyId]) -> Outcome<u64> {
    let mut session = begin(server).await?;
    let known = states(&mut session, ids).await?;
    let mut changed = false;
    let mut done = Vec::new();
    for id in ids {
        match known.get(id) {
            _ if done.contains(id) => continue,
            Some((DESTROYED, _)) => continue,
            Some((state, _)) => {
                overwrite(&mut session, *id, DESTROYED).await?;
                if *state == KEPT {
                    drop_kept(&mut session, *id, &[]).await?;
                }
            }
            // A tombstone for a key that this keyring never had.
            None => append(&mut session, DESTROYED, &[(*id, &[0; 32])]).await?,
        }
        done.push(*id);
        changed = true;
    }
    end(session, changed).await
}
