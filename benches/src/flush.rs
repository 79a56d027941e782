//! How long the disk takes to flush.

use crate::{
    Res,
    timing::{median, now},
};
use std::{fs::File, io::Write, path::Path, time::Duration};

/// The median of 200 flushes of a page of 4 KiB, each appended to a file in this directory.
///
/// # Errors
/// If the file cannot be written.
pub fn time(directory: &Path) -> Res<Duration> {
    let mut file = File::create(directory.join("flush"))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4_096])?;
        let begun = now();
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64());
    }
    Ok(Duration::from_secs_f64(median(times)))
}
