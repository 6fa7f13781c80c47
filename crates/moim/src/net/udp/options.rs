//! Options of our UDP sockets, and what reads and writes their messages.

use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::AsFd;

use quinn_udp::{UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

/// Has a socket's packets go whole or not at all from now on, or no more.
#[cfg(target_os = "linux")]
pub(crate) fn forbid_fragments(socket: impl AsFd, v4: bool, forbid: bool) -> io::Result<()> {
    use rustix::net::sockopt::{
        Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
    };

    if v4 {
        let mode = if forbid { Ipv4PathMtuDiscovery::DO } else { Ipv4PathMtuDiscovery::OMIT };
        set_ip_mtu_discover(socket, mode)?;
    } else {
        let mode = if forbid { Ipv6PathMtuDiscovery::DO } else { Ipv6PathMtuDiscovery::OMIT };
        set_ipv6_mtu_discover(socket, mode)?;
    }
    Ok(())
}

/// Elsewhere they always do.
#[cfg(not(target_os = "linux"))]
pub(crate) fn forbid_fragments<S>(_socket: S, _v4: bool, _forbid: bool) -> io::Result<()> {
    Ok(())
}

/// Sets what a socket is to do.
///
/// On Linux the options are our own choice: runs are joined (GRO), the address a datagram came to
/// is told only where it may be one of several, and packets may be fragmented: a relay is no place
/// to drop what is larger than a link, and what ICMP says of a path is no reason to. (quinn-udp
/// would forbid that, and ask for what nobody reads: time stamps and ECN.)
#[cfg(target_os = "linux")]
pub(crate) fn tune(socket: &Socket, tell_destination: bool) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};

    socket.set_nonblocking(true)?;
    // Kernels before 5.0 don't know how, and deliver one by one.
    let _ = setsockopt(socket, sockopt::UdpGroSegment, &true);
    let v4 = socket.domain()? == Domain::IPV4;
    forbid_fragments(socket, v4, false)?;
    if v4 {
        setsockopt(socket, sockopt::Ipv4PacketInfo, &tell_destination)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &tell_destination)?;
    }
    Ok(())
}

/// Elsewhere it is as quinn-udp would have it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn tune(socket: &Socket, _tell_destination: bool) -> io::Result<()> {
    UdpSocketState::new(UdpSockRef::from(socket)).map(drop)
}

/// Has the system keep what the network says of datagrams sent, to be asked for ([`super::icmp_errors`]).
#[cfg(target_os = "linux")]
pub(crate) fn keep_errors(socket: &Socket) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};

    if socket.domain()? == Domain::IPV4 {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)?;
    }
    Ok(())
}

/// Elsewhere there is no asking.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_errors(_socket: &Socket) -> io::Result<()> {
    Ok(())
}

/// Reads and writes the messages of any socket. quinn-udp sets a socket's options when it makes
/// one; so that those of ours stay as they are, it is shown another.
pub(crate) fn codec() -> io::Result<UdpSocketState> {
    let shown = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    shown.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    UdpSocketState::new(UdpSockRef::from(&shown))
}
