//! What a line to one receiver carries, estimated by the sender from the receiver's word on each
//! packet (transport-wide congestion control).
//!
//! Google Congestion Control (draft-ietf-rmcat-gcc-02) for a sender that is not elastic: layers of
//! video come in unpaced bursts, and what is sent nearly always is less than the line carries. So a
//! queue counts only as far as our own bursts do not explain it, what is estimated grows no further
//! than what arrives can prove, and probes find out whether there is more when somebody wants it.

mod acked;
mod backlog;
mod base;
mod cluster;
pub(crate) mod estimate;
mod groups;
mod history;
pub(crate) mod keyframe_backoff;
mod loss;
mod probe;
mod rate;
mod trend;

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use self::{
    acked::Acked,
    backlog::Backlog,
    base::Base,
    cluster::{Arrival, Report},
    groups::{Groups, Sample},
    history::{History, News, Packet},
    loss::Loss,
    probe::{Prober, View},
    rate::Rate,
    trend::{Signal, Trend},
};

/// Microseconds, since the start of the link or on the receiver's clock.
type Micros = i64;

/// A receiver that says nothing for so long, and three round trips, hears nothing.
const SILENCE: Micros = 1_000_000;
/// Fewer packets without an answer may have gone unanswered by chance.
const UNANSWERED: u32 = 10;
/// Clocks are read and feedback is sent a little late.
const SLACK: Micros = 200_000;
/// Who has come so much later than the first could have waited for others.
const WAITED: Micros = 10_000;
/// So long after a step down what is sent is still as before.
const MOMENT: Micros = 100_000;
/// What was heard so long ago speaks against nothing any more.
const STALE: Micros = 2_000_000;
/// A share lost of late that, with a queue that never goes, is lost for want of room.
const SOME: f32 = 0.03;
/// A share lost of late that goes with a line that is full.
const FULL: f32 = 0.25;

/// The estimate of one line.
#[derive(Debug)]
pub(crate) struct Bwe {
    start: Instant,
    history: History,
    backlog: Backlog,
    base: Base,
    groups: Groups,
    trend: Trend,
    acked: Acked,
    loss: Loss,
    rate: Rate,
    prober: Prober,
    rtt: Option<Micros>,
    /// When the newest packet that was reported was sent.
    heard: Option<Micros>,
    unheard: Option<Unheard>,
    silent: bool,
    /// Whether a step down was made for a queue that has not gone yet.
    queued: bool,
    /// Whether nothing that was heard speaks against asking for more.
    well: bool,
    now: Micros,
}

/// Packets that nothing was said of, since the receiver spoke last.
#[derive(Debug, Clone, Copy)]
struct Unheard {
    since: Micros,
    packets: u32,
}

impl Bwe {
    /// `start`: bits a second it is taken to carry until something is known.
    pub(crate) fn new(start: u64, now: Instant) -> Self {
        Self {
            start: now,
            history: History::default(),
            backlog: Backlog::default(),
            base: Base::default(),
            groups: Groups::default(),
            trend: Trend::default(),
            acked: Acked::new(),
            loss: Loss::new(),
            rate: Rate::new(start),
            prober: Prober::new(),
            rtt: None,
            heard: None,
            unheard: None,
            silent: false,
            queued: false,
            well: true,
            now: 0,
        }
    }

    /// A packet of so many bytes (whole UDP payload) leaves now. Gives its transport-wide number, the
    /// low 16 bits of which go into the header extension. The first is 1.
    pub(crate) fn sent(&mut self, now: Instant, bytes: usize) -> u64 {
        let at = self.micros(now);
        let wait = self.backlog.add(at, bytes, self.rate.now());
        let probe = self.prober.sent(at, bytes);
        self.unheard.get_or_insert(Unheard { since: at, packets: 0 }).packets += 1;
        self.history.add(Packet::new(at, bytes, wait, probe))
    }

    /// The newest number given (for extending 16-bit numbers); 0 before the first.
    pub(crate) fn newest(&self) -> u64 {
        self.history.newest()
    }

