//! Messages between participants and the media server.

use crate::{
    event::{MAX_SFU_SDP_BYTES, Message},
    protocol::{
        PublishedTrack, RefusedEvent, SdpType, SessionDescription, SubscribedTrack, WantedEvent,
        WantedTrack,
    },
    rejection::Rejection,
};

/// A message from a participant to the media server, bounded and without duplicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToSfu {
    /// An offer or answer.
    Description(SessionDescription),
    /// Sources of the sending sections of the next offer.
    Publish(Vec<PublishedTrack>),
    /// The rights that come with each message have changed.
    Permit,
    /// Display sizes of tracks.
    Subscribe(Vec<WantedTrack>),
    /// A candidate, which the media server ignores: it learns candidates from connectivity checks.
    Nothing,
}

/// A message from the media server to a participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromSfu {
    /// An offer or answer.
    Description(SessionDescription),
    /// Tracks of the receiving sections.
    Subscribed(Vec<SubscribedTrack>),
    /// Encodings of the participant's video that have subscribers.
    Wanted(WantedEvent),
    /// A rejected message.
    Refused(RefusedEvent),
}

impl TryFrom<Message> for ToSfu {
    type Error = Rejection;
    fn try_from(message: Message) -> Result<Self, Rejection> {
        match message {
            Message::Description(description) if description.sdp.len() > MAX_SFU_SDP_BYTES => {
                Err(Rejection::TooLarge("description"))
            }
            Message::Description(description) if description.kind == SdpType::Pranswer => {
                Err(Rejection::Invalid("the media server accepts no provisional answers"))
            }
            Message::Description(description) => Ok(Self::Description(description)),
            Message::Candidate(_) => message.bounded().map(|_| Self::Nothing),
            Message::Foreign(_) => Err(Rejection::NoSfu),
        }
    }
}
