//! The address.

use crate::{
    common::{fresh, run, shared},
    database, impatient, keeps_secret, open, refused,
};
use grc_core::storage::StorageErrorKind::{Unavailable, Unusable};

#[test]
fn what_is_no_address_says_how_one_is_written() {
    let mut count = 0;
    for (address, words) in [
        ("", "mysql://"),
        ("postgres://grc:Zebra77@127.0.0.1/grc", "does not begin with `mysql://`"),
        ("grc:Zebra77@127.0.0.1/grc", "does not begin with `mysql://`"),
        ("mysql:grc:Zebra77@127.0.0.1/grc", "does not begin with `mysql://`"),
        ("mysql://grc:Zebra77@127.0.0.1:3306", "names no database"),
        ("mysql://grc:Zebra77@127.0.0.1:3306/", "names no database"),
        ("mysql://grc:Zebra77@127.0.0.1:99999/grc", "the host, the port"),
        ("mysql://grc:Zebra77@127.0.0.1:port/grc", "the host, the port"),
        ("mysql://grc:Zebra77@exa mple/grc", "cannot be read"),
        // A password with signs that belong to the address.
        ("mysql://grc:Zebra77#x@127.0.0.1/grc", "%XX"),
        ("mysql://grc:Zebra77/x@127.0.0.1/grc", "%XX"),
        ("mysql://grc:Zebra77?x@127.0.0.1/grc", "%XX"),
        ("mysql://grc:12/Zebra77@127.0.0.1/grc", "%XX"),
        ("mysql://grc:12?Zebra77@127.0.0.1/grc", "%XX"),
        ("mysql://grc:12#Zebra77@127.0.0.1/grc", "%XX"),
        ("mysql://grc:%FFZebra77@127.0.0.1/grc", "%XX"),
        // What may follow it: a word that nobody knows is not passed over, least of all about encryption.
        ("mysql://grc:Zebra77@127.0.0.1/grc?ssl-mode=STRICT", "ssl-mode"),
        ("mysql://grc:Zebra77@127.0.0.1/grc?ssl_mode=VERIFY_IDENTITY", "ssl-mode"),
        ("mysql://grc:Zebra77@127.0.0.1/grc?sslMode=VERIFY_IDENTITY", "ssl-mode"),
        ("mysql://grc:Zebra77@127.0.0.1/grc?charset=latin1", "ssl-mode"),
        ("mysql://grc:Zebra77@127.0.0.1/grc?ssl-cert=/x.pem", "ssl-key"),
        ("mysql://grc:Zebra77@127.0.0.1/grc?ssl-key=/x.pem", "ssl-cert"),
    ] {
        let error = open(address, &impatient()).unwrap_err();
        assert_eq!(error.kind(), Unusable, "{address}: {error}");
        keeps_secret(&error, "Zebra77");
        let message = error.to_string();
        assert!(message.contains(words), "{address}: {message}");
        assert!(message.contains("mysql://user:password@host:port/database"), "{message}");
        let error = pollster::block_on(impatient().open_keyring(address)).unwrap_err();
        assert!(!error.is_unavailable());
        keeps_secret(&error, "Zebra77");
        assert!(error.to_string().contains(words), "{address}: {error}");
        count += 2;
    }
    println!("{count} addresses refused");
    assert!(count >= 40, "{count}");
}

#[test]
fn any_password_can_be_written() {
    let plain = r#"a:b@c/d?e#f%41&g+h i"j\k=é€"#;
    let address = fresh(shared());
    let (name, account) = (database(&address), "spécial");
    let quoted = plain.replace('\\', "\\\\");
    run(
        shared(),
        &format!("CREATE USER '{account}' IDENTIFIED BY '{quoted}'; GRANT ALL ON {name}.* TO '{account}'"),
    );
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let at = |password: &str| crate::address(shared(), &percent(account), &percent(password), name);
    let store = open(&at(plain), &impatient()).unwrap();
    let shown = format!("{store:?} {store:#?}");
    for secret in [plain, &percent(plain), "%41", "spécial"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let wrong = "wrong/@pass%41";
    let error = open(&at(wrong), &impatient()).unwrap_err();
    refused(&error, &at(wrong), Unusable, &["refuses the user or the password", "%XX"]);
    keeps_secret(&error, wrong);
}

#[test]
fn a_host_that_does_not_exist_is_named() {
    // The name can never exist: RFC 6761.
    let address = "mysql://grc:Zebra77@no-such-host.invalid:3306/grc";
    let error = open(address, &impatient()).unwrap_err();
    refused(&error, address, Unavailable, &["check host and port"]);
    let address = "mysql://grc:Zebra77@127.0.0.1:3306/grc?socket=/nowhere/mysqld.sock";
    let error = open(address, &impatient()).unwrap_err();
    assert_eq!(error.kind(), Unusable, "{error}");
    keeps_secret(&error, "Zebra77");
    assert!(error.to_string().contains("`/nowhere/mysqld.sock/grc`"), "{error}");
}
