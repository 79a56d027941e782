//! From files to what an engine stands on.

use crate::{Opened, Options, SqliteStore};
use grc_core::{Stores, storage::StorageError};
use std::{path::Path, sync::Arc};

/// Opens `town.db` and `town.keys` beside it, and makes them if they are not there: what [`grc_core::Grc::open`] wants.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("town.db");
/// # pollster::block_on(async {
/// let grc = grc_core::Grc::open(grc_sqlite::open(&path)?).await?;
/// let town = grc.authority("rennes")?;
/// # Ok::<(), grc_core::GrcError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`Options::open`].
pub fn open(path: impl AsRef<Path>) -> Result<Stores, StorageError> {
    Options::new().create(true).open(path).map(Stores::from)
}

impl From<Opened> for Stores {
    fn from(opened: Opened) -> Self {
        Self { store: Arc::<SqliteStore>::clone(&opened.store), blobs: opened.store, keyring: opened.keyring }
    }
}
