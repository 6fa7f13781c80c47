//! Requests of connections and their effects.

use std::{collections::HashSet, sync::Arc};

use crate::{
    chat::ChatText,
    device::DeviceSecret,
    event::{Event, Message},
    invitation::PresentedInvitation,
    name::DisplayName,
    opaque::Opaque,
    participant::Participant,
    pass::Pass,
    password::Password,
    protocol::{
        AskPoll, ChatMessage, ClosePoll, DataEvent, DirectRequest, Dismissal, EndRoom,
        FileSignalRequest, FileWithdrawRequest, HandoverRequest, InvitationId, InvitationList,
        InviteRequest, Invited, LowerHandsRequest, MediaState, MuteRequest, ParticipantId, Policy,
        Poll, PollId, PublishRequest, ReactionRequest, RemovePoll, RemoveRequest, ResumeToken,
        RoleRequest, RoomSummary, SettingsRequest, SharedFile, SignalRequest, SpotlightRequest,
        SubscribeRequest, Topology, TrackSource, UnmuteRequest, VoteRequest, Waiting,
    },
    reaction::Reaction,
    rejection::Rejection,
    rights::{MediaRights, Role, Sources},
    sfu_message::ToSfu,
    sharing::FileSharing,
};

/// Maximum size of a media section's `mid`, in bytes.
pub const MAX_MID_BYTES: usize = 16;
/// Maximum number of subscribed tracks: all tracks of the largest room.
pub const MAX_WANTED_TRACKS: usize = 100 * TrackSource::COUNT;

/// Identifies a connection to its room. Assigned by the owner of the connection and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Connection(pub u64);

/// A request of a connection.
#[derive(Debug, Clone)]
pub enum Request {
    /// Join the room.
    ///
    /// Boxed, since it is large and rare: each relayed message would be moved in its size.
    Join(Box<Join>),
    /// Resume the participant of an earlier connection.
    Resume(Resume),
    /// Relay a message.
    Relay {
        /// The recipients.
        to: Recipients,
        /// The message.
        message: Message,
    },
    /// Update the participant's media state.
    Media(MediaState),
    /// Send a chat message to the others, or to one of them.
    Chat(Chat),
    /// Set whether the others connect to this participant peer to peer.
    Direct(bool),
    /// Notify another participant that its media is received by this topology.
    Handover {
        /// The participant whose media is received.
        to: ParticipantId,
        /// The topology.
        topology: Topology,
    },
    /// Send a message to the media server.
    Sfu(ToSfu),
    /// Act as a host.
    Host(Hosting),
    /// Make, revoke or list invitations.
    Inviting {
        /// Time of the request, in milliseconds since 1970 (UTC). A parameter, since a room has no
        /// wall clock.
        at: u64,
        /// What is asked for.
        asked: Inviting,
    },
    /// Ask in a poll, vote, or end it.
    Poll {
        /// Time of the request, in milliseconds since 1970 (UTC).
        at: u64,
        /// The request.
        asked: Polling,
    },
    /// Signal about a file, or withdraw it.
    File(FileSharing),
    /// Show a reaction to all others.
    React(Reaction),
    /// Leave the room.
    Leave,
}

/// A request of a host.
#[derive(Debug, Clone)]
pub enum Hosting {
    /// Mute sources of these participants, or of all others.
    Mute {
        /// `None`: all others with a lower role.
        participants: Option<Vec<ParticipantId>>,
        /// The sources.
        sources: Sources,
    },
    /// Ask a participant to turn sources on.
    Unmute {
        /// The participant.
        participant: ParticipantId,
        /// The sources.
        sources: Sources,
    },
    /// Lower the raised hands of these participants, or of all others with no higher role.
    LowerHands(Option<Vec<ParticipantId>>),
    /// Remove a participant.
    Remove(ParticipantId),
    /// Admit these from the waiting room, or all.
    Admit(Option<Vec<ParticipantId>>),
    /// Dismiss these from the waiting room, or all.
    Deny(Option<Vec<ParticipantId>>),
    /// Change a role.
    Role(ParticipantId, Role),
    /// Change settings.
    Settings(SettingsRequest),
    /// Show these participants large to everybody.
    Spotlight(Vec<ParticipantId>),
    /// Remove everybody and close the room.
    End,
}

