//! The waiting room: connections that a host has yet to admit, and people who waited in an earlier
//! process of the server and are expected back.

use std::{collections::HashSet, time::Instant};

use serde::{Deserialize, Serialize};

use crate::{
    device::DeviceSecret,
    name::DisplayName,
    protocol::{ParticipantId, Waiting},
    rejection::Rejection,
    request::{Connection, Join},
};

/// Maximum number of people in the waiting room, and of those that one request names.
pub(super) const MAX_WAITING: usize = 2_000;
/// Of these, maximum number from one client prefix: twice the largest room.
const MAX_WAITING_PER_PREFIX: usize = 200;

/// Somebody in the waiting room.
pub(super) struct Waiter {
    pub(super) connection: Connection,
    pub(super) id: ParticipantId,
    pub(super) join: Join,
}

/// Somebody in the waiting room, as data. Without a device it could not be recognized.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WaiterSnapshot {
    pub(super) id: ParticipantId,
    name: DisplayName,
    device: DeviceSecret,
}

/// Somebody whose connection ended with an earlier process.
struct Absent {
    waiter: WaiterSnapshot,
    /// It is given up then.
    until: Instant,
    /// It enters when it returns.
    is_admitted: bool,
}

/// People who wait, in the order of arrival. They are in no roster and receive no event of the
/// room. No connection is both here and in the roster.
#[derive(Default)]
pub(super) struct WaitingRoom {
    present: Vec<Waiter>,
    absent: Vec<Absent>,
}

impl WaitingRoom {
    pub(super) fn is_empty(&self) -> bool {
        self.present.is_empty() && self.absent.is_empty()
    }

    pub(super) fn has(&self, connection: Connection) -> bool {
        self.present.iter().any(|waiter| waiter.connection == connection)
    }

    pub(super) fn has_id(&self, id: &ParticipantId) -> bool {
        let absent = self.absent.iter().map(|absent| &absent.waiter.id);
        self.present.iter().map(|waiter| &waiter.id).chain(absent).any(|other| other == id)
    }

    pub(super) fn add(&mut self, waiter: Waiter) -> Result<(), Rejection> {
        let is_near = |other: &&Waiter| other.join.prefix == waiter.join.prefix;
        let has_share = waiter.join.prefix.is_none()
            || self.present.iter().filter(is_near).count() < MAX_WAITING_PER_PREFIX;
        if self.present.len() + self.absent.len() >= MAX_WAITING || !has_share {
            return Err(Rejection::RoomFull);
        }
        self.present.push(waiter);
        Ok(())
    }

    /// All whose device is known, as data.
    pub(super) fn snapshot(&self) -> Vec<WaiterSnapshot> {
        let absent = self.absent.iter().filter(|absent| !absent.is_admitted);
        let present = self.present.iter().filter_map(|waiter| {
            let device = waiter.join.device.clone()?;
            Some(WaiterSnapshot { id: waiter.id.clone(), name: waiter.join.name.clone(), device })
        });
        absent.map(|absent| absent.waiter.clone()).chain(present).collect()
    }

    /// People of an earlier process, who are expected back until then.
    pub(super) fn restore(waiters: Vec<WaiterSnapshot>, until: Instant) -> Self {
        let absent = |waiter| Absent { waiter, until, is_admitted: false };
        let absent = waiters.into_iter().take(MAX_WAITING).map(absent).collect();
        Self { present: Vec::new(), absent }
    }

    /// The id of somebody who returns to wait on.
    pub(super) fn take_returning(
        &mut self,
        device: Option<&DeviceSecret>,
    ) -> Option<ParticipantId> {
        self.take_absent(|absent| device.is_some_and(|device| absent.waiter.device.matches(device)))
            .map(|absent| absent.waiter.id)
    }

    /// True if the device was admitted in its absence. That counts once.
    pub(super) fn take_admitted(&mut self, device: Option<&DeviceSecret>) -> bool {
        let is_meant = |absent: &Absent| {
            absent.is_admitted && device.is_some_and(|device| absent.waiter.device.matches(device))
        };
        self.take_absent(is_meant).is_some()
    }

