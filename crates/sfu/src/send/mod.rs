//! Outbound media of one peer connection: RTP, RTX, SRTP, RTCP feedback and bandwidth estimation.
//! Replaces str0m's sender, which takes five times as long per packet when there are many streams.
//!
//! Packets are written and protected in place, in the [`Outbox`]. Incoming RTCP is decrypted here:
//! TWCC feedback goes to the estimator, and NACKs are answered from the [RTX cache](rtx_cache).

mod replay;
pub mod rtcp;
mod rtcp_filter;
mod rtp_header;
mod rtx_budget;
mod rtx_cache;
mod sender_report;
mod seq;
mod srtp;
mod stream;
mod twcc;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant, SystemTime};

use self::{
    rtcp::{MissingPackets, ReportBlock, Rtcp, TwccFeedback},
    rtx_budget::RtxBudget,
    rtx_cache::CachedPacket,
    seq::{extend, low},
    srtp::{OpenRtcpError, Srtp},
    stream::{PacketExtensions, SendContext, SendStream},
    twcc::TwccRecorder,
};
use crate::{
    bwe::Bwe,
    ids::Mid,
    link_event::LinkEvent,
    outbox::Outbox,
    output::DropReason,
    quality::LinkTotals,
    routes::FiveTuple,
    track::{packet, red},
};

pub(crate) use rtp_header::ExtensionIds;
pub(crate) use srtp::{Keys, Profile};
pub(crate) use stream::{FormatLookup, NegotiatedFormat, Outgoing, SendSsrcs};

const SENDER_REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Round-trip time until one is measured.
const INITIAL_RTT: Duration = Duration::from_millis(100);
/// Most padding packets sent at once.
const MAX_PADDING_PACKETS: usize = 64;
/// Padding of this many bytes or more is made of packets sent before.
const MIN_RTX_PADDING: usize = 400;

/// Outcome of [`Egress::handle_rtcp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RtcpOutcome {
    /// There are no keys yet.
    NoKeys,
    /// Authentic and handled.
    Handled,
    /// Authentic and handled; [`Egress::take_filtered`] has the part that str0m needs, too.
    HandledInPart,
    Dropped(DropReason),
}

/// A send stream of an [`Egress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SendStreamId(usize);

/// Bitrates in bits per second that the room would like to send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Desired {
    /// With the next higher layer.
    next: u64,
    /// With all layers.
    max: u64,
}

/// The send side of a peer connection.
pub(crate) struct Egress {
    /// `None` until the DTLS handshake is done.
    srtp: Option<Srtp>,
    /// `None` until ICE has nominated a pair.
    path: Option<FiveTuple>,
    streams: Vec<SendStream>,
    bwe: Bwe,
    /// The estimate that was returned last.
    estimate: Option<u64>,
    desired: Desired,
    rtx_budget: RtxBudget,
    next_sender_report: Option<Instant>,
    start: Instant,
    /// Wall clock at `start`.
    wall_clock: SystemTime,
    /// Buffer of decrypted RTCP.
    decrypted: Vec<u8>,
    /// Buffer of the part for str0m.
    filtered: Vec<u8>,
    /// Feedback on what the peer sends.
    twcc: TwccRecorder,
    sent_bytes: u64,
    /// Newest round-trip time by a report.
    round_trip: Option<Duration>,
    /// Highest jitter reported since it was last taken.
    jitter: Option<Duration>,
}

impl Egress {
    /// Creates the send side of a link that is assumed to carry `start_bitrate`. Feedback is sent
    /// under `ssrc`, which no stream uses.
    pub(crate) fn new(start_bitrate: u64, ssrc: u32, now: Instant, wall_clock: SystemTime) -> Self {
        Self {
            srtp: None,
            path: None,
            streams: Vec::new(),
            bwe: Bwe::new(start_bitrate, now),
            estimate: None,
            desired: Desired::default(),
            rtx_budget: RtxBudget::new(now),
            next_sender_report: None,
            start: now,
            wall_clock,
            decrypted: Vec::new(),
            filtered: Vec::new(),
            twcc: TwccRecorder::new(ssrc, now),
            sent_bytes: 0,
            round_trip: None,
            jitter: None,
        }
    }

