//! S8: limits and counters of the kernel.

use serde::Serialize;

use crate::{
    code::ServerCode,
    finding::{Certainty, Finding},
};

/// Receive buffer that moim requests.
const WANTED_BUFFER: u64 = 4 << 20;

/// Descriptors for everything but connections.
const RESERVED_FILES: u64 = 256;

/// Fewer drops than this are of no importance: one burst of a large call.
const MIN_DROPS: u64 = 1000;

/// Values from /proc; each may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Receive buffer granted to moim's sockets, otherwise `net.core.rmem_max`.
    pub receive_buffer: Option<u64>,
    /// Datagrams to the server's sockets that were dropped because a buffer was full.
    pub udp_dropped: Option<u64>,
    /// Limit of open files of the server; `None` if unlimited or unknown.
    pub files: Option<u64>,
    /// Connections that the configuration allows.
    pub connections: u64,
    /// Entries of the connection table, and their limit.
    pub conntrack: Option<(u64, u64)>,
}

impl Facts {
    pub(super) fn judge(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let certain = |code| Finding::new(code, Certainty::Certain);
        if let Some((count, max)) = self.conntrack.filter(|(n, max)| *n > *max / 10 * 9 && *n > 0) {
            let finding = certain(ServerCode::ConntrackFull).with("count", count).with("max", max);
            findings.push(finding.with("suggestion", max.saturating_mul(4)));
        }
        if let Some(dropped) = self.udp_dropped.filter(|dropped| *dropped >= MIN_DROPS) {
            findings.push(certain(ServerCode::UdpDrops).with("dropped", dropped));
        }
        let needed = self.connections.saturating_add(RESERVED_FILES);
        if let Some(limit) = self.files.filter(|limit| *limit < needed) {
            let suggestion = needed.checked_next_power_of_two().unwrap_or(needed).max(65_536);
            findings.push(
                certain(ServerCode::FilesFew)
                    .with("limit", limit)
                    .with("connections", self.connections)
                    .with("needed", needed)
                    .with("suggestion", suggestion),
            );
        }
        if let Some(granted) = self.receive_buffer.filter(|granted| *granted < WANTED_BUFFER) {
            findings.push(certain(ServerCode::UdpBufferSmall).with("granted", granted / 1024));
        }
        findings
    }

    pub(super) fn detail(&self) -> String {
        let mut parts = Vec::new();
        if let Some(bytes) = self.receive_buffer {
            parts.push(format!("rcvbuf {} KiB", bytes / 1024));
        }
        if let Some(files) = self.files {
            parts.push(format!("nofile {files}"));
        }
        if let Some(dropped) = self.udp_dropped {
            parts.push(format!("drops {dropped}"));
        }
        parts.join(", ")
    }
}
