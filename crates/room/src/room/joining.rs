//! Joining: who enters, waits or is rejected, and what a newcomer is told.

use std::time::Instant;

use super::{
    newcomer::{Newcomer, Slot, Welcome},
    polling::voter,
    state::Room,
};
use crate::{
    audience::{Audience, MemberKey},
    event::Event,
    participant::Participant,
    protocol::{MediaState, ParticipantId},
    rejection::Rejection,
    request::{Admission, Connection, Effect, Join, Reply},
    rights::{Right, Role, Sources},
    roster::Member,
};

impl Room {
    pub(super) fn join(
        &mut self,
        now: Instant,
        from: Connection,
        mut join: Join,
    ) -> Result<(), Rejection> {
        if self.roster.key_of(from).is_some() || self.waiting.has(from) {
            return Err(Rejection::AlreadyJoined);
        }
        if self.is_ended {
            return Err(Rejection::RoomLocked);
        }
        let replaced = join.replaces.as_ref().and_then(|token| self.authenticate(token));
        if join.has_expired && replaced.is_none() {
            return Err(Rejection::TokenExpired);
        }
        let before = replaced.and_then(|key| self.roster.member(key));
        // Without its token, a returning participant keeps the limits of its token.
        let pass = join.pass.take().or_else(|| before?.pass.clone());
        let mut join = Join { pass, ..join };
        let invitation = self.accept_invitation(&mut join)?;
        if replaced.is_none() && join.pass.is_none() {
            self.check_password(&join)?;
        }
        let role = match self.welcome(from, &join, replaced)? {
            Welcome::Wait => return self.wait(from, join),
            Welcome::Enter(role) => role,
        };
        let place = match replaced {
            Some(key) => Slot::Own(key),
            None if self.is_full() => Slot::Vacated(self.vacatable().ok_or(Rejection::RoomFull)?),
            None => Slot::Free,
        };
        let id = match join.id.clone() {
            Some(id) if id.is_reserved() => {
                return Err(Rejection::Invalid("this id is reserved for the server"));
            }
            Some(id)
                if self.roster.key_by_id(&id).is_some_and(|key| Some(key) != place.vacated()) =>
            {
                return Err(Rejection::AlreadyJoined);
            }
            Some(id) => id,
            None => self.generate_id(),
        };
        if let Some(invitation) = invitation {
            self.count_invitation(&invitation, &join);
        }
        self.enter(now, Newcomer { connection: from, id, join, role, has_waited: false, place });
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.free_places() == 0
    }

    pub(super) fn free_places(&self) -> usize {
        let capacity = usize::try_from(self.settings.capacity).unwrap_or(usize::MAX);
        capacity.saturating_sub(self.roster.len())
    }

    /// Adds a newcomer.
    pub(super) fn enter(&mut self, now: Instant, newcomer: Newcomer) {
        let Newcomer { connection: from, id, join, role, has_waited, place } = newcomer;
        let Join { name, media, sfu, device, pass, profile, .. } = join;
        let gone = place.vacated().and_then(|key| self.roster.remove(key));
        let is_own = matches!(place, Slot::Own(_));
        let next = is_own.then_some(&id);
        let is_spotlight_new =
            gone.as_ref().is_some_and(|gone| self.replace_in_spotlight(&gone.participant.id, next));
        let alike = self.roster.alike(&name);
        let unsubscribed = match gone.as_ref().filter(|_| is_own) {
            Some(gone) => gone.participant.unsubscribed,
            None => pass.as_ref().is_some_and(|pass| !pass.rights.has(Right::Subscribe)),
        };
        let me = Participant {
            id,
            name,
            media: MediaState::default(),
            direct: !sfu,
            alike,
            interrupted: false,
            role,
            muted: Sources::NONE,
            withheld: pass.as_ref().map_or(Sources::NONE, |pass| pass.withheld()),
            unsubscribed,
            raised: None,
            profile,
        };
        let secret = self.tokens.secret();
        // A role of a token ends with the token.
        let device_role = device.as_ref().zip(role).filter(|_| pass.is_none());
        if let Some((device, role)) = device_role.filter(|(_, role)| *role > Role::Speaker) {
            self.devices.set_role(device, role);
            self.unkept = true;
        }
        let key = self.roster.add(from, me, secret, device, self.log.newest());
        if let Some(member) = self.roster.member_mut(key) {
            member.pass = pass;
        }
        self.announce_media(key, media);
        let Ok(me) = self.participant(key).cloned() else { return };
        self.empty_since = None;
        self.unkept |= std::mem::take(&mut self.is_new);
        self.untouched_until = None;
        self.await_host(now);
        let switched = self.update_topology(now);
        let Some(member) = self.roster.member(key) else { return };
        let admission = self.admission(member, key, None);
        if has_waited {
            self.effects.push_back(Effect::Admit { to: from, admission });
        } else {
            let reply = Ok(Reply::Admitted(admission));
            self.effects.push_back(Effect::Reply { to: from, reply });
        }
        if let Some(gone) = gone {
            self.detach(Some(gone.presence));
            self.send_left(now, Audience::AllBut(key), gone.participant);
        }
        // The topology first, so that no client begins a link that the new topology makes useless.
        if switched {
            self.send_topology(now, Audience::AllBut(key));
        }
        self.send(now, Audience::AllBut(key), Event::Joined(me));
        if is_spotlight_new {
            self.send(now, Audience::AllBut(key), Event::Spotlight(self.spotlight.clone()));
        }
        self.send_summary();
    }

    fn check_password(&self, join: &Join) -> Result<(), Rejection> {
        let is_right = |given| match &self.settings.password {
            Some(password) => password.matches(given),
            None => join.is_password_right,
        };
        match &join.password {
            _ if !self.settings.is_locked() => Ok(()),
            None => Err(Rejection::PasswordRequired),
            Some(given) if is_right(given) => Ok(()),
            Some(_) => Err(Rejection::WrongPassword),
        }
    }

    pub(super) fn generate_id(&mut self) -> ParticipantId {
        loop {
            let id = self.tokens.participant_id();
            if self.roster.key_by_id(&id).is_none() && !self.waiting.has_id(&id) {
                return id;
            }
        }
    }

    /// What a joining member is told, or a resuming one that received all events up to
    /// `resumed_after`.
    pub(super) fn admission(
        &self,
        member: &Member,
        key: MemberKey,
        resumed_after: Option<u64>,
    ) -> Box<Admission> {
        let may_admit = self.rights(key).has(Right::Admit);
        Box::new(Admission {
            me: member.participant.clone(),
            others: self.roster.others(key),
            room: self.summary(),
            topology: self.topology.current(),
            policy: self.policy(),
            waiting: if may_admit { self.waiting.list() } else { Vec::new() },
            spotlight: self.spotlight.clone(),
            metadata: self.settings.metadata.clone(),
            chat: if resumed_after.is_none() { self.chat.list() } else { Vec::new() },
            polls: self.polls.list(&voter(member)),
            resume: member.secret.token(&member.participant.id),
            resumed: resumed_after.is_some(),
            last: resumed_after.unwrap_or_else(|| self.log.newest()),
        })
    }
}
