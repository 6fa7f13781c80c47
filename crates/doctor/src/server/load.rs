//! S12: the server has time and memory left.

use serde::Serialize;

use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Share of a core above which packets of a media thread are late.
const BUSY_PERCENT: u32 = 80;

/// Memory below which the kernel may end programs, in percent of all and in MiB.
const MIN_MEMORY_PERCENT: u64 = 3;
const MIN_MEMORY_MIB: u64 = 256;

/// Load of the server and its machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Busiest media thread, in percent of a core, over the time of the examination.
    pub busiest_percent: Option<u32>,
    /// Media threads that make no progress.
    pub stuck: usize,
    /// Memory that programs can still have, and all of it, in MiB.
    pub memory_mib: Option<(u64, u64)>,
}

impl Facts {
    pub(super) fn judge(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let certain = |code| Finding::new(code, Certainty::Certain);
        if self.stuck > 0 {
            findings.push(certain(ServerCode::ShardStuck).with("stuck", self.stuck));
        }
        if let Some(percent) = self.busiest_percent.filter(|percent| *percent > BUSY_PERCENT) {
            let finding = Finding::new(ServerCode::ShardBusy, Certainty::Likely);
            findings.push(finding.with("percent", percent));
        }
        if let Some((available, total)) = self.memory_mib
            && available < MIN_MEMORY_MIB
            && available < total / 100 * MIN_MEMORY_PERCENT.max(1)
        {
            let finding = certain(ServerCode::MemoryLow).with("available", available);
            findings.push(finding.with("total", total));
        }
        findings
    }

    pub(super) fn detail(&self) -> String {
        let mut parts = Vec::new();
        if let Some(percent) = self.busiest_percent {
            parts.push(format!("CPU {percent} %"));
        }
        if let Some((available, total)) = self.memory_mib {
            parts.push(format!("RAM {available}/{total} MiB"));
        }
        parts.join(", ")
    }
}
