//! The adapter for MySQL-protocol servers. Nothing is here yet: the storage contract that it will keep is
//! `grc_core::storage::Store`, and the SQLite adapter shows how one is written.
