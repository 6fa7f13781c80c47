//! What a link sends of media, and what its receiver says of it: our own in place of the engine's, which
//! takes five times as long for a packet where there are many streams.
//!
//! Packets are written at once, protected, into the [`Outbox`]. Reports that come are opened here; what
//! they say of the way goes to the estimator, and what is asked for again is sent again.

mod cache;
mod filtered;
mod header;
mod repeats;
mod replay;
mod report;
pub mod rtcp;
mod srtp;
mod stream;
mod twcc;

use std::time::{Duration, Instant, SystemTime};

use self::{
    cache::Kept,
    repeats::Repeats,
    rtcp::{Missing, Rtcp, Transport},
    srtp::{Bad, Srtp},
    stream::{Leaving, Stream},
    twcc::Twcc,
};
use crate::{
    bwe::Bwe,
    ids::Mid,
    link_event::Happened,
    outbox::Outbox,
    output::DropReason,
    routes::FiveTuple,
    track::{packet::Packet, red, rewriter::Rewritten},
};

pub(crate) use header::Names;
pub(crate) use srtp::{Keys, Profile};
pub(crate) use stream::{Named, Source};

/// How often streams are reported on.
const REPORTS: Duration = Duration::from_secs(1);
/// Until it is known how long there and back takes.
const ROUND_TRIP: Duration = Duration::from_millis(100);
/// No more packets of padding at once.
const PADDINGS: usize = 64;
/// Padding that is to be as long as this is made of what was sent before.
const LONG: usize = 400;

/// What became of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reports {
    /// There are no keys yet to open them with.
    Early,
    /// They are their sender's, and have been seen to.
    Taken,
    /// They are their sender's and have been seen to, and some of it is the engine's as well.
    OfEngine,
    Refused(DropReason),
}

/// A send stream of an [`Egress`], ready to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lane(usize);

pub(crate) struct Egress {
    /// Once the handshake is done.
    srtp: Option<Srtp>,
    /// Once it is known where the peer is reached.
    way: Option<FiveTuple>,
    streams: Vec<Stream>,
    bwe: Bwe,
    estimate: Option<u64>,
    /// What would be sent next, and at best, bits a second.
    desired: (u64, u64),
    repeats: Repeats,
    /// When streams are reported on next.
    reports: Option<Instant>,
    /// When the link began, and what the wall clock said then.
    start: Instant,
    wall: SystemTime,
    opened: Vec<u8>,
    /// What of it the engine is given.
    filtered: Vec<u8>,
    /// Feedback on what the peer sends.
    twcc: Twcc,
}

impl Egress {
    /// Of a link that is taken to carry `rate` bits a second until that is known. Feedback goes under
    /// this SSRC, which nobody else has.
    pub(crate) fn new(rate: u64, ssrc: u32, now: Instant, wall: SystemTime) -> Self {
        Self {
            srtp: None,
            way: None,
            streams: Vec::new(),
            bwe: Bwe::new(rate, now),
            estimate: None,
            desired: (0, 0),
            repeats: Repeats::new(now),
            reports: None,
            start: now,
            wall,
            opened: Vec::new(),
            filtered: Vec::new(),
            twcc: Twcc::new(ssrc, now),
        }
    }

    /// The handshake is done.
    pub(crate) fn agree(&mut self, keys: &Keys) {
        self.srtp = Srtp::new(keys);
        self.aspire();
    }

    /// This is where the peer is reached.
    pub(crate) fn lead(&mut self, way: FiveTuple) {
        if self.way.replace(way).is_none() {
            self.aspire();
        }
    }

    pub(crate) fn way(&self) -> Option<FiveTuple> {
        self.way
    }

    /// Whether what is sent gets anywhere.
    pub(crate) fn is_ready(&self) -> bool {
        self.srtp.is_some() && self.way.is_some()
    }

