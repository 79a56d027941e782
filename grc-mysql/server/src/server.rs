//! A server that runs, or was stopped and can run again.

use crate::{
    Setup,
    account::{self, Account},
    cluster,
    guard::{Guard, until},
    member::Member,
    place,
    program::{Program, option},
    tls::Certificates,
};
use std::{
    ffi::OsString,
    fmt, fs,
    io::{self, Read},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The account of the database that tests use.
const USER: &str = "grc";
/// How long a server may take to start or to stop: much longer than it does, also on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many ports are tried.
const PORTS: u32 = 5;
/// What the log says of a port that another one has.
const TAKEN: &str = "Bind on TCP/IP port";
/// How much of a log an error contains.
const LINES: usize = 25;

/// A private database server. It ends, and its directory is removed, when this is dropped or this process ends.
pub struct Server {
    guard: Mutex<Guard>,
    directory: PathBuf,
    port: u16,
    password: String,
    authority: Option<PathBuf>,
    program: Program,
    /// All but what differs from start to start.
    command: Vec<OsString>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("directory", &self.directory)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Server {
    pub(crate) fn start(setup: Setup, mut ports: impl FnMut() -> io::Result<u16>) -> io::Result<Self> {
        let mut server = Self::prepare(setup, None)?;
        for _ in 1..PORTS {
            server.port = ports()?;
            match server.launch(FIRST, &[]) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                outcome => return outcome.map(|()| server),
            }
        }
        server.port = ports()?;
        server.launch(FIRST, &[]).map(|()| server)
    }

    /// Starts a node of a cluster: the first one makes it, the others are given what it has.
    pub(crate) fn start_member(setup: Setup, member: Member) -> io::Result<Self> {
        let first = member.is_first();
        let mut server = Self::prepare(setup, Some(member))?;
        server.port = place::free_port()?;
        let (script, options): (_, &[&str]) = if first { (FIRST, &[cluster::ALONE]) } else { (AGAIN, &[]) };
        server.launch(script, options).map(|()| server)
    }

    /// Makes all that a server needs to be started.
    fn prepare(setup: Setup, member: Option<Member>) -> io::Result<Self> {
        let account = Account::needed()?;
        let mut command = setup.program.command()?;
        if let Some(account) = account {
            setup.program.check_open()?;
            command.push(format!("--user={}", account.name()).into());
        }

        let mut guard = Guard::new(&place::folder(account)?)?;
        let directory = guard.directory().to_owned();
        account::give(&directory, account)?;
        for name in ["data", "tmp"] {
            account::make_directory(&directory.join(name), account)?;
        }
        command.push(option("datadir", directory.join("data")));
        command.push(option("tmpdir", directory.join("tmp")));
        if member.as_ref().is_none_or(Member::is_first) {
            guard = initialise(guard, &setup, &command)?;
        }

        command.extend(fixed(&directory));
        if let Some(member) = &member {
            command = member.command(&command, &directory, account)?;
            command.extend(member.options()?);
        }
        let mut authority = None;
        if setup.tls {
            let certificates = Certificates::make(directory.join("tls"), account)?;
            command.extend(certificates.options().map(|(name, path)| option(name, path)));
            authority = Some(certificates.authority());
        }
        command.extend(setup.options.iter().map(|given| format!("--{given}").into()));

        let password = member.map_or_else(password, |member| Ok(member.password))?;
        let first = [accounts(&setup.program, &password), setup.statements.clone()].concat();
        account::write(&directory.join(FIRST), &script(&first), account)?;
        account::write(&directory.join(AGAIN), &script(&setup.statements), account)?;

        let guard = Mutex::new(guard);
        let program = setup.program;
        Ok(Self { guard, directory, port: 0, password, authority, program, command })
    }

    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the program, and returns when it answers.
    fn launch(&self, script: &str, options: &[&str]) -> io::Result<()> {
        let mut guard = self.guard();
        let before = guard.logged();
        let mut command = self.command.clone();
        command.extend(options.iter().map(|given| format!("--{given}").into()));
        command.push(format!("--port={}", self.port).into());
        command.push(option("init-file", self.directory.join(script)));
        if script == AGAIN {
            // Another process may have the port for a moment, as its own end of a connection.
            command.push("--port-open-timeout=10".into());
        }
        guard.run(&command, "")?;
        // Whoever answers at the port may be another server: the socket is our own, and is there after the port.
        let socket = self.directory.join(SOCKET);
        let answers = until(PATIENCE, "the server to answer", || {
            if !guard.is_running() {
                return Ok(Some(false));
            }
            Ok(greets(&socket).then_some(true))
        });
        let log = guard.log(before);
        match answers {
            Ok(true) if !self.program.script_failed(&log) => return Ok(()),
            Ok(false) => {}
            Ok(true) | Err(_) => guard.signal("KILL")?,
        }
        guard.wait(PATIENCE)?;
        let kind = if log.contains(TAKEN) { io::ErrorKind::AddrInUse } else { io::ErrorKind::Other };
        Err(failure(kind, "the database server did not start", &log))
    }

    /// The address that it listens at.
    #[must_use]
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port, which stays the same.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The account that tests use. It may do everything.
    #[must_use]
    pub fn user(&self) -> &'static str {
        USER
    }

    /// Its password, which is this server's own.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// How a database is reached: `mysql://grc:…@127.0.0.1:…/database`. The database `grc` is there from the start.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("mysql://{USER}:{}@{}:{}/{database}", self.password, self.host(), self.port)
    }

    /// The certificate of the authority that signed the server's, for a [`Setup::tls`].
    #[must_use]
    pub fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// What is removed at the end.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The server's own files.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The number of the server's process, while there is one.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        let guard = self.guard();
        guard.process().filter(|_| guard.is_running())
    }

    /// All that the server said so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.guard().log(0)
    }

    /// How much it said so far.
    pub(crate) fn logged(&self) -> u64 {
        self.guard().logged()
    }

    /// Waits until the server says something that it had not said after so many bytes of its log.
    pub(crate) fn wait_until_logged(&self, text: &str, after: u64, limit: Duration) -> io::Result<()> {
        let guard = self.guard();
        let said = until(limit, "the server to say something", || {
            let said = guard.log(after).contains(text);
            if !said && !guard.is_running() {
                return Err(io::Error::other("the server ended"));
            }
            Ok(said.then_some(()))
        });
        said.map_err(|error| failure(error.kind(), &format!("`{text}`: {error}"), &guard.log(after)))
    }

    /// Kills the server (`SIGKILL`) and waits until it is gone. Its data stay as they are.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&self) -> io::Result<()> {
        let mut guard = self.guard();
        guard.signal("KILL")?;
        guard.wait(PATIENCE).map(drop)
    }

    /// Ends the server as an operator would (`SIGTERM`) and waits until it is gone.
    ///
    /// # Errors
    /// It does not run, or did not end well.
    pub fn stop(&self) -> io::Result<()> {
        let mut guard = self.guard();
        let before = guard.logged();
        guard.signal("TERM")?;
        guard.signal("CONT")?; // it may be frozen
        match guard.wait(PATIENCE)? {
            0 => Ok(()),
            status => {
                let problem = format!("the database server ended with status {status}");
                Err(failure(io::ErrorKind::Other, &problem, &guard.log(before)))
            }
        }
    }

    /// Starts the server again, at the same port with the same data; one that runs is stopped first.
    ///
    /// # Errors
    /// It did not start.
    pub fn restart(&self) -> io::Result<()> {
        self.restart_with(&[])
    }

    /// The same with options that count before the others, for this start only.
    ///
    /// # Errors
    /// It did not start.
    pub fn restart_with(&self, options: &[&str]) -> io::Result<()> {
        if self.pid().is_some() {
            self.stop()?;
        } else if self.guard().process().is_some() {
            self.guard().wait(PATIENCE)?; // it ended by itself
        }
        self.launch(AGAIN, options)
    }

    /// Stops the server where it is (`SIGSTOP`), and returns when it stands still: it keeps its connections and answers nobody.
    ///
    /// # Errors
    /// It does not run.
    pub fn freeze(&self) -> io::Result<()> {
        let mut guard = self.guard();
        guard.signal("STOP")?;
        guard.wait_for_stop(PATIENCE)
    }

    /// Lets a frozen server go on.
    ///
    /// # Errors
    /// It does not run.
    pub fn thaw(&self) -> io::Result<()> {
        self.guard().signal("CONT")
    }
}

