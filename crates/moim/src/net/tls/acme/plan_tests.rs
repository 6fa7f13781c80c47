//! Years of a certificate's life on a virtual clock.

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use time::{Duration, OffsetDateTime};

use super::{
    plan::{Memory, Outcome, Plan, Step, Validity, Window},
    problem::{Code, Problem},
};

fn start() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()
}

fn problem(code: Code) -> Problem {
    Problem::new(code, "words")
}

fn plan() -> Plan {
    Plan::new(Memory::default(), "config".to_owned(), None)
}

/// A CA and the server that depends on it.
struct World {
    now: OffsetDateTime,
    plan: Plan,
    random: SmallRng,
    life: Duration,
    /// Renewal information, as a window in parts of the life.
    window: Option<[f64; 2]>,
    validity: Option<Validity>,
    orders: u32,
    /// Time with an expired certificate, since the first one.
    dark: Duration,
    warned: bool,
}

impl World {
    fn new(life: Duration, window: Option<[f64; 2]>, seed: u64) -> Self {
        let random = SmallRng::seed_from_u64(seed);
        let (validity, dark) = (None, Duration::ZERO);
        let warned = false;
        Self { now: start(), plan: plan(), random, life, window, validity, orders: 0, dark, warned }
    }

    /// Runs until `end` with a CA of which `is_up` tells whether it answers.
    fn run(
        &mut self,
        end: OffsetDateTime,
        mut is_up: impl FnMut(OffsetDateTime, &mut SmallRng) -> bool,
    ) {
        while self.now < end {
            match self.plan.next(self.now) {
                Step::Wait(until) => {
                    assert!(until > self.now, "a step that is due is no wait");
                    self.pass(until.min(end));
                }
                Step::Stopped => panic!("stopped without a final refusal"),
                Step::AskRenewalInfo => {
                    let validity = self.validity.unwrap();
                    let up = is_up(self.now, &mut self.random);
                    match self.window.filter(|_| up) {
                        Some([from, to]) => {
                            let at = |part: f64| validity.starts + self.life * part;
                            let window = Window { start: at(from), end: at(to) };
                            let random = self.random.random();
                            self.plan.learn(self.now, window, None, random);
                        }
                        None => self.plan.learn_nothing(self.now, up),
                    }
                }
                Step::Order { .. } => {
                    self.orders += 1;
                    let random = self.random.random();
                    self.plan.begin(self.now, random);
                    self.pass(self.now + Duration::seconds(20));
                    let outcome = if is_up(self.now, &mut self.random) {
                        let ends = self.now + self.life;
                        let validity = Validity { starts: self.now, ends };
                        self.validity = Some(validity);
                        Outcome::Issued(validity)
                    } else {
                        Outcome::Unanswered(problem(Code::CaDown))
                    };
                    self.plan.finish(self.now, outcome, random);
                    self.restart();
                }
            }
        }
    }

    /// Only what is stored survives, with the certificate.
    fn restart(&mut self) {
        let text = serde_json::to_string(&self.plan.memory).unwrap();
        let memory = serde_json::from_str(&text).unwrap();
        self.plan = Plan::new(memory, "config".to_owned(), self.validity);
    }

    fn pass(&mut self, until: OffsetDateTime) {
        if let Some(validity) = self.validity {
            self.dark += (until - self.now.max(validity.ends)).max(Duration::ZERO);
        }
        self.warned |= self.plan.is_expiring(until);
        self.now = until;
    }
}

const SHORT: Duration = Duration::hours(160);

#[test]
fn a7_certificate_never_expires_in_ten_years_with_a_ca_that_is_up_nine_times_in_ten() {
    for life in [SHORT, Duration::days(45), Duration::days(90)] {
        for window in [None, Some([0.6, 0.7])] {
            for seed in 0..5 {
                let mut world = World::new(life, window, seed);
                let years = Duration::days(3650);
                world.run(start() + years, |_, random| random.random_bool(0.9));
                assert_eq!(world.dark, Duration::ZERO, "{life} {window:?} {seed}");
                let lives = f64::from(world.orders) * (life / years);
                assert!((1.3..2.7).contains(&lives), "{} orders of {life}", world.orders);
            }
        }
    }
}

#[test]
fn a7_three_days_without_the_ca_heal_and_a_longer_outage_warns_and_falls_back() {
    for seed in 0..20 {
        for (hours, expires) in [(72, false), (110, true)] {
            let mut world = World::new(SHORT, None, seed);
            let down = start() + Duration::hours(60)..start() + Duration::hours(60 + hours);
            world.run(down.end, |now, _| !down.contains(&now));
            assert!(world.warned, "of the life that ends");
            world.run(down.end + Duration::hours(8), |_, _| true);
            assert_eq!(world.dark > Duration::ZERO, expires, "{hours} h, seed {seed}");
            assert!(world.validity.unwrap().ends > world.now, "healed within hours");
            assert!(!world.plan.is_expiring(world.now));
        }
    }
}

#[test]
fn failures_are_spaced_and_survive_restarts() {
    let mut plan = plan();
    let mut now = start();
    let mut pauses = Vec::new();
    for _ in 0..7 {
        assert_eq!(plan.next(now), Step::Order { replaces: false });
        plan.begin(now, 0.5);
        plan.finish(now, Outcome::Refused(problem(Code::Proof), None), 0.5);
        let text = serde_json::to_string(&plan.memory).unwrap();
        let memory: Memory = serde_json::from_str(&text).unwrap();
        assert_eq!(memory, plan.memory);
        plan = Plan::new(memory, "config".to_owned(), None);
        let Step::Wait(until) = plan.next(now) else { panic!("a restart is no fresh try") };
        pauses.push((until - now).whole_minutes());
        now = until;
    }
    assert_eq!(pauses, [10, 30, 120, 360, 1440, 1440, 1440]);
}

