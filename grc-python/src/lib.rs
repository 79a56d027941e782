//! The compiled part of the Python package `grc`: what `python/grc` makes comfortable.
//!
//! Each method answers an [`Operation`](operation::Operation), which is waited for or awaited, so that both twins of the
//! package call the same code.

mod actor;
mod answers;
mod clock;
mod commands;
mod condition;
mod failure;
mod figures;
mod files;
mod form;
mod given;
mod host;
mod keyring;
mod open;
mod operation;
mod process;
mod pure;
mod session;
mod site;
mod store;
mod table;
mod transport;
mod values;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _grc(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<operation::Operation>()?;
    module.add_class::<store::Store>()?;
    module.add_class::<store::Authority>()?;
    module.add_class::<session::Session>()?;
    module.add_class::<host::Host>()?;
    module.add_class::<clock::ManualClock>()?;
    module.add_class::<files::StoredFile>()?;
    module.add_class::<pure::Definition>()?;
    module.add_class::<pure::Request>()?;
    let end = wrap_pyfunction!(process::end, module)?;
    module.py().import("atexit")?.call_method1("register", (end,))?;
    let forked = pyo3::types::PyDict::new(module.py());
    forked.set_item("after_in_child", wrap_pyfunction!(process::forked, module)?)?;
    let os = module.py().import("os")?;
    if os.hasattr("register_at_fork")? {
        os.call_method("register_at_fork", (), Some(&forked))?;
    }
    module.add_function(wrap_pyfunction!(open::open, module)?)?;
    module.add_function(wrap_pyfunction!(pure::decide_intake, module)?)?;
    module.add_function(wrap_pyfunction!(pure::decide, module)?)?;
    module.add_function(wrap_pyfunction!(table::arrow_stream, module)?)?;
    Ok(())
}
