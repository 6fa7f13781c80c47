//! Socket options of our UDP sockets, and the shared quinn-udp state that reads and writes their
//! control messages.

use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::AsFd;

use quinn_udp::{UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

/// Sets or clears the don't-fragment flag of a socket's packets.
#[cfg(target_os = "linux")]
pub(super) fn set_dont_fragment(socket: impl AsFd, v4: bool, on: bool) -> io::Result<()> {
    use rustix::net::sockopt::{
        Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
    };

    if v4 {
        let mode = if on { Ipv4PathMtuDiscovery::DO } else { Ipv4PathMtuDiscovery::OMIT };
        set_ip_mtu_discover(socket, mode)?;
    } else {
        let mode = if on { Ipv6PathMtuDiscovery::DO } else { Ipv6PathMtuDiscovery::OMIT };
        set_ipv6_mtu_discover(socket, mode)?;
    }
    Ok(())
}

/// quinn-udp always sets the flag on these systems.
#[cfg(not(target_os = "linux"))]
pub(super) fn set_dont_fragment<S>(_socket: S, _v4: bool, _on: bool) -> io::Result<()> {
    Ok(())
}

/// Sets the options of a new socket; `packet_info` requests the destination address of each
/// datagram.
///
/// On Linux they differ from those of quinn-udp:
/// - GRO is on.
/// - The destination is only reported on wildcard sockets.
/// - Fragmentation is allowed: a relay must not drop datagrams larger than a link, and must not
///   trust an ICMP path MTU.
/// - ECN, which nothing reads, is off, and so are timestamps except where [`tell_receive_times`]
///   turns them on: they cost every packet.
#[cfg(target_os = "linux")]
pub(super) fn set_options(socket: &Socket, packet_info: bool) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};

    socket.set_nonblocking(true)?;
    // Kernels before 5.0 have no GRO and deliver each datagram by itself.
    let _ = setsockopt(socket, sockopt::UdpGroSegment, &true);
    let v4 = socket.domain()? == Domain::IPV4;
    set_dont_fragment(socket, v4, false)?;
    if v4 {
        setsockopt(socket, sockopt::Ipv4PacketInfo, &packet_info)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &packet_info)?;
    }
    Ok(())
}

/// Uses the options of quinn-udp.
#[cfg(not(target_os = "linux"))]
pub(super) fn set_options(socket: &Socket, _packet_info: bool) -> io::Result<()> {
    UdpSocketState::new(UdpSockRef::from(socket)).map(drop)
}

/// Has the kernel tell when the datagrams of a socket were received, or no longer.
#[cfg(target_os = "linux")]
pub(super) fn tell_receive_times(socket: impl AsFd, on: bool) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};

    Ok(setsockopt(&socket, sockopt::ReceiveTimestampns, &on)?)
}

/// quinn-udp has the kernel tell always, where it can.
#[cfg(not(target_os = "linux"))]
pub(super) fn tell_receive_times<S>(_socket: S, _on: bool) -> io::Result<()> {
    Ok(())
}

/// Enables the error queue of a socket, which [`super::icmp_errors`] reads.
#[cfg(target_os = "linux")]
pub(super) fn enable_error_queue(socket: &Socket) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt};

    if socket.domain()? == Domain::IPV4 {
        setsockopt(socket, sockopt::Ipv4RecvErr, &true)?;
    } else {
        setsockopt(socket, sockopt::Ipv6RecvErr, &true)?;
    }
    Ok(())
}

/// No error queue on this system.
#[cfg(not(target_os = "linux"))]
pub(super) fn enable_error_queue(_socket: &Socket) -> io::Result<()> {
    Ok(())
}

/// Creates the quinn-udp state that serves every socket of a shard. Creating one changes the
/// options of the given socket, so it gets a throwaway socket and ours keep theirs.
pub(super) fn shared_state() -> io::Result<UdpSocketState> {
    let throwaway = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    throwaway.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    UdpSocketState::new(UdpSockRef::from(&throwaway))
}
