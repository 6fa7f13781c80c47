//! Requests about files that are offered in the chat.

use crate::{
    event::{FileMessage, Message},
    file::FileId,
    protocol::{FileSignalRequest, FileWithdrawRequest, ParticipantId},
    rejection::Rejection,
};

/// A request about a file that is offered in the chat.
#[derive(Debug, Clone)]
pub enum FileSharing {
    /// Relay a message about its transfer.
    Signal {
        /// The other end.
        to: ParticipantId,
        /// The file.
        file: FileId,
        /// Number of the attempt.
        attempt: u32,
        /// The message.
        message: FileMessage,
    },
    /// Offer it no longer.
    Withdraw {
        /// The only recipient of a private offer.
        to: Option<ParticipantId>,
        /// The file.
        file: FileId,
    },
}

impl TryFrom<FileSignalRequest> for FileSharing {
    type Error = Rejection;
    fn try_from(request: FileSignalRequest) -> Result<Self, Rejection> {
        let FileSignalRequest { to, file, attempt, description, candidate, state } = request;
        let message = match (description, candidate, state) {
            (Some(description), None, None) => {
                FileMessage::Signal(Message::Description(description))
            }
            (None, Some(candidate), None) => FileMessage::Signal(Message::Candidate(candidate)),
            (None, None, Some(state)) => FileMessage::State(state),
            _ => {
                return Err(Rejection::Invalid("send one of description, candidate and state"));
            }
        };
        Ok(Self::Signal { to, file, attempt, message })
    }
}

impl From<FileWithdrawRequest> for FileSharing {
    fn from(FileWithdrawRequest { to, file }: FileWithdrawRequest) -> Self {
        Self::Withdraw { to, file }
    }
}