/// Within the directory.
const SOCKET: &str = "socket";
/// What the server runs before it answers anybody: at its first start, and at the others.
const FIRST: &str = "first.sql";
const AGAIN: &str = "again.sql";

/// What every server is given, before what its test wants.
fn fixed(directory: &Path) -> Vec<OsString> {
    let simple = [
        "--skip-networking=0",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--innodb-buffer-pool-size=64M",
        // A write that is under way in the kernel outlives a process that is killed, and could land after those of the
        // next start, milliseconds later. One that a thread waits for does not.
        "--innodb-use-native-aio=0",
        // Seen once under load: a log that was written past the file system's buffers did not fit its pages after a kill.
        // `loose`: servers that know no such setting start all the same.
        "--loose-innodb-log-file-buffering=1",
        "--innodb-flush-log-at-trx-commit=1",
    ];
    let mut all: Vec<OsString> = simple.into_iter().map(OsString::from).collect();
    all.push(option("socket", directory.join(SOCKET)));
    all.push(option("pid-file", directory.join("pid")));
    all
}

/// Makes the system tables.
fn initialise(mut guard: Guard, setup: &Setup, command: &[OsString]) -> io::Result<Guard> {
    let (options, input) = setup.program.initialisation()?;
    let mut command = command.to_vec();
    command.extend(options.iter().map(OsString::from));
    guard.run(&command, &input)?;
    match guard.wait(PATIENCE)? {
        0 => Ok(guard),
        status => {
            let problem = format!("the system tables could not be made: status {status}");
            Err(failure(io::ErrorKind::Other, &problem, &guard.log(0)))
        }
    }
}

