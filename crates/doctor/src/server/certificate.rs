//! S6: the certificate that visitors get.

use serde::Serialize;

use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Days before the end from which on a certificate that somebody renews by hand is announced.
const WARN_DAYS: i64 = 14;

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
    /// Issued by itself.
    pub self_signed: bool,
    /// File of the operator's chain; `None` if moim renews by itself.
    pub file: Option<String>,
}

impl Facts {
    pub(super) fn judge(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
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
        format!("{name} ({}), {}", self.issuer, self.not_after)
    }
}
