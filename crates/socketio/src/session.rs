//! Socket.IO session of one client, over its Engine.IO link.

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

/// A client's session, from its handshake to its end.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    revision: Revision,
    /// Socket id of an Engine.IO 3 client, equal to the session id.
    own_id: Option<Arc<str>>,
    link: Link,
    /// Secret session id that an Engine.IO 3 client adopts once connected.
    renewal: Option<Box<str>>,
    presence: Presence,
    partial: Option<Box<Assembly<PacketContent>>>,
    bucket: Bucket,
    events: VecDeque<Event>,
    closed_reported: bool,
}

/// Maximum size of an unknown namespace that is rejected by name, in bytes.
const MAX_UNKNOWN_NAMESPACE_BYTES: usize = 256;

/// An event or acknowledgement without its attachments.
#[derive(Debug)]
struct PacketContent {
    namespace: Namespace,
    id: Option<u64>,
    kind: Kind,
}

/// An event of a session, in order.
#[derive(Debug)]
pub enum Event {
    /// A CONNECT. Reply with [`Session::accept`] or [`Session::reject`] before the next event.
    Connect {
        /// The namespace.
        namespace: Namespace,
        /// The `auth` JSON object.
        auth: Option<Box<RawValue>>,
        /// The required socket id, if determined by the revision.
        own_id: Option<Arc<str>>,
    },
    /// An event of the client.
    Event {
        /// The namespace.
        namespace: Namespace,
        /// The event's name.
        name: String,
        /// The arguments.
        args: Vec<Box<RawValue>>,
        /// Binary data that the arguments refer to.
        attachments: Vec<Bytes>,
        /// Id of the requested acknowledgement.
        ack: Option<u64>,
    },
    /// An acknowledgement by the client.
    Ack {
        /// The namespace.
        namespace: Namespace,
        /// The id.
        id: u64,
        /// The arguments.
        args: Vec<Box<RawValue>>,
        /// Binary data that the arguments refer to.
        attachments: Vec<Bytes>,
    },
    /// The client is disconnected from the namespace, by its DISCONNECT or [`Session::disconnect`].
    /// It may connect again; other namespaces are unaffected.
    Disconnect {
        /// The namespace.
        namespace: Namespace,
    },
    /// The session is over; no events follow.
    Closed(Closed),
}

impl Session {
    /// Creates a session with a pending handshake. `sid` must be unguessable, since it
    /// authenticates the client's requests.
    ///
    /// An Engine.IO 3 client is connected to the main namespace implicitly.
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
            presence: Presence::none(now + config.connect_timeout),
            partial: None,
            bucket: Bucket::new(now),
            events: VecDeque::new(),
            closed_reported: false,
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

    /// Makes a polling Engine.IO 3 client use `secret` in its requests. Its socket id, which other
    /// clients may learn, remains the id of the handshake.
    ///
    /// ```text
    ///   0{"sid":PUBLIC,"upgrades":[]}  40  0{"sid":SECRET,"upgrades":["websocket"]}
    /// ```
    ///
    /// The client adopts the socket id at `40` and the session id at each `0`. Must be called
    /// before the first poll.
    pub fn renew_on_connect(&mut self, secret: &str) {
        if let Some(public) = self.own_id.as_ref().filter(|_| !self.link.is_upgraded()) {
            self.link.withhold_upgrade(&self.config, public);
            self.renewal = Some(secret.into());
        }
    }

    /// Returns whether the session is on a WebSocket for good.
    pub fn is_upgraded(&self) -> bool {
        self.link.is_upgraded()
    }

    /// Returns whether a packet sent now is transmitted immediately. Otherwise it is better kept in
    /// a bounded queue.
    pub fn is_ready(&self) -> bool {
        self.link.is_ready()
    }

