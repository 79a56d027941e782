//! What the fuzz targets do with the bytes that they are given, but for those whose readers are the quickstart's. `grc-core/tests/fuzz_corpus.rs` does the same with
//! what is kept in `corpus`, on any toolchain.

pub mod condition;
pub mod contact;
pub mod cursor;
pub mod definition;
pub mod documents;
pub mod intake;
pub mod intervention;
pub mod measure;
pub mod moment;
pub mod request;
pub mod template;
pub mod touched;
pub mod tracking;
pub mod value;
pub mod vault;

/// A target: its name, which is also that of its folder in `corpus`, and what it does. It answers whether the bytes
/// were something, and panics if anything is not as it must be.
pub type Target = (&'static str, fn(&[u8]) -> bool);

/// All targets.
pub const TARGETS: &[Target] = &[
    ("condition", condition::run),
    ("contact", contact::run),
    ("cursor", cursor::run),
    ("definition", definition::run),
    ("documents", documents::run),
    ("intake", intake::run),
    ("intervention", intervention::run),
    ("measure", measure::run),
    ("moment", moment::run),
    ("request", request::run),
    ("template", template::run),
    ("touched", touched::run),
    ("tracking", tracking::run),
    ("value", value::run),
    ("vault", vault::run),
];
