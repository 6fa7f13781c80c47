//! One outgoing stream made of several incoming ones: numbers and timestamps go on without a break.

use std::{collections::VecDeque, time::Instant};

use crate::track::{
    codec::{Meta, vp8},
    format::Codec,
    layers::Quality,
    packet::{FAR, Packet},
};

/// The highest number that a stream may start at: 16 bits without a rollover, since a receiver starts
/// at rollover 0 (RFC 3711 §3.3.1).
pub(crate) const HIGHEST_START: u64 = 0x7fff;
/// How many changes of the number of packets left out are remembered, for those that come late.
const REMEMBERED: usize = 128;

/// Rewrites packets of the encoding that is on, and leaves out those of layers that are not.
#[derive(Debug)]
pub(crate) struct Forwarder {
    /// Of the newest packet sent: its number, timestamp, when it came.
    seq: u64,
    newest: Option<(u32, Instant)>,
    /// Of the newest picture sent.
    picture: u16,
    tl0: u8,
    frame: u16,
    feed: Option<Feed>,
    /// What it is to become.
    pub(crate) target: Option<Quality>,
}

/// The encoding that is on.
#[derive(Debug)]
struct Feed {
    on: Quality,
    since: Instant,
    /// The first packet; older ones belong before the switch.
    first: u64,
    /// What the first packet has become.
    first_out: u64,
    highest: u64,
    time_offset: u32,
    /// Packets left out up to a number: from it on, how many.
    left_out: VecDeque<(u64, u64)>,
    pictures: Counter,
    tl0_offset: u8,
    frame_offset: u16,
}

/// Picture numbers, 15 bits: without those left out.
#[derive(Debug)]
struct Counter {
    offset: u16,
    /// The last picture that was left out or begun.
    last: Option<u16>,
}

/// What a packet is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) seq: u64,
    pub(crate) time: u32,
    pub(crate) marker: bool,
    /// VP8's picture number and that of the last frame of layer 0.
    pub(crate) vp8: Option<(u16, u8)>,
    /// The dependency descriptor's frame number.
    pub(crate) frame: Option<u16>,
}

impl Forwarder {
    /// Starts counting after `start`.
    pub(crate) fn new(start: u64) -> Self {
        let seq = start.min(HIGHEST_START);
        Self { seq, newest: None, picture: 0, tl0: 0, frame: 0, feed: None, target: None }
    }

    /// What is on.
    pub(crate) fn on(&self) -> Option<Quality> {
        self.feed.as_ref().map(|feed| feed.on)
    }

