//! The task of one room: messages in, effects out.

mod clustered;
mod giving;
mod late;

use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, atomic::Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use room::{
    Admission, Connection, Effect, Event, Rejection, Reply, Request, Room, Unkept,
    protocol::{Dismissal, DismissedEvent, ErrorBody, ErrorCode, Joined, ServerEvent},
};
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    ack::{Empty, ack_ok},
    details::RoomDetails,
    directory::RoomKey,
    frozen_room::FrozenRoom,
    history::{History, Moment},
    hub::{Hub, NewTask, native_name},
    keeping::Keeping,
    kept::{Unsaved, Writing},
    lasting,
    operating::{Done, OperateError, Operated, Operating},
    pending_reply::PendingReply,
    refusal_log,
    room_client::RoomClient,
    room_dialect::RoomDialect,
    room_message::{RoomMessage, RoomReceiver},
    room_relay::RoomRelay,
    sfu_message::SfuMessage,
    sfu_port::{MediaServer, SfuPort},
    visits::{FrozenVisits, Visits},
};
use crate::{
    socketio::{Ack, encode_event},
    store::Store,
    webhooks::RoomEvents,
};

/// One room and its clients.
pub(super) struct RoomTask {
    hub: Arc<Hub>,
    key: RoomKey,
    dialect: RoomDialect,
    room: Room,
    clients: HashMap<Connection, RoomClient>,
    /// Port to the media server, opened by the first message to it.
    sfu: Option<SfuPort>,
    relay: RoomRelay,
    history: History,
    visits: Visits,
    /// Answer to a decision that must last, which is to be kept first.
    decided: Option<Ack>,
    closed: bool,
    /// The next process has the room: this one changes it no more.
    frozen: bool,
    /// Log of a room in a cluster.
    keeping: Option<Box<Keeping>>,
    /// Another node of the cluster owns the room.
    fenced: bool,
    /// The server drains, and asked for the room to be given to another node.
    given: Option<oneshot::Sender<bool>>,
}

impl RoomTask {
    /// Spawns the task of a new room, or of one in which a call goes on.
    pub(super) fn spawn(hub: Arc<Hub>, task: NewTask) {
        let NewTask { key, room, visits, call, links, keeping, receiver } = task;
        let runtime = hub.runtime.clone();
        let mut task = Self::new(hub, key, room, visits);
        task.keeping = keeping;
        let media = task.hub.config.media.as_ref().zip(links);
        task.sfu = media.map(|(media, links)| {
            media.reopen(links.of(|id| task.room.has(id)), task.room.newest())
        });
        if let Some(call) = call {
            task.history.resume(Instant::now(), call);
        }
        runtime.spawn(task.run(receiver));
    }

    fn new(hub: Arc<Hub>, key: RoomKey, room: Room, visits: Option<FrozenVisits>) -> Self {
        let dialect = RoomDialect::of(&key.address);
        let history = match (dialect.is_native(), hub.config.records_calls) {
            (true, true) => History::new(hub.config.store.clone(), key.address.name()),
            (true, false) => History::new(Store::none(), key.address.name()),
            (false, _) => History::without_samples(key.address.name()),
        };
        let events = match dialect.is_native() {
            true => hub.config.events.clone(),
            false => RoomEvents::none(),
        };
        let visits = match visits {
            Some(frozen) => Visits::restore(events, frozen, &room),
            None => Visits::begin(events, Self::moment().milliseconds(), &room),
        };
        let present = room.participants().map(|participant| &participant.id);
        let relay = RoomRelay::restore(&hub.config.credentials, present);
        Self {
            history,
            visits,
            hub,
            key,
            dialect,
            room,
            clients: HashMap::new(),
            sfu: None,
            relay,
            decided: None,
            closed: false,
            frozen: false,
            keeping: None,
            fenced: false,
            given: None,
        }
    }

    /// Hands over what is to survive a restart, and has a decision answered once it is written.
    fn keep(&mut self) {
        // In a cluster the log has it.
        if self.keeping.is_some() {
            return;
        }
        match self.decided.take() {
            Some(ack) => {
                let writing = self.write_decision();
                lasting::answer(&self.hub, ack, writing);
            }
            None => {
                // Nearly always there is nothing.
                if let Some(unkept) = self.room.take_unkept() {
                    self.hand_over(Some(unkept));
                }
            }
        }
    }

