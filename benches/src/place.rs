//! Where a comparison takes place: a kind of store, ours and by hand, side by side on the same disk or server.

use crate::{
    Res,
    raw::{Dialect, Maps, Mysql, Raw, Sqlite},
};
use grc_core::{Stores, storage::MemoryStore, vault::MemoryKeyring};
use private_server::{Server, Setup};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, mysql::MySqlConnectOptions};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;
use uuid::Uuid;

/// Kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The reference, in memory.
    Memory,
    /// A file.
    Sqlite,
    /// A server of its own.
    Mariadb,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Sqlite, Self::Mariadb];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Mariadb => "mariadb",
        }
    }

    /// How its tables are named.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Memory | Self::Sqlite => Dialect::Sqlite,
            Self::Mariadb => Dialect::Mysql,
        }
    }
}

/// A directory, and a server if need be; both go with it.
#[derive(Debug)]
pub struct Place {
    kind: Kind,
    directory: TempDir,
    server: Option<Server>,
}

impl Place {
    /// Makes one. Several comparisons may follow one another in it, each under a name of its own.
    ///
    /// # Errors
    /// If there is no server program (`cargo xtask needs` installs it), or no room.
    pub fn new(kind: Kind) -> Res<Self> {
        let server = match kind {
            Kind::Memory | Kind::Sqlite => None,
            // It flushes at each commit, as it does of its own accord.
            Kind::Mariadb => Some(Setup::new().option("innodb-buffer-pool-size=512M").start()?),
        };
        Ok(Self { kind, directory: tempfile::tempdir()?, server })
    }

    /// What it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Where the files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Where the file of a name is, on a kind of store that has files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory().join(format!("{name}.db"))
    }

    fn database(&self, name: &str) -> Res<String> {
        let server = self.server.as_ref().ok_or("this place has no server")?;
        let sql = format!("CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4");
        let options: MySqlConnectOptions = server.url("grc").parse()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime
            .block_on(async { options.connect().await?.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await })?;
        Ok(server.url(name))
    }

    /// A fresh store of the library, which keeps what it is told through every flush.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn ours(&self, name: &str) -> Res<Stores> {
        let path = self.file(name);
        Ok(match self.kind {
            Kind::Memory => {
                let store = Arc::new(MemoryStore::with(Uuid::from_u128(1), false));
                Stores { store: store.clone(), blobs: store, keyring: Arc::new(MemoryKeyring::default()) }
            }
            Kind::Sqlite => grc_sqlite::open(path)?,
            Kind::Mariadb => {
                let keyring = grc_sqlite::Options::new().create(true).open(path)?.keyring;
                let options = grc_mysql::Options::new().create(true).connections(64);
                pollster::block_on(options.open(&self.database(name)?, keyring))?
            }
        })
    }

    /// A fresh database with the same tables, to be written by hand.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn by_hand(&self, name: &str) -> Res<Box<dyn Raw>> {
        let name = format!("{name}_raw");
        // The library makes the tables, and leaves.
        drop(self.ours(&name)?);
        self.eye(&name)
    }

    /// Looks into a database that there is.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn eye(&self, name: &str) -> Res<Box<dyn Raw>> {
        Ok(match self.kind {
            Kind::Memory => Box::new(Maps::default()),
            Kind::Sqlite => Box::new(Sqlite::open(&self.file(name))?),
            Kind::Mariadb => Box::new(Mysql::open(&self.database(name)?)?),
        })
    }
}