    /// Since when the encoding is on.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.feed.as_ref().map(|feed| feed.since)
    }

    /// Nothing is on until the next switch.
    pub(crate) fn pause(&mut self) {
        self.feed = None;
    }

    /// Sends nothing until another encoding that it waits for begins; says whether it waits for one.
    pub(crate) fn hold(&mut self) -> bool {
        let waits = self.waits_for().is_some();
        if waits {
            self.pause();
        }
        waits
    }

    /// Goes for another quality, or stops.
    pub(crate) fn aim(&mut self, target: Option<Quality>) {
        self.target = target;
        if target.is_none() {
            self.pause();
        }
    }

    /// Whether a keyframe of its target's encoding is what it waits for: another encoding begins with
    /// one, and so does a larger layer of the same, which refers to pictures that were left out.
    pub(crate) fn waits_for(&self) -> Option<usize> {
        let target = self.target?;
        let is_on = |on: Quality| on.encoding == target.encoding && on.spatial >= target.spatial;
        (!self.on().is_some_and(is_on)).then_some(target.encoding)
    }

    /// What a packet of `encoding` becomes; none if it is not to be sent.
    pub(crate) fn take(
        &mut self,
        encoding: usize,
        packet: &Packet,
        meta: &Meta,
    ) -> Option<Rewritten> {
        self.steer(encoding, packet, meta);
        let feed = self.feed.as_mut()?;
        if feed.on.encoding != encoding {
            return None;
        }
        let vp8 = (packet.format.codec == Codec::Vp8)
            .then(|| vp8::Descriptor::parse(&packet.payload))
            .flatten();
        let picture = vp8.and_then(|it| it.picture);
        if meta.spatial > feed.on.spatial || meta.temporal > feed.on.temporal {
            feed.leave_out(packet.seq, picture.map(|(number, _)| number));
            return None;
        }
        let seq = feed.number(packet.seq)?;
        let time = packet.time.wrapping_add(feed.time_offset);
        let mut rewritten = Rewritten { seq, time, marker: packet.marker, vp8: None, frame: None };
        // The picture ends with the highest layer that is sent.
        rewritten.marker |= meta.ends && meta.spatial == feed.on.spatial;
        if let Some((number, _)) = picture {
            let tl0 = vp8.and_then(|it| it.tl0).unwrap_or(0).wrapping_add(feed.tl0_offset);
            let number = feed.pictures.number(number);
            rewritten.vp8 = Some((number, tl0));
            if seq > self.seq {
                (self.picture, self.tl0) = (number, tl0);
            }
        }
        if let Some(frame) = packet.frame {
            let frame = frame.wrapping_add(feed.frame_offset);
            rewritten.frame = Some(frame);
            if seq > self.seq {
                self.frame = frame;
            }
        }
        if seq > self.seq {
            self.seq = seq;
            self.newest = Some((time, packet.at));
        }
        Some(rewritten)
    }

    /// Goes towards the target where this packet allows it.
    fn steer(&mut self, encoding: usize, packet: &Packet, meta: &Meta) {
        let Some(target) = self.target else { return };
        if target.encoding != encoding {
            return;
        }
        if self.on().map(|on| on.encoding) != Some(encoding) {
            if meta.keyframe {
                self.switch(target, packet);
            }
            return;
        }
        let Some(feed) = &mut self.feed else { return };
        if meta.keyframe && packet.seq.abs_diff(feed.highest) > FAR {
            // Its publisher counts from elsewhere now.
            return self.switch(target, packet);
        }
        if packet.seq < feed.highest {
            return;
        }
        let on = &mut feed.on;
        // Down at any frame's start; up only where nothing that was left out is needed.
        if target.temporal < on.temporal && meta.starts {
            on.temporal = target.temporal;
        } else if target.temporal > on.temporal
            && meta.starts
            && meta.switches_up
            && meta.temporal > on.temporal
        {
            on.temporal =
                if meta.temporal >= target.temporal { target.temporal } else { meta.temporal };
        }
        let smaller = target.spatial < on.spatial && meta.starts && meta.spatial == 0;
        let fresh = meta.starts && meta.independent && meta.spatial > on.spatial;
        if smaller || (target.spatial > on.spatial && (meta.keyframe || fresh)) {
            on.spatial = target.spatial;
        }
    }

    /// Puts an encoding on, starting with a keyframe's first packet.
    fn switch(&mut self, on: Quality, packet: &Packet) {
        let time = match self.newest {
            // The media clock goes on as the wall clock did, and by one at least, so that what comes
            // is a new frame.
            Some((time, at)) => {
                let passed = packet.at.saturating_duration_since(at).as_micros();
                let ticks = passed * u128::from(packet.format.clock_rate()) / 1_000_000;
                time.wrapping_add(u32::try_from(ticks).unwrap_or(u32::MAX).max(1))
            }
            None => packet.time,
        };
        let vp8 =
            vp8::Descriptor::parse(&packet.payload).filter(|_| packet.format.codec == Codec::Vp8);
        let picture = vp8.and_then(|it| it.picture).map_or(0, |(number, _)| number);
        let tl0 = vp8.and_then(|it| it.tl0).unwrap_or(0);
        self.feed = Some(Feed {
            on,
            since: packet.at,
            first: packet.seq,
            first_out: self.seq + 1,
            highest: packet.seq,
            time_offset: time.wrapping_sub(packet.time),
            left_out: VecDeque::new(),
            pictures: Counter {
                offset: self.picture.wrapping_add(1).wrapping_sub(picture),
                last: None,
            },
            tl0_offset: self.tl0.wrapping_add(1).wrapping_sub(tl0),
            frame_offset: self.frame.wrapping_add(1).wrapping_sub(packet.frame.unwrap_or(0)),
        });
    }
}

impl Feed {
    /// A packet's number in the outgoing stream.
    fn number(&mut self, seq: u64) -> Option<u64> {
        self.highest = self.highest.max(seq);
        let left_out = self.left_out.iter().rev().find(|(from, _)| *from <= seq);
        let fewer = match left_out {
            Some((_, count)) => *count,
            // Too old to know how many were left out before it.
            None if self.left_out.len() >= REMEMBERED => return None,
            None => 0,
        };
        Some(self.first_out + seq.checked_sub(self.first)?.checked_sub(fewer)?)
    }

    fn leave_out(&mut self, seq: u64, picture: Option<u16>) {
        // One that comes late leaves the gap that it had.
        if seq < self.highest || seq < self.first {
            return;
        }
        self.highest = seq + 1;
        let count = self.left_out.back().map_or(0, |(_, count)| *count) + 1;
        match self.left_out.back_mut() {
            Some((from, so_far)) if *from == seq => (*from, *so_far) = (seq + 1, count),
            _ => self.left_out.push_back((seq + 1, count)),
        }
        if self.left_out.len() > REMEMBERED {
            self.left_out.pop_front();
        }
        if let Some(picture) = picture {
            self.pictures.leave_out(picture);
        }
    }
}

impl Counter {
    fn number(&mut self, picture: u16) -> u16 {
        if self.is_new(picture) {
            self.last = Some(picture);
        }
        picture.wrapping_add(self.offset) & 0x7fff
    }

    fn leave_out(&mut self, picture: u16) {
        if self.is_new(picture) {
            self.last = Some(picture);
            self.offset = self.offset.wrapping_sub(1);
        }
    }

    fn is_new(&self, picture: u16) -> bool {
        self.last.is_none_or(|last| (1..0x4000).contains(&(picture.wrapping_sub(last) & 0x7fff)))
    }
}

#[cfg(test)]
mod tests;
