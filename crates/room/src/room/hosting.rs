//! Hosts of a room: roles, muting, the waiting room, and what hosts may do with all of it.

use std::{sync::Arc, time::Instant};

use super::{
    actor::Actor,
    newcomer::Welcome,
    settings::{HostRule, MAX_METADATA_BYTES},
    state::Room,
};
use crate::{
    audience::{Audience, MemberKey},
    event::Event,
    participant::Participant,
    protocol::{Dismissal, Entry, ParticipantId, Policy, SettingsEvent, SettingsRequest},
    reaction::Reaction,
    rejection::Rejection,
    request::{Connection, Effect, Hosting, Join},
    rights::{Right, Rights, Role},
    roster::{Member, Presence},
};

/// Maximum number of participants in the spotlight.
const MAX_SPOTLIGHT: usize = 9;

impl Room {
    /// Rights of a member.
    pub(super) fn rights(&self, key: MemberKey) -> Rights {
        let Some(member) = self.roster.member(key) else { return Rights::NONE };
        let of_role = match member.participant.role {
            Some(role) => Rights::of(role, self.settings.policy),
            None => Rights::OPEN,
        };
        let of_pass = member.pass.as_ref().map_or(Rights::ALL, |pass| pass.rights);
        // Who may chat by its token may do this, too; passes of earlier programs lack it.
        let of_chat =
            |pass: Rights| pass.with(Right::PrivateChat).with(Right::Poll).with(Right::SendFiles);
        let of_pass = if of_pass.has(Right::Chat) { of_chat(of_pass) } else { of_pass };
        let rights = of_role.intersection(of_pass);
        // The operator may have decided otherwise than the pass.
        if member.participant.unsubscribed {
            rights.without(Right::Subscribe)
        } else {
            rights.with(Right::Subscribe)
        }
    }

    /// The member of a connection, if it has this right.
    pub(super) fn member_with(
        &self,
        from: Connection,
        right: Right,
    ) -> Result<MemberKey, Rejection> {
        let key = self.key_of(from)?;
        if self.rights(key).has(right) { Ok(key) } else { Err(Rejection::Forbidden) }
    }

    /// Rules, if the room has hosts.
    pub(super) fn policy(&self) -> Option<Policy> {
        self.settings.hosts.map(|_| self.settings.policy)
    }

    /// Decides whether and as what a newcomer enters. `replaced` is the participant whose place it
    /// takes.
    pub(super) fn welcome(
        &mut self,
        from: Connection,
        join: &Join,
        replaced: Option<MemberKey>,
    ) -> Result<Welcome, Rejection> {
        let (device, pass) = (join.device.as_ref(), join.pass.as_deref());
        let identity = pass.and_then(|pass| pass.identity.as_deref());
        if self.devices.is_banned(from, device, identity) {
            return Err(Rejection::Banned);
        }
        if self.settings.hosts.is_none() {
            return Ok(Welcome::Enter(None));
        }
        let replaced = replaced.and_then(|key| self.roster.member(key));
        if let Some(replaced) = replaced {
            return Ok(Welcome::Enter(replaced.participant.role));
        }
        let remembered = device.and_then(|device| self.devices.role(device));
        // A creator who stepped down comes back with its new role.
        let is_creator = match &self.settings.creator {
            Some(creator) => remembered.is_none() && creator.is(from, device),
            // The first one is the host, unless a token says what it is.
            None => self.is_new && pass.is_none() && self.settings.first_is_host,
        };
        if is_creator || remembered == Some(Role::Host) {
            return Ok(Welcome::Enter(Some(Role::Host)));
        }
        // What a host decided about this device precedes what the token says.
        let given = remembered.or(pass.and_then(|pass| pass.role));
        let waits = pass.and_then(|pass| pass.waits);
        let is_of_hosts = given >= Some(Role::CoHost) && pass.is_some();
        let entry = self.settings.policy.entry;
        let must_wait = match waits {
            Some(waits) => waits,
            None => entry == Entry::Waiting && !is_of_hosts,
        };
        match entry {
            Entry::Locked if !is_of_hosts => Err(Rejection::RoomLocked),
            _ if must_wait && remembered.is_none() && !self.waiting.take_admitted(device) => {
                Ok(Welcome::Wait)
            }
            _ => Ok(Welcome::Enter(Some(given.unwrap_or(self.settings.policy.newcomers)))),
        }
    }