    /// The send stream of a section.
    pub(crate) fn lane(
        &mut self,
        mid: Mid,
        source: Source,
        (names, padding): (Names, Option<u8>),
    ) -> Lane {
        let known = self.streams.iter().position(|stream| stream.mid == mid);
        let at = known.unwrap_or(self.streams.len());
        match self.streams.get_mut(at) {
            Some(stream) => stream.rename(names, padding),
            None => self.streams.push(Stream::new(mid, source, names, padding)),
        }
        self.aspire();
        Lane(at)
    }

    pub(crate) fn stream(&mut self, lane: Lane) -> Option<&mut Stream> {
        self.streams.get_mut(lane.0)
    }

    /// Nothing that was sent so far is worth sending again: what follows begins anew.
    pub(crate) fn forget_sent(&mut self, lane: Lane) {
        if let Some(stream) = self.streams.get_mut(lane.0) {
            stream.cache.clear();
        }
    }

    /// Writes a packet; says whether there is something to send now.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        lane: Lane,
        (packet, as_, named): (&Packet, Rewritten, Named),
        outbox: &mut Outbox,
    ) -> bool {
        let (Some(srtp), Some(way)) = (&self.srtp, self.way) else { return false };
        let Some(stream) = self.streams.get_mut(lane.0) else { return false };
        // Who knows no redundancy (Firefox, say) gets the sound alone.
        let whole = named.format == packet.format;
        let payload = if whole { Some(&*packet.payload) } else { red::primary(&packet.payload) };
        let Some(payload) = payload else { return false };
        let leaving = leaving(now, self.start, &self.bwe, &stream.names);
        let written = outbox.write(way, |bytes| {
            stream.write(bytes, srtp, (packet, payload, named), (now, as_, leaving))
        });
        let Some(length) = written else { return false };
        self.left(now, leaving, length);
        self.repeats.sent(now, length);
        self.reports.get_or_insert(now);
        true
    }

    /// Takes the transport-wide number of an authenticated packet.
    pub(crate) fn handle_arrival(&mut self, now: Instant, media_ssrc: u32, twcc_seq: u16) {
        self.twcc.handle_arrival(now, media_ssrc, twcc_seq);
    }

    /// Takes reports that have come.
    pub(crate) fn handle_reports(
        &mut self,
        now: Instant,
        datagram: &[u8],
        (outbox, out): (&mut Outbox, &mut Vec<Happened>),
    ) -> Reports {
        let Some(srtp) = &mut self.srtp else { return Reports::Early };
        let mut opened = std::mem::take(&mut self.opened);
        let taken = match srtp.open_reports(datagram, &mut opened) {
            Ok(index) => {
                filtered::write(&opened, &mut self.filtered);
                let is_engines = !self.filtered.is_empty()
                    && srtp.protect_as_theirs(&mut self.filtered, index).is_some();
                // However often it says so, once a datagram is enough.
                let mut told = false;
                for report in rtcp::read(&opened) {
                    let transport = matches!(report, Rtcp::Transport(_));
                    if !(transport && std::mem::replace(&mut told, true)) {
                        self.handle(now, report, (&mut *outbox, &mut *out));
                    }
                }
                if is_engines { Reports::OfEngine } else { Reports::Taken }
            }
            Err(Bad::Replayed) => Reports::Refused(DropReason::Replayed),
            Err(Bad::Forged) => Reports::Refused(DropReason::Forged),
        };
        self.opened = opened;
        taken
    }

    /// The datagram that the engine is given in place of the reports just taken.
    pub(crate) fn take_filtered(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.filtered)
    }

    /// Takes the memory of such a datagram back.
    pub(crate) fn reuse_filtered(&mut self, datagram: Vec<u8>) {
        self.filtered = datagram;
    }

    fn handle(
        &mut self,
        now: Instant,
        report: Rtcp<'_>,
        (outbox, out): (&mut Outbox, &mut Vec<Happened>),
    ) {
        match report {
            Rtcp::Report { blocks } => {
                for ssrc in blocks.streams() {
                    self.known(ssrc);
                }
            }
            Rtcp::Nack { ssrc, missing } => self.repeat(now, (ssrc, missing), outbox),
            Rtcp::KeyframeWanted { ssrc } => {
                let wanted = self.streams.iter().find(|stream| stream.source.ssrc == ssrc);
                if let Some(mid) = wanted.map(|stream| stream.mid)
                    && !out.iter().any(|it| it.wants_keyframe_of(mid))
                {
                    out.push(Happened::KeyframeWanted { mid });
                }
            }
            Rtcp::Transport(feedback) => out.extend(self.feedback(now, feedback)),
            Rtcp::Estimate(rate) => out.push(Happened::EstimateTold(rate)),
            Rtcp::Other(_) => {}
        }
    }

    /// The receiver knows this stream, so it need not be told any more which section is meant.
    fn known(&mut self, ssrc: u32) {
        for stream in &mut self.streams {
            stream.known |= stream.source.ssrc == ssrc;
            stream.repairs_known |= stream.source.repairs == Some(ssrc);
        }
    }

    fn feedback(&mut self, now: Instant, feedback: Transport<'_>) -> Option<Happened> {
        let first = extend(self.bwe.newest_seq(), feedback.first());
        self.bwe.handle_feedback(now, (first..).zip(feedback.packets()));
        self.news()
    }

    /// The estimate, where it has changed.
    fn news(&mut self) -> Option<Happened> {
        let estimate = self.bwe.estimate();
        let changed = estimate != std::mem::replace(&mut self.estimate, estimate);
        estimate.filter(|_| changed).map(Happened::Estimate)
    }

    /// Sends again what has not come, but nothing of which a repeat may still be under way.
    fn repeat(&mut self, now: Instant, (ssrc, missing): (u32, Missing<'_>), outbox: &mut Outbox) {
        let Some(at) = self.streams.iter().position(|it| it.source.ssrc == ssrc) else { return };
        let under_way = self.bwe.rtt().unwrap_or(ROUND_TRIP).min(ROUND_TRIP * 5);
        if let Some(stream) = self.streams.get_mut(at) {
            stream.cache.age(now);
        }
        for number in missing.numbers() {
            let Some(stream) = self.streams.get_mut(at) else { return };
            let seq = extend(stream.newest, number);
            if !self.repeats.may(now) {
                return;
            }
            let is_lost = |kept: &mut Kept| {
                let since = kept.repeated.map(|at| now.saturating_duration_since(at));
                since.is_none_or(|since| since >= under_way)
            };
            if stream.cache.find(seq).is_some_and(is_lost)
                && let Some(length) = self.again(now, at, seq, outbox)
            {
                self.repeats.repeated(length);
            }
        }
    }

    /// Writes what was sent before as a repair; gives its length.
    fn again(&mut self, now: Instant, at: usize, seq: u64, outbox: &mut Outbox) -> Option<usize> {
        let (srtp, way) = (self.srtp.as_ref()?, self.way?);
        let stream = self.streams.get_mut(at)?;
        let leaving = leaving(now, self.start, &self.bwe, &stream.names);
        let length = outbox.write(way, |bytes| stream.repeat(bytes, srtp, seq, (now, leaving)))?;
        self.left(now, leaving, length);
        Some(length)
    }

    fn left(&mut self, now: Instant, leaving: Leaving, length: usize) {
        if leaving.transport_number.is_some() {
            self.bwe.on_sent(now, length);
        }
    }

    /// Tells the estimator what would be sent next and what at best, bits a second.
    pub(crate) fn desire(&mut self, next: u64, best: u64) {
        if std::mem::replace(&mut self.desired, (next, best)) != (next, best) {
            self.aspire();
        }
    }

    /// Only who can fill the line can find out whether it carries more.
    fn aspire(&mut self) {
        let fills = self.is_ready() && self.streams.iter().any(|it| it.padding().is_some());
        let (next, best) = if fills { self.desired } else { (0, 0) };
        self.bwe.set_desired(next, best);
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) -> Option<Happened> {
        if self.reports.is_some_and(|at| at <= now) {
            self.report(now, outbox);
        }
        let (srtp, way) = (&mut self.srtp, self.way);
        self.twcc.handle_timeout(now, |report| {
            let (Some(srtp), Some(way)) = (srtp.as_mut(), way) else { return };
            outbox.write(way, |bytes| {
                let start = bytes.len();
                bytes.extend_from_slice(report);
                srtp.protect_reports(bytes, start)
            });
        });
        self.bwe.handle_timeout(now);
        for _ in 0..PADDINGS {
            let wanted = self.bwe.poll_padding(now);
            if wanted == 0 || self.pad(now, wanted, outbox).is_none() {
                break;
            }
        }
        self.news()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        [self.reports, self.twcc.poll_timeout(), self.bwe.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    fn report(&mut self, now: Instant, outbox: &mut Outbox) {
        self.reports = None;
        let (Some(srtp), Some(way)) = (&mut self.srtp, self.way) else { return };
        let wall = self.wall + now.saturating_duration_since(self.start);
        for streams in self.streams.chunks_mut(report::MOST) {
            streams.iter_mut().for_each(|stream| stream.cache.age(now));
            outbox.write(way, |bytes| {
                let start = bytes.len();
                let any = report::write(bytes, streams.iter(), (now, wall));
                any.then(|| srtp.protect_reports(bytes, start)).flatten()?;
                self.reports = Some(now + REPORTS);
                Some(())
            });
        }
    }

    /// Says that nothing more comes (RFC 3550 §6.6).
    pub(crate) fn close(&mut self, now: Instant, outbox: &mut Outbox) {
        let (Some(srtp), Some(way)) = (&mut self.srtp, self.way) else { return };
        let wall = self.wall + now.saturating_duration_since(self.start);
        for streams in self.streams.chunks(report::MOST) {
            outbox.write(way, |bytes| {
                let start = bytes.len();
                report::write(bytes, streams.iter(), (now, wall)).then_some(())?;
                report::end(bytes, streams);
                srtp.protect_reports(bytes, start)
            });
        }
    }

    /// Fills the line for a probe, with what was sent before where that is long enough: it may even be
    /// of use.
    fn pad(&mut self, now: Instant, wanted: usize, outbox: &mut Outbox) -> Option<usize> {
        let fit = self.streams.iter().enumerate().filter(|(_, it)| it.padding().is_some());
        let (at, _) = fit.max_by_key(|(_, stream)| stream.sent_at())?;
        let kept = self.streams.get(at)?.cache.newest(wanted.max(LONG));
        if let Some(seq) = kept.filter(|it| it.payload.len() >= LONG).map(|it| it.seq) {
            return self.again(now, at, seq, outbox);
        }
        let (srtp, way) = (self.srtp.as_ref()?, self.way?);
        let stream = self.streams.get_mut(at)?;
        let leaving = leaving(now, self.start, &self.bwe, &stream.names);
        let length = outbox.write(way, |bytes| stream.pad(bytes, srtp, leaving))?;
        self.left(now, leaving, length);
        Some(length)
    }
}

/// What a packet says that leaves now.
fn leaving(now: Instant, start: Instant, bwe: &Bwe, names: &Names) -> Leaving {
    let [.., high, low] = (bwe.newest_seq() + 1).to_be_bytes();
    let transport_number = names.transport_number.map(|_| u16::from_be_bytes([high, low]));
    // For who estimates the way itself: not those that report on each packet.
    let send_time = names.send_time.filter(|_| transport_number.is_none()).map(|_| {
        let since = now.saturating_duration_since(start).as_micros();
        u32::try_from(((since << 18) / 1_000_000) & 0x00ff_ffff).unwrap_or(0)
    });
    Leaving { transport_number, send_time }
}

/// The number nearest to `near` that ends in these 16 bits.
fn extend(near: u64, low: u16) -> u64 {
    let [.., n0, n1] = near.to_be_bytes();
    let ahead = low.wrapping_sub(u16::from_be_bytes([n0, n1]));
    if ahead < 0x8000 {
        near + u64::from(ahead)
    } else {
        near.saturating_sub(u64::from(ahead.wrapping_neg()))
    }
}

#[cfg(test)]
mod tests;
