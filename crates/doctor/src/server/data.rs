//! S11: the data folder.

use serde::Serialize;

use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Free space below which writes are about to fail.
const MIN_FREE_MIB: u64 = 50;

/// State of the data folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Its path.
    pub folder: String,
    /// False if the server's user can't write to it, or to the parent of a missing one.
    pub writable: bool,
    /// The server's user.
    pub user: String,
    /// Command that makes it writable.
    pub command: String,
    /// Free space in MiB.
    pub free_mib: Option<u64>,
    /// The mount point.
    pub mount: String,
    /// Secrets that others can read.
    pub open_files: Vec<String>,
    /// The folder is on the container's own layer.
    pub ephemeral: bool,
}

impl Facts {
    pub(super) fn judge(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let certain = |code| Finding::new(code, Certainty::Certain);
        if !self.writable {
            findings.push(
                certain(ServerCode::DataUnwritable)
                    .with("folder", &self.folder)
                    .with("user", &self.user)
                    .with("command", &self.command),
            );
        }
        if let Some(free) = self.free_mib.filter(|free| *free < MIN_FREE_MIB) {
            let finding = certain(ServerCode::DataFull).with("folder", &self.folder);
            findings.push(finding.with("free", free).with("mount", &self.mount));
        }
        let open = |file| certain(ServerCode::DataOpen).with("file", file);
        findings.extend(self.open_files.iter().map(open));
        if self.ephemeral {
            let finding = Finding::new(ServerCode::DataEphemeral, Certainty::Likely);
            findings.push(finding.with("folder", &self.folder));
        }
        findings
    }

    pub(super) fn detail(&self) -> String {
        match self.free_mib {
            Some(free) => format!("{}, {free} MiB", self.folder),
            None => self.folder.clone(),
        }
    }
}
