//! Heartbeats.

use std::time::Instant;

use super::revision::Revision;
use crate::config::Config;

/// Heartbeat state. In Engine.IO 4 the server pings and the client answers; in Engine.IO 3 the
/// client pings.
#[derive(Debug, Clone, Copy)]
pub(super) enum Heartbeat {
    /// Time of the next ping.
    Idle(Instant),
    /// A ping was sent; time by which the answer is due.
    AwaitingPong(Instant),
    /// Time by which the client's next packet is due.
    AwaitingPing(Instant),
}

/// Action of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// Send a ping.
    Ping,
    /// The client timed out.
    TimedOut,
}

impl Heartbeat {
    pub(super) fn new(revision: Revision, now: Instant, config: &Config) -> Self {
        match revision {
            Revision::V3 => Self::AwaitingPing(now + config.ping_interval + config.ping_timeout),
            Revision::V4 => Self::Idle(now + config.ping_interval),
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        match self {
            Self::Idle(at) | Self::AwaitingPong(at) | Self::AwaitingPing(at) => *at,
        }
    }

    /// Handles a packet. Any packet counts as an answer, since a pong may queue behind a large
    /// message.
    pub(super) fn handle_packet(&mut self, now: Instant, config: &Config) {
        match self {
            Self::Idle(_) => {}
            Self::AwaitingPong(_) => *self = Self::new(Revision::V4, now, config),
            Self::AwaitingPing(_) => *self = Self::new(Revision::V3, now, config),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, config: &Config) -> Option<Beat> {
        if now < self.deadline() {
            return None;
        }
        match self {
            Self::Idle(_) => {
                *self = Self::AwaitingPong(now + config.ping_timeout);
                Some(Beat::Ping)
            }
            Self::AwaitingPong(_) | Self::AwaitingPing(_) => Some(Beat::TimedOut),
        }
    }
}
