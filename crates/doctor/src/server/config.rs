//! S14: version and configuration, and whether a server runs.

use serde::Serialize;

use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// What the program and the server say of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Version of this program.
    pub own_version: String,
    /// Version of the running server.
    pub running_version: Option<String>,
    /// The data folder that was looked in.
    pub folder: String,
    /// True if a server runs.
    pub running: bool,
    /// Mistakes.
    pub problems: Vec<String>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// The configuration file, if there is one.
    pub file: Option<String>,
}

impl Facts {
    pub(super) fn judge(&self) -> Vec<Finding> {
        let of = |code: ServerCode, problem: &String| {
            let problem = problem.trim_end_matches('.');
            Finding::new(code, Certainty::Certain).with("problem", problem)
        };
        let mut findings: Vec<_> =
            self.problems.iter().map(|problem| of(ServerCode::ConfigInvalid, problem)).collect();
        findings.extend(self.warnings.iter().map(|text| of(ServerCode::ConfigWarning, text)));
        if let Some(running) = self.running_version.as_ref().filter(|v| **v != self.own_version) {
            let finding = Finding::new(ServerCode::VersionDiffers, Certainty::Certain);
            findings.push(finding.with("running", running).with("own", &self.own_version));
        }
        if !self.running && self.problems.is_empty() {
            let finding = Finding::new(ServerCode::ServerStopped, Certainty::Likely);
            findings.push(finding.with("folder", &self.folder));
        }
        findings
    }

    pub(super) fn detail(&self) -> String {
        let file = self.file.as_ref().map(|file| format!(", {file}")).unwrap_or_default();
        format!("moim {}{file}", self.own_version)
    }
}