    /// Installs the keys of the DTLS handshake.
    pub(crate) fn set_keys(&mut self, keys: &Keys) {
        self.srtp = Srtp::new(keys);
        self.update_desired();
    }

    /// Sets the path that media is sent on.
    pub(crate) fn set_path(&mut self, path: FiveTuple) {
        if self.path.replace(path).is_none() {
            self.update_desired();
        }
    }

    pub(crate) fn path(&self) -> Option<FiveTuple> {
        self.path
    }

    /// Returns whether there are keys and a path, so that packets can be sent.
    pub(crate) fn is_ready(&self) -> bool {
        self.srtp.is_some() && self.path.is_some()
    }

    /// Creates the send stream of a section, or updates it after a negotiation.
    pub(crate) fn send_stream(
        &mut self,
        mid: Mid,
        ssrcs: SendSsrcs,
        extension_ids: ExtensionIds,
        padding_pt: Option<u8>,
    ) -> SendStreamId {
        let known = self.streams.iter().position(|stream| stream.mid == mid);
        let index = known.unwrap_or(self.streams.len());
        match self.streams.get_mut(index) {
            Some(stream) => stream.renegotiate(extension_ids, padding_pt),
            None => self.streams.push(SendStream::new(mid, ssrcs, extension_ids, padding_pt)),
        }
        self.update_desired();
        SendStreamId(index)
    }

    pub(crate) fn stream_mut(&mut self, id: SendStreamId) -> Option<&mut SendStream> {
        self.streams.get_mut(id.0)
    }

    /// Drops the packets kept for retransmission: the track on the stream has changed.
    pub(crate) fn clear_rtx_cache(&mut self, id: SendStreamId) {
        if let Some(stream) = self.streams.get_mut(id.0) {
            stream.rtx_cache.clear();
        }
    }

