//! Export of the protocol's types to a TypeScript module for the client library.

use ts_rs::{Config, TS};

use super::{
    error::{ErrorBody, ErrorCode},
    event::{
        ChatEvent, HandoverEvent, ParticipantLeft, ReactionEvent, RefusedEvent, ServerDraining,
        ServerRestarting, SfuRequestKind, SignalEvent, SpeakersEvent, SubscribedEvent,
        TopologyChanged, WantedEvent,
    },
    file::{
        FileSignalEvent, FileSignalRequest, FileState, FileWithdrawRequest, FileWithdrawnEvent,
    },
    hosting::{
        Allowed, DataEvent, Dismissal, DismissedEvent, EndRoom, Entry, HandLoweredEvent,
        LowerHandsRequest, MuteRequest, MutedEvent, Policy, PolicyChange, RemoveRequest,
        RoleRequest, SettingsEvent, SettingsRequest, SpotlightEvent, SpotlightRequest, UnmuteEvent,
        UnmuteRequest, Waiting, WaitingLeft, WaitingRequest,
    },
    inviting::{
        Invitation, InvitationList, InviteRequest, Invited, ListInvitations, RevokeRequest,
    },
    polling::{AskPoll, ClosePoll, Poll, PollId, PollOption, PollRemoved, RemovePoll, VoteRequest},
    reply::{Joined, RoomChecked, RoomCreated, RoomList},
    report::{ReportRequest, ReportedLimit, ReportedTransport},
    request::{
        ChatRequest, CheckRoom, CreateRoom, DirectRequest, HandoverRequest, JoinRoom, LeaveRoom,
        ListRooms, PublishRequest, ReactionRequest, SignalRequest, SubscribeRequest,
    },
    types::{
        ChatMessage, IceCandidate, IceServer, IceServers, Interrupted, InvitationId, MediaState,
        Participant, ParticipantId, PublishedTrack, ResumeToken, RoomSummary, SdpType,
        SessionDescription, SharedFile, Speaker, SubscribedTrack, Topology, TopologyChoice,
        TrackSource, Unavailable, WantedTrack,
    },
};
use crate::{
    chat::ChatText,
    credential::Credential,
    device::DeviceSecret,
    file::{FileId, FileName, FileSize},
    name::{DisplayName, NameError, RoomName},
    password::Password,
    poll::PollText,
    reaction::Reaction,
    rights::Role,
};

const HEAD: &str = "\
// Written by `cargo xtask types` from crates/room/src/protocol. Do not edit.

/** Acknowledgement of a request. */
export type Reply<T> = { ok: T } | { error: ErrorBody };

/** Payload of each request and of its reply. */
export interface Requests {
  \"room:list\": [ListRooms, RoomList];
  \"room:create\": [CreateRoom, RoomCreated];
  \"room:check\": [CheckRoom, RoomChecked];
  \"room:join\": [JoinRoom, Joined];
  \"room:leave\": [LeaveRoom, Record<string, never>];
  signal: [SignalRequest, Record<string, never>];
  media: [MediaState, Record<string, never>];
  chat: [ChatRequest, Record<string, never>];
  \"file:signal\": [FileSignalRequest, Record<string, never>];
  \"file:withdraw\": [FileWithdrawRequest, Record<string, never>];
  direct: [DirectRequest, Record<string, never>];
  publish: [PublishRequest, Record<string, never>];
  subscribe: [SubscribeRequest, Record<string, never>];
  handover: [HandoverRequest, Record<string, never>];
  reaction: [ReactionRequest, Record<string, never>];
  report: [ReportRequest, Record<string, never>];
  \"poll:ask\": [AskPoll, Record<string, never>];
  \"poll:vote\": [VoteRequest, Record<string, never>];
  \"poll:close\": [ClosePoll, Record<string, never>];
  \"poll:remove\": [RemovePoll, Record<string, never>];
  \"room:mute\": [MuteRequest, Record<string, never>];
  \"room:unmute\": [UnmuteRequest, Record<string, never>];
  \"room:lower_hands\": [LowerHandsRequest, Record<string, never>];
  \"room:remove\": [RemoveRequest, Record<string, never>];
  \"room:admit\": [WaitingRequest, Record<string, never>];
  \"room:deny\": [WaitingRequest, Record<string, never>];
  \"room:role\": [RoleRequest, Record<string, never>];
  \"room:settings\": [SettingsRequest, Record<string, never>];
  \"room:spotlight\": [SpotlightRequest, Record<string, never>];
  \"room:end\": [EndRoom, Record<string, never>];
  \"room:invite\": [InviteRequest, Invited];
  \"room:revoke\": [RevokeRequest, Record<string, never>];
  \"room:invitations\": [ListInvitations, InvitationList];
}

