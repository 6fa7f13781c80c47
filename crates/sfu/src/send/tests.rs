//! An egress and a receiver that sends RTCP to it.

use testnet::Clock;

use super::*;
use crate::{
    ids::{PeerId, Transport},
    track::{
        codec::Codec,
        format::Format,
        packet::{ForwardedExtensions, Packet},
        rewriter::Rewritten,
    },
};

const SSRC: u32 = 7;
const RTX_SSRC: u32 = 8;
const MS: Duration = Duration::from_millis(1);

struct World {
    clock: Clock,
    egress: Egress,
    stream: SendStreamId,
    /// The other side of the handshake.
    receiver: Srtp,
    outbox: Outbox,
    seq: u64,
}

/// A datagram that was sent: its SSRC, unless it is RTCP, and its length.
#[derive(Debug)]
struct Sent {
    ssrc: Option<u32>,
    length: usize,
}

fn keys(is_client: bool) -> Keys {
    Keys { profile: Profile::Aes128Gcm, material: (0..56).collect(), is_client }
}

impl World {
    fn new() -> Self {
        let clock = Clock::new();
        let mut egress = Egress::new(1_500_000, 77, clock.now(), SystemTime::UNIX_EPOCH);
        let ssrcs = SendSsrcs { ssrc: SSRC, rtx_ssrc: Some(RTX_SSRC), cname: "moim".to_owned() };
        let ids = ExtensionIds { twcc_seq: Some(3), mid: Some(4), ..ExtensionIds::default() };
        let stream = egress.send_stream(Mid::from("0"), ssrcs, ids, Some(97));
        let receiver = Srtp::new(&keys(true)).unwrap();
        Self { clock, egress, stream, receiver, outbox: Outbox::default(), seq: 100 }
    }

    /// A world whose link is connected.
    fn connected() -> Self {
        let mut world = Self::new();
        world.egress.set_keys(&keys(false));
        let local = ([192, 0, 2, 1], 4000).into();
        let remote = ([192, 0, 2, 9], 5000).into();
        world.egress.set_path(FiveTuple { local, remote, transport: Transport::Udp });
        world
    }

    fn send(&mut self) -> bool {
        let format = Format::without_profile(Codec::H264);
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
        let outgoing = Outgoing {
            packet: &packet,
            rewritten: Rewritten {
                seq: self.seq,
                timestamp: 90,
                marker: false,
                vp8: None,
                frame_number: None,
            },
            format: NegotiatedFormat { format, payload_type: 96, rtx_pt: Some(97) },
        };
        self.egress.send(self.clock.now(), self.stream, outgoing, &mut self.outbox)
    }

    fn sent(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        while let Some(run) = self.outbox.pop(PeerId(1)) {
            sent.extend(run.datagrams().map(|bytes| {
                let ssrc = u32::from_be_bytes(*bytes[8..].first_chunk().unwrap());
                Sent { ssrc: (!rtcp::is_rtcp(bytes)).then_some(ssrc), length: bytes.len() }
            }));
        }
        self.outbox.reset();
        sent
    }

    fn retransmissions(&mut self) -> usize {
        self.sent().iter().filter(|sent| sent.ssrc == Some(RTX_SSRC)).count()
    }

    fn reports(&mut self) -> usize {
        self.sent().iter().filter(|sent| sent.ssrc.is_none()).count()
    }

    fn receive_rtcp(&mut self, rtcp: &[u8]) -> (RtcpOutcome, Vec<LinkEvent>) {
        let mut bytes = rtcp.to_vec();
        self.receiver.protect_rtcp(&mut bytes, 0).unwrap();
        self.receive(&bytes)
    }

    fn receive(&mut self, bytes: &[u8]) -> (RtcpOutcome, Vec<LinkEvent>) {
        let mut events = Vec::new();
        let now = self.clock.now();
        let outcome = self.egress.handle_rtcp(now, bytes, &mut self.outbox, &mut events);
        (outcome, events)
    }

