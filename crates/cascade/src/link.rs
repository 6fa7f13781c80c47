//! One QUIC connection between two shards.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;
use quinn_proto::{Connection, Dir, ReadError, StreamId, WriteError};

use crate::{
    datagram::Datagram,
    failure::{CloseReason, Failure},
    frames::{Incoming, Outgoing},
    repair::{Receiver, Sender},
    unlimited::Unlimited,
};

/// Version of the messages at the begin of a stream.
const VERSION: u8 = 1;
/// Bytes of a datagram until the path's limit is known.
const DEFAULT_DATAGRAM: usize = 1150;
/// Time for a connection to be made and to say which shards it links.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);
/// Packets of media after which acknowledgements are looked at.
const ACK_CHECK: u32 = 256;
/// Time without any, while media is sent, after which the link ends. QUIC keeps what it knows of a
/// packet until it is acknowledged or lost, and without acknowledgements nothing counts as lost.
const ACK_TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes that may wait for them: more than a path of 1 Gbit/s has in a quarter of a second.
const MAX_IN_FLIGHT: u64 = 32 << 20;
/// Bytes read from a stream at a time.
const MAX_READ: usize = 16 * 1024;

/// An event of an [`Endpoint`](crate::Endpoint).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// There is a link to a shard. Send it all state.
    Connected {
        /// The other shard.
        shard: u16,
    },
    /// The link has ended. What the other side sent is void.
    Disconnected {
        /// The other shard.
        shard: u16,
    },
    /// A message.
    Message {
        /// The sender.
        shard: u16,
        /// Its bytes.
        bytes: Bytes,
    },
    /// Media.
    Media {
        /// The sender.
        shard: u16,
        /// Time since the other server received it.
        age: Duration,
        /// Its bytes.
        bytes: Bytes,
    },
    /// More arrives than the path can carry: ask for less.
    Congested {
        /// The sender.
        shard: u16,
    },
}

impl Event {
    /// The other shard.
    #[must_use]
    pub fn shard(&self) -> u16 {
        match self {
            Self::Connected { shard }
            | Self::Disconnected { shard }
            | Self::Message { shard, .. }
            | Self::Media { shard, .. }
            | Self::Congested { shard } => *shard,
        }
    }
}

/// Media to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Media<'a> {
    /// True for audio, which is sent twice while the link loses packets.
    pub is_audio: bool,
    /// Time since this server received it.
    pub age: Duration,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Counters of links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Datagrams of media received.
    pub received: u64,
    /// Of these, those that had been asked for.
    pub repaired: u64,
    /// Datagrams that never arrived.
    pub lost: u64,
    /// Datagrams that arrived again.
    pub duplicates: u64,
    /// Datagrams sent again.
    pub resent: u64,
    /// Datagrams that no version sends.
    pub malformed: u64,
}

impl std::ops::AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.repaired += other.repaired;
        self.lost += other.lost;
        self.duplicates += other.duplicates;
        self.resent += other.resent;
        self.malformed += other.malformed;
    }
}

/// Outcome of [`Link::advance`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    None,
    /// The other side has said which shard it is.
    Opened(u16),
    Closed,
}

/// A connection.
pub(crate) struct Link {
    pub(crate) connection: Connection,
    own: u16,
    /// The shard that was called, if this side has connected.
    pub(crate) called: Option<u16>,
    /// The other shard, once it has said so.
    pub(crate) shard: Option<u16>,
    stream: Option<StreamId>,
    outgoing: Outgoing,
    incoming: Incoming,
    sender: Sender,
    receiver: Receiver,
    malformed: u64,
    /// Packets of media since acknowledgements were looked at.
    unchecked: u32,
    /// Acknowledgements so far, and when they became that many.
    acks: (u64, Instant),
    began: Instant,
    /// Last time that it carried anything of either side.
    pub(crate) used_at: Instant,
    /// True if it may have something to transmit.
    pub(crate) is_queued: bool,
    is_closed: bool,
    is_end_reported: bool,
    /// The reason for its end.
    pub(crate) failure: Option<Failure>,
    #[cfg(debug_assertions)]
    panics_at: Option<&'static [u8]>,
}

impl Link {
    pub(crate) fn new(now: Instant, connection: Connection, own: u16, called: Option<u16>) -> Self {
        Self {
            connection,
            own,
            called,
            shard: None,
            stream: None,
            outgoing: Outgoing::default(),
            incoming: Incoming::default(),
            sender: Sender::new(now),
            receiver: Receiver::new(now),
            malformed: 0,
            unchecked: 0,
            acks: (0, now),
            began: now,
            used_at: now,
            is_queued: false,
            is_closed: false,
            is_end_reported: false,
            failure: None,
            #[cfg(debug_assertions)]
            panics_at: None,
        }
    }

