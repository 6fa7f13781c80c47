//! What a connection asks of a room, and what the room does about it.

use std::{collections::HashSet, convert::Infallible, sync::Arc};

use crate::{
    chat::ChatText,
    event::{Event, MAX_SFU_SDP_BYTES, Message},
    name::DisplayName,
    opaque::Opaque,
    participant::Participant,
    password::Password,
    protocol::{
        DirectRequest, ErrorBody, ErrorCode, HandoverRequest, MediaState, ParticipantId,
        PublishRequest, PublishedTrack, ResumeToken, RoomSummary, SdpType, SessionDescription,
        SignalRequest, SubscribeRequest, Topology, TrackSource, WantedTrack,
    },
};

/// The most bytes of a media section's `mid`.
pub const MAX_MID_BYTES: usize = 16;
/// The most tracks that a page says to show: all of the largest room.
pub const MAX_WANTED_TRACKS: usize = 100 * TrackSource::COUNT;

/// Names a connection to its room. Whoever carries the connection numbers it and never reuses the
/// number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Connection(pub u64);

/// Something a connection asks.
#[derive(Debug, Clone)]
pub enum Request {
    /// To enter.
    Join(Join),
    /// To be again who an earlier connection was.
    Resume(Resume),
    /// To pass something on.
    Relay {
        /// To whom.
        to: Recipients,
        /// What.
        message: Message,
    },
    /// To tell the others what it sends from now on.
    Media(MediaState),
    /// To write to all others.
    Chat(Chat),
    /// To tell the others whether they are to connect to it peer to peer.
    Direct(bool),
    /// To tell another one that it is received by this topology now.
    Handover {
        /// Whom.
        to: ParticipantId,
        /// By what.
        topology: Topology,
    },
    /// To tell the media server something.
    Sfu(ToSfu),
    /// To leave for good.
    Leave,
}

/// What the media server is told by somebody; bounded, and nothing is in it twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToSfu {
    /// An offer or answer.
    Description(SessionDescription),
    /// What the sending sections of the next offer are.
    Publish(Vec<PublishedTrack>),
    /// How tracks are shown.
    Subscribe(Vec<WantedTrack>),
    /// What it need not know: it waits for whoever reaches it, whatever their candidates.
    Nothing,
}

/// How somebody enters.
#[derive(Debug, Clone)]
pub struct Join {
    /// Who it is, where whoever carries the connection names its clients; the room finds an id
    /// otherwise.
    pub id: Option<ParticipantId>,
    /// What the others will see.
    pub name: DisplayName,
    /// For a locked room.
    pub password: Option<Password>,
    /// Proves who it was before: that participant leaves, and its place is taken.
    pub replaces: Option<ResumeToken>,
    /// What it sends.
    pub media: MediaState,
    /// It can use the media server.
    pub sfu: bool,
    /// What clients of its dialect are to know of it.
    pub card: Option<Opaque>,
}

/// What somebody writes.
#[derive(Debug, Clone)]
pub struct Chat {
    /// What.
    pub text: ChatText,
    /// Which of its messages it is; one not above the last one's was told before.
    pub serial: Option<u64>,
    /// When it reached the server, in milliseconds since 1970 (UTC): a room has no clock for people.
    pub at: u64,
}

/// Who somebody was, and how much of it was heard.
#[derive(Debug, Clone)]
pub struct Resume {
    /// From the join's answer.
    pub token: ResumeToken,
    /// The number of the last event that arrived; none arrived otherwise.
    pub last: Option<u64>,
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// One other participant.
    One(ParticipantId),
    /// All the others.
    Others,
}

/// What became of a connection that asks no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Departure {
    /// It said that it won't be back.
    Left,
    /// It closed its end in order, as a browser does that leaves a page or loads it again. It is
    /// back within moments, or never.
    GoingAway,
    /// It broke and may be back.
    Lost,
}

/// What whoever carries the connections is to do, in this order.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Answer the request at hand.
    Reply {
        /// Who asked.
        to: Connection,
        /// The answer.
        reply: Result<Reply, Refusal>,
    },
    /// Tell connections of an event.
    Send {
        /// At least one.
        to: Vec<Connection>,
        /// What happened.
        event: Arc<Event>,
        /// The event's number in the room, if it is one that a resume brings back.
        number: Option<u64>,
    },
    /// Tell the media server.
    Sfu {
        /// Who says it.
        from: ParticipantId,
        /// What.
        said: ToSfu,
    },
    /// Somebody is gone for good, and with them their link to the media server.
    Unlink(ParticipantId),
    /// A newer connection took this one's place; it is in no room now, and is told nothing.
    Detach(Connection),
    /// The room's row in the lobby is another one now.
    Summary(RoomSummary),
    /// Nobody is in the room and its time is up. It may be dropped; if it is handed a join
    /// instead, it goes on.
    Closed,
}

/// A request that was met.
#[derive(Debug, Clone)]
pub enum Reply {
    /// To [`Request::Join`] and [`Request::Resume`].
    Admitted(Box<Admission>),
    /// To all others.
    Done,
}

