//! The task that runs one room: mail in, effects out.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
};

use room::{
    Admission, Connection, Effect, Event, Refusal, Reply, Request, Room, ToSfu,
    dialect::{Dialect, Scene, named},
    protocol::{ErrorBody, ErrorCode, IceServers, Joined, ParticipantId, ServerEvent},
};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    answer::{Nothing, meet},
    desk::{Desk, MediaServer, Said},
    directory::{Inbox, Mail, RoomKey},
    guesses::Guess,
    hub::{Hub, native_name},
    ice,
    seat::Seat,
    translate,
};
use crate::{
    shard::turn::RelayAccess,
    socket::app::{Ack, encode_event},
};

/// One room and those who sit in it.
pub(super) struct RoomTask {
    hub: Arc<Hub>,
    key: RoomKey,
    /// What its members speak, if it is not our protocol.
    dialect: Option<&'static dyn Dialect>,
    room: Room,
    seats: HashMap<Connection, Seated>,
    /// The way to the media server, once somebody has a link there.
    desk: Option<Desk>,
    /// Everybody's access to the relay, for as long as they are in the room or may come back.
    access: HashMap<ParticipantId, RelayAccess>,
    /// When somebody's credentials have lived half their life.
    refresh: Option<Instant>,
    closed: bool,
}

/// Somebody in the room, or just asking to be.
struct Seated {
    seat: Arc<Seat>,
    /// Who it is, once it is in.
    member: Option<Member>,
}

struct Member {
    id: ParticipantId,
    refresh: Instant,
}

/// What the answer to the request at hand still needs.
#[derive(Default)]
struct Asked {
    ack: Option<Ack>,
    /// It asked to be let in.
    enters: bool,
    /// It asked to be let out.
    leaves: bool,
    /// It tried a password.
    guess: Option<Guess>,
}

impl RoomTask {
    pub(super) fn new(hub: Arc<Hub>, key: RoomKey, room: Room) -> Self {
        let dialect = key.address.dialect().and_then(named);
        let (seats, access) = (HashMap::new(), HashMap::new());
        let (desk, refresh, closed) = (None, None, false);
        Self { hub, key, dialect, room, seats, desk, access, refresh, closed }
    }

    /// Runs until the room closes.
    pub(super) async fn run(mut self, mut inbox: Inbox) {
        self.act(Asked::default());
        let mut timer = std::pin::pin!(sleep_until(Instant::now()));
        while !self.closes(&mut inbox) {
            let armed = self.arm(timer.as_mut());
            tokio::select! {
                biased;
                mail = inbox.recv() => match mail {
                    Some(mail) => self.open_mail(*mail),
                    None => break,
                },
                said = hear(&mut self.desk) => self.pass_on(said),
                () = &mut timer, if armed => {}
            }
            self.act_on_time();
        }
        // Mail of those who found the room before it closed.
        while let Some(mail) = inbox.recv().await {
            self.return_to_sender(mail).await;
        }
    }

    /// Sets the timer for what is due next; false if nothing is. It is let be where it goes off
    /// too early, which costs less than setting it after each mail.
    fn arm(&self, timer: std::pin::Pin<&mut Sleep>) -> bool {
        let room = self.room.poll_timeout().map(Instant::from_std);
        let Some(due) = room.into_iter().chain(self.refresh).min() else { return false };
        if due < timer.deadline() || timer.is_elapsed() {
            timer.reset(due);
        }
        true
    }

    fn act_on_time(&mut self) {
        let now = Instant::now();
        if self.room.poll_timeout().is_some_and(|due| due <= now.into_std()) {
            self.room.handle_timeout(now.into_std());
            self.act(Asked::default());
            self.key.log_bytes.store(self.room.log_bytes(), Ordering::Relaxed);
        }
        if self.refresh.take_if(|due| *due <= now).is_some() {
            self.refresh_credentials(now);
        }
    }

