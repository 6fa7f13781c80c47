//! Raised hands: their order, and how hosts lower them.

use std::time::Instant;

use super::{actor::Actor, state::Room};
use crate::{
    audience::{Audience, MemberKey},
    event::Event,
    protocol::ParticipantId,
    rejection::Rejection,
    rights::Right,
};

impl Room {
    /// Applies a hand that a client announces; returns whether it is up. A hand that a host lowered
    /// counts as raised again only after the client has lowered it, so that an announcement on its
    /// way does not raise it.
    pub(super) fn announce_hand(&mut self, key: MemberKey, hand: bool) -> bool {
        let Some(member) = self.roster.member_mut(key) else { return false };
        member.hand_lowered &= hand;
        let is_up = hand && !member.hand_lowered;
        match (is_up, member.participant.raised) {
            (true, None) => {
                self.hands += 1;
                member.participant.raised = Some(self.hands);
            }
            (false, Some(_)) => member.participant.raised = None,
            _ => {}
        }
        is_up
    }

    pub(super) fn lower_hands(
        &mut self,
        now: Instant,
        actor: Actor,
        ids: Option<&[ParticipantId]>,
    ) -> Result<(), Rejection> {
        self.permit(actor, Right::Mute)?;
        let by = self.id_of(actor)?;
        let targets = match ids {
            None => {
                let own = self.key_of_actor(actor);
                let may = |other: &MemberKey| own != Some(*other) && !self.outranks(*other, actor);
                self.roster.keys().filter(may).collect()
            }
            Some(ids) => self.targets(actor, ids)?,
        };
        self.done(actor);
        for target in targets {
            self.lower_hand(now, target, &by);
        }
        Ok(())
    }

    fn lower_hand(&mut self, now: Instant, target: MemberKey, by: &ParticipantId) {
        let Some(member) = self.roster.member_mut(target) else { return };
        if member.participant.raised.take().is_none() {
            return;
        }
        member.participant.media.hand = false;
        member.hand_lowered = true;
        self.send_updated(now, target);
        self.send(now, Audience::One(target), Event::HandLowered { by: by.clone() });
    }
}
