//! A database, the engine on it, and the built-in definition.

use crate::{
    clock::TownClock,
    database::Database,
    failure::{Failure, Res},
};
use grc_core::{Definition, Grc, SystemEntropy};
use std::{path::Path, sync::Arc};

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
    pub(crate) grc: Grc,
    pub(crate) clock: Arc<TownClock>,
    pub(crate) database: Database,
}

impl Town {
    /// Puts an engine on a database.
    pub(crate) fn on(database: Database) -> Res<Self> {
        let clock = Arc::new(TownClock::default());
        let stores = database.stores.clone();
        let engine = Grc::with(stores, Arc::<TownClock>::clone(&clock), Arc::new(SystemEntropy));
        let grc = pollster::block_on(engine).map_err(|error| {
            Failure::new(format!("{} (keys: {}): {error}", database.place, database.keys))
        })?;
        Ok(Self { grc, clock, database })
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
