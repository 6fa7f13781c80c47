//! Reasons for which the engine does not answer.

use cluster::Unanswered;

/// The engine did not answer a request. It may have done it, or do it yet, unless it refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no connection.
    #[error("there is no connection to the engine")]
    Away,
    /// No answer came in time.
    #[error("the engine did not answer in time")]
    TimedOut,
    /// The connection broke.
    #[error("the connection to the engine broke: {0}")]
    Broken(String),
    /// The engine refused it.
    #[error("the engine refuses: {0}")]
    Refused(String),
    /// An answer that can't be read.
    #[error("the engine has something unreadable: {0}")]
    Unreadable(&'static str),
    /// The request breaks a rule of the core.
    #[error("not a request of a room's owner: {0}")]
    Invalid(&'static str),
}

/// To the core they are all alike.
impl From<RequestError> for Unanswered {
    fn from(_: RequestError) -> Self {
        Self
    }
}

/// The reason for which there is no connection, with its remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// No answer, or none of this protocol.
    #[error("can't be reached: {0}")]
    Unreachable(String),
    /// The server wants another login.
    #[error("refuses the user name or password, or wants one: {0}")]
    Login(String),
    /// It misses scripts or commands.
    #[error("is version {0}, but 6.2 or newer is needed")]
    TooOld(String),
    /// It does not take writes.
    #[error(
        "is a replica; give the address of the primary, or those of Sentinels as \
         redis+sentinel://HOST,HOST/SERVICE"
    )]
    Replica,
    /// It spreads keys over servers.
    #[error("runs in cluster mode, which is not supported; use a primary with Sentinels")]
    ClusterMode,
    /// It would drop rooms when its memory is full.
    #[error("may drop rooms to save memory: set `maxmemory-policy noeviction` (it is {0})")]
    Evicts(String),
    /// It serves a cluster with another key.
    #[error(
        "has another cluster in this database, with another key; give all nodes the same key, or \
         use another database, as in redis://HOST/1"
    )]
    OtherKey,
    /// The server refuses what is needed.
    #[error("refuses: {0}")]
    Refused(String),
}