    /// Sends an event that a resume does not replay.
    pub(super) fn send_unlogged(&mut self, audience: Audience, event: Event) {
        let to = self.roster.connections(audience);
        if !to.is_empty() {
            self.effects.push_back(Effect::Send { to, event: Arc::new(event), number: None });
        }
    }

    pub(super) fn host(
        &mut self,
        now: Instant,
        actor: Actor,
        hosting: Hosting,
    ) -> Result<(), Rejection> {
        match hosting {
            Hosting::Mute { participants, sources } => {
                self.mute(now, actor, participants.as_deref(), sources)
            }
            Hosting::Unmute { participant, sources } => {
                self.permit(actor, Right::Mute)?;
                let other = self.target(actor, &participant)?;
                let by = self.id_of(actor)?;
                self.done(actor);
                self.send_unlogged(Audience::One(other), Event::Unmute { by, sources });
                Ok(())
            }
            Hosting::LowerHands(participants) => {
                self.lower_hands(now, actor, participants.as_deref())
            }
            Hosting::Remove(participant) => self.remove_other(now, actor, &participant),
            Hosting::Admit(ids) => self.admit_waiting(now, actor, ids.as_deref()),
            Hosting::Deny(ids) => self.deny_waiting(actor, ids.as_deref()),
            Hosting::Role(participant, role) => self.change_role(now, actor, &participant, role),
            Hosting::Settings(settings) => self.change_settings(now, actor, settings, None),
            Hosting::Spotlight(participants) => self.change_spotlight(now, actor, participants),
            Hosting::End => {
                self.permit(actor, Right::End)?;
                self.done(actor);
                self.end(now);
                Ok(())
            }
        }
    }

    pub(super) fn react(&mut self, from: Connection, emoji: Reaction) -> Result<(), Rejection> {
        let key = self.member_with(from, Right::React)?;
        let from_id = self.participant(key)?.id.clone();
        self.reply_done(from);
        self.send_unlogged(Audience::AllBut(key), Event::Reaction { from: from_id, emoji });
        Ok(())
    }

    pub(super) fn role(&self, key: MemberKey) -> Option<Role> {
        self.roster.member(key)?.participant.role
    }

    fn remove_other(
        &mut self,
        now: Instant,
        actor: Actor,
        id: &ParticipantId,
    ) -> Result<(), Rejection> {
        self.permit(actor, Right::Remove)?;
        let other = self.target(actor, id)?;
        if self.outranks(other, actor) || self.equals(other, actor) {
            return Err(Rejection::Forbidden);
        }
        self.done(actor);
        let twins = self.twins(other);
        let at = self.dismiss_member(other, Dismissal::Removed);
        if let Some(member) = self.roster.member(other) {
            let device = member.device.clone();
            let identity = member.pass.as_ref().and_then(|pass| pass.identity.clone());
            self.devices.ban(at, device.as_ref(), identity.clone());
            self.turn_pages_away(device.as_ref(), identity.as_deref());
            self.unkept = true;
        }
        self.remove(now, other);
        for twin in twins {
            if !self.outranks(twin, actor) && !self.equals(twin, actor) {
                self.dismiss_member(twin, Dismissal::Removed);
                self.remove(now, twin);
            }
        }
        Ok(())
    }

    /// Other members of the same person: pages of the same device, or with the same identity.
    fn twins(&self, key: MemberKey) -> Vec<MemberKey> {
        let Some(member) = self.roster.member(key) else { return Vec::new() };
        let identity = |of: &Member| of.pass.as_ref().and_then(|pass| pass.identity.clone());
        let (device, own) = (member.device.as_ref(), identity(member));
        let is_twin = |other: &Member| {
            let devices = device.zip(other.device.as_ref());
            devices.is_some_and(|(own, other)| own.matches(other))
                || own.is_some() && identity(other) == own
        };
        let others = self.roster.keys().filter(|other| *other != key);
        others.filter(|other| self.roster.member(*other).is_some_and(is_twin)).collect()
    }

    pub(super) fn dismiss(&mut self, to: Connection, reason: Dismissal) {
        self.effects.push_back(Effect::Dismiss { to, reason });
    }

    /// Dismisses the connection of a member; returns it, if it has one.
    fn dismiss_member(&mut self, key: MemberKey, reason: Dismissal) -> Option<Connection> {
        let Presence::Here(connection) = self.roster.member(key)?.presence else { return None };
        self.dismiss(connection, reason);
        Some(connection)
    }

