//! A sender of layered video and audio, the line, and a receiver that reports.

use std::time::{Duration, Instant};

use testnet::Clock;

use super::line::{Line, Queue};
use crate::bwe::Bwe;

pub(super) const AUDIO: u64 = 35_000;

/// What there is to send.
#[derive(Clone)]
pub(super) struct Media {
    /// Bits a second of each layer, in order; what is sent is the largest that fits.
    pub(super) layers: Vec<u64>,
    pub(super) frame: u64,
    /// From when to when video is wanted, milliseconds.
    pub(super) video: (u64, u64),
    pub(super) audio: (u64, u64),
}

impl Media {
    pub(super) fn usual() -> Self {
        let always = (0, u64::MAX);
        Self { layers: vec![150_000, 500_000, 1_500_000], frame: 33, video: always, audio: always }
    }
}

/// One report on its way: when it is there, and what it says.
type Report = (f64, Vec<(u64, Option<Duration>)>);

pub(super) struct World {
    clock: Clock,
    pub(super) bwe: Bwe,
    pub(super) queue: Queue,
    media: Media,
    /// Milliseconds.
    pub(super) at: u64,
    arriving: Vec<(u64, f64)>,
    came: std::collections::HashMap<u64, f64>,
    reported: u64,
    next_report: u64,
    reports: Vec<Report>,
    layer: usize,
    bytes: u64,
    padding: u64,
    pub(super) log: Vec<Moment>,
    /// Feedback comes only outside of this time.
    pub(super) mute: (u64, u64),
    /// What the receiver's clock says at the start, seconds.
    pub(super) epoch: f64,
}

/// What is so at each tenth of a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: f64,
    pub(super) estimate: u64,
    /// Bits a second sent in the last tenth, and of that padding.
    pub(super) sent: u64,
    pub(super) padding: u64,
    pub(super) chosen: u64,
    pub(super) wait: f64,
}

impl World {
    pub(super) fn new(line: Line, media: Media, seed: u64) -> Self {
        let clock = Clock::new();
        let bwe = Bwe::new(300_000, clock.now());
        Self {
            clock,
            bwe,
            queue: Queue::new(line, seed),
            media,
            at: 0,
            arriving: Vec::new(),
            came: [].into(),
            reported: 0,
            next_report: 50,
            reports: Vec::new(),
            layer: 0,
            bytes: 0,
            padding: 0,
            log: Vec::new(),
            mute: (0, 0),
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
        self.hear();
        self.send_media();
        if self.bwe.poll_timeout().is_some_and(|at| at <= self.now()) {
            let now = self.now();
            self.bwe.handle_timeout(now);
            self.pad();
        }
        let at = self.at as f64;
        let left = self.queue.serve(at);
        self.arriving.extend(left);
        self.receive();
        if self.at.is_multiple_of(100) {
            self.note();
        }
    }

    fn send(&mut self, bytes: u64) {
        let now = self.now();
        let number = self.bwe.sent(now, usize::try_from(bytes).unwrap());
        self.bytes += bytes;
        self.queue.push(Some(number), bytes as f64);
    }

    fn pad(&mut self) {
        let now = self.now();
        loop {
            let bytes = self.bwe.padding(now) as u64;
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
        let audio = self.is_on(self.media.audio);
        let talk = if audio { AUDIO } else { 0 };
        if audio && self.at.is_multiple_of(20) {
            self.send(AUDIO / 50 / 8);
        }
        if !self.is_on(self.media.video) {
            self.bwe.desire(0, 0);
            return;
        }
        if !self.at.is_multiple_of(self.media.frame) {
            return;
        }
        let estimate = self.bwe.estimate().unwrap_or(300_000);
        let fits = self.media.layers.iter().take_while(|&&layer| layer + talk <= estimate).count();
        let up = fits > self.layer;
        self.layer = fits;
        let best = talk + self.media.layers.last().unwrap();
        match self.media.layers.get(fits) {
            Some(next) => self.bwe.desire(next + talk, best),
            None => self.bwe.desire(0, 0),
        }
        if fits > 0 {
            let rate = self.media.layers[fits - 1];
            let frame = rate as f64 * self.media.frame as f64 / 8000.0;
            let varied = frame * (0.6 + 0.8 * self.queue.roll());
            self.burst(if up { varied * 4.0 } else { varied });
        }
    }

    fn burst(&mut self, bytes: f64) {
        let packets = (1_u32..).find(|&packets| f64::from(packets) * 1200.0 >= bytes).unwrap();
        let each = Duration::from_secs_f64(bytes / f64::from(packets)).as_secs() + 20;
        (0..packets).for_each(|_| self.send(each));
    }

    fn receive(&mut self) {
        let at = self.at as f64;
        let came = &mut self.came;
        self.arriving.retain(|&(number, arrival)| {
            let there = arrival <= at;
            if there {
                came.insert(number, arrival);
            }
            !there
        });
        if self.at >= self.next_report {
            self.next_report += 50;
            self.report();
        }
    }

    fn report(&mut self) {
        let Some(&newest) = self.came.keys().max() else { return };
        let first = self.came.keys().min().copied().unwrap().min(self.reported + 1);
        let drift = 1.0 + self.queue.line.drift / 1e6;
        let time = |at: &f64| Duration::from_secs_f64(at * drift / 1000.0 + self.epoch);
        let said = (first..=newest).map(|number| (number, self.came.get(&number).map(time)));
        let said: Vec<_> = said.collect();
        self.came.clear();
        self.reported = self.reported.max(newest);
        let lost = self.queue.roll() < self.queue.line.feedback_loss;
        if !lost && !self.is_on(self.mute) {
            self.reports.push((self.at as f64 + self.queue.line.delay, said));
        }
    }

    fn hear(&mut self) {
        let (now, at) = (self.now(), self.at as f64);
        let reports = std::mem::take(&mut self.reports);
        let (there, coming) = reports.into_iter().partition(|report| report.0 <= at);
        self.reports = coming;
        let there: Vec<Report> = there;
        for (_, said) in there {
            self.bwe.feedback(now, said);
        }
    }

    fn note(&mut self) {
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

    /// What was noted from one second to another.
    pub(super) fn between(&self, from: f64, to: f64) -> impl Iterator<Item = Moment> + '_ {
        let within = move |moment: &&Moment| (from..to).contains(&moment.at);
        self.log.iter().filter(within).copied()
    }

    /// Bits a second.
    pub(super) fn least(&self, from: f64, to: f64) -> f64 {
        self.between(from, to).map(|moment| moment.estimate).min().unwrap() as f64
    }

    pub(super) fn most(&self, from: f64, to: f64) -> f64 {
        self.between(from, to).map(|moment| moment.estimate).max().unwrap() as f64
    }

    /// When the estimate first is so after a time, seconds after that.
    pub(super) fn until(&self, from: f64, so: impl Fn(u64) -> bool) -> f64 {
        let first = self.between(from, f64::MAX).find(|moment| so(moment.estimate));
        first.map_or(999.0, |moment| moment.at - from)
    }

    /// For whoever wants to see what goes on.
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