    /// Begins to write a decision, and whatever else is not written.
    fn write_decision(&mut self) -> Writing {
        let unkept = self.room.take_unkept();
        let unsaved = self.hand_over(unkept);
        match native_name(&self.key.address) {
            Some(name) => self.hub.kept.write(&name, unsaved),
            None => Writing::Over(Ok(())),
        }
    }

    /// Returns what is to be written.
    fn hand_over(&self, unkept: Option<Unkept>) -> Unsaved {
        let Some(name) = native_name(&self.key.address) else { return Unsaved::Nothing };
        let kept = &self.hub.kept;
        if self.room.has_ended() {
            return kept.forget(&name);
        }
        let Some(Unkept { state, chat }) = unkept else { return kept.unsaved(&name) };
        let unsaved = state.map(|state| kept.keep(&name, state));
        kept.add_chat(&name, &chat);
        unsaved.unwrap_or_else(|| kept.unsaved(&name))
    }

    fn freeze(&mut self, sender: oneshot::Sender<FrozenRoom>) {
        self.keep();
        if let Some(room) = self.room.snapshot(Instant::now().into_std()) {
            self.frozen = true;
            // The receiver waits until the process ends.
            let (visits, call) = (self.visits.freeze(), self.history.freeze(Instant::now()));
            let _ = sender.send(FrozenRoom::new(self.key.opener, room, visits, call));
        }
    }

    /// Runs until the room closes.
    async fn run(mut self, mut receiver: RoomReceiver) {
        self.apply_effects(PendingReply::default());
        self.keep();
        self.report_log();
        let mut timer = std::pin::pin!(sleep_until(Instant::now()));
        while !self.fenced && !self.try_close(&mut receiver) {
            let armed = self.arm(timer.as_mut());
            tokio::select! {
                biased;
                message = receiver.recv() => match message {
                    Some(message) => {
                        self.handle(*message);
                        if self.frozen {
                            return pending().await;
                        }
                    }
                    None => break,
                },
                message = next_sfu_message(&mut self.sfu) => self.handle_sfu_message(message),
                () = clustered::wait(&mut self.keeping) => {}
                () = &mut timer, if armed => {}
            }
            self.handle_timeouts();
            self.keep_links();
            self.apply_kept();
            self.keep();
            if let Some(given) = self.given.take()
                && self.give(given).await
            {
                return self.follow(receiver).await;
            }
        }
        if self.fenced {
            self.yield_room(&mut receiver);
        } else if let Some(keeping) = self.keeping.take() {
            keeping.close().await;
        }
        // Messages of senders that found the room before it closed.
        while let Some(message) = receiver.recv().await {
            self.handle_late(message).await;
        }
    }

    /// Arms the timer; `false` if nothing is due. A timer that fires too early is left alone, which
    /// costs less than resetting it after each message.
    fn arm(&self, timer: std::pin::Pin<&mut Sleep>) -> bool {
        let room = self.room.poll_timeout().map(Instant::from_std);
        let links = self.sfu.as_ref().and_then(SfuPort::poll_timeout);
        let other = self.relay.poll_timeout().into_iter().chain(self.history.poll_timeout());
        let other = other.chain(links);
        let Some(due) = room.into_iter().chain(other).min() else { return false };
        if due < timer.deadline() || timer.is_elapsed() {
            timer.reset(due);
        }
        true
    }

    fn handle_timeouts(&mut self) {
        let now = Instant::now();
        if self.room.poll_timeout().is_some_and(|due| due <= now.into_std()) {
            self.room.handle_timeout(now.into_std());
            self.apply_effects(PendingReply::default());
            self.report_log();
        }
        if self.history.poll_timeout().is_some_and(|due| due <= now) {
            let busy = self.hub.config.media.as_ref().map(MediaServer::busy_permille);
            self.history.handle_timeout(Self::moment(), busy);
        }
        self.relay.handle_timeout(now, &self.hub.config, &mut self.clients);
        self.sfu.iter_mut().for_each(|sfu| sfu.handle_timeout(now));
    }

