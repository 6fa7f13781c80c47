//! Translation of str0m's events.

use std::time::Instant;

use str0m::{Event, IceConnectionState, rtp::Ssrc};

use super::Link;
use crate::{
    extensions::dependency::Dependency,
    ids::{Mid, Rid},
    link_event::LinkEvent,
    track::{
        format::{Codec, Format},
        packet::{ForwardedExtensions, Packet},
    },
};

/// Greatest SRTP packet index: 48 bits (RFC 3711 §3.3.1).
const MAX_PACKET_INDEX: u64 = (1 << 48) - 1;
/// SSRCs remembered: three layers each of camera and screen, two of audio, and their predecessors.
const MAX_RECEIVE_STREAMS: usize = 64;

impl Link {
    pub(super) fn on_rtc_event(&mut self, now: Instant, event: Event, events: &mut Vec<LinkEvent>) {
        match event {
            Event::RtpPacket(packet) => {
                self.last_received = now;
                self.returned_packet = true;
                // Reordered from before the first packet: str0m's index has wrapped below zero.
                if *packet.seq_no > MAX_PACKET_INDEX {
                    return;
                }
                let ssrc = packet.header.ssrc;
                let Some((mid, rid)) = self.receive_stream(ssrc) else { return };
                let Some(format) = self.format(*packet.header.payload_type) else { return };
                // Padding is for the bandwidth estimation between the publisher and us.
                if packet.payload.is_empty() {
                    return;
                }
                // Other codecs have the same information in their payload descriptors.
                let dependency = packet.header.ext_vals.user_values.get::<Dependency>();
                let dependency = dependency.filter(|_| format.codec == Codec::Av1);
                let packet = Packet {
                    dependency: dependency.map(|dependency| dependency.bytes.clone()),
                    frame_number: dependency.map(|dependency| dependency.frame),
                    seq: *packet.seq_no,
                    timestamp: packet.header.timestamp,
                    marker: packet.header.marker,
                    format,
                    extensions: ForwardedExtensions::new(&packet.header.ext_vals),
                    payload: packet.payload,
                    received_at: packet.timestamp,
                };
                events.push(LinkEvent::Packet { mid, rid, packet });
            }
            Event::Connected => {
                self.is_connected = true;
                events.push(LinkEvent::Connected);
            }
            Event::ChannelData(message) => self.echo(&message),
            Event::Closed if self.is_connected => events.push(LinkEvent::Closed),
            // A fatal alert before the handshake has finished, such as for keys that don't fit.
            Event::Closed => events.push(LinkEvent::DtlsFailed),
            Event::IceConnectionStateChange(state) if state != IceConnectionState::Disconnected => {
                self.last_received = now;
            }
            _ => {}
        }
    }

    fn receive_stream(&mut self, ssrc: Ssrc) -> Option<(Mid, Option<Rid>)> {
        if let Some(known) = self.receive_streams.get(&ssrc) {
            return Some(*known);
        }
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_rx(&ssrc)?;
        let found = (stream.mid(), stream.rid());
        if self.receive_streams.len() >= MAX_RECEIVE_STREAMS {
            self.receive_streams.clear();
        }
        self.receive_streams.insert(ssrc, found);
        Some(found)
    }

    fn format(&self, payload_type: u8) -> Option<Format> {
        self.rtc.codec_config().params().iter().find_map(|params| {
            let matches = *params.pt() == payload_type
                || params.red().is_some_and(|red| *red == payload_type);
            matches.then(|| Format::new(params, payload_type)).flatten()
        })
    }
}
