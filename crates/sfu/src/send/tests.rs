//! An egress, and a receiver that reports to it.

use testnet::Clock;

use super::*;
use crate::{
    ids::{PeerId, Transport as By},
    track::{format::Format, packet::ForwardedExtensions},
};

const SSRC: u32 = 7;
const REPAIRS: u32 = 8;
const MS: Duration = Duration::from_millis(1);

struct World {
    clock: Clock,
    egress: Egress,
    lane: Lane,
    /// The other side of the handshake.
    receiver: Srtp,
    outbox: Outbox,
    seq: u64,
}

fn keys(client: bool) -> Keys {
    Keys { profile: Profile::Aes128Gcm, material: (0..56).collect(), client }
}

impl World {
    fn new() -> Self {
        let clock = Clock::new();
        let mut egress = Egress::new(1_500_000, 77, clock.now(), SystemTime::UNIX_EPOCH);
        let source = Source { ssrc: SSRC, repairs: Some(REPAIRS), cname: "moim".to_owned() };
        let names = Names { transport_number: Some(3), mid: Some(4), ..Names::default() };
        let lane = egress.lane(Mid::from("0"), source, (names, Some(97)));
        let receiver = Srtp::new(&keys(true)).unwrap();
        Self { clock, egress, lane, receiver, outbox: Outbox::default(), seq: 100 }
    }

    /// One that is connected.
    fn ready() -> Self {
        let mut world = Self::new();
        world.egress.agree(&keys(false));
        let (local, remote) = (([192, 0, 2, 1], 4000).into(), ([192, 0, 2, 9], 5000).into());
        world.egress.lead(FiveTuple { local, remote, transport: By::Udp });
        world
    }

    fn send(&mut self) -> bool {
        let format = Format::without_profile(crate::track::codec::Codec::H264);
        let packet = Packet {
            seq: 1,
            timestamp: 90,
            marker: false,
            format,
            extensions: ForwardedExtensions::default(),
            dependency: None,
            frame_number: None,
            payload: vec![5; 1000].into(),
            received_at: self.clock.now(),
        };
        self.seq += 1;
        let as_ = Rewritten {
            seq: self.seq,
            timestamp: 90,
            marker: false,
            vp8: None,
            frame_number: None,
        };
        let named = Named { format, payload_type: 96, repairs: Some(97) };
        self.egress.send(self.clock.now(), self.lane, (&packet, as_, named), &mut self.outbox)
    }

    /// What leaves: of each datagram its SSRC, or none of reports, and its length.
    fn left(&mut self) -> Vec<(Option<u32>, usize)> {
        let mut left = Vec::new();
        while let Some(run) = self.outbox.pop(PeerId(1)) {
            left.extend(run.datagrams().map(|it| {
                let ssrc = u32::from_be_bytes(*it[8..].first_chunk().unwrap());
                ((!rtcp::is_report(it)).then_some(ssrc), it.len())
            }));
        }
        self.outbox.reset();
        left
    }

    fn repaired(&mut self) -> usize {
        self.left().iter().filter(|(ssrc, _)| *ssrc == Some(REPAIRS)).count()
    }

    fn report(&mut self, report: &[u8]) -> (Reports, Vec<Happened>) {
        let mut bytes = report.to_vec();
        self.receiver.protect_reports(&mut bytes, 0).unwrap();
        self.receive(&bytes)
    }

    fn receive(&mut self, bytes: &[u8]) -> (Reports, Vec<Happened>) {
        let mut happened = Vec::new();
        let out = (&mut self.outbox, &mut happened);
        (self.egress.handle_reports(self.clock.now(), bytes, out), happened)
    }

    /// Until a time, as a driver would.
    fn run(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        while let Some(due) = self.egress.poll_timeout().filter(|due| *due <= end) {
            let wait = due.saturating_duration_since(self.clock.now()).max(MS);
            self.clock.advance(wait);
            self.egress.handle_timeout(self.clock.now(), &mut self.outbox);
        }
        self.clock.advance(end.saturating_duration_since(self.clock.now()));
    }
}

/// A report of one kind on the stream, with more behind its head.
fn report(kind: u8, format: u8, more: &[u8]) -> Vec<u8> {
    let words = u8::try_from(2 + more.len() / 4).unwrap();
    let head = [0x80 | format, kind, 0, words, 0, 0, 0, 1];
    [&head[..], &SSRC.to_be_bytes(), more].concat()
}

