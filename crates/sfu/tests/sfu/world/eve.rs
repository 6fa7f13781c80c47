//! An attacker that has joined a room and holds the SRTP keys of its link.

use std::{net::SocketAddr, time::Duration};

use sfu::{PeerId, Source};
use str0m::format::Codec;

use super::{World, host, srtp::Keys};

/// Ids of header extensions in a client's offer, as in Chromium.
pub(crate) const TWCC_ID: u8 = 3;
pub(crate) const MID_ID: u8 = 4;

/// A packet before protection.
#[derive(Debug, Clone)]
pub(crate) struct Rtp {
    pub(crate) first: u8,
    pub(crate) payload_type: u8,
    pub(crate) seq: u16,
    pub(crate) rollovers: u32,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// CSRCs and extensions, between the fixed header and the payload.
    pub(crate) head: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Rtp {
    /// A packet with these extensions in their one-byte form (RFC 8285 §4.2).
    pub(crate) fn new(payload_type: u8, ssrc: u32, seq: u16, extensions: &[(u8, &[u8])]) -> Self {
        let mut elements = Vec::new();
        for (id, value) in extensions {
            elements.push(id << 4 | (value.len() as u8 - 1));
            elements.extend(*value);
        }
        elements.resize(elements.len().next_multiple_of(4), 0);
        let words = u16::try_from(elements.len() / 4).unwrap().to_be_bytes();
        let head = [&[0xbe, 0xde], &words[..], &elements].concat();
        let timestamp = u32::from(seq) * 960;
        let payload = vec![7; 20];
        Self { first: 0x90, payload_type, seq, rollovers: 0, timestamp, ssrc, head, payload }
    }

    pub(crate) fn protect(&self, keys: &Keys) -> Vec<u8> {
        let [s0, s1] = self.seq.to_be_bytes();
        let mut packet = vec![self.first, self.payload_type, s0, s1];
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(&self.head);
        let head = packet.len();
        packet.extend(&self.payload);
        keys.protect(&packet, head, self.rollovers)
    }
}

/// A world with an attacker that generates no media of its own.
pub(crate) struct Eve {
    pub(crate) world: World,
    pub(crate) eve: PeerId,
    /// Another peer in the room.
    pub(crate) bob: PeerId,
    pub(crate) keys: Keys,
    /// The payload type and the mid of its microphone.
    pub(crate) payload_type: u8,
    pub(crate) mid: String,
}

impl Eve {
    pub(crate) fn new(seed: u64) -> Self {
        let mut world = World::new(seed);
        let eve = world.join(1, &[Source::Microphone, Source::Camera]);
        let bob = world.join(2, &[Source::Microphone, Source::Camera]);
        let soon = Duration::from_secs(3);
        world.wait(soon, "bob sees eve", |world| world.client(bob).sees(eve, Source::Camera));
        world.client_mut(eve).stop_media();
        world.client_mut(bob).ignore_media_of(eve);
        let client = world.client(eve);
        let keys = client.keys.clone().unwrap();
        let params = client.rtc.codec_config().params();
        let opus = params.iter().find(|params| params.spec().codec == Codec::Opus).unwrap();
        let payload_type = *opus.pt();
        let mid = client.tracks()[0].0.clone();
        Self { world, eve, bob, keys, payload_type, mid }
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::new(host(self.eve), 5000)
    }

    /// Sends bytes verbatim.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let from = self.address();
        self.world.forge(from, bytes);
    }

    /// A packet of audio with a TWCC sequence number.
    pub(crate) fn packet_with_twcc(&self, ssrc: u32, seq: u16, twcc_seq: u16) -> Vec<u8> {
        let twcc = twcc_seq.to_be_bytes();
        let extensions = [(MID_ID, self.mid.as_bytes()), (TWCC_ID, &twcc[..])];
        Rtp::new(self.payload_type, ssrc, seq, &extensions).protect(&self.keys)
    }

    pub(crate) fn send_with_twcc(&mut self, ssrc: u32, seq: u16, twcc_seq: u16) {
        let packet = self.packet_with_twcc(ssrc, seq, twcc_seq);
        self.send(&packet);
    }

    pub(crate) fn send_rtcp(&mut self, rtcp: &[u8]) {
        let bytes = self.keys.protect_rtcp(rtcp);
        self.send(&bytes);
    }

    /// Checks that bob's media still reaches others.
    pub(crate) fn assert_bob_unaffected(&mut self) {
        let viewer = self.world.join(9, &[]);
        let bob = self.bob;
        self.world.wait(Duration::from_secs(3), "a new viewer sees bob", |world| {
            world.client(viewer).sees(bob, Source::Camera)
        });
        self.world.leave(viewer);
    }
}
