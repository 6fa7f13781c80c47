//! Engine.IO link of one client: transport, send queue and heartbeat.
//!
//! ```text
//!             upgrade request       2probe            5
//!   Polling ───────────────► Opened ───────► Probed ─────► WebSocket
//!      ▲                       │  3probe        │
//!      └───────────────────────┴────────────────┘
//!             WebSocket lost or upgrade timeout
//! ```
//!
//! From `2probe` on polls receive only a noop, so that the last poll ends and queued packets go out
//! over the WebSocket, in order, or by polling if the upgrade fails.

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

/// Maximum number of queued protocol replies.
const MAX_REPLIES: usize = 64;

/// An Engine.IO session.
#[derive(Debug)]
pub(crate) struct Link {
    revision: Revision,
    transport: Transport,
    is_poll_pending: bool,
    /// Packets queued for the transport.
    queue: VecDeque<Queued>,
    /// Transmissions that bypass the queue.
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
    /// Closed once the queue is sent or at this time.
    Closing(Instant),
    Closed(Closed),
}

/// The handshake.
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
    /// Creates a session with a queued handshake.
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
            is_poll_pending: false,
            queue: VecDeque::from([open]),
            urgent: VecDeque::new(),
            heartbeat: Heartbeat::new(revision, now, config),
            phase: Phase::Open,
        }
    }

    /// Removes the upgrade offer from the queued handshake; a [renewal](Self::renew) will offer it.
    pub(crate) fn withhold_upgrade(&mut self, config: &Config, sid: &str) {
        if let Some(first) = self.queue.front_mut() {
            *first = open(config, sid, false);
        }
    }

    /// Sends another handshake with a new session id for further requests.
    pub(crate) fn renew(&mut self, config: &Config, sid: &str) {
        self.queue.push_back(open(config, sid, true));
    }

    /// Reason of the close, if closed.
    pub(crate) fn closed(&self) -> Option<Closed> {
        match self.phase {
            Phase::Closed(why) => Some(why),
            _ => None,
        }
    }

    /// Returns whether input is still accepted.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Returns whether the session is on a WebSocket for good.
    pub(crate) fn is_upgraded(&self) -> bool {
        matches!(self.transport, Transport::WebSocket)
    }

    /// Returns whether a packet sent now is transmitted immediately.
    pub(crate) fn is_ready(&self) -> bool {
        match self.transport {
            Transport::Polling | Transport::Upgrading { probed: false, .. } => self.is_poll_pending,
            Transport::Upgrading { probed: true, .. } => false,
            Transport::WebSocket => true,
        }
    }

    /// Handles a poll (GET).
    pub(crate) fn handle_poll(&mut self) -> Result<(), Rejection> {
        if self.closed().is_some() || self.is_upgraded() {
            return Err(Rejection::BadRequest);
        }
        if self.is_poll_pending {
            self.close(Closed::Overlap);
            return Err(Rejection::BadRequest);
        }
        self.is_poll_pending = true;
        if let Transport::Upgrading { probed: true, .. } = self.transport {
            self.release_poll();
        }
        Ok(())
    }

    /// Handles the cancellation of the pending poll.
    pub(crate) fn handle_poll_gone(&mut self) {
        if std::mem::take(&mut self.is_poll_pending) {
            self.close(Closed::TransportLost);
        }
    }

    /// Checks whether a POST is accepted.
    pub(crate) fn handle_post(&self) -> Result<(), Rejection> {
        if !self.is_open() || self.is_upgraded() { Err(Rejection::BadRequest) } else { Ok(()) }
    }

    /// Handles the request for a WebSocket to upgrade to.
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

    /// Handles the end of the WebSocket.
    pub(crate) fn handle_websocket_gone(&mut self) {
        match self.transport {
            Transport::Polling => {}
            Transport::Upgrading { .. } => self.transport = Transport::Polling,
            Transport::WebSocket => self.close(Closed::TransportLost),
        }
    }

    /// Handles a WebSocket message.
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
        let Ok(packet) = packet else { return self.handle_malformed() };
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

    /// Handles a malformed message: ends the upgrade or the session.
    fn handle_malformed<T>(&mut self) -> Option<T> {
        match self.transport {
            Transport::Upgrading { .. } => self.abandon_upgrade(),
            Transport::Polling | Transport::WebSocket => self.close(Closed::Malformed),
        }
        None
    }

    /// Handles a packet, from a POST or the WebSocket.
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

    /// Handles timeouts that are due.
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

    /// Time of the next [`Link::handle_timeout`].
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

    /// Queues a protocol reply. The application bounds its own packets; this bounds replies that a
    /// client provokes but does not read.
    pub(crate) fn reply(&mut self, message: Queued) {
        if self.queue.len() >= MAX_REPLIES && !self.is_ready() {
            self.close(Closed::TooSlow);
        } else {
            self.send(message);
        }
    }

    /// Closes the session after sending the queue.
    pub(crate) fn disconnect(&mut self, now: Instant, config: &Config) {
        if !self.is_open() {
            return;
        }
        if !self.is_upgraded() {
            self.queue.push_back(Queued::Close);
        }
        self.phase = Phase::Closing(now + config.close_timeout);
    }

    /// Closes the session immediately; a pending poll is answered.
    pub(crate) fn close(&mut self, why: Closed) {
        if self.closed().is_some() {
            return;
        }
        self.phase = Phase::Closed(why);
        self.queue = VecDeque::new();
        if std::mem::take(&mut self.is_poll_pending) {
            let last = if why == Closed::ByClient { Packet::Noop } else { Packet::Close };
            let body = self.body([last]);
            self.urgent.push_back(body);
        }
        if !matches!(self.transport, Transport::Polling) {
            self.urgent.push_back(Transmit::CloseWebSocket);
        }
    }

    /// Returns the next transmission.
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
                if self.is_poll_pending && !self.queue.is_empty() =>
            {
                self.is_poll_pending = false;
                let queue = std::mem::take(&mut self.queue);
                self.finish();
                Some(self.body(queue.iter().map(Queued::packet)))
            }
            _ => None,
        }
    }

    /// Closes a closing session after its queue was sent.
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
        if std::mem::take(&mut self.is_poll_pending) {
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

/// Encodes a handshake.
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