fn missing(seq: u64) -> Vec<u8> {
    let [.., high, low] = seq.to_be_bytes();
    report(205, 1, &[high, low, 0, 0])
}

#[test]
fn nothing_leaves_before_there_are_keys_and_a_way() {
    let mut world = World::new();
    assert!(!world.send() && !world.egress.is_ready());
    assert_eq!(world.receive(&[0x81, 201, 0, 1, 0, 0, 0, 1]).0, Reports::Early);
    world.egress.agree(&keys(false));
    assert!(!world.send() && world.left().is_empty());
    assert!(World::ready().send());
}

#[test]
fn what_is_missing_is_sent_again_at_once_and_then_not_before_it_could_have_come() {
    let mut world = World::ready();
    world.send();
    assert_eq!(world.left().len(), 1);
    world.clock.advance(MS * 5);
    world.report(&missing(world.seq));
    // Its number stands before the payload.
    let repaired = world.left();
    assert!(matches!(repaired[..], [(Some(REPAIRS), length)] if length > 1000), "{repaired:?}");
    world.clock.advance(MS);
    world.report(&missing(world.seq));
    assert_eq!(world.repaired(), 0, "it may still be under way");
    world.clock.advance(ROUND_TRIP);
    world.report(&missing(world.seq));
    world.report(&missing(world.seq + 1));
    assert_eq!(world.repaired(), 1, "and what was never sent is not");
    world.clock.advance(Duration::from_secs(2));
    world.report(&missing(world.seq));
    assert_eq!(world.repaired(), 0, "it is of no use any more");
}

#[test]
fn a_datagram_full_of_one_wish_is_one_wish() {
    let mut world = World::ready();
    world.send();
    let (reports, happened) = world.report(&report(206, 1, &[]).repeat(100));
    assert_eq!((reports, happened.len()), (Reports::Taken, 1));
    assert!(happened[0].wants_keyframe_of(Mid::from("0")));
    // A run of as many as there can be, and none of them came.
    let nothing = report(205, 15, &[0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x1f, 0xff, 0x1f, 0xff]);
    let (reports, happened) = world.report(&nothing.repeat(40));
    assert_eq!((reports, happened.len()), (Reports::Taken, 0));
}

#[test]
fn a_report_is_taken_once_and_only_from_its_sender() {
    let mut world = World::ready();
    world.send();
    let mut bytes = report(206, 1, &[]);
    world.receiver.protect_reports(&mut bytes, 0).unwrap();
    assert_eq!(world.receive(&bytes).0, Reports::Taken);
    assert_eq!(world.receive(&bytes).0, Reports::Refused(DropReason::Replayed));
    bytes[9] ^= 1;
    assert_eq!(world.receive(&bytes).0, Reports::Refused(DropReason::Forged));
    let of_a_sender = [&[0x80, 200, 0, 6][..], &[0; 24]].concat();
    assert_eq!(world.report(&of_a_sender).0, Reports::OfEngine);
}

#[test]
fn streams_are_reported_on_each_second_while_something_is_sent() {
    let mut world = World::ready();
    let mut count = 0;
    for _ in 0..100 {
        world.send();
        world.run(MS * 100);
        count += world.left().iter().filter(|(ssrc, _)| ssrc.is_none()).count();
    }
    assert!((10..=11).contains(&count), "{count}");
    world.run(Duration::from_secs(60));
    let after = world.left().iter().filter(|(ssrc, _)| ssrc.is_none()).count();
    assert!((4..=6).contains(&after), "{after}");
    assert_eq!(world.egress.poll_timeout(), None, "who sends nothing is not woken");
}

#[test]
fn the_line_is_filled_for_who_wants_more_and_only_for_a_moment() {
    let mut world = World::ready();
    world.egress.desire(4_000_000, 4_000_000);
    for _ in 0..200 {
        world.send();
        world.run(MS * 10);
    }
    let left = world.left();
    let padding: usize =
        left.iter().filter(|(ssrc, _)| *ssrc == Some(REPAIRS)).map(|(_, length)| length).sum();
    assert!((500..20_000).contains(&padding), "{padding} bytes");
}

#[test]
fn a_number_is_the_nearest_with_its_last_bits() {
    for (near, low, expected) in [
        (0, 5, 5),
        (65_535, 2, 65_538),
        (65_538, 65_535, 65_535),
        (200_000, 3_392, 200_000),
        (200_000, 3_391, 199_999),
        (3, 65_535, 0),
    ] {
        assert_eq!(extend(near, low), expected, "{low} near {near}");
    }
}
