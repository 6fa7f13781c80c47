//! Batched send: datagrams of one size to one receiver gather into a run, which one system call
//! sends (GSO).
//!
//! A send costs the kernel about the same for one datagram as for forty, and sends are most of the
//! cost of relaying. Runs form where the datagrams of a sender arrive together: joined by the
//! kernel (GRO), or waiting side by side in the socket. Nothing is delayed for a run to form: the
//! shard flushes before it sleeps.

use std::net::{IpAddr, SocketAddr};

use super::{
    socket::Outgoing,
    sockets::{SocketId, UdpSockets},
};

/// Runs that form at a time. Each receiver maps to one slot, which keeps its datagrams in order.
const SLOTS: usize = 16;
/// Datagrams in one GSO send (`UDP_MAX_SEGMENTS` before Linux 6.9).
const MAX_SEGMENTS: usize = 64;
/// Bytes in one GSO send: an IPv4 packet without its headers.
const MAX_RUN_BYTES: usize = 65_535 - 20 - 8;
/// Datagrams that an Ethernet link carries over IPv6 without fragments, which GSO excludes.
const MAX_SEGMENT_BYTES: usize = 1500 - 40 - 8;

/// Runs that are forming.
pub(crate) struct GsoSender {
    runs: [GsoRun; SLOTS],
    max_segments: usize,
    /// Datagrams that the system did not accept.
    pub(crate) unsent: u64,
}

/// Socket, source and destination of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) socket: SocketId,
    /// Source address, where the socket has several.
    pub(crate) source: Option<IpAddr>,
    pub(crate) to: SocketAddr,
}

#[derive(Default)]
struct GsoRun {
    route: Option<Route>,
    /// Bytes of each datagram except a shorter last one.
    segment: usize,
    count: usize,
    /// No datagram may follow: the last one was shorter, or GSO is not possible.
    is_closed: bool,
    bytes: Vec<u8>,
}

impl Route {
    fn slot(&self) -> usize {
        (usize::from(self.to.port()) ^ self.socket.index()) % SLOTS
    }
}

impl GsoSender {
    pub(crate) fn new() -> Self {
        Self { runs: Default::default(), max_segments: MAX_SEGMENTS, unsent: 0 }
    }

    /// Appends a datagram (a head, a payload and zero bytes) to the run of its route, and sends the
    /// run before it if the two don't match.
    pub(crate) fn push(
        &mut self,
        sockets: &UdpSockets,
        route: Route,
        head: &[u8],
        payload: &[u8],
        padding: usize,
    ) {
        let len = head.len() + payload.len() + padding;
        let Some(run) = self.runs.get_mut(route.slot()) else { return };
        if !run.accepts(&route, len, self.max_segments) {
            self.unsent += run.send(sockets);
            let has_gso = sockets.get(route.socket).is_some_and(|socket| socket.has_gso());
            run.begin(route, len, has_gso && (1..=MAX_SEGMENT_BYTES).contains(&len));
        }
        run.bytes.extend_from_slice(head);
        run.bytes.extend_from_slice(payload);
        run.bytes.resize(run.bytes.len() + padding, 0);
        run.count += 1;
        run.is_closed |= len < run.segment;
    }

    /// Sends every run.
    pub(crate) fn flush(&mut self, sockets: &UdpSockets) {
        for run in &mut self.runs {
            self.unsent += run.send(sockets);
        }
    }
}

impl GsoRun {
    fn accepts(&self, route: &Route, len: usize, max_segments: usize) -> bool {
        self.route == Some(*route)
            && !self.is_closed
            && (1..=self.segment).contains(&len)
            && self.count < max_segments
            && self.bytes.len() + len <= MAX_RUN_BYTES
    }

    fn begin(&mut self, route: Route, segment: usize, is_open: bool) {
        self.route = Some(route);
        self.segment = segment;
        self.is_closed = !is_open;
    }

    /// Returns the number of datagrams that were not sent.
    fn send(&mut self, sockets: &UdpSockets) -> u64 {
        let Some(route) = self.route.take() else { return 0 };
        let outgoing = Outgoing {
            source: route.source,
            to: route.to,
            bytes: &self.bytes,
            segment: self.segment,
        };
        let unsent = match sockets.get(route.socket) {
            Some(socket) => socket.send(&sockets.state, &outgoing),
            None => self.count as u64,
        };
        self.bytes.clear();
        self.count = 0;
        unsent
    }
}

