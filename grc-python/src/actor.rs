//! Who acts.

use crate::failure::unsuitable;
use crate::values::{class_of_package, part, text};
use grc_core::Actor;
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyString};

/// An actor: the id of an agent, or one of the package's `Agent`, `Citizen` and `Holder`.
pub(crate) fn actor(given: &Bound<'_, PyAny>) -> PyResult<Actor> {
    if given.is_instance_of::<PyString>() {
        return text("actor", given).map(Actor::agent);
    }
    match class_of_package(given, "grc.given")?.as_deref() {
        Some("Agent") => {
            let mut actor = Actor::agent(text("actor.id", &part(given, "id")?)?);
            for role in part(given, "roles")?.try_iter()? {
                actor = actor.role(text("actor.roles", &role?)?);
            }
            Ok(actor)
        }
        Some("Citizen") => Ok(Actor::citizen()),
        Some("Holder") => {
            let code = text("actor.code", &part(given, "code")?)?;
            let code = code.parse().map_err(|_| unsuitable("actor.code: this is no tracking code"))?;
            Ok(Actor::holder(code))
        }
        _ => {
            let class = given.get_type().qualname()?;
            Err(PyTypeError::new_err(format!(
                "actor: the id of an agent, a grc.Agent, a grc.Citizen or a grc.Holder is wanted, not {class}"
            )))
        }
    }
}

/// Whether somebody holds the code of a request.
pub(crate) fn is_holder(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(class_of_package(given, "grc.given")?.as_deref() == Some("Holder"))
}