    /// What the receiver says: for each packet its number and, if it came, when, on the receiver's
    /// clock. If that clock jumps, what it said before is forgotten.
    pub(crate) fn feedback(
        &mut self,
        now: Instant,
        came: impl IntoIterator<Item = (u64, Option<Duration>)>,
    ) {
        let at = self.micros(now);
        let mut newest = None;
        for (number, came) in came {
            let sent = match self.history.report(number, came.is_some()) {
                Some(News::Lost(packet)) => {
                    self.loss.lost(packet.sent);
                    self.prober.lost(packet.probe);
                    packet.sent
                }
                Some(News::Came(packet)) => {
                    self.loss.came(packet.sent);
                    self.arrival(at, packet, came);
                    packet.sent
                }
                Some(News::Found(packet)) => {
                    self.loss.found(packet.sent);
                    self.arrival(at, packet, came);
                    packet.sent
                }
                None => continue,
            };
            newest = newest.max(Some(sent));
        }
        if let Some(newest) = newest {
            if let Some(sample) = self.groups.close() {
                self.sample(sample);
            }
            self.hear(at, newest);
            self.judge(at, newest);
        }
    }

    fn arrival(&mut self, at: Micros, packet: Packet, came: Option<Duration>) {
        let came = came.and_then(|came| Micros::try_from(came.as_micros()).ok());
        let Some(came) = came.filter(|&came| came < Micros::MAX / 4) else { return };
        let delay = came - packet.sent;
        // No packet can have waited for longer than it takes to hear of it, and back.
        let most = at - packet.sent + SLACK;
        if self.base.least().is_some_and(|least| (delay - least).abs() > most) {
            self.forget();
        }
        let waited = self.base.above(packet.sent, delay);
        let queue = (waited - Micros::from(packet.wait)).max(0);
        self.acked.add(came, packet.bytes, waited > WAITED);
        if packet.probe != 0 {
            let arrival = Arrival { sent: packet.sent, came, bytes: packet.bytes };
            self.prober.came(packet.probe, arrival);
        }
        if let Some(sample) = self.groups.add(packet.sent, queue) {
            self.sample(sample);
        }
    }

    fn sample(&mut self, sample: Sample) {
        // What happens after a step down is another story.
        let goes_on = |fell| sample.sent <= fell || self.trend.newest() > Some(fell);
        if !self.rate.fell().is_none_or(goes_on) {
            self.trend.clear();
        }
        self.trend.add(sample);
    }

    /// The receiver's clock was set: what it said before says nothing any more.
    fn forget(&mut self) {
        self.base = Base::default();
        self.groups = Groups::default();
        self.trend.clear();
        self.acked = Acked::new();
        self.prober.forget();
    }

    fn hear(&mut self, at: Micros, newest: Micros) {
        let took = (at - newest).max(0);
        self.rtt = Some(self.rtt.map_or(took, |rtt| rtt + (took - rtt) / 8));
        self.heard = self.heard.max(Some(newest));
        self.unheard = None;
        if std::mem::take(&mut self.silent) {
            self.trend.clear();
            self.prober.resume(at);
        }
    }

    fn judge(&mut self, at: Micros, newest: Micros) {
        let busy = self.acked.busy();
        // What was sent before the last step down says how far that should have gone.
        let past = self.rate.fell().is_some_and(|fell| newest <= fell + MOMENT);
        let signal = self.trend.signal(self.loss.share() > SOME);
        if let Some(busy) = busy {
            self.step_down(at, busy, signal, past);
        }
        if !past && signal == Signal::Normal && self.loss.excess().is_none() {
            let response = self.rtt.unwrap_or(0) + 100_000;
            let acked = self.acked.rate().unwrap_or(0);
            self.rate.grow(at, acked, response);
        }
        self.well = self.loss.excess().is_none() && self.trend.queue() < trend::EMPTY;
        self.conclude(at);
    }

    fn conclude(&mut self, at: Micros) {
        if let Some(found) = self.prober.find(at, self.view())
            && self.well
        {
            self.rate.prove(found);
        }
    }