    /// Admits those of these people, or of all, who are yet to return. Returns their ids.
    pub(super) fn admit_absent(&mut self, named: &Named<'_>) -> Vec<ParticipantId> {
        let waits = self.absent.iter_mut().filter(|absent| !absent.is_admitted);
        let meant = waits.filter(|absent| named.has(&absent.waiter.id));
        meant
            .map(|absent| {
                absent.is_admitted = true;
                absent.waiter.id.clone()
            })
            .collect()
    }

    /// Removes those of these people, or of all, who are yet to return. Returns their ids.
    pub(super) fn deny_absent(&mut self, named: &Named<'_>) -> Vec<ParticipantId> {
        let is_meant = |absent: &mut Absent| !absent.is_admitted && named.has(&absent.waiter.id);
        self.absent.extract_if(.., is_meant).map(|absent| absent.waiter.id).collect()
    }

    /// Removes a device that is yet to return. Returns its id if hosts see it wait.
    pub(super) fn remove_absent(&mut self, device: &DeviceSecret) -> Option<ParticipantId> {
        let absent = self.take_absent(|absent| absent.waiter.device.matches(device))?;
        (!absent.is_admitted).then_some(absent.waiter.id)
    }

    pub(super) fn forget_absent(&mut self) {
        self.absent.clear();
    }

    /// Somebody who did not return in time, unless it was admitted.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Option<ParticipantId> {
        self.absent.retain(|absent| !absent.is_admitted || absent.until > now);
        self.take_absent(|absent| absent.until <= now).map(|absent| absent.waiter.id)
    }

    /// Time of the next [`take_overdue`](Self::take_overdue).
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.absent.iter().map(|absent| absent.until).min()
    }

    fn take_absent(&mut self, is_meant: impl Fn(&Absent) -> bool) -> Option<Absent> {
        let at = self.absent.iter().position(is_meant)?;
        Some(self.absent.remove(at))
    }

    /// Takes those that are meant, `most` at most.
    pub(super) fn take(&mut self, most: usize, is_meant: impl Fn(&Waiter) -> bool) -> Vec<Waiter> {
        self.present.extract_if(.., |waiter| is_meant(waiter)).take(most).collect()
    }

    pub(super) fn remove(&mut self, connection: Connection) -> Option<Waiter> {
        let at = self.present.iter().position(|waiter| waiter.connection == connection)?;
        Some(self.present.remove(at))
    }

    /// All, as shown to hosts.
    pub(super) fn list(&self) -> Vec<Waiting> {
        let shown =
            |id: &ParticipantId, name: &DisplayName| Waiting { id: id.clone(), name: name.clone() };
        let absent = self.absent.iter().filter(|absent| !absent.is_admitted);
        let absent = absent.map(|absent| shown(&absent.waiter.id, &absent.waiter.name));
        let present = self.present.iter().map(|waiter| shown(&waiter.id, &waiter.join.name));
        absent.chain(present).collect()
    }
}

/// The people whom a request names, or all.
pub(super) struct Named<'a>(Option<HashSet<&'a ParticipantId>>);

impl<'a> Named<'a> {
    pub(super) fn new(ids: Option<&'a [ParticipantId]>) -> Result<Self, Rejection> {
        Ok(Self(bounded(ids)?.map(|ids| ids.iter().collect())))
    }

    pub(super) fn has(&self, id: &ParticipantId) -> bool {
        self.0.as_ref().is_none_or(|ids| ids.contains(id))
    }
}

/// Rejects a longer list than a full waiting room has.
pub(super) fn bounded(
    ids: Option<&[ParticipantId]>,
) -> Result<Option<&[ParticipantId]>, Rejection> {
    match ids {
        Some(ids) if ids.len() > MAX_WAITING => Err(Rejection::TooLarge("participants")),
        ids => Ok(ids),
    }
}
