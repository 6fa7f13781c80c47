//! One client's session: Socket.IO over its Engine.IO link.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::{
    assembly::{Assembled, Assembly},
    closed::Closed,
    config::Config,
    engine::{Link, Message, Queued, Rejection, Revision, Transmit, TransportKind, payload},
    namespaces::{MAIN, Namespace, Presence},
    packet::{self, Kind, Packet},
    rate::Bucket,
};

/// A client, from its handshake until it is gone.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    revision: Revision,
    /// The id by which a client of Engine.IO 3 knows itself: that of the session.
    own_id: Option<Arc<str>>,
    link: Link,
    /// The id that requests of an Engine.IO 3 client are to carry once it is connected.
    renewal: Option<Box<str>>,
    presence: Presence,
    partial: Option<Box<Assembly<Whole>>>,
    bucket: Bucket,
    events: VecDeque<Event>,
    told_closed: bool,
}

/// Bytes of a namespace that is worth an answer.
const MOST_NAMESPACE: usize = 256;

/// An event or acknowledgement without its attachments.
#[derive(Debug)]
struct Whole {
    namespace: Namespace,
    id: Option<u64>,
    kind: Kind,
}

/// What happened, in order.
#[derive(Debug)]
pub enum Event {
    /// The client asks to connect: answer by [`Session::accept`] or [`Session::refuse`] before
    /// the next event.
    Connect {
        /// Where.
        namespace: Namespace,
        /// What it says of itself: a JSON object.
        auth: Option<Box<RawValue>>,
        /// The id it must be accepted by, where its revision leaves no choice.
        own_id: Option<Arc<str>>,
    },
    /// It emitted an event.
    Event {
        /// Where.
        namespace: Namespace,
        /// The event's name.
        name: String,
        /// Its arguments.
        args: Vec<Box<RawValue>>,
        /// The binary data its arguments refer to.
        attachments: Vec<Bytes>,
        /// The acknowledgement it asks for.
        ack: Option<u64>,
    },
    /// It acknowledges what was sent with this id.
    Ack {
        /// Where.
        namespace: Namespace,
        /// The id.
        id: u64,
        /// The answer.
        args: Vec<Box<RawValue>>,
        /// The binary data its arguments refer to.
        attachments: Vec<Bytes>,
    },
    /// It is no longer connected there, as it said or [`Session::disconnect`] did, and may connect
    /// again. What else it is connected to goes on.
    Disconnect {
        /// Where.
        namespace: Namespace,
    },
    /// The session is over; nothing follows.
    Closed(Closed),
}

impl Session {
    /// A session that begins on a transport; its handshake waits to be sent. `sid` must be
    /// unguessable, since who knows it can speak for the client.
    ///
    /// A client of Engine.IO 3 asks to connect by being there.
    pub fn new(
        now: Instant,
        config: Arc<Config>,
        revision: Revision,
        kind: TransportKind,
        sid: &str,
    ) -> Self {
        let mut session = Self {
            link: Link::new(now, &config, revision, kind, sid),
            revision,
            own_id: (revision == Revision::V3).then(|| sid.into()),
            renewal: None,
            presence: Presence::nowhere(now + config.connect_timeout),
            partial: None,
            bucket: Bucket::new(now),
            events: VecDeque::new(),
            told_closed: false,
            config,
        };
        #[cfg(feature = "conformance")]
        if session.config.echo {
            if let Some(main) = session.config.namespaces.find(MAIN) {
                session.presence.enter(main);
            }
            return session;
        }
        if revision == Revision::V3
            && let Some(main) = session.config.namespaces.find(MAIN)
        {
            session.handle_connect(main, None);
        }
        session
    }

    /// Has a client of Engine.IO 3 that polls use `secret` in its requests, while it goes on to know
    /// itself by the id that the session began with and that others are told.
    ///
    /// ```text
    ///   0{"sid":PUBLIC,"upgrades":[]}  40  0{"sid":SECRET,"upgrades":["websocket"]}
    /// ```
    ///
    /// The client takes its socket's id at `40` and the id for its requests at each `0`.
    /// Call it before the first poll.
    pub fn renew_on_connect(&mut self, secret: &str) {
        if let Some(public) = self.own_id.as_ref().filter(|_| !self.link.is_upgraded()) {
            self.link.withhold_upgrade(&self.config, public);
            self.renewal = Some(secret.into());
        }
    }

    /// Whether the session has left polling for good, or never was there.
    pub fn is_upgraded(&self) -> bool {
        self.link.is_upgraded()
    }

    /// Whether what is sent now goes out now. Where it isn't, what waits is better kept where it
    /// is bounded.
    pub fn is_ready(&self) -> bool {
        self.link.is_ready()
    }