    fn handle(&mut self, message: RoomMessage) {
        let now = Instant::now().into_std();
        match message {
            RoomMessage::Enter { guard, request, ack, guess, since, .. } => {
                let from = guard.0.connection;
                // A client that is already in stays in, whatever the reply.
                let before = self.clients.remove(&from);
                let enters = before.is_none();
                let member = before.and_then(|client| client.member);
                self.clients.insert(from, RoomClient::new(guard, member));
                self.room.handle(now, from, request);
                self.list_members();
                self.apply_effects(PendingReply {
                    ack,
                    enters,
                    guess,
                    since: Some(since),
                    ..PendingReply::default()
                });
            }
            RoomMessage::Request { from, request: Request::Sfu(_), ack }
                if !self.can_reach_sfu(from) =>
            {
                let message = "the media server is busy; try again later";
                self.hub.rejections.reject(ack, ErrorBody::new(ErrorCode::ServerFull, message));
            }
            RoomMessage::Request { from, request, ack } => {
                let (leaves, must_last) = (matches!(request, Request::Leave), request.must_last());
                self.room.handle(now, from, request);
                if leaves {
                    self.list_members();
                }
                let pending = PendingReply { ack, leaves, must_last, ..PendingReply::default() };
                self.apply_effects(pending);
            }
            RoomMessage::Report { from, report } => {
                let member = self.clients.get(&from).and_then(|client| client.member.as_ref());
                if let Some(member) = member {
                    self.history.on_report(&member.id, *report);
                }
            }
            RoomMessage::Gone { connection, departure } => {
                self.room.handle_gone(now, connection, departure);
                self.clients.remove(&connection);
                self.list_members();
                self.apply_effects(PendingReply::default());
            }
            RoomMessage::Operate { operating, done } => {
                let _ = done.send(self.operate(now, operating));
            }
            RoomMessage::Describe(sender) => {
                let _ = sender.send(self.details());
            }
            RoomMessage::ForgetLog => self.room.trim_log_to(0),
            RoomMessage::LeaveNode(node) => self.leave_node(node),
            RoomMessage::Give(given) => self.given = Some(given),
            RoomMessage::Freeze(sender) => self.freeze(sender),
        }
        self.report_log();
    }

    /// Reports the size of the log, by a plain store, so that the memory budget is summed without
    /// asking the rooms.
    fn report_log(&self) {
        self.key.log_bytes.store(self.room.log_bytes(), Ordering::Relaxed);
    }

    fn operate(&mut self, now: std::time::Instant, operating: Operating) -> Operated {
        let Operating { operation, revision } = operating;
        let must_last = operation.must_last();
        if revision.is_some_and(|revision| revision != self.revision()) {
            return Err(OperateError::Changed);
        }
        let reply = self.room.operate(now, operation).map_err(OperateError::Rejected)?;
        self.list_members();
        let writing = if self.keeping.is_some() {
            self.hold_operation(must_last || matches!(reply, Reply::Invited(_)))
        } else {
            self.apply_effects(PendingReply::default());
            if must_last { self.write_decision() } else { Writing::Over(Ok(())) }
        };
        Ok(Done { revision: self.revision(), reply, writing })
    }

    /// Identifies the state of the settings, over restarts, too.
    fn revision(&self) -> String {
        format!("{}-{}", self.visits.id(), self.room.revision())
    }

    fn details(&self) -> RoomDetails {
        RoomDetails::of(&self.room, &self.visits, &self.history, self.revision())
    }

    /// Applies the room's effects. In a cluster they wait for the log.
    fn apply_effects(&mut self, mut pending: PendingReply) {
        if self.keeping.is_some() {
            let must_keep = pending.must_last;
            return self.hold_effects(pending, must_keep, None);
        }
        while let Some(effect) = self.room.poll_effect() {
            self.apply(effect, &mut pending);
        }
    }