impl Hosting {
    /// True for a decision that must not be undone by a crash once it is answered.
    pub fn must_last(&self) -> bool {
        match self {
            Self::Remove(_) | Self::Role(..) | Self::Settings(_) | Self::End => true,
            Self::Mute { .. }
            | Self::Unmute { .. }
            | Self::LowerHands(_)
            | Self::Admit(_)
            | Self::Deny(_)
            | Self::Spotlight(_) => false,
        }
    }
}

/// A request about invitations.
#[derive(Debug, Clone)]
pub enum Inviting {
    /// Make one. Answered by [`Reply::Invited`].
    Invite(InviteRequest),
    /// Revoke this one.
    Revoke(InvitationId),
    /// List them. Answered by [`Reply::Invitations`].
    List,
}

impl Inviting {
    /// True for a decision that must not be undone by a crash once it is answered.
    pub fn must_last(&self) -> bool {
        matches!(self, Self::Revoke(_))
    }
}

impl Request {
    /// True for a decision that must not be undone by a crash once it is answered.
    pub fn must_last(&self) -> bool {
        match self {
            Self::Host(hosting) => hosting.must_last(),
            Self::Inviting { asked, .. } => asked.must_last(),
            Self::Join(_)
            | Self::Resume(_)
            | Self::Relay { .. }
            | Self::Media(_)
            | Self::Chat(_)
            | Self::Direct(_)
            | Self::Handover { .. }
            | Self::Sfu(_)
            | Self::Poll { .. }
            | Self::File(_)
            | Self::React(_)
            | Self::Leave => false,
        }
    }
}

/// A request about polls.
#[derive(Debug, Clone)]
pub enum Polling {
    /// Open one.
    Ask(AskPoll),
    /// Vote in one.
    Vote(VoteRequest),
    /// End its voting.
    Close(PollId),
    /// Remove it with its result.
    Remove(PollId),
}

impl From<AskPoll> for Polling {
    fn from(ask: AskPoll) -> Self {
        Self::Ask(ask)
    }
}

impl From<VoteRequest> for Polling {
    fn from(vote: VoteRequest) -> Self {
        Self::Vote(vote)
    }
}

impl From<ClosePoll> for Polling {
    fn from(ClosePoll { poll }: ClosePoll) -> Self {
        Self::Close(poll)
    }
}

impl From<RemovePoll> for Polling {
    fn from(RemovePoll { poll }: RemovePoll) -> Self {
        Self::Remove(poll)
    }
}

/// A request of the server's operator, by its API.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Act with all rights of a host.
    Host(Hosting),
    /// Make, revoke or list invitations.
    Inviting {
        /// Time of the request, in milliseconds since 1970 (UTC).
        at: u64,
        /// What is asked for.
        asked: Inviting,
    },
    /// Change settings, and the text of the application that embeds the room, at once.
    Settings {
        /// Absent ones stay.
        settings: SettingsRequest,
        /// `None`: it stays.
        metadata: Option<String>,
    },
    /// Let a participant receive media, or not, whatever its token says.
    Subscribe {
        /// The participant.
        participant: ParticipantId,
        /// It may.
        may: bool,
    },
    /// Send data to these participants, or to all. Each has to be there.
    Send {
        /// `None`: all.
        to: Option<Vec<ParticipantId>>,
        /// The data.
        data: DataEvent,
    },
}

impl Operation {
    /// True for a decision that must not be undone by a crash once it is answered.
    pub fn must_last(&self) -> bool {
        match self {
            Self::Host(hosting) => hosting.must_last(),
            Self::Inviting { asked, .. } => asked.must_last(),
            Self::Settings { .. } => true,
            Self::Subscribe { .. } | Self::Send { .. } => false,
        }
    }
}

/// Parameters of a join.
#[derive(Debug, Clone)]
pub struct Join {
    /// The participant's id, if the owner of the connection assigns ids; otherwise generated.
    pub id: Option<ParticipantId>,
    /// Display name.
    pub name: DisplayName,
    /// Password of a locked room.
    pub password: Option<Password>,
    /// The password is that of which the owner of the room keeps a hash.
    pub is_password_right: bool,
    /// Token of an earlier participant, which leaves and whose place this one takes.
    pub replaces: Option<ResumeToken>,
    /// Its token has expired: it enters as an earlier participant or not at all.
    pub has_expired: bool,
    /// Initial media state.
    pub media: MediaState,
    /// The client can use the media server.
    pub sfu: bool,
    /// Secret of the device, by which a returning host or a removed participant is recognized.
    pub device: Option<DeviceSecret>,
    /// What a token permits.
    pub pass: Option<Box<Pass>>,
    /// An invitation, which counts only without a pass.
    pub invitation: Option<PresentedInvitation>,
    /// Network that the client comes from, as a number, which gets a share of the waiting room;
    /// `None` for a client without such a limit.
    pub prefix: Option<u128>,
    /// Dialect-specific description of the client.
    pub profile: Option<Opaque>,
    /// If this join opens the room: it is in the public list.
    pub listed: bool,
}

