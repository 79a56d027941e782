//! What a head of service looks at, as one page that needs no network.

mod page;
mod svg;

use crate::{
    failure::{Failure, Res},
    head::Answers,
};
use grc_core::definition::Organisation;
use std::path::{Path, PathBuf};

/// What the page is called.
const NAME: &str = "dashboard.html";

/// Writes it into a folder. Answers where it is.
pub(crate) fn write(answers: &Answers, organisation: &Organisation, folder: &Path) -> Res<PathBuf> {
    let town = organisation.label.get(&organisation.language);
    let page = page::page(answers, town, organisation.time_zone)?;
    let path = folder.join(NAME);
    std::fs::write(&path, page).map_err(|error| Failure::file(&path, error))?;
    Ok(path)
}
