//! The tables, and how they are brought up to date.

use crate::{
    error::{Fault, Outcome, code, unusable},
    session::{Session, sql},
};
use grc_core::storage::{Fact, FactKind, sql::column};
use sqlx::Row;

/// A set of tables of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema {
    /// What it is called in messages.
    pub(crate) what: &'static str,
    /// Its row in the table of versions.
    name: &'static str,
    /// The migrations, from version 1. One that was released is never changed. A new fact is a new migration, so that
    /// an older library, which would not write its column, refuses the database.
    ///
    /// The server commits each statement that changes a table by itself, and several processes may start at once: a
    /// migration is a list of statements each of which may find its work done, by others or by a start that was killed.
    migrations: &'static [&'static str],
}

pub(crate) const STORE: Schema =
    Schema { what: "store", name: "store", migrations: &[include_str!("migrations/store-0001.sql")] };

pub(crate) const KEYRING: Schema =
    Schema { what: "keyring", name: "keyring", migrations: &[include_str!("migrations/keys-0001.sql")] };

impl Schema {
    fn version(&self) -> u64 {
        self.migrations.len() as u64
    }

    /// The version of the tables that there are; 0 if there are none.
    async fn found(&self, session: &mut Session) -> Outcome<u64> {
        let read = sqlx::query("SELECT version FROM grc_schema WHERE name = ?").bind(self.name.as_bytes());
        match session.row(read).await {
            Ok(row) => Ok(row.map(|row| row.try_get::<u64, _>(0)).transpose()?.unwrap_or(0)),
            Err(fault) if fault.code() == Some(code::NO_TABLE) => Ok(0),
            Err(fault) => Err(fault),
        }
    }

    /// Brings the tables up to date, or makes them if it may; refuses newer ones.
    pub(crate) async fn migrate(&self, session: &mut Session, create: bool, place: &str) -> Outcome<()> {
        let found = self.found(session).await?;
        if found > self.version() {
            return Err(Fault::Store(unusable(format!(
                "the {} in `{place}` was written by a newer version of this library (its tables are of version {found}, \
                 this one knows {}): use that version, or restore a backup of before",
                self.what,
                self.version()
            ))));
        }
        if found == self.version() {
            return Ok(());
        }
        if found == 0 && !create {
            return Err(Fault::Store(unusable(format!(
                "there is no {} in `{place}`: check the address, or open it with `create` to make a new one",
                self.what
            ))));
        }
        let done = usize::try_from(found).unwrap_or(usize::MAX);
        for migration in self.migrations.iter().skip(done) {
            for statement in statements(&migration.replace("{facts}", &fact_columns())) {
                match session.execute(sql(statement)).await {
                    Err(fault) if is_done(&fault) => {}
                    other => other.map(|_| ())?,
                }
            }
        }
        // Never lowered: a newer library may have come in between.
        let note = "INSERT INTO grc_schema (name, version) VALUES (?, ?)
                    ON DUPLICATE KEY UPDATE version = GREATEST(version, VALUES(version))";
        session.execute(sqlx::query(note).bind(self.name.as_bytes()).bind(self.version())).await?;
        Ok(())
    }
}

/// Whether a statement found its work done.
fn is_done(fault: &Fault) -> bool {
    matches!(fault.code(), Some(code::TABLE_EXISTS | code::COLUMN_EXISTS | code::KEY_EXISTS))
}

fn statements(migration: &str) -> Vec<String> {
    let lines = migration.lines().filter(|line| !line.trim_start().starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split(";\n")
        .map(|one| one.trim().trim_end_matches(';').to_owned())
        .filter(|one| !one.is_empty())
        .collect()
}

/// One column a fact, in the order of their numbers.
fn fact_columns() -> String {
    let kind = |fact: &Fact| if fact.kind() == FactKind::Word { "VARBINARY(64)" } else { "BIGINT" };
    Fact::ALL.iter().map(|fact| format!("  {} {} NULL,\n", column(*fact), kind(fact))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_fact_needs_a_migration() {
        assert_eq!((Fact::ALL.len(), STORE.migrations.len()), (31, 1), "see `Schema::migrations`");
    }

    #[test]
    fn every_primary_key_begins_with_the_authority() {
        let tables: Vec<String> = statements(STORE.migrations[0]);
        for table in
            tables.iter().filter(|table| !table.contains("grc_schema") && !table.contains("grc_meta"))
        {
            assert!(table.contains("PRIMARY KEY (authority, "), "{table}");
        }
        let text = STORE.migrations[0].to_lowercase() + &KEYRING.migrations[0].to_lowercase();
        for word in ["auto_increment", " json", "datetime", "timestamp", "float", "double"] {
            assert!(!text.contains(word), "{word}");
        }
        assert_eq!(tables.len(), 15);
    }
}
