//! stub
use crate::{failure::Res, town::Town};
use grc_core::Definition;
use std::{io::Write, path::Path};
pub(crate) async fn play(_: &Town, _: &Definition, _: &mut dyn Write) -> Res<()> {
    Ok(())
}
pub(crate) fn what_next(_: &Path, _: &mut dyn Write) -> Res<()> {
    Ok(())
}
