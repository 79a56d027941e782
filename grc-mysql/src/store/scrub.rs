//! Making what was dropped physically gone.

use crate::{error::Outcome, server::Server};
use grc_core::storage::ScrubReport;
use sqlx::Row;
use std::time::Duration;

/// Tables whose rows are dropped, and which may hold sealed values or tokens; and those whose places are made coarse: a row
/// that changes its size is written elsewhere in its page, and leaves the exact place behind.
const TABLES: [&str; 9] = [
    "grc_vault",
    "grc_document",
    "grc_blob",
    "grc_link",
    "grc_index",
    "grc_task",
    "grc_receipt",
    "grc_stream",
    "grc_measure",
];
/// How long one table may take, on a slow disk.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// Larger tables are not written anew in one go.
const REWRITE: u64 = 512 << 20;

/// Writes the tables from which rows are dropped anew, and says what is out of reach: the server's logs.
pub(super) async fn scrub(server: &Server) -> Outcome<ScrubReport> {
    let mut report = ScrubReport::default();
    let mut session = server.session().await?;
    for table in TABLES {
        let size = "SELECT CAST(data_length + index_length AS UNSIGNED) FROM information_schema.tables
             WHERE table_schema = DATABASE() AND table_name = ?";
        let row = session.row(sqlx::query(size).bind(table)).await?;
        let bytes = row.map_or(Ok(0), |row| row.try_get::<u64, _>(0))?;
        if bytes > REWRITE {
            report.could_not.push(format!(
                "`{table}` was not written anew: it has {} MiB, and only up to {} MiB are done in one go; run `ALTER \
                 TABLE {table} FORCE` when there is time",
                bytes >> 20,
                REWRITE >> 20
            ));
            continue;
        }
        let rewrite = format!("ALTER TABLE {table} FORCE");
        let usual = session.set_patience(PATIENCE);
        let rewritten = session.execute(crate::session::sql(rewrite)).await;
        session.set_patience(usual);
        match rewritten {
            Ok(_) => report.done.push(format!("`{table}` was written anew, without what was dropped")),
            // No right, or somebody holds it: the rest may still be done.
            Err(fault) if fault.code().is_some() => {
                report
                    .could_not
                    .push(format!("`{table}` was not written anew: {}", fault.at(server.place())));
            }
            Err(fault) => return Err(fault),
        }
    }
    report.could_not.push(
        "the server's redo, undo and doublewrite logs hold older versions of rows until they are overwritten, and its \
         binary log, its replicas and its backups until they expire: what was typed is sealed in all of them, under keys \
         that are elsewhere, but an exact place is not, where the type's places are public"
            .to_owned(),
    );
    Ok(report)
}