/// A chat message.
#[derive(Debug, Clone)]
pub struct Chat {
    /// The text.
    pub text: ChatText,
    /// The only recipient of a private message.
    pub to: Option<ParticipantId>,
    /// Serial number among the sender's messages. A number not above the previous one marks a
    /// repetition.
    pub serial: Option<u64>,
    /// Time of arrival at the server, in milliseconds since 1970 (UTC). A parameter, since a room
    /// has no wall clock.
    pub at: u64,
    /// A file that is offered.
    pub file: Option<SharedFile>,
}

/// Parameters of a resume.
#[derive(Debug, Clone)]
pub struct Resume {
    /// The token from the join's reply.
    pub token: ResumeToken,
    /// Number of the last received event, if any.
    pub last: Option<u64>,
}

/// Recipients of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// One other participant.
    One(ParticipantId),
    /// All other participants.
    Others,
}

/// Reason for the end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// The client disconnected for good.
    Left,
    /// The client closed the transport in order, as browsers do when a page is left or reloaded. It
    /// returns within moments or never.
    GoingAway,
    /// The connection broke; the client may return.
    Lost,
}

/// An effect for the owner of the connections to execute, in order.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Reply to the current request.
    Reply {
        /// The sender of the request.
        to: Connection,
        /// The reply.
        reply: Result<Reply, Rejection>,
    },
    /// Send an event.
    Send {
        /// The recipients, at least one.
        to: Vec<Connection>,
        /// The event.
        event: Arc<Event>,
        /// The event's number in the room; `None` if a resume does not replay it.
        number: Option<u64>,
    },
    /// Send a message to the media server.
    Sfu {
        /// The sender.
        from: ParticipantId,
        /// What the media server may forward of the sender, and whether it may send it anything.
        permitted: MediaRights,
        /// The message.
        message: ToSfu,
    },
    /// End the media server link of a participant that left.
    Unlink(ParticipantId),
    /// Admit a connection from the waiting room. Its join was answered by [`Rejection::Waiting`].
    Admit {
        /// The connection.
        to: Connection,
        /// The reply to its join, late.
        admission: Box<Admission>,
    },
    /// Tell a connection that it is no longer in the room or its waiting room, and remove it.
    Dismiss {
        /// The connection.
        to: Connection,
        /// The reason.
        reason: Dismissal,
    },
    /// Remove a connection that a newer one replaced. It is in no room and receives nothing.
    Detach(Connection),
    /// Update the room's row in the lobby.
    Summary(RoomSummary),
    /// The room was empty long enough and may be dropped. A join instead keeps it open.
    Closed,
}

/// A successful reply.
#[derive(Debug, Clone)]
pub enum Reply {
    /// To [`Request::Join`] and [`Request::Resume`].
    Admitted(Box<Admission>),
    /// To [`Inviting::Invite`].
    Invited(Box<Invited>),
    /// To [`Inviting::List`].
    Invitations(InvitationList),
    /// To all other requests.
    Done,
}

/// The reply to a join or resume.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The participant itself.
    pub me: Participant,
    /// The other participants, in the order they joined.
    pub others: Vec<Participant>,
    /// The room's row in the lobby.
    pub room: RoomSummary,
    /// The current topology.
    pub topology: Topology,
    /// Rules; `None` in a room without hosts.
    pub policy: Option<Policy>,
    /// The waiting room, for those who may admit; otherwise empty.
    pub waiting: Vec<Waiting>,
    /// Participants in the spotlight.
    pub spotlight: Vec<ParticipantId>,
    /// Text of the application that embeds the room.
    pub metadata: String,
    /// The chat so far, for a newcomer.
    pub chat: Vec<ChatMessage>,
    /// Polls, also for whoever resumes.
    pub polls: Vec<Poll>,
    /// Token with which a later connection can resume.
    pub resume: ResumeToken,
    /// An earlier participant was restored; its missed events follow.
    pub resumed: bool,
    /// Number of the newest event that won't be sent.
    pub last: u64,
}