    /// Writes a packet to the outbox. Returns whether there is something to send now.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        id: SendStreamId,
        outgoing: Outgoing<'_>,
        outbox: &mut Outbox,
    ) -> bool {
        let Outgoing { packet, format, .. } = outgoing;
        let (Some(srtp), Some(path)) = (&self.srtp, self.path) else { return false };
        let Some(stream) = self.streams.get_mut(id.0) else { return false };
        // A receiver without RED (Firefox) gets the primary encoding alone.
        let keeps_format = format.format == packet.format;
        let payload =
            if keeps_format { Some(&*packet.payload) } else { red::primary(&packet.payload) };
        let Some(payload) = payload else { return false };
        let extensions = packet_extensions(now, self.start, &self.bwe, &stream.extension_ids);
        let context = SendContext { now, extensions };
        let written =
            outbox.write(path, |bytes| stream.write(bytes, srtp, outgoing, payload, context));
        let Some(length) = written else { return false };
        self.on_sent(now, extensions, length);
        self.rtx_budget.on_sent(now, length);
        self.next_sender_report.get_or_insert(now);
        true
    }

    /// Records the TWCC sequence number of an authenticated packet.
    pub(crate) fn handle_arrival(&mut self, now: Instant, media_ssrc: u32, twcc_seq: u16) {
        self.twcc.handle_arrival(now, media_ssrc, twcc_seq);
    }

    /// Handles a datagram of SRTCP.
    pub(crate) fn handle_rtcp(
        &mut self,
        now: Instant,
        datagram: &[u8],
        outbox: &mut Outbox,
        events: &mut Vec<LinkEvent>,
    ) -> RtcpOutcome {
        let Some(srtp) = &mut self.srtp else { return RtcpOutcome::NoKeys };
        let mut decrypted = std::mem::take(&mut self.decrypted);
        let outcome = match srtp.open_rtcp(datagram, &mut decrypted) {
            Ok(index) => {
                rtcp_filter::write(&decrypted, &mut self.filtered);
                let is_for_str0m = !self.filtered.is_empty()
                    && srtp.protect_as_theirs(&mut self.filtered, index).is_some();
                // Parsing TWCC feedback is costly: at most one per datagram.
                let mut has_twcc = false;
                for packet in rtcp::read(&decrypted) {
                    let is_twcc = matches!(packet, Rtcp::Twcc(_));
                    if !(is_twcc && std::mem::replace(&mut has_twcc, true)) {
                        self.handle_packet(now, packet, outbox, events);
                    }
                }
                if is_for_str0m { RtcpOutcome::HandledInPart } else { RtcpOutcome::Handled }
            }
            Err(OpenRtcpError::Replayed) => RtcpOutcome::Dropped(DropReason::Replayed),
            Err(OpenRtcpError::Forged) => RtcpOutcome::Dropped(DropReason::Forged),
        };
        self.decrypted = decrypted;
        outcome
    }

    /// Takes the SRTCP datagram for str0m after [`RtcpOutcome::HandledInPart`].
    pub(crate) fn take_filtered(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.filtered)
    }

    /// Returns the buffer of such a datagram.
    pub(crate) fn reuse_filtered(&mut self, buffer: Vec<u8>) {
        self.filtered = buffer;
    }

    fn handle_packet(
        &mut self,
        now: Instant,
        packet: Rtcp<'_>,
        outbox: &mut Outbox,
        events: &mut Vec<LinkEvent>,
    ) {
        match packet {
            Rtcp::Report { blocks } => {
                for block in blocks.iter() {
                    self.mark_ssrc_known(block.ssrc);
                    self.handle_report(now, block);
                }
            }
            Rtcp::Nack { ssrc, missing } => self.handle_nack(now, ssrc, missing, outbox),
            Rtcp::KeyframeRequest { ssrc } => {
                let stream = self.streams.iter().find(|stream| stream.ssrcs.ssrc == ssrc);
                if let Some(mid) = stream.map(|stream| stream.mid)
                    && !events.iter().any(|event| event.is_keyframe_request_for(mid))
                {
                    events.push(LinkEvent::KeyframeRequest { mid });
                }
            }
            Rtcp::Twcc(feedback) => events.extend(self.handle_twcc(now, feedback)),
            Rtcp::Remb(bitrate) => events.push(LinkEvent::Remb(bitrate)),
            Rtcp::Other(_) => {}
        }
    }

    /// Takes round-trip time and jitter from a report, which come about once a second.
    fn handle_report(&mut self, now: Instant, block: ReportBlock) {
        let [_, _, middle @ .., _, _] = packet::ntp(self.wall_clock_at(now)).to_be_bytes();
        self.round_trip = block.round_trip(u32::from_be_bytes(middle)).or(self.round_trip);
        let stream = self.streams.iter().find(|stream| stream.ssrcs.ssrc == block.ssrc);
        if let Some(rate) = stream.and_then(SendStream::clock_rate) {
            let jitter = Duration::from_secs(block.jitter.into()) / rate;
            self.jitter = self.jitter.max(Some(jitter));
        }
    }

    fn wall_clock_at(&self, now: Instant) -> SystemTime {
        self.wall_clock + now.saturating_duration_since(self.start)
    }

    /// Totals of both directions; bytes of the received one are the link's.
    pub(crate) fn totals(&self) -> LinkTotals {
        LinkTotals {
            sent: self.bwe.reported_packets(),
            received: self.twcc.total(),
            sent_bytes: self.sent_bytes,
            received_bytes: 0,
        }
    }

    /// Takes the newest round-trip time and the highest jitter since the last call.
    pub(crate) fn take_timing(&mut self) -> (Option<Duration>, Option<Duration>) {
        (self.round_trip.take().or(self.bwe.rtt()), self.jitter.take())
    }

    /// Stops sending the MID extension: the receiver has associated this SSRC with its section.
    fn mark_ssrc_known(&mut self, ssrc: u32) {
        for stream in &mut self.streams {
            stream.is_ssrc_known |= stream.ssrcs.ssrc == ssrc;
            stream.is_rtx_ssrc_known |= stream.ssrcs.rtx_ssrc == Some(ssrc);
        }
    }

    fn handle_twcc(&mut self, now: Instant, feedback: TwccFeedback<'_>) -> Option<LinkEvent> {
        let first = extend(self.bwe.newest_seq(), feedback.first_seq());
        self.bwe.handle_feedback(now, (first..).zip(feedback.arrivals()));
        self.poll_estimate()
    }

    /// The estimate, if it has changed.
    fn poll_estimate(&mut self) -> Option<LinkEvent> {
        let estimate = self.bwe.estimate();
        let has_changed = estimate != std::mem::replace(&mut self.estimate, estimate);
        estimate.filter(|_| has_changed).map(LinkEvent::Estimate)
    }

    /// Retransmits missing packets, except those whose last retransmission may still arrive.
    fn handle_nack(
        &mut self,
        now: Instant,
        ssrc: u32,
        missing: MissingPackets<'_>,
        outbox: &mut Outbox,
    ) {
        let Some(index) = self.streams.iter().position(|stream| stream.ssrcs.ssrc == ssrc) else {
            return;
        };
        let rtt = self.bwe.rtt().unwrap_or(INITIAL_RTT).min(INITIAL_RTT * 5);
        if let Some(stream) = self.streams.get_mut(index) {
            stream.rtx_cache.expire(now);
        }
        for seq in missing.seqs() {
            let Some(stream) = self.streams.get_mut(index) else { return };
            let seq = extend(stream.newest_seq, seq);
            if !self.rtx_budget.is_left(now) {
                return;
            }
            let is_due = |cached: &mut CachedPacket| {
                let since = cached.retransmitted.map(|at| now.saturating_duration_since(at));
                since.is_none_or(|since| since >= rtt)
            };
            if stream.rtx_cache.find(seq).is_some_and(is_due)
                && let Some(length) = self.retransmit(now, index, seq, outbox)
            {
                self.rtx_budget.on_retransmitted(length);
            }
        }
    }

    /// Writes a cached packet as RTX and returns its length.
    fn retransmit(
        &mut self,
        now: Instant,
        index: usize,
        seq: u64,
        outbox: &mut Outbox,
    ) -> Option<usize> {
        let srtp = self.srtp.as_ref()?;
        let path = self.path?;
        let stream = self.streams.get_mut(index)?;
        let extensions = packet_extensions(now, self.start, &self.bwe, &stream.extension_ids);
        let context = SendContext { now, extensions };
        let length = outbox.write(path, |bytes| stream.write_rtx(bytes, srtp, seq, context))?;
        self.on_sent(now, extensions, length);
        Some(length)
    }

    fn on_sent(&mut self, now: Instant, extensions: PacketExtensions, length: usize) {
        self.sent_bytes += length as u64;
        if extensions.twcc_seq.is_some() {
            self.bwe.on_sent(now, length);
        }
    }

    /// Sets the bitrate desired for the next higher layer, and for all of them.
    pub(crate) fn set_desired(&mut self, next: u64, max: u64) {
        let desired = Desired { next, max };
        if std::mem::replace(&mut self.desired, desired) != desired {
            self.update_desired();
        }
    }

    /// Passes the desired bitrates to the estimator if padding can be sent: without, no probe.
    fn update_desired(&mut self) {
        let can_pad = self.is_ready() && self.streams.iter().any(SendStream::can_pad);
        let Desired { next, max } = if can_pad { self.desired } else { Desired::default() };
        self.bwe.set_desired(next, max);
    }

    /// Handles an expired [`poll_timeout`](Self::poll_timeout).
    pub(crate) fn handle_timeout(
        &mut self,
        now: Instant,
        outbox: &mut Outbox,
    ) -> Option<LinkEvent> {
        if self.next_sender_report.is_some_and(|at| at <= now) {
            self.send_reports(now, outbox);
        }
        let srtp = &mut self.srtp;
        let path = self.path;
        self.twcc.handle_timeout(now, |feedback| {
            let (Some(srtp), Some(path)) = (srtp.as_mut(), path) else { return };
            outbox.write(path, |bytes| {
                let start = bytes.len();
                bytes.extend_from_slice(feedback);
                srtp.protect_rtcp(bytes, start)
            });
        });
        self.bwe.handle_timeout(now);
        for _ in 0..MAX_PADDING_PACKETS {
            let wanted = self.bwe.poll_padding(now);
            if wanted == 0 || self.send_padding(now, wanted, outbox).is_none() {
                break;
            }
        }
        self.poll_estimate()
    }

    /// Time at which to call [`handle_timeout`](Self::handle_timeout), if any.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        [self.next_sender_report, self.twcc.poll_timeout(), self.bwe.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    fn send_reports(&mut self, now: Instant, outbox: &mut Outbox) {
        self.next_sender_report = None;
        let (Some(srtp), Some(path)) = (&mut self.srtp, self.path) else { return };
        let wall_clock = self.wall_clock + now.saturating_duration_since(self.start);
        for streams in self.streams.chunks_mut(sender_report::MAX_STREAMS) {
            streams.iter_mut().for_each(|stream| stream.rtx_cache.expire(now));
            outbox.write(path, |bytes| {
                let start = bytes.len();
                let any = sender_report::write(bytes, streams.iter(), now, wall_clock);
                any.then(|| srtp.protect_rtcp(bytes, start)).flatten()?;
                self.next_sender_report = Some(now + SENDER_REPORT_INTERVAL);
                Some(())
            });
        }
    }

    /// Sends BYE for all streams (RFC 3550 §6.6).
    pub(crate) fn close(&mut self, now: Instant, outbox: &mut Outbox) {
        let (Some(srtp), Some(path)) = (&mut self.srtp, self.path) else { return };
        let wall_clock = self.wall_clock + now.saturating_duration_since(self.start);
        for streams in self.streams.chunks(sender_report::MAX_STREAMS) {
            outbox.write(path, |bytes| {
                let start = bytes.len();
                let any = sender_report::write(bytes, streams.iter(), now, wall_clock);
                any.then_some(())?;
                sender_report::write_bye(bytes, streams);
                srtp.protect_rtcp(bytes, start)
            });
        }
    }

    /// Sends padding for a probe. A packet sent before is preferred if one is large enough: it may
    /// even replace a lost one.
    fn send_padding(&mut self, now: Instant, wanted: usize, outbox: &mut Outbox) -> Option<usize> {
        let can_pad = self.streams.iter().enumerate().filter(|(_, stream)| stream.can_pad());
        let (index, _) = can_pad.max_by_key(|(_, stream)| stream.last_sent())?;
        let max_bytes = wanted.max(MIN_RTX_PADDING);
        let cached = self.streams.get(index)?.rtx_cache.newest(max_bytes);
        if let Some(cached) = cached.filter(|cached| cached.payload.len() >= MIN_RTX_PADDING) {
            let seq = cached.seq;
            return self.retransmit(now, index, seq, outbox);
        }
        let srtp = self.srtp.as_ref()?;
        let path = self.path?;
        let stream = self.streams.get_mut(index)?;
        let extensions = packet_extensions(now, self.start, &self.bwe, &stream.extension_ids);
        let length = outbox.write(path, |bytes| stream.write_padding(bytes, srtp, extensions))?;
        self.on_sent(now, extensions, length);
        Some(length)
    }
}

/// Extensions of a packet that is sent now.
fn packet_extensions(
    now: Instant,
    start: Instant,
    bwe: &Bwe,
    ids: &ExtensionIds,
) -> PacketExtensions {
    let twcc_seq = ids.twcc_seq.map(|_| low(bwe.newest_seq() + 1));
    // abs-send-time is for receivers that estimate the bandwidth themselves (REMB), without TWCC.
    let abs_send_time = ids.abs_send_time.filter(|_| twcc_seq.is_none()).map(|_| {
        let since = now.saturating_duration_since(start).as_micros();
        u32::try_from(((since << 18) / 1_000_000) & 0x00ff_ffff).unwrap_or(0)
    });
    PacketExtensions { twcc_seq, abs_send_time }
}
