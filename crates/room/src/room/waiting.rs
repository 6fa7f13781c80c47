//! The waiting room: connections that a host has yet to admit.

use crate::{
    protocol::{ParticipantId, Waiting},
    rejection::Rejection,
    request::{Connection, Join},
};

/// Maximum number of people in the waiting room.
pub(super) const MAX_WAITING: usize = 2_000;

/// Somebody in the waiting room.
pub(super) struct Waiter {
    pub(super) connection: Connection,
    pub(super) id: ParticipantId,
    pub(super) join: Join,
}

/// People who wait, in the order of arrival. They are in no roster and receive no event of the
/// room.
#[derive(Default)]
pub(super) struct WaitingRoom(Vec<Waiter>);

impl WaitingRoom {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, connection: Connection) -> bool {
        self.0.iter().any(|waiter| waiter.connection == connection)
    }

    pub(super) fn has_id(&self, id: &ParticipantId) -> bool {
        self.0.iter().any(|waiter| waiter.id == *id)
    }

    pub(super) fn add(&mut self, waiter: Waiter) -> Result<(), Rejection> {
        if self.0.len() >= MAX_WAITING {
            return Err(Rejection::RoomFull);
        }
        self.0.push(waiter);
        Ok(())
    }

    /// The first of these people, or of all.
    pub(super) fn take_next(&mut self, ids: Option<&[ParticipantId]>) -> Option<Waiter> {
        let is_meant = |waiter: &Waiter| ids.is_none_or(|ids| ids.contains(&waiter.id));
        let at = self.0.iter().position(is_meant)?;
        Some(self.0.remove(at))
    }

    pub(super) fn remove(&mut self, connection: Connection) -> Option<Waiter> {
        let at = self.0.iter().position(|waiter| waiter.connection == connection)?;
        Some(self.0.remove(at))
    }

    pub(super) fn take_all(&mut self) -> Vec<Waiter> {
        std::mem::take(&mut self.0)
    }

    /// All, as shown to hosts.
    pub(super) fn list(&self) -> Vec<Waiting> {
        let shown =
            |waiter: &Waiter| Waiting { id: waiter.id.clone(), name: waiter.join.name.clone() };
        self.0.iter().map(shown).collect()
    }
}