    fn apply(&mut self, effect: Effect, pending: &mut PendingReply) {
        match effect {
            Effect::Reply { to, reply } => self.reply(to, reply, std::mem::take(pending)),
            Effect::Send { to, event, number } => self.send_event(&to, &event, number),
            Effect::Sfu { from, permitted, message } => {
                let door = self.door_of(&from);
                if let Some(sfu) = &mut self.sfu {
                    sfu.send(&from, door, permitted, message);
                }
            }
            Effect::Unlink(id) => {
                if let Some(sfu) = &mut self.sfu {
                    sfu.unlink(&id);
                }
            }
            Effect::Admit { to, admission } => self.admit_from_waiting_room(to, *admission),
            Effect::Dismiss { to, reason } => self.dismiss(to, reason),
            Effect::Detach(connection) => drop(self.clients.remove(&connection)),
            Effect::Summary(summary) => {
                let present = self.room.participants();
                let present = present.map(|present| (&present.id, present.name.as_str()));
                self.history.update(Self::moment(), present);
                self.visits.update(Self::moment().milliseconds(), &self.room);
                self.hub.lobby.update(&self.key.address, self.key.opener, summary);
                // Each leave changes the summary.
                self.relay.revoke_departed(self.room.participants());
            }
            Effect::Closed => self.closed = true,
        }
    }

    /// Returns whether the media server accepts a message of this connection now. Also `true` if
    /// the room itself will reject the message.
    fn can_reach_sfu(&mut self, from: Connection) -> bool {
        if self.sfu.is_none() {
            let newest = self.room.newest();
            self.sfu = self.hub.config.media.as_ref().map(|media| media.open(newest));
        }
        let client = self.clients.get(&from);
        let member = client.and_then(|client| Some((client.member.as_ref()?, client.door())));
        let sfu = self.sfu.as_ref().zip(member);
        sfu.is_none_or(|(sfu, (member, door))| sfu.can_send(&member.id, door))
    }

    fn handle_sfu_message(&mut self, message: SfuMessage) {
        let now = Instant::now().into_std();
        match message {
            SfuMessage::To(id, message) => self.room.handle_sfu(now, &id, message),
            SfuMessage::Interrupted(id, interrupted) => {
                self.room.handle_interrupted(now, &id, interrupted);
            }
            SfuMessage::Speakers(speakers) => self.room.handle_speakers(speakers),
            SfuMessage::Quality(links) => {
                for (id, link, transport) in links {
                    self.history.on_link(&id, link, transport);
                }
                return;
            }
            SfuMessage::Lost(id, gone) => self.handle_lost_link(&id, gone),
            SfuMessage::Stale => return,
        }
        self.apply_effects(PendingReply::default());
        self.report_log();
    }

    fn moment() -> Moment {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { now: Instant::now(), unix }
    }

    fn reply(&mut self, to: Connection, reply: Result<Reply, Rejection>, pending: PendingReply) {
        if let (Some(guess), Err(rejection)) = (pending.guess, &reply)
            && rejection.is_wrong_guess()
        {
            guess.was_wrong();
        }
        if let Some(client) = self.clients.get(&to) {
            let (feeds, address) = (&self.hub.room_lists, &self.key.address);
            self.dialect.reply(feeds, address, &self.room, &client.guard.0, reply.as_ref());
        }
        match reply {
            Ok(Reply::Admitted(_)) if !self.dialect.is_native() => {}
            Ok(Reply::Admitted(admission)) => {
                let since = pending.since.into_iter();
                since.for_each(|since| self.hub.counters.room_joined(since.elapsed()));
                self.admit(to, *admission, pending.ack);
            }
            Ok(Reply::Invited(made)) => ack_ok(pending.ack, &made),
            Ok(Reply::Invitations(list)) => ack_ok(pending.ack, &list),
            Ok(Reply::Done) => {
                if pending.leaves {
                    self.clients.remove(&to);
                }
                if pending.must_last {
                    self.decided = pending.ack;
                } else {
                    ack_ok(pending.ack, &Empty {});
                }
            }
            Err(rejection) => {
                // Whoever waits remains a client of the room, without being a member.
                let error = ErrorBody::from(rejection);
                if pending.enters
                    && rejection != Rejection::Waiting
                    && let Some(client) = self.clients.remove(&to)
                {
                    let from = client.guard.0.prefix;
                    refusal_log::log(error.code, self.key.address.name(), None, from);
                }
                self.hub.rejections.reject(pending.ack, error);
            }
        }
    }

    fn admit_from_waiting_room(&mut self, to: Connection, admission: Admission) {
        let Some(joined) = self.joined(to, admission) else { return };
        self.emit(to, &ServerEvent::Admitted(Box::new(joined)));
    }