/** Payload of each event. Room events carry their number as a second argument. */
export interface ServerEvents {
  \"room:list\": RoomList;
  \"participant:joined\": Participant;
  \"participant:updated\": Participant;
  \"participant:left\": ParticipantLeft;
  signal: SignalEvent;
  topology: TopologyChanged;
  chat: ChatEvent;
  \"file:signal\": FileSignalEvent;
  \"file:withdrawn\": FileWithdrawnEvent;
  handover: HandoverEvent;
  subscribed: SubscribedEvent;
  wanted: WantedEvent;
  refused: RefusedEvent;
  speakers: SpeakersEvent;
  muted: MutedEvent;
  unmute: UnmuteEvent;
  hand_lowered: HandLoweredEvent;
  spotlight: SpotlightEvent;
  reaction: ReactionEvent;
  poll: Poll;
  \"poll:removed\": PollRemoved;
  \"room:settings\": SettingsEvent;
  \"room:admitted\": Joined;
  \"room:dismissed\": DismissedEvent;
  \"waiting:joined\": Waiting;
  \"waiting:left\": WaitingLeft;
  data: DataEvent;
  \"ice:servers\": IceServers;
  \"server:draining\": ServerDraining;
  \"server:restarting\": ServerRestarting;
}
";

/// Generates the TypeScript module.
pub fn typescript() -> String {
    let config = Config::default();
    let mut text = HEAD.to_owned();
    let mut add = |docs: Option<String>, declaration: String| {
        text.push('\n');
        text.push_str(&without_rust(&docs.unwrap_or_default()));
        text.push_str("export ");
        text.push_str(&without_rust(&declaration));
        text.push('\n');
    };
    macro_rules! declare {
        ($($name:ty),* $(,)?) => {
            $(add(<$name as TS>::docs(), <$name as TS>::decl(&config));)*
        };
    }
    declare!(
        RoomName,
        DisplayName,
        Password,
        ChatText,
        DeviceSecret,
        Credential,
        Reaction,
        PollText,
        FileId,
        FileName,
        FileSize,
        Role,
        Policy,
        PolicyChange,
        Entry,
        Allowed,
        ParticipantId,
        InvitationId,
        ResumeToken,
        MediaState,
        Interrupted,
        Participant,
        Topology,
        TopologyChoice,
        TrackSource,
        PublishedTrack,
        WantedTrack,
        SubscribedTrack,
        Unavailable,
        Speaker,
        RoomSummary,
        IceServer,
        IceServers,
        SdpType,
        SessionDescription,
        IceCandidate,
        ListRooms,
        CreateRoom,
        CheckRoom,
        JoinRoom,
        LeaveRoom,
        SignalRequest,
        SharedFile,
        ChatRequest,
        FileState,
        FileSignalRequest,
        FileWithdrawRequest,
        DirectRequest,
        PublishRequest,
        SubscribeRequest,
        HandoverRequest,
        ReactionRequest,
        ReportedTransport,
        ReportedLimit,
        ReportRequest,
        MuteRequest,
        UnmuteRequest,
        LowerHandsRequest,
        RemoveRequest,
        WaitingRequest,
        RoleRequest,
        SettingsRequest,
        SpotlightRequest,
        EndRoom,
        AskPoll,
        VoteRequest,
        ClosePoll,
        RemovePoll,
        PollId,
        PollOption,
        Poll,
        PollRemoved,
        InviteRequest,
        RevokeRequest,
        ListInvitations,
        Invitation,
        Invited,
        InvitationList,
        RoomList,
        RoomCreated,
        RoomChecked,
        Joined,
        ParticipantLeft,
        SignalEvent,
        TopologyChanged,
        ChatEvent,
        ChatMessage,
        FileSignalEvent,
        FileWithdrawnEvent,
        HandoverEvent,
        SubscribedEvent,
        WantedEvent,
        SfuRequestKind,
        RefusedEvent,
        SpeakersEvent,
        MutedEvent,
        UnmuteEvent,
        HandLoweredEvent,
        SettingsEvent,
        DataEvent,
        SpotlightEvent,
        ReactionEvent,
        Waiting,
        WaitingLeft,
        DismissedEvent,
        Dismissal,
        ServerDraining,
        ServerRestarting,
        ErrorCode,
        NameError,
        ErrorBody,
    );
    // ts-rs leaves trailing spaces.
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// Makes the documentation of a Rust type one of TypeScript: without links to Rust items, and
/// without sentences about `Debug`.
fn without_rust(docs: &str) -> String {
    let docs = docs.replace(" `Debug` hides it.", "");
    let mut pieces = docs.split("](");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once(')') {
            Some((path, rest)) if path.contains("::") => {
                if let Some(open) = text.rfind('[') {
                    text.remove(open);
                }
                text.push_str(rest);
            }
            _ => {
                text.push_str("](");
                text.push_str(piece);
            }
        }
    }
    text.replace("[`", "`").replace("`]", "`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_documentation_without_rust() {
        let text = typescript();
        let undocumented: Vec<&str> = text
            .match_indices("\nexport type ")
            .filter(|(at, _)| !text[..*at].ends_with("*/"))
            .map(|(at, _)| text[at..].lines().nth(1).unwrap_or_default())
            .collect();
        assert_eq!(undocumented, [""; 0]);
        for rust in ["::", "`Debug`", "[`"] {
            let line = text.lines().find(|line| line.contains(rust));
            assert_eq!(line, None);
        }
    }

    #[test]
    fn links_to_addresses_stay() {
        let docs = "[rights](super::Rights), [`a`](Self::a), [`B`] and [RFC](https://example.org).";
        assert_eq!(without_rust(docs), "rights, `a`, `B` and [RFC](https://example.org).");
    }
}
