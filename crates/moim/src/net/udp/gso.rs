//! What leaves: datagrams of one size for one receiver gather into a run, which is sent as one.
//!
//! A send costs the kernel about the same whether it carries one datagram or forty, and that is
//! most of what relaying costs. Runs form where a sender's datagrams arrive together, be it that
//! the kernel has joined them (GRO) or that they were waiting side by side. Nothing waits for a run
//! to form: all have left before the shard sleeps.

use std::net::{IpAddr, SocketAddr};

use super::socket::{Outlets, Via};

/// Runs that form at a time. Each place takes the receivers that fall on it, so that what goes to
/// one receiver stays in order.
const RUNS: usize = 16;
/// Datagrams the kernel takes as one (`UDP_MAX_SEGMENTS` before 6.9).
const SEGMENTS: usize = 64;
/// Bytes the kernel takes as one: an IPv4 packet with its headers.
const BYTES: usize = 65_535 - 20 - 8;
/// Longer ones may need fragments, which runs can't have: what an Ethernet link takes over IPv6.
const LONGEST: usize = 1500 - 40 - 8;

/// Runs on their way out.
pub(crate) struct Egress {
    runs: [Run; RUNS],
    most: usize,
    /// Datagrams the system had no room or no way for.
    pub(crate) unsent: u64,
}

/// Where a datagram leaves and goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    /// The socket it leaves by.
    pub(crate) via: Via,
    /// The source to name, where the socket has several addresses.
    pub(crate) source: Option<IpAddr>,
    /// The receiver.
    pub(crate) to: SocketAddr,
}

#[derive(Default)]
struct Run {
    way: Option<Way>,
    /// Bytes of each datagram but the last.
    segment: usize,
    count: usize,
    /// The last was shorter: none may follow.
    is_closed: bool,
    bytes: Vec<u8>,
}

impl Way {
    /// Its place among the runs.
    fn place(&self) -> usize {
        let socket = match self.via {
            Via::Port(index) => index,
            Via::Relay(relay) => relay.index(),
        };
        (usize::from(self.to.port()) ^ socket) % RUNS
    }
}

impl Egress {
    pub(crate) fn new() -> Self {
        Self { runs: Default::default(), most: SEGMENTS, unsent: 0 }
    }

    /// Sends a datagram, of three pieces one behind the other, soon.
    pub(crate) fn push(
        &mut self,
        outlets: &Outlets,
        way: Way,
        head: &[u8],
        payload: &[u8],
        padding: usize,
    ) {
        let len = head.len() + payload.len() + padding;
        let Some(run) = self.runs.get_mut(way.place()) else { return };
        if !run.takes(&way, len, self.most) {
            self.unsent += run.leave(outlets);
            let joins = outlets.of(way.via).is_some_and(super::socket::Outlet::takes_runs);
            run.begin(way, len, joins && (1..=LONGEST).contains(&len));
        }
        run.bytes.extend_from_slice(head);
        run.bytes.extend_from_slice(payload);
        run.bytes.resize(run.bytes.len() + padding, 0);
        run.count += 1;
        run.is_closed |= len < run.segment;
    }

    /// Sends all there is.
    pub(crate) fn flush(&mut self, outlets: &Outlets) {
        for run in &mut self.runs {
            self.unsent += run.leave(outlets);
        }
    }
}

impl Run {
    fn takes(&self, way: &Way, len: usize, most: usize) -> bool {
        self.way == Some(*way)
            && !self.is_closed
            && (1..=self.segment).contains(&len)
            && self.count < most
            && self.bytes.len() + len <= BYTES
    }

    fn begin(&mut self, way: Way, segment: usize, joins: bool) {
        self.way = Some(way);
        self.segment = segment;
        self.is_closed = !joins;
    }

    /// Returns how many were not sent.
    fn leave(&mut self, outlets: &Outlets) -> u64 {
        let Some(way) = self.way.take() else { return 0 };
        let outlet = outlets.of(way.via);
        let count = self.count as u64;
        let unsent = outlet.map_or(count, |outlet| {
            outlet.send(&outlets.codec, way.source, way.to, &self.bytes, self.segment)
        });
        self.bytes.clear();
        self.count = 0;
        unsent
    }
}

