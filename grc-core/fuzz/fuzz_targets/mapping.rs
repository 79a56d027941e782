//! Mappings of exports, as the quickstart reads them.
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

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = import::hostile::mapping(data);
});
