//! State machine of one room: members, relayed messages and the event log.
//!
//! Contract: after each `handle_*`, drain [`Room::poll_effect`] to `None`, and call
//! [`Room::handle_timeout`] at [`Room::poll_timeout`] or soon after.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    actor::Actor,
    devices::Devices,
    history::ChatHistory,
    invitations::Invitations,
    polls::{Polls, Tally},
    settings::{Limits, Settings},
    waiting::WaitingRoom,
};
use crate::{
    audience::{Audience, MemberKey},
    event::{Event, Message},
    log::Log,
    name::RoomName,
    participant::Participant,
    protocol::{MediaState, ParticipantId, RoomSummary},
    rejection::Rejection,
    request::{Connection, Departure, Effect, Recipients, Reply, Request},
    rights::Right,
    roster::{Presence, Roster},
    token::TokenGenerator,
    topology::TopologySwitch,
};

/// A room.
pub struct Room {
    pub(super) name: RoomName,
    pub(super) settings: Settings,
    pub(super) limits: Limits,
    pub(super) tokens: TokenGenerator,
    pub(super) roster: Roster,
    pub(super) log: Log,
    pub(super) topology: TopologySwitch,
    pub(super) waiting: WaitingRoom,
    pub(super) devices: Devices,
    pub(super) invitations: Invitations,
    pub(super) polls: Polls,
    pub(super) tally: Tally,
    pub(super) spotlight: Vec<ParticipantId>,
    /// Number of changes of the settings.
    pub(super) revision: u64,
    /// Number of hands raised so far.
    pub(super) hands: u64,
    /// Nobody has joined yet.
    pub(super) is_new: bool,
    /// A host has ended the room.
    pub(super) is_ended: bool,
    /// Time at which it became empty.
    pub(super) empty_since: Option<Instant>,
    pub(super) effects: VecDeque<Effect>,
    /// Messages for newcomers.
    pub(super) chat: ChatHistory,
    /// Settings, devices or metadata have changed since they were kept.
    pub(super) unkept: bool,
    /// The room was kept over a restart, and no host has returned yet.
    pub(super) awaits_host: bool,
    /// Nobody was admitted since the room opened again: it stays open until this time.
    pub(super) untouched_until: Option<Instant>,
    /// Time at which another host is chosen.
    pub(super) host_due: Option<Instant>,
}

impl Room {
    /// Creates an empty room. `seed` must come from the operating system's random number generator.
    pub fn new(
        now: Instant,
        name: RoomName,
        settings: Settings,
        limits: Limits,
        seed: [u8; 32],
    ) -> Self {
        let mut room = Self {
            name,
            log: Log::new(limits.log_bytes, limits.log_age),
            topology: TopologySwitch::new(settings.topology),
            settings,
            limits,
            tokens: TokenGenerator::new(seed),
            roster: Roster::default(),
            waiting: WaitingRoom::default(),
            devices: Devices::default(),
            invitations: Invitations::default(),
            polls: Polls::default(),
            tally: Tally::default(),
            spotlight: Vec::new(),
            revision: 0,
            hands: 0,
            is_new: true,
            is_ended: false,
            empty_since: Some(now),
            effects: VecDeque::new(),
            chat: ChatHistory::default(),
            unkept: true,
            awaits_host: false,
            untouched_until: None,
            host_due: None,
        };
        room.send_summary();
        room
    }

    /// Handles a request. Its reply precedes all other effects of the request.
    pub fn handle(&mut self, now: Instant, from: Connection, request: Request) {
        let result = match request {
            Request::Join(join) => self.join(now, from, *join),
            Request::Resume(resume) => self.resume(now, from, &resume),
            Request::Relay { to, message } => self.relay(now, from, to, message),
            Request::Media(media) => self.update_media(now, from, media),
            Request::Chat(chat) => self.chat(now, from, chat),
            Request::Direct(direct) => self.update_direct(now, from, direct),
            Request::Handover { to, topology } => self.handover(now, from, &to, topology),
            Request::Sfu(message) => self.send_to_sfu(from, message),
            Request::Host(hosting) => self.host(now, Actor::Member(from), hosting),
            Request::Inviting { at, asked } => self.invite(from, at, asked),
            Request::Poll { at, asked } => self.poll(now, from, at, asked),
            Request::File(asked) => self.share(now, from, asked),
            Request::React(emoji) => self.react(from, emoji),
            Request::Leave => self.leave(now, from),
        };
        if let Err(rejection) = result {
            self.effects.push_back(Effect::Reply { to: from, reply: Err(rejection) });
        }
    }

