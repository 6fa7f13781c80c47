//! Sockets that this process was started with: by the process before it, by systemd's store of
//! descriptors, or by socket activation (sd_listen_fds(3)).

use std::net::{SocketAddr, TcpListener};

use socket2::Socket;

/// Duplicates of all sockets of the port, for the next process.
#[derive(Debug, Default)]
pub(crate) struct PortSockets {
    pub(crate) tcp: Vec<TcpListener>,
    /// Those of one address are in the order of the shards.
    pub(crate) udp: Vec<Socket>,
}

#[cfg(unix)]
impl PortSockets {
    /// The descriptors.
    pub(crate) fn into_descriptors(self) -> Vec<std::os::fd::OwnedFd> {
        let tcp = self.tcp.into_iter().map(Into::into);
        tcp.chain(self.udp.into_iter().map(Into::into)).collect()
    }
}

/// Sockets to use in place of new ones, found by their addresses.
#[derive(Debug, Default)]
pub(crate) struct InheritedSockets {
    tcp: Vec<TcpListener>,
    udp: Vec<Socket>,
}

impl InheritedSockets {
    /// Takes the sockets that the environment names.
    #[cfg(target_os = "linux")]
    pub(crate) fn take() -> Self {
        let mut named = listenfd::ListenFd::from_env();
        let mut sockets = Self::default();
        for index in 0..named.len() {
            if let Ok(Some(listener)) = named.take_tcp_listener(index) {
                sockets.tcp.push(listener);
            } else if let Ok(Some(socket)) = named.take_udp_socket(index) {
                sockets.udp.push(socket.into());
            }
        }
        sockets
    }

    /// There are none on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn take() -> Self {
        Self::default()
    }

    /// Takes a listener of this address; of any port of it if the system is to choose one.
    pub(super) fn take_tcp(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let matches =
            |listener: &TcpListener| listener.local_addr().is_ok_and(|local| is_at(local, address));
        let at = self.tcp.iter().position(matches)?;
        let listener = self.tcp.swap_remove(at);
        listener.set_nonblocking(true).ok()?;
        Some(listener)
    }

    /// Takes the UDP sockets of this address, in order, if there are exactly `count`. Others are
    /// closed: datagrams for a socket that nobody reads would be lost.
    pub(crate) fn take_udp(&mut self, address: SocketAddr, count: usize) -> Option<Vec<Socket>> {
        let matches = |socket: &Socket| {
            let local = socket.local_addr().ok().and_then(|local| local.as_socket());
            local.is_some_and(|local| is_at(local, address))
        };
        let (found, others) = std::mem::take(&mut self.udp).into_iter().partition(matches);
        self.udp = others;
        let found: Vec<_> = found;
        (found.len() == count).then_some(found)
    }
}

fn is_at(local: SocketAddr, address: SocketAddr) -> bool {
    local.ip() == address.ip() && (address.port() == 0 || local.port() == address.port())
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    fn any() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[test]
    fn sockets_are_found_by_address() {
        let listener = TcpListener::bind(any()).unwrap();
        let local = listener.local_addr().unwrap();
        let mut sockets = InheritedSockets { tcp: vec![listener], udp: Vec::new() };
        assert!(sockets.take_tcp("127.0.0.2:0".parse().unwrap()).is_none());
        assert!(sockets.take_tcp(SocketAddr::new(local.ip(), local.port() ^ 1)).is_none());
        assert_eq!(sockets.take_tcp(any()).unwrap().local_addr().unwrap(), local);
        assert!(sockets.take_tcp(local).is_none() && sockets.tcp.is_empty());
    }

    #[test]
    fn udp_sockets_of_another_number_of_shards_are_closed() {
        let socket = || Socket::from(UdpSocket::bind(any()).unwrap());
        let mut sockets = InheritedSockets { tcp: Vec::new(), udp: vec![socket(), socket()] };
        assert!(sockets.take_udp(any(), 3).is_none());
        assert!(sockets.udp.is_empty());
        sockets.udp = vec![socket(), socket()];
        assert_eq!(sockets.take_udp(any(), 2).unwrap().len(), 2);
    }
}
