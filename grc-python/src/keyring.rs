//! Keyrings that are written in Python.

use crate::{failure::Raised, process::calling};
use async_trait::async_trait;
use grc_core::{
    KeyId,
    vault::{DataKey, KeyState, Keyring, KeyringError, KeyringInfo, Slot, SlotKey},
};
use pyo3::{
    exceptions::{PyException, PyValueError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::PyBytes,
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A keyring of the caller's.
#[derive(Debug)]
pub(crate) struct Outside {
    object: Py<PyAny>,
    erasure: &'static str,
}

const NAME: &str = "python";

impl Outside {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let erasure: String = object.getattr(intern!(object.py(), "erasure"))?.extract()?;
        // A store is opened rarely, and says of itself what is constant.
        Ok(Self { object: object.clone().unbind(), erasure: Box::leak(erasure.into_boxed_str()) })
    }

    /// Calls it. What it raises is kept as the cause.
    fn ask<T>(
        &self,
        call: impl for<'py> FnOnce(Python<'py>, &Bound<'py, PyAny>) -> PyResult<T>,
    ) -> Result<T, KeyringError> {
        let asked = calling(|py| {
            call(py, self.object.bind(py)).map_err(|error| {
                // What is no failure of its own (Ctrl-C) ends the call.
                if !error.is_instance_of::<PyException>(py) {
                    Raised::throw(error);
                }
                // Its own sign that the same may be asked again.
                let passes = unavailable(py).is_ok_and(|class| error.is_instance(py, class));
                let make = if passes { KeyringError::unavailable } else { KeyringError::new };
                let class =
                    error.get_type(py).qualname().map_or_else(|_| String::new(), |name| name.to_string());
                make(NAME, format!("it raised {class}")).with_source(error)
            })
        });
        asked.unwrap_or_else(|| Err(KeyringError::unavailable(NAME, "the interpreter ends")))
    }
}

/// The class `grc.protocols.Unavailable`.
fn unavailable(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        PyResult::Ok(py.import("grc.protocols")?.getattr(intern!(py, "Unavailable"))?.unbind())
    });
    class.map(|class| class.bind(py))
}

fn secret(bytes: &[u8]) -> PyResult<[u8; 32]> {
    bytes.try_into().map_err(|_| PyValueError::new_err("a key has 32 bytes"))
}

fn ids(ids: &[KeyId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

/// What is held under an id: `bytes` for a whole key, a mapping for the keys of slots, `False` for a destroyed one, `None`
/// for one that was never there.
fn state(held: &Bound<'_, PyAny>) -> PyResult<KeyState> {
    if held.is_none() {
        return Ok(KeyState::Unknown);
    }
    if let Ok(bytes) = held.cast::<PyBytes>() {
        return secret(bytes.as_bytes()).map(DataKey::from_bytes).map(KeyState::Whole);
    }
    if let Ok(false) = held.extract::<bool>() {
        return Ok(KeyState::Destroyed);
    }
    let kept: BTreeMap<Slot, Vec<u8>> = held.extract()?;
    let kept = kept.into_iter().map(|(slot, key)| secret(&key).map(|key| (slot, SlotKey::from_bytes(key))));
    kept.collect::<PyResult<_>>().map(KeyState::Kept)
}

#[async_trait]
impl Keyring for Outside {
    fn info(&self) -> KeyringInfo {
        KeyringInfo::new(NAME, self.erasure)
    }

    async fn epoch(&self) -> Result<(Uuid, u64), KeyringError> {
        self.ask(|py, keyring| keyring.call_method0(intern!(py, "epoch"))?.extract())
    }

    async fn issue(&self, keys: &[(KeyId, DataKey)]) -> Result<u64, KeyringError> {
        self.ask(|py, keyring| {
            let keys: Vec<_> =
                keys.iter().map(|(id, key)| (id.uuid(), PyBytes::new(py, key.expose()))).collect();
            keyring.call_method1(intern!(py, "issue"), (keys,))?.extract()
        })
    }

    async fn open(&self, asked: &[KeyId]) -> Result<Vec<KeyState>, KeyringError> {
        self.ask(|py, keyring| {
            let held = keyring.call_method1(intern!(py, "open"), (ids(asked),))?;
            let states = held.try_iter()?.map(|one| state(&one?)).collect::<PyResult<Vec<_>>>()?;
            if states.len() == asked.len() {
                Ok(states)
            } else {
                Err(PyValueError::new_err("open() answers once for each id"))
            }
        })
    }

    async fn keep(&self, id: KeyId, slots: &BTreeMap<Slot, SlotKey>) -> Result<u64, KeyringError> {
        self.ask(|py, keyring| {
            let kept: BTreeMap<Slot, _> =
                slots.iter().map(|(slot, key)| (*slot, PyBytes::new(py, key.expose()))).collect();
            keyring.call_method1(intern!(py, "keep"), (id.uuid(), kept))?.extract()
        })
    }

    async fn destroy(&self, asked: &[KeyId]) -> Result<u64, KeyringError> {
        self.ask(|py, keyring| keyring.call_method1(intern!(py, "destroy"), (ids(asked),))?.extract())
    }
}
