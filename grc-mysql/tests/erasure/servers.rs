//! The store on one server, and its keyring on another one, or in a file.

use super::{
    common,
    eye::Watch,
    shared::{attack::windows, scan::Secrets, stage::Adapter},
};
use grc_core::vault::Keyring;
use grc_mysql::{MysqlStore, Options};
use grc_sqlite::SqliteKeyring;
use pollster::block_on;
use private_server::{Server, Setup};
use sqlx::{Connection, Executor, MySqlConnection, Row};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    sync::{Arc, LazyLock},
};
use uuid::Uuid;

/// As production has it: all that is committed is flushed, and goes to the binary log.
pub(crate) fn setup() -> Setup {
    ["log-bin", "sync-binlog=1", "binlog-format=ROW", "server-id=1", "general-log=0"]
        .into_iter()
        .fold(Setup::new(), Setup::option)
}

/// The server of the plays that are not watched: theirs is another question.
pub(crate) fn busy() -> &'static Server {
    static BUSY: LazyLock<Server> = LazyLock::new(|| {
        common::start(setup().option("innodb-flush-log-at-trx-commit=2").option("sync-binlog=0"))
    });
    &BUSY
}

/// Where the keys are.
pub(crate) enum Keys {
    /// In a database of the shared server, another process than the store's.
    Server(String),
    /// In a file.
    File(tempfile::TempDir),
}

/// A store in a fresh database of a server.
pub(crate) struct Servers {
    pub(crate) server: &'static Server,
    pub(crate) address: String,
    pub(crate) keys: Keys,
    options: Options,
    watched: bool,
    watch: Mutex<Option<Watch>>,
    backups: bool,
    /// Somebody who reads the store as it was before the erasure, and what they read.
    reader: Mutex<Option<MySqlConnection>>,
    reads: Option<&'static str>,
}

impl Servers {
    pub(crate) fn new(server: &'static Server, options: Options) -> Self {
        let keys = Keys::Server(common::fresh(common::shared()));
        let (address, watch) = (common::fresh(server), Mutex::default());
        let reader = Mutex::default();
        Self { server, address, keys, options, watched: false, watch, backups: false, reader, reads: None }
    }

    /// Not watched, not flushed.
    pub(crate) fn quick() -> Self {
        Self::new(busy(), common::options())
    }

    pub(crate) fn watched(mut self) -> Self {
        self.watched = true;
        self
    }

    pub(crate) fn with_backups(mut self) -> Self {
        self.backups = true;
        self
    }

    /// Somebody reads a table before the erasure, and goes on reading: what is dropped stays in the tables until they end.
    pub(crate) fn with_a_reader(mut self, table: &'static str) -> Self {
        self.reads = Some(table);
        self
    }

    pub(crate) fn end_reading(&self) {
        let reader = self.reader.lock().unwrap().take().unwrap();
        common::block_on(reader.close()).unwrap();
    }

    pub(crate) fn with_a_file_of_keys(mut self) -> Self {
        self.keys = Keys::File(tempfile::tempdir().unwrap());
        self
    }

    pub(crate) fn database(&self) -> &str {
        self.address.rsplit('/').next().unwrap()
    }

    pub(crate) fn backup(&self) -> PathBuf {
        self.server.directory().join("backup")
    }

    /// What the watch saw, with a last look at everything. It ends.
    pub(crate) fn end_watch(&self) -> super::eye::Seen {
        let watch = self.watch.lock().unwrap().take().unwrap();
        watch.look_at_everything()
    }

    /// The keyring as it was when it was backed up.
    pub(crate) fn older_keys(&self) -> String {
        let Keys::Server(address) = &self.keys else { panic!("the keys are in a file") };
        format!("{address}_old")
    }

    pub(crate) fn store(&self) -> MysqlStore {
        block_on(self.options.open_store(&self.address)).unwrap()
    }

