//! The shell that starts the server, and ends it and removes its directory whatever becomes of this process.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::{ffi::OsStrExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

const SCRIPT: &str = include_str!("guard.sh");

/// How often we look whether something has happened.
const LOOK: Duration = Duration::from_millis(5);

/// One directory, and at most one process. The first of its files are `input`, which the process reads, and `log`, to
/// which it writes.
#[derive(Debug)]
pub(crate) struct Guard {
    shell: Child,
    // Nothing but us holds the other end of its input: std opens pipes so that children do not inherit them.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    directory: PathBuf,
    process: Option<u32>,
}

impl Guard {
    /// Makes the directory, inside this folder.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(SCRIPT).arg("private-server-guard").arg(folder);
        // Its own process group: what a terminal sends to ours (Control-C) is not for it. No variable of ours changes
        // what the server does.
        command.process_group(0).current_dir("/").env_clear().env("LC_ALL", "C");
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = command.spawn()?;
        let missing = || io::Error::other("the guard has no pipes");
        let orders = Some(shell.stdin.take().ok_or_else(missing)?);
        let answers = BufReader::new(shell.stdout.take().ok_or_else(missing)?);
        let mut guard = Self { shell, orders, answers, directory: PathBuf::new(), process: None };
        let directory = guard.answer()?;
        if directory.is_empty() {
            return Err(io::Error::other(format!("no directory can be made in {}", folder.display())));
        }
        guard.directory = directory.into();
        Ok(guard)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The process that was started last, until it was waited for.
    pub(crate) fn process(&self) -> Option<u32> {
        self.process
    }

    fn order(&mut self, order: impl AsRef<OsStr>) -> io::Result<()> {
        let order = order.as_ref().as_bytes();
        if order.contains(&b'\n') {
            return Err(io::Error::other("an option of the server contains a line break"));
        }
        let orders = self.orders.as_mut().ok_or_else(|| io::Error::other("the guard was dismissed"))?;
        orders.write_all(&[order, b"\n"].concat())
    }

    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the guard of the server ended"));
        }
        Ok(line.trim_end().to_owned())
    }

    fn number(&mut self) -> io::Result<u32> {
        self.answer()?.parse().map_err(io::Error::other)
    }

    /// Starts a program with this text as its input. Nothing else may run.
    pub(crate) fn run(&mut self, command: &[OsString], input: &str) -> io::Result<()> {
        fs::write(self.directory.join("input"), input)?;
        for argument in command {
            let mut order = OsString::from("argument ");
            order.push(argument);
            self.order(order)?;
        }
        self.order("run")?;
        self.process = Some(self.number()?);
        Ok(())
    }

    /// Whether the process has not ended yet.
    pub(crate) fn is_running(&self) -> bool {
        let Some(process) = self.process else { return false };
        !matches!(state(&format!("/proc/{process}")), None | Some('Z' | 'X'))
    }

    /// Waits until each thread of the process has stopped: a signal does not wait for that.
    pub(crate) fn wait_for_stop(&self, limit: Duration) -> io::Result<()> {
        let Some(process) = self.process else { return Err(io::Error::other("the server does not run")) };
        until(limit, "the server to stand still", || {
            let mut threads = fs::read_dir(format!("/proc/{process}/task"))?;
            let still = threads.all(|thread| {
                thread.is_ok_and(|thread| {
                    matches!(state(&thread.path().display().to_string()), None | Some('T' | 't'))
                })
            });
            Ok(still.then_some(()))
        })
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&mut self, name: &str) -> io::Result<()> {
        if self.process.is_none() {
            return Err(io::Error::other("the server does not run"));
        }
        self.order(format!("signal {name}"))?;
        match self.number()? {
            0 => Ok(()),
            status => Err(io::Error::other(format!("kill -s {name}: status {status}"))),
        }
    }

    /// Waits for the end of the process; its exit status as a shell gives it.
    pub(crate) fn wait(&mut self, limit: Duration) -> io::Result<u32> {
        // The shell waits only for what has ended: it must see the end of its input at any time.
        until(limit, "the end of the server", || Ok((!self.is_running()).then_some(())))?;
        self.order("wait")?;
        self.process = None;
        self.number()
    }

    /// How much was logged so far.
    pub(crate) fn logged(&self) -> u64 {
        fs::metadata(self.directory.join("log")).map_or(0, |file| file.len())
    }

    /// What was logged after so many bytes.
    pub(crate) fn log(&self, after: u64) -> String {
        let mut text = Vec::new();
        let read = fs::File::open(self.directory.join("log")).and_then(|mut file| {
            io::Seek::seek(&mut file, io::SeekFrom::Start(after))?;
            file.read_to_end(&mut text)
        });
        match read {
            Ok(_) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) => format!("(the log cannot be read: {error})"),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The end of its input is what it waits for.
        self.orders = None;
        let _ = self.shell.wait();
    }
}

/// The state of a process or of a thread, by its folder; none if there is none any more.
fn state(folder: &str) -> Option<char> {
    let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
    // It follows the name, which is in brackets and may contain anything.
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next())
}

/// Looks again and again, until there is an answer.
pub(crate) fn until<T>(
    limit: Duration,
    what: &str,
    mut look: impl FnMut() -> io::Result<Option<T>>,
) -> io::Result<T> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(answer) = look()? {
            return Ok(answer);
        }
        if waited >= limit {
            let problem = format!("waited for {what}, in vain: {limit:?}");
            return Err(io::Error::new(io::ErrorKind::TimedOut, problem));
        }
        thread::sleep(LOOK);
        waited += LOOK;
    }
}