#[cfg(test)]
mod tests {
    use std::{net::UdpSocket, time::Duration};

    use socket2::Socket;

    use super::super::options::keep_errors;
    use super::*;

    /// A shard's sockets, and somebody to send to.
    fn world() -> (Outlets, UdpSocket, mio::Poll) {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let poll = mio::Poll::new().unwrap();
        let socket = Socket::from(UdpSocket::bind(any).unwrap());
        keep_errors(&socket).unwrap();
        let sockets = vec![socket];
        let outlets = Outlets::new(sockets, poll.registry().try_clone().unwrap()).unwrap();
        let receiver = UdpSocket::bind(any).unwrap();
        receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        (outlets, receiver, poll)
    }

    fn way(receiver: &UdpSocket) -> Way {
        Way { via: Via::Port(0), source: None, to: receiver.local_addr().unwrap() }
    }

    fn receive(receiver: &UdpSocket) -> Vec<u8> {
        let mut bytes = vec![0; 65_536];
        let (len, _) = receiver.recv_from(&mut bytes).unwrap();
        bytes.truncate(len);
        bytes
    }

    #[test]
    fn datagrams_of_any_size_leave_in_order_and_whole() {
        let (outlets, receiver, _poll) = world();
        let mut egress = Egress::new();
        let sizes = [100, 100, 100, 40, 100, 0, 0, 100, 3000, 3000, 1200, 1200, 7];
        for (n, size) in (0u8..).zip(sizes) {
            let payload = vec![n; size / 2];
            egress.push(&outlets, way(&receiver), &payload, &payload, size - 2 * (size / 2));
        }
        egress.flush(&outlets);
        for (n, size) in (0u8..).zip(sizes) {
            let mut expected = vec![n; size / 2 * 2];
            expected.resize(size, 0);
            assert_eq!(receive(&receiver), expected);
        }
        assert_eq!(egress.unsent, 0);
    }

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "only Linux takes runs")]
    fn what_the_system_refuses_as_a_run_is_sent_one_by_one() {
        let (outlets, receiver, _poll) = world();
        // No kernel takes as many, so that it says of this run what one without offload says of
        // any.
        let mut egress = Egress { most: 500, ..Egress::new() };
        assert!(outlets.of(Via::Port(0)).unwrap().takes_runs());
        for n in 0..300u16 {
            egress.push(&outlets, way(&receiver), &n.to_be_bytes(), &[7; 8], 0);
        }
        egress.flush(&outlets);
        assert!(!outlets.of(Via::Port(0)).unwrap().takes_runs(), "no run is tried again");
        // As many as a receiver's buffer holds for sure.
        for n in 0..100u16 {
            assert_eq!(receive(&receiver), [&n.to_be_bytes()[..], &[7; 8]].concat());
        }
        assert_eq!(egress.unsent, 0);
    }

    #[test]
    fn what_is_told_of_an_earlier_datagram_costs_no_other() {
        let (outlets, receiver, _poll) = world();
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap();
        let nobody = way(&closed);
        drop(closed);
        let mut egress = Egress::new();
        for n in 0..50u8 {
            egress.push(&outlets, nobody, b"x", b"y", 0);
            egress.flush(&outlets);
            // One alone, and a run.
            for _ in 0..=n % 2 {
                egress.push(&outlets, way(&receiver), &[n], b"z", 0);
            }
            egress.flush(&outlets);
        }
        for n in 0..50u8 {
            for _ in 0..=n % 2 {
                assert_eq!(receive(&receiver), [n, b'z']);
            }
        }
        assert_eq!(egress.unsent, 0);
        #[cfg(target_os = "linux")]
        assert!(outlets.of(Via::Port(0)).unwrap().takes_runs());
    }

    #[test]
    fn what_can_not_be_sent_is_counted() {
        let (outlets, receiver, _poll) = world();
        let mut egress = Egress::new();
        let gone = Way { via: Via::Port(9), ..way(&receiver) };
        for _ in 0..3 {
            egress.push(&outlets, gone, b"x", b"y", 0);
        }
        egress.push(&outlets, way(&receiver), &[0; 40_000], &[0; 40_000], 0);
        egress.flush(&outlets);
        assert_eq!(egress.unsent, 4);
    }
}