#[test]
fn interrupted_attempt_counts_as_a_failure() {
    let mut plan = plan();
    plan.begin(start(), 0.5);
    let restarted = Plan::new(plan.memory, "config".to_owned(), None);
    assert_eq!(restarted.next(start()), Step::Wait(start() + Duration::minutes(10)));
}

#[test]
fn attempts_are_limited_whatever_the_outcome() {
    let mut plan = plan();
    let mut now = start();
    let mut orders = Vec::new();
    while now < start() + Duration::days(2) {
        match plan.next(now) {
            Step::Order { .. } => {
                orders.push(now);
                plan.begin(now, 0.5);
                let told = Some(now + Duration::SECOND);
                plan.finish(now, Outcome::Refused(problem(Code::Limit), told), 0.5);
            }
            Step::Wait(until) => now = until,
            other => panic!("{other:?}"),
        }
    }
    let most = |period: Duration| {
        let within = |from: &OffsetDateTime| {
            orders.iter().filter(|at| (*from..*from + period).contains(*at)).count()
        };
        orders.iter().map(within).max().unwrap()
    };
    assert_eq!((most(Duration::HOUR), most(Duration::DAY)), (3, 10));
}

#[test]
fn time_that_the_ca_names_wins() {
    let mut plan = plan();
    let told = start() + Duration::hours(34);
    plan.begin(start(), 0.9);
    plan.finish(start(), Outcome::Refused(problem(Code::Limit), Some(told)), 0.9);
    assert_eq!(plan.next(start()), Step::Wait(told));
    assert_eq!(plan.next_attempt(start()), Some(told));
    plan.finish(start(), Outcome::Refused(problem(Code::Limit), Some(start())), 0.9);
    assert_eq!(plan.next(start()), Step::Wait(start() + Duration::MINUTE), "though not at once");
}

#[test]
fn look_costs_no_attempt_and_is_repeated_in_ten_minutes() {
    let mut plan = plan();
    let mut now = start();
    for _ in 0..30 {
        assert_eq!(plan.next(now), Step::Order { replaces: false });
        plan.finish(now, Outcome::NotReady(problem(Code::DnsNone)), 0.5);
        assert_eq!(plan.next(now), Step::Wait(now + Duration::minutes(10)));
        now += Duration::minutes(10);
    }
}

#[test]
fn final_refusal_stops_until_the_configuration_changes() {
    let mut plan = plan();
    plan.begin(start(), 0.5);
    plan.finish(start(), Outcome::Final(problem(Code::Account)), 0.5);
    let much_later = start() + Duration::days(300);
    assert_eq!(plan.next(much_later), Step::Stopped);
    assert_eq!(plan.next_attempt(much_later), None);
    let same = Plan::new(plan.memory.clone(), "config".to_owned(), None);
    assert_eq!(same.next(much_later), Step::Stopped);
    let changed = Plan::new(plan.memory.clone(), "another".to_owned(), None);
    assert_eq!(changed.next(start()), Step::Order { replaces: false });
}

#[test]
fn a8_moved_window_renews_at_the_next_question_and_names_the_predecessor() {
    let validity = Validity { starts: start(), ends: start() + Duration::days(90) };
    let mut plan = Plan::new(Memory::default(), "config".to_owned(), Some(validity));
    let now = start() + Duration::days(1);
    assert_eq!(plan.next(now), Step::AskRenewalInfo);
    let window = |from: i64, to: i64| Window {
        start: start() + Duration::days(from),
        end: start() + Duration::days(to),
    };
    plan.learn(now, window(60, 62), Some(Duration::hours(2)), 0.5);
    assert_eq!(plan.next(now), Step::Wait(now + Duration::hours(2)));
    let now = now + Duration::hours(2);
    assert_eq!(plan.next(now), Step::AskRenewalInfo);
    plan.learn(now, window(0, 1), None, 0.5);
    assert_eq!(plan.next(now), Step::Order { replaces: true });
    plan.begin(now, 0.5);
    plan.finish(now, Outcome::AlreadyReplaced, 0.5);
    assert_eq!(plan.next(now), Step::Order { replaces: false }, "once without");
}

#[test]
fn moment_in_an_unchanged_window_stays() {
    let validity = Validity { starts: start(), ends: start() + Duration::days(90) };
    let mut plan = Plan::new(Memory::default(), "config".to_owned(), Some(validity));
    let window = Window { start: start() + Duration::days(50), end: start() + Duration::days(60) };
    plan.learn(start(), window, None, 0.3);
    plan.learn(start() + Duration::hours(6), window, None, 0.9);
    assert_eq!(plan.next_attempt(start()), Some(start() + Duration::days(53)));
}

#[test]
fn window_beyond_the_expiry_is_not_believed() {
    let validity = Validity { starts: start(), ends: start() + Duration::days(90) };
    let mut plan = Plan::new(Memory::default(), "config".to_owned(), Some(validity));
    let window = Window { start: start() + Duration::days(91), end: start() + Duration::days(95) };
    plan.learn(start(), window, None, 0.5);
    assert_eq!(plan.next_attempt(start()), Some(start() + Duration::days(75)));
}

#[test]
fn times_set_by_a_clock_that_was_ahead_are_ignored() {
    let mut plan = plan();
    let ahead = start() + Duration::days(4000);
    plan.begin(ahead, 0.5);
    plan.finish(ahead, Outcome::Refused(problem(Code::Proof), None), 0.5);
    assert_eq!(plan.next(start()), Step::Order { replaces: false });
}
