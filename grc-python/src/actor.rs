//! Who acts.

use crate::failure::unsuitable;
use crate::values::{optional_text, part, text};
use grc_core::Actor;
use pyo3::prelude::*;

/// An actor: the id of an agent, or one of the package's `Agent`, `Citizen` and `Holder`.
pub(crate) fn actor(given: &Bound<'_, PyAny>) -> PyResult<Actor> {
    if let Ok(id) = text("actor", given) {
        return Ok(Actor::agent(id));
    }
    match given.get_type().name()?.to_str()? {
        "Agent" => {
            let mut actor = Actor::agent(text("actor.id", &part(given, "id")?)?);
            for role in part(given, "roles")?.try_iter()? {
                actor = actor.role(text("actor.roles", &role?)?);
            }
            Ok(actor)
        }
        "Citizen" => Ok(Actor::citizen()),
        "Holder" => {
            let code = text("actor.code", &part(given, "code")?)?;
            let code = code.parse().map_err(|_| unsuitable("actor.code: this is no tracking code"))?;
            Ok(Actor::holder(code))
        }
        // Says what was wanted.
        _ => optional_text("actor", given).map(|_| Actor::citizen()),
    }
}
