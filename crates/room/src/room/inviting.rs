//! What hosts and the operator do with invitations, and who enters with one.

use super::{
    actor::Actor,
    invitations::{Issued, MAX_INVITATION_SECONDS, MAX_INVITATION_USES},
    state::Room,
};
use crate::{
    credential::Credential,
    invitation::KeyHash,
    protocol::{Invitation, InvitationId, InvitationList, InviteRequest, Invited},
    rejection::Rejection,
    request::{Connection, Effect, Inviting, Join, Reply},
    rights::{Right, Role},
};

impl Room {
    /// Carries out a member's request about invitations. `at` is its time, in milliseconds since
    /// 1970 (UTC).
    pub(super) fn invite(
        &mut self,
        from: Connection,
        at: u64,
        asked: Inviting,
    ) -> Result<(), Rejection> {
        let reply = self.carry_out_inviting(Actor::Member(from), at, asked)?;
        self.effects.push_back(Effect::Reply { to: from, reply: Ok(reply) });
        Ok(())
    }

    pub(super) fn carry_out_inviting(
        &mut self,
        actor: Actor,
        at: u64,
        asked: Inviting,
    ) -> Result<Reply, Rejection> {
        self.permit(actor, Right::Admit)?;
        match asked {
            Inviting::Invite(request) => {
                self.make_invitation(actor, at, request).map(|made| Reply::Invited(Box::new(made)))
            }
            Inviting::Revoke(id) => {
                let role = self.invitations.role(&id).ok_or(Rejection::NoSuchInvitation)?;
                self.permit_inviting(actor, role)?;
                self.invitations.revoke(&id);
                self.unkept = true;
                Ok(Reply::Done)
            }
            Inviting::List => {
                let invitations = self.invitations.list(at);
                Ok(Reply::Invitations(InvitationList { invitations }))
            }
        }
    }

    fn make_invitation(
        &mut self,
        actor: Actor,
        at: u64,
        InviteRequest { role, uses, seconds }: InviteRequest,
    ) -> Result<Invited, Rejection> {
        self.permit_inviting(actor, role)?;
        if role == Role::Host {
            return Err(Rejection::Invalid("role: nobody becomes host by an invitation"));
        }
        if uses.is_some_and(|uses| !(1..=MAX_INVITATION_USES).contains(&uses)) {
            return Err(Rejection::Invalid("uses: must be between 1 and 1000"));
        }
        if seconds.is_some_and(|seconds| !(1..=MAX_INVITATION_SECONDS).contains(&seconds)) {
            return Err(Rejection::Invalid("seconds: must be between 1 and 2592000 (30 days)"));
        }
        let by = match self.key_of_actor(actor) {
            Some(key) => Some(self.participant(key)?.name.clone()),
            None => None,
        };
        let key = Credential::try_from(self.tokens.key())
            .map_err(|_| Rejection::Invalid("the key could not be made"))?;
        let invitation = Invitation {
            id: self.tokens.invitation_id(),
            role,
            uses,
            used: 0,
            expires: seconds.map(|seconds| at.saturating_add(u64::from(seconds) * 1000)),
            created: at,
            by,
        };
        self.invitations.add(Issued::new(invitation.clone(), KeyHash::of(&key)), at)?;
        self.unkept = true;
        Ok(Invited { invitation, key })
    }

    /// Nobody makes co-hosts who may not change roles.
    fn permit_inviting(&self, actor: Actor, role: Role) -> Result<(), Rejection> {
        if role >= Role::CoHost { self.permit(actor, Right::Roles) } else { Ok(()) }
    }

    /// Gives a join the pass of its invitation, if it has one and no pass. Returns the invitation,
    /// to be counted once somebody enters with it.
    pub(super) fn accept_invitation(
        &self,
        join: &mut Join,
    ) -> Result<Option<InvitationId>, Rejection> {
        let presented = join.invitation.take().filter(|_| join.pass.is_none());
        let Some(presented) = presented else { return Ok(None) };
        let (id, pass) = self.invitations.accept(&presented, join.device.as_ref())?;
        join.pass = Some(Box::new(pass));
        Ok(Some(id))
    }

    pub(super) fn count_invitation(&mut self, id: &InvitationId, join: &Join) {
        if self.invitations.count(id, join.device.as_ref()) {
            self.unkept = true;
        }
    }
}
