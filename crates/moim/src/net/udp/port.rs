//! UDP sockets of the one port.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use socket2::{Domain, Protocol, Socket, Type};

use super::options::tune;

/// What the kernel may hold for a socket while its shard is busy.
const BUFFER: usize = 4 * 1024 * 1024;

/// Takes the port on one address, with so many sockets. IPv6 sockets take IPv6 only, so that every
/// IPv4 client is IPv4.
pub(crate) fn bind(address: SocketAddr, count: usize) -> io::Result<Vec<Socket>> {
    if count == 1 {
        return Ok(vec![bind_one(address, false)?]);
    }
    // Sockets that share a port share it with any other that would: whether somebody has it is
    // told to one that would not.
    let sole = bind_one(address, false)?;
    let address = sole.local_addr()?.as_socket().unwrap_or(address);
    drop(sole);
    (0..count).map(|_| bind_one(address, true)).collect()
}

fn bind_one(address: SocketAddr, share: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    #[cfg(unix)]
    if share {
        socket.set_reuse_port(true)?;
    }
    #[cfg(not(unix))]
    debug_assert!(!share, "one shard");
    tune(&socket, address.ip().is_unspecified())?;
    // As much as the system lets us have.
    let _ = socket.set_recv_buffer_size(BUFFER);
    let _ = socket.set_send_buffer_size(BUFFER);
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Where one is bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Port {
    local: SocketAddr,
}

impl Port {
    pub(crate) fn new(socket: &Socket) -> io::Result<Self> {
        let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { local })
    }

    /// Whether packets from `server` leave by this socket.
    pub(crate) fn serves(&self, server: SocketAddr) -> bool {
        let any = self.local.ip().is_unspecified() && self.local.is_ipv4() == server.is_ipv4();
        self.local.port() == server.port() && (any || self.local.ip() == server.ip())
    }

    /// The address of ours that a datagram came to.
    pub(crate) fn reached(&self, destination: Option<IpAddr>) -> SocketAddr {
        let ip = destination.map_or(self.local.ip(), |ip| ip.to_canonical());
        SocketAddr::new(ip, self.local.port())
    }

    /// What to name as a packet's source, where it would not be `from` by itself.
    pub(crate) fn source(&self, from: IpAddr) -> Option<IpAddr> {
        (self.local.ip().is_unspecified() && !from.is_unspecified()).then_some(from)
    }
}