    /// Dismisses everybody and has the room closed.
    fn end(&mut self, now: Instant) {
        self.is_ended = true;
        let keys: Vec<_> = self.roster.keys().collect();
        for key in &keys {
            self.dismiss_member(*key, Dismissal::Ended);
        }
        for key in keys {
            self.remove(now, key);
        }
        self.dismiss_waiting();
        self.empty_since = Some(now);
    }

    fn change_role(
        &mut self,
        now: Instant,
        actor: Actor,
        id: &ParticipantId,
        role: Role,
    ) -> Result<(), Rejection> {
        self.permit(actor, Right::Roles)?;
        if self.settings.hosts.is_none() {
            return Err(Rejection::Invalid("this room has no hosts"));
        }
        let target = self.roster.key_by_id(id).ok_or(Rejection::NoSuchParticipant)?;
        let is_self = self.key_of_actor(actor) == Some(target);
        if !is_self && (self.outranks(target, actor) || self.equals(target, actor)) {
            return Err(Rejection::Forbidden);
        }
        if is_self && role != Role::Host && !self.has_other_host(target) {
            return Err(Rejection::Invalid("make somebody else host first"));
        }
        self.done(actor);
        self.set_role(now, target, role);
        Ok(())
    }

    /// The first member that is not expected back and whose place a newcomer may take. The last
    /// host keeps its own until its time is over: it is likely to reload its page.
    pub(super) fn vacatable(&self) -> Option<MemberKey> {
        let is_last_host = |key| self.role(key) == Some(Role::Host) && !self.has_other_host(key);
        self.roster.going_away().find(|key| !is_last_host(*key))
    }

    fn has_other_host(&self, key: MemberKey) -> bool {
        let mut others = self.roster.keys().filter(|other| *other != key);
        others.any(|other| self.role(other) == Some(Role::Host))
    }

    /// Gives a member a role and tells all. A new host learns who waits.
    fn set_role(&mut self, now: Instant, key: MemberKey, role: Role) {
        let (before, permitted) = (self.rights(key), self.permitted(key));
        let Some(member) = self.roster.member_mut(key) else { return };
        if member.participant.role.replace(role) == Some(role) {
            return;
        }
        if let Some(device) = &member.device {
            self.devices.set_role(device, role);
            self.unkept = true;
        }
        let (connection, device) = (member.connection(), member.device.clone());
        let creator = self.settings.creator.as_ref();
        if role < Role::Host
            && creator.zip(connection).is_some_and(|(it, at)| it.is(at, device.as_ref()))
        {
            // It stepped down, and is host by no connection or device any more.
            self.settings.creator = None;
        }
        if self.permitted(key) != permitted {
            self.send_permitted(key);
        }
        self.refresh(now, key);
        if self.rights(key).has(Right::Admit) && !before.has(Right::Admit) {
            for waiting in self.waiting.list() {
                self.send_unlogged(Audience::One(key), Event::WaitingJoined(waiting));
            }
        }
    }

    /// Changes settings, and the text of the application: all of it or nothing.
    pub(super) fn change_settings(
        &mut self,
        now: Instant,
        actor: Actor,
        settings: SettingsRequest,
        metadata: Option<String>,
    ) -> Result<(), Rejection> {
        self.permit(actor, Right::Lock)?;
        let SettingsRequest { policy, password, capacity, listed } = settings;
        let policy = policy.map(|change| change.applied_to(self.settings.policy));
        let (before, is_password) = (self.settings_event(), password.is_some());
        if capacity.is_some_and(|capacity| !(1..=self.settings.max_capacity).contains(&capacity)) {
            return Err(Rejection::Invalid("capacity: more or less than this server allows"));
        }
        if policy.is_some_and(|policy| policy.newcomers > Role::Speaker) {
            return Err(Rejection::Invalid("policy: newcomers are viewers or speakers"));
        }
        if policy.is_some() && self.settings.hosts.is_none() {
            return Err(Rejection::Invalid("policy: this room has no hosts"));
        }
        if metadata.as_ref().is_some_and(|text| text.len() > MAX_METADATA_BYTES) {
            return Err(Rejection::TooLarge("metadata"));
        }
        self.done(actor);
        self.unkept = true;
        self.settings.metadata = metadata.unwrap_or(std::mem::take(&mut self.settings.metadata));
        self.settings.capacity = capacity.unwrap_or(self.settings.capacity);
        self.settings.listed = listed.unwrap_or(self.settings.listed);
        if let Some(password) = password {
            self.settings.has_kept_password = false;
            self.settings.password = Some(password).filter(|password| !password.is_empty());
        }
        if let Some(policy) = policy {
            self.set_policy(now, policy);
        }
        if is_password || self.settings_event() != before {
            self.tell_settings(now);
        }
        Ok(())
    }

