//! A certificate authority of its own, and the certificate that it signed for the server.

use crate::account::{self, Account};
use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
};

/// What the certificates say. openssl's own configuration is not asked.
const CONFIGURATION: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
CN = private server
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
";

/// A key and a certificate that it signs itself; the server's key and what it asks for; and what it is given.
const STEPS: [&str; 3] = [
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config openssl.cnf -extensions authority \
     -subj /CN=authority -days 3650 -keyout authority.key -out authority.pem",
    "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config openssl.cnf \
     -subj /CN=127.0.0.1 -keyout server.key -out server.csr",
    "x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial \
     -extfile openssl.cnf -extensions server -days 3650 -out server.pem",
];

/// The files that a server with TLS has.
#[derive(Debug)]
pub(crate) struct Certificates {
    directory: PathBuf,
}

impl Certificates {
    /// Makes them in this directory, which is made.
    pub(crate) fn make(directory: PathBuf, account: Option<Account>) -> io::Result<Self> {
        account::make_directory(&directory, account)?;
        account::write(&directory.join("openssl.cnf"), CONFIGURATION, account)?;
        for step in STEPS {
            run(&directory, step)?;
        }
        let made = Self { directory };
        account::give(&made.path("server.key"), account)?;
        Ok(made)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The certificate of the authority.
    pub(crate) fn authority(&self) -> PathBuf {
        self.path("authority.pem")
    }

    /// The server's options.
    pub(crate) fn options(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("ssl-ca", self.authority()),
            ("ssl-cert", self.path("server.pem")),
            ("ssl-key", self.path("server.key")),
        ]
    }
}

fn run(directory: &Path, arguments: &str) -> io::Result<()> {
    let mut command = Command::new("openssl");
    command.args(arguments.split_whitespace()).current_dir(directory);
    let output = command.output().map_err(|error| {
        let hint = "run `cargo xtask needs`, or `apt-get install openssl`";
        io::Error::new(error.kind(), format!("openssl cannot be run: {error}; {hint}"))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let problem = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("openssl {arguments}: {}: {problem}", output.status)))
}
