//! One client's link: which transport it is on, what waits to be sent, whether it still lives.
//!
//! ```text
//!              upgrade asked        2probe            5
//!   Polling ───────────────► Opened ───────► Probed ─────► WebSocket
//!      ▲                       │  3probe        │
//!      └───────────────────────┴────────────────┘
//!           its WebSocket is gone, or too late
//! ```
//!
//! From `2probe` on polls get nothing but a noop, so that the last poll ends and whatever waits
//! goes out over the WebSocket, in order, or by polling should the upgrade fail.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use serde::Serialize;

use super::{
    heartbeat::{Beat, Heartbeat},
    message::Message,
    packet::Packet,
    payload,
    rejection::Rejection,
    revision::{Revision, TransportKind},
    transmit::{Body, Frame, Queued, Transmit},
};
use crate::{closed::Closed, config::Config};

/// Answers of the protocol's own that may wait.
const MOST_REPLIES: usize = 64;

/// An Engine.IO session without the Socket.IO in it.
#[derive(Debug)]
pub(crate) struct Link {
    revision: Revision,
    transport: Transport,
    poll_waits: bool,
    /// What waits for the transport.
    queue: VecDeque<Queued>,
    /// What is said at once, past the queue.
    urgent: VecDeque<Transmit>,
    heartbeat: Heartbeat,
    phase: Phase,
}

#[derive(Debug, Clone, Copy)]
enum Transport {
    Polling,
    Upgrading { probed: bool, deadline: Instant },
    WebSocket,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Open,
    /// We close it once the queue is out, or at this instant.
    Closing(Instant),
    Closed(Closed),
}

/// The handshake as JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Open<'a> {
    sid: &'a str,
    upgrades: &'a [&'a str],
    ping_interval: u128,
    ping_timeout: u128,
    max_payload: usize,
}

impl Link {
    /// A session whose handshake waits to be sent.
    pub(crate) fn new(
        now: Instant,
        config: &Config,
        revision: Revision,
        kind: TransportKind,
        sid: &str,
    ) -> Self {
        let transport = match kind {
            TransportKind::Polling => Transport::Polling,
            TransportKind::WebSocket => Transport::WebSocket,
        };
        let open = open(config, sid, matches!(kind, TransportKind::Polling));
        Self {
            revision,
            transport,
            poll_waits: false,
            queue: VecDeque::from([open]),
            urgent: VecDeque::new(),
            heartbeat: Heartbeat::new(revision, now, config),
            phase: Phase::Open,
        }
    }

    /// Makes the handshake that waits offer no upgrade: a [renewal](Self::renew) will.
    pub(crate) fn withhold_upgrade(&mut self, config: &Config, sid: &str) {
        if let Some(first) = self.queue.front_mut() {
            *first = open(config, sid, false);
        }
    }

    /// Opens the session once more under another id, which its requests carry from then on.
    pub(crate) fn renew(&mut self, config: &Config, sid: &str) {
        self.queue.push_back(open(config, sid, true));
    }

    /// Why it is closed, if it is.
    pub(crate) fn closed(&self) -> Option<Closed> {
        match self.phase {
            Phase::Closed(why) => Some(why),
            _ => None,
        }
    }

    /// Whether what comes in is still listened to.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Whether the session has left polling for good.
    pub(crate) fn is_upgraded(&self) -> bool {
        matches!(self.transport, Transport::WebSocket)
    }

    /// Whether what is sent now goes out now.
    pub(crate) fn is_ready(&self) -> bool {
        match self.transport {
            Transport::Polling | Transport::Upgrading { probed: false, .. } => self.poll_waits,
            Transport::Upgrading { probed: true, .. } => false,
            Transport::WebSocket => true,
        }
    }

    /// A GET waits for packets.
    pub(crate) fn handle_poll(&mut self) -> Result<(), Rejection> {
        if self.closed().is_some() || self.is_upgraded() {
            return Err(Rejection::BadRequest);
        }
        if self.poll_waits {
            self.close(Closed::Overlap);
            return Err(Rejection::BadRequest);
        }
        self.poll_waits = true;
        if let Transport::Upgrading { probed: true, .. } = self.transport {
            self.release_poll();
        }
        Ok(())
    }