    /// Tells all that settings changed.
    pub(super) fn tell_settings(&mut self, now: Instant) {
        self.revision += 1;
        self.send(now, Audience::All, Event::Settings(self.settings_event()));
        self.send_summary();
    }

    fn settings_event(&self) -> SettingsEvent {
        SettingsEvent {
            policy: self.settings.policy,
            room: self.summary(),
            metadata: self.settings.metadata.clone(),
        }
    }

    fn set_policy(&mut self, now: Instant, policy: Policy) {
        let keys: Vec<_> = self.roster.keys().collect();
        let before: Vec<_> = keys.iter().map(|key| self.permitted(*key)).collect();
        self.settings.policy = policy;
        for (key, before) in keys.into_iter().zip(before) {
            if self.permitted(key) != before {
                self.send_permitted(key);
                if self.turn_off_forbidden(key) {
                    self.send_updated(now, key);
                }
            }
        }
    }

    fn change_spotlight(
        &mut self,
        now: Instant,
        actor: Actor,
        participants: Vec<ParticipantId>,
    ) -> Result<(), Rejection> {
        self.permit(actor, Right::Mute)?;
        if participants.len() > MAX_SPOTLIGHT {
            return Err(Rejection::TooLarge("participants"));
        }
        if participants.iter().any(|id| self.roster.key_by_id(id).is_none()) {
            return Err(Rejection::NoSuchParticipant);
        }
        self.done(actor);
        self.spotlight = participants;
        self.send(now, Audience::All, Event::Spotlight(self.spotlight.clone()));
        Ok(())
    }

    /// Puts the next page of a participant into the spotlight in its place, or nobody. Returns
    /// whether the spotlight changed.
    pub(super) fn replace_in_spotlight(
        &mut self,
        gone: &ParticipantId,
        next: Option<&ParticipantId>,
    ) -> bool {
        let is_shown = self.spotlight.contains(gone);
        let shown = std::mem::take(&mut self.spotlight).into_iter();
        let replaced = shown.filter_map(|id| if id == *gone { next.cloned() } else { Some(id) });
        self.spotlight = replaced.collect();
        is_shown
    }

    /// Applies what follows from a participant's departure to spotlight and hosts.
    pub(super) fn after_departure(&mut self, now: Instant, gone: &Participant) {
        if self.is_ended {
            return;
        }
        if self.replace_in_spotlight(&gone.id, None) {
            self.send(now, Audience::All, Event::Spotlight(self.spotlight.clone()));
        }
        let has_host = self.roster.keys().any(|key| self.role(key) == Some(Role::Host));
        if gone.role != Some(Role::Host) || has_host || self.roster.is_empty() {
            return;
        }
        match self.settings.hosts {
            Some(HostRule::Next) => {
                if let Some(next) = self.next_host() {
                    self.set_role(now, next, Role::Host);
                }
            }
            Some(HostRule::End) => self.end(now),
            Some(HostRule::Keep) | None => {}
        }
    }

    /// Begins to wait for a host of a room that was kept over a restart.
    pub(super) fn await_host(&mut self, now: Instant) {
        if self.awaits_host && self.host_due.is_none() {
            self.host_due = Some(now + self.limits.grace);
        }
    }

    /// Gives a room that was kept over a restart another host, if none has returned in time.
    pub(super) fn replace_missing_host(&mut self, now: Instant) {
        if self.host_due.take_if(|due| *due <= now).is_none() {
            return;
        }
        self.awaits_host = false;
        let has_host = self.roster.keys().any(|key| self.role(key) == Some(Role::Host));
        if !has_host
            && self.settings.hosts == Some(HostRule::Next)
            && let Some(next) = self.next_host()
        {
            self.set_role(now, next, Role::Host);
        }
    }

    /// The connected member with the highest role, and of these the one who joined first. A token
    /// or an invitation says what its holder may become without a host's decision.
    fn next_host(&self) -> Option<MemberKey> {
        let rank = |key: &MemberKey| {
            let is_here = self
                .roster
                .member(*key)
                .is_some_and(|member| matches!(member.presence, Presence::Here(_)));
            (is_here, self.role(*key))
        };
        let may_host = |key: &MemberKey| {
            let pass = self.roster.member(*key).and_then(|member| member.pass.as_ref());
            pass.is_none_or(|pass| pass.role == Some(Role::Host))
        };
        self.roster.keys().rev().filter(may_host).max_by_key(rank)
    }
}
