//! To forget is to destroy a key: against somebody who holds every byte ever written to the store, and the keyring's
//! files as they are afterwards. Each step of an erasure, left out, turns one named assertion red.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

#[path = "erasure/mod.rs"]
mod shared;

use grc_core::{Grc, GrcError, Stores, SystemEntropy};
use grc_sqlite::{Options, SqliteKeyring, SqliteStore};
use pollster::block_on;
use shared::{
    attack::windows,
    checks::{checks, dropped, nothing_given_in_clear, only_the_living, red, turns_red},
    play::play,
    scan::{Patterns, Secrets},
    scenes::{a_whole_key, one_value},
    spy::Off,
    stage::Adapter,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use uuid::Uuid;

/// A store and its keyring in a directory of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("town.db")
    }

    /// Copies of the files from before.
    fn backup(&self) -> PathBuf {
        self.0.path().join("backup")
    }
}

impl Adapter for Files {
    type Store = SqliteStore;
    type Keyring = SqliteKeyring;
    const PREFIX: &'static str = "";

    fn open(&self, _: &Secrets) -> (Arc<SqliteStore>, Arc<SqliteKeyring>) {
        let opened = Options::new().create(true).open(self.path()).unwrap();
        (opened.store, opened.keyring)
    }

    fn look(&self, secrets: &Secrets) {
        let all = secrets.patterns();
        let texts = secrets.texts();
        for entry in std::fs::read_dir(self.0.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                // The keyring's file has keys, and nothing that was typed.
                let forbidden = if is_keys(&path) { &texts } else { &all };
                assert_eq!(forbidden.found(&bytes), [""; 0], "in {}", path.display());
            }
        }
    }

    fn back_up(&self) {
        copy(self.0.path(), &self.backup());
    }

    fn candidates(&self) -> Vec<[u8; 32]> {
        windows(self.0.path(), &[".keys"])
    }

    fn rows(&self, sql: &str, id: Uuid) -> Vec<Vec<u8>> {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([id.as_bytes().as_slice()], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

fn is_keys(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().contains(".keys")
}

fn copy(from: &Path, to: &Path) {
    copy_some(from, to, |_| true);
}

fn copy_some(from: &Path, to: &Path, which: impl Fn(&Path) -> bool) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && which(&path) {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn what_is_erased_cannot_be_had_again() {
    block_on(async {
        let world = play(Files::new(), Off::Nothing).await;
        let checks = checks(&world).await;
        assert_eq!(red(&checks), Vec::<&str>::new());
        println!(
            "{} assertions hold; {} slots were erased, tried with every run of 32 bytes; {} secrets looked for",
            checks.len(),
            world.gone.len(),
            world.secrets.len()
        );
        nothing_given_in_clear(&world);
    });
}

#[test]
fn each_step_left_out_turns_its_assertion_red() {
    for (off, expected) in [
        (Off::VaultRows, "the vault rows are gone"),
        (Off::ContactLinks, "the tokens of contacts are gone"),
        (Off::SourceLinks, "the source key is free again"),
        (Off::TrackingLink, "the tracking code leads nowhere"),
        (Off::IndexLinks, "the tokens of personal fields are gone"),
        (Off::Tasks, "nothing waits to be sent, dead or alive"),
        (Off::CoarseFacts, "the place is coarse"),
        (Off::Attachments, "the bytes of the attachment are gone"),
        (Off::KeptKeys, "no sealed slot opens"),
    ] {
        let checks = block_on(async { checks(&play(Files::new(), off).await).await });
        println!("{}", turns_red(off, expected, &checks));
    }
}

#[test]
fn a_request_without_a_lasting_field_loses_its_whole_key() {
    for (off, expected) in [(Off::Nothing, true), (Off::DestroyedKeys, false)] {
        assert_eq!(block_on(a_whole_key(Files::new(), off)), expected, "{off:?}");
    }
}

#[test]
fn one_value_can_be_erased_before_its_time() {
    block_on(one_value(Files::new()));
}

#[test]
fn a_backup_from_before_brings_back_the_living_only() {
    block_on(async {
        let world = play(Files::new(), Off::Nothing).await;
        let (now, backup) = (world.adapter.0.path(), world.adapter.backup());
        let open = |directory: &Path| {
            let stores: Stores = Options::new().open(directory.join("town.db")).unwrap().into();
            Grc::with(stores, world.clock.clone(), Arc::new(SystemEntropy))
        };
        // Old rows, newest keys.
        world.keys.inner.close();
        let restored = now.join("restored");
        copy_some(&backup, &restored, |path| !is_keys(path));
        copy_some(now, &restored, is_keys);
        only_the_living(&open(&restored).await.unwrap(), &world).await;

        // The other way round, old keys with newest rows would bring back what was forgotten: refused.
        let mixed = now.join("mixed");
        copy(now, &mixed);
        copy_some(&backup, &mixed, is_keys);
        let refused = open(&mixed).await;
        assert!(matches!(refused, Err(GrcError::KeyringOlder)), "{refused:?}");
    });
}

#[test]
fn dropped_bytes_are_not_in_the_files_after_a_scrub() {
    block_on(async {
        let world = play(Files::new(), Off::Nothing).await;
        let gone = dropped(&world);
        let patterns = Patterns::of(gone.iter().map(|(slot, bytes)| (slot.to_string(), bytes.clone())));
        let there = || {
            let files = ["town.db", "town.db-wal"].map(|name| world.adapter.0.path().join(name));
            let bytes = files.map(|path| std::fs::read(path).unwrap_or_default());
            bytes.iter().map(|bytes| patterns.numbers(bytes).len()).sum::<usize>()
        };
        assert!(there() > 0, "before the scrub the log still has them");
        let report = world.town().host("entretien").scrub().await.unwrap();
        println!("{report:?}");
        assert_eq!(there(), 0, "after the scrub none of {} is left", gone.len());
        let _ = grc_core::vault::Keyring::epoch(&*world.keys.inner).await;
    });
}
