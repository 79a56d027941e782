//! Starting this test program again as another process.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

const ROLE: &str = "GRC_TEST_ROLE";

/// This program again, as a process of its own that runs its test `child` only, which is told what to do.
pub(crate) fn another(role: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role.join("\n"));
    command.stdin(Stdio::null());
    command
}

/// What this process was told to do, if another test started it.
#[expect(clippy::disallowed_methods, reason = "how a test tells its own child what to do")]
pub(crate) fn role() -> Option<Vec<String>> {
    let role = std::env::var(ROLE).ok()?;
    Some(role.split('\n').map(str::to_owned).collect())
}

/// Time that passed since the first call.
#[expect(clippy::disallowed_methods, reason = "a test that waits for another process")]
pub(crate) fn elapsed() -> Duration {
    static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGAN.get_or_init(std::time::Instant::now).elapsed()
}

/// Says something that is shown whether the test passes or not.
pub(crate) fn say(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{text}\n").as_bytes()).and_then(|()| out.flush()).expect("somebody reads this");
}

/// Waits for something that another process or the server does. Longer than it takes, also on a busy machine.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let until = elapsed() + Duration::from_secs(120);
    while !done() {
        assert!(elapsed() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
