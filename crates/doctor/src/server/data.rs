//! S11: the data folder, and the store beside it.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Free space below which writes are about to fail.
const MIN_FREE_MIB: u64 = 50;
/// Age from which on a backup is reported, in days.
const MAX_BACKUP_DAYS: u64 = 30;

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
    /// Days since the last backup; `None` if none was noted.
    pub backup_days: Option<u64>,
    /// Why the database of the store, if it is on another server, can't be used.
    pub store_problem: Option<String>,
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
        if let Some(problem) = &self.store_problem {
            findings.push(certain(ServerCode::StoreUnusable).with("problem", problem));
        }
        let open = |file| certain(ServerCode::DataOpen).with("file", file);
        findings.extend(self.open_files.iter().map(open));
        if self.ephemeral {
            let finding = Finding::new(ServerCode::DataEphemeral, Certainty::Likely);
            findings.push(finding.with("folder", &self.folder));
        }
        // Nobody who backs up otherwise is to be told of this.
        if let Some(days) = self.backup_days.filter(|days| *days > MAX_BACKUP_DAYS) {
            let finding = certain(ServerCode::BackupOld).with("folder", &self.folder);
            findings.push(finding.with("days", days));
        }
        findings
    }

    pub(super) fn detail(&self) -> String {
        let mut detail = self.folder.clone();
        if let Some(free) = self.free_mib {
            let _ = write!(detail, ", {free} MiB");
        }
        if let Some(days) = self.backup_days {
            let _ = write!(detail, ", moim backup −{days} d");
        }
        detail
    }
}
