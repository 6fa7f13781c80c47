//! Who waits, who is admitted and who is turned away.

use std::{sync::Arc, time::Instant};

use super::{
    actor::Actor,
    newcomer::{Newcomer, Slot},
    state::Room,
    waiting::{MAX_WAITING, Named, Waiter},
};
use crate::{
    audience::{Audience, MemberKey},
    device::DeviceSecret,
    event::Event,
    protocol::{Dismissal, ParticipantId, Waiting},
    rejection::Rejection,
    request::{Connection, Effect, Join},
    rights::Right,
};

impl Room {
    /// Puts a newcomer into the waiting room.
    pub(super) fn wait(&mut self, from: Connection, join: Join) -> Result<(), Rejection> {
        // Hosts were told of somebody who returns.
        let known = self.waiting.take_returning(join.device.as_ref());
        let is_new = known.is_none();
        let id = known.unwrap_or_else(|| self.generate_id());
        let waiting = Waiting { id: id.clone(), name: join.name.clone() };
        self.waiting.add(Waiter { connection: from, id, join })?;
        self.effects.push_back(Effect::Reply { to: from, reply: Err(Rejection::Waiting) });
        if is_new {
            self.tell_admitters(Event::WaitingJoined(waiting));
        }
        Ok(())
    }

    /// Removes a connection from the waiting room, if it is there.
    pub(super) fn stop_waiting(&mut self, connection: Connection) {
        if let Some(waiter) = self.waiting.remove(connection) {
            self.tell_admitters(Event::WaitingLeft(waiter.id));
        }
    }

    /// Sends an event to those who may admit. Not logged: a resuming client receives the list.
    pub(super) fn tell_admitters(&mut self, event: Event) {
        let may_admit = |key: &MemberKey| self.rights(*key).has(Right::Admit);
        let admitters = self.roster.keys().filter(may_admit);
        let to = admitters.flat_map(|key| self.roster.connections(Audience::One(key)));
        let to: Vec<_> = to.collect();
        if !to.is_empty() {
            self.effects.push_back(Effect::Send { to, event: Arc::new(event), number: None });
        }
    }

    pub(super) fn admit_waiting(
        &mut self,
        now: Instant,
        actor: Actor,
        ids: Option<&[ParticipantId]>,
    ) -> Result<(), Rejection> {
        self.permit(actor, Right::Admit)?;
        let named = Named::new(ids)?;
        let free = self.free_places();
        if free == 0 && !self.waiting.is_empty() {
            return Err(Rejection::RoomFull);
        }
        self.done(actor);
        for id in self.waiting.admit_absent(&named) {
            self.tell_admitters(Event::WaitingLeft(id));
        }
        for waiter in self.waiting.take(free, |waiter| named.has(&waiter.id)) {
            let Waiter { connection, id, join } = waiter;
            let pass = join.pass.as_deref();
            let identity = pass.and_then(|pass| pass.identity.as_deref());
            if self.devices.is_banned(connection, join.device.as_ref(), identity) {
                self.turn_away(connection, id, Dismissal::Removed);
                continue;
            }
            self.tell_admitters(Event::WaitingLeft(id.clone()));
            let given = pass.and_then(|pass| pass.role);
            let role = Some(given.unwrap_or(self.settings.policy.newcomers));
            let place = Slot::Free;
            self.enter(now, Newcomer { connection, id, join, role, has_waited: true, place });
        }
        Ok(())
    }

    pub(super) fn deny_waiting(
        &mut self,
        actor: Actor,
        ids: Option<&[ParticipantId]>,
    ) -> Result<(), Rejection> {
        self.permit(actor, Right::Admit)?;
        let named = Named::new(ids)?;
        self.done(actor);
        for id in self.waiting.deny_absent(&named) {
            self.tell_admitters(Event::WaitingLeft(id));
        }
        for waiter in self.waiting.take(MAX_WAITING, |waiter| named.has(&waiter.id)) {
            self.turn_away(waiter.connection, waiter.id, Dismissal::Denied);
        }
        Ok(())
    }

    /// Dismisses a removed participant's other pages, which wait.
    pub(super) fn turn_pages_away(
        &mut self,
        device: Option<&DeviceSecret>,
        identity: Option<&str>,
    ) {
        let is_meant = |waiter: &Waiter| {
            let devices = waiter.join.device.as_ref().zip(device);
            let pass = waiter.join.pass.as_ref();
            let identities = pass.and_then(|pass| pass.identity.as_deref()).zip(identity);
            devices.is_some_and(|(own, removed)| own.matches(removed))
                || identities.is_some_and(|(own, removed)| own == removed)
        };
        if let Some(id) = device.and_then(|device| self.waiting.remove_absent(device)) {
            self.tell_admitters(Event::WaitingLeft(id));
        }
        for waiter in self.waiting.take(MAX_WAITING, is_meant) {
            self.turn_away(waiter.connection, waiter.id, Dismissal::Removed);
        }
    }

    /// Dismisses somebody who waited.
    fn turn_away(&mut self, connection: Connection, id: ParticipantId, reason: Dismissal) {
        self.dismiss(connection, reason);
        self.tell_admitters(Event::WaitingLeft(id));
    }

    /// Dismisses the waiting room, as the room ends.
    pub(super) fn dismiss_waiting(&mut self) {
        self.waiting.forget_absent();
        for Waiter { connection, .. } in self.waiting.take(MAX_WAITING, |_| true) {
            self.dismiss(connection, Dismissal::Ended);
        }
    }
}
