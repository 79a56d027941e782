//! A network of a test's own, in which the nodes of a cluster can be cut off from each other: what they say to each other
//! is lost, and whoever uses them notices nothing of it.

use private_server::Cluster;
use std::process::Command;

/// Tells a test that it is inside.
const INSIDE: &str = "GRC_TEST_NETWORK";

/// Runs a test of this program, by its name, in a network namespace of its own: an ordinary user becomes who may do that by
/// a user namespace.
#[track_caller]
pub(crate) fn run(test: &str) {
    let mut unshare = Command::new("unshare");
    if !is_root() {
        unshare.args(["--user", "--map-current-user", "--keep-caps"]);
    }
    let program = std::env::current_exe().unwrap();
    unshare.arg("--net").arg(program).args(["--exact", test, "--ignored", "--nocapture"]);
    let status = unshare.env(INSIDE, "1").status().unwrap();
    assert!(
        status.success(),
        "`{test}` in a network of its own, which `unshare --net` has to be allowed to make: {status}"
    );
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

/// The network that [`run`] made.
#[derive(Debug)]
pub(crate) struct Network(());

impl Network {
    /// The one that this test is in.
    #[track_caller]
    pub(crate) fn here() -> Self {
        assert!(
            std::env::var_os(INSIDE).is_some(),
            "this test is run by another one, in a network of its own"
        );
        ip("link set lo up");
        // What is lost is looked up before what is this machine's.
        ip("rule add pref 100 lookup local");
        ip("rule del pref 0");
        Self(())
    }

    /// Loses what a node and the others say to each other.
    pub(crate) fn cut(&self, cluster: &Cluster, node: usize) {
        for other in (0..cluster.nodes().len()).filter(|other| *other != node) {
            for (from, to) in [(node, other), (other, node)] {
                let (from, to) = (cluster.address(from), cluster.address(to));
                ip(&format!("rule add pref 50 from {from} to {to} blackhole"));
            }
        }
    }

    /// Loses nothing any more.
    pub(crate) fn mend(&self) {
        while ip_output("rule show pref 50").contains("blackhole") {
            ip("rule del pref 50");
        }
    }
}

fn ip(arguments: &str) {
    ip_output(arguments);
}

fn ip_output(arguments: &str) -> String {
    let output = Command::new("ip").args(arguments.split(' ')).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
