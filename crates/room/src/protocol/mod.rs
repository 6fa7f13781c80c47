//! The native protocol between a moim page and its server over Socket.IO.
//!
//! The types are defined here and exported to TypeScript by `cargo xtask types`. docs/protocol.md
//! documents them.

mod error;
mod event;
mod file;
mod hosting;
mod inviting;
mod polling;
mod reply;
mod report;
mod request;
mod types;
#[cfg(feature = "typescript")]
mod typescript;

pub use error::{ErrorBody, ErrorCode};
pub use event::{
    ChatEvent, HandoverEvent, ParticipantLeft, ReactionEvent, RefusedEvent, ServerDraining,
    ServerEvent, ServerRestarting, SfuRequestKind, SignalEvent, SpeakersEvent, SubscribedEvent,
    TopologyChanged, WantedEvent,
};
pub use file::{
    FileSignalEvent, FileSignalRequest, FileState, FileWithdrawRequest, FileWithdrawnEvent,
};
pub use hosting::{
    Allowed, DataEvent, Dismissal, DismissedEvent, EndRoom, Entry, HandLoweredEvent,
    LowerHandsRequest, MuteRequest, MutedEvent, Policy, PolicyChange, RemoveRequest, RoleRequest,
    SettingsEvent, SettingsRequest, SpotlightEvent, SpotlightRequest, UnmuteEvent, UnmuteRequest,
    Waiting, WaitingLeft, WaitingRequest,
};
pub use inviting::{
    Invitation, InvitationList, InviteRequest, Invited, ListInvitations, RevokeRequest,
};
pub use polling::{
    AskPoll, ClosePoll, Poll, PollId, PollOption, PollRemoved, RemovePoll, VoteRequest,
};
pub use reply::{Joined, RoomChecked, RoomCreated, RoomList};
pub use report::{MAX_REPORTED, ReportRequest, ReportedLimit, ReportedTransport};
pub use request::{
    ChatRequest, CheckRoom, CreateRoom, DirectRequest, HandoverRequest, JoinRoom, LeaveRoom,
    ListRooms, PublishRequest, ReactionRequest, SignalRequest, SubscribeRequest,
};
pub use types::{
    ChatMessage, IceCandidate, IceServer, IceServers, Interrupted, InvitationId, MediaState,
    Participant, ParticipantId, PublishedTrack, ResumeToken, RoomSummary, SdpType,
    SessionDescription, SharedFile, Speaker, SubscribedTrack, Topology, TopologyChoice,
    TrackSource, Unavailable, WantedTrack,
};
#[cfg(feature = "typescript")]
pub use typescript::typescript;