/// What somebody who entered needs to know.
#[derive(Debug, Clone)]
pub struct Admission {
    /// Who it is.
    pub me: Participant,
    /// The others, in the order they joined.
    pub others: Vec<Participant>,
    /// The room's row in the lobby.
    pub room: RoomSummary,
    /// How media travels.
    pub topology: Topology,
    /// Lets a later connection take over.
    pub resume: ResumeToken,
    /// An earlier participant was restored; what it missed follows.
    pub resumed: bool,
    /// The number of the newest event that is not going to be sent.
    pub last: u64,
}

/// Why a request was not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request contradicts itself.
    #[error("{0}")]
    Invalid(&'static str),
    /// A part is larger than the room relays.
    #[error("{0}: too large")]
    TooLarge(&'static str),
    /// The room holds as many as it may.
    #[error("the room is full")]
    RoomFull,
    /// The room is locked and no password was given.
    #[error("the room takes a password")]
    PasswordRequired,
    /// The password is another one.
    #[error("the password is another one")]
    WrongPassword,
    /// The connection is in the room already.
    #[error("this connection is in a room already")]
    AlreadyJoined,
    /// The connection is not in the room.
    #[error("this connection is in no room")]
    NotJoined,
    /// The target is not among the others.
    #[error("nobody else of that id is in the room")]
    NoSuchParticipant,
    /// Media never goes by the media server here.
    #[error("media does not go by a media server in this room")]
    NoSfu,
    /// The participant is gone, or too much happened meanwhile, or the token is wrong.
    #[error("the participant can't be restored any more; join anew")]
    ResumeExpired,
}

impl Refusal {
    /// What a native client is told.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::Invalid,
            Self::TooLarge(_) => ErrorCode::TooLarge,
            Self::RoomFull => ErrorCode::RoomFull,
            Self::PasswordRequired => ErrorCode::PasswordRequired,
            Self::WrongPassword => ErrorCode::WrongPassword,
            Self::AlreadyJoined => ErrorCode::AlreadyJoined,
            Self::NotJoined => ErrorCode::NotJoined,
            Self::NoSuchParticipant => ErrorCode::NoSuchParticipant,
            Self::NoSfu => ErrorCode::NoSfu,
            Self::ResumeExpired => ErrorCode::ResumeExpired,
        }
    }
}

/// For what is asked in a form that can't be wrong.
impl From<Infallible> for Refusal {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<Refusal> for ErrorBody {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code(), refusal.to_string())
    }
}

/// A native signal holds exactly one of description and candidate.
impl TryFrom<SignalRequest> for Request {
    type Error = Refusal;
    fn try_from(signal: SignalRequest) -> Result<Self, Refusal> {
        let message = match (signal.description, signal.candidate) {
            (Some(description), None) => Message::Description(description),
            (None, Some(candidate)) => Message::Candidate(candidate),
            _ => return Err(Refusal::Invalid("give one of description and candidate")),
        };
        if signal.to.is_sfu() {
            return ToSfu::try_from(message).map(Self::Sfu);
        }
        Ok(Self::Relay { to: Recipients::One(signal.to), message })
    }
}

impl TryFrom<Message> for ToSfu {
    type Error = Refusal;
    fn try_from(message: Message) -> Result<Self, Refusal> {
        match message {
            Message::Description(description) if description.sdp.len() > MAX_SFU_SDP_BYTES => {
                Err(Refusal::TooLarge("description"))
            }
            Message::Description(description) if description.kind == SdpType::Pranswer => {
                Err(Refusal::Invalid("the media server takes no provisional answer"))
            }
            Message::Description(description) => Ok(Self::Description(description)),
            Message::Candidate(_) => message.bounded().map(|_| Self::Nothing),
            Message::Foreign(_) => Err(Refusal::NoSfu),
        }
    }
}

impl TryFrom<PublishRequest> for Request {
    type Error = Refusal;
    fn try_from(PublishRequest { tracks }: PublishRequest) -> Result<Self, Refusal> {
        let (mut mids, mut sources) = (HashSet::new(), HashSet::new());
        for track in &tracks {
            if track.mid.is_empty() || track.mid.len() > MAX_MID_BYTES {
                return Err(Refusal::Invalid("tracks: a mid has 1 to 16 bytes"));
            }
            if !mids.insert(&track.mid) {
                return Err(Refusal::Invalid("tracks: a mid is there twice"));
            }
            if !sources.insert(track.source) {
                return Err(Refusal::Invalid("tracks: a source is there twice"));
            }
        }
        Ok(Self::Sfu(ToSfu::Publish(tracks)))
    }
}

impl TryFrom<SubscribeRequest> for Request {
    type Error = Refusal;
    fn try_from(SubscribeRequest { tracks }: SubscribeRequest) -> Result<Self, Refusal> {
        if tracks.len() > MAX_WANTED_TRACKS {
            return Err(Refusal::TooLarge("tracks"));
        }
        let mut seen = HashSet::new();
        if !tracks.iter().all(|track| seen.insert((&track.participant, track.source))) {
            return Err(Refusal::Invalid("tracks: a track is there twice"));
        }
        Ok(Self::Sfu(ToSfu::Subscribe(tracks)))
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