    /// Handles the end of a connection, in the room or not.
    pub fn handle_gone(&mut self, now: Instant, connection: Connection, departure: Departure) {
        let Some(key) = self.roster.key_of(connection) else {
            self.stop_waiting(connection);
            return;
        };
        match departure {
            Departure::Left => self.remove(now, key),
            Departure::Lost => {
                self.roster.set_presence(key, Presence::Lost(now + self.limits.grace));
            }
            Departure::GoingAway => {
                let until = now + self.limits.going_away.min(self.limits.grace);
                self.roster.set_presence(key, Presence::GoingAway(until));
            }
        }
    }

    /// Returns the next effect.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.effects.pop_front();
        if effect.is_none() {
            self.effects.shrink_to(4);
        }
        effect
    }

    /// Time of the next [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        let roster = self.roster.poll_timeout();
        let log = self.log.poll_timeout();
        let topology = self.topology.poll_timeout();
        let waiting = self.waiting.poll_timeout();
        let tally = self.tally.poll_timeout();
        [self.closes_at(), self.host_due, roster, log, topology, waiting, tally]
            .into_iter()
            .flatten()
            .min()
    }

    /// Removes expired members and events, switches the topology, and closes an empty room.
    pub fn handle_timeout(&mut self, now: Instant) {
        for key in self.roster.overdue(now) {
            self.remove(now, key);
        }
        while let Some(id) = self.waiting.take_overdue(now) {
            self.tell_admitters(Event::WaitingLeft(id));
        }
        self.replace_missing_host(now);
        self.tell_tally(now);
        self.trim_log(now);
        if self.topology.handle_timeout(now) {
            self.send_topology(now, Audience::All);
        }
        if self.closes_at().is_some_and(|at| at <= now) {
            self.dismiss_waiting();
            self.effects.push_back(Effect::Closed);
        }
    }

    /// The room's row in the lobby.
    pub fn summary(&self) -> RoomSummary {
        RoomSummary {
            name: self.name.clone(),
            participants: u32::try_from(self.roster.len()).unwrap_or(u32::MAX),
            capacity: self.settings.capacity,
            locked: self.settings.is_locked(),
            dialect: self.settings.dialect.map(Cow::Borrowed),
            unlisted: !self.settings.listed,
        }
    }

    /// The participants, in the order they joined.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.roster.participants()
    }

    pub(super) fn detach(&mut self, presence: Option<Presence>) {
        if let Some(Presence::Here(old)) = presence {
            self.effects.push_back(Effect::Detach(old));
        }
    }

    fn relay(
        &mut self,
        now: Instant,
        from: Connection,
        to: Recipients,
        message: Message,
    ) -> Result<(), Rejection> {
        let sender = self.member_with(from, Right::Signal)?;
        let message = message.bounded()?.restricted_to(self.rights(sender).media())?;
        let to = match to {
            Recipients::Others => Audience::AllBut(sender),
            Recipients::One(id) => Audience::One(self.other(sender, &id)?),
        };
        let from_id = self.participant(sender)?.id.clone();
        self.reply_done(from);
        self.send(now, to, Event::Message { from: from_id, message });
        Ok(())
    }

    fn update_media(
        &mut self,
        now: Instant,
        from: Connection,
        media: MediaState,
    ) -> Result<(), Rejection> {
        let key = self.key_of(from)?;
        let before = self.participant(key)?.clone();
        self.reply_done(from);
        self.announce_media(key, media);
        let participant = self.participant(key)?.clone();
        if participant != before {
            self.send(now, Audience::AllBut(key), Event::Updated(participant));
        }
        Ok(())
    }

    fn leave(&mut self, now: Instant, from: Connection) -> Result<(), Rejection> {
        let member = self.roster.key_of(from);
        if member.is_none() && !self.waiting.has(from) {
            return Err(Rejection::NotJoined);
        }
        self.reply_done(from);
        match member {
            Some(key) => self.remove(now, key),
            None => self.stop_waiting(from),
        }
        Ok(())
    }

    pub(super) fn key_of(&self, connection: Connection) -> Result<MemberKey, Rejection> {
        self.roster.key_of(connection).ok_or(Rejection::NotJoined)
    }

    pub(super) fn participant(&self, key: MemberKey) -> Result<&Participant, Rejection> {
        self.roster.member(key).map(|member| &member.participant).ok_or(Rejection::NotJoined)
    }

    pub(super) fn reply_done(&mut self, to: Connection) {
        self.effects.push_back(Effect::Reply { to, reply: Ok(Reply::Done) });
    }

    /// Numbers, logs and sends an event; the only path for logged events. Returns the number.
    pub(super) fn send(&mut self, now: Instant, audience: Audience, event: Event) -> u64 {
        let event = Arc::new(event);
        let number = self.log.push(now, audience, Arc::clone(&event));
        self.trim_log(now);
        let to = self.roster.connections(audience);
        if !to.is_empty() {
            self.effects.push_back(Effect::Send { to, event, number: Some(number) });
        }
        number
    }

    /// Size of the events kept for resuming clients, of the chat and of polls, in bytes.
    #[must_use]
    pub fn log_bytes(&self) -> usize {
        self.log.bytes() + self.chat.bytes() + self.polls.bytes()
    }

    /// Drops the oldest events until at most `max_bytes` are kept. Participants that missed one of
    /// them can no longer resume. The chat is dropped, too, if it is larger, and so are polls.
    pub fn trim_log_to(&mut self, max_bytes: usize) {
        if self.chat.bytes() > max_bytes {
            self.chat.clear();
        }
        self.trim_polls(max_bytes);
        while let Some(entry) = self.log.pop_above(max_bytes) {
            self.roster.forget(&entry);
        }
    }

    fn trim_log(&mut self, now: Instant) {
        while let Some(entry) = self.log.pop_excess(now) {
            self.roster.forget(&entry);
        }
    }

    pub(super) fn remove(&mut self, now: Instant, key: MemberKey) {
        let Some(member) = self.roster.remove(key) else { return };
        let gone = member.participant.clone();
        self.send_left(now, Audience::AllBut(key), member.participant);
        self.after_departure(now, &gone);
        if self.update_topology(now) {
            self.send_topology(now, Audience::All);
        }
        self.send_summary();
        if self.roster.is_empty() {
            self.empty_since = Some(now);
        }
    }

    /// Sends the leave event of a participant and ends its link to the media server.
    pub(super) fn send_left(&mut self, now: Instant, audience: Audience, participant: Participant) {
        if self.topology.may_use_sfu() {
            self.effects.push_back(Effect::Unlink(participant.id.clone()));
        }
        self.send(now, audience, Event::Left(participant));
    }

    fn closes_at(&self) -> Option<Instant> {
        // People who wait keep the room for a host who reloads its page.
        let stays = match (self.is_ended, self.waiting.is_empty()) {
            (true, _) => Duration::ZERO,
            (false, true) => self.settings.stays_empty,
            (false, false) => self.settings.stays_empty.max(self.limits.grace),
        };
        let untouched = self.untouched_until.filter(|_| !self.is_ended);
        self.empty_since
            .map(|since| untouched.map_or(since + stays, |until| until.max(since + stays)))
    }

    pub(super) fn send_summary(&mut self) {
        let summary = self.summary();
        self.effects.push_back(Effect::Summary(summary));
    }
}

/// Omits messages and secrets.
impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("summary", &self.summary()).finish_non_exhaustive()
    }
}
