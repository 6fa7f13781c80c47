//! The reason for which a link has ended.

use quinn_proto::{ConnectionError, VarInt};

/// The reason for which a link has ended, or was not made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// Nothing came from the other side.
    #[error("no answer by UDP")]
    Silence,
    /// This side has closed it.
    #[error("{0}")]
    Closed(CloseReason),
    /// The other side has closed it.
    #[error("the other server says: {0}")]
    Refused(CloseReason),
    /// QUIC or TLS has failed.
    #[error(transparent)]
    Quic(ConnectionError),
}

/// The reason for which a side closes a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// Nobody uses it.
    #[error("the link is not used")]
    Idle = 0,
    /// The same shard has made another one.
    #[error("a newer link replaces it")]
    Replaced = 1,
    /// Its messages are of another version.
    #[error("another version of the protocol")]
    Version = 2,
    /// It leads to another shard than the one that was called.
    #[error("another shard has this address")]
    WrongShard = 3,
    /// It carries what no shard sends.
    #[error("a violation of the protocol")]
    Protocol = 4,
    /// Its other side does not read.
    #[error("messages are not read in time")]
    SlowReader = 5,
}

impl CloseReason {
    const ALL: [Self; 6] = [
        Self::Idle,
        Self::Replaced,
        Self::Version,
        Self::WrongShard,
        Self::Protocol,
        Self::SlowReader,
    ];

    pub(crate) fn code(self) -> VarInt {
        VarInt::from_u32(self as u32)
    }
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        if error == ConnectionError::TimedOut {
            return Self::Silence;
        }
        let code = match &error {
            ConnectionError::ApplicationClosed(close) => Some(close.error_code),
            _ => None,
        };
        let reason = CloseReason::ALL.into_iter().find(|reason| Some(reason.code()) == code);
        // Later versions may have other reasons.
        reason.map_or(Self::Quic(error), Self::Refused)
    }
}
