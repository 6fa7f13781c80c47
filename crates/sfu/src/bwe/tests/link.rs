//! A simulated bottleneck link.

/// A small deterministic generator (xorshift).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number between 0 and 1.
    pub(super) fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Properties of a link. Times are milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Link {
    /// Bits per second at a time in seconds, and the part that cross traffic takes.
    pub(super) rate: fn(f64) -> f64,
    pub(super) cross_traffic: fn(f64) -> f64,
    /// Length of its queue, by the time that takes to send at 500 kb/s.
    pub(super) queue: f64,
    pub(super) delay: f64,
    pub(super) loss: f64,
    /// Up to twice this is added to the delay. Negative values keep the packets in order.
    pub(super) jitter: f64,
    pub(super) feedback_loss: f64,
    /// Parts per million by which the receiver's clock runs fast.
    pub(super) drift: f64,
}

impl Link {
    pub(super) fn steady(rate: fn(f64) -> f64) -> Self {
        Self {
            rate,
            cross_traffic: |_| 0.0,
            queue: 300.0,
            delay: 25.0,
            loss: 0.0,
            jitter: 0.0,
            feedback_loss: 0.0,
            drift: 0.0,
        }
    }
}

/// The queue in front of the link, served a millisecond at a time.
pub(super) struct Queue {
    pub(super) link: Link,
    dice: Dice,
    /// Sequence number and bytes left; cross traffic has no number.
    waiting: std::collections::VecDeque<(Option<u64>, f64)>,
    bytes: f64,
    credit: f64,
    cross_traffic: f64,
    last: f64,
    /// Current jitter and the time until which it applies.
    jitter: Jitter,
}

#[derive(Default)]
struct Jitter {
    until: f64,
    delay: f64,
}

impl Queue {
    pub(super) fn new(link: Link, seed: u64) -> Self {
        Self {
            link,
            dice: Dice::new(seed),
            waiting: [].into(),
            bytes: 0.0,
            credit: 0.0,
            cross_traffic: 0.0,
            last: 0.0,
            jitter: Jitter::default(),
        }
    }

    pub(super) fn push(&mut self, seq: Option<u64>, bytes: f64) {
        if self.bytes + bytes <= self.link.queue * 500.0 / 8.0 {
            self.bytes += bytes;
            self.waiting.push_back((seq, bytes));
        }
    }

    /// Lets a millisecond pass; returns the packets that leave and their arrival times.
    pub(super) fn serve(&mut self, at: f64) -> Vec<(u64, f64)> {
        self.cross_traffic += (self.link.cross_traffic)(at / 1000.0) / 8000.0;
        if self.cross_traffic > 1200.0 {
            self.cross_traffic -= 1200.0;
            self.push(None, 1200.0);
        }
        let per_ms = (self.link.rate)(at / 1000.0) / 8000.0;
        self.credit += per_ms;
        let mut left = Vec::new();
        while let Some(&(seq, bytes)) = self.waiting.front() {
            if bytes > self.credit {
                break;
            }
            self.credit -= bytes;
            self.bytes -= bytes;
            self.waiting.pop_front();
            let is_lost = self.dice.roll() < self.link.loss;
            if self.link.jitter > 0.0 || at >= self.jitter.until {
                let delay = self.link.jitter.abs() * 2.0 * self.dice.roll();
                self.jitter = Jitter { until: at + 20.0, delay };
            }
            if let Some(seq) = seq.filter(|_| !is_lost) {
                let within = 1.0 - self.credit / per_ms.max(1e-9);
                let mut arrival = at + within + self.link.delay + self.jitter.delay;
                if self.link.jitter < 0.0 {
                    arrival = arrival.max(self.last);
                    self.last = arrival;
                }
                left.push((seq, arrival));
            }
        }
        if self.waiting.is_empty() {
            self.credit = self.credit.min(0.0);
        }
        left
    }

    /// Queuing delay of a packet sent now, in milliseconds.
    pub(super) fn wait(&self, at: f64) -> f64 {
        self.bytes * 8000.0 / (self.link.rate)(at / 1000.0)
    }

    pub(super) fn roll(&mut self) -> f64 {
        self.dice.roll()
    }
}
