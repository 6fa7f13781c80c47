//! Roles and bans of devices and identities, kept after their participants have left.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{
    device::{DeviceHash, DeviceSecret},
    request::Connection,
    rights::Role,
};

/// Maximum number of remembered devices of each kind; the oldest is forgotten first.
const MAX_DEVICES: usize = 1_000;

/// Devices that return with a role, and devices and connections that must not return.
#[derive(Default)]
pub(super) struct Devices {
    roles: VecDeque<(DeviceHash, Role)>,
    banned: VecDeque<Ban>,
}

/// Somebody who must not return, by all that was known.
struct Ban {
    connection: Option<Connection>,
    device: Option<DeviceHash>,
    /// Identity of its token.
    identity: Option<String>,
}

/// The same as data, without connections, which end with the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DevicesSnapshot {
    roles: Vec<(DeviceHash, Role)>,
    banned: Vec<DeviceHash>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    banned_identities: Vec<String>,
}

impl DevicesSnapshot {
    /// True if a device returns as host.
    pub(super) fn has_host(&self) -> bool {
        self.roles.iter().any(|(_, role)| *role == Role::Host)
    }

    /// Adds a device that returns with a role.
    pub(super) fn add(&mut self, device: DeviceHash, role: Role) {
        self.roles.push((device, role));
    }
}

impl Devices {
    pub(super) fn snapshot(&self) -> DevicesSnapshot {
        DevicesSnapshot {
            roles: self.roles.iter().copied().collect(),
            banned: self.banned.iter().filter_map(|ban| ban.device).collect(),
            banned_identities: self.banned.iter().filter_map(|ban| ban.identity.clone()).collect(),
        }
    }

    pub(super) fn restore(snapshot: DevicesSnapshot) -> Self {
        let DevicesSnapshot { roles, banned, banned_identities } = snapshot;
        let device = |device| Ban { connection: None, device: Some(device), identity: None };
        let identity = |id| Ban { connection: None, device: None, identity: Some(id) };
        let banned = banned.into_iter().map(device);
        let banned = banned.chain(banned_identities.into_iter().map(identity));
        Self {
            roles: roles.into_iter().take(MAX_DEVICES).collect(),
            banned: banned.take(MAX_DEVICES).collect(),
        }
    }

    /// The role with which a device returns, if it had another than newcomers have.
    pub(super) fn role(&self, device: &DeviceSecret) -> Option<Role> {
        let device = device.hash();
        let found = self.roles.iter().find(|(known, _)| *known == device);
        found.map(|(_, role)| *role)
    }

    pub(super) fn set_role(&mut self, device: &DeviceSecret, role: Role) {
        let device = device.hash();
        self.roles.retain(|(known, _)| *known != device);
        if self.roles.len() >= MAX_DEVICES {
            self.roles.pop_front();
        }
        self.roles.push_back((device, role));
    }

    pub(super) fn is_banned(
        &self,
        at: Connection,
        device: Option<&DeviceSecret>,
        identity: Option<&str>,
    ) -> bool {
        if self.banned.is_empty() {
            return false;
        }
        let device = device.map(DeviceSecret::hash);
        self.banned.iter().any(|ban| {
            ban.connection == Some(at)
                || (device.is_some() && ban.device == device)
                || identity.is_some_and(|identity| ban.identity.as_deref() == Some(identity))
        })
    }

    /// Bans a device, the identity of a token and, for clients that told none, the connection that
    /// it last had.
    pub(super) fn ban(
        &mut self,
        connection: Option<Connection>,
        device: Option<&DeviceSecret>,
        identity: Option<String>,
    ) {
        let device = device.map(DeviceSecret::hash);
        self.roles.retain(|(known, _)| Some(*known) != device);
        if self.banned.len() >= MAX_DEVICES {
            self.banned.pop_front();
        }
        self.banned.push_back(Ban { connection, device, identity });
    }
}
