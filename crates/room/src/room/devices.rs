//! Roles and bans of devices, kept after their participants have left.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{device::DeviceSecret, request::Connection, rights::Role};

/// Maximum number of remembered devices of each kind; the oldest is forgotten first.
const MAX_DEVICES: usize = 1_000;

/// Devices that return with a role, and devices and connections that must not return.
#[derive(Default)]
pub(super) struct Devices {
    roles: VecDeque<(DeviceSecret, Role)>,
    banned: VecDeque<(Option<Connection>, Option<DeviceSecret>)>,
}

/// The same as data, without connections, which end with the process.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct DevicesSnapshot {
    roles: Vec<(DeviceSecret, Role)>,
    banned: Vec<DeviceSecret>,
}

impl Devices {
    pub(super) fn snapshot(&self) -> DevicesSnapshot {
        DevicesSnapshot {
            roles: self.roles.iter().cloned().collect(),
            banned: self.banned.iter().filter_map(|(_, device)| device.clone()).collect(),
        }
    }

    pub(super) fn restore(snapshot: DevicesSnapshot) -> Self {
        let DevicesSnapshot { roles, banned } = snapshot;
        let banned = banned.into_iter().map(|device| (None, Some(device)));
        Self {
            roles: roles.into_iter().take(MAX_DEVICES).collect(),
            banned: banned.take(MAX_DEVICES).collect(),
        }
    }

    /// The role with which a device returns, if it had another than newcomers have.
    pub(super) fn role(&self, device: &DeviceSecret) -> Option<Role> {
        let found = self.roles.iter().find(|(known, _)| known.matches(device));
        found.map(|(_, role)| *role)
    }

    pub(super) fn set_role(&mut self, device: &DeviceSecret, role: Role) {
        self.roles.retain(|(known, _)| !known.matches(device));
        if self.roles.len() >= MAX_DEVICES {
            self.roles.pop_front();
        }
        self.roles.push_back((device.clone(), role));
    }

    pub(super) fn is_banned(&self, at: Connection, device: Option<&DeviceSecret>) -> bool {
        self.banned.iter().any(|(connection, banned)| {
            let both = banned.as_ref().zip(device);
            *connection == Some(at) || both.is_some_and(|(banned, device)| banned.matches(device))
        })
    }

    /// Bans a device and, for clients that told none, the connection that it last had.
    pub(super) fn ban(&mut self, at: Option<Connection>, device: Option<DeviceSecret>) {
        if let Some(device) = &device {
            self.roles.retain(|(known, _)| !known.matches(device));
        }
        if self.banned.len() >= MAX_DEVICES {
            self.banned.pop_front();
        }
        self.banned.push_back((at, device));
    }
}
