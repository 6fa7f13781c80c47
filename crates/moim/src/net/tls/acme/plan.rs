//! When to try for a certificate and when to renew it: pure, told the time.
//!
//! Nothing here is in days of a certificate's life: CAs shorten them. The CA's renewal information
//! (RFC 9773) decides; without it, the fraction of the life that has passed.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::problem::{Code, Problem};

/// Pauses after attempts that reached the CA or might have; the last one repeats.
const PAUSES: [Duration; 5] = [
    Duration::minutes(10),
    Duration::minutes(30),
    Duration::hours(2),
    Duration::hours(6),
    Duration::hours(24),
];
/// How many of [`PAUSES`] apply to a CA that does not answer: it counts no attempts.
const PAUSES_UNANSWERED: usize = 4;
/// The pause after a look that found the name not ready: it costs the CA nothing.
const LOOK_PAUSE: Duration = Duration::minutes(10);
/// The spread of pauses to both sides, so that servers which failed together don't return together.
const SPREAD: f64 = 0.2;
/// The shortest pause, whatever time the CA names.
const MIN_PAUSE: Duration = Duration::minutes(1);
/// The longest pause: of a CA's limit of a week. A later time was set by a clock that was ahead.
const MAX_PAUSE: Duration = Duration::days(8);
/// Attempts in an hour and in a day, whatever the outcome.
const MAX_PER_HOUR: usize = 3;
const MAX_PER_DAY: usize = 10;
/// Lives below this are renewed after a half, longer ones after two thirds (Let's Encrypt's advice).
const SHORT_LIFE: Duration = Duration::days(10);
/// The interval of questions for renewal information, if the CA names none (RFC 9773 §4.3.3).
const INFO_INTERVAL: Duration = Duration::hours(6);
/// Its bounds, whatever the CA names.
const INFO_INTERVALS: [Duration; 2] = [Duration::minutes(1), Duration::days(1)];

/// The validity of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) starts: OffsetDateTime,
    pub(super) ends: OffsetDateTime,
}

/// The CA's window for a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    #[serde(with = "time::serde::timestamp")]
    pub(super) start: OffsetDateTime,
    #[serde(with = "time::serde::timestamp")]
    pub(super) end: OffsetDateTime,
}

/// What must survive a restart, which is no fresh try.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// Failures in sequence.
    failures: u32,
    #[serde(with = "time::serde::timestamp::option")]
    retry_at: Option<OffsetDateTime>,
    /// Unix times of the attempts of the last day.
    attempts: Vec<i64>,
    /// The last problem, until a certificate is issued.
    pub(super) problem: Option<Problem>,
    /// The configuration of the last attempt.
    config: Option<String>,
    /// Trying again under that configuration is useless.
    is_stopped: bool,
    /// The CA's window for the current certificate, and the moment in it.
    window: Option<Window>,
    #[serde(with = "time::serde::timestamp::option")]
    renew_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::timestamp::option")]
    ask_at: Option<OffsetDateTime>,
    /// The CA knows of a successor of the current certificate (`alreadyReplaced`).
    is_replaced: bool,
}

/// The next thing to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Nothing before this time.
    Wait(OffsetDateTime),
    /// Ask the CA when to renew.
    AskRenewalInfo,
    /// Look whether the name leads here, and order.
    Order {
        /// Name the predecessor, which exempts the order from limits (RFC 9773 §5).
        replaces: bool,
    },
    /// Nothing until the configuration changes.
    Stopped,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// There is a new certificate.
    Issued(Validity),
    /// The look found the name not ready, so nothing was ordered.
    NotReady(Problem),
    /// The CA did not answer.
    Unanswered(Problem),
    /// The CA refused, and may name a time.
    Refused(Problem, Option<OffsetDateTime>),
    /// The CA refused for good.
    Final(Problem),
    /// The CA knows of a successor of the certificate to replace.
    AlreadyReplaced,
}

/// The plan for one certificate.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) memory: Memory,
    /// Identifies the configuration.
    fingerprint: String,
    validity: Option<Validity>,
    /// The CA gives renewal information.
    has_info: bool,
}

