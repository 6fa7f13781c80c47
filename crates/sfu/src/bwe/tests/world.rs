//! A sender of audio and simulcast video, a link, and a receiver that sends feedback.

use std::time::{Duration, Instant};

use testnet::Clock;

use super::link::{Link, Queue};
use crate::bwe::Bwe;

pub(super) const AUDIO: u64 = 35_000;

/// Media to send.
#[derive(Clone)]
pub(super) struct Media {
    /// Bits per second of each layer, ascending; the highest that fits is sent.
    pub(super) layers: Vec<u64>,
    /// Milliseconds between two frames.
    pub(super) frame: u64,
    /// Times (ms) between which there is video, and audio.
    pub(super) video: (u64, u64),
    pub(super) audio: (u64, u64),
}

impl Media {
    pub(super) fn usual() -> Self {
        let always = (0, u64::MAX);
        Self { layers: vec![150_000, 500_000, 1_500_000], frame: 33, video: always, audio: always }
    }
}

/// Feedback on its way: its arrival time, and the sequence number and arrival time of each packet.
type Feedback = (f64, Vec<(u64, Option<Duration>)>);

pub(super) struct World {
    clock: Clock,
    pub(super) bwe: Bwe,
    pub(super) queue: Queue,
    media: Media,
    /// Milliseconds.
    pub(super) at: u64,
    arriving: Vec<(u64, f64)>,
    arrived: std::collections::HashMap<u64, f64>,
    reported: u64,
    next_feedback: u64,
    feedback: Vec<Feedback>,
    layer: usize,
    bytes: u64,
    padding: u64,
    pub(super) log: Vec<Moment>,
    /// Times between which no feedback is sent.
    pub(super) no_feedback: (u64, u64),
    /// Reading of the receiver's clock at the start, in seconds.
    pub(super) epoch: f64,
}

/// State at each tenth of a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: f64,
    pub(super) estimate: u64,
    /// Bits per second sent in the last tenth, and the padding in that.
    pub(super) sent: u64,
    pub(super) padding: u64,
    pub(super) chosen: u64,
    pub(super) wait: f64,
}

