//! Resuming: a participant returns on another connection, and receives what it missed.

use std::{sync::Arc, time::Instant};

use super::state::Room;
use crate::{
    audience::MemberKey,
    event::Event,
    protocol::ResumeToken,
    rejection::Rejection,
    request::{Connection, Effect, Reply, Resume},
    roster::Presence,
    token::{DUMMY_SECRET, split_token},
};

impl Room {
    pub(super) fn resume(
        &mut self,
        now: Instant,
        from: Connection,
        resume: &Resume,
    ) -> Result<(), Rejection> {
        let key = self.authenticate(&resume.token).ok_or(Rejection::ResumeExpired)?;
        // A client that missed the reply may repeat the request on the same connection.
        if self.roster.key_of(from).is_some_and(|at| at != key) {
            return Err(Rejection::AlreadyJoined);
        }
        if resume.last.is_some_and(|last| last > self.log.newest()) {
            return Err(Rejection::Invalid("last: no such event yet"));
        }
        let member = self.roster.member(key).ok_or(Rejection::ResumeExpired)?;
        let last = resume.last.unwrap_or(member.joined).max(member.joined);
        if last < member.forgotten {
            self.expire(now, from, key);
            return Ok(());
        }
        let waiter = self.waiting.remove(from);
        let before = self.roster.set_presence(key, Presence::Here(from));
        let member = self.roster.member(key).ok_or(Rejection::ResumeExpired)?;
        let reply = Ok(Reply::Admitted(self.admission(member, key, Some(last))));
        self.effects.push_back(Effect::Reply { to: from, reply });
        self.detach(before.filter(|before| *before != Presence::Here(from)));
        self.replay(from, key, last);
        if let Some(waiter) = waiter {
            self.tell_admitters(Event::WaitingLeft(waiter.id));
        }
        Ok(())
    }

    /// Rejects a resume after missed events were dropped. The client must join again, so its old
    /// participant is removed before the grace ends.
    fn expire(&mut self, now: Instant, from: Connection, key: MemberKey) {
        self.effects.push_back(Effect::Reply { to: from, reply: Err(Rejection::ResumeExpired) });
        self.detach(self.roster.member(key).map(|member| member.presence));
        self.remove(now, key);
    }

    /// Returns the member that a token authenticates. An unknown id is compared with a dummy
    /// secret, so that timing reveals nothing.
    pub(super) fn authenticate(&self, token: &ResumeToken) -> Option<MemberKey> {
        let (id, given) = split_token(token);
        let key = self.roster.key_by_id(&id);
        let member = key.and_then(|key| self.roster.member(key));
        let is_authentic = member.map_or(&DUMMY_SECRET, |member| &member.secret).is(given);
        key.filter(|_| is_authentic)
    }

    fn replay(&mut self, to: Connection, key: MemberKey, last: u64) {
        let missed = self.log.after(last).filter(|entry| entry.to.includes(key));
        let sends = missed.map(|entry| Effect::Send {
            to: vec![to],
            event: Arc::clone(&entry.event),
            number: Some(entry.number),
        });
        self.effects.extend(sends);
    }
}