    /// Handles timeouts for a while, as a driver would.
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

/// An RTCP packet about the stream, with more after its header.
fn rtcp_packet(packet_type: u8, format: u8, more: &[u8]) -> Vec<u8> {
    let words = u8::try_from(2 + more.len() / 4).unwrap();
    let header = [0x80 | format, packet_type, 0, words, 0, 0, 0, 1];
    [&header[..], &SSRC.to_be_bytes(), more].concat()
}

fn nack(seq: u64) -> Vec<u8> {
    let [.., high, low] = seq.to_be_bytes();
    rtcp_packet(205, 1, &[high, low, 0, 0])
}

#[test]
fn nothing_is_sent_without_keys_and_path() {
    let mut world = World::new();
    assert!(!world.send() && !world.egress.is_ready());
    assert_eq!(world.receive(&[0x81, 201, 0, 1, 0, 0, 0, 1]).0, RtcpOutcome::NoKeys);
    world.egress.set_keys(&keys(false));
    assert!(!world.send() && world.sent().is_empty());
    assert!(World::connected().send());
}

#[test]
fn nack_is_answered_at_once_and_again_after_a_round_trip() {
    let mut world = World::connected();
    world.send();
    assert_eq!(world.sent().len(), 1);
    world.clock.advance(MS * 5);
    world.receive_rtcp(&nack(world.seq));
    // The original sequence number precedes the payload.
    let sent = world.sent();
    assert!(
        matches!(sent[..], [Sent { ssrc: Some(RTX_SSRC), length }] if length > 1000),
        "{sent:?}"
    );
    world.clock.advance(MS);
    world.receive_rtcp(&nack(world.seq));
    assert_eq!(world.retransmissions(), 0, "the first may still arrive");
    world.clock.advance(INITIAL_RTT);
    world.receive_rtcp(&nack(world.seq));
    world.receive_rtcp(&nack(world.seq + 1));
    assert_eq!(world.retransmissions(), 1, "a packet that was never sent is ignored");
    world.clock.advance(Duration::from_secs(2));
    world.receive_rtcp(&nack(world.seq));
    assert_eq!(world.retransmissions(), 0, "it has expired");
}

#[test]
fn repeated_requests_in_one_datagram_count_once() {
    let mut world = World::connected();
    world.send();
    let (outcome, events) = world.receive_rtcp(&rtcp_packet(206, 1, &[]).repeat(100));
    assert_eq!((outcome, events.len()), (RtcpOutcome::Handled, 1));
    assert!(events[0].is_keyframe_request_for(Mid::from("0")));
    // Runs of the greatest length, all missing.
    let twcc = rtcp_packet(205, 15, &[0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x1f, 0xff, 0x1f, 0xff]);
    let (outcome, events) = world.receive_rtcp(&twcc.repeat(40));
    assert_eq!((outcome, events.len()), (RtcpOutcome::Handled, 0));
}

#[test]
fn rtcp_is_accepted_once_and_only_if_authentic() {
    let mut world = World::connected();
    world.send();
    let mut bytes = rtcp_packet(206, 1, &[]);
    world.receiver.protect_rtcp(&mut bytes, 0).unwrap();
    assert_eq!(world.receive(&bytes).0, RtcpOutcome::Handled);
    assert_eq!(world.receive(&bytes).0, RtcpOutcome::Dropped(DropReason::Replayed));
    bytes[9] ^= 1;
    assert_eq!(world.receive(&bytes).0, RtcpOutcome::Dropped(DropReason::Forged));
    let sender_report = [&[0x80, 200, 0, 6][..], &[0; 24]].concat();
    assert_eq!(world.receive_rtcp(&sender_report).0, RtcpOutcome::HandledInPart);
}

#[test]
fn sender_reports_are_sent_each_second_until_the_stream_is_idle() {
    let mut world = World::connected();
    let mut reports = 0;
    for _ in 0..100 {
        world.send();
        world.run(MS * 100);
        reports += world.reports();
    }
    assert!((10..=11).contains(&reports), "{reports}");
    world.run(Duration::from_secs(60));
    let reports = world.reports();
    assert!((4..=6).contains(&reports), "{reports}");
    assert_eq!(world.egress.poll_timeout(), None, "an idle link needs no timer");
}

#[test]
fn padding_is_sent_briefly_when_more_is_desired() {
    let mut world = World::connected();
    world.egress.set_desired(4_000_000, 4_000_000);
    for _ in 0..200 {
        world.send();
        world.run(MS * 10);
    }
    let sent = world.sent();
    let padding = sent.iter().filter(|sent| sent.ssrc == Some(RTX_SSRC));
    let padding: usize = padding.map(|sent| sent.length).sum();
    assert!((500..20_000).contains(&padding), "{padding} bytes");
}
