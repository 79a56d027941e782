//! The database, the engine on it, and the built-in definition.

use crate::{
    clock::TownClock,
    failure::{Failure, Res},
};
use grc_core::{Definition, Grc, SystemEntropy};
use grc_sqlite::{Opened, Options, SqliteStore};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The authority's name in the database.
pub(crate) const TOWN: &str = "ville";

/// The built-in definition, so that the program runs from anywhere.
const FILES: [(&str, &str); 8] = [
    ("organisation.toml", include_str!("../town/organisation.toml")),
    ("circuit.toml", include_str!("../town/circuit.toml")),
    ("eau.toml", include_str!("../town/eau.toml")),
    ("voirie.toml", include_str!("../town/voirie.toml")),
    ("eclairage.toml", include_str!("../town/eclairage.toml")),
    ("proprete.toml", include_str!("../town/proprete.toml")),
    ("espaces-verts.toml", include_str!("../town/espaces-verts.toml")),
    ("batiments.toml", include_str!("../town/batiments.toml")),
];

/// A database with an engine on it.
pub(crate) struct Town {
    pub(crate) path: PathBuf,
    pub(crate) grc: Grc,
    pub(crate) clock: Arc<TownClock>,
    store: Arc<SqliteStore>,
}

impl Town {
    /// Opens a database, or makes it; without a path, a new one in a temporary place, which is kept.
    pub(crate) fn open(path: Option<&Path>) -> Res<Self> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => {
                let directory = tempfile::Builder::new().prefix("grc-").tempdir()?;
                directory.keep().join("town.db")
            }
        };
        let Opened { store, keyring } = Options::new().create(true).open(&path)?;
        let clock = Arc::new(TownClock::default());
        let opened = Opened { store: Arc::clone(&store), keyring };
        let engine = Grc::with(opened.into(), Arc::<TownClock>::clone(&clock), Arc::new(SystemEntropy));
        let grc = pollster::block_on(engine)?;
        Ok(Self { path, grc, clock, store })
    }

    /// Closes the files.
    pub(crate) fn close(self) -> PathBuf {
        drop(self.grc);
        self.store.close();
        self.path
    }
}

/// The definition in a directory, or the built-in one.
pub(crate) fn definition(directory: Option<&Path>) -> Res<Definition> {
    match directory {
        None => Definition::from_files(FILES).map_err(|error| Failure::new(error.to_string())),
        Some(path) => Definition::from_dir(path)
            .map_err(|error| Failure::usage(format!("the definition in {}: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_built_in_definition_can_work() {
        super::definition(None).unwrap_or_else(|error| panic!("{}", error.text));
    }
}