fn accounts(program: &Program, password: &str) -> Vec<String> {
    let mut statements = vec![
        "CREATE DATABASE grc".to_owned(),
        format!("CREATE USER '{USER}'@'%' IDENTIFIED BY '{password}'"),
        format!("GRANT ALL PRIVILEGES ON *.* TO '{USER}'@'%' WITH GRANT OPTION"),
    ];
    if let Program::MySql(_) = program {
        // Who may do everything there too, and had no password so far.
        statements.push(format!("ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}'"));
    }
    statements
}

/// The server reads statements that end with a line.
fn script(statements: &[String]) -> String {
    let line = |statement: &String| format!("{};\n", statement.trim().trim_end_matches(';'));
    statements.iter().map(line).collect()
}

/// One that cannot be guessed: everybody on the machine can reach the port.
pub(crate) fn password() -> io::Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether a server sends its handshake, of protocol version 10, to whoever connects.
fn greets(socket: &Path) -> bool {
    let mut head = [0; 5]; // the length, the number of the packet, the version
    UnixStream::connect(socket)
        .and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.read_exact(&mut head)
        })
        .is_ok_and(|()| head.ends_with(&[10]))
}

fn failure(kind: io::ErrorKind, problem: &str, log: &str) -> io::Error {
    let lines: Vec<_> = log.lines().rev().take(LINES).collect();
    let end: String = lines.iter().rev().map(|line| format!("\n  {line}")).collect();
    io::Error::new(kind, format!("{problem}; the end of its log:{end}"))
}
