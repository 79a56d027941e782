//! A store and its keyring, which belong together.

use crate::{Opened, Options, SqliteKeyring, SqliteStore, error::unusable};
use grc_core::storage::StorageError;
use std::{path::Path, sync::Arc};

/// Opens both, or says which of them is missing. The store is made before its keys: a crash in between leaves an empty
/// store without keys, for which keys may still be made.
pub(crate) fn open(options: &Options, path: &Path) -> Result<Opened, StorageError> {
    let keys = path.with_extension("keys");
    if keys == path {
        return Err(unusable(format!(
            "`{}` is the name of a keys file: give the path of the store, such as `town.db`",
            path.display()
        )));
    }
    if !path.exists() && keys.exists() {
        return Err(unusable(format!(
            "the keys `{}` are there, but their store `{}` is not: put the store back (a backup will do), or move the \
             keys away to begin a new one",
            keys.display(),
            path.display()
        )));
    }
    let store = SqliteStore::start(options, path)?;
    if !keys.exists() && store.is_filled(options)? {
        return Err(unusable(format!(
            "the keys `{}` of the store `{}` are missing: put the keys file back beside it. Without them nothing sealed \
             can be read, so no new ones are made",
            keys.display(),
            path.display()
        )));
    }
    let keyring = SqliteKeyring::start(options, &keys)?;
    store.bind(options, keyring.id(), &keys)?;
    Ok(Opened { store: Arc::new(store), keyring: Arc::new(keyring) })
}