    /// The GET that waited was given up by the client.
    pub(crate) fn handle_poll_gone(&mut self) {
        if std::mem::take(&mut self.poll_waits) {
            self.close(Closed::TransportLost);
        }
    }

    /// Whether a POST may be read now.
    pub(crate) fn handle_post(&self) -> Result<(), Rejection> {
        if !self.is_open() || self.is_upgraded() { Err(Rejection::BadRequest) } else { Ok(()) }
    }

    /// The client opens a WebSocket to upgrade to.
    pub(crate) fn handle_upgrade(
        &mut self,
        now: Instant,
        config: &Config,
    ) -> Result<(), Rejection> {
        if !self.is_open() || !matches!(self.transport, Transport::Polling) {
            return Err(Rejection::BadRequest);
        }
        self.transport =
            Transport::Upgrading { probed: false, deadline: now + config.upgrade_timeout };
        Ok(())
    }

    /// The WebSocket is gone.
    pub(crate) fn handle_websocket_gone(&mut self) {
        match self.transport {
            Transport::Polling => {}
            Transport::Upgrading { .. } => self.transport = Transport::Polling,
            Transport::WebSocket => self.close(Closed::TransportLost),
        }
    }

    /// A WebSocket message came.
    pub(crate) fn handle_message<'a>(
        &mut self,
        now: Instant,
        config: &Config,
        message: Message<'a>,
    ) -> Option<Message<'a>> {
        if !self.is_open() {
            return None;
        }
        let packet = match message {
            Message::Text(text) if self.revision == Revision::V3 => Packet::decode_v3(text),
            Message::Binary(data) if self.revision == Revision::V3 => {
                Packet::decode_v3_binary(data)
            }
            Message::Text(text) => Packet::decode_text(text),
            Message::Binary(data) => Ok(Packet::Binary(data)),
        };
        let Ok(packet) = packet else { return self.handle_unreadable() };
        match (self.transport, packet) {
            (Transport::WebSocket, packet) => self.handle_packet(now, config, packet),
            (Transport::Upgrading { deadline, .. }, Packet::Ping("probe")) => {
                self.transport = Transport::Upgrading { probed: true, deadline };
                let answer = self.frame(Queued::ProbeAnswer);
                self.urgent.push_back(answer);
                self.release_poll();
                None
            }
            (Transport::Upgrading { probed: true, .. }, Packet::Upgrade) => {
                self.release_poll();
                self.transport = Transport::WebSocket;
                None
            }
            _ => {
                self.abandon_upgrade();
                None
            }
        }
    }

    /// What can't be understood ends the upgrade, or the session.
    fn handle_unreadable<T>(&mut self) -> Option<T> {
        match self.transport {
            Transport::Upgrading { .. } => self.abandon_upgrade(),
            Transport::Polling | Transport::WebSocket => self.close(Closed::Malformed),
        }
        None
    }

    /// A packet came, by POST or over the WebSocket.
    pub(crate) fn handle_packet<'a>(
        &mut self,
        now: Instant,
        config: &Config,
        packet: Packet<'a>,
    ) -> Option<Message<'a>> {
        self.heartbeat.handle_packet(now, config);
        match packet {
            Packet::Text(text) => return Some(Message::Text(text)),
            Packet::Binary(data) => return Some(Message::Binary(data)),
            Packet::Close => self.close(Closed::ByClient),
            Packet::Pong(_) | Packet::Noop => {}
            Packet::Ping(_) if self.revision == Revision::V3 => self.reply(Queued::Pong),
            Packet::Open(_) | Packet::Ping(_) | Packet::Upgrade => self.close(Closed::Malformed),
        }
        None
    }

    /// Something is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, config: &Config) {
        if let Transport::Upgrading { deadline, .. } = self.transport
            && now >= deadline
        {
            self.abandon_upgrade();
        }
        match self.phase {
            Phase::Open => match self.heartbeat.handle_timeout(now, config) {
                Some(Beat::Ping) => self.queue.push_back(Queued::Ping),
                Some(Beat::TimedOut) => self.close(Closed::TimedOut),
                None => {}
            },
            Phase::Closing(deadline) if now >= deadline => self.close(Closed::ByServer),
            Phase::Closing(_) | Phase::Closed(_) => {}
        }
    }

    /// When to call [`Link::handle_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Open => self.heartbeat.deadline(),
            Phase::Closing(deadline) => deadline,
            Phase::Closed(_) => return None,
        };
        Some(match self.transport {
            Transport::Upgrading { deadline, .. } => phase.min(deadline),
            _ => phase,
        })
    }

    /// Queues a message.
    pub(crate) fn send(&mut self, message: Queued) {
        if self.is_open() {
            self.queue.push_back(message);
        }
    }

    /// Queues what the protocol itself answers. The application bounds what it sends; this bounds
    /// what a client makes us say without fetching it.
    pub(crate) fn reply(&mut self, message: Queued) {
        if self.queue.len() >= MOST_REPLIES && !self.is_ready() {
            self.close(Closed::TooSlow);
        } else {
            self.send(message);
        }
    }

    /// Closes the session once what waits is sent.
    pub(crate) fn disconnect(&mut self, now: Instant, config: &Config) {
        if !self.is_open() {
            return;
        }
        if !self.is_upgraded() {
            self.queue.push_back(Queued::Close);
        }
        self.phase = Phase::Closing(now + config.close_timeout);
    }

    /// Closes the session at once, saying so to whoever waits.
    pub(crate) fn close(&mut self, why: Closed) {
        if self.closed().is_some() {
            return;
        }
        self.phase = Phase::Closed(why);
        self.queue = VecDeque::new();
        if std::mem::take(&mut self.poll_waits) {
            let last = if why == Closed::ByClient { Packet::Noop } else { Packet::Close };
            let body = self.body([last]);
            self.urgent.push_back(body);
        }
        if !matches!(self.transport, Transport::Polling) {
            self.urgent.push_back(Transmit::CloseWebSocket);
        }
    }

    /// The next thing to send.
    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.urgent.pop_front().or_else(|| self.poll_queue())
    }

    fn poll_queue(&mut self) -> Option<Transmit> {
        match self.transport {
            Transport::WebSocket => match self.queue.pop_front() {
                Some(packet) => Some(self.frame(packet)),
                None => {
                    self.queue = VecDeque::new();
                    self.finish();
                    self.urgent.pop_front()
                }
            },
            Transport::Polling | Transport::Upgrading { probed: false, .. }
                if self.poll_waits && !self.queue.is_empty() =>
            {
                self.poll_waits = false;
                let queue = std::mem::take(&mut self.queue);
                self.finish();
                Some(self.body(queue.iter().map(Queued::packet)))
            }
            _ => None,
        }
    }

    /// The queue is out: a closing session is closed now.
    fn finish(&mut self) {
        if let Phase::Closing(_) = self.phase {
            self.close(Closed::ByServer);
        }
    }

    fn frame(&self, packet: Queued) -> Transmit {
        Transmit::Frame(Frame { revision: self.revision, packet })
    }

    fn body<'a>(&self, packets: impl IntoIterator<Item = Packet<'a>>) -> Transmit {
        Transmit::Poll(Body(payload::encode(self.revision, packets)))
    }

    fn release_poll(&mut self) {
        if std::mem::take(&mut self.poll_waits) {
            let body = self.body([Packet::Noop]);
            self.urgent.push_back(body);
        }
    }

    fn abandon_upgrade(&mut self) {
        if let Transport::Upgrading { .. } = self.transport {
            self.transport = Transport::Polling;
            self.urgent.push_back(Transmit::CloseWebSocket);
        }
    }
}

/// A handshake.
fn open(config: &Config, sid: &str, may_upgrade: bool) -> Queued {
    let open = Open {
        sid,
        upgrades: if may_upgrade { &["websocket"] } else { &[] },
        ping_interval: config.ping_interval.as_millis(),
        ping_timeout: config.ping_timeout.as_millis(),
        max_payload: config.max_payload,
    };
    Queued::Open(serde_json::to_string(&open).unwrap_or_default().into())
}

impl Queued {
    pub(crate) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }
}
