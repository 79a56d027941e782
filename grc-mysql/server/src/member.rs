//! What makes a server a node of a cluster: where it is reached by the others, and where they are.

use crate::{
    account::{self, Account},
    galera::Galera,
    place,
    program::option,
};
use std::{ffi::OsString, io, path::Path};

/// The option file of a node, which says nothing: the scripts would read the machine's own if there were none.
const NOTHING: &str = "nothing.cnf";

/// Where a node speaks with the others: an address of its own, so that a firewall can tell the nodes apart. All of
/// 127.0.0.0/8 is this machine.
pub(crate) fn address(number: usize) -> String {
    format!("127.0.0.{}", number + 2)
}

/// Where a node listens for the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    /// The group's messages.
    group: u16,
    /// What it missed while it was away (IST).
    missed: u16,
    /// All of the state (SST).
    state: u16,
}

impl Ports {
    pub(crate) fn free() -> io::Result<Self> {
        Ok(Self { group: place::free_port()?, missed: place::free_port()?, state: place::free_port()? })
    }
}

/// A node of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) galera: Galera,
    pub(crate) number: usize,
    /// Of all nodes.
    pub(crate) ports: Vec<Ports>,
    /// Whoever joins has the accounts of the first.
    pub(crate) password: String,
}

impl Member {
    /// The first one makes the data that the others are given.
    pub(crate) const fn is_first(&self) -> bool {
        self.number == 0
    }

    /// Out of what starts a server, what starts a node.
    pub(crate) fn command(
        &self,
        server: &[OsString],
        directory: &Path,
        account: Option<Account>,
    ) -> io::Result<Vec<OsString>> {
        if account.is_some() && !self.galera.is_open() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "only root may go into {}: root's servers run as another account, so have Galera where everybody \
                     may go, and name the folder in GRC_TEST_GALERA",
                    self.galera.folder().display()
                ),
            ));
        }
        let nothing = directory.join(NOTHING);
        account::write(&nothing, "", account)?;
        let mut out = self.galera.environment()?;
        let defaults = |argument: &OsString| {
            if argument == "--no-defaults" { option("defaults-file", &nothing) } else { argument.clone() }
        };
        out.extend(server.iter().map(defaults));
        Ok(out)
    }

    /// What every node is given.
    pub(crate) fn options(&self) -> io::Result<Vec<OsString>> {
        let of = |what: fn(&Ports) -> u16| {
            self.ports.get(self.number).map(what).ok_or_else(|| io::Error::other("there is no such node"))
        };
        let (group, missed, state) = (of(|one| one.group)?, of(|one| one.missed)?, of(|one| one.state)?);
        let here = address(self.number);
        let all: Vec<String> = (0..)
            .zip(&self.ports)
            .map(|(number, one)| format!("{}:{}", address(number), one.group))
            .collect();
        let texts = [
            "wsrep-on=ON".to_owned(),
            "wsrep-cluster-name=private".to_owned(),
            format!("wsrep-node-name=node{}", self.number),
            format!("wsrep-node-address={here}"),
            // It calls from its own address too, not only listens there.
            format!("wsrep-cluster-address=gcomm://{}?socket.if_addr={here}", all.join(",")),
            format!(
                "wsrep-provider-options=base_host={here};base_port={group};\
                 gmcast.listen_addr=tcp://{here}:{group};ist.recv_addr={here}:{missed};gcache.size=32M"
            ),
            "wsrep-sst-method=rsync".to_owned(),
            format!("wsrep-sst-receive-address={here}:{state}"),
            "wsrep-slave-threads=2".to_owned(),
            "binlog-format=ROW".to_owned(),
            "innodb-autoinc-lock-mode=2".to_owned(),
        ];
        let mut out = vec![option("wsrep-provider", self.galera.library())];
        out.extend(texts.into_iter().map(|text| format!("--{text}").into()));
        Ok(out)
    }
}
