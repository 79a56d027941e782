//! Which file it is, and how it is brought up to date.

use crate::error::{Fault, Outcome, unusable};
use grc_core::storage::{Fact, FactKind, sql};
use rusqlite::Connection;
use std::path::Path;

/// A kind of file of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    /// `PRAGMA application_id`.
    pub(crate) application: i32,
    /// What the file is called in messages.
    pub(crate) what: &'static str,
    /// The migrations, from version 1. One that was released is never changed. A new fact is a new migration, so that
    /// an older library, which would not write its column, refuses the file.
    pub(crate) migrations: &'static [&'static str],
}

pub(crate) const STORE: Schema = Schema {
    application: 0x4752_4331,
    what: "store",
    migrations: &[include_str!("migrations/store-0001.sql")],
};

pub(crate) const KEYRING: Schema = Schema {
    application: 0x4752_434B,
    what: "keys",
    migrations: &[include_str!("migrations/keys-0001.sql")],
};

impl Schema {
    fn version(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }

    /// Refuses a file that is not ours or newer. Answers its version; 0 for an empty one.
    pub(crate) fn check(&self, connection: &Connection, file: &Path) -> Outcome<i64> {
        // In one statement, so that all three are of one moment: another process may be making the file just now.
        let (tables, version, application): (i64, i64, i64) = connection.query_row(
            "SELECT (SELECT count(*) FROM sqlite_schema), user_version, application_id
             FROM pragma_user_version, pragma_application_id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let name = file.display();
        if application == 0 && version == 0 && tables == 0 {
            return Ok(0);
        }
        if application != i64::from(self.application) {
            return Err(Fault::Store(unusable(format!(
                "`{name}` is an SQLite database, but not a {} file of this library: check the path",
                self.what
            ))));
        }
        if version > self.version() {
            return Err(Fault::Store(unusable(format!(
                "`{name}` was written by a newer version of this library (its schema is {version}, this one knows {}): \
                 use that version, or restore a backup of before",
                self.version()
            ))));
        }
        Ok(version)
    }

    /// Brings a file up to date, in one transaction; `first` fills a new one.
    pub(crate) fn migrate(
        &self,
        connection: &Connection,
        file: &Path,
        first: impl FnOnce(&Connection) -> Outcome<()>,
    ) -> Outcome<()> {
        if self.check(connection, file)? == self.version() {
            return Ok(());
        }
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let done = self.migrate_within(connection, file, first);
        connection.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done
    }

    fn migrate_within(
        &self,
        connection: &Connection,
        file: &Path,
        first: impl FnOnce(&Connection) -> Outcome<()>,
    ) -> Outcome<()> {
        // Somebody else may have done it while we waited for the lock.
        let version = self.check(connection, file)?;
        for migration in self.migrations.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
            connection.execute_batch(&migration.replace("{facts}", &fact_columns()))?;
        }
        connection.execute_batch(&format!(
            "PRAGMA application_id={}; PRAGMA user_version={}",
            self.application,
            self.version()
        ))?;
        if version == 0 { first(connection) } else { Ok(()) }
    }
}

/// One column a fact, in the order of their numbers.
fn fact_columns() -> String {
    let mut out = String::new();
    for fact in Fact::ALL {
        let kind = if fact.kind() == FactKind::Word { "TEXT" } else { "INTEGER" };
        out.push_str(&format!("  {} {kind},\n", quoted(*fact)));
    }
    out
}

/// The column of a fact, quoted.
pub(crate) fn quoted(fact: Fact) -> String {
    format!("\"{}\"", sql::column(fact))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_fact_needs_a_migration() {
        assert_eq!((Fact::ALL.len(), STORE.migrations.len()), (31, 1), "see `Schema::migrations`");
    }
}
