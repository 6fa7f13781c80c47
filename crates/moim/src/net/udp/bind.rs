//! UDP sockets bound to the one port.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use socket2::{Domain, Protocol, Socket, Type};

use super::options::{set_dont_fragment, set_options};

/// Kernel buffer of each direction, in bytes, for while its shard is busy.
const KERNEL_BUFFER: usize = 4 * 1024 * 1024;

/// Kernel buffers that the system granted, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KernelBuffers {
    /// SO_RCVBUF.
    pub(crate) receive: usize,
    /// SO_SNDBUF.
    pub(crate) send: usize,
}

impl KernelBuffers {
    /// The buffers of a socket.
    pub(crate) fn of(socket: &Socket) -> io::Result<Self> {
        // Linux reports twice the granted size, for its own overhead (socket(7)).
        let overhead = if cfg!(target_os = "linux") { 2 } else { 1 };
        Ok(Self {
            receive: socket.recv_buffer_size()? / overhead,
            send: socket.send_buffer_size()? / overhead,
        })
    }

    /// The smaller ones of two sockets.
    pub(crate) fn min(self, other: Self) -> Self {
        Self { receive: self.receive.min(other.receive), send: self.send.min(other.send) }
    }

    /// The remedy if the system granted less than was requested.
    pub(crate) fn remedy(self) -> Option<String> {
        let settings = [("net.core.rmem_max", self.receive), ("net.core.wmem_max", self.send)];
        let lines = settings.into_iter().filter(|(_, granted)| *granted < KERNEL_BUFFER);
        let lines: Vec<_> = lines.map(|(name, _)| format!("{name}={KERNEL_BUFFER}")).collect();
        (!lines.is_empty()).then(|| format!("sysctl -w {}", lines.join(" ")))
    }
}

/// Sets up inherited sockets of one address like new ones.
pub(crate) fn adopt(sockets: Vec<Socket>, address: SocketAddr) -> io::Result<Vec<Socket>> {
    for socket in &sockets {
        set_up(socket, address)?;
    }
    Ok(sockets)
}

/// Binds `count` sockets to one address. IPv6 sockets are IPv6-only, so that every IPv4 client has
/// an IPv4 address.
pub(crate) fn bind(address: SocketAddr, count: usize) -> io::Result<Vec<Socket>> {
    if count == 1 {
        return Ok(vec![bind_one(address, false)?]);
    }
    // SO_REUSEPORT would also share the port with another process. Only a socket without it fails
    // if the port is taken.
    let exclusive = bind_one(address, false)?;
    let address = exclusive.local_addr()?.as_socket().unwrap_or(address);
    drop(exclusive);
    (0..count).map(|_| bind_one(address, true)).collect()
}

/// Binds a socket for other nodes of the cluster to a port that the system chooses, at an address
/// of this computer or else at all. Returns the port, too. Its packets are not fragmented, so that
/// QUIC finds the path's limit (RFC 9000 §14).
pub(crate) fn bind_for_nodes(ip: IpAddr) -> io::Result<(Socket, u16)> {
    let any = match ip {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let socket = match bind_one(SocketAddr::new(ip, 0), false) {
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
            bind_one(SocketAddr::new(any, 0), false)?
        }
        bound => bound?,
    };
    set_dont_fragment(&socket, ip.is_ipv4(), true)?;
    let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
    Ok((socket, local.port()))
}

fn bind_one(address: SocketAddr, reuse_port: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    #[cfg(unix)]
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    #[cfg(not(unix))]
    debug_assert!(!reuse_port, "one shard");
    set_up(&socket, address)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn set_up(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    set_options(socket, address.ip().is_unspecified())?;
    // Best effort: the system may allow less.
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    Ok(())
}

/// The address that a socket of the port is bound to, perhaps a wildcard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BoundAddress {
    local: SocketAddr,
}

impl BoundAddress {
    pub(super) fn of(socket: &Socket) -> io::Result<Self> {
        let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { local })
    }

    /// Checks if packets from `server`, an address of ours, leave by this socket.
    pub(super) fn contains(&self, server: SocketAddr) -> bool {
        let any = self.local.ip().is_unspecified() && self.local.is_ipv4() == server.is_ipv4();
        self.local.port() == server.port() && (any || self.local.ip() == server.ip())
    }

    /// Our address that a datagram was sent to, from its packet info.
    pub(crate) fn destination(&self, packet_info: Option<IpAddr>) -> SocketAddr {
        let ip = packet_info.map_or(self.local.ip(), |ip| ip.to_canonical());
        SocketAddr::new(ip, self.local.port())
    }

    /// The source address to set on a packet from `from`, where the kernel might choose another.
    pub(super) fn source(&self, from: IpAddr) -> Option<IpAddr> {
        (self.local.ip().is_unspecified() && !from.is_unspecified()).then_some(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn granted_buffers_are_read_back() {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        socket.set_recv_buffer_size(50_000).unwrap();
        socket.set_send_buffer_size(60_000).unwrap();
        let buffers = KernelBuffers::of(&socket).unwrap();
        assert_eq!(buffers, KernelBuffers { receive: 50_000, send: 60_000 });
    }

    #[test]
    fn remedy_names_only_limits_that_are_too_low() {
        let full = KernelBuffers { receive: KERNEL_BUFFER, send: KERNEL_BUFFER };
        assert_eq!(full.remedy(), None);
        let debian = KernelBuffers { receive: 212_992, send: 212_992 };
        let remedy = "sysctl -w net.core.rmem_max=4194304 net.core.wmem_max=4194304";
        assert_eq!(debian.remedy().as_deref(), Some(remedy));
        let half = full.min(KernelBuffers { receive: 212_992, ..full });
        assert_eq!(half.remedy().as_deref(), Some("sysctl -w net.core.rmem_max=4194304"));
    }
}
