//! Something else than a server answers at the port, or a server that says what ours do not say.

use crate::{impatient, open, refused};
use grc_core::storage::StorageErrorKind::{self, Unavailable, Unusable};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// What a false server does with who connects.
#[derive(Clone)]
enum Act {
    /// Says this.
    Say(Vec<u8>),
    /// Waits for a packet.
    Hear,
    /// Says nothing more, but stays.
    Stay,
}
use Act::{Hear, Say, Stay};

fn hear(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut head = [0; 4];
    stream.read_exact(&mut head)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], 0]);
    stream.read_exact(&mut vec![0; length as usize])
}

fn play(mut stream: TcpStream, acts: &[Act]) -> std::io::Result<()> {
    for act in acts {
        match act {
            Say(bytes) => stream.write_all(bytes)?,
            Hear => hear(&mut stream)?,
            // Until the other side has gone.
            Stay => stream.read_to_end(&mut Vec::new()).map(drop)?,
        }
    }
    Ok(())
}

/// The address of a false server, which lives as long as this process.
fn fake(acts: &[Act]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let acts = acts.to_vec();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let acts = acts.clone();
            // That the other side has gone is what it should do.
            thread::spawn(move || drop(play(stream, &acts)));
        }
    });
    format!("mysql://grc:Zebra77@127.0.0.1:{port}/grc")
}

fn packet(number: u8, body: &[u8]) -> Vec<u8> {
    let [a, b, c, _] = u32::try_from(body.len()).unwrap().to_le_bytes();
    [&[a, b, c, number], body].concat()
}

/// A greeting of protocol 10, without TLS.
fn greeting(version: &str, plugin: &str) -> Vec<u8> {
    let mut out = vec![10];
    out.extend(version.as_bytes());
    out.push(0);
    out.extend([1, 0, 0, 0]);
    out.extend(b"abcdefgh\0");
    // LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION; then PLUGIN_AUTH.
    out.extend(0xa209_u16.to_le_bytes());
    out.extend([45, 2, 0]);
    out.extend(0x0008_u16.to_le_bytes());
    out.push(21);
    out.extend([0; 10]);
    out.extend(b"ijklmnopqrst\0");
    out.extend(plugin.as_bytes());
    out.push(0);
    out
}

fn error(code: u16, state: &str, text: &str) -> Vec<u8> {
    let mut out = vec![0xff];
    out.extend(code.to_le_bytes());
    out.extend(state.as_bytes());
    out.extend(text.as_bytes());
    out
}

#[track_caller]
fn meets(acts: &[Act], kind: StorageErrorKind, words: &[&str]) {
    let address = fake(acts);
    let options = impatient().patience(Duration::from_millis(700));
    refused(&open(&address, &options).unwrap_err(), &address, kind, words);
}

#[test]
fn a_port_that_is_no_database_is_told_from_one() {
    let nothing = ["does not answer", "patience", "MySQL or MariaDB"];
    meets(&[Stay], Unavailable, &nothing);
    meets(&[Say(b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec()), Stay], Unavailable, &nothing);
    let closed = ["MySQL or MariaDB"];
    meets(&[], Unavailable, &closed);
    meets(&[Say(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())], Unavailable, &closed);
    meets(&[Say(packet(0, b"")), Stay], Unusable, &closed);
    meets(&[Say(packet(0, b"\x0a")), Stay], Unusable, &closed);
    meets(&[Say(packet(0, b"hello, this is no greeting")), Stay], Unusable, &closed);
}

#[test]
fn a_greeting_that_is_cut_off_is_no_panic_of_the_caller() {
    let whole = greeting("10.11.6-MariaDB", "mysql_native_password");
    let mut count = 0;
    for length in (0..whole.len()).step_by(3) {
        meets(&[Say(packet(0, &whole[..length])), Stay], Unusable, &["MySQL or MariaDB"]);
        // Within the packet: it ends before it is whole.
        let sent = packet(0, &whole);
        meets(&[Say(sent[..length].to_vec())], Unavailable, &["MySQL or MariaDB"]);
        count += 2;
    }
    println!("{count} greetings cut off");
    assert!(count > 40);
}

#[test]
fn a_server_that_hangs_up_or_falls_silent_after_its_greeting() {
    for version in ["5.5.62", "5.5.5-10.3.39-MariaDB", "8.0.36"] {
        let hello = Say(packet(0, &greeting(version, "mysql_native_password")));
        meets(std::slice::from_ref(&hello), Unavailable, &["was lost", "try again"]);
        meets(&[hello.clone(), Hear], Unavailable, &["was lost", "try again"]);
        meets(&[hello, Hear, Stay], Unavailable, &["does not answer"]);
    }
    let ok = Say(packet(2, &[0, 0, 0, 2, 0, 0, 0]));
    let hello = Say(packet(0, &greeting("8.0.36", "mysql_native_password")));
    meets(&[hello, Hear, ok, Hear, Stay], Unavailable, &["does not answer"]);
}

#[test]
fn a_server_that_refuses_before_or_after_its_greeting() {
    let hello = Say(packet(0, &greeting("8.0.36", "mysql_native_password")));
    let mut count = 0;
    for (code, kind, words) in [
        (1040, Unavailable, "too many connections"),
        (1129, Unusable, "this machine"),
        (1130, Unusable, "this machine"),
        (1045, Unusable, "the user or the password"),
        (1049, Unusable, "no such database"),
        (1251, Unusable, "mysql_native_password"),
        (1524, Unusable, "mysql_native_password"),
        (1820, Unusable, "expired"),
        (1862, Unusable, "expired"),
        (3118, Unusable, "locked"),
        (4151, Unusable, "locked"),
        (3159, Unusable, "ssl-mode=REQUIRED"),
        (1047, Unavailable, "cluster"),
        (1053, Unavailable, "try again"),
        (60000, StorageErrorKind::Other, "60000"),
    ] {
        meets(&[Say(packet(0, &error(code, "", "no")))], kind, &[words]);
        meets(&[hello.clone(), Hear, Say(packet(2, &error(code, "#HY000", "no")))], kind, &[words]);
        count += 2;
    }
    println!("{count} refusals of a server");
    assert!(count >= 30);
}

#[test]
fn an_account_whose_password_the_driver_cannot_prove() {
    let words = ["`mysql_native_password` or `caching_sha2_password`"];
    for plugin in ["client_ed25519", "auth_gssapi_client", "mysql_clear_password"] {
        let switch = [b"\xfe".as_slice(), plugin.as_bytes(), b"\0", &[7; 20], b"\0"].concat();
        let hello = Say(packet(0, &greeting("11.4.2-MariaDB", "mysql_native_password")));
        meets(&[hello, Hear, Say(packet(2, &switch)), Stay], Unusable, &words);
    }
    meets(&[Say(packet(0, &greeting("11.4.2-MariaDB", "dialog"))), Stay], Unusable, &words);
    // A first login needs encryption; the server gives its public key when it is asked.
    let hello = Say(packet(0, &greeting("9.1.0", "caching_sha2_password")));
    let (full, key) = (Say(packet(2, &[1, 4])), Say(packet(4, b"\x01-----BEGIN PUBLIC KEY-----")));
    let words = ["caching_sha2_password", "ssl-mode=REQUIRED"];
    meets(&[hello, Hear, full, Hear, key, Stay], Unusable, &words);
}
