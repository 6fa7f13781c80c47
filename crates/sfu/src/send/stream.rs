//! One outgoing stream: what it is called, what was sent on it, and its repairs (RFC 4588).

use std::time::{Duration, Instant};

use super::{
    cache::{Cache, Kept},
    header::{self, Head, Names, Values},
    srtp::Srtp,
};
use crate::{
    ids::{Kind, Mid},
    track::{
        codec::vp8,
        format::Format,
        packet::{ForwardedExtensions, Packet},
        rewriter::Rewritten,
    },
};

/// A payload of padding alone is at most so long, as its length is told in a byte (RFC 3550 §5.1).
const PADDING: u8 = 255;
/// Who has sent nothing for so long is not reported on.
const IDLE: Duration = Duration::from_secs(5);

/// What its receiver was told of a stream.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) ssrc: u32,
    /// Of its repairs, where there can be any.
    pub(crate) repairs: Option<u32>,
    /// Whose it is, the same for all that is to be in step (RFC 3550 §6.5.1).
    pub(crate) cname: String,
}

/// A format and what it is called on a section.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    pub(crate) format: Format,
    pub(crate) payload_type: u8,
    /// Of its repairs, where they were agreed.
    pub(crate) repairs: Option<u8>,
}

pub(crate) struct Stream {
    pub(super) mid: Mid,
    pub(super) source: Source,
    pub(super) names: Names,
    /// As what padding goes, where that is possible: as a repair.
    padding: Option<u8>,
    /// What came last, and as what it is sent, if the receiver knows it.
    pub(crate) named: Option<(Format, Option<Named>)>,
    pub(super) cache: Cache,
    /// Of the next repair.
    repair: u64,
    /// The newest number sent.
    pub(super) newest: u64,
    /// Until a report shows that its SSRC is known, packets say to which section they belong.
    pub(super) known: bool,
    pub(super) repairs_known: bool,
    sent: Option<Sent>,
}

/// What is reported on.
#[derive(Debug, Clone, Copy)]
struct Sent {
    packets: u32,
    octets: u32,
    /// Of the newest packet.
    time: u32,
    at: Instant,
    clock_rate: u32,
}

/// What all packets of a link say that leave now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaving {
    pub(super) transport_number: Option<u16>,
    pub(super) send_time: Option<u32>,
}

impl Stream {
    pub(super) fn new(mid: Mid, source: Source, names: Names, padding: Option<u8>) -> Self {
        Self {
            mid,
            source,
            names,
            padding,
            named: None,
            cache: Cache::default(),
            repair: 1,
            newest: 0,
            known: false,
            repairs_known: false,
            sent: None,
        }
    }

    pub(crate) fn mid(&self) -> Mid {
        self.mid
    }

    /// Writes a packet, protected.
    pub(super) fn write(
        &mut self,
        bytes: &mut Vec<u8>,
        srtp: &Srtp,
        (packet, payload, named): (&Packet, &[u8], Named),
        (now, as_, leaving): (Instant, Rewritten, Leaving),
    ) -> Option<()> {
        let start = bytes.len();
        let head = Head {
            payload_type: named.payload_type,
            marker: as_.marker,
            padded: false,
            seq: low(as_.seq),
            time: as_.timestamp,
            ssrc: self.source.ssrc,
        };
        let dependency = packet.dependency.as_ref().zip(as_.frame_number);
        let values = Values {
            mid: (!self.known).then_some(&*self.mid),
            transport_number: leaving.transport_number,
            send_time: leaving.send_time,
            carried: packet.extensions,
            dependency: dependency.map(|(bytes, frame)| (&**bytes, frame)),
        };
        let header = header::write(bytes, &head, &self.names, &values);
        append(bytes, payload, as_.vp8);
        srtp.protect(bytes, start, header, (self.source.ssrc, as_.seq))?;
        self.count(packet, &as_, payload.len());
        // Sound is not asked for again: redundancy is in it, or it is concealed.
        let repairs = named.repairs.filter(|_| packet.format.kind() == Kind::Video);
        if let Some(payload_type) = repairs.filter(|_| self.source.repairs.is_some()) {
            self.cache.keep(Kept {
                seq: as_.seq,
                time: as_.timestamp,
                marker: as_.marker,
                payload_type,
                vp8: as_.vp8,
                dependency: dependency.map(|(bytes, frame)| (bytes.clone(), frame)),
                payload: packet.payload.clone(),
                at: now,
                repeated: None,
            });
        }
        Some(())
    }

