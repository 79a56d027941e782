//! A Galera cluster: several servers that hold the same.

use crate::{
    Server, Setup,
    galera::Galera,
    member::{self, Member, Ports},
    server::password,
};
use std::{io, time::Duration};

/// How often it is tried, with other ports: one that was free may be taken.
const ATTEMPTS: usize = 3;
/// What a node says when it has all that the others have.
const SYNCED: &str = "Synchronized with group, ready for connections";
/// What makes a cluster of a node that is alone.
pub(crate) const ALONE: &str = "wsrep-new-cluster";
/// How long a node may take to get all that the others have.
const PATIENCE: Duration = Duration::from_secs(120);

/// A private Galera cluster on this machine. Each node is a [`Server`]: it can be killed, frozen and started again, when
/// it joins the others. All end when this is dropped or this process ends.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    /// Starts so many nodes, each as `setup` says. Needs what `cargo xtask needs` unpacks.
    ///
    /// # Errors
    /// Something is not installed, or a node did not start or not join: the error says what is to be done, or has the end
    /// of the node's log.
    pub fn start(setup: &Setup, nodes: usize) -> io::Result<Self> {
        let galera = Galera::find()?;
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            match Self::attempt(setup, nodes, &galera) {
                Err(_) if left > 0 => {}
                outcome => return outcome,
            }
        }
    }

    fn attempt(setup: &Setup, nodes: usize, galera: &Galera) -> io::Result<Self> {
        let ports = (0..nodes).map(|_| Ports::free()).collect::<io::Result<Vec<_>>>()?;
        let password = password()?;
        let member = |number| Member {
            galera: galera.clone(),
            number,
            ports: ports.clone(),
            password: password.clone(),
        };
        let mut all = Vec::with_capacity(nodes);
        for number in 0..nodes {
            // One after the other: each is given the whole state by one that has it, which can give it to one at a time.
            let node = Server::start_member(setup.clone(), member(number))?;
            wait_for_sync(&node, 0)?;
            all.push(node);
        }
        Ok(Self { nodes: all })
    }

    /// The nodes, in the order in which they were started.
    #[must_use]
    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// Where a node speaks with the others, whoever calls whom: `127.0.0.2` for the first. Who uses it is answered at
    /// [`Server::host`], so that a firewall can cut a node off from the others alone.
    #[must_use]
    pub fn address(&self, number: usize) -> String {
        member::address(number)
    }

    /// Starts a node again that was killed or stopped, and waits until it has all that the others have. There must be
    /// others: see [`Cluster::restart_all`].
    ///
    /// # Errors
    /// There is no such node, or it did not start or not join.
    pub fn rejoin(&self, number: usize) -> io::Result<()> {
        let node = self.nodes.get(number).ok_or_else(|| io::Error::other("there is no such node"))?;
        let before = node.logged();
        node.restart()?;
        wait_for_sync(node, before)
    }

    /// Starts all nodes again after the last one was stopped, beginning with this one: the one that has the most.
    ///
    /// # Errors
    /// One did not start or not join.
    pub fn restart_all(&self, first: usize) -> io::Result<()> {
        let node = self.nodes.get(first).ok_or_else(|| io::Error::other("there is no such node"))?;
        let before = node.logged();
        node.restart_with(&[ALONE])?;
        wait_for_sync(node, before)?;
        (0..self.nodes.len()).filter(|number| *number != first).try_for_each(|number| self.rejoin(number))
    }

    /// How a database is reached at all nodes, this one first: `mysql://grc:…@127.0.0.1:…,127.0.0.1:…/database`.
    #[must_use]
    pub fn url(&self, database: &str, first: usize) -> String {
        let Some(one) = self.nodes.first() else { return String::new() };
        let turned = self.nodes.iter().cycle().skip(first).take(self.nodes.len());
        let hosts: Vec<String> = turned.map(|node| format!("{}:{}", node.host(), node.port())).collect();
        format!("mysql://{}:{}@{}/{database}", one.user(), one.password(), hosts.join(","))
    }
}

/// Nobody is asked, since that takes a client: a node says so in its log.
fn wait_for_sync(node: &Server, after: u64) -> io::Result<()> {
    node.wait_until_logged(SYNCED, after, PATIENCE)
}
