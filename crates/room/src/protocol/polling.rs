//! Polls: requests and events.

use serde::{Deserialize, Serialize};

use crate::{name::DisplayName, poll::PollText};

/// Identifies a poll in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct PollId(pub u32);

/// `poll:ask`: opens a poll. Requires the right to poll.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AskPoll {
    /// The question.
    pub question: PollText,
    /// 2 to 10 different options.
    pub options: Vec<PollText>,
    /// More than one option may be chosen.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub multiple: bool,
    /// All see by name who chose what.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub named: bool,
}

/// `poll:vote`: chooses options of an open poll, in place of those chosen before.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct VoteRequest {
    /// The poll.
    pub poll: PollId,
    /// Positions of the options, from 0; empty withdraws the vote.
    pub options: Vec<u8>,
}

/// `poll:close`: ends the voting. The result stays. Requires the right to poll.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ClosePoll {
    /// The poll.
    pub poll: PollId,
}

/// `poll:remove`: removes a poll with its result. Requires the right to poll.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct RemovePoll {
    /// The poll.
    pub poll: PollId,
}

/// A poll and its result so far. Also the payload of the event `poll`: it was opened or closed, or
/// somebody has voted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Poll {
    /// Identifies it in its room, ascending.
    pub id: PollId,
    /// The question.
    pub question: PollText,
    /// The options, in the order of the request.
    pub options: Vec<PollOption>,
    /// More than one option may be chosen.
    pub multiple: bool,
    /// All see by name who chose what.
    pub named: bool,
    /// The voting has ended.
    pub closed: bool,
    /// Number of those who have voted.
    pub voters: u32,
    /// Name of the participant who asked.
    pub by: DisplayName,
    /// Time at which it was opened, in milliseconds since 1970 (UTC).
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at: u64,
    /// The recipient's own vote, in the reply to a join alone; absent if none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<u8>>"))]
    pub mine: Vec<u8>,
}

/// An option of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PollOption {
    /// The text.
    pub text: PollText,
    /// Number of votes.
    pub votes: u32,
    /// Names of those who chose it, in a poll by name; absent if none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<DisplayName>>"))]
    pub names: Vec<DisplayName>,
}

/// Payload of `poll:removed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PollRemoved {
    /// The poll.
    pub poll: PollId,
}
