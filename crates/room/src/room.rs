//! One room: who is in it, what they say to each other, and what happened.
//!
//! The contract: after each `handle_*`, drain [`Room::poll_effect`] to `None`, and call
//! [`Room::handle_timeout`] at [`Room::poll_timeout`] or soon after.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    event::{Event, Message},
    log::{Audience, Log},
    mint::{DECOY, Mint, claim},
    name::RoomName,
    participant::Participant,
    password::Password,
    protocol::{MediaState, ParticipantId, ResumeToken, RoomSummary, TopologyChoice},
    request::{
        Admission, Chat, Connection, Departure, Effect, Join, Recipients, Refusal, Reply, Request,
        Resume,
    },
    roster::{Presence, Roster, Seat},
    switch::Switch,
};

mod sfu;

pub use sfu::FromSfu;

/// What one room is like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many it holds.
    pub capacity: u32,
    /// What joining takes.
    pub password: Option<Password>,
    /// Who decides how media travels.
    pub topology: TopologyChoice,
    /// How long it stays open with nobody in it.
    pub stays_empty: Duration,
    /// Which [dialect](crate::dialect) its members speak; the native protocol where none.
    pub dialect: Option<&'static str>,
}

/// What all rooms of a server have in common.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a lost participant is kept.
    pub grace: Duration,
    /// How long one is kept whose connection was closed in order.
    pub going_away: Duration,
    /// How long an event is kept for those who reconnect: at least the grace and the time until
    /// a broken connection is noticed.
    pub log_age: Duration,
    /// How many bytes of events are kept.
    pub log_bytes: usize,
}

impl Limits {
    /// Of a room that nobody comes back to: who is lost has left, and nothing is kept.
    pub const FORGETFUL: Self = Self {
        grace: Duration::ZERO,
        going_away: Duration::ZERO,
        log_age: Duration::ZERO,
        log_bytes: 0,
    };
}

impl Default for Limits {
    fn default() -> Self {
        let (grace, ping) = (Duration::from_secs(30), Duration::from_secs(45));
        Self {
            grace,
            going_away: Duration::from_millis(900),
            log_age: grace + ping + Duration::from_secs(15),
            log_bytes: 1 << 20,
        }
    }
}

/// A room.
pub struct Room {
    name: RoomName,
    settings: Settings,
    limits: Limits,
    mint: Mint,
    roster: Roster,
    log: Log,
    switch: Switch,
    /// Since when nobody is in it.
    empty_since: Option<Instant>,
    effects: VecDeque<Effect>,
}

impl Room {
    /// An empty room; `seed` comes from the operating system's randomness.
    pub fn new(
        now: Instant,
        name: RoomName,
        settings: Settings,
        limits: Limits,
        seed: [u8; 32],
    ) -> Self {
        let log = Log::new(limits.log_bytes, limits.log_age);
        let switch = Switch::new(settings.topology);
        let mut room = Self {
            name,
            settings,
            limits,
            mint: Mint::new(seed),
            roster: Roster::default(),
            log,
            switch,
            empty_since: Some(now),
            effects: VecDeque::new(),
        };
        room.summarise();
        room
    }

    /// Takes in a request. Its answer is the first effect, before anything that follows from it.
    pub fn handle(&mut self, now: Instant, from: Connection, request: Request) {
        let met = match request {
            Request::Join(join) => self.join(now, from, join),
            Request::Resume(resume) => self.resume(now, from, &resume),
            Request::Relay { to, message } => self.relay(now, from, to, message),
            Request::Media(media) => self.update_media(now, from, media),
            Request::Chat(chat) => self.chat(now, from, chat),
            Request::Direct(direct) => self.update_direct(now, from, direct),
            Request::Handover { to, topology } => self.hand_over(now, from, &to, topology),
            Request::Sfu(said) => self.tell_sfu(from, said),
            Request::Leave => self.leave(now, from),
        };
        if let Err(refusal) = met {
            self.effects.push_back(Effect::Reply { to: from, reply: Err(refusal) });
        }
    }