#[cfg(test)]
mod tests {
    use std::{net::UdpSocket, time::Duration};

    use socket2::Socket;

    use super::{super::options::enable_error_queue, *};

    /// The sockets of a shard, and a receiver.
    struct World {
        sockets: UdpSockets,
        receiver: UdpSocket,
        _poll: mio::Poll,
    }

    impl World {
        fn new() -> Self {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let poll = mio::Poll::new().unwrap();
            let socket = Socket::from(UdpSocket::bind(any).unwrap());
            enable_error_queue(&socket).unwrap();
            let registry = poll.registry().try_clone().unwrap();
            let sockets = UdpSockets::new(vec![socket], registry).unwrap();
            let receiver = UdpSocket::bind(any).unwrap();
            receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            Self { sockets, receiver, _poll: poll }
        }

        fn route(&self) -> Route {
            let to = self.receiver.local_addr().unwrap();
            Route { socket: SocketId::Port(0), source: None, to }
        }

        fn receive(&self) -> Vec<u8> {
            let mut bytes = vec![0; 65_536];
            let (len, _) = self.receiver.recv_from(&mut bytes).unwrap();
            bytes.truncate(len);
            bytes
        }
    }

    #[test]
    fn datagrams_of_any_size_are_sent_whole_and_in_order() {
        let world = World::new();
        let mut sender = GsoSender::new();
        let sizes = [100, 100, 100, 40, 100, 0, 0, 100, 3000, 3000, 1200, 1200, 7];
        for (n, size) in (0u8..).zip(sizes) {
            let payload = vec![n; size / 2];
            let padding = size - 2 * (size / 2);
            sender.push(&world.sockets, world.route(), &payload, &payload, padding);
        }
        sender.flush(&world.sockets);
        for (n, size) in (0u8..).zip(sizes) {
            let mut expected = vec![n; size / 2 * 2];
            expected.resize(size, 0);
            assert_eq!(world.receive(), expected);
        }
        assert_eq!(sender.unsent, 0);
    }

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "only Linux has GSO")]
    fn missing_gso_falls_back_to_single_datagrams() {
        let world = World::new();
        // More segments than any kernel accepts fail with the error of a kernel without GSO.
        let mut sender = GsoSender { max_segments: 500, ..GsoSender::new() };
        assert!(world.sockets.get(SocketId::Port(0)).unwrap().has_gso());
        for n in 0..300u16 {
            sender.push(&world.sockets, world.route(), &n.to_be_bytes(), &[7; 8], 0);
        }
        sender.flush(&world.sockets);
        assert!(!world.sockets.get(SocketId::Port(0)).unwrap().has_gso(), "GSO is not retried");
        // As many as a receive buffer holds for sure.
        for n in 0..100u16 {
            assert_eq!(world.receive(), [&n.to_be_bytes()[..], &[7; 8]].concat());
        }
        assert_eq!(sender.unsent, 0);
    }

    #[test]
    fn pending_icmp_errors_lose_no_other_datagram() {
        let world = World::new();
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap();
        let unreachable = Route { to: closed.local_addr().unwrap(), ..world.route() };
        drop(closed);
        let mut sender = GsoSender::new();
        for n in 0..50u8 {
            sender.push(&world.sockets, unreachable, b"x", b"y", 0);
            sender.flush(&world.sockets);
            // A single datagram and a run, in turn.
            for _ in 0..=n % 2 {
                sender.push(&world.sockets, world.route(), &[n], b"z", 0);
            }
            sender.flush(&world.sockets);
        }
        for n in 0..50u8 {
            for _ in 0..=n % 2 {
                assert_eq!(world.receive(), [n, b'z']);
            }
        }
        assert_eq!(sender.unsent, 0);
        #[cfg(target_os = "linux")]
        assert!(world.sockets.get(SocketId::Port(0)).unwrap().has_gso());
    }

    #[test]
    fn unsent_datagrams_are_counted() {
        let world = World::new();
        let mut sender = GsoSender::new();
        let missing = Route { socket: SocketId::Port(9), ..world.route() };
        for _ in 0..3 {
            sender.push(&world.sockets, missing, b"x", b"y", 0);
        }
        sender.push(&world.sockets, world.route(), &[0; 40_000], &[0; 40_000], 0);
        sender.flush(&world.sockets);
        assert_eq!(sender.unsent, 4);
    }
}
