//! The protocol's types as one TypeScript module, for the page's client library.

use ts_rs::{Config, TS};

use super::{
    ChatEvent, ChatRequest, CreateRoom, DirectRequest, ErrorBody, ErrorCode, HandoverEvent,
    HandoverRequest, IceCandidate, IceServer, IceServers, Interrupted, JoinRoom, Joined, LeaveRoom,
    ListRooms, MediaState, Participant, ParticipantId, ParticipantLeft, PublishRequest,
    PublishedTrack, RefusedEvent, ResumeToken, RoomCreated, RoomList, RoomSummary, SdpType,
    ServerDraining, SessionDescription, SignalEvent, SignalRequest, Speaker, SpeakersEvent,
    SubscribeRequest, SubscribedEvent, SubscribedTrack, ToldSfu, Topology, TopologyChanged,
    TopologyChoice, TrackSource, Unavailable, WantedEvent, WantedTrack,
};
use crate::{
    chat::ChatText,
    name::{DisplayName, NameError, RoomName},
    password::Password,
};

const HEAD: &str = "\
// Written by `cargo xtask types` from crates/room/src/protocol. Do not edit.

/** What acknowledges a request. */
export type Reply<T> = { ok: T } | { error: ErrorBody };

/** Each request's payload and the payload of its reply. */
export interface Requests {
  \"room:list\": [ListRooms, RoomList];
  \"room:create\": [CreateRoom, RoomCreated];
  \"room:join\": [JoinRoom, Joined];
  \"room:leave\": [LeaveRoom, Record<string, never>];
  signal: [SignalRequest, Record<string, never>];
  media: [MediaState, Record<string, never>];
  chat: [ChatRequest, Record<string, never>];
  direct: [DirectRequest, Record<string, never>];
  publish: [PublishRequest, Record<string, never>];
  subscribe: [SubscribeRequest, Record<string, never>];
  handover: [HandoverRequest, Record<string, never>];
}

/** Each event's payload. Events of a room carry their number as a second argument. */
export interface ServerEvents {
  \"room:list\": RoomList;
  \"participant:joined\": Participant;
  \"participant:updated\": Participant;
  \"participant:left\": ParticipantLeft;
  signal: SignalEvent;
  topology: TopologyChanged;
  chat: ChatEvent;
  handover: HandoverEvent;
  subscribed: SubscribedEvent;
  wanted: WantedEvent;
  refused: RefusedEvent;
  speakers: SpeakersEvent;
  \"ice:servers\": IceServers;
  \"server:draining\": ServerDraining;
}
";

/// The text of `web/src/client/protocol.ts`.
pub fn typescript() -> String {
    let config = Config::default();
    let mut text = HEAD.to_owned();
    let mut add = |declaration: String| {
        text.push_str("\nexport ");
        text.push_str(&declaration);
        text.push('\n');
    };
    macro_rules! declare {
        ($($name:ty),* $(,)?) => { $(add(<$name as TS>::decl(&config));)* };
    }
    declare!(
        RoomName,
        DisplayName,
        Password,
        ChatText,
        ParticipantId,
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
        JoinRoom,
        LeaveRoom,
        SignalRequest,
        ChatRequest,
        DirectRequest,
        PublishRequest,
        SubscribeRequest,
        HandoverRequest,
        RoomList,
        RoomCreated,
        Joined,
        ParticipantLeft,
        SignalEvent,
        TopologyChanged,
        ChatEvent,
        HandoverEvent,
        SubscribedEvent,
        WantedEvent,
        ToldSfu,
        RefusedEvent,
        SpeakersEvent,
        ServerDraining,
        ErrorCode,
        NameError,
        ErrorBody,
    );
    // ts-rs leaves blanks at line ends.
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}
