//! A private database server for tests and benchmarks: MariaDB, or MySQL, on a free port of this machine, in a directory
//! of its own, and gone with the process that started it.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! let server = private_server::Setup::new().start()?;
//! println!("{}", server.url("grc")); // mysql://grc:…@127.0.0.1:…/grc
//! server.kill()?; // as a power cut would
//! server.restart()?; // the same port, the same data
//! # Ok(())
//! # }
//! ```
//!
//! - It never uses a server that runs already, and reads no option file of the machine.
//! - When the caller is root the server runs as `nobody`, otherwise as the caller.
//! - The server is killed and its directory removed when [`Server`] is dropped, and also when the process ends in any
//!   other way: a panic, an exit, a `SIGKILL`. A server in a `static` is therefore no leak.
//! - Several of them are a Galera cluster, if it is asked for ([`Cluster`]).
//! - What is missing is an error that says what to install; nothing is skipped.
//!
//! Linux only: whether the server still runs is read in `/proc`.

mod account;
mod cluster;
mod galera;
mod guard;
mod member;
mod place;
mod program;
mod server;
mod setup;
mod tls;

pub use cluster::Cluster;
pub use program::Program;
pub use server::Server;
pub use setup::Setup;
