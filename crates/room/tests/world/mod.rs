//! A room with a virtual clock and recording connections.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that is wrong may fail")]

pub(crate) mod hosts;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use room::{
    Admission, Connection, Departure, Effect, Event, Join, Limits, Message, Recipients, Rejection,
    Reply, Request, Resume, Room, Settings, ToSfu,
    name::{DisplayName, RoomName},
    password::Password,
    protocol::{
        Dismissal, IceCandidate, MediaState, ParticipantId, ResumeToken, RoomSummary, SdpType,
        SessionDescription, TopologyChoice,
    },
    rights::MediaRights,
};

pub(crate) fn settings(capacity: u32) -> Settings {
    Settings { topology: TopologyChoice::Mesh, ..Settings::new(capacity) }
}

pub(crate) fn locked(password: &str) -> Settings {
    Settings { password: Some(Password::new(password).unwrap()), ..settings(8) }
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn join(name: &str) -> Join {
    let name = DisplayName::new(name).unwrap();
    let media = MediaState::default();
    Join {
        id: None,
        name,
        password: None,
        is_password_right: false,
        replaces: None,
        has_expired: false,
        media,
        sfu: false,
        device: None,
        pass: None,
        invitation: None,
        prefix: None,
        profile: None,
        listed: true,
    }
}

pub(crate) fn candidate(text: &str) -> Message {
    Message::Candidate(IceCandidate {
        candidate: text.to_owned(),
        sdp_mid: None,
        sdp_m_line_index: None,
        username_fragment: None,
    })
}

pub(crate) fn offer(sdp: String) -> Message {
    Message::Description(SessionDescription { kind: SdpType::Offer, sdp })
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) room: Room,
    pub(crate) events: BTreeMap<Connection, Vec<(u64, Arc<Event>)>>,
    pub(crate) detached: Vec<Connection>,
    pub(crate) summaries: Vec<RoomSummary>,
    pub(crate) closed: u32,
    /// Unnumbered events per connection.
    pub(crate) received: Vec<(Connection, Event)>,
    pub(crate) to_sfu: Vec<(ParticipantId, ToSfu)>,
    /// Rights that the media server was told, with each of the messages.
    pub(crate) permitted: Vec<(ParticipantId, MediaRights)>,
    pub(crate) unlinked: Vec<ParticipantId>,
    /// Connections admitted from the waiting room.
    pub(crate) admitted: Vec<(Connection, Admission)>,
    pub(crate) dismissed: Vec<(Connection, Dismissal)>,
    replies: Vec<(Connection, Result<Reply, Rejection>)>,
    next: u64,
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        Self::with_limits(settings, Limits::default())
    }

    #[expect(clippy::disallowed_methods, reason = "any instant works")]
    pub(crate) fn with_limits(settings: Settings, limits: Limits) -> Self {
        let now = Instant::now();
        let name = RoomName::new("tea").unwrap();
        let mut world = Self {
            now,
            room: Room::new(now, name, settings, limits, [1; 32]),
            events: BTreeMap::new(),
            detached: Vec::new(),
            summaries: Vec::new(),
            closed: 0,
            received: Vec::new(),
            to_sfu: Vec::new(),
            permitted: Vec::new(),
            unlinked: Vec::new(),
            admitted: Vec::new(),
            dismissed: Vec::new(),
            replies: Vec::new(),
            next: 0,
        };
        world.drain();
        world
    }

    pub(crate) fn connect(&mut self) -> Connection {
        self.next += 1;
        Connection(self.next)
    }

    /// The newest connection.
    pub(crate) fn last_connection(&self) -> Connection {
        Connection(self.next)
    }

    pub(crate) fn ask(&mut self, from: Connection, request: Request) -> Result<Reply, Rejection> {
        self.room.handle(self.now, from, request);
        self.drain();
        assert_eq!(self.replies.len(), 1, "one reply per request");
        let (to, reply) = self.replies.remove(0);
        assert_eq!(to, from);
        reply
    }

    pub(crate) fn admitted(
        &mut self,
        from: Connection,
        request: Request,
    ) -> Result<Admission, Rejection> {
        match self.ask(from, request)? {
            Reply::Admitted(admission) => Ok(*admission),
            _ => panic!("joins are answered with an admission"),
        }
    }

    /// Joins over a new connection.
    pub(crate) fn enter(&mut self, name: &str) -> (Connection, Admission) {
        let connection = self.connect();
        let admission = self.admitted(connection, Request::from(join(name))).unwrap();
        (connection, admission)
    }

    /// Resumes over a new connection.
    pub(crate) fn resume(
        &mut self,
        token: &ResumeToken,
        last: Option<u64>,
    ) -> (Connection, Result<Admission, Rejection>) {
        let connection = self.connect();
        let resume = Resume { token: token.clone(), last };
        (connection, self.admitted(connection, Request::Resume(resume)))
    }

    pub(crate) fn send(
        &mut self,
        from: Connection,
        to: &ParticipantId,
        message: Message,
    ) -> Result<Reply, Rejection> {
        self.ask(from, Request::Relay { to: Recipients::One(to.clone()), message })
    }

    pub(crate) fn gone(&mut self, connection: Connection, departure: Departure) {
        self.room.handle_gone(self.now, connection, departure);
        self.drain();
    }

    /// Advances the clock, handling timeouts when due.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.room.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let closed = self.closed;
            self.room.handle_timeout(self.now);
            self.drain();
            if self.closed > closed {
                break;
            }
        }
        self.now = end;
    }

    /// Takes the events of a connection.
    pub(crate) fn take_events(&mut self, connection: Connection) -> Vec<Event> {
        let events = self.events.remove(&connection).unwrap_or_default();
        events.into_iter().map(|(_, event)| Event::clone(&event)).collect()
    }

    pub(crate) fn last_number(&self, connection: Connection) -> Option<u64> {
        self.events.get(&connection)?.last().map(|(number, _)| *number)
    }

    /// Forgets what the media server was told.
    pub(crate) fn forget_sfu(&mut self) {
        self.to_sfu.clear();
        self.permitted.clear();
    }

    pub(crate) fn drain(&mut self) {
        let mut first = true;
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                Effect::Reply { to, reply } => {
                    assert!(first, "the reply precedes its effects");
                    self.replies.push((to, reply));
                }
                Effect::Send { to, event, number } => {
                    assert!(!to.is_empty());
                    let Some(number) = number else {
                        to.iter().for_each(|to| self.received.push((*to, Event::clone(&event))));
                        continue;
                    };
                    for connection in to {
                        let events = self.events.entry(connection).or_default();
                        events.push((number, Arc::clone(&event)));
                    }
                }
                Effect::Sfu { from, permitted, message } => {
                    self.to_sfu.push((from.clone(), message));
                    self.permitted.push((from, permitted));
                }
                Effect::Admit { to, admission } => self.admitted.push((to, *admission)),
                Effect::Dismiss { to, reason } => self.dismissed.push((to, reason)),
                Effect::Unlink(who) => self.unlinked.push(who),
                Effect::Detach(connection) => self.detached.push(connection),
                Effect::Summary(summary) => self.summaries.push(summary),
                Effect::Closed => self.closed += 1,
            }
            first = false;
        }
    }
}