    /// Bytes of a packet whose attachments have not all come.
    pub fn partial_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.held())
    }

    /// A GET waits for packets. A second one at once closes the session.
    pub fn handle_poll(&mut self) -> Result<(), Rejection> {
        self.link.handle_poll()
    }

    /// The client gave up the GET that waited.
    pub fn handle_poll_gone(&mut self) {
        self.link.handle_poll_gone();
    }

    /// A POST brought packets. A body that can't be read closes the session.
    pub fn handle_post(&mut self, now: Instant, body: &[u8]) -> Result<(), Rejection> {
        self.link.handle_post()?;
        if body.len() > self.config.max_payload {
            self.link.close(Closed::TooLarge);
            return Err(Rejection::TooLarge);
        }
        let Ok(packets) = payload::decode(self.revision, body) else {
            self.link.close(Closed::Malformed);
            return Err(Rejection::Malformed);
        };
        for packet in packets {
            match packet {
                Ok(packet) => {
                    self.count(now);
                    if let Some(message) = self.link.handle_packet(now, &self.config, packet) {
                        self.handle_message(now, message);
                    }
                }
                Err(_) => self.link.close(Closed::Malformed),
            }
            match self.link.closed() {
                None => {}
                Some(Closed::ByClient) => break,
                Some(_) => return Err(Rejection::Malformed),
            }
        }
        Ok(())
    }

    /// The client asks for a WebSocket to upgrade to.
    pub fn handle_upgrade(&mut self, now: Instant) -> Result<(), Rejection> {
        self.link.handle_upgrade(now, &self.config)
    }

    /// A WebSocket message came.
    pub fn handle_websocket(&mut self, now: Instant, message: Message<'_>) {
        if message.len() > self.config.max_payload {
            return self.link.close(Closed::TooLarge);
        }
        self.count(now);
        if let Some(message) = self.link.handle_message(now, &self.config, message) {
            self.handle_message(now, message);
        }
    }

    /// The WebSocket is gone.
    pub fn handle_websocket_gone(&mut self) {
        self.link.handle_websocket_gone();
    }

    /// Something is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.link.handle_timeout(now, &self.config);
        if self.link.is_open() && self.presence.deadline().is_some_and(|deadline| now >= deadline) {
            self.link.close(Closed::NeverConnected);
        }
    }

    /// When to call [`Session::handle_timeout`]; none after the end.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let link = self.link.poll_timeout()?;
        let presence = self.presence.deadline().filter(|_| self.link.is_open());
        Some(presence.map_or(link, |deadline| link.min(deadline)))
    }

    /// Answers [`Event::Connect`]: from now on the client knows itself there as `sid`, which others
    /// may know too.
    pub fn accept(&mut self, namespace: Namespace, sid: &str) {
        let name = self.config.namespaces.name(namespace);
        self.link.reply(Queued::text(packet::connected(self.revision, &name, sid)));
        if let Some(secret) = self.renewal.take() {
            self.link.renew(&self.config, &secret);
        }
    }

    /// Answers [`Event::Connect`]: the client may not connect there, and why. What it said there
    /// since is dropped; it may try again.
    pub fn refuse(&mut self, now: Instant, namespace: Namespace, message: &str) {
        let name = self.config.namespaces.name(namespace);
        self.link.reply(Queued::text(packet::refused(self.revision, &name, message)));
        self.presence.leave(namespace, now + self.config.connect_timeout);
        if self.partial.as_ref().is_some_and(|partial| partial.packet().namespace == namespace) {
            self.partial = None;
        }
        self.events.retain(|event| event.namespace() != Some(namespace));
    }

    /// Sends a Socket.IO packet, encoded already.
    pub fn send(&mut self, packet: Arc<str>) {
        self.link.send(Queued::Text(packet));
    }

    /// Sends an attachment of the packet before.
    pub fn send_attachment(&mut self, data: Bytes) {
        self.link.send(Queued::Binary(data));
    }

    /// Disconnects the client there, after what was sent before. If it is connected to nothing
    /// else, that ends the session.
    pub fn disconnect(&mut self, now: Instant, namespace: Namespace) {
        if self.presence.is_in(namespace) {
            let name = self.config.namespaces.name(namespace);
            self.link.send(Queued::text(packet::disconnected(&name)));
            self.presence.leave(namespace, now + self.config.connect_timeout);
            if self.presence.deadline().is_none() {
                self.events.retain(|event| event.namespace() != Some(namespace));
                return self.events.push_back(Event::Disconnect { namespace });
            }
        }
        if self.presence.deadline().is_some() {
            self.link.disconnect(now, &self.config);
        }
    }

    /// Closes the session at once.
    pub fn close(&mut self, why: Closed) {
        self.link.close(why);
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        if self.events.capacity() > 0 {
            self.events = VecDeque::new();
        }
        let closed = self.link.closed()?;
        (!std::mem::replace(&mut self.told_closed, true)).then_some(Event::Closed(closed))
    }

    /// The next thing to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.link.poll_transmit()
    }

    fn count(&mut self, now: Instant) {
        if !self.bucket.take(now, self.config.rate) {
            self.link.close(Closed::TooFast);
        }
    }

    fn handle_message(&mut self, now: Instant, message: Message<'_>) {
        #[cfg(feature = "conformance")]
        if self.config.echo {
            return self.link.send(match message {
                Message::Text(text) => Queued::text(text.to_owned()),
                Message::Binary(data) => Queued::Binary(data.into_owned().into()),
            });
        }
        let understood = match message {
            Message::Text(text) => self.handle_text(now, text),
            Message::Binary(data) => self.handle_attachment(data.into_owned().into()),
        };
        if let Err(why) = understood {
            self.link.close(why);
        }
    }

    fn handle_text(&mut self, now: Instant, text: &str) -> Result<(), Closed> {
        if self.partial.is_some() {
            return Err(Closed::Malformed);
        }
        let packet =
            Packet::decode(text, self.config.max_attachments).map_err(|_| Closed::Malformed)?;
        let Some(namespace) = self.config.namespaces.find(packet.namespace) else {
            return self.handle_foreign(&packet);
        };
        match (packet.kind, self.presence.is_in(namespace)) {
            (Kind::Connect(auth), false) => {
                self.handle_connect(namespace, auth);
                Ok(())
            }
            // It was connected before it could ask.
            (Kind::Connect(_), true) if self.revision == Revision::V3 => Ok(()),
            (Kind::Disconnect, true) => {
                self.presence.leave(namespace, now + self.config.connect_timeout);
                self.events.push_back(Event::Disconnect { namespace });
                Ok(())
            }
            // It may have crossed a refusal or a DISCONNECT of ours.
            (Kind::Disconnect, false) => Ok(()),
            (kind @ (Kind::Event(_) | Kind::Ack(_)), true) => {
                let whole = Whole { namespace, id: packet.id, kind };
                if packet.attachments > 0 {
                    self.partial =
                        Some(Box::new(Assembly::new(whole, text.len(), packet.attachments)));
                } else {
                    self.tell(whole, Vec::new());
                }
                Ok(())
            }
            _ => Err(Closed::Malformed),
        }
    }

    fn handle_connect(&mut self, namespace: Namespace, auth: Option<Box<RawValue>>) {
        self.presence.enter(namespace);
        let name = self.config.namespaces.name(namespace);
        // Clients of Engine.IO 3 make their ids so themselves.
        let own_id = self.own_id.as_ref().map(|id| match &*name {
            MAIN => Arc::clone(id),
            name => format!("{name}#{id}").into(),
        });
        self.events.push_back(Event::Connect { namespace, auth, own_id });
    }

    /// Clients are told which namespaces there are not.
    fn handle_foreign(&mut self, packet: &Packet<'_>) -> Result<(), Closed> {
        match packet.kind {
            Kind::Connect(_) if packet.namespace.len() <= MOST_NAMESPACE => {
                let refusal = packet::refused(self.revision, packet.namespace, "Invalid namespace");
                self.link.reply(Queued::text(refusal));
                Ok(())
            }
            Kind::Disconnect => Ok(()),
            _ => Err(Closed::Malformed),
        }
    }

    fn handle_attachment(&mut self, data: Bytes) -> Result<(), Closed> {
        let partial = self.partial.take().ok_or(Closed::Malformed)?;
        match partial.handle_attachment(data, self.config.max_payload) {
            Ok(Assembled::Partly(partial)) => self.partial = Some(Box::new(partial)),
            Ok(Assembled::Wholly(whole, attachments)) => self.tell(whole, attachments),
            Err(_) => return Err(Closed::TooLarge),
        }
        Ok(())
    }

    fn tell(&mut self, whole: Whole, attachments: Vec<Bytes>) {
        let namespace = whole.namespace;
        if !self.presence.is_in(namespace) {
            return;
        }
        match (whole.kind, whole.id) {
            (Kind::Event(packet::Event { name, args }), ack) => {
                self.events.push_back(Event::Event { namespace, name, args, attachments, ack });
            }
            (Kind::Ack(args), Some(id)) => {
                self.events.push_back(Event::Ack { namespace, id, args, attachments });
            }
            _ => {}
        }
    }
}

impl Event {
    /// Where it happened; nowhere, if it is the end of all.
    fn namespace(&self) -> Option<Namespace> {
        match self {
            Self::Connect { namespace, .. }
            | Self::Event { namespace, .. }
            | Self::Ack { namespace, .. }
            | Self::Disconnect { namespace } => Some(*namespace),
            Self::Closed(_) => None,
        }
    }
}
