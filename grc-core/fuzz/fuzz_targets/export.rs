//! Exports of other software, as the quickstart reads them: a mapping and a null character first, or the export alone.
#![no_main]
#![allow(dead_code)]

#[path = "../../../examples/quickstart/src/dates.rs"]
mod dates;
#[path = "../../../examples/quickstart/src/failure.rs"]
mod failure;
#[path = "../../../examples/quickstart/src/import"]
mod import {
    pub(crate) mod hostile;
    pub(crate) mod mapping;
    pub(crate) mod reading;
}

use std::{cell::OnceCell, io::Write, path::PathBuf, sync::LazyLock};

static KNOWN: LazyLock<import::mapping::Mapping> = LazyLock::new(|| {
    let text = include_bytes!("../../../examples/quickstart/mappings/boston-2011.toml");
    import::hostile::mapping(text).expect("a mapping that is kept")
});

thread_local! {
    static FILE: OnceCell<PathBuf> = const { OnceCell::new() };
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let own = data.iter().position(|byte| *byte == 0).and_then(|at| {
        let mapping = import::hostile::mapping(data.get(..at)?)?;
        Some((mapping, data.get(at + 1..)?))
    });
    let (mapping, export) = match &own {
        Some((mapping, export)) => (mapping, *export),
        None => (&*KNOWN, data),
    };
    FILE.with(|file| {
        let path =
            file.get_or_init(|| std::env::temp_dir().join(format!("export-{}.csv", std::process::id())));
        let mut file = std::fs::File::create(path).expect("a temporary file");
        file.write_all(export).expect("a temporary file");
        let _ = import::hostile::read(path, mapping, export.len());
    });
});
