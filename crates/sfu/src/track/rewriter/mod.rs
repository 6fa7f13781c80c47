//! Rewriting of RTP packets: one continuous outgoing stream from several incoming encodings.

use std::{collections::VecDeque, time::Instant};

use super::{
    codec::{PayloadInfo, vp8},
    format::Codec,
    layers::Quality,
    packet::{Packet, RESTART_GAP},
};

/// Highest first sequence number of a stream. 15 bits leave no rollover nearby: the receiver starts
/// at rollover counter 0 (RFC 3711 §3.3.1).
pub(crate) const MAX_FIRST_SEQ: u64 = 0x7fff;
/// Changes of the number of dropped packets that are remembered, for packets that arrive late.
const MAX_DROP_HISTORY: usize = 128;
/// VP8 picture ids have 15 bits (RFC 7741 §4.2).
const PICTURE_ID_MASK: u16 = 0x7fff;

/// Rewrites packets of the current encoding and drops those of layers that are not selected.
///
/// Sequence numbers, timestamps, picture ids and frame numbers continue across switches.
#[derive(Debug)]
pub(crate) struct RtpRewriter {
    /// Sequence number of the newest packet sent.
    seq: u64,
    newest: Option<MediaTime>,
    /// Picture ids of the newest frame sent.
    vp8: vp8::PictureIds,
    frame_number: u16,
    current: Option<CurrentEncoding>,
    pub(crate) target: Option<Quality>,
}

/// Media clock at the newest packet sent.
#[derive(Debug, Clone, Copy)]
struct MediaTime {
    timestamp: u32,
    received_at: Instant,
}

/// Number of packets dropped before a sequence number.
#[derive(Debug, Clone, Copy)]
struct DroppedBefore {
    seq: u64,
    count: u64,
}

#[derive(Debug)]
struct CurrentEncoding {
    quality: Quality,
    since: Instant,
    /// Sequence number of the keyframe's first packet. Older packets precede the switch.
    first: u64,
    /// Sequence number that the first packet is sent with.
    first_out: u64,
    highest: u64,
    timestamp_offset: u32,
    /// Changes of the number of dropped packets, oldest first.
    dropped: VecDeque<DroppedBefore>,
    picture_ids: PictureIdMap,
    tl0_pic_idx_offset: u8,
    frame_number_offset: u16,
}

/// Maps VP8 picture ids of 15 bits, without those of dropped frames.
#[derive(Debug)]
struct PictureIdMap {
    offset: u16,
    /// The newest frame that was dropped or sent.
    newest: Option<u16>,
}

/// Header fields that a packet is sent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) seq: u64,
    pub(crate) timestamp: u32,
    pub(crate) marker: bool,
    pub(crate) vp8: Option<vp8::PictureIds>,
    /// Frame number of the dependency descriptor.
    pub(crate) frame_number: Option<u16>,
}

impl RtpRewriter {
    /// A rewriter whose first packet follows sequence number `seq`.
    pub(crate) fn new(seq: u64) -> Self {
        Self {
            seq: seq.min(MAX_FIRST_SEQ),
            newest: None,
            vp8: vp8::PictureIds::default(),
            frame_number: 0,
            current: None,
            target: None,
        }
    }

    /// The quality being sent.
    pub(crate) fn current(&self) -> Option<Quality> {
        self.current.as_ref().map(|current| current.quality)
    }

    /// Time of the switch to the current encoding.
    pub(crate) fn current_since(&self) -> Option<Instant> {
        self.current.as_ref().map(|current| current.since)
    }

    /// Sends nothing until the next switch.
    pub(crate) fn pause(&mut self) {
        self.current = None;
    }

    /// Pauses if a switch is pending, until its keyframe. Returns whether one is pending.
    pub(crate) fn pause_for_keyframe(&mut self) -> bool {
        let is_pending = self.pending_encoding().is_some();
        if is_pending {
            self.pause();
        }
        is_pending
    }

