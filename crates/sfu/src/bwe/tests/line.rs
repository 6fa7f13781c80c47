//! A simulated narrow line.

/// A small deterministic generator (xorshift).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Between 0 and 1.
    pub(super) fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What a line is like. Times are milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Line {
    /// Bits a second at a time in seconds, and of that what others take.
    pub(super) rate: fn(f64) -> f64,
    pub(super) others: fn(f64) -> f64,
    /// What fits into its queue, by the time that takes at 500 kb/s.
    pub(super) queue: f64,
    pub(super) delay: f64,
    pub(super) loss: f64,
    /// Up to twice this is added; below zero, none overtakes another.
    pub(super) jitter: f64,
    pub(super) feedback_loss: f64,
    /// Parts in a million by which the receiver's clock runs fast.
    pub(super) drift: f64,
}

impl Line {
    pub(super) fn steady(rate: fn(f64) -> f64) -> Self {
        Self {
            rate,
            others: |_| 0.0,
            queue: 300.0,
            delay: 25.0,
            loss: 0.0,
            jitter: 0.0,
            feedback_loss: 0.0,
            drift: 0.0,
        }
    }
}

/// What waits before it, served a millisecond at a time.
pub(super) struct Queue {
    pub(super) line: Line,
    dice: Dice,
    /// Number and bytes left, `None` of others' packets.
    waiting: std::collections::VecDeque<(Option<u64>, f64)>,
    bytes: f64,
    credit: f64,
    others: f64,
    last: f64,
    /// What is added until when.
    lag: (f64, f64),
}

impl Queue {
    pub(super) fn new(line: Line, seed: u64) -> Self {
        let dice = Dice::new(seed);
        Self {
            line,
            dice,
            waiting: [].into(),
            bytes: 0.0,
            credit: 0.0,
            others: 0.0,
            last: 0.0,
            lag: (0.0, 0.0),
        }
    }

    pub(super) fn push(&mut self, number: Option<u64>, bytes: f64) {
        if self.bytes + bytes <= self.line.queue * 500.0 / 8.0 {
            self.bytes += bytes;
            self.waiting.push_back((number, bytes));
        }
    }

    /// Lets a millisecond pass; gives what leaves and when it arrives.
    pub(super) fn serve(&mut self, at: f64) -> Vec<(u64, f64)> {
        self.others += (self.line.others)(at / 1000.0) / 8000.0;
        if self.others > 1200.0 {
            self.others -= 1200.0;
            self.push(None, 1200.0);
        }
        let per = (self.line.rate)(at / 1000.0) / 8000.0;
        self.credit += per;
        let mut left = Vec::new();
        while let Some(&(number, bytes)) = self.waiting.front() {
            if bytes > self.credit {
                break;
            }
            self.credit -= bytes;
            self.bytes -= bytes;
            self.waiting.pop_front();
            let lost = self.dice.roll() < self.line.loss;
            if self.line.jitter > 0.0 || at >= self.lag.0 {
                self.lag = (at + 20.0, self.line.jitter.abs() * 2.0 * self.dice.roll());
            }
            let jitter = self.lag.1;
            if let Some(number) = number.filter(|_| !lost) {
                let within = 1.0 - self.credit / per.max(1e-9);
                let mut arrival = at + within + self.line.delay + jitter;
                if self.line.jitter < 0.0 {
                    arrival = arrival.max(self.last);
                    self.last = arrival;
                }
                left.push((number, arrival));
            }
        }
        if self.waiting.is_empty() {
            self.credit = self.credit.min(0.0);
        }
        left
    }

    /// How long a packet would wait, milliseconds.
    pub(super) fn wait(&self, at: f64) -> f64 {
        self.bytes * 8000.0 / (self.line.rate)(at / 1000.0)
    }

    pub(super) fn roll(&mut self) -> f64 {
        self.dice.roll()
    }
}