    fn open_mail(&mut self, mail: Mail) {
        let now = Instant::now().into_std();
        match mail {
            Mail::Enter { seat, request, ack, guess } => {
                let from = seat.0.connection;
                // Who is in already and asks again stays in, whatever the answer.
                let before = self.seats.remove(&from);
                let enters = before.is_none();
                let member = before.and_then(|seated| seated.member);
                self.seats.insert(from, Seated { seat, member });
                self.room.handle(now, from, request);
                self.list_members();
                self.act(Asked { ack, enters, guess, leaves: false });
            }
            Mail::Ask { from, request: Request::Sfu(_), ack } if !self.reaches_media(from) => {
                let message = "the media server is busy; try again later";
                self.hub.refusals.refuse(ack, ErrorBody::new(ErrorCode::ServerFull, message));
            }
            Mail::Ask { from, request, ack } => {
                let leaves = matches!(request, Request::Leave);
                self.room.handle(now, from, request);
                if leaves {
                    self.list_members();
                }
                self.act(Asked { ack, leaves, ..Asked::default() });
            }
            Mail::Gone { connection, departure } => {
                self.room.handle_gone(now, connection, departure);
                self.seats.remove(&connection);
                self.list_members();
                self.act(Asked::default());
            }
            Mail::ForgetLog => self.room.trim_log_to(0),
        }
        // Told by one store, so that whoever adds up what all rooms keep asks none of them.
        self.key.log_bytes.store(self.room.log_bytes(), Ordering::Relaxed);
    }