impl Plan {
    /// The plan for a certificate that exists or not.
    ///
    /// Another configuration is a fresh try, within the limits on attempts and of the CA.
    pub(super) fn new(mut memory: Memory, fingerprint: String, validity: Option<Validity>) -> Self {
        let is_changed = memory.config.as_ref().is_some_and(|config| *config != fingerprint);
        let is_limited = memory.problem.as_ref().is_some_and(|problem| problem.code == Code::Limit);
        if is_changed && !is_limited {
            (memory.failures, memory.retry_at, memory.is_stopped) = (0, None, false);
        }
        Self { memory, fingerprint, validity, has_info: true }
    }

    /// The next step at `now`.
    pub(super) fn next(&self, now: OffsetDateTime) -> Step {
        let due = self.due();
        let earliest = self.earliest(now);
        let ask_at = self.ask_at(now);
        if ask_at.is_some_and(|at| at <= now) {
            return Step::AskRenewalInfo;
        }
        if self.memory.is_stopped {
            return match ask_at {
                _ if due.is_none() => Step::Stopped,
                Some(at) => Step::Wait(at),
                None => Step::Stopped,
            };
        }
        let due = due.unwrap_or(now).max(earliest);
        if due <= now {
            let replaces = self.has_info && self.is_valid(now) && !self.memory.is_replaced;
            return Step::Order { replaces };
        }
        Step::Wait(ask_at.map_or(due, |at| at.min(due)))
    }

    /// Notes that an attempt begins, to be stored before the CA hears of it: an attempt that a
    /// crash interrupts counts as a failed one.
    pub(super) fn begin(&mut self, now: OffsetDateTime, random: f64) {
        self.forget_old(now);
        self.memory.config = Some(self.fingerprint.clone());
        self.memory.attempts.push(now.unix_timestamp());
        self.memory.retry_at = Some(now + self.pause(PAUSES.len(), random));
    }

    /// Notes the outcome of an attempt. `random` is in 0..1.
    pub(super) fn finish(&mut self, now: OffsetDateTime, outcome: Outcome, random: f64) {
        let (problem, retry_at) = match outcome {
            Outcome::Issued(validity) => {
                let attempts = std::mem::take(&mut self.memory.attempts);
                self.memory = Memory { attempts, ..Memory::default() };
                self.validity = Some(validity);
                self.memory.renew_at = Some(default_renewal(validity, random));
                return;
            }
            Outcome::AlreadyReplaced if !self.memory.is_replaced => {
                self.memory.is_replaced = true;
                self.memory.retry_at = None;
                return;
            }
            Outcome::AlreadyReplaced => {
                let problem = Problem::new(Code::Other, "The CA holds the certificate replaced.");
                (problem, now + self.pause(PAUSES.len(), random))
            }
            Outcome::NotReady(problem) => {
                self.memory.retry_at = Some(now + spread(LOOK_PAUSE, random));
                self.memory.problem = Some(problem);
                return;
            }
            Outcome::Unanswered(problem) => (problem, now + self.pause(PAUSES_UNANSWERED, random)),
            Outcome::Refused(problem, told) => {
                let own = now + self.pause(PAUSES.len(), random);
                (problem, told.map_or(own, |told| told.clamp(now + MIN_PAUSE, now + MAX_PAUSE)))
            }
            Outcome::Final(problem) => {
                self.memory.is_stopped = true;
                (problem, now + self.pause(PAUSES.len(), random))
            }
        };
        self.memory.failures = self.memory.failures.saturating_add(1);
        self.memory.retry_at = Some(retry_at);
        self.memory.problem = Some(problem);
    }

    /// Notes the CA's window, and when it wants to be asked again.
    pub(super) fn learn(
        &mut self,
        now: OffsetDateTime,
        window: Window,
        again: Option<Duration>,
        random: f64,
    ) {
        let [least, most] = INFO_INTERVALS;
        self.memory.ask_at = Some(now + again.unwrap_or(INFO_INTERVAL).clamp(least, most));
        if self.memory.window == Some(window) || window.end < window.start {
            return;
        }
        self.memory.window = Some(window);
        self.memory.renew_at = Some(window.start + (window.end - window.start) * random);
    }