    /// Sets the quality to switch to. `None` pauses at once.
    pub(crate) fn set_target(&mut self, target: Option<Quality>) {
        self.target = target;
        if target.is_none() {
            self.pause();
        }
    }

    /// The target's encoding, if the switch needs a keyframe of it. Another encoding starts with a
    /// keyframe. So does a higher spatial layer of the same encoding, whose frames refer to dropped
    /// ones.
    pub(crate) fn pending_encoding(&self) -> Option<usize> {
        let target = self.target?;
        let is_sent = |current: Quality| {
            current.encoding == target.encoding && current.spatial >= target.spatial
        };
        (!self.current().is_some_and(is_sent)).then_some(target.encoding)
    }

    /// Returns the header fields to send a packet of `encoding` with. `None` drops it.
    pub(crate) fn rewrite(
        &mut self,
        encoding: usize,
        packet: &Packet,
        info: &PayloadInfo,
    ) -> Option<Rewritten> {
        self.try_switch(encoding, packet, info);
        let current = self.current.as_mut()?;
        if current.quality.encoding != encoding {
            return None;
        }
        let vp8 = (packet.format.codec == Codec::Vp8)
            .then(|| vp8::Descriptor::parse(&packet.payload))
            .flatten();
        let picture_id = vp8.and_then(|descriptor| descriptor.picture_id);
        if info.spatial > current.quality.spatial || info.temporal > current.quality.temporal {
            current.drop_packet(packet.seq, picture_id);
            return None;
        }
        let seq = current.map_seq(packet.seq)?;
        let timestamp = packet.timestamp.wrapping_add(current.timestamp_offset);
        let mut rewritten =
            Rewritten { seq, timestamp, marker: packet.marker, vp8: None, frame_number: None };
        // The picture ends with the highest layer that is sent.
        rewritten.marker |= info.ends_frame && info.spatial == current.quality.spatial;
        if let Some(picture_id) = picture_id {
            let tl0_pic_idx = vp8.and_then(|descriptor| descriptor.tl0_pic_idx).unwrap_or(0);
            let ids = vp8::PictureIds {
                picture_id: current.picture_ids.map(picture_id),
                tl0_pic_idx: tl0_pic_idx.wrapping_add(current.tl0_pic_idx_offset),
            };
            rewritten.vp8 = Some(ids);
            if seq > self.seq {
                self.vp8 = ids;
            }
        }
        if let Some(frame_number) = packet.frame_number {
            let frame_number = frame_number.wrapping_add(current.frame_number_offset);
            rewritten.frame_number = Some(frame_number);
            if seq > self.seq {
                self.frame_number = frame_number;
            }
        }
        if seq > self.seq {
            self.seq = seq;
            self.newest = Some(MediaTime { timestamp, received_at: packet.received_at });
        }
        Some(rewritten)
    }

    /// Moves towards the target as far as this packet allows.
    fn try_switch(&mut self, encoding: usize, packet: &Packet, info: &PayloadInfo) {
        let Some(target) = self.target else { return };
        if target.encoding != encoding {
            return;
        }
        if self.current().map(|current| current.encoding) != Some(encoding) {
            if info.keyframe {
                self.start(target, packet);
            }
            return;
        }
        let Some(current) = &mut self.current else { return };
        if info.keyframe && packet.seq.abs_diff(current.highest) > RESTART_GAP {
            // The publisher has restarted its sequence numbers.
            return self.start(target, packet);
        }
        if packet.seq < current.highest {
            return;
        }
        let quality = &mut current.quality;
        // Down at the start of any frame, up only where no dropped frame is referred to.
        if target.temporal < quality.temporal && info.starts_frame {
            quality.temporal = target.temporal;
        } else if target.temporal > quality.temporal
            && info.starts_frame
            && info.is_switching_point
            && info.temporal > quality.temporal
        {
            quality.temporal =
                if info.temporal >= target.temporal { target.temporal } else { info.temporal };
        }
        let is_lower = target.spatial < quality.spatial && info.starts_frame && info.spatial == 0;
        let is_intra = info.starts_frame && info.is_independent && info.spatial > quality.spatial;
        if is_lower || (target.spatial > quality.spatial && (info.keyframe || is_intra)) {
            quality.spatial = target.spatial;
        }
    }

