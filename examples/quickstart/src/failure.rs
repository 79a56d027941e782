//! How the program fails: one text for a person, and an exit code.

use std::fmt::Display;

/// What went wrong.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What is printed.
    pub(crate) text: String,
    /// The exit code: 1 for what failed, 2 for what was asked wrongly.
    pub(crate) code: u8,
}

/// A result of this program.
pub(crate) type Res<T> = Result<T, Failure>;

impl Failure {
    /// Something failed.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 1 }
    }

    /// Something was asked wrongly: options, or a mapping.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 2 }
    }

    /// A file could not be used.
    pub(crate) fn file(path: &std::path::Path, error: impl Display) -> Self {
        Self::new(format!("{}: {error}", path.display()))
    }
}

impl From<grc_core::GrcError> for Failure {
    fn from(error: grc_core::GrcError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<grc_core::storage::StorageError> for Failure {
    fn from(error: grc_core::storage::StorageError) -> Self {
        Self::new(error.to_string())
    }
}

/// Of writing what is printed: a closed pipe (`| head`) is no failure, and ends the program quietly.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            Self { text: String::new(), code: 0 }
        } else {
            Self::new(error.to_string())
        }
    }
}