/// A native signal contains either a description or a candidate.
impl TryFrom<SignalRequest> for Request {
    type Error = Rejection;
    fn try_from(signal: SignalRequest) -> Result<Self, Rejection> {
        let message = match (signal.description, signal.candidate) {
            (Some(description), None) => Message::Description(description),
            (None, Some(candidate)) => Message::Candidate(candidate),
            _ => return Err(Rejection::Invalid("send either a description or a candidate")),
        };
        if signal.to.is_sfu() {
            return ToSfu::try_from(message).map(Self::Sfu);
        }
        Ok(Self::Relay { to: Recipients::One(signal.to), message })
    }
}

impl TryFrom<FileSignalRequest> for Request {
    type Error = Rejection;
    fn try_from(request: FileSignalRequest) -> Result<Self, Rejection> {
        request.try_into().map(Self::File)
    }
}

impl From<FileWithdrawRequest> for Request {
    fn from(request: FileWithdrawRequest) -> Self {
        Self::File(request.into())
    }
}

impl TryFrom<PublishRequest> for Request {
    type Error = Rejection;
    fn try_from(PublishRequest { tracks }: PublishRequest) -> Result<Self, Rejection> {
        let mut mids = HashSet::new();
        let mut sources = HashSet::new();
        for track in &tracks {
            if track.mid.is_empty() || track.mid.len() > MAX_MID_BYTES {
                return Err(Rejection::Invalid("tracks: a mid must have 1 to 16 bytes"));
            }
            if !mids.insert(&track.mid) {
                return Err(Rejection::Invalid("tracks: duplicate mid"));
            }
            if !sources.insert(track.source) {
                return Err(Rejection::Invalid("tracks: duplicate source"));
            }
        }
        Ok(Self::Sfu(ToSfu::Publish(tracks)))
    }
}

impl TryFrom<SubscribeRequest> for Request {
    type Error = Rejection;
    fn try_from(SubscribeRequest { tracks }: SubscribeRequest) -> Result<Self, Rejection> {
        if tracks.len() > MAX_WANTED_TRACKS {
            return Err(Rejection::TooLarge("tracks"));
        }
        let mut seen = HashSet::new();
        if !tracks.iter().all(|track| seen.insert((&track.participant, track.source))) {
            return Err(Rejection::Invalid("tracks: duplicate track"));
        }
        Ok(Self::Sfu(ToSfu::Subscribe(tracks)))
    }
}

impl From<Join> for Request {
    fn from(join: Join) -> Self {
        Self::Join(Box::new(join))
    }
}

impl From<DirectRequest> for Request {
    fn from(DirectRequest { direct }: DirectRequest) -> Self {
        Self::Direct(direct)
    }
}

impl From<HandoverRequest> for Request {
    fn from(HandoverRequest { to, topology }: HandoverRequest) -> Self {
        Self::Handover { to, topology }
    }
}

impl From<MuteRequest> for Request {
    fn from(MuteRequest { participants, sources }: MuteRequest) -> Self {
        Self::Host(Hosting::Mute { participants, sources: sources.into_iter().collect() })
    }
}

impl From<UnmuteRequest> for Request {
    fn from(UnmuteRequest { participant, sources }: UnmuteRequest) -> Self {
        Self::Host(Hosting::Unmute { participant, sources: sources.into_iter().collect() })
    }
}

impl From<LowerHandsRequest> for Request {
    fn from(LowerHandsRequest { participants }: LowerHandsRequest) -> Self {
        Self::Host(Hosting::LowerHands(participants))
    }
}

impl From<RemoveRequest> for Request {
    fn from(RemoveRequest { participant }: RemoveRequest) -> Self {
        Self::Host(Hosting::Remove(participant))
    }
}

impl From<RoleRequest> for Request {
    fn from(RoleRequest { participant, role }: RoleRequest) -> Self {
        Self::Host(Hosting::Role(participant, role))
    }
}

impl From<SpotlightRequest> for Request {
    fn from(SpotlightRequest { participants }: SpotlightRequest) -> Self {
        Self::Host(Hosting::Spotlight(participants))
    }
}

impl From<SettingsRequest> for Request {
    fn from(settings: SettingsRequest) -> Self {
        Self::Host(Hosting::Settings(settings))
    }
}

impl From<EndRoom> for Request {
    fn from(EndRoom {}: EndRoom) -> Self {
        Self::Host(Hosting::End)
    }
}

impl From<ReactionRequest> for Request {
    fn from(ReactionRequest { emoji }: ReactionRequest) -> Self {
        Self::React(emoji)
    }
}