    /// Switches to an encoding, starting with the first packet of a keyframe.
    fn start(&mut self, quality: Quality, packet: &Packet) {
        let timestamp = match self.newest {
            // The media clock advances with the wall clock, by at least one tick, so that the
            // receiver sees a new frame.
            Some(MediaTime { timestamp, received_at }) => {
                let passed = packet.received_at.saturating_duration_since(received_at).as_micros();
                let ticks = passed * u128::from(packet.format.clock_rate()) / 1_000_000;
                timestamp.wrapping_add(u32::try_from(ticks).unwrap_or(u32::MAX).max(1))
            }
            None => packet.timestamp,
        };
        let vp8 =
            vp8::Descriptor::parse(&packet.payload).filter(|_| packet.format.codec == Codec::Vp8);
        let picture_id = vp8.and_then(|descriptor| descriptor.picture_id).unwrap_or(0);
        let tl0_pic_idx = vp8.and_then(|descriptor| descriptor.tl0_pic_idx).unwrap_or(0);
        let frame_number = packet.frame_number.unwrap_or(0);
        self.current = Some(CurrentEncoding {
            quality,
            since: packet.received_at,
            first: packet.seq,
            first_out: self.seq + 1,
            highest: packet.seq,
            timestamp_offset: timestamp.wrapping_sub(packet.timestamp),
            dropped: VecDeque::new(),
            picture_ids: PictureIdMap {
                offset: self.vp8.picture_id.wrapping_add(1).wrapping_sub(picture_id),
                newest: None,
            },
            tl0_pic_idx_offset: self.vp8.tl0_pic_idx.wrapping_add(1).wrapping_sub(tl0_pic_idx),
            frame_number_offset: self.frame_number.wrapping_add(1).wrapping_sub(frame_number),
        });
    }
}

impl CurrentEncoding {
    /// Returns the outgoing sequence number.
    fn map_seq(&mut self, seq: u64) -> Option<u64> {
        self.highest = self.highest.max(seq);
        let dropped = match self.dropped.iter().rev().find(|dropped| dropped.seq <= seq) {
            Some(dropped) => dropped.count,
            // Older than the history: the number dropped before it is unknown.
            None if self.dropped.len() >= MAX_DROP_HISTORY => return None,
            None => 0,
        };
        Some(self.first_out + seq.checked_sub(self.first)?.checked_sub(dropped)?)
    }

    fn drop_packet(&mut self, seq: u64, picture_id: Option<u16>) {
        // A late packet already has its gap.
        if seq < self.highest || seq < self.first {
            return;
        }
        self.highest = seq + 1;
        let count = self.dropped.back().map_or(0, |last| last.count) + 1;
        let dropped = DroppedBefore { seq: seq + 1, count };
        match self.dropped.back_mut() {
            Some(last) if last.seq == seq => *last = dropped,
            _ => self.dropped.push_back(dropped),
        }
        if self.dropped.len() > MAX_DROP_HISTORY {
            self.dropped.pop_front();
        }
        if let Some(picture_id) = picture_id {
            self.picture_ids.drop_frame(picture_id);
        }
    }
}

impl PictureIdMap {
    fn map(&mut self, picture_id: u16) -> u16 {
        if self.is_new(picture_id) {
            self.newest = Some(picture_id);
        }
        picture_id.wrapping_add(self.offset) & PICTURE_ID_MASK
    }

    fn drop_frame(&mut self, picture_id: u16) {
        if self.is_new(picture_id) {
            self.newest = Some(picture_id);
            self.offset = self.offset.wrapping_sub(1);
        }
    }

    fn is_new(&self, picture_id: u16) -> bool {
        self.newest.is_none_or(|newest| {
            (1..0x4000).contains(&(picture_id.wrapping_sub(newest) & PICTURE_ID_MASK))
        })
    }
}

#[cfg(test)]
mod tests;
