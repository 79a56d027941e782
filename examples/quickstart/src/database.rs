//! The stores of a town: a file with its keys beside it, or a database of a server with its keys elsewhere.

use crate::{
    failure::{Failure, Res},
    place::{Address, Place},
    town::TOWN,
};
use grc_core::{
    Stores, Word,
    storage::{Load, Parts, Store},
    vault::Keyring,
};
use grc_mysql::{MysqlKeyring, MysqlStore};
use grc_sqlite::{Opened, SqliteKeyring, SqliteStore};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Stores that are open, and where they are.
pub(crate) struct Database {
    pub(crate) stores: Stores,
    /// Whether it was there before: a file, or in a database the town's definition.
    pub(crate) was_there: bool,
    /// Where it is, and where its keys are.
    pub(crate) place: Place,
    pub(crate) keys: Place,
    /// Whether the keys are where they are because that was asked.
    pub(crate) keys_were_given: bool,
    /// Where pages are written: beside the file, or in the current directory.
    pub(crate) folder: PathBuf,
    handles: Handles,
}

/// What has to be closed.
enum Handles {
    Sqlite(Opened),
    Mysql(Arc<MysqlStore>, Keys),
}

#[derive(Clone)]
enum Keys {
    Sqlite(Arc<SqliteKeyring>),
    Mysql(Arc<MysqlKeyring>),
}

impl Keys {
    /// Opens them, or makes them if they may be made.
    fn open(place: &Place, create: bool) -> Res<Self> {
        let opened = match place {
            Place::File(path) => {
                let options = grc_sqlite::Options::new().create(create);
                SqliteKeyring::open(path, &options).map(|keyring| Self::Sqlite(Arc::new(keyring)))
            }
            Place::Server(address) => {
                let options = grc_mysql::Options::new().create(create);
                let opening = options.open_keyring(address.whole());
                pollster::block_on(opening).map(|keyring| Self::Mysql(Arc::new(keyring)))
            }
        };
        opened.map_err(|error| {
            let text = error.to_string();
            Failure::new(if create {
                text
            } else {
                format!("{text}\nThe keys are where they were made with the database: `--keys` says where")
            })
        })
    }

    fn keyring(&self) -> Arc<dyn Keyring> {
        match self {
            Self::Sqlite(keyring) => Arc::<SqliteKeyring>::clone(keyring),
            Self::Mysql(keyring) => Arc::<MysqlKeyring>::clone(keyring),
        }
    }

    fn close(&self) {
        match self {
            Self::Sqlite(keyring) => keyring.close(),
            Self::Mysql(keyring) => pollster::block_on(keyring.close()),
        }
    }
}

impl Database {
    /// Opens a database, or makes it; without a place, a file in a new temporary folder, which is kept.
    pub(crate) fn open(place: Option<&Place>, keys: Option<&Place>, workers: usize) -> Res<Self> {
        match place {
            Some(Place::Server(address)) => Self::on_server(address, keys, workers),
            Some(Place::File(path)) => Self::in_file(path),
            None => {
                let directory = tempfile::Builder::new().prefix("grc-").tempdir()?;
                Self::in_file(&directory.keep().join("town.db"))
            }
        }
    }

    fn in_file(path: &Path) -> Res<Self> {
        let was_there = path.exists();
        let opened = grc_sqlite::Options::new().create(true).open(path)?;
        let store = Arc::clone(&opened.store);
        Ok(Self {
            stores: Stores {
                store: Arc::<SqliteStore>::clone(&store),
                blobs: store,
                keyring: Arc::<SqliteKeyring>::clone(&opened.keyring),
            },
            was_there,
            place: Place::File(path.to_owned()),
            keys: Place::File(path.with_extension("keys")),
            keys_were_given: false,
            folder: path.parent().unwrap_or_else(|| Path::new("")).to_owned(),
            handles: Handles::Sqlite(opened),
        })
    }

    fn on_server(address: &Address, keys: Option<&Place>, workers: usize) -> Res<Self> {
        let folder = std::env::current_dir()?;
        // Each that works has a connection; a server has 151 unless it is told otherwise.
        let connections = u32::try_from(workers).unwrap_or(u32::MAX).min(MOST_CONNECTIONS);
        let options = grc_mysql::Options::new().create(true).connections(connections);
        let store = Arc::new(pollster::block_on(options.open_store(address.whole()))?);
        let was_there = is_published(&*store)?;
        let place = match keys {
            Some(place) => place.clone(),
            None => Place::File(address.keys(&folder)?),
        };
        // New keys for what is sealed under others would open nothing.
        let opened = Keys::open(&place, !was_there)?;
        Ok(Self {
            stores: Stores {
                store: Arc::<MysqlStore>::clone(&store),
                blobs: Arc::<MysqlStore>::clone(&store),
                keyring: opened.keyring(),
            },
            was_there,
            place: Place::Server(address.clone()),
            keys: place,
            keys_were_given: keys.is_some(),
            folder,
            handles: Handles::Mysql(store, opened),
        })
    }

    /// Closes files and connections.
    pub(crate) fn close(&self) {
        match &self.handles {
            Handles::Sqlite(opened) => opened.store.close(),
            Handles::Mysql(store, keys) => {
                pollster::block_on(store.close());
                keys.close();
            }
        }
    }

    /// The options that open it again; a password is left out.
    pub(crate) fn options(&self) -> String {
        let keys = if self.keys_were_given { format!(" --keys {}", self.keys) } else { String::new() };
        format!("--db {}{keys}", self.place)
    }
}

/// Most connections to a server.
const MOST_CONNECTIONS: u32 = 64;

/// Whether the town has a definition.
fn is_published(store: &dyn Store) -> Res<bool> {
    let authority = Word::new(TOWN).map_err(|error| Failure::new(error.to_string()))?;
    let load = Load { authority, streams: Vec::new(), parts: Parts::None, receipt: None };
    Ok(pollster::block_on(store.load(&load))?.organisation > 0)
}
