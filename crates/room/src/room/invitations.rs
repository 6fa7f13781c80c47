//! Invitations of a room. Only hashes of their keys are kept.

use serde::{Deserialize, Serialize};

use crate::{
    device::{DeviceHash, DeviceSecret},
    invitation::{KeyHash, PresentedInvitation},
    pass::Pass,
    protocol::{Invitation, InvitationId},
    rejection::Rejection,
    rights::{Rights, Role},
};

/// Maximum number of invitations of a room, those that have ended included.
pub const MAX_INVITATIONS: usize = 50;
/// Maximum number of people who may enter with an invitation of a limited number.
pub const MAX_INVITATION_USES: u32 = 1_000;
/// Maximum time for which an invitation of a limited time is valid, in seconds.
pub const MAX_INVITATION_SECONDS: u32 = 30 * 24 * 60 * 60;
/// Maximum number of devices by which an invitation of a limited number recognizes who returns; the
/// oldest is forgotten first.
const MAX_DEVICES: usize = 200;
/// The same for other invitations, which nobody returns to in vain: it only keeps their count right.
const MAX_DEVICES_UNLIMITED: usize = 20;

/// Invitations, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Invitations(Vec<Issued>);

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Issued {
    pub(super) shown: Invitation,
    pub(super) hash: KeyHash,
    /// Kept, so that whoever comes with it learns why it is void.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_revoked: bool,
    /// Devices that have entered with it, and may again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    devices: Vec<DeviceHash>,
}

impl Issued {
    pub(super) fn new(shown: Invitation, hash: KeyHash) -> Self {
        Self { shown, hash, is_revoked: false, devices: Vec::new() }
    }

    fn max_devices(&self) -> usize {
        if self.shown.uses.is_some() { MAX_DEVICES } else { MAX_DEVICES_UNLIMITED }
    }

    fn is_used_up(&self) -> bool {
        self.shown.uses.is_some_and(|uses| self.shown.used >= uses)
    }

    fn has_expired(&self, now: u64) -> bool {
        self.shown.expires.is_some_and(|expires| expires <= now)
    }
}

impl Invitations {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an invitation, if necessary in the place of the oldest that has ended.
    pub(super) fn add(&mut self, issued: Issued, now: u64) -> Result<(), Rejection> {
        if self.0.len() >= MAX_INVITATIONS {
            let has_ended = |issued: &Issued| {
                issued.is_revoked || issued.has_expired(now) || issued.is_used_up()
            };
            let ended = self.0.iter().position(has_ended);
            let ended = ended.ok_or(Rejection::Invalid("too many invitations; revoke some"))?;
            self.0.remove(ended);
        }
        self.0.push(issued);
        Ok(())
    }

    /// Those that are neither revoked nor expired.
    pub(super) fn list(&self, now: u64) -> Vec<Invitation> {
        let is_listed = |issued: &&Issued| !issued.is_revoked && !issued.has_expired(now);
        self.0.iter().filter(is_listed).map(|issued| issued.shown.clone()).collect()
    }

    /// The role of an invitation that is not revoked.
    pub(super) fn role(&self, id: &InvitationId) -> Option<Role> {
        let found = self.0.iter().find(|issued| issued.shown.id == *id && !issued.is_revoked);
        found.map(|issued| issued.shown.role)
    }

    pub(super) fn revoke(&mut self, id: &InvitationId) {
        if let Some(issued) = self.0.iter_mut().find(|issued| issued.shown.id == *id) {
            issued.is_revoked = true;
        }
    }

    /// The invitation of a key, and what it permits. A device that has used it before may return.
    pub(super) fn accept(
        &self,
        presented: &PresentedInvitation,
        device: Option<&DeviceSecret>,
    ) -> Result<(InvitationId, Pass), Rejection> {
        let hash = KeyHash::of(&presented.key);
        let found = self.0.iter().find(|issued| issued.hash.is(&hash));
        let issued = found.ok_or(Rejection::InvalidInvitation)?;
        let is_known = device.is_some_and(|device| issued.devices.contains(&device.hash()));
        if issued.is_revoked {
            return Err(Rejection::InvitationRevoked);
        }
        if issued.has_expired(presented.at) {
            return Err(Rejection::InvitationExpired);
        }
        if issued.is_used_up() && !is_known {
            return Err(Rejection::InvitationUsedUp);
        }
        let pass = Pass {
            // Several people may share it: a removed one is known by its device.
            identity: None,
            role: Some(issued.shown.role),
            rights: Rights::ALL,
            waits: Some(false),
        };
        Ok((issued.shown.id.clone(), pass))
    }

    /// Notes that somebody has entered. Returns whether anything changed.
    pub(super) fn count(&mut self, id: &InvitationId, device: Option<&DeviceSecret>) -> bool {
        let Some(issued) = self.0.iter_mut().find(|issued| issued.shown.id == *id) else {
            return false;
        };
        let device = device.map(DeviceSecret::hash);
        if device.is_some_and(|device| issued.devices.contains(&device)) {
            return false;
        }
        issued.shown.used = issued.shown.used.saturating_add(1);
        if let Some(device) = device {
            if issued.devices.len() >= issued.max_devices() {
                issued.devices.remove(0);
            }
            issued.devices.push(device);
        }
        true
    }
}
