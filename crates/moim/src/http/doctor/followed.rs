//! Tests that the operator follows in a terminal: `moim doctor --phone`.
//!
//! The terminal gets a one-time id, which a phone opens as `/doctor?probe=ID`. The first page with
//! it reports its steps under it, and only the terminal reads them. Ids end with their terminal.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use ::doctor::{Certainty, Language, Report, Severity, visitor::Attempt};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    time::{Instant, Sleep, sleep_until},
};

/// Tests that are followed at once.
const MAX_FOLLOWED: usize = 4;
/// Time for a phone to open the page.
const OPEN_TIME: Duration = Duration::from_secs(5 * 60);
/// Time for its test, which takes 15 s.
const TEST_TIME: Duration = Duration::from_secs(60);
/// Steps that wait for the terminal; a page has fewer checks.
const MAX_STEPS: usize = 32;
/// Longest name of a check.
const MAX_CHECK_BYTES: usize = 24;

/// Progress of a phone's test, for the terminal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Progress {
    /// The page may be opened.
    Ready {
        /// The one-time id.
        id: String,
        /// Time for that.
        seconds: u64,
    },
    /// A phone opened the page.
    Opened {
        /// False if its address is not one of another network.
        outside: bool,
    },
    /// A check ended.
    Step {
        /// The page's name for it.
        check: String,
        outcome: Attempt,
        /// Time that it took.
        ms: u32,
    },
    /// All checks ended.
    Judged {
        /// The most important first.
        findings: Vec<ToldFinding>,
    },
    /// No phone came in time, or its test did not end.
    Expired,
}

/// A finding in the operator's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToldFinding {
    pub(crate) code: String,
    pub(crate) severity: Severity,
    pub(crate) certainty: Certainty,
    pub(crate) sentence: String,
    pub(crate) remedy: String,
}

/// The tests that are followed. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct FollowedTests(Arc<Mutex<HashMap<String, Followed>>>);

/// The page's end.
#[derive(Debug)]
struct Followed {
    steps: mpsc::Sender<Progress>,
    language: Language,
    is_open: bool,
}

/// The terminal's end. Dropped, it ends the id.
#[derive(Debug)]
pub(crate) struct Follower {
    id: String,
    tests: FollowedTests,
    steps: mpsc::Receiver<Progress>,
    deadline: Pin<Box<Sleep>>,
    has_ended: bool,
}

impl FollowedTests {
    /// Makes an id; findings are told in `language`. `None` at the limit.
    pub(crate) fn follow(&self, language: Language) -> Option<Follower> {
        let id = format!("{:032x}", rand::random::<u128>());
        let (sender, steps) = mpsc::channel(MAX_STEPS);
        let ready = Progress::Ready { id: id.clone(), seconds: OPEN_TIME.as_secs() };
        sender.try_send(ready).ok()?;
        let mut tests = self.0.lock();
        if tests.len() >= MAX_FOLLOWED {
            return None;
        }
        tests.insert(id.clone(), Followed { steps: sender, language, is_open: false });
        let deadline = Box::pin(sleep_until(Instant::now() + OPEN_TIME));
        Some(Follower { id, tests: self.clone(), steps, deadline, has_ended: false })
    }

    /// Opens the test of an id, once. Returns whether somebody follows it.
    pub(super) fn open(&self, id: &str, outside: bool) -> bool {
        let mut tests = self.0.lock();
        let unopened = tests.get_mut(id).filter(|test| !test.is_open);
        unopened.is_some_and(|test| {
            test.is_open = true;
            test.steps.try_send(Progress::Opened { outside }).is_ok()
        })
    }

    /// Reports the end of a check. Returns `false` if nobody follows, or the name is no page's.
    pub(super) fn step(&self, id: &str, check: String, outcome: Attempt, ms: u32) -> bool {
        let is_name = check.len() <= MAX_CHECK_BYTES
            && check.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let tests = self.0.lock();
        let test = tests.get(id).filter(|test| is_name && test.is_open);
        test.is_some_and(|test| test.steps.try_send(Progress::Step { check, outcome, ms }).is_ok())
    }

