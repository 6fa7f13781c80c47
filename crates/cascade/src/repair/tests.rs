//! Two ends on a virtual link.

use std::{
    collections::{BTreeSet, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use bytes::Bytes;
use proptest::prelude::*;
use testnet::{Link, Network, Step};

use super::{Receiver, Sender};
use crate::datagram::Datagram;

const INTERVAL: Duration = Duration::from_millis(1);

struct World {
    net: Network,
    sender: Sender,
    receiver: Receiver,
    near: SocketAddr,
    far: SocketAddr,
    round_trip: Duration,
    /// Numbers of the packets delivered, in order.
    delivered: Vec<u32>,
    /// Longest time from sending to delivery.
    longest: Duration,
    sent: Vec<std::time::Instant>,
    max_kept: usize,
    max_entries: usize,
}

impl World {
    fn new(seed: u64, link: Link) -> Self {
        let mut net = Network::new(seed);
        let near = SocketAddr::from(([192, 0, 2, 1], 1));
        let far = SocketAddr::from(([192, 0, 2, 2], 2));
        net.link(near.ip(), link);
        let now = net.clock.now();
        Self {
            net,
            sender: Sender::new(now),
            receiver: Receiver::new(now),
            near,
            far,
            round_trip: (link.delay + link.jitter) * 2,
            delivered: Vec::new(),
            longest: Duration::ZERO,
            sent: Vec::new(),
            max_kept: 0,
            max_entries: 0,
        }
    }

    /// Sends packets, one per interval, then waits until all is quiet.
    fn send(&mut self, count: u32, len: usize, is_audio: bool) {
        for _ in 0..count {
            let number = u32::try_from(self.sent.len()).unwrap();
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(len.max(4), number.to_be_bytes()[3]);
            let mut out = VecDeque::new();
            let now = self.net.clock.now();
            self.sender.send(now, is_audio, Duration::ZERO, &payload, 1200, &mut out);
            self.sent.push(now);
            self.max_kept = self.max_kept.max(self.sender.kept_bytes());
            self.transmit(out);
            self.run(INTERVAL);
        }
        self.run(Duration::from_secs(1));
    }

    fn transmit(&mut self, out: VecDeque<Bytes>) {
        for bytes in out {
            self.net.send(self.near, self.far, bytes.to_vec());
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.net.clock.now() + time;
        while self.net.clock.now() < end {
            let timers = [self.sender.poll_timeout(), self.receiver.poll_timeout()];
            let next = timers.into_iter().flatten().chain([end]).min().unwrap();
            if let Step::Arrived(datagram) = self.net.step(Some(next.max(self.net.clock.now()))) {
                self.handle(datagram.to == self.far, &Bytes::from(datagram.bytes));
            }
            let now = self.net.clock.now();
            let mut out = VecDeque::new();
            self.sender.handle_timeout(now, &mut out);
            self.transmit(out);
            let gaps = self.receiver.handle_timeout(now, self.round_trip);
            if !gaps.is_empty() {
                self.net.send(self.far, self.near, Datagram::Request(gaps).to_bytes());
            }
            self.max_entries = self.max_entries.max(self.receiver.entries());
        }
    }

    fn handle(&mut self, is_to_receiver: bool, bytes: &Bytes) {
        let now = self.net.clock.now();
        match (Datagram::parse(bytes).unwrap(), is_to_receiver) {
            (Datagram::Media(header, _), true) => {
                if let Some(received) = self.receiver.handle_media(now, header, bytes) {
                    let (number, rest) = received.payload.split_first_chunk::<4>().unwrap();
                    assert!(rest.iter().all(|byte| *byte == number[3]), "it is what was sent");
                    let number = u32::from_be_bytes(*number);
                    let took = now - self.sent[usize::try_from(number).unwrap()];
                    assert!(received.age <= took);
                    self.longest = self.longest.max(took);
                    self.delivered.push(number);
                }
            }
            (Datagram::Newest(newest), true) => self.receiver.handle_newest(now, newest),
            (Datagram::Request(gaps), false) => {
                let mut out = VecDeque::new();
                self.sender.handle_request(now, &gaps, &mut out);
                self.transmit(out);
            }
            (datagram, _) => panic!("misdirected {datagram:?}"),
        }
    }

    /// Packets that were not delivered.
    fn lost(&self) -> usize {
        let unique: BTreeSet<_> = self.delivered.iter().collect();
        assert_eq!(unique.len(), self.delivered.len(), "each is delivered once");
        self.sent.len() - unique.len()
    }
}

fn lossy(loss: f64, delay_ms: u64) -> Link {
    Link { loss, delay: Duration::from_millis(delay_ms), ..Link::default() }
}

#[test]
fn one_percent_loss_leaves_less_than_one_in_100_000() {
    let mut world = World::new(1, lossy(0.01, 15));
    world.send(200_000, 200, false);
    assert!(world.lost() <= 2, "{} of {} lost", world.lost(), world.sent.len());
    assert!(world.receiver.repaired > 1500, "{}", world.receiver.repaired);
}

#[test]
fn five_percent_loss_leaves_less_than_one_in_1000() {
    let mut world = World::new(2, lossy(0.05, 15));
    world.send(20_000, 200, false);
    assert!(world.lost() <= 20, "{} lost", world.lost());
}

#[test]
fn packet_lost_at_the_end_of_a_burst_is_repaired() {
    let mut world = World::new(3, lossy(0.3, 5));
    for _ in 0..200 {
        world.send(1, 200, false);
    }
    assert!(
        world.lost() <= 20,
        "{} of 200 lost, of which 60 would be without repair",
        world.lost()
    );
}

#[test]
fn nothing_is_asked_for_on_a_link_that_reorders_a_little() {
    let link = Link { jitter: Duration::from_millis(2), ..lossy(0.0, 5) };
    let mut world = World::new(4, link);
    world.send(5000, 200, false);
    assert_eq!((world.lost(), world.sender.resent), (0, 0));
}

#[test]
fn audio_is_sent_twice_only_while_the_link_loses() {
    let mut world = World::new(5, lossy(0.0, 15));
    world.send(3000, 200, true);
    assert_eq!(world.sender.resent, 0);
    world.net.link(world.near.ip(), lossy(0.05, 15));
    world.send(2000, 200, true);
    let before = world.longest;
    assert!(world.sender.resent > 500, "{}", world.sender.resent);
    world.longest = Duration::ZERO;
    world.send(2000, 200, true);
    assert!(world.longest <= before, "copies arrive before repaired packets");
    assert!(world.receiver.duplicates > 1000);
    world.net.link(world.near.ip(), lossy(0.0, 15));
    world.send(3000, 200, true);
    let resent = world.sender.resent;
    world.send(2000, 200, true);
    assert_eq!(world.sender.resent, resent);
}

#[test]
fn long_packet_is_split_and_joined() {
    let mut world = World::new(6, lossy(0.05, 5));
    world.send(2000, 1500, false);
    assert!(world.lost() <= 2, "{} lost", world.lost());
    assert!(world.receiver.received >= 3990, "in halves");
}

#[test]
fn receiver_gives_up_after_three_requests() {
    let mut world = World::new(7, lossy(0.0, 5));
    world.send(10, 200, false);
    // Nothing comes back from the sender: all that is asked for stays lost.
    let mut sent = VecDeque::new();
    let now = world.net.clock.now();
    let mut silent = Sender::new(now);
    (0..20).for_each(|_| silent.send(now, false, Duration::ZERO, &[0; 50], 1200, &mut sent));
    let mut receiver = Receiver::new(now);
    for (at, bytes) in sent.iter().enumerate().filter(|(at, _)| *at != 5) {
        let Some(Datagram::Media(header, _)) = Datagram::parse(bytes) else { panic!("{at}") };
        assert!(receiver.handle_media(now, header, bytes).is_some());
    }
    let mut requests = 0;
    let mut at = now;
    while let Some(due) = receiver.poll_timeout() {
        at = at.max(due);
        requests += receiver.handle_timeout(at, Duration::from_millis(20)).len();
    }
    assert_eq!((requests, receiver.lost, receiver.entries()), (3, 1, 0));
    assert!(at - now <= Duration::from_millis(120));
}

#[test]
fn what_is_kept_is_bounded() {
    let mut world = World::new(8, lossy(0.0, 5));
    let now = world.net.clock.now();
    let mut out = VecDeque::new();
    for _ in 0..10_000 {
        world.sender.send(now, true, Duration::ZERO, &[0; 1100], 1200, &mut out);
    }
    assert!(world.sender.kept_bytes() <= 2 << 20);
    // A datagram from far ahead makes everything before it missing, within the bound.
    let bytes = out.back().unwrap();
    let Some(Datagram::Media(header, _)) = Datagram::parse(bytes) else { panic!() };
    world.receiver.handle_media(now, header, bytes);
    assert!(world.receiver.entries() <= 2048 + 64, "{}", world.receiver.entries());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn delivered_is_what_was_sent_and_once(
        seed in any::<u64>(),
        (loss, duplicate, reorder) in (0.0..0.3_f64, 0.0..0.3_f64, 0.0..0.3_f64),
        (delay, jitter) in (0..50_u64, 0..30_u64),
        len in 4..1800_usize,
        is_audio in any::<bool>(),
    ) {
        let link = Link {
            loss,
            duplicate,
            reorder,
            delay: Duration::from_millis(delay),
            jitter: Duration::from_millis(jitter),
            bottleneck: None,
        };
        let mut world = World::new(seed, link);
        world.send(1000, len, is_audio);
        let lost = world.lost();
        // Even where there is time for one request only.
        let parts = if len > 1200 - 13 { 2 } else { 1 };
        let unrepaired = 1000.0 * (1.0 - (1.0 - loss).powi(parts));
        prop_assert!((lost as f64) < 0.75 * unrepaired + 20.0, "{lost} of {unrepaired}");
        prop_assert!(world.max_kept <= 2 << 20);
        prop_assert!(world.max_entries <= 2048 + 64);
        prop_assert!(world.receiver.entries() <= 64, "nothing is waited for in the end");
    }
}