    /// Tells a client that it is out and ends its membership.
    fn dismiss(&mut self, to: Connection, reason: Dismissal) {
        self.emit(to, &ServerEvent::Dismissed(DismissedEvent { reason }));
        self.clients.remove(&to);
    }

    fn emit(&self, to: Connection, event: &ServerEvent) {
        if let Some(client) = self.clients.get(&to) {
            client.guard.0.socket.emit(encode_event(event.name(), event, None));
        }
    }

    fn admit(&mut self, to: Connection, admission: Admission, ack: Option<Ack>) {
        if let Some(joined) = self.joined(to, admission) {
            ack_ok(ack, &joined);
        }
    }

    /// Makes a client a member, with relay access of its own. Returns its reply.
    fn joined(&mut self, to: Connection, admission: Admission) -> Option<Joined> {
        let instance = self.instance(to, &admission.me.id);
        let client = self.clients.get_mut(&to)?;
        let config = &self.hub.config;
        let ice_servers = self.relay.admit(Instant::now(), config, client, &admission.me.id);
        Some(Joined {
            me: admission.me.into(),
            room: admission.room,
            participants: admission.others.into_iter().map(Into::into).collect(),
            topology: admission.topology,
            policy: admission.policy,
            waiting: admission.waiting,
            spotlight: admission.spotlight,
            metadata: admission.metadata,
            chat: admission.chat,
            polls: admission.polls,
            ice_servers,
            resume: admission.resume,
            resume_seconds: u32::try_from(config.grace.as_secs()).unwrap_or(u32::MAX),
            max_file_bytes: Some(self.hub.defaults.load().max_file_bytes),
            instance,
            resumed: admission.resumed,
            last: admission.last,
        })
    }

    /// Sends an event, encoded once.
    fn send_event(&self, to: &[Connection], event: &Event, number: Option<u64>) {
        let client = to.iter().filter_map(|connection| self.clients.get(connection));
        let clients = client.filter(|it| it.takes(event, number)).map(|client| &*client.guard.0);
        let address = &self.key.address;
        if !self.dialect.is_native() {
            return self.dialect.send_event(&self.hub.room_lists, address, event, &clients);
        }
        let Some(event) = event.to_native() else { return };
        let packet = encode_event(event.name(), &event, number);
        clients.for_each(|client| client.socket.emit(Arc::clone(&packet)));
    }

    /// Updates the members in the dialect's room list, before events are sent.
    fn list_members(&self) {
        let members = self.room.participants();
        self.dialect.list(&self.hub.room_lists, &self.key.address, members);
    }

    /// Closes the room if it asked to be closed and no message is queued.
    fn try_close(&mut self, receiver: &mut RoomReceiver) -> bool {
        // Replies that wait for the log come first.
        if self.keeping.as_ref().is_some_and(|keeping| keeping.is_holding()) {
            return false;
        }
        while std::mem::take(&mut self.closed) {
            // In a cluster somebody may have joined while the log was written. The room asks again
            // when it is empty.
            if self.keeping.is_some() && self.room.participants().next().is_some() {
                return false;
            }
            let gone = || {
                self.delist();
                // A stopping server keeps the settings for the next start.
                if let Some(name) = native_name(&self.key.address) {
                    self.hub.kept.forget(&name);
                }
            };
            match self.hub.directory.close_if_idle(&self.key, receiver, gone) {
                None => return true,
                Some(message) => {
                    self.handle(*message);
                    self.handle_timeouts();
                }
            }
        }
        false
    }

    /// Removes the room from the lobby and its members from the dialect's room list.
    fn delist(&self) {
        self.hub.lobby.remove(&self.key.address, self.key.opener);
        self.dialect.list(&self.hub.room_lists, &self.key.address, std::iter::empty());
    }
}

/// Waits for the next message from the media server; forever without a port.
async fn next_sfu_message(sfu: &mut Option<SfuPort>) -> SfuMessage {
    match sfu {
        Some(sfu) => sfu.next().await,
        None => pending().await,
    }
}

/// Frees the address, however the task ends.
impl Drop for RoomTask {
    fn drop(&mut self) {
        self.hub.directory.remove(&self.key, || self.delist());
        // The next process goes on with a frozen room's call.
        if !self.frozen {
            self.history.end(Self::moment());
            self.visits.end(Self::moment().milliseconds(), &self.room);
        }
    }
}