impl World {
    pub(super) fn new(link: Link, media: Media, seed: u64) -> Self {
        let clock = Clock::new();
        let bwe = Bwe::new(300_000, clock.now());
        Self {
            clock,
            bwe,
            queue: Queue::new(link, seed),
            media,
            at: 0,
            arriving: Vec::new(),
            arrived: [].into(),
            reported: 0,
            next_feedback: 50,
            feedback: Vec::new(),
            layer: 0,
            bytes: 0,
            padding: 0,
            log: Vec::new(),
            no_feedback: (0, 0),
            epoch: 3600.0,
        }
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(super) fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 1000 {
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.at += 1;
        self.clock.advance(Duration::from_millis(1));
        self.deliver_feedback();
        self.send_media();
        if self.bwe.poll_timeout().is_some_and(|at| at <= self.now()) {
            let now = self.now();
            self.bwe.handle_timeout(now);
            self.send_padding();
        }
        let at = self.at as f64;
        let left = self.queue.serve(at);
        self.arriving.extend(left);
        self.receive();
        if self.at.is_multiple_of(100) {
            self.record();
        }
    }

    fn send(&mut self, bytes: u64) {
        let now = self.now();
        let seq = self.bwe.on_sent(now, usize::try_from(bytes).unwrap());
        self.bytes += bytes;
        self.queue.push(Some(seq), bytes as f64);
    }

    fn send_padding(&mut self) {
        let now = self.now();
        loop {
            let bytes = self.bwe.poll_padding(now) as u64;
            if bytes == 0 {
                break;
            }
            self.send(bytes.min(260));
            self.padding += bytes.min(260);
        }
    }

    fn is_on(&self, span: (u64, u64)) -> bool {
        (span.0..span.1).contains(&self.at)
    }

    fn send_media(&mut self) {
        let is_audio_on = self.is_on(self.media.audio);
        let audio = if is_audio_on { AUDIO } else { 0 };
        if is_audio_on && self.at.is_multiple_of(20) {
            self.send(AUDIO / 50 / 8);
        }
        if !self.is_on(self.media.video) {
            self.bwe.set_desired(0, 0);
            return;
        }
        if !self.at.is_multiple_of(self.media.frame) {
            return;
        }
        let estimate = self.bwe.estimate().unwrap_or(300_000);
        let layers = &self.media.layers;
        let fits = layers.iter().take_while(|&&layer| layer + audio <= estimate).count();
        let is_switch_up = fits > self.layer;
        self.layer = fits;
        let max = audio + self.media.layers.last().unwrap();
        match self.media.layers.get(fits) {
            Some(next) => self.bwe.set_desired(next + audio, max),
            None => self.bwe.set_desired(0, 0),
        }
        if fits > 0 {
            let rate = self.media.layers[fits - 1];
            let frame = rate as f64 * self.media.frame as f64 / 8000.0;
            let varied = frame * (0.6 + 0.8 * self.queue.roll());
            self.burst(if is_switch_up { varied * 4.0 } else { varied });
        }
    }

    fn burst(&mut self, bytes: f64) {
        let packets = (1_u32..).find(|&packets| f64::from(packets) * 1200.0 >= bytes).unwrap();
        let each = Duration::from_secs_f64(bytes / f64::from(packets)).as_secs() + 20;
        (0..packets).for_each(|_| self.send(each));
    }

    fn receive(&mut self) {
        let at = self.at as f64;
        let arrived = &mut self.arrived;
        self.arriving.retain(|&(seq, arrival)| {
            let has_arrived = arrival <= at;
            if has_arrived {
                arrived.insert(seq, arrival);
            }
            !has_arrived
        });
        if self.at >= self.next_feedback {
            self.next_feedback += 50;
            self.send_feedback();
        }
    }

    fn send_feedback(&mut self) {
        let Some(&newest) = self.arrived.keys().max() else { return };
        let first = self.arrived.keys().min().copied().unwrap().min(self.reported + 1);
        let drift = 1.0 + self.queue.link.drift / 1e6;
        let time = |at: &f64| Duration::from_secs_f64(at * drift / 1000.0 + self.epoch);
        let packets = (first..=newest).map(|seq| (seq, self.arrived.get(&seq).map(time)));
        let packets: Vec<_> = packets.collect();
        self.arrived.clear();
        self.reported = self.reported.max(newest);
        let lost = self.queue.roll() < self.queue.link.feedback_loss;
        if !lost && !self.is_on(self.no_feedback) {
            self.feedback.push((self.at as f64 + self.queue.link.delay, packets));
        }
    }

    fn deliver_feedback(&mut self) {
        let now = self.now();
        let at = self.at as f64;
        let feedback = std::mem::take(&mut self.feedback);
        let (due, later): (Vec<Feedback>, _) =
            feedback.into_iter().partition(|feedback| feedback.0 <= at);
        self.feedback = later;
        for (_, packets) in due {
            self.bwe.handle_feedback(now, packets);
        }
    }

    fn record(&mut self) {
        let chosen = self.layer.checked_sub(1).map_or(0, |layer| self.media.layers[layer]);
        self.log.push(Moment {
            at: self.at as f64 / 1000.0,
            estimate: self.bwe.estimate().unwrap_or(0),
            sent: std::mem::take(&mut self.bytes) * 80,
            padding: std::mem::take(&mut self.padding) * 80,
            chosen,
            wait: self.queue.wait(self.at as f64),
        });
    }

    /// Records from one second to another.
    pub(super) fn between(&self, from: f64, to: f64) -> impl Iterator<Item = Moment> + '_ {
        let within = move |moment: &&Moment| (from..to).contains(&moment.at);
        self.log.iter().filter(within).copied()
    }

    /// Least estimate in bits per second.
    pub(super) fn min(&self, from: f64, to: f64) -> f64 {
        self.between(from, to).map(|moment| moment.estimate).min().unwrap() as f64
    }

    /// Greatest estimate in bits per second.
    pub(super) fn max(&self, from: f64, to: f64) -> f64 {
        self.between(from, to).map(|moment| moment.estimate).max().unwrap() as f64
    }

    /// Seconds from `from` until the estimate first meets a condition.
    pub(super) fn until(&self, from: f64, is_met: impl Fn(u64) -> bool) -> f64 {
        let first = self.between(from, f64::MAX).find(|moment| is_met(moment.estimate));
        first.map_or(999.0, |moment| moment.at - from)
    }

    /// Prints the records, for debugging.
    #[allow(dead_code)]
    pub(super) fn print(&self, from: f64, to: f64) {
        for m in self.between(from, to) {
            println!(
                "{:6.1}s est {:5} sent {:5} pad {:4} chosen {:5} wait {:4.0}",
                m.at,
                m.estimate / 1000,
                m.sent / 1000,
                m.padding / 1000,
                m.chosen / 1000,
                m.wait
            );
        }
    }
}