    /// Reports the findings, and ends the test.
    pub(super) fn judged(&self, id: &str, report: &Report) {
        let test = {
            let mut tests = self.0.lock();
            if !tests.get(id).is_some_and(|test| test.is_open) {
                return;
            }
            tests.remove(id)
        };
        if let Some(test) = test {
            let findings = report.told(test.language).into_iter().map(|told| ToldFinding {
                code: told.code.to_string(),
                severity: told.severity,
                certainty: told.certainty,
                sentence: told.sentence,
                remedy: told.remedy,
            });
            let _ = test.steps.try_send(Progress::Judged { findings: findings.collect() });
        }
    }
}

impl Follower {
    /// The next event; `None` after the last.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Progress>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(next) = self.steps.poll_recv(context) {
            match next {
                Some(Progress::Opened { .. }) => {
                    self.deadline.as_mut().reset(Instant::now() + TEST_TIME);
                }
                Some(Progress::Judged { .. }) | None => self.has_ended = true,
                Some(_) => {}
            }
            return Poll::Ready(next);
        }
        self.deadline.as_mut().poll(context).map(|()| {
            self.has_ended = true;
            Some(Progress::Expired)
        })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.tests.0.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use ::doctor::{Finding, visitor::VisitorCode};

    use super::*;

    async fn next(follower: &mut Follower) -> Option<Progress> {
        poll_fn(|context| follower.poll_next(context)).await
    }

    async fn ready(follower: &mut Follower) -> String {
        match next(follower).await {
            Some(Progress::Ready { id, seconds: 300 }) => id,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn steps_of_the_first_page_reach_the_terminal_in_order() {
        let tests = FollowedTests::default();
        let mut follower = tests.follow(Language::Ko).unwrap();
        let id = ready(&mut follower).await;
        assert!(!tests.step(&id, "udp".to_owned(), Attempt::Passed, 1), "not open yet");
        assert!(tests.open(&id, true));
        assert!(!tests.open(&id, true), "once");
        assert!(!tests.open("0", true) && !tests.step("0", "udp".into(), Attempt::Passed, 1));
        assert!(!tests.step(&id, "\x1b[2J".to_owned(), Attempt::Passed, 1), "no name");
        assert!(tests.step(&id, "udp".to_owned(), Attempt::Failed, 4_000));
        tests.judged(
            &id,
            &Report::new(vec![Finding::new(VisitorCode::NotSecure, Certainty::Certain)]),
        );
        assert_eq!(next(&mut follower).await, Some(Progress::Opened { outside: true }));
        let step = Progress::Step { check: "udp".to_owned(), outcome: Attempt::Failed, ms: 4_000 };
        assert_eq!(next(&mut follower).await, Some(step));
        let Some(Progress::Judged { findings }) = next(&mut follower).await else { panic!() };
        assert!(findings[0].sentence.chars().any(|c| ('가'..='힣').contains(&c)), "{findings:?}");
        assert_eq!(next(&mut follower).await, None);
        assert!(!tests.step(&id, "tcp".to_owned(), Attempt::Passed, 1), "it has ended");
    }

    #[tokio::test(start_paused = true)]
    async fn ids_end_after_minutes_and_open_tests_after_one() {
        let tests = FollowedTests::default();
        let mut unused = tests.follow(Language::En).unwrap();
        let _ = ready(&mut unused).await;
        let begun = Instant::now();
        assert_eq!(next(&mut unused).await, Some(Progress::Expired));
        assert_eq!(begun.elapsed(), OPEN_TIME);
        assert_eq!(next(&mut unused).await, None);
        let mut left = tests.follow(Language::En).unwrap();
        let id = ready(&mut left).await;
        assert!(tests.open(&id, false));
        assert_eq!(next(&mut left).await, Some(Progress::Opened { outside: false }));
        let opened = Instant::now();
        assert_eq!(next(&mut left).await, Some(Progress::Expired));
        assert_eq!(opened.elapsed(), TEST_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn few_tests_are_followed_and_a_closed_terminal_frees_its_place() {
        let tests = FollowedTests::default();
        let mut all: Vec<_> =
            (0..MAX_FOLLOWED).map(|_| tests.follow(Language::En).unwrap()).collect();
        assert!(tests.follow(Language::En).is_none());
        let mut gone = all.pop().unwrap();
        let id = ready(&mut gone).await;
        drop(gone);
        assert!(!tests.open(&id, true));
        assert!(tests.follow(Language::En).is_some());
        let id = ready(&mut all[0]).await;
        assert!(tests.open(&id, true));
        let flood = (0..100).filter(|_| tests.step(&id, "udp".to_owned(), Attempt::Passed, 1));
        assert!(flood.count() < MAX_STEPS);
    }
}
