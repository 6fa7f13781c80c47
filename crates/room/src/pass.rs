//! Permission to enter a room.

use serde::{Deserialize, Serialize};

use crate::rights::{Rights, Role, Sources};

/// Permission to enter a room, from a join token or an invitation that was verified before. It
/// stands in for the password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// Identity by which a removed participant is kept out, besides its device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Role in a room with hosts; `None`: that of newcomers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The most rights that it permits, whatever the role.
    pub rights: Rights,
    /// True: a host must admit. False: no host need admit. `None`: as the room's policy has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<bool>,
}

impl Pass {
    /// Sources that may not be published, whatever the role.
    pub(crate) fn withheld(&self) -> Sources {
        Sources::ALL.difference(self.rights.sources())
    }
}