    /// A connection is gone, whether it was in the room or not.
    pub fn handle_gone(&mut self, now: Instant, connection: Connection, departure: Departure) {
        let Some(seat) = self.roster.seat_of(connection) else { return };
        match departure {
            Departure::Left => self.remove(now, seat),
            Departure::Lost => {
                self.roster.set_presence(seat, Presence::Lost(now + self.limits.grace));
            }
            Departure::GoingAway => {
                let until = now + self.limits.going_away.min(self.limits.grace);
                self.roster.set_presence(seat, Presence::GoingAway(until));
            }
        }
    }

    /// What to do next, in order.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.effects.pop_front();
        if effect.is_none() {
            self.effects.shrink_to(4);
        }
        effect
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let roster = self.roster.poll_timeout();
        let (log, switch) = (self.log.poll_timeout(), self.switch.poll_timeout());
        [self.closes_at(), roster, log, switch].into_iter().flatten().min()
    }

    /// Lets go of what is overdue.
    pub fn handle_timeout(&mut self, now: Instant) {
        for seat in self.roster.overdue(now) {
            self.remove(now, seat);
        }
        self.trim_log(now);
        if self.switch.handle_timeout(now) {
            self.tell_topology(now, Audience::All);
        }
        if self.closes_at().is_some_and(|at| at <= now) {
            self.effects.push_back(Effect::Closed);
        }
    }

    /// The room's row in the lobby.
    pub fn summary(&self) -> RoomSummary {
        RoomSummary {
            name: self.name.clone(),
            participants: u32::try_from(self.roster.len()).unwrap_or(u32::MAX),
            capacity: self.settings.capacity,
            locked: self.settings.password.is_some(),
            dialect: self.settings.dialect.map(Cow::Borrowed),
        }
    }

    /// Those who are in it, in the order they joined.
    pub fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.roster.participants()
    }

    fn join(&mut self, now: Instant, from: Connection, join: Join) -> Result<(), Refusal> {
        if self.roster.seat_of(from).is_some() {
            return Err(Refusal::AlreadyJoined);
        }
        let replaced = join.replaces.as_ref().and_then(|token| self.seat_proven(token));
        if replaced.is_none() {
            self.check_password(join.password.as_ref())?;
        }
        let is_full =
            self.roster.len() >= usize::try_from(self.settings.capacity).unwrap_or(usize::MAX);
        let vacated = match replaced {
            Some(seat) => Some(seat),
            None if is_full => Some(self.roster.going_away().ok_or(Refusal::RoomFull)?),
            None => None,
        };
        let id = match join.id {
            Some(id) if id.is_sfu() => {
                return Err(Refusal::Invalid("that is the media server's name"));
            }
            Some(id) if self.roster.seat_named(&id).is_some_and(|seat| Some(seat) != vacated) => {
                return Err(Refusal::AlreadyJoined);
            }
            Some(id) => id,
            None => self.mint_id(),
        };
        let Join { name, media, sfu, card, .. } = join;
        let gone = vacated.and_then(|seat| self.roster.remove(seat));
        let alike = self.roster.alike(&name);
        let me = Participant { id, name, media, direct: !sfu, alike, interrupted: false, card };
        let secret = self.mint.secret();
        let seat = self.roster.add(from, me.clone(), secret, self.log.newest());
        self.empty_since = None;
        let switched = self.count(now);
        self.admit(from, seat, None);
        if let Some(gone) = gone {
            self.detach(Some(gone.presence));
            self.tell_left(now, Audience::AllBut(seat), gone.participant);
        }
        // First by what way, then who: so nobody begins a link that is of no use.
        if switched {
            self.tell_topology(now, Audience::AllBut(seat));
        }
        self.tell(now, Audience::AllBut(seat), Event::Joined(me));
        self.summarise();
        Ok(())
    }

    fn resume(&mut self, now: Instant, from: Connection, resume: &Resume) -> Result<(), Refusal> {
        let seat = self.seat_proven(&resume.token).ok_or(Refusal::ResumeExpired)?;
        // One that didn't hear the answer in time may ask again over the same connection.
        if self.roster.seat_of(from).is_some_and(|at| at != seat) {
            return Err(Refusal::AlreadyJoined);
        }
        if resume.last.is_some_and(|last| last > self.log.newest()) {
            return Err(Refusal::Invalid("last: no event has that number yet"));
        }
        let member = self.roster.member(seat).ok_or(Refusal::ResumeExpired)?;
        let last = resume.last.unwrap_or(member.joined).max(member.joined);
        if last < member.forgotten {
            self.give_up(now, from, seat);
            return Ok(());
        }
        let before = self.roster.set_presence(seat, Presence::Here(from));
        self.admit(from, seat, Some(last));
        self.detach(before.filter(|before| *before != Presence::Here(from)));
        self.replay(from, seat, last);
        Ok(())
    }

    /// Somebody is back of whom too much is forgotten: it has to join anew, and the one it was
    /// does not take up room for the rest of the grace.
    fn give_up(&mut self, now: Instant, from: Connection, seat: Seat) {
        self.effects.push_back(Effect::Reply { to: from, reply: Err(Refusal::ResumeExpired) });
        self.detach(self.roster.member(seat).map(|member| member.presence));
        self.remove(now, seat);
    }

    fn detach(&mut self, presence: Option<Presence>) {
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
    ) -> Result<(), Refusal> {
        let sender = self.seat_of(from)?;
        let message = message.bounded()?;
        let to = match to {
            Recipients::Others => Audience::AllBut(sender),
            Recipients::One(id) => Audience::One(self.other(sender, &id)?),
        };
        let from_id = self.participant(sender)?.id.clone();
        self.done(from);
        self.tell(now, to, Event::Message { from: from_id, message });
        Ok(())
    }

    fn update_media(
        &mut self,
        now: Instant,
        from: Connection,
        media: MediaState,
    ) -> Result<(), Refusal> {
        let seat = self.seat_of(from)?;
        let member = self.roster.member_mut(seat).ok_or(Refusal::NotJoined)?;
        let changed = member.participant.media != media;
        member.participant.media = media;
        let participant = member.participant.clone();
        self.done(from);
        if changed {
            self.tell(now, Audience::AllBut(seat), Event::Updated(participant));
        }
        Ok(())
    }

    fn chat(&mut self, now: Instant, from: Connection, chat: Chat) -> Result<(), Refusal> {
        let seat = self.seat_of(from)?;
        let member = self.roster.member_mut(seat).ok_or(Refusal::NotJoined)?;
        let is_repeated = chat.serial.is_some_and(|serial| serial <= member.chatted);
        member.chatted = member.chatted.max(chat.serial.unwrap_or_default());
        let id = member.participant.id.clone();
        self.done(from);
        if !is_repeated {
            let event = Event::Chat { from: id, text: chat.text, at: chat.at };
            self.tell(now, Audience::AllBut(seat), event);
        }
        Ok(())
    }

    fn leave(&mut self, now: Instant, from: Connection) -> Result<(), Refusal> {
        let seat = self.seat_of(from)?;
        self.done(from);
        self.remove(now, seat);
        Ok(())
    }

    fn check_password(&self, given: Option<&Password>) -> Result<(), Refusal> {
        match (&self.settings.password, given) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(Refusal::PasswordRequired),
            (Some(password), Some(given)) if password.matches(given) => Ok(()),
            (Some(_), Some(_)) => Err(Refusal::WrongPassword),
        }
    }

    /// The participant a token proves. Who guesses learns nothing from the time it takes: an
    /// unknown id is compared with a secret as well.
    fn seat_proven(&self, token: &ResumeToken) -> Option<Seat> {
        let (id, given) = claim(token);
        let seat = self.roster.seat_named(&id);
        let member = seat.and_then(|seat| self.roster.member(seat));
        let proven = member.map_or(&DECOY, |member| &member.secret).is(given);
        seat.filter(|_| proven)
    }

    fn mint_id(&mut self) -> ParticipantId {
        loop {
            let id = self.mint.participant_id();
            if self.roster.seat_named(&id).is_none() {
                return id;
            }
        }
    }

    fn seat_of(&self, connection: Connection) -> Result<Seat, Refusal> {
        self.roster.seat_of(connection).ok_or(Refusal::NotJoined)
    }

    fn participant(&self, seat: Seat) -> Result<&Participant, Refusal> {
        self.roster.member(seat).map(|member| &member.participant).ok_or(Refusal::NotJoined)
    }

    fn done(&mut self, to: Connection) {
        self.effects.push_back(Effect::Reply { to, reply: Ok(Reply::Done) });
    }

    /// Answers who entered, or who is back and heard everything up to `resumed_after`.
    fn admit(&mut self, to: Connection, seat: Seat, resumed_after: Option<u64>) {
        let Some(member) = self.roster.member(seat) else { return };
        let admission = Admission {
            me: member.participant.clone(),
            others: self.roster.others(seat),
            room: self.summary(),
            topology: self.switch.current(),
            resume: member.secret.token(&member.participant.id),
            resumed: resumed_after.is_some(),
            last: resumed_after.unwrap_or_else(|| self.log.newest()),
        };
        let reply = Ok(Reply::Admitted(Box::new(admission)));
        self.effects.push_back(Effect::Reply { to, reply });
    }

    fn replay(&mut self, to: Connection, seat: Seat, last: u64) {
        let missed = self.log.after(last).filter(|entry| entry.to.includes(seat));
        let sends = missed.map(|entry| Effect::Send {
            to: vec![to],
            event: Arc::clone(&entry.event),
            number: Some(entry.number),
        });
        self.effects.extend(sends);
    }

    /// The one door through which events pass: each is numbered, kept and sent. Gives the number.
    fn tell(&mut self, now: Instant, audience: Audience, event: Event) -> u64 {
        let event = Arc::new(event);
        let number = self.log.push(now, audience, Arc::clone(&event));
        self.trim_log(now);
        let to = self.roster.connections(audience);
        if !to.is_empty() {
            self.effects.push_back(Effect::Send { to, event, number: Some(number) });
        }
        number
    }

    /// Bytes of the events that are kept for those who reconnect.
    #[must_use]
    pub fn log_bytes(&self) -> usize {
        self.log.bytes()
    }

    /// Gives up the oldest events until at most `most` bytes are kept. A participant that has missed one of
    /// them can't resume any more, and is told so when it tries.
    pub fn trim_log_to(&mut self, most: usize) {
        while let Some(entry) = self.log.pop_above(most) {
            self.roster.forget(&entry);
        }
    }

    fn trim_log(&mut self, now: Instant) {
        while let Some(entry) = self.log.pop_excess(now) {
            self.roster.forget(&entry);
        }
    }

    fn remove(&mut self, now: Instant, seat: Seat) {
        let Some(member) = self.roster.remove(seat) else { return };
        self.tell_left(now, Audience::AllBut(seat), member.participant);
        if self.count(now) {
            self.tell_topology(now, Audience::All);
        }
        self.summarise();
        if self.roster.is_empty() {
            self.empty_since = Some(now);
        }
    }

    /// Somebody is gone, and so is their link to the media server.
    fn tell_left(&mut self, now: Instant, audience: Audience, participant: Participant) {
        if self.switch.knows_sfu() {
            self.effects.push_back(Effect::Unlink(participant.id.clone()));
        }
        self.tell(now, audience, Event::Left(participant));
    }

    fn closes_at(&self) -> Option<Instant> {
        self.empty_since.map(|since| since + self.settings.stays_empty)
    }

    fn summarise(&mut self) {
        let summary = self.summary();
        self.effects.push_back(Effect::Summary(summary));
    }
}

/// Without what people say or the secrets they hold.
impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("summary", &self.summary()).finish_non_exhaustive()
    }
}
