//! Rights and rank of whoever acts on a room.

use std::collections::BTreeSet;

use super::{actor::Actor, state::Room, waiting::bounded};
use crate::{audience::MemberKey, protocol::ParticipantId, rejection::Rejection, rights::Right};

impl Room {
    /// Rejects an actor without this right.
    pub(super) fn permit(&self, actor: Actor, right: Right) -> Result<(), Rejection> {
        match actor {
            Actor::Member(from) => self.member_with(from, right).map(drop),
            Actor::Operator => Ok(()),
        }
    }

    /// Replies that the request is done.
    pub(super) fn done(&mut self, actor: Actor) {
        if let Actor::Member(from) = actor {
            self.reply_done(from);
        }
    }

    pub(super) fn key_of_actor(&self, actor: Actor) -> Option<MemberKey> {
        match actor {
            Actor::Member(from) => self.roster.key_of(from),
            Actor::Operator => None,
        }
    }

    /// The id under which others see the actor.
    pub(super) fn id_of(&self, actor: Actor) -> Result<ParticipantId, Rejection> {
        match actor {
            Actor::Member(from) => Ok(self.participant(self.key_of(from)?)?.id.clone()),
            Actor::Operator => Ok(ParticipantId::operator()),
        }
    }

    /// Another participant than the actor.
    pub(super) fn target(&self, actor: Actor, id: &ParticipantId) -> Result<MemberKey, Rejection> {
        match actor {
            Actor::Member(from) => self.other(self.key_of(from)?, id),
            Actor::Operator => self.roster.key_by_id(id).ok_or(Rejection::NoSuchParticipant),
        }
    }

    /// Other participants, none of whom outranks the actor. Each once, however often it is named.
    pub(super) fn targets(
        &self,
        actor: Actor,
        ids: &[ParticipantId],
    ) -> Result<BTreeSet<MemberKey>, Rejection> {
        let ids = bounded(Some(ids))?.unwrap_or_default();
        let find = |id| self.target(actor, id);
        let targets = ids.iter().map(find).collect::<Result<BTreeSet<_>, _>>()?;
        if targets.iter().any(|other| self.outranks(*other, actor)) {
            return Err(Rejection::Forbidden);
        }
        Ok(targets)
    }

    /// Returns whether a member has a higher role than the actor.
    pub(super) fn outranks(&self, member: MemberKey, actor: Actor) -> bool {
        self.key_of_actor(actor).is_some_and(|key| self.role(member) > self.role(key))
    }

    /// Returns whether a member has the actor's role.
    pub(super) fn equals(&self, member: MemberKey, actor: Actor) -> bool {
        self.key_of_actor(actor).is_some_and(|key| self.role(member) == self.role(key))
    }
}
