//! Whatever is wrong is said: what, where, and what to do, of the right kind, never with a password; and when it is
//! mended, the process that met it goes on.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod accounts;
mod addresses;
mod away;
mod batches;
#[path = "../common/mod.rs"]
mod common;
mod crowds;
mod fakes;
mod full;
mod handles;
mod keyrings;
mod processes;
mod settings;
mod tables;
mod tls;

use common::options;
use grc_core::{
    storage::{StorageError, StorageErrorKind},
    vault::KeyringError,
};
use grc_mysql::{MysqlStore, Options};
use private_server::{Program, Server};
use std::{error::Error, time::Duration};

/// Opens a store, without a runtime.
fn open(address: &str, options: &Options) -> Result<MysqlStore, StorageError> {
    pollster::block_on(options.open_store(address))
}

/// Options with which nobody waits long.
fn impatient() -> Options {
    options().connections(4).patience(Duration::from_millis(1500)).lock_wait(Duration::from_secs(1))
}

fn is_mysql() -> bool {
    matches!(Program::from_env(), Program::MySql(_))
}

/// The address of another account.
fn address(server: &Server, user: &str, password: &str, database: &str) -> String {
    format!("mysql://{user}:{password}@{}:{}/{database}", server.host(), server.port())
}

/// The database's name in an address.
fn database(address: &str) -> &str {
    address.rsplit_once('/').unwrap().1
}

/// The password of an address, and the place that messages name.
fn parts(address: &str) -> (&str, &str) {
    let (account, place) = address.strip_prefix("mysql://").unwrap().rsplit_once('@').unwrap();
    (account.split_once(':').unwrap().1, place.split('?').next().unwrap())
}

/// The password is nowhere in an error: not in its message, nor in how it is shown to programmers, nor in its sources.
#[track_caller]
fn keeps_secret(error: &(dyn Error + 'static), secret: &str) {
    assert!(!secret.is_empty());
    let mut next = Some(error);
    while let Some(error) = next {
        for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
            assert!(!text.contains(secret), "the password is in `{text}`");
        }
        next = error.source();
    }
}

#[track_caller]
fn says(error: &(dyn Error + 'static), address: &str, words: &[&str]) {
    let (secret, place) = parts(address);
    keeps_secret(error, secret);
    let message = error.to_string();
    assert!(message.contains(place), "it does not say where: {message}");
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
    let advice = message.rsplit(": ").next().unwrap();
    assert!(advice.len() > 5 && !message.ends_with('.'), "{message}");
}

/// An error is of this kind, says these words and where it happened, and keeps the password.
#[track_caller]
fn refused(error: &StorageError, address: &str, kind: StorageErrorKind, words: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    says(error, address, words);
}

/// The same of a keyring's error.
#[track_caller]
fn keyring_refused(error: &KeyringError, address: &str, unavailable: bool, words: &[&str]) {
    assert_eq!(error.is_unavailable(), unavailable, "{error}");
    says(error, address, words);
}