    /// Notes that the CA did not tell its window; `never` if it tells none to anybody.
    pub(super) fn learn_nothing(&mut self, now: OffsetDateTime, never: bool) {
        self.has_info = !never;
        self.memory.ask_at = Some(now + INFO_INTERVAL);
    }

    /// Failures in sequence.
    pub(super) fn failures(&self) -> u32 {
        self.memory.failures
    }

    /// The validity of the current certificate.
    pub(super) fn validity(&self) -> Option<Validity> {
        self.validity
    }

    /// True if less than a quarter of the life is left, of a certificate that should be renewed by
    /// then.
    pub(super) fn is_expiring(&self, now: OffsetDateTime) -> bool {
        self.validity.is_some_and(|validity| validity.ends - now < validity.life() / 4)
    }

    /// The time of the next attempt, if there is to be one.
    pub(super) fn next_attempt(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let due = self.due().unwrap_or(now).max(self.earliest(now));
        (!self.memory.is_stopped).then_some(due)
    }

    fn is_valid(&self, now: OffsetDateTime) -> bool {
        self.validity.is_some_and(|validity| now < validity.ends)
    }

    /// When the current certificate is to be renewed. A window of the CA may move that, but not so
    /// far that no time for failures is left.
    fn due(&self) -> Option<OffsetDateTime> {
        let validity = self.validity?;
        let latest = validity.ends - validity.life() / 6;
        let planned = self.memory.renew_at.unwrap_or_else(|| default_renewal(validity, 0.5));
        Some(planned.min(latest))
    }

    /// When the CA is to be asked for its window.
    fn ask_at(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        if !self.has_info || !self.is_valid(now) {
            return None;
        }
        let [_, most] = INFO_INTERVALS;
        Some(self.memory.ask_at.filter(|at| *at <= now + most).unwrap_or(now))
    }

    /// The earliest time of the next attempt.
    fn earliest(&self, now: OffsetDateTime) -> OffsetDateTime {
        let retry_at = self.memory.retry_at.filter(|at| *at <= now + MAX_PAUSE);
        let within = |period: Duration, most: usize| {
            let mut recent: Vec<i64> = self
                .memory
                .attempts
                .iter()
                .copied()
                .filter(|at| (now - period).unix_timestamp() < *at && *at <= now.unix_timestamp())
                .collect();
            recent.sort_unstable();
            // The attempt that must age out of the period before another one.
            let index = recent.len().checked_sub(most)?;
            OffsetDateTime::from_unix_timestamp(*recent.get(index)?).ok().map(|at| at + period)
        };
        let limits =
            [within(Duration::HOUR, MAX_PER_HOUR), within(Duration::DAY, MAX_PER_DAY), retry_at];
        limits.into_iter().flatten().fold(now, OffsetDateTime::max)
    }

    /// The pause after another failure, of the first `kinds` of [`PAUSES`]. It is short against
    /// the life of a certificate that is being renewed.
    fn pause(&self, kinds: usize, random: f64) -> Duration {
        let last = kinds.saturating_sub(1);
        let index = usize::try_from(self.memory.failures).unwrap_or(last).min(last);
        let pause = PAUSES.get(index).copied().unwrap_or(LOOK_PAUSE);
        let most = self.validity.map_or(pause, |validity| validity.life() / 30);
        spread(pause.min(most.max(LOOK_PAUSE)), random)
    }

    fn forget_old(&mut self, now: OffsetDateTime) {
        let (oldest, newest) = ((now - Duration::DAY).unix_timestamp(), now.unix_timestamp());
        self.memory.attempts.retain(|at| oldest < *at && *at <= newest);
    }
}

impl Validity {
    fn life(self) -> Duration {
        self.ends - self.starts
    }
}

/// When to renew without a window of the CA, spread over a tenth of the life before.
fn default_renewal(validity: Validity, random: f64) -> OffsetDateTime {
    let life = validity.life();
    let passed = if life < SHORT_LIFE { life / 2 } else { life * 2 / 3 };
    validity.starts + passed - life * (random / 10.0)
}

fn spread(pause: Duration, random: f64) -> Duration {
    pause * (1.0 - SPREAD + 2.0 * SPREAD * random)
}
