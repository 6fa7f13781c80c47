//! What there is to tell about certificates of a public CA.

use std::{collections::BTreeMap, fmt};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    problem::{Code, Problem},
    refusal::minute,
};

/// The state of all certificates, for the doctor, the metrics and the admin page.
#[derive(Debug, Default)]
pub(crate) struct AcmeStatus(Mutex<Board>);

#[derive(Debug, Default)]
struct Board {
    certificates: BTreeMap<String, CertificateStatus>,
    failures: BTreeMap<Code, u64>,
    clock: Option<Problem>,
}

/// The state of one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CertificateStatus {
    /// The name or address.
    pub(crate) name: String,
    /// The expiry, if there is a certificate.
    #[serde(with = "time::serde::timestamp::option")]
    pub(crate) ends: Option<OffsetDateTime>,
    /// Less than a quarter of its life is left.
    pub(crate) is_expiring: bool,
    /// Why there is none, or no new one.
    pub(crate) problem: Option<Problem>,
    /// The time of the next attempt; `None` if only another configuration helps.
    #[serde(with = "time::serde::timestamp::option")]
    pub(crate) next_attempt: Option<OffsetDateTime>,
}

impl AcmeStatus {
    /// All certificates, by name.
    pub(crate) fn certificates(&self) -> Vec<CertificateStatus> {
        self.0.lock().certificates.values().cloned().collect()
    }

    /// A clock that differs from the CA's.
    pub(crate) fn clock(&self) -> Option<Problem> {
        self.0.lock().clock.clone()
    }

    /// Failed attempts since the start, by code.
    pub(crate) fn failures(&self) -> Vec<(&'static str, u64)> {
        let board = self.0.lock();
        let count = |code: Code| board.failures.get(&code).copied().unwrap_or(0);
        Code::ALL.into_iter().map(|code| (code.as_str(), count(code))).collect()
    }

    /// Certificates that can't be had or renewed just now, by code; a wrong clock counts as one.
    pub(crate) fn problems(&self) -> Vec<(&'static str, usize)> {
        let problems =
            self.certificates().into_iter().filter_map(|certificate| certificate.problem);
        let codes: Vec<_> = problems.chain(self.clock()).map(|problem| problem.code).collect();
        let count = |code: Code| codes.iter().filter(|other| **other == code).count();
        Code::ALL.into_iter().map(|code| (code.as_str(), count(code))).collect()
    }

    /// Certificates with less than a quarter of their lives left.
    pub(crate) fn expiring(&self) -> usize {
        self.certificates().iter().filter(|certificate| certificate.is_expiring).count()
    }

    pub(super) fn set(&self, status: CertificateStatus) {
        self.0.lock().certificates.insert(status.name.clone(), status);
    }

    /// Forgets all but these names.
    pub(super) fn retain(&self, names: &[String]) {
        self.0.lock().certificates.retain(|name, _| names.contains(name));
    }

    pub(super) fn set_clock(&self, problem: Option<Problem>) {
        self.0.lock().clock = problem;
    }

    pub(super) fn count(&self, code: Code) {
        *self.0.lock().failures.entry(code).or_default() += 1;
    }
}

impl fmt::Display for CertificateStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ends {
            Some(ends) => {
                let soon = if self.is_expiring { ", which is soon" } else { "" };
                write!(f, "{}: a certificate of the CA until {}{soon}", self.name, minute(ends))?;
            }
            None => write!(f, "{}: no certificate of the CA yet", self.name)?,
        }
        if let Some(problem) = &self.problem {
            write!(f, ". Last try: {} ({})", problem.words, problem.code.as_str())?;
        }
        match self.next_attempt {
            Some(at) => write!(f, ". Next try at {}", minute(at)),
            None => f.write_str(". No further try until the configuration changes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    fn status(name: &str, problem: Option<Problem>) -> CertificateStatus {
        let ends = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        let next_attempt = Some(ends - Duration::DAY);
        let name = name.to_owned();
        CertificateStatus { name, ends: Some(ends), is_expiring: false, problem, next_attempt }
    }

    #[test]
    fn status_counts_problems_and_failures_by_code() {
        let board = AcmeStatus::default();
        board.set(status("a.example", Some(Problem::new(Code::Limit, "words"))));
        board.set(status("b.example", None));
        board.set_clock(Some(Problem::new(Code::Clock, "words")));
        board.count(Code::Limit);
        board.count(Code::Limit);
        let problems: Vec<_> = board.problems().into_iter().filter(|(_, n)| *n > 0).collect();
        assert_eq!(problems, [("LIMIT", 1), ("CLOCK", 1)]);
        assert!(board.failures().contains(&("LIMIT", 2)));
        assert_eq!(board.expiring(), 0);
        board.set(CertificateStatus { is_expiring: true, ..status("a.example", None) });
        assert_eq!(board.expiring(), 1);
        board.set_clock(None);
        board.retain(&["b.example".to_owned()]);
        assert_eq!(board.certificates().len(), 1);
        assert!(board.problems().iter().all(|(_, n)| *n == 0));
    }

    #[test]
    fn status_in_words_says_expiry_problem_and_next_try() {
        let problem = Problem::new(Code::Limit, "No more");
        let mut status = status("a.example", Some(problem));
        let words = "a.example: a certificate of the CA until 2024-10-04 00:00 UTC. Last try: No \
                     more (LIMIT). Next try at 2024-10-03 00:00 UTC";
        assert_eq!(status.to_string(), words);
        (status.ends, status.next_attempt) = (None, None);
        assert!(status.to_string().contains("no certificate of the CA yet"));
        assert!(status.to_string().ends_with("until the configuration changes"));
    }
}