    /// Size of an incomplete packet with attachments, in bytes.
    pub fn partial_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.held())
    }

    /// Handles a poll (GET). A second concurrent one closes the session.
    pub fn handle_poll(&mut self) -> Result<(), Rejection> {
        self.link.handle_poll()
    }

    /// Handles the cancellation of the pending poll by the client.
    pub fn handle_poll_gone(&mut self) {
        self.link.handle_poll_gone();
    }

    /// Handles the body of a POST. A malformed body closes the session.
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

    /// Handles the request for a WebSocket to upgrade to.
    pub fn handle_upgrade(&mut self, now: Instant) -> Result<(), Rejection> {
        self.link.handle_upgrade(now, &self.config)
    }

    /// Handles a WebSocket message.
    pub fn handle_websocket(&mut self, now: Instant, message: Message<'_>) {
        if message.len() > self.config.max_payload {
            return self.link.close(Closed::TooLarge);
        }
        self.count(now);
        if let Some(message) = self.link.handle_message(now, &self.config, message) {
            self.handle_message(now, message);
        }
    }

    /// Handles the end of the WebSocket.
    pub fn handle_websocket_gone(&mut self) {
        self.link.handle_websocket_gone();
    }

    /// Handles timeouts that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.link.handle_timeout(now, &self.config);
        if self.link.is_open() && self.presence.deadline().is_some_and(|deadline| now >= deadline) {
            self.link.close(Closed::NeverConnected);
        }
    }

    /// Time of the next [`Session::handle_timeout`]; `None` after the end.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let link = self.link.poll_timeout()?;
        let presence = self.presence.deadline().filter(|_| self.link.is_open());
        Some(presence.map_or(link, |deadline| link.min(deadline)))
    }

    /// Accepts an [`Event::Connect`] with the socket id `sid`, which need not be secret.
    pub fn accept(&mut self, namespace: Namespace, sid: &str) {
        let name = self.config.namespaces.name(namespace);
        self.link.reply(Queued::text(packet::connected(self.revision, &name, sid)));
        if let Some(secret) = self.renewal.take() {
            self.link.renew(&self.config, &secret);
        }
    }

    /// Rejects an [`Event::Connect`] with a message. Events that the client sent to the namespace
    /// since are dropped. It may try again.
    pub fn reject(&mut self, now: Instant, namespace: Namespace, message: &str) {
        let name = self.config.namespaces.name(namespace);
        self.link.reply(Queued::text(packet::rejected(self.revision, &name, message)));
        self.presence.leave(namespace, now + self.config.connect_timeout);
        if self.partial.as_ref().is_some_and(|partial| partial.packet().namespace == namespace) {
            self.partial = None;
        }
        self.events.retain(|event| event.namespace() != Some(namespace));
    }

    /// Sends an encoded Socket.IO packet.
    pub fn send(&mut self, packet: Arc<str>) {
        self.link.send(Queued::Text(packet));
    }

    /// Sends an attachment of the previous packet.
    pub fn send_attachment(&mut self, data: Bytes) {
        self.link.send(Queued::Binary(data));
    }

    /// Disconnects the client from a namespace, after everything sent before. Ends the session if
    /// it was the last namespace.
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

    /// Closes the session immediately.
    pub fn close(&mut self, why: Closed) {
        self.link.close(why);
    }

    /// Returns the next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        if self.events.capacity() > 0 {
            self.events = VecDeque::new();
        }
        let closed = self.link.closed()?;
        (!std::mem::replace(&mut self.closed_reported, true)).then_some(Event::Closed(closed))
    }

    /// Returns the next transmission.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.link.poll_transmit()
    }

    /// Closes the session if the client exceeds its packet rate.
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
        let result = match message {
            Message::Text(text) => self.handle_text(now, text),
            Message::Binary(data) => self.handle_attachment(data.into_owned().into()),
        };
        if let Err(why) = result {
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
            return self.handle_unknown_namespace(&packet);
        };
        match (packet.kind, self.presence.is_in(namespace)) {
            (Kind::Connect(auth), false) => {
                self.handle_connect(namespace, auth);
                Ok(())
            }
            // Connected implicitly.
            (Kind::Connect(_), true) if self.revision == Revision::V3 => Ok(()),
            (Kind::Disconnect, true) => {
                self.presence.leave(namespace, now + self.config.connect_timeout);
                self.events.push_back(Event::Disconnect { namespace });
                Ok(())
            }
            // May cross our rejection or DISCONNECT.
            (Kind::Disconnect, false) => Ok(()),
            (kind @ (Kind::Event(_) | Kind::Ack(_)), true) => {
                let content = PacketContent { namespace, id: packet.id, kind };
                if packet.attachments > 0 {
                    self.partial =
                        Some(Box::new(Assembly::new(content, text.len(), packet.attachments)));
                } else {
                    self.dispatch(content, Vec::new());
                }
                Ok(())
            }
            _ => Err(Closed::Malformed),
        }
    }

    fn handle_connect(&mut self, namespace: Namespace, auth: Option<Box<RawValue>>) {
        self.presence.enter(namespace);
        let name = self.config.namespaces.name(namespace);
        // Engine.IO 3 clients derive their ids the same way.
        let own_id = self.own_id.as_ref().map(|id| match &*name {
            MAIN => Arc::clone(id),
            name => format!("{name}#{id}").into(),
        });
        self.events.push_back(Event::Connect { namespace, auth, own_id });
    }

    /// Handles a packet for an unknown namespace.
    fn handle_unknown_namespace(&mut self, packet: &Packet<'_>) -> Result<(), Closed> {
        match packet.kind {
            Kind::Connect(_) if packet.namespace.len() <= MAX_UNKNOWN_NAMESPACE_BYTES => {
                let rejection =
                    packet::rejected(self.revision, packet.namespace, "Invalid namespace");
                self.link.reply(Queued::text(rejection));
                Ok(())
            }
            Kind::Disconnect => Ok(()),
            _ => Err(Closed::Malformed),
        }
    }

    fn handle_attachment(&mut self, data: Bytes) -> Result<(), Closed> {
        let partial = self.partial.take().ok_or(Closed::Malformed)?;
        match partial.handle_attachment(data, self.config.max_payload) {
            Ok(Assembled::Incomplete(partial)) => self.partial = Some(Box::new(partial)),
            Ok(Assembled::Complete(content, attachments)) => self.dispatch(content, attachments),
            Err(_) => return Err(Closed::TooLarge),
        }
        Ok(())
    }

    fn dispatch(&mut self, content: PacketContent, attachments: Vec<Bytes>) {
        let namespace = content.namespace;
        if !self.presence.is_in(namespace) {
            return;
        }
        match (content.kind, content.id) {
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
    /// The event's namespace; `None` for the end of the session.
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
