//! Making what was dropped physically gone.

use crate::error::{Fault, Outcome, is_busy};
use grc_core::storage::ScrubReport;
use rusqlite::Connection;

/// The file is written anew through memory, so that no copy lies in a temporary file: only up to this size.
const REWRITE: i64 = 512 << 20;

/// Writes the file anew and cuts the log, as far as others let it.
///
/// Dropped cells and freed pages are overwritten when they are dropped; what can remain is what a page that was split
/// left behind its last cell, and older versions of pages in the log. Writing the file anew takes away the first,
/// cutting the log the second.
pub(super) fn scrub(connection: &Connection) -> Outcome<ScrubReport> {
    let mut report = ScrubReport::default();
    let bytes: i64 = connection.query_row(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        [],
        |row| row.get(0),
    )?;
    if bytes > REWRITE {
        report.could_not.push(format!(
            "the database file was not written anew: it has {} MiB, and only up to {} MiB are done in one go; dropped \
             rows were overwritten where they were, but a page that was split since may hold a copy",
            bytes >> 20,
            REWRITE >> 20
        ));
    } else {
        match connection.execute_batch("VACUUM") {
            Ok(()) => report.done.push("the database file was written anew, without free space".to_owned()),
            Err(error) if is_busy(&error) => report
                .could_not
                .push("the database file was not written anew: somebody else is writing to it".to_owned()),
            Err(error) => {
                let fault = Fault::from(error);
                if !fault.wrote_nothing() {
                    return Err(fault);
                }
                report.could_not.push(
                    "the database file was not written anew: there is no room for a second copy".to_owned(),
                );
            }
        }
    }
    if checkpoint(connection)? {
        report
            .done
            .push("the write-ahead log was moved into the database file and cut to nothing".to_owned());
    } else {
        report.could_not.push(
            "the write-ahead log was not cut: somebody else reads an older state; scrub again when they have ended"
                .to_owned(),
        );
    }
    Ok(report)
}

/// Moves the log into the file and cuts it. Answers whether it could.
pub(super) fn checkpoint(connection: &Connection) -> Outcome<bool> {
    match connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)) {
        Ok(busy) => Ok(busy == 0),
        Err(error) if is_busy(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
