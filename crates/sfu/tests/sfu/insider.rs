//! Arbitrary packets from a client that has joined and holds the SRTP keys of its link.

use std::time::Duration;

use proptest::prelude::*;

use crate::world::{
    World,
    eve::{Eve, MID_ID, Rtp, TWCC_ID},
    sctp::with_checksum,
    srtp,
};

const DEADLINE: Duration = Duration::from_millis(300);

#[test]
fn packet_from_before_the_first_is_not_forwarded() {
    let mut eve = Eve::new(31);
    let (peer, mid) = (eve.eve, eve.mid.clone());
    let packet = |seq, rollovers| Rtp {
        rollovers,
        ..Rtp::new(eve.payload_type, 0x00c0_ffee, seq, &[(MID_ID, mid.as_bytes())])
    };
    // Two rollovers below the first packet.
    let packets = [packet(5, 0), packet(65_530, u32::MAX), packet(65_531, u32::MAX), packet(6, 0)];
    let before = eve.world.client(eve.bob).ignored_packets;
    for packet in packets {
        let bytes = packet.protect(&eve.keys);
        eve.send(&bytes);
    }
    eve.world.run(DEADLINE);
    assert_eq!(
        eve.world.client(eve.bob).ignored_packets,
        before + 1,
        "only the first one is forwarded"
    );
    assert_eq!(eve.world.disconnected, []);
    eve.world.leave(peer);
    eve.assert_bob_unaffected();
}

/// Any RTP packet: known and unknown payload types, any extensions in both forms, CSRCs, padding,
/// jumping sequence numbers.
fn any_rtp() -> impl Strategy<Value = Rtp> {
    let extensions =
        prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)), 0..6);
    let numbers =
        (any::<u16>(), prop_oneof![Just(0), Just(1), Just(u32::MAX)], any::<u32>(), 0..6_u32);
    let payload = prop::collection::vec(any::<u8>(), 0..80);
    (any::<u8>(), 0..8_u8, extensions, numbers, payload, any::<u16>()).prop_map(
        |(kind, form, extensions, (seq, rollovers, timestamp, ssrc), payload, lie)| {
            // Mostly payload types of browsers' offers.
            let payload_type = [96, 97, 98, 100, 111, 127, 35, kind & 0x7f][usize::from(kind % 8)];
            let sources = if form == 7 { kind % 16 } else { 0 };
            let mut elements = Vec::new();
            for (id, value) in extensions {
                if form % 2 == 0 {
                    let length = (value.len() as u8).saturating_sub(1) % 16;
                    elements.push(((id % 16) << 4) | length);
                } else {
                    elements.extend([id % 18, value.len() as u8]);
                }
                elements.extend(value);
            }
            elements.resize(elements.len().next_multiple_of(4), 0);
            let words = if form == 6 { lie } else { (elements.len() / 4) as u16 };
            let profile: [u8; 2] = if form % 2 == 0 { [0xbe, 0xde] } else { [0x10, kind % 16] };
            let mut head = vec![1; usize::from(sources) * 4];
            head.extend(profile);
            head.extend(words.to_be_bytes());
            head.extend(elements);
            let first = 0x90 | sources | if form == 5 { 0x20 } else { 0 };
            Rtp { first, payload_type, seq, rollovers, timestamp, ssrc, head, payload }
        },
    )
}