    /// Does what the room wants done.
    fn act(&mut self, mut asked: Asked) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                Effect::Reply { to, reply } => self.reply(to, reply, std::mem::take(&mut asked)),
                Effect::Send { to, event, number } => self.tell(&to, &event, number),
                Effect::Sfu { from, said } => self.tell_sfu(&from, said),
                Effect::Unlink(id) => {
                    if let Some(desk) = &mut self.desk {
                        desk.unlink(&id);
                    }
                }
                Effect::Detach(connection) => drop(self.seats.remove(&connection)),
                Effect::Summary(summary) => {
                    self.hub.lobby.update(&self.key.address, self.key.opener, summary);
                    self.end_access_of_departed();
                }
                Effect::Closed => self.closed = true,
            }
        }
    }

    /// Takes the relay from those who are gone for good. The room's row changes with each of them.
    fn end_access_of_departed(&mut self) {
        if self.access.is_empty() {
            return;
        }
        let present: HashSet<_> = self.room.participants().map(|present| &present.id).collect();
        self.access.retain(|id, _| present.contains(id));
    }

    /// Whether the media server can be told something of this connection's participant now. Where there
    /// is none, the room says so.
    fn reaches_media(&mut self, from: Connection) -> bool {
        if self.desk.is_none() {
            self.desk = self.hub.config.media.as_ref().and_then(MediaServer::open);
        }
        let member = self.seats.get(&from).and_then(|seated| seated.member.as_ref());
        // Of whoever is not in, the room says so.
        self.desk.as_ref().zip(member).is_none_or(|(desk, member)| desk.is_open(&member.id))
    }

    fn tell_sfu(&mut self, from: &ParticipantId, said: ToSfu) {
        if let Some(desk) = &mut self.desk {
            desk.tell(from, said);
        }
    }

    /// The media server says something.
    fn pass_on(&mut self, said: Said) {
        match said {
            Said::To(id, said) => self.room.handle_sfu(Instant::now().into_std(), &id, said),
            Said::Interrupted(id, interrupted) => {
                self.room.handle_interrupted(Instant::now().into_std(), &id, interrupted);
            }
            Said::Speakers(speakers) => self.room.handle_speakers(speakers),
            Said::Nobody => return,
        }
        self.act(Asked::default());
    }

    fn reply(&mut self, to: Connection, reply: Result<Reply, Refusal>, asked: Asked) {
        if let (Some(guess), Err(Refusal::WrongPassword)) = (asked.guess, &reply) {
            guess.was_wrong();
        }
        self.answer_in_dialect(to, reply.as_ref());
        match reply {
            Ok(Reply::Admitted(_)) if self.dialect.is_some() => {}
            Ok(Reply::Admitted(admission)) => self.admit(to, *admission, asked.ack),
            Ok(Reply::Done) => {
                if asked.leaves {
                    self.seats.remove(&to);
                }
                meet(asked.ack, &Nothing {});
            }
            Err(refusal) => {
                if asked.enters {
                    self.seats.remove(&to);
                }
                self.hub.refusals.refuse(asked.ack, refusal.into());
            }
        }
    }

    fn admit(&mut self, to: Connection, admission: Admission, ack: Option<Ack>) {
        let Some(seated) = self.seats.get_mut(&to) else { return };
        let config = &self.hub.config;
        let id = &admission.me.id;
        if !self.access.contains_key(id)
            && let Some(access) = config.credentials.admit(id.as_str())
        {
            self.access.insert(id.clone(), access);
        }
        let ice_servers = ice::servers(config, &seated.seat.0.found, self.access.get(id));
        let refresh = Instant::now() + config.credential_lifetime / 2;
        seated.member = Some(Member { id: admission.me.id.clone(), refresh });
        self.refresh.get_or_insert(refresh);
        let joined = Joined {
            me: admission.me.into(),
            room: admission.room,
            participants: admission.others.into_iter().map(Into::into).collect(),
            topology: admission.topology,
            ice_servers,
            resume: admission.resume,
            resume_seconds: u32::try_from(config.grace.as_secs()).unwrap_or(u32::MAX),
            resumed: admission.resumed,
            last: admission.last,
        };
        meet(ack, &joined);
    }

    /// Tells all of them the same, encoded once.
    fn tell(&self, to: &[Connection], event: &Event, number: Option<u64>) {
        let seated = to.iter().filter_map(|connection| self.seats.get(connection));
        let clients = seated.map(|seated| &*seated.seat.0);
        let address = &self.key.address;
        if let Some(dialect) = self.dialect {
            let speech = dialect.happened(address.name(), event);
            return translate::tell(&self.hub, address, speech, &clients);
        }
        let Some(event) = event.natively() else { return };
        let packet = encode_event(event.name(), &event, number);
        clients.for_each(|client| client.socket.emit(Arc::clone(&packet)));
    }

    fn answer_in_dialect(&self, to: Connection, reply: Result<&Reply, &Refusal>) {
        let (Some(dialect), Some(seated)) = (self.dialect, self.seats.get(&to)) else { return };
        let (address, client) = (&self.key.address, &*seated.seat.0);
        let scene = || Scene::new(address.name(), &client.socket.id.0, Some(&self.room));
        let speech = match reply {
            Ok(Reply::Admitted(_)) => dialect.entered(&scene()),
            Ok(Reply::Done) => return,
            Err(refusal) => dialect.refused(&scene(), *refusal),
        };
        translate::tell(&self.hub, address, speech, &std::iter::once(client));
    }

    /// Shows in the dialect's list who is in the room, before anybody hears of it.
    fn list_members(&self) {
        if let Some(hall) = self.dialect.and_then(|dialect| self.hub.hall(dialect.name())) {
            hall.seat(self.key.address.name(), self.room.participants().cloned().collect());
        }
    }

    /// Sends fresh credentials to those whose time it is, and notes whose is next.
    fn refresh_credentials(&mut self, now: Instant) {
        let config = &self.hub.config;
        for Seated { seat, member } in self.seats.values_mut() {
            let Some(member) = member else { continue };
            if member.refresh <= now {
                member.refresh = now + config.credential_lifetime / 2;
                let access = self.access.get(&member.id);
                let ice_servers = ice::servers(config, &seat.0.found, access);
                let event = ServerEvent::IceServers(IceServers { ice_servers });
                seat.0.socket.emit(encode_event(event.name(), &event, None));
            }
        }
        let members = self.seats.values().filter_map(|seated| seated.member.as_ref());
        self.refresh = members.map(|member| member.refresh).min();
    }

    /// Closes the room if it is to be closed and nobody is at the door.
    fn closes(&mut self, inbox: &mut Inbox) -> bool {
        while std::mem::take(&mut self.closed) {
            let gone = || {
                self.delist();
                // Not where the server stops: then it is to be as it was.
                if let Some(name) = native_name(&self.key.address) {
                    self.hub.kept.forget(&name);
                }
            };
            match self.hub.directory.close_if_no_mail(&self.key, inbox, gone) {
                None => return true,
                Some(mail) => {
                    self.open_mail(*mail);
                    self.act_on_time();
                }
            }
        }
        false
    }

    /// Takes the room out of the lobby, and its members out of the dialect's list.
    fn delist(&self) {
        self.hub.lobby.remove(&self.key.address, self.key.opener);
        if let Some(hall) = self.dialect.and_then(|dialect| self.hub.hall(dialect.name())) {
            hall.seat(self.key.address.name(), Vec::new());
        }
    }

    async fn return_to_sender(&self, mail: Box<Mail>) {
        match *mail {
            Mail::Enter { .. } => {
                Arc::clone(&self.hub).enter_anew(self.key.address.clone(), mail).await;
            }
            Mail::Ask { ack, .. } => self.hub.refusals.refuse(ack, Refusal::NotJoined.into()),
            Mail::Gone { .. } | Mail::ForgetLog => {}
        }
    }
}

/// What the media server says next; nothing where nobody has a link there.
async fn hear(desk: &mut Option<Desk>) -> Said {
    match desk {
        Some(desk) => desk.hear().await,
        None => std::future::pending().await,
    }
}

/// However the task ends, the name is free again.
impl Drop for RoomTask {
    fn drop(&mut self) {
        self.hub.directory.remove(&self.key, || self.delist());
    }
}
