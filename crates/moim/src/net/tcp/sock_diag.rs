//! The user of one TCP socket, by a question to the kernel (sock_diag(7)).
//!
//! The kernel finds the socket in its hash table. The tables in `/proc/net` list all sockets of the
//! machine, which takes the longer the more clients there are.

use std::{
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket},
    os::fd::AsRawFd,
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::socket::{AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, connect, socket},
};

/// `SOCK_DIAG_BY_FAMILY`, and `NLMSG_ERROR`.
const BY_FAMILY: u16 = 20;
const ERROR: u16 = 2;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// Bytes of `struct nlmsghdr`, and of `struct inet_diag_req_v2` after it.
const HEAD_BYTES: usize = 16;
const BODY_BYTES: usize = 56;
/// `INET_DIAG_NOCOOKIE`: the socket is known by its addresses alone.
const NO_COOKIE: [u8; 8] = [0xff; 8];
/// The kernel answers at once.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Offsets in `struct inet_diag_msg`.
const PORTS: usize = 4;
const UID: usize = 64;
const INODE: usize = 68;

/// The user of the socket that is bound to `bound` and connected to `remote`; `None` if there is no
/// such socket.
///
/// # Errors
/// The kernel can't be asked.
pub(super) fn user(bound: SocketAddr, remote: SocketAddr) -> io::Result<Option<u32>> {
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket =
        socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkSockDiag)?;
    connect(socket.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
    // The standard library's type for any datagram socket.
    let socket = UdpSocket::from(socket);
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.send(&request(bound, remote))?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer)?;
    parse(answer.get(..length).unwrap_or_default(), ports(bound, remote))
}

fn request(bound: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    let is_ipv4 = [bound, remote].iter().all(|end| end.ip().to_canonical().is_ipv4());
    let family = if is_ipv4 { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let mut message = Vec::with_capacity(HEAD_BYTES + BODY_BYTES);
    let length = u32::try_from(HEAD_BYTES + BODY_BYTES).unwrap_or_default();
    message.extend(length.to_ne_bytes());
    message.extend(BY_FAMILY.to_ne_bytes());
    message.extend(REQUEST.to_ne_bytes());
    // Neither a sequence number nor a port: the kernel answers this one question.
    message.extend([0; 8]);
    let tcp = 6;
    message.extend([u8::try_from(family as i32).unwrap_or_default(), tcp, 0, 0]);
    // In any state.
    message.extend([0xff; 4]);
    message.extend(ports(bound, remote));
    for end in [bound, remote] {
        message.extend(address(end.ip(), is_ipv4));
    }
    // On any interface.
    message.extend([0; 4]);
    message.extend(NO_COOKIE);
    message
}

fn ports(bound: SocketAddr, remote: SocketAddr) -> [u8; 4] {
    let ([a, b], [c, d]) = (bound.port().to_be_bytes(), remote.port().to_be_bytes());
    [a, b, c, d]
}

/// An address in 16 bytes, of which IPv4 uses the first four.
fn address(ip: IpAddr, is_ipv4: bool) -> [u8; 16] {
    match (ip.to_canonical(), is_ipv4) {
        (IpAddr::V4(ip), true) => {
            let [a, b, c, d] = ip.octets();
            Ipv6Addr::from([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).octets()
        }
        (IpAddr::V4(ip), false) => ip.to_ipv6_mapped().octets(),
        (IpAddr::V6(ip), _) => ip.octets(),
    }
}

/// The user in an answer of the kernel about a socket with these ports.
fn parse(answer: &[u8], ports: [u8; 4]) -> io::Result<Option<u32>> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let kind = answer.get(4..6).and_then(|kind| kind.try_into().ok()).map(u16::from_ne_bytes);
    let body = answer.get(HEAD_BYTES..).ok_or_else(malformed)?;
    let word = |at: usize| -> io::Result<u32> {
        let word = body.get(at..at + 4).and_then(|word| word.try_into().ok());
        word.map(u32::from_ne_bytes).ok_or_else(malformed)
    };
    match kind {
        Some(ERROR) => match Errno::from_raw(word(0)?.cast_signed().wrapping_neg()) {
            Errno::ENOENT => Ok(None),
            error => Err(error.into()),
        },
        Some(BY_FAMILY) => {
            // In place of a connection that is gone, the kernel returns one that listens at its
            // port, or a remnant in TIME_WAIT, which has neither a file nor a user.
            let is_wanted = body.get(PORTS..PORTS + 4) == Some(&ports) && word(INODE)? != 0;
            Ok(is_wanted.then_some(word(UID)?))
        }
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Shutdown, TcpListener, TcpStream};

    use super::*;

    fn own() -> Option<u32> {
        Some(rustix::process::geteuid().as_raw())
    }

    #[test]
    fn user_of_a_connected_socket_is_known_in_both_families() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (bound, remote) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
            assert_eq!(user(bound, remote).unwrap(), own(), "{address}");
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(user(bound, remote).unwrap(), own(), "half-closed");
            let nobody = SocketAddr::new(bound.ip(), 1);
            assert_eq!(user(nobody, remote).unwrap(), None);
        }
    }

    #[test]
    fn ipv4_connection_of_a_socket_of_both_families_is_found() {
        let Ok(listener) = TcpListener::bind("[::]:0") else { return };
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (server, _) = listener.accept().unwrap();
        let (bound, remote) = (server.local_addr().unwrap(), server.peer_addr().unwrap());
        assert_eq!(user(bound, remote).unwrap(), own(), "{bound} {remote}");
        drop(client);
    }

    #[test]
    fn listener_and_remnant_in_place_of_a_connection_have_no_user() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let elsewhere = SocketAddr::new(address.ip(), 9);
        assert_eq!(user(address, elsewhere).unwrap(), None, "the listener");
        let client = TcpStream::connect(address).unwrap();
        let (bound, remote) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        // The end that closes first keeps a remnant.
        drop(client);
        drop(listener.accept().unwrap());
        assert_eq!(user(bound, remote).unwrap(), None, "the remnant");
    }

    #[test]
    fn malformed_answers_are_errors() {
        let mut answer = vec![0; HEAD_BYTES + INODE + 4];
        for kind in [0, ERROR, BY_FAMILY, 99] {
            answer[4..6].copy_from_slice(&kind.to_ne_bytes());
            for length in 0..HEAD_BYTES + 4 {
                assert!(parse(&answer[..length], [0; 4]).is_err(), "{kind}, {length} bytes");
            }
        }
        answer[4..6].copy_from_slice(&ERROR.to_ne_bytes());
        answer[HEAD_BYTES..HEAD_BYTES + 4].copy_from_slice(&(-1_i32).to_ne_bytes());
        assert_eq!(parse(&answer, [0; 4]).unwrap_err().raw_os_error(), Some(1), "EPERM");
    }
}
