//! Polls: hosts ask, all vote, and all see the results as they come in.

use std::time::Instant;

use super::{polls::Voter, state::Room};
use crate::{
    audience::{Audience, MemberKey},
    event::Event,
    protocol::{AskPoll, PollId, VoteRequest},
    rejection::Rejection,
    request::{Connection, Polling},
    rights::Right,
    roster::Member,
};

impl Room {
    pub(super) fn poll(
        &mut self,
        now: Instant,
        from: Connection,
        at: u64,
        asked: Polling,
    ) -> Result<(), Rejection> {
        match asked {
            Polling::Ask(ask) => self.ask_poll(from, at, ask),
            Polling::Vote(vote) => self.vote(now, from, vote),
            Polling::Close(id) => self.close_poll(from, id),
            Polling::Remove(id) => {
                self.member_with(from, Right::Poll)?;
                self.polls.remove(id)?;
                self.reply_done(from);
                self.tell_removed(id);
                Ok(())
            }
        }
    }

    fn ask_poll(&mut self, from: Connection, at: u64, ask: AskPoll) -> Result<(), Rejection> {
        let key = self.member_with(from, Right::Poll)?;
        let by = self.participant(key)?.name.clone();
        let (id, replaced) = self.polls.ask(ask, by, at)?;
        self.reply_done(from);
        if let Some(replaced) = replaced {
            self.tell_removed(replaced);
        }
        self.tell_poll(id);
        Ok(())
    }

    /// Voting shows something to all, as a reaction does, and needs the same right.
    fn vote(
        &mut self,
        now: Instant,
        from: Connection,
        VoteRequest { poll, options }: VoteRequest,
    ) -> Result<(), Rejection> {
        let key = self.member_with(from, Right::React)?;
        let name = self.participant(key)?.name.clone();
        let voter = self.voter(key)?;
        let has_changed = self.polls.vote(poll, voter, name, options)?;
        self.reply_done(from);
        if has_changed {
            self.tally.change(now, poll);
        }
        Ok(())
    }

    fn close_poll(&mut self, from: Connection, id: PollId) -> Result<(), Rejection> {
        self.member_with(from, Right::Poll)?;
        let was_open = self.polls.close(id)?;
        self.reply_done(from);
        if was_open {
            self.tell_poll(id);
        }
        Ok(())
    }

    /// Tells results that have changed.
    pub(super) fn tell_tally(&mut self, now: Instant) {
        for id in self.tally.take_due(now) {
            self.tell_poll(id);
        }
    }

    /// Not logged: a client that resumes gets all polls with the reply.
    fn tell_poll(&mut self, id: PollId) {
        self.unkept = true;
        self.tally.drop_poll(id);
        if let Some(poll) = self.polls.shown(id) {
            self.send_unlogged(Audience::All, Event::Poll(poll));
        }
    }

    fn tell_removed(&mut self, id: PollId) {
        self.unkept = true;
        self.tally.drop_poll(id);
        self.send_unlogged(Audience::All, Event::PollRemoved(id));
    }

    /// Removes all polls if they take more memory than this.
    pub(super) fn trim_polls(&mut self, max_bytes: usize) {
        if self.polls.bytes() > max_bytes {
            for id in self.polls.clear() {
                self.tell_removed(id);
            }
        }
    }

    fn voter(&self, key: MemberKey) -> Result<Voter, Rejection> {
        self.roster.member(key).map(voter).ok_or(Rejection::NotJoined)
    }
}

/// A member as a voter.
pub(super) fn voter(member: &Member) -> Voter {
    let identity = member.pass.as_ref().and_then(|pass| pass.identity.clone());
    match (identity, &member.device) {
        (Some(identity), _) => Voter::Identity(identity),
        (None, Some(device)) => Voter::Device(device.hash()),
        (None, None) => Voter::Participant(member.participant.id.clone()),
    }
}
