//! Whether the other side is still there.

use std::time::Instant;

use super::revision::Revision;
use crate::config::Config;

/// In Engine.IO 4 the server pings and the client answers; in Engine.IO 3 it is the client that
/// pings, and the server that listens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Heartbeat {
    /// The next ping is due then.
    Resting(Instant),
    /// A ping went out; its answer is due then.
    Asked(Instant),
    /// The client's next packet is due then.
    Listening(Instant),
}

/// What a heartbeat asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// Send a ping.
    Ping,
    /// The other side is gone.
    TimedOut,
}

impl Heartbeat {
    pub(super) fn new(revision: Revision, now: Instant, config: &Config) -> Self {
        match revision {
            Revision::V3 => Self::Listening(now + config.ping_interval + config.ping_timeout),
            Revision::V4 => Self::Resting(now + config.ping_interval),
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        match self {
            Self::Resting(at) | Self::Asked(at) | Self::Listening(at) => *at,
        }
    }

    /// A packet came. Any will do as an answer: a pong may queue behind a large message.
    pub(super) fn handle_packet(&mut self, now: Instant, config: &Config) {
        match self {
            Self::Resting(_) => {}
            Self::Asked(_) => *self = Self::new(Revision::V4, now, config),
            Self::Listening(_) => *self = Self::new(Revision::V3, now, config),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, config: &Config) -> Option<Beat> {
        if now < self.deadline() {
            return None;
        }
        match self {
            Self::Resting(_) => {
                *self = Self::Asked(now + config.ping_timeout);
                Some(Beat::Ping)
            }
            Self::Asked(_) | Self::Listening(_) => Some(Beat::TimedOut),
        }
    }
}
