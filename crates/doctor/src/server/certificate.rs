//! S6: the certificate that visitors get.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Days before the end from which on a certificate that somebody renews by hand is announced.
const WARN_DAYS: i64 = 14;

/// A certificate that the server orders of a public CA.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ordered {
    /// Its name or address.
    pub name: String,
    /// The last day of the present one; `None` if there is none.
    pub not_after: Option<String>,
    /// Less than a quarter of its life is left.
    pub is_expiring: bool,
    /// The reason for which the last attempt failed, without a full stop.
    pub problem: Option<String>,
    /// The time of the next attempt; `None` if only another configuration helps.
    pub next: Option<String>,
}

/// The leaf and chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Names and addresses in it.
    pub names: Vec<String>,
    /// Names that visitors use and that it does not cover.
    pub uncovered: Vec<String>,
    /// Common name of the issuer.
    pub issuer: String,
    /// Days left; negative if expired.
    pub days_left: i64,
    /// Days from beginning to end.
    pub days_total: i64,
    /// The last day, as `2027-01-31`.
    pub not_after: String,
    /// Certificates in the chain.
    pub chain: usize,
    /// Kind of the key, such as `ECDSA P-256`.
    pub key: String,
    /// Issued by itself.
    pub self_signed: bool,
    /// File of the operator's chain; `None` if moim renews by itself.
    pub file: Option<String>,
    /// State of the certificates ordered from a public CA.
    pub ordered: Vec<Ordered>,
}

impl Facts {
    pub(super) fn judge(&self) -> Vec<Finding> {
        let mut findings: Vec<_> = self.ordered.iter().filter_map(Ordered::judge).collect();
        let name = self.names.first().cloned().unwrap_or_default();
        // Those that moim issues by itself it renews by itself, and says so if it can't.
        let Some(file) = &self.file else { return findings };
        let of = |code| Finding::new(code, Certainty::Certain).with("name", &name);
        if self.days_left < 0 {
            let finding = of(ServerCode::CertExpired);
            findings.push(finding.with("date", &self.not_after).with("file", file));
        } else if self.days_left < WARN_DAYS.min(self.days_total / 4) {
            let finding = of(ServerCode::CertExpiring).with("days", self.days_left);
            findings.push(finding.with("date", &self.not_after).with("file", file));
        }
        if self.chain == 1 && !self.self_signed {
            let mut finding = of(ServerCode::CertChain);
            // A private CA may have issued it directly.
            finding.certainty = Certainty::Likely;
            findings.push(finding.with("issuer", &self.issuer).with("file", file));
        }
        for name in &self.uncovered {
            let finding = Finding::new(ServerCode::CertName, Certainty::Certain);
            findings.push(finding.with("name", name).with("names", self.names.join(", ")));
        }
        findings
    }

    pub(super) fn detail(&self) -> String {
        let name = self.names.first().map(String::as_str).unwrap_or_default();
        let mut detail = format!("{name} ({}), {}, {}", self.issuer, self.not_after, self.key);
        let next = self.ordered.iter().filter_map(|ordered| ordered.next.as_ref()).min();
        if let Some(next) = next {
            let _ = write!(detail, ", ↻ {next}");
        }
        detail
    }
}

impl Ordered {
    /// A failed renewal is no fault while there is time for others.
    fn judge(&self) -> Option<Finding> {
        let problem = self.problem.as_ref()?;
        let code = match (&self.next, &self.not_after) {
            (None, _) => ServerCode::CertRefused,
            (Some(_), None) => ServerCode::CertUnissued,
            (Some(_), Some(_)) if self.is_expiring => ServerCode::CertUnrenewed,
            (Some(_), Some(_)) => return None,
        };
        let mut finding = Finding::new(code, Certainty::Certain)
            .with("name", &self.name)
            .with("problem", problem);
        if let Some(next) = &self.next {
            finding = finding.with("next", next);
        }
        if let Some(date) = &self.not_after {
            finding = finding.with("date", date);
        }
        Some(finding)
    }
}
