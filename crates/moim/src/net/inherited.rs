//! Sockets that this process was started with: by the process before it, by systemd's store of
//! descriptors, or by socket activation (sd_listen_fds(3)).

use std::{
    collections::HashMap,
    io,
    net::{SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};
#[cfg(target_os = "linux")]
use std::{
    env,
    iter::repeat,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use socket2::Socket;

/// Beginnings of the names under which sockets are passed on.
const TCP: &str = "moim-tcp-";
const UDP: &str = "moim-udp-";
/// Name of each socket of a relayed address. All names together may have 128 KiB.
#[cfg(target_os = "linux")]
pub(crate) const RELAYED: &str = "moim-turn";
/// The most sockets of relayed addresses that are passed on. Those of further ones are bound anew.
pub(crate) const MAX_RELAYED: usize = 8192;
/// Longest time for which the address of a socket that was closed here may still be in use.
const CLOSED_WITHIN: Duration = Duration::from_secs(2);
/// Time between two attempts to bind to such an address.
const BIND_AGAIN: Duration = Duration::from_millis(20);

/// Duplicates of the sockets of the port, and at the end also of relayed addresses, for the next
/// process.
#[derive(Debug, Default)]
pub(crate) struct PortSockets {
    pub(crate) tcp: Vec<TcpListener>,
    /// Those of one address are in the order of the shards.
    pub(crate) udp: Vec<Socket>,
    pub(crate) relayed: Vec<Socket>,
}

#[cfg(target_os = "linux")]
impl PortSockets {
    /// The sockets of the port and their names, whose order is that of the sockets.
    pub(crate) fn named(&self) -> Vec<(String, BorrowedFd<'_>)> {
        let name = |kind: &'static str| move |index: usize| format!("{kind}{index:04}");
        let tcp = self.tcp.iter().map(AsFd::as_fd);
        let tcp = (0..).map(name(TCP)).zip(tcp);
        tcp.chain((0..).map(name(UDP)).zip(self.udp.iter().map(AsFd::as_fd))).collect()
    }

    /// All sockets and their names, those of relayed addresses last.
    pub(crate) fn into_named(self) -> Vec<(String, OwnedFd)> {
        let names: Vec<_> = self.named().into_iter().map(|(name, _)| name).collect();
        let port = self.tcp.into_iter().map(OwnedFd::from);
        let port = names.into_iter().zip(port.chain(self.udp.into_iter().map(OwnedFd::from)));
        let relayed = self.relayed.into_iter().map(|socket| (RELAYED.to_owned(), socket.into()));
        port.chain(relayed).collect()
    }

    /// True for the name of a socket of this program.
    pub(crate) fn is_name(name: &str) -> bool {
        name.starts_with(TCP) || name.starts_with(UDP) || name == RELAYED
    }
}

/// Sockets to use in place of new ones, found by their addresses.
#[derive(Debug, Default)]
pub(crate) struct InheritedSockets {
    tcp: Vec<TcpListener>,
    udp: Vec<Socket>,
    relayed: Vec<Socket>,
    /// Addresses of those of a socket unit.
    activated: Vec<(Kind, SocketAddr)>,
    /// The time at which sockets were closed that this process has no use for.
    closed_at: Option<Instant>,
}

/// A kind of socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tcp,
    Udp,
}

impl InheritedSockets {
    /// Takes the sockets that the environment names.
    #[cfg(target_os = "linux")]
    pub(crate) fn take() -> Self {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut named = listenfd::ListenFd::from_env();
        // systemd returns stored descriptors in an order of its own.
        let mut order: Vec<_> = (0..named.len()).zip(names.split(':').chain(repeat(""))).collect();
        order.sort_by_key(|(index, name)| (*name, *index));
        let mut sockets = Self::default();
        for (index, name) in order {
            let (kind, address) = if let Ok(Some(listener)) = named.take_tcp_listener(index) {
                sockets.tcp.push(listener);
                (Kind::Tcp, sockets.tcp.last().and_then(|listener| listener.local_addr().ok()))
            } else if name == RELAYED {
                let relayed = named.take_udp_socket(index).ok().flatten();
                sockets.relayed.extend(relayed.map(Socket::from));
                continue;
            } else if let Ok(Some(socket)) = named.take_udp_socket(index) {
                let address = socket.local_addr().ok();
                sockets.udp.push(socket.into());
                (Kind::Udp, address)
            } else {
                tracing::warn!("the service manager passed {name}, which is no socket of a port");
                continue;
            };
            let is_activated = !PortSockets::is_name(name);
            sockets.activated.extend(address.filter(|_| is_activated).map(|at| (kind, at)));
        }
        sockets
    }

    /// There are none on this system.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn take() -> Self {
        Self::default()
    }

    /// Closes the process before's sockets of addresses where this one does not listen: of all
    /// addresses, or of one of them, they would have the port of an address where it does.
    pub(crate) fn close_all_but(&mut self, wanted: &[SocketAddr]) {
        let activated = &self.activated;
        let is_wanted = |kind, local: Option<SocketAddr>| {
            local.is_some_and(|local| {
                activated.contains(&(kind, local)) || wanted.iter().any(|at| is_at(local, *at))
            })
        };
        let before = self.tcp.len() + self.udp.len();
        self.tcp.retain(|listener| is_wanted(Kind::Tcp, listener.local_addr().ok()));
        self.udp.retain(|socket| {
            let local = socket.local_addr().ok().and_then(|local| local.as_socket());
            is_wanted(Kind::Udp, local)
        });
        if self.tcp.len() + self.udp.len() < before {
            self.closed_at = Some(Instant::now());
        }
    }

    /// Calls `bind`, and again for a moment while the address is in use, if sockets were closed
    /// here. The service manager had copies of them: it says that it closed them, but any process
    /// that it is starting at that time has them until its program is executed.
    pub(crate) fn bind<T>(&self, mut bind: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        loop {
            let bound = bind();
            let is_in_use =
                bound.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse);
            let may_be_freed = self.closed_at.is_some_and(|at| at.elapsed() < CLOSED_WITHIN);
            if !is_in_use || !may_be_freed {
                return bound;
            }
            thread::sleep(BIND_AGAIN);
        }
    }

    /// Warns of sockets of a socket unit that nothing took.
    pub(crate) fn warn_of_rest(&self) {
        let tcp = self.tcp.iter().filter_map(|listener| listener.local_addr().ok());
        let tcp = tcp.filter(|address| self.activated.contains(&(Kind::Tcp, *address)));
        let udp = self.udp.iter().filter_map(|socket| socket.local_addr().ok()?.as_socket());
        let udp = udp.filter(|address| self.activated.contains(&(Kind::Udp, *address)));
        for address in tcp.chain(udp) {
            tracing::warn!(
                "the socket unit has a socket at {address}, where the server doesn't listen: add \
                 --also {address}, or remove it from the unit"
            );
        }
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
        if found.len() == count {
            return Some(found);
        }
        if !found.is_empty() {
            self.closed_at = Some(Instant::now());
        }
        if let Some((_, at)) =
            self.activated.iter().find(|(kind, at)| *kind == Kind::Udp && is_at(*at, address))
        {
            tracing::warn!(
                "the socket unit has {} UDP sockets at {at} for {count} shards: give ListenDatagram= \
                 {count} times with ReusePort=yes, or --shards {}, or leave UDP out of the unit",
                found.len(),
                found.len()
            );
        }
        None
    }

    /// Takes the sockets of relayed addresses.
    pub(crate) fn take_relayed(&mut self) -> HashMap<SocketAddr, Socket> {
        let relayed = std::mem::take(&mut self.relayed).into_iter();
        relayed
            .filter_map(|socket| Some((socket.local_addr().ok()?.as_socket()?, socket)))
            .collect()
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
        let mut sockets = InheritedSockets { tcp: vec![listener], ..Default::default() };
        assert!(sockets.take_tcp("127.0.0.2:0".parse().unwrap()).is_none());
        assert!(sockets.take_tcp(SocketAddr::new(local.ip(), local.port() ^ 1)).is_none());
        assert_eq!(sockets.take_tcp(any()).unwrap().local_addr().unwrap(), local);
        assert!(sockets.take_tcp(local).is_none() && sockets.tcp.is_empty());
    }

    #[test]
    fn udp_sockets_of_another_number_of_shards_are_closed() {
        let socket = || Socket::from(UdpSocket::bind(any()).unwrap());
        let mut sockets = InheritedSockets { udp: vec![socket(), socket()], ..Default::default() };
        assert!(sockets.take_udp(any(), 3).is_none());
        assert!(sockets.udp.is_empty());
        sockets.udp = vec![socket(), socket()];
        assert_eq!(sockets.take_udp(any(), 2).unwrap().len(), 2);
    }

    #[test]
    fn address_of_a_closed_socket_is_awaited() {
        let listener = TcpListener::bind(any()).unwrap();
        let local = listener.local_addr().unwrap();
        // That of a process which the service manager is just starting.
        let mut copy = Some(listener.try_clone().unwrap());
        let mut sockets = InheritedSockets { tcp: vec![listener], ..Default::default() };
        let mut bind = || {
            let bound = TcpListener::bind(local);
            copy.take();
            bound
        };
        sockets.close_all_but(&[]);
        assert_eq!(sockets.bind(&mut bind).unwrap().local_addr().unwrap(), local);
    }

    #[test]
    fn address_of_another_program_is_not_awaited() {
        let taken = TcpListener::bind(any()).unwrap();
        let mut attempts = 0;
        let bound = InheritedSockets::default().bind(|| {
            attempts += 1;
            TcpListener::bind(taken.local_addr().unwrap())
        });
        assert_eq!(bound.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(attempts, 1);
    }
}