    pub(crate) fn keyring(&self) -> Arc<dyn Keyring> {
        match &self.keys {
            Keys::Server(address) => Arc::new(block_on(common::options().open_keyring(address)).unwrap()),
            Keys::File(directory) => {
                let options = grc_sqlite::Options::new().create(true);
                Arc::new(SqliteKeyring::open(directory.path().join("town.keys"), &options).unwrap())
            }
        }
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success());
}

impl Adapter for Servers {
    type Store = MysqlStore;
    type Keyring = dyn Keyring;
    const PREFIX: &'static str = "grc_";

    fn open(&self, secrets: &Secrets) -> (Arc<MysqlStore>, Arc<dyn Keyring>) {
        if self.watched {
            let watch = Watch::start(self.server.directory(), self.server.pid().unwrap(), secrets);
            *self.watch.lock().unwrap() = Some(watch);
        }
        (Arc::new(self.store()), self.keyring())
    }

    fn look(&self, _: &Secrets) {
        if let Some(watch) = &*self.watch.lock().unwrap() {
            watch.look();
        }
    }

    /// The data directory as a power cut would leave it, and the keyring's tables.
    fn back_up(&self) {
        if let Some(table) = self.reads {
            common::block_on(async {
                let mut reader = common::connect(self.server, self.database()).await;
                for text in [
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ".to_owned(),
                    "START TRANSACTION".to_owned(),
                    format!("SELECT * FROM {table} LIMIT 1"),
                ] {
                    reader.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(text))).await.unwrap();
                }
                *self.reader.lock().unwrap() = Some(reader);
            });
        }
        if !self.backups {
            return;
        }
        self.server.freeze().unwrap();
        copy(&self.server.data_dir(), &self.backup());
        self.server.thaw().unwrap();
        let (new, old) = (self.older_keys(), self.database_of_keys());
        let new = new.rsplit('/').next().unwrap().to_owned();
        let mut script = format!("CREATE DATABASE {new} CHARACTER SET utf8mb4;");
        for table in ["grc_schema", "grc_keyring", "grc_key", "grc_kept"] {
            script += &format!("CREATE TABLE {new}.{table} LIKE {old}.{table};");
            script += &format!("INSERT INTO {new}.{table} SELECT * FROM {old}.{table};");
        }
        common::run(common::shared(), &script);
    }

    fn candidates(&self) -> Vec<[u8; 32]> {
        match &self.keys {
            // Its files are another process's, on another machine.
            Keys::Server(_) => Vec::new(),
            Keys::File(directory) => windows(directory.path(), &[".keys"]),
        }
    }

    fn rows(&self, sql: &str, id: Uuid) -> Vec<Vec<u8>> {
        common::block_on(async {
            let mut connection = common::connect(self.server, self.database()).await;
            let sql = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).bind(&id.as_bytes()[..]);
            let rows = sql.fetch_all(&mut connection).await.unwrap();
            rows.iter().map(|row| row.try_get::<Vec<u8>, _>(0).unwrap()).collect()
        })
    }
}

impl Servers {
    fn database_of_keys(&self) -> String {
        let Keys::Server(address) = &self.keys else { panic!("the keys are in a file") };
        address.rsplit('/').next().unwrap().to_owned()
    }
}

/// Puts a copy of a data directory in the place of what a server has, and starts it again.
pub(crate) fn restore(server: &Server, backup: &Path) {
    server.stop().unwrap();
    fs::remove_dir_all(server.data_dir()).unwrap();
    copy(backup, &server.data_dir());
    server.restart().unwrap();
}

/// Has the server write all pages of these tables to their files, where they can be read.
pub(crate) fn flush(server: &Server, database: &str, tables: &[&str]) {
    let tables = tables.iter().map(|table| format!("{database}.{table}")).collect::<Vec<_>>().join(", ");
    common::run(server, &format!("FLUSH TABLES {tables} FOR EXPORT; UNLOCK TABLES"));
}
