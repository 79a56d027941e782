//! The account and its rights.

use crate::{
    address,
    batches::{change, commit, create, every_call, version},
    common::{block_on, fresh, options, run, shared},
    database, impatient, is_mysql, open, refused,
};
use grc_core::storage::{StorageErrorKind::Unusable, Store};

const SECRET: &str = "Okapi-4711";

/// An account of its own with these rights in a database.
fn account(database: &str, rights: &str) -> String {
    let user = format!("u_{database}");
    run(
        shared(),
        &format!(
            "CREATE USER '{user}'@'%' IDENTIFIED BY '{SECRET}'; GRANT {rights} ON {database}.* TO '{user}'@'%'"
        ),
    );
    address(shared(), &user, SECRET, database)
}

#[test]
fn who_is_not_let_in_is_told_why() {
    let there = fresh(shared());
    let name = database(&there);
    let (none, no_plugin) = (fresh(shared()), fresh(shared()));
    let stranger = account(name, "SELECT")
        .replace(name, database(&none))
        .replace(&format!("u_{}", database(&none)), &format!("u_{name}"));
    let mut rows = vec![
        (address(shared(), shared().user(), "Okapi-wrong", name), "the user or the password"),
        (address(shared(), "nobody-here", SECRET, name), "the user or the password"),
        (shared().url("no_such_database"), "no such database"),
        // A server does not tell a stranger whether there is one.
        (stranger, "GRANT"),
    ];
    if !is_mysql() {
        let user = database(&no_plugin);
        run(
            shared(),
            &format!(
                "CREATE USER 'p_{user}' IDENTIFIED VIA unix_socket; GRANT ALL ON {user}.* TO 'p_{user}'"
            ),
        );
        rows.push((address(shared(), &format!("p_{user}"), SECRET, user), "mysql_native_password"));
    }
    for (address, words) in &rows {
        let error = open(address, &impatient()).unwrap_err();
        refused(&error, address, Unusable, &[words]);
    }
    println!("{} accounts refused", rows.len());
    assert!(rows.len() >= 4);
}

#[test]
fn the_right_to_create_is_needed_once() {
    let admin = fresh(shared());
    let plain = account(database(&admin), "SELECT, INSERT, UPDATE, DELETE");
    let error = open(&plain, &options()).unwrap_err();
    refused(&error, &plain, Unusable, &["SELECT, INSERT, UPDATE", "CREATE, ALTER, INDEX"]);
    drop(open(&admin, &options()).unwrap());
    // With and without `create`: the tables are there.
    for (n, options) in [(1, options()), (2, options().create(false))] {
        let store = open(&plain, &options).unwrap();
        if n == 1 {
            assert!(every_call(&store, n) >= 14);
            let report = pollster::block_on(store.scrub()).unwrap();
            assert_eq!(report.done.len(), 0, "{report:?}");
            let could_not = report.could_not.join("\n");
            assert!(
                could_not.contains("`grc_vault` was not written anew") && could_not.contains("ALTER"),
                "{could_not}"
            );
        }
        assert_eq!(version(&store, 1), 2);
    }
}

#[test]
fn a_right_that_is_missing_is_named_and_can_be_given_while_the_store_is_open() {
    let admin = fresh(shared());
    let name = database(&admin);
    commit(&open(&admin, &options()).unwrap(), create(1, 10)).unwrap();
    let address = account(name, "SELECT, INSERT, DELETE");
    let store = open(&address, &options()).unwrap();
    for _ in 0..3 {
        let error = commit(&store, change(1, 2)).unwrap_err();
        refused(&error, &address, Unusable, &["may not do this", "UPDATE"]);
    }
    assert_eq!(version(&store, 1), 1, "what was refused is not done");
    run(shared(), &format!("GRANT UPDATE ON {name}.* TO 'u_{name}'@'%'"));
    commit(&store, change(1, 2)).unwrap();
    assert_eq!(version(&store, 1), 2);
}

#[test]
fn the_first_login_of_a_mysql_account_needs_tls() {
    if !is_mysql() {
        println!(
            "does not apply to MariaDB, which has no `caching_sha2_password`; a false server stands in: `fakes`"
        );
        return;
    }
    let admin = fresh(shared());
    let address = account(database(&admin), "ALL");
    let plain = format!("{address}?ssl-mode=DISABLED");
    let error = open(&plain, &options()).unwrap_err();
    refused(&error, &address, Unusable, &["caching_sha2_password", "ssl-mode=REQUIRED"]);
    let store = open(&format!("{address}?ssl-mode=REQUIRED"), &options()).unwrap();
    block_on(async { store.close().await });
    // The server remembers it until it is started anew.
    drop(open(&plain, &options()).unwrap());
}
