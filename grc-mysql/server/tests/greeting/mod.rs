//! What a server says to whoever connects.

use std::{
    io::{self, Read},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

/// The first packet of a server.
#[derive(Debug)]
pub(crate) struct Greeting {
    pub(crate) protocol: u8,
    pub(crate) version: String,
    pub(crate) tls: bool,
}

/// Connects and reads it.
pub(crate) fn greeting(port: u16) -> io::Result<Greeting> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut head = [0; 4]; // three bytes of length, and the packet's number
    stream.read_exact(&mut head)?;
    let mut packet = vec![0; usize::from(head[0])];
    stream.read_exact(&mut packet)?;
    parse(&packet).ok_or_else(|| io::Error::other(format!("no greeting: {packet:?}")))
}

fn parse(packet: &[u8]) -> Option<Greeting> {
    let (protocol, rest) = packet.split_first()?;
    let mut parts = rest.splitn(2, |byte| *byte == 0);
    let (version, rest) = (parts.next()?, parts.next()?);
    // The thread's number (4 bytes), 8 bytes of the scramble and a zero; then what the server can, of which bit 11 is TLS.
    let can = u16::from_le_bytes(rest.get(13..15)?.try_into().ok()?);
    let version = String::from_utf8_lossy(version).into_owned();
    Some(Greeting { protocol: *protocol, version, tls: can & 0x0800 != 0 })
}
