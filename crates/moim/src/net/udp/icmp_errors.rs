//! What the network says of datagrams that a relayed socket has sent.

use std::net::SocketAddr;

use turn::IcmpError;

/// A datagram did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undelivered {
    /// Where it was sent.
    pub(crate) to: SocketAddr,
    /// What it met.
    pub(crate) error: IcmpError,
}

/// Takes the next of what the system keeps for a socket. What it says itself, not the network, is
/// passed over.
#[cfg(target_os = "linux")]
pub(crate) fn next(socket: &impl std::os::fd::AsRawFd) -> Option<Undelivered> {
    use std::io::IoSliceMut;

    use nix::{
        cmsg_space, libc,
        sys::socket::{MsgFlags, SockaddrStorage, recvmsg},
    };

    let mut space = cmsg_space!(libc::sock_extended_err, libc::sockaddr_in6);
    loop {
        // The system gives the datagram back; nobody asked for it.
        let mut payload = [IoSliceMut::new(&mut [])];
        let (flags, fd) = (MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT, socket.as_raw_fd());
        let message = recvmsg::<SockaddrStorage>(fd, &mut payload, Some(&mut space), flags).ok()?;
        let to = message.address.as_ref().and_then(address);
        let error = message.cmsgs().ok().and_then(|mut messages| messages.find_map(|m| icmp(&m)));
        if let (Some(to), Some(error)) = (to, error) {
            return Some(Undelivered { to, error });
        }
    }
}

#[cfg(target_os = "linux")]
fn address(storage: &nix::sys::socket::SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|to| SocketAddr::from((to.ip(), to.port())));
    v4.or_else(|| storage.as_sockaddr_in6().map(|to| SocketAddr::from((to.ip(), to.port()))))
}

#[cfg(target_os = "linux")]
fn icmp(message: &nix::sys::socket::ControlMessageOwned) -> Option<IcmpError> {
    use nix::{libc, sys::socket::ControlMessageOwned};

    let (told, origin) = match message {
        ControlMessageOwned::Ipv4RecvErr(told, _) => (told, libc::SO_EE_ORIGIN_ICMP),
        ControlMessageOwned::Ipv6RecvErr(told, _) => (told, libc::SO_EE_ORIGIN_ICMP6),
        _ => return None,
    };
    let error = IcmpError { kind: told.ee_type, code: told.ee_code, mtu: told.ee_info };
    (told.ee_origin == origin).then_some(error)
}

/// Elsewhere the system keeps nothing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn next<S>(_socket: &S) -> Option<Undelivered> {
    None
}
