//! ICMP errors for datagrams that a relayed socket has sent.

use std::net::SocketAddr;

use turn::IcmpError;

/// An ICMP error and the destination of the datagram that caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IcmpReport {
    /// Destination of the undelivered datagram.
    pub(crate) to: SocketAddr,
    pub(crate) error: IcmpError,
}

/// Takes the next ICMP error from the error queue of a socket. Skips errors of local origin.
#[cfg(target_os = "linux")]
pub(super) fn next(socket: &impl std::os::fd::AsRawFd) -> Option<IcmpReport> {
    use std::io::IoSliceMut;

    use nix::{
        cmsg_space, libc,
        sys::socket::{MsgFlags, SockaddrStorage, recvmsg},
    };

    let mut space = cmsg_space!(libc::sock_extended_err, libc::sockaddr_in6);
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    loop {
        // The kernel also returns the datagram, which is not needed.
        let mut payload = [IoSliceMut::new(&mut [])];
        let fd = socket.as_raw_fd();
        let message = recvmsg::<SockaddrStorage>(fd, &mut payload, Some(&mut space), flags).ok()?;
        let to = message.address.as_ref().and_then(address);
        let error = message.cmsgs().ok().and_then(|mut messages| messages.find_map(|m| icmp(&m)));
        if let (Some(to), Some(error)) = (to, error) {
            return Some(IcmpReport { to, error });
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

    let (reported, origin) = match message {
        ControlMessageOwned::Ipv4RecvErr(reported, _) => (reported, libc::SO_EE_ORIGIN_ICMP),
        ControlMessageOwned::Ipv6RecvErr(reported, _) => (reported, libc::SO_EE_ORIGIN_ICMP6),
        _ => return None,
    };
    let error = IcmpError { kind: reported.ee_type, code: reported.ee_code, mtu: reported.ee_info };
    (reported.ee_origin == origin).then_some(error)
}

/// No error queue on this system.
#[cfg(not(target_os = "linux"))]
pub(super) fn next<S>(_socket: &S) -> Option<IcmpReport> {
    None
}