    fn count(&mut self, packet: &Packet, as_: &Rewritten, octets: usize) {
        let clock_rate = packet.format.clock_rate();
        let first =
            Sent { packets: 0, octets: 0, time: as_.timestamp, at: packet.received_at, clock_rate };
        let sent = self.sent.get_or_insert(first);
        sent.packets = sent.packets.wrapping_add(1);
        sent.octets = sent.octets.wrapping_add(u32::try_from(octets).unwrap_or(0));
        // What came late says nothing of where the clock stands.
        if as_.seq > self.newest {
            self.newest = as_.seq;
            (sent.time, sent.at, sent.clock_rate) = (as_.timestamp, packet.received_at, clock_rate);
        }
    }

    /// The section was agreed anew.
    pub(super) fn rename(&mut self, names: Names, padding: Option<u8>) {
        (self.names, self.padding, self.named) = (names, padding, None);
    }

    /// When the newest packet came that was sent.
    pub(super) fn sent_at(&self) -> Option<Instant> {
        self.sent.map(|sent| sent.at)
    }

    /// Writes what was sent before once more, as a repair: its number stands before its payload.
    pub(super) fn repeat(
        &mut self,
        bytes: &mut Vec<u8>,
        srtp: &Srtp,
        seq: u64,
        (now, leaving): (Instant, Leaving),
    ) -> Option<()> {
        let ssrc = self.source.repairs?;
        let number = self.repair;
        let kept = self.cache.find(seq)?;
        let start = bytes.len();
        let head = Head {
            payload_type: kept.payload_type,
            marker: kept.marker,
            padded: false,
            seq: low(number),
            time: kept.time,
            ssrc,
        };
        let dependency = kept.dependency.as_ref().map(|(bytes, frame)| (&**bytes, *frame));
        let mid = (!self.repairs_known).then_some(&*self.mid);
        let values = values(mid, leaving, dependency);
        let header = header::write(bytes, &head, &self.names, &values);
        bytes.extend(low(seq).to_be_bytes());
        append(bytes, &kept.payload, kept.vp8);
        srtp.protect(bytes, start, header, (ssrc, number))?;
        kept.repeated = Some(now);
        self.repair += 1;
        Some(())
    }

    /// Writes padding alone, as a repair of nothing.
    pub(super) fn pad(&mut self, bytes: &mut Vec<u8>, srtp: &Srtp, leaving: Leaving) -> Option<()> {
        let (ssrc, payload_type) = self.padding()?;
        let start = bytes.len();
        let head = Head {
            payload_type,
            marker: false,
            padded: true,
            seq: low(self.repair),
            time: self.sent.map_or(0, |it| it.time),
            ssrc,
        };
        let mid = (!self.repairs_known).then_some(&*self.mid);
        let header = header::write(bytes, &head, &self.names, &values(mid, leaving, None));
        bytes.resize(bytes.len() + usize::from(PADDING) - 1, 0);
        bytes.push(PADDING);
        srtp.protect(bytes, start, header, (ssrc, self.repair))?;
        self.repair += 1;
        Some(())
    }

    /// Where padding goes, if what is sent here is counted by the receiver.
    pub(super) fn padding(&self) -> Option<(u32, u8)> {
        self.names.transport_number?;
        self.source.repairs.zip(self.padding)
    }

    /// What a sender's report says at `now` (RFC 3550 §6.4.1): timestamp, packets, octets.
    pub(super) fn reported(&self, now: Instant) -> Option<[u32; 3]> {
        let sent = self.sent?;
        let since = now.saturating_duration_since(sent.at);
        let ticks = since.as_micros() * u128::from(sent.clock_rate) / 1_000_000;
        let time = sent.time.wrapping_add(u32::try_from(ticks).unwrap_or(0));
        (since < IDLE).then_some([time, sent.packets, sent.octets])
    }
}

fn values<'a>(
    mid: Option<&'a str>,
    leaving: Leaving,
    dependency: Option<(&'a [u8], u16)>,
) -> Values<'a> {
    Values {
        mid,
        transport_number: leaving.transport_number,
        send_time: leaving.send_time,
        carried: ForwardedExtensions::default(),
        dependency,
    }
}

/// Appends a payload, with VP8's numbers put into its descriptor.
fn append(bytes: &mut Vec<u8>, payload: &[u8], vp8: Option<vp8::PictureIds>) {
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    if let (Some(ids), Some(payload)) = (vp8, bytes.get_mut(start..)) {
        vp8::set_picture_ids(payload, ids);
    }
}

/// What of a number is in a packet.
fn low(number: u64) -> u16 {
    let [.., high, low] = number.to_be_bytes();
    u16::from_be_bytes([high, low])
}
