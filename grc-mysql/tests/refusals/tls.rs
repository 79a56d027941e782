//! Encryption.

use crate::{
    address,
    batches::{commit, create},
    common::{fresh, options, run, shared, start},
    database, impatient, is_mysql, open, refused,
};
use grc_core::storage::StorageErrorKind::Unusable;
use private_server::Setup;
use std::process::Command;

#[test]
fn certificates_are_looked_at_as_the_address_says() {
    let server = start(Setup::new().tls(true).option("bind-address=0.0.0.0"));
    let admin = fresh(&server);
    let name = database(&admin);
    run(
        &server,
        &format!("CREATE USER 'tls' IDENTIFIED BY 'Okapi-4713' REQUIRE SSL; GRANT ALL ON {name}.* TO 'tls'"),
    );
    let right = server.authority().unwrap().display().to_string();
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str| files.path().join(name).display().to_string();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args([
            "-subj",
            "/CN=another authority",
            "-days",
            "2",
            "-keyout",
            &file("key.pem"),
            "-out",
            &file("wrong.pem"),
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::write(file("text.pem"), "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n")
        .unwrap();
    let wrong = file("wrong.pem");
    let here = address(&server, "tls", "Okapi-4713", name);
    // The same server under a name that its certificate does not have.
    let other = here.replace("127.0.0.1", "127.0.0.2");

    let mut count = 0;
    for (address, query) in [
        (&here, "?ssl-mode=REQUIRED".to_owned()),
        (&here, String::new()),
        (&other, "?ssl-mode=REQUIRED".to_owned()),
        (&here, format!("?ssl-mode=VERIFY_CA&ssl-ca={right}")),
        (&other, format!("?ssl-mode=VERIFY_CA&ssl-ca={right}")),
        (&here, format!("?ssl-mode=VERIFY_IDENTITY&ssl-ca={right}")),
    ] {
        count += 1;
        let store = open(&format!("{address}{query}"), &options()).unwrap();
        commit(&store, create(count, 10)).unwrap();
    }
    let untrusted = ["certificate", "not trusted", "ssl-ca"];
    let file_words = ["file", "ssl-ca"];
    for (address, query, words) in [
        (&here, format!("?ssl-mode=VERIFY_CA&ssl-ca={wrong}"), &untrusted[..]),
        (&here, "?ssl-mode=VERIFY_CA".to_owned(), &untrusted),
        (&here, format!("?ssl-mode=VERIFY_IDENTITY&ssl-ca={wrong}"), &untrusted),
        (&other, format!("?ssl-mode=VERIFY_IDENTITY&ssl-ca={right}"), &untrusted),
        (&here, format!("?ssl-mode=VERIFY_CA&ssl-ca={}", file("missing.pem")), &file_words),
        (&here, format!("?ssl-mode=VERIFY_CA&ssl-ca={}", file("text.pem")), &file_words),
        (&here, "?ssl-mode=DISABLED".to_owned(), &["the user or the password", "TLS"]),
    ] {
        count += 1;
        let error = open(&format!("{address}{query}"), &impatient()).unwrap_err();
        refused(&error, address, Unusable, words);
    }
    run(&server, "SET GLOBAL require_secure_transport = ON");
    let plain = format!("{}?ssl-mode=DISABLED", server.url(name));
    refused(&open(&plain, &impatient()).unwrap_err(), &plain, Unusable, &["ssl-mode=REQUIRED"]);
    println!("{count} ways of encryption");
    assert_eq!(count, 13);
}

#[test]
fn a_server_without_tls_says_so() {
    if is_mysql() {
        println!("does not apply to MySQL, which makes itself certificates");
        return;
    }
    let address = fresh(shared());
    for mode in ["REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"] {
        let error = open(&format!("{address}?ssl-mode={mode}"), &impatient()).unwrap_err();
        refused(&error, &address, Unusable, &["TLS", "ssl-mode=DISABLED"]);
    }
    drop(open(&format!("{address}?ssl-mode=PREFERRED"), &options()).unwrap());
}