    #[cfg(debug_assertions)]
    pub(crate) fn panicking_at(self, bytes: Option<&'static [u8]>) -> Self {
        Self { panics_at: bytes, ..self }
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            received: self.receiver.received,
            repaired: self.receiver.repaired,
            lost: self.receiver.lost,
            duplicates: self.receiver.duplicates,
            resent: self.sender.resent,
            malformed: self.malformed,
        }
    }

    pub(crate) fn send_message(&mut self, now: Instant, message: &[u8]) {
        self.used_at = now;
        if self.outgoing.push(message).is_err() {
            // Without the message the other side's state would be wrong.
            return self.close(now, CloseReason::SlowReader);
        }
        self.write(now);
    }

    /// Sends media. Returns true if that has ended the link.
    pub(crate) fn send_media(&mut self, now: Instant, media: Media<'_>) -> bool {
        self.used_at = now;
        let limit = self.connection.datagrams().max_size().unwrap_or(DEFAULT_DATAGRAM);
        let mut out = VecDeque::new();
        self.sender.send(now, media.is_audio, media.age, media.bytes, limit, &mut out);
        self.send_datagrams(out);
        self.unchecked += 1;
        if self.unchecked >= ACK_CHECK {
            self.unchecked = 0;
            self.check_acks(now);
        }
        self.is_closed
    }

    /// Closes the link if its other side does not acknowledge what it is sent.
    fn check_acks(&mut self, now: Instant) {
        let Unlimited { acks, in_flight } = Unlimited::of(&self.connection);
        let (before, since) = self.acks;
        if acks != before {
            self.acks = (acks, now);
        }
        let is_silent = acks == before && now.saturating_duration_since(since) >= ACK_TIMEOUT;
        if is_silent || in_flight > MAX_IN_FLIGHT {
            self.close(now, CloseReason::SlowReader);
        }
    }

    fn send_datagrams(&mut self, datagrams: impl IntoIterator<Item = Bytes>) {
        for bytes in datagrams {
            // Only fails if the path's limit has just become smaller: then it is lost, as there.
            let _ = self.connection.datagrams().send(bytes, true);
        }
    }

    pub(crate) fn close(&mut self, now: Instant, reason: CloseReason) {
        self.is_closed = true;
        self.failure.get_or_insert(Failure::Closed(reason));
        self.connection.close(now, reason.code(), Bytes::new());
    }

    pub(crate) fn poll_timeout(&mut self) -> Option<Instant> {
        let repair = [self.sender.poll_timeout(), self.receiver.poll_timeout()];
        let greeting = self.shard.is_none().then(|| self.began + GREETING_TIMEOUT);
        let own = repair.into_iter().flatten().chain(greeting).filter(|_| !self.is_closed);
        self.connection.poll_timeout().into_iter().chain(own).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.connection.poll_timeout().is_some_and(|due| due <= now) {
            self.connection.handle_timeout(now);
        }
        if self.is_closed {
            return;
        }
        if self.shard.is_none() && self.began + GREETING_TIMEOUT <= now {
            return self.close(now, CloseReason::Protocol);
        }
        if self.sender.poll_timeout().is_some_and(|due| due <= now) {
            let mut out = VecDeque::new();
            self.sender.handle_timeout(now, &mut out);
            self.send_datagrams(out);
        }
        self.request_missing(now);
    }

    fn request_missing(&mut self, now: Instant) {
        let gaps = self.receiver.handle_timeout(now, self.connection.rtt());
        if !gaps.is_empty() {
            self.send_datagrams([Bytes::from(Datagram::Request(gaps).to_bytes())]);
        }
    }

    /// Handles the events of the connection.
    pub(crate) fn advance(&mut self, now: Instant, events: &mut VecDeque<Event>) -> Progress {
        while let Some(event) = self.connection.poll() {
            match event {
                quinn_proto::Event::Connected => self.start(now),
                quinn_proto::Event::ConnectionLost { reason } => {
                    self.is_closed = true;
                    self.failure.get_or_insert_with(|| reason.into());
                }
                quinn_proto::Event::Stream(_)
                | quinn_proto::Event::HandshakeDataReady
                | quinn_proto::Event::DatagramReceived
                | quinn_proto::Event::DatagramsUnblocked => {}
            }
        }
        let opened = if self.is_closed { None } else { self.receive(now, events) };
        if self.is_closed && !std::mem::replace(&mut self.is_end_reported, true) {
            return Progress::Closed;
        }
        opened.map_or(Progress::None, Progress::Opened)
    }

    /// Receives what has arrived. Returns the other shard if it has greeted.
    fn receive(&mut self, now: Instant, events: &mut VecDeque<Event>) -> Option<u16> {
        if self.stream.is_none() && self.called.is_none() {
            self.stream = self.connection.streams().accept(Dir::Bi);
        }
        let opened = match self.read(now, events) {
            Ok(opened) => opened,
            Err(reason) => {
                self.close(now, reason);
                None
            }
        };
        if self.is_closed {
            return None;
        }
        self.write(now);
        if self.shard.is_some() {
            self.receive_datagrams(now, events);
        }
        opened
    }

    /// Opens the stream and says which shards are to be linked.
    fn start(&mut self, now: Instant) {
        let Some(called) = self.called else { return };
        self.stream = self.connection.streams().open(Dir::Bi);
        self.greet(now, called);
    }

    fn greet(&mut self, now: Instant, to: u16) {
        let [a, b] = self.own.to_be_bytes();
        let [c, d] = to.to_be_bytes();
        self.send_message(now, &[VERSION, a, b, c, d]);
    }

    /// Handles a greeting. Later versions may append to it.
    fn handle_greeting(&mut self, now: Instant, greeting: &[u8]) -> Result<u16, CloseReason> {
        let Some(([version, a, b, c, d], _)) = greeting.split_first_chunk::<5>() else {
            return Err(CloseReason::Protocol);
        };
        let (from, to) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
        if *version != VERSION {
            return Err(CloseReason::Version);
        }
        // The lower number connects.
        let is_right = match self.called {
            Some(called) => from == called,
            None => from < self.own,
        };
        if to != self.own || !is_right {
            return Err(CloseReason::WrongShard);
        }
        if self.called.is_none() {
            self.greet(now, from);
        }
        self.shard = Some(from);
        Ok(from)
    }

    /// Reads the stream. Returns the other shard if it has greeted.
    fn read(
        &mut self,
        now: Instant,
        events: &mut VecDeque<Event>,
    ) -> Result<Option<u16>, CloseReason> {
        let Some(stream) = self.stream else { return Ok(None) };
        let mut opened = None;
        loop {
            let chunk = {
                let mut stream = self.connection.recv_stream(stream);
                // The stream lasts as long as the link: messages after its end would be missed.
                let Ok(mut chunks) = stream.read(true) else { return Err(CloseReason::Protocol) };
                let chunk = chunks.next(MAX_READ);
                // Window updates are sent with the next transmit.
                let _ = chunks.finalize();
                chunk
            };
            let chunk = match chunk {
                Ok(Some(chunk)) => chunk,
                Err(ReadError::Blocked) => return Ok(opened),
                Ok(None) | Err(ReadError::Reset(_)) => return Err(CloseReason::Protocol),
            };
            self.incoming.push(&chunk.bytes);
            while let Some(bytes) = self.incoming.next().map_err(|_| CloseReason::Protocol)? {
                self.used_at = now;
                #[cfg(debug_assertions)]
                assert_ne!(self.panics_at, Some(&*bytes), "planted");
                match self.shard {
                    Some(shard) => events.push_back(Event::Message { shard, bytes }),
                    None => {
                        let shard = self.handle_greeting(now, &bytes)?;
                        opened = Some(shard);
                        events.push_back(Event::Connected { shard });
                    }
                }
            }
        }
    }

    fn write(&mut self, now: Instant) {
        let Some(stream) = self.stream else { return };
        while !self.outgoing.bytes().is_empty() {
            match self.connection.send_stream(stream).write(self.outgoing.bytes()) {
                Ok(count) => self.outgoing.on_written(count),
                Err(WriteError::Blocked) => return,
                // The other side does not read any more.
                Err(_) => return self.close(now, CloseReason::Protocol),
            }
        }
    }

    fn receive_datagrams(&mut self, now: Instant, events: &mut VecDeque<Event>) {
        let Some(shard) = self.shard else { return };
        let transit = self.connection.rtt() / 2;
        while let Some(bytes) = self.connection.datagrams().recv() {
            match Datagram::parse(&bytes) {
                Some(Datagram::Media(header, _)) => {
                    self.used_at = now;
                    if let Some(media) = self.receiver.handle_media(now, header, &bytes) {
                        #[cfg(debug_assertions)]
                        assert_ne!(self.panics_at, Some(&*media.payload), "planted");
                        let age = media.age.saturating_add(transit);
                        events.push_back(Event::Media { shard, age, bytes: media.payload });
                    }
                }
                Some(Datagram::Request(gaps)) => {
                    let mut out = VecDeque::new();
                    self.sender.handle_request(now, &gaps, &mut out);
                    self.send_datagrams(out);
                }
                Some(Datagram::Newest(newest)) => self.receiver.handle_newest(now, newest),
                None => self.malformed += 1,
            }
        }
        self.request_missing(now);
        if self.receiver.poll_congestion(now) {
            events.push_back(Event::Congested { shard });
        }
    }
}