    fn step_down(&mut self, at: Micros, busy: u64, signal: Signal, past: bool) {
        let to = busy / 100 * 85;
        if past {
            if self.trend.queue() > trend::EMPTY || self.loss.share() > FULL {
                self.rate.refine(at, to, busy);
            }
            return;
        }
        match (signal, self.loss.excess()) {
            (Signal::Growing, excess) => {
                // Half at first: if it is as bad as it looks, the next report says so again.
                let sure = self.trend.queue() > trend::CERTAIN || excess.is_some();
                let to = if sure { to } else { to.max(self.rate.now() / 2) };
                self.fall(at, to, busy);
                self.queued = true;
            }
            (_, Some(excess)) if excess.heavy || self.trend.queue() > trend::EMPTY => {
                self.fall(at, to, busy);
            }
            (_, Some(excess)) => {
                let less = self.rate.now() / 2000 * (2000 - excess.share);
                let to = less.max(busy / 10 * 9);
                self.fall(at, to, busy);
            }
            (Signal::Standing, _) if self.queued => {
                // It did not help, so it was not our queue.
                self.base.lengthen(self.trend.least());
                self.trend.clear();
                self.queued = false;
            }
            (Signal::Standing, _) => {
                self.fall(at, to, busy);
                self.queued = true;
            }
            (Signal::Normal, _) if self.trend.queue() < trend::EMPTY => self.queued = false,
            _ => {}
        }
    }

    fn fall(&mut self, at: Micros, to: u64, capacity: u64) {
        self.prober.fell(at, self.rate.now());
        self.rate.fall(at, to, capacity);
        self.loss.fell(at);
        self.trend.clear();
    }

    fn view(&self) -> View {
        let well = match self.heard {
            // Not before anything is sent at all, and once before anything is heard.
            None if self.newest() == 0 || self.prober.has_asked() => Micros::MAX,
            Some(heard) if self.silent || !self.well => heard + STALE,
            _ => 0,
        };
        let heard = self.heard.unwrap_or(0);
        let report = Report { heard, late: self.loss.late(), noise: self.trend.noise() };
        View { rate: self.rate.now(), well, report }
    }

    /// What would be sent next if there were room, and what at best (bits a second): both 0 when
    /// nobody wants more than is sent.
    pub(crate) fn desire(&mut self, next: u64, best: u64) {
        self.prober.desire(self.now, next, best);
    }

    /// To be called at [`Self::poll_timeout`], and [`Self::padding`] after it.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let at = self.micros(now);
        if self.silence().is_some_and(|silence| at >= silence) {
            self.halve(at);
        }
        self.conclude(at);
        self.prober.begin(at, self.view());
    }

    /// When the receiver has said nothing for too long. It has to have spoken before, as not all do.
    fn silence(&self) -> Option<Micros> {
        let unheard = self.unheard.filter(|_| self.heard.is_some())?;
        Some(unheard.since + SILENCE + 3 * self.rtt.unwrap_or(0))
    }

    fn halve(&mut self, at: Micros) {
        let unheard = self.unheard.take();
        if unheard.is_some_and(|unheard| unheard.packets >= UNANSWERED) {
            let half = self.rate.now() / 2;
            self.fall(at, half, half);
            self.silent = true;
        }
    }

    /// When to call [`Self::handle_timeout`]; `None` when it wants nothing.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let probe = self.prober.timeout(self.view());
        let probe = probe.filter(|&at| at != Micros::MAX);
        let at = probe.into_iter().chain(self.silence()).min()?;
        Some(self.start + Duration::from_micros(u64::try_from(at).unwrap_or(0)))
    }

    /// Bytes of padding to be sent now, for a probe: pass them to [`Self::sent`]. More may be due at
    /// [`Self::poll_timeout`].
    pub(crate) fn padding(&mut self, now: Instant) -> usize {
        let at = self.micros(now);
        self.prober.begin(at, self.view());
        self.prober.padding(at)
    }

    /// Bits a second; `None` until the receiver has said something.
    pub(crate) fn estimate(&self) -> Option<u64> {
        self.heard.map(|_| self.rate.now())
    }

    /// From sending to feedback, smoothed.
    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.rtt.map(|rtt| Duration::from_micros(u64::try_from(rtt).unwrap_or(0)))
    }

    /// The share lost lately.
    #[cfg(test)]
    fn loss(&self) -> f32 {
        self.loss.share()
    }

    fn micros(&mut self, now: Instant) -> Micros {
        let since = now.saturating_duration_since(self.start).as_micros();
        self.now = self.now.max(Micros::try_from(since).unwrap_or(0));
        self.now
    }
}
