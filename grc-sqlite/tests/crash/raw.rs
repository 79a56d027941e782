//! The tables themselves.

use grc_core::KeyId;
use rusqlite::{Connection, OpenFlags};
use std::{collections::BTreeSet, fmt, path::Path};
use uuid::Uuid;

pub(crate) fn said(error: impl fmt::Display) -> String {
    error.to_string()
}

/// The tables themselves.
pub(crate) struct Raw {
    pub(crate) store: Connection,
    pub(crate) keys: Connection,
}

impl Raw {
    pub(crate) fn open(directory: &Path) -> Result<Self, String> {
        let open = |name: &str| {
            Connection::open_with_flags(directory.join(name), OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(said)
        };
        Ok(Self { store: open("town.db")?, keys: open("town.keys")? })
    }

    pub(crate) fn is_sound(&self) -> Result<(), String> {
        for connection in [&self.store, &self.keys] {
            let text: String =
                connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(said)?;
            must!(text == "ok", "a file is damaged: {text}");
        }
        Ok(())
    }

    pub(crate) fn count(&self, sql: &str) -> Result<i64, String> {
        self.store.query_row(sql, [], |row| row.get(0)).map_err(said)
    }

    pub(crate) fn ids(&self, sql: &str) -> Result<BTreeSet<Uuid>, String> {
        let mut statement = self.store.prepare(sql).map_err(said)?;
        let rows = statement.query_map([], |row| row.get(0).map(Uuid::from_bytes)).map_err(said)?;
        rows.collect::<Result<_, _>>().map_err(said)
    }

    /// No link leads nowhere, and exactly what is not anonymised has a tracking code, and one.
    pub(crate) fn links(&self) -> Result<(), String> {
        let nowhere = self.count(
            "SELECT count(*) FROM link l WHERE NOT EXISTS
             (SELECT 1 FROM stream s WHERE s.authority = l.authority AND s.kind = l.kind AND s.id = l.id)",
        )?;
        must!(nowhere == 0, "{nowhere} links lead to no request");
        let linked = self.ids("SELECT id FROM link WHERE link = 'tracking'")?;
        let codes = self.count("SELECT count(*) FROM link WHERE link = 'tracking'")?;
        must!(codes == linked.len() as i64, "a request has two tracking codes");
        let living = self.ids(
            "SELECT id FROM stream WHERE kind = 'request' AND json_extract(CAST(body AS TEXT), '$.code') IS NOT NULL",
        )?;
        must!(linked == living, "tracking codes lead to {linked:?}, and {living:?} have one");
        Ok(())
    }

    /// Each linked blob is there; if all was swept, no other.
    pub(crate) fn blobs(&self, swept: bool) -> Result<(), String> {
        let there = self.ids("SELECT DISTINCT id FROM blob")?;
        let linked = self.ids("SELECT key FROM link WHERE link = 'blob'")?;
        must!(linked.is_subset(&there), "blobs are missing");
        must!(!swept || linked == there, "{} blobs that nobody names were left", there.len() - linked.len());
        Ok(())
    }

    pub(crate) fn named_keys(&self) -> Result<Vec<(String, KeyId)>, String> {
        let mut statement = self
            .store
            .prepare(
                "SELECT name, body FROM document d WHERE kind = 'key' AND version =
                 (SELECT max(version) FROM document e WHERE e.kind = d.kind AND e.name = d.name)",
            )
            .map_err(said)?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .map_err(said)?;
        let mut out = Vec::new();
        for row in rows {
            let (name, body) = row.map_err(said)?;
            let body: serde_json::Value = serde_json::from_slice(&body).map_err(said)?;
            out.push((name, body["id"].as_str().ok_or("no id")?.parse().map_err(said)?));
        }
        Ok(out)
    }
}
