//! Requests of the server's operator to a room.

use room::{Operation, Rejection, Reply};

use super::kept::Writing;

/// A request of the operator.
#[derive(Debug)]
pub(crate) struct Operating {
    pub(crate) operation: Operation,
    /// The revision of the settings that the operator has seen, if that matters.
    pub(crate) revision: Option<String>,
}

/// Result of a request.
#[derive(Debug)]
pub(super) struct Done {
    /// The revision of the settings afterwards.
    pub(super) revision: String,
    pub(super) reply: Reply,
    /// A row that must be written before the operator is told that it is done.
    pub(super) writing: Writing,
}

/// A request's result.
pub(super) type Operated = Result<Done, OperateError>;

/// Reason for which a request of the operator has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OperateError {
    /// No room has this name.
    #[error("no room with this name is open")]
    NoRoom,
    /// The room is kept from before a restart, and nobody has entered it yet.
    #[error("the room is kept from before a restart: it opens when somebody enters")]
    NotOpen,
    /// The settings have another revision.
    #[error("the settings have changed in the meantime: read them again")]
    Changed,
    /// The room does not answer in time.
    #[error("the room is busy; try again")]
    Busy,
    /// It counts, and a crash may undo it.
    #[error(
        "it counts, but the server's store can't be written: if the server crashes before it can, \
         this is undone"
    )]
    NotSaved,
    /// The room rejects it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}
