//! The user of a program on this host that is connected to this server.

use super::connection::Connection;

/// True if the other end of a loopback connection is a socket of this process's user. Only Linux
/// can tell; elsewhere it is always true.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_of_this_user(_: &Connection) -> bool {
    true
}

#[cfg(target_os = "linux")]
pub(crate) use linux::is_of_this_user;

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        fs::File,
        io::{BufRead, BufReader},
        net::{IpAddr, SocketAddr},
    };

    use super::{super::sock_diag, Connection};

    /// Bytes of a word, in which the kernel prints addresses.
    const WORD_BYTES: usize = 4;

    /// True if the other end of a loopback connection is a socket of this process's user.
    pub(crate) fn is_of_this_user(connection: &Connection) -> bool {
        let (peer, local) = (connection.peer, connection.local);
        let user = sock_diag::user(peer, local).unwrap_or_else(|error| {
            tracing::debug!(%error, "the kernel does not tell whose a socket is: reading them all");
            listed_user(peer, local)
        });
        user == Some(rustix::process::geteuid().as_raw())
    }

    /// The user of a socket by the tables of all sockets, which are long on a busy machine.
    fn listed_user(bound: SocketAddr, remote: SocketAddr) -> Option<u32> {
        // A client's socket of IPv6 may be connected over IPv4.
        ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
            .iter()
            .filter_map(|table| File::open(table).ok())
            .find_map(|table| user(BufReader::new(table), bound, remote))
    }

    /// The user of the socket that is bound to `bound` and connected to `remote` (proc_net(5)).
    fn user(table: impl BufRead, bound: SocketAddr, remote: SocketAddr) -> Option<u32> {
        let ends = [[ipv4(bound), ipv4(remote)], [ipv6(bound).into(), ipv6(remote).into()]];
        table.lines().map_while(Result::ok).find_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let socket = [fields.next()?, fields.next()?];
            let is_wanted = ends.iter().any(|ends| {
                ends.iter().zip(socket).all(|(end, field)| end.as_deref() == Some(field))
            });
            // Then: state, queues, timer, retransmits, user.
            is_wanted.then(|| fields.nth(4)?.parse().ok())?
        })
    }

    /// An address in the table of IPv4: words of the network's order, printed as numbers.
    fn ipv4(address: SocketAddr) -> Option<String> {
        let IpAddr::V4(ip) = address.ip().to_canonical() else { return None };
        Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(ip.octets()), address.port()))
    }

    /// The same in the table of IPv6.
    fn ipv6(address: SocketAddr) -> String {
        let ip = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let mut text = String::new();
        for word in ip.octets().chunks_exact(WORD_BYTES) {
            let word = word.try_into().map(u32::from_ne_bytes).unwrap_or_default();
            text.push_str(&format!("{word:08X}"));
        }
        format!("{text}:{:04X}", address.port())
    }

    #[cfg(test)]
    mod tests {
        use std::net::{TcpListener, TcpStream};

        use super::*;

        #[test]
        fn user_is_read_from_both_tables() {
            let head =
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid";
            let rest = "01 00000000:00000000 00:00000000 00000000    33        0 4711 1";
            let of = |line: String, bound: &str, remote: &str| {
                let table = format!("{head}\n   0: {line}\n");
                user(table.as_bytes(), bound.parse().unwrap(), remote.parse().unwrap())
            };
            if cfg!(target_endian = "big") {
                return;
            }
            let line = format!("0100007F:9C40 0100007F:0FA0 {rest}");
            assert_eq!(of(line.clone(), "127.0.0.1:40000", "127.0.0.1:4000"), Some(33));
            assert_eq!(of(line.clone(), "127.0.0.1:4000", "127.0.0.1:40000"), None, "this end");
            assert_eq!(of(line, "127.0.0.2:40000", "127.0.0.1:4000"), None);
            let mapped = "0000000000000000FFFF00000100007F";
            let line = format!("{mapped}:9C40 {mapped}:0FA0 {rest}");
            assert_eq!(of(line, "127.0.0.1:40000", "127.0.0.1:4000"), Some(33));
            let own = "00000000000000000000000001000000";
            let line = format!("{own}:9C40 {own}:0FA0 {rest}");
            assert_eq!(of(line, "[::1]:40000", "[::1]:4000"), Some(33));
        }

        #[test]
        fn sockets_of_this_process_are_of_this_user() {
            for address in ["127.0.0.1:0", "[::1]:0"] {
                let Ok(listener) = TcpListener::bind(address) else { continue };
                let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                let (server, peer) = listener.accept().unwrap();
                let connection = Connection::new(peer, server.local_addr().unwrap(), false);
                assert!(is_of_this_user(&connection), "{address}");
                let local = connection.local;
                assert_eq!(listed_user(peer, local), sock_diag::user(peer, local).unwrap());
                let other = SocketAddr::new(peer.ip(), 1);
                assert!(!is_of_this_user(&Connection { peer: other, ..connection }));
                assert_eq!(listed_user(other, local), None);
            }
        }
    }
}