/// Any compound: well-formed headers with any contents.
fn any_rtcp() -> impl Strategy<Value = Vec<u8>> {
    let body = prop::collection::vec(any::<u8>(), 4..120);
    let packet = (200_u8..208, 0..32_u8, body, 0..8_u8, any::<u16>());
    prop::collection::vec(packet, 1..5).prop_map(|packets| {
        let mut rtcp = Vec::new();
        for (kind, count, mut body, form, lie) in packets {
            body.resize(body.len().next_multiple_of(4), 0);
            let words = if form == 7 { lie } else { (body.len() / 4) as u16 };
            let padded = if form == 6 { 0x20 } else { 0 };
            rtcp.extend([0x80 | padded | count, kind]);
            rtcp.extend(words.to_be_bytes());
            rtcp.extend(body);
        }
        rtcp
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_authenticated_rtp_is_harmless(
        packets in prop::collection::vec((any_rtp(), 0..3_u8, any::<u16>(), 0..80_u64), 1..120),
    ) {
        let mut eve = Eve::new(32);
        let mid = eve.mid.clone();
        for (mut packet, variant, twcc_seq, pause) in packets {
            if variant > 0 {
                // A packet that str0m accepts, with any TWCC sequence number.
                let number = twcc_seq.to_be_bytes();
                let extensions = [(MID_ID, mid.as_bytes()), (TWCC_ID, &number[..])];
                let known = Rtp::new(eve.payload_type, packet.ssrc, packet.seq, &extensions);
                packet = Rtp { payload: packet.payload, timestamp: packet.timestamp, ..known };
            }
            let bytes = packet.protect(&eve.keys);
            eve.send(&bytes);
            if pause > 60 {
                eve.world.run(Duration::from_millis(pause));
            }
        }
        eve.world.run(DEADLINE);
        eve.assert_bob_unaffected();
        let peer = eve.eve;
        eve.world.leave(peer);
        prop_assert!(eve.world.disconnected.is_empty());
    }

    #[test]
    fn any_authenticated_rtcp_is_harmless(
        compounds in prop::collection::vec((any_rtcp(), 0..80_u64), 1..120),
    ) {
        let mut eve = Eve::new(33);
        for (rtcp, pause) in compounds {
            eve.send_rtcp(&rtcp);
            if pause > 60 {
                eve.world.run(Duration::from_millis(pause));
            }
        }
        eve.world.run(DEADLINE);
        eve.assert_bob_unaffected();
        prop_assert!(eve.world.disconnected.is_empty());
    }
}

/// An SCTP chunk of any type, mostly with a correct length.
fn any_chunk() -> impl Strategy<Value = Vec<u8>> {
    let types = prop_oneof![0..15_u8, Just(64), Just(130), Just(192), Just(194), any::<u8>()];
    let content = prop::collection::vec(any::<u8>(), 0..60);
    (types, any::<u8>(), content, 0..6_u8, any::<u16>()).prop_map(
        |(kind, flags, content, form, lie)| {
            let fits = 4 + content.len() as u16;
            let length = if form == 0 { lie } else { fits };
            let mut chunk = vec![kind, flags];
            chunk.extend(length.to_be_bytes());
            chunk.extend(content);
            chunk.resize(chunk.len().next_multiple_of(4), 0);
            chunk
        },
    )
}

/// A variant of an association's last packet: changed bytes, or other chunks under its header.
#[derive(Debug, Clone)]
enum Message {
    Changed(Vec<(prop::sample::Index, u8)>),
    Chunks(Vec<Vec<u8>>),
    Raw(Vec<u8>),
}

fn any_message() -> impl Strategy<Value = Message> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    prop_oneof![
        changes.prop_map(Message::Changed),
        prop::collection::vec(any_chunk(), 1..4).prop_map(Message::Chunks),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(Message::Raw),
    ]
}

fn apply(last: &[u8], message: Message) -> Vec<u8> {
    match message {
        Message::Changed(changes) => {
            let mut packet = last.to_vec();
            for (index, byte) in changes {
                let at = index.index(packet.len());
                packet[at] = byte;
            }
            with_checksum(packet)
        }
        Message::Chunks(chunks) => {
            with_checksum(last.iter().take(12).copied().chain(chunks.concat()).collect())
        }
        Message::Raw(bytes) => bytes,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_sctp_is_harmless_to_others(
        rounds in prop::collection::vec(prop::collection::vec(any_message(), 1..6), 1..20),
    ) {
        // Drop messages of the previous case.
        srtp::inject(Vec::new());
        let mut world = World::new(34);
        let [ann, bob] = [1, 2].map(|id| world.join(id, &[sfu::Source::Camera]));
        let eve = world.join(3, &[]);
        world.wait(Duration::from_secs(3), "bob sees ann, and eve's channel is open", |world| {
            world.client(bob).sees(ann, sfu::Source::Camera) && world.client(eve).open_channels == 1
        });
        let video = world.video(bob, ann, sfu::Source::Camera).decoded;
        for messages in rounds {
            let last = srtp::last_message();
            srtp::inject(messages.into_iter().map(|it| apply(&last, it)).collect());
            let now = world.now();
            world.client_mut(eve).write_channel(now, b"a message");
            world.run(Duration::from_millis(50));
        }
        world.run(Duration::from_secs(1));
        prop_assert!(world.video(bob, ann, sfu::Source::Camera).decoded > video + 20);
        // She may end her own association.
        let disconnected = &world.disconnected;
        prop_assert!(disconnected.iter().all(|(peer, _)| *peer == eve), "{disconnected:?}");
        prop_assert_eq!(world.sfu.panics(), 0);
        for peer in [ann, bob, eve] {
            world.leave(peer);
        }
        world.run(Duration::from_secs(1));
        prop_assert_eq!(world.sfu.entries(), 0);
    }
}
