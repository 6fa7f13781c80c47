//! Allocations as data, for the next process of this server (a warm restart).

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// Estimated size of an allocation in bytes of JSON, without what it has several of.
const BASE_BYTES: usize = 640;
/// The same of one permission or channel.
const PEER_BYTES: usize = 112;

/// The allocations of a server that stops answering requests.
#[derive(Debug, Default)]
pub struct FrozenAllocations {
    /// Those that the next process continues.
    pub allocations: Vec<FrozenAllocation>,
    /// Number of those that end with this process: their clients use a stream or DTLS, whose
    /// connection ends, or have moved (RFC 8016).
    pub ending: usize,
    /// Number of those that the limit has no room for.
    pub excess: usize,
}

/// An allocation of a client over UDP. Times count from the moment of freezing.
#[derive(Clone, Serialize, Deserialize)]
pub struct FrozenAllocation {
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    pub(super) relayed: FrozenAddress,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) second: Option<FrozenAddress>,
    pub(super) username: Box<str>,
    pub(super) is_member: bool,
    /// In base64: 16 bytes by MD5, or 32 by SHA-256.
    pub(super) key: String,
    pub(super) left: TimeLeft,
    pub(super) permissions: Vec<FrozenPermission>,
    pub(super) channels: Vec<FrozenChannel>,
    pub(super) request: FrozenRequest,
}

/// Hides the key.
impl fmt::Debug for FrozenAllocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrozenAllocation").field("relayed", &self.relayed).finish_non_exhaustive()
    }
}

impl FrozenAllocation {
    /// The addresses that its sockets are bound to.
    pub fn local_addresses(&self) -> impl Iterator<Item = SocketAddr> {
        std::iter::once(self.relayed).chain(self.second).map(|relayed| relayed.local)
    }

    /// Estimated size in bytes of JSON.
    pub(super) fn size(&self) -> usize {
        let peers = self.permissions.len() + self.channels.len();
        BASE_BYTES + self.username.len() + PEER_BYTES * peers
    }
}

/// A relayed transport address.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct FrozenAddress {
    pub(super) advertised: SocketAddr,
    pub(super) local: SocketAddr,
}

/// A live permission.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct FrozenPermission {
    pub(super) peer: IpAddr,
    pub(super) left: TimeLeft,
    pub(super) own_relays: bool,
}

/// A live channel. Its permission is among the permissions, or has expired.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct FrozenChannel {
    pub(super) number: u16,
    pub(super) peer: SocketAddr,
    pub(super) left: TimeLeft,
}

/// The Allocate request, to answer retransmissions alike.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct FrozenRequest {
    pub(super) transaction: [u8; 12],
    pub(super) fingerprinted: bool,
    /// Its response has SHA-256 integrity.
    pub(super) sha256: bool,
    pub(super) lifetime: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rejected_family: Option<FrozenRejection>,
}

/// The family of a dual request that was not granted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct FrozenRejection {
    pub(super) is_ipv4: bool,
    pub(super) code: u16,
}

/// The rest of a lifetime, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct TimeLeft(u64);

impl TimeLeft {
    /// The rest at `now`; `None` if it is over.
    pub(super) fn until(expires: Instant, now: Instant) -> Option<Self> {
        let left = expires.saturating_duration_since(now).as_millis();
        (left > 0).then(|| Self(u64::try_from(left).unwrap_or(u64::MAX)))
    }

    /// The end of the lifetime, of which `elapsed` has passed since the freezing and which can't be
    /// longer than `max`; `None` if it is over.
    pub(super) fn thaw(self, now: Instant, elapsed: Duration, max: Duration) -> Option<Instant> {
        let left = Duration::from_millis(self.0).min(max).saturating_sub(elapsed);
        (!left.is_zero()).then(|| now + left)
    }
}
