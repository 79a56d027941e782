//! Opening a store by its address.

use crate::{
    clock::clock,
    failure::{Failure, Outcome, unsuitable},
    keyring::Outside,
    operation::Operation,
    process::slowly,
    store::{Closing, Opened, Store},
    values::{boolean, integer, optional_text, text},
};
use grc_core::{Clock, Entropy, Grc, SeededEntropy, Stores, SystemClock, SystemEntropy, vault::Keyring};
use pyo3::{exceptions::PyTypeError, prelude::*};
use std::{path::PathBuf, sync::Arc};

/// An address, read.
enum Address {
    Memory,
    File(PathBuf),
    Server(String),
}

impl Address {
    fn of(name: &str, url: &str) -> PyResult<Self> {
        if url == "memory:" {
            return Ok(Self::Memory);
        }
        if let Some(path) = url.strip_prefix("sqlite:///").filter(|path| !path.is_empty()) {
            return Ok(Self::File(path.into()));
        }
        if url.starts_with("mysql://") || url.starts_with("mariadb://") {
            return Ok(Self::Server(url.to_owned()));
        }
        // It may hold a password, so it is not repeated.
        Err(unsuitable(format!(
            "{name}: an address is memory:, sqlite:///relative/town.db, sqlite:////absolute/town.db, or \
             mysql://user:password@host/database"
        )))
    }
}

/// Which keyring.
enum Ring {
    /// The one beside the file.
    Beside,
    At(Address),
    Outside(Outside),
}

/// What stands besides the address.
struct Options {
    create: bool,
    test: bool,
    relaxed: bool,
    connections: Option<u32>,
}

impl Options {
    fn sqlite(&self) -> grc_sqlite::Options {
        let options = grc_sqlite::Options::new().create(self.create).test(self.test);
        if self.relaxed { options.durability(grc_sqlite::Durability::Relaxed) } else { options }
    }

    fn mysql(&self) -> grc_mysql::Options {
        let options = grc_mysql::Options::new().create(self.create).test(self.test);
        let options = if self.relaxed { options.durability(grc_mysql::Durability::Relaxed) } else { options };
        match self.connections {
            Some(connections) => options.connections(connections),
            None => options,
        }
    }

    async fn keyring(&self, ring: Ring, closing: &mut Closing) -> Outcome<Option<Arc<dyn Keyring>>> {
        Ok(match ring {
            Ring::Beside => None,
            Ring::Outside(outside) => Some(Arc::new(outside)),
            Ring::At(Address::Memory) => Some(Arc::new(grc_core::vault::MemoryKeyring::default())),
            Ring::At(Address::File(path)) => {
                let ring = Arc::new(slowly(|| SqliteRing::open(path, &self.sqlite()))?);
                closing.rings.push(Arc::clone(&ring));
                Some(ring)
            }
            Ring::At(Address::Server(url)) => {
                let ring = Arc::new(self.mysql().open_keyring(&url).await.map_err(grc_core::GrcError::from)?);
                closing.server_rings.push(Arc::clone(&ring));
                Some(ring)
            }
        })
    }

    async fn stores(&self, address: Address, ring: Ring) -> Outcome<(Stores, Closing)> {
        let mut closing = Closing::default();
        let keyring = self.keyring(ring, &mut closing).await?;
        let stores = match (address, keyring) {
            (Address::Memory, None) => Stores::memory(),
            (Address::Memory, Some(keyring)) => Stores { keyring, ..Stores::memory() },
            (Address::File(path), None) => {
                let opened = slowly(|| self.sqlite().open(path)).map_err(grc_core::GrcError::from)?;
                closing.files.push(Arc::clone(&opened.store));
                closing.rings.push(Arc::clone(&opened.keyring));
                Stores::from(opened)
            }
            (Address::File(path), Some(keyring)) => {
                let store = slowly(|| self.sqlite().open_store(path)).map_err(grc_core::GrcError::from)?;
                let store = Arc::new(store);
                closing.files.push(Arc::clone(&store));
                Stores { store: store.clone(), blobs: store, keyring }
            }
            (Address::Server(_), None) => {
                return Err(Failure::Python(unsuitable(
                    "keyring: a store on a server needs a keyring that is kept elsewhere: \
                     keyring=\"mysql://…\" of another server, or keyring=\"sqlite:///keys.db\"",
                )));
            }
            (Address::Server(url), Some(keyring)) => {
                let store = Arc::new(self.mysql().open_store(&url).await.map_err(grc_core::GrcError::from)?);
                closing.servers.push(Arc::clone(&store));
                Stores { store: store.clone(), blobs: store, keyring }
            }
        };
        Ok((stores, closing))
    }
}

use grc_sqlite::SqliteKeyring as SqliteRing;

/// Opens a store.
#[pyfunction]
#[pyo3(signature = (url, *, keyring, clock, seed, create, test, relaxed, connections))]
#[expect(clippy::too_many_arguments, reason = "each is named where it is given")]
pub(crate) fn open(
    url: &Bound<'_, PyAny>,
    keyring: &Bound<'_, PyAny>,
    clock: &Bound<'_, PyAny>,
    seed: &Bound<'_, PyAny>,
    create: &Bound<'_, PyAny>,
    test: &Bound<'_, PyAny>,
    relaxed: &Bound<'_, PyAny>,
    connections: &Bound<'_, PyAny>,
) -> PyResult<Operation> {
    let address = Address::of("url", &text("url", url)?)?;
    let ring = match optional_text("keyring", keyring) {
        Ok(None) => Ring::Beside,
        Ok(Some(url)) => Ring::At(Address::of("keyring", &url)?),
        Err(_) if keyring.hasattr("erasure")? => Ring::Outside(Outside::new(keyring)?),
        Err(_) => {
            let class = keyring.get_type().qualname()?;
            return Err(PyTypeError::new_err(format!(
                "keyring: an address (a str) or a grc.Keyring is wanted, not {class}"
            )));
        }
    };
    let options = Options {
        create: boolean("create", create)?,
        test: boolean("test", test)?,
        relaxed: boolean("relaxed", relaxed)?,
        connections: if connections.is_none() {
            None
        } else {
            Some(crate::values::count("connections", connections)?)
        },
    };
    let clock: Arc<dyn Clock> = self::clock(clock)?.unwrap_or_else(|| Arc::new(SystemClock));
    let entropy: Arc<dyn Entropy> = if seed.is_none() {
        Arc::new(SystemEntropy)
    } else {
        Arc::new(SeededEntropy::new(integer("seed", seed)?.cast_unsigned()))
    };
    let open = async move {
        let (stores, closing) = options.stores(address, ring).await?;
        let grc = Grc::with(stores, clock, entropy).await?;
        Ok(Opened::new(grc, closing))
    };
    Ok(Operation::of(open, |py, opened| Ok(Py::new(py, Store::new(opened))?.into_any())))
}
