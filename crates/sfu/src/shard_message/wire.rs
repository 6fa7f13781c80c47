//! Wire form of messages between servers. Integers are big-endian.
//!
//! ```text
//! media      0 | flags | format | peer (8) | seq (6) | timestamp (4) | fields by flags | payload
//! flags      marker 80 | rid 40 | audio level 20 | playout delay 10 | content type 08
//!            | capture time 04 | its clock offset 02 | dependency descriptor 01
//! format     profile 80 | frame number 40 | source (2 bits) | codec (3 bits)
//! requests   kind | room (8) | track | rids
//! ```
//!
//! Media names no room: a peer is in one. It has no time either: the link measures how long a packet
//! was under way. The version is agreed on by the link.

use std::{sync::Arc, time::Instant};

use super::message::{EncodingInterest, MessageBody, ShardMessage};
use crate::{
    ids::{PeerId, Rid, RoomId, Source, TrackId},
    track::{
        MAX_ENCODINGS,
        format::{Codec, Format},
        packet::{AudioLevel, ForwardedExtensions, Packet},
    },
};

/// Longest payload: more than fits any network's packet.
const MAX_PAYLOAD: usize = 2048;
/// Longest rid that is forwarded.
const MAX_RID: usize = 8;

const MEDIA: u8 = 0;
const JOINED: u8 = 1;
const PUBLISHED: u8 = 2;
const UNPUBLISHED: u8 = 3;
const INTEREST: u8 = 4;
const KEYFRAME_REQUEST: u8 = 5;

const MARKER: u8 = 0x80;
const RID: u8 = 0x40;
const AUDIO_LEVEL: u8 = 0x20;
const PLAYOUT_DELAY: u8 = 0x10;
const CONTENT_TYPE: u8 = 0x08;
const CAPTURE_TIME: u8 = 0x04;
const CLOCK_OFFSET: u8 = 0x02;
const DEPENDENCY: u8 = 0x01;

const PROFILE: u8 = 0x80;
const FRAME_NUMBER: u8 = 0x40;

const CODECS: [Codec; 6] =
    [Codec::Opus, Codec::Red, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];

/// A message of another server that can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A kind of a later version. Skip it.
    #[error("unknown kind {0} of message")]
    UnknownKind(u8),
    /// Bytes that no version sends.
    #[error("malformed message")]
    Malformed,
}

impl ShardMessage {
    /// Appends the wire form, without `to` and `from`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match &self.body {
            MessageBody::Media { track, rid, packet } => encode_media(*track, *rid, packet, out),
            MessageBody::Joined => self.start(JOINED, out),
            MessageBody::Published { track, rids } => {
                self.start(PUBLISHED, out);
                put_track(*track, out);
                for rid in rids.iter().take(MAX_ENCODINGS) {
                    put_rid(*rid, out);
                }
            }
            MessageBody::Unpublished { track } => {
                self.start(UNPUBLISHED, out);
                put_track(*track, out);
            }
            MessageBody::Interest { track, encodings } => {
                self.start(INTEREST, out);
                put_track(*track, out);
                for encoding in encodings.iter().take(MAX_ENCODINGS) {
                    out.push(encoding.is_needed.into());
                    put_optional_rid(encoding.rid, out);
                }
            }
            MessageBody::KeyframeRequest { track, rid } => {
                self.start(KEYFRAME_REQUEST, out);
                put_track(*track, out);
                put_optional_rid(*rid, out);
            }
        }
    }

    fn start(&self, kind: u8, out: &mut Vec<u8>) {
        out.push(kind);
        out.extend(self.room.0.to_be_bytes());
    }

    /// Parses the wire form of a message from shard `from` to shard `to`. `received_at` is when the
    /// publisher's server received the packet, if it is media.
    ///
    /// # Errors
    ///
    /// The message is of a later version, or malformed.
    pub fn decode(
        bytes: &[u8],
        from: u16,
        to: u16,
        received_at: Instant,
    ) -> Result<Self, DecodeError> {
        let mut reader = Reader(bytes);
        let kind = reader.u8().ok_or(DecodeError::Malformed)?;
        if kind > KEYFRAME_REQUEST {
            return Err(DecodeError::UnknownKind(kind));
        }
        let (room, body) = match kind {
            MEDIA => (Some(RoomId(0)), decode_media(&mut reader, received_at)),
            kind => (reader.u64().map(RoomId), decode_request(kind, &mut reader)),
        };
        let (room, body) = room.zip(body).ok_or(DecodeError::Malformed)?;
        Ok(Self { to, from, room, body })
    }
}

fn encode_media(track: TrackId, rid: Option<Rid>, packet: &Packet, out: &mut Vec<u8>) {
    let extensions = &packet.extensions;
    let capture = extensions.capture_time;
    let offset = capture.and_then(|(_, offset)| offset);
    let dependency = packet.dependency.as_deref().filter(|bytes| u8::try_from(bytes.len()).is_ok());
    let profile = packet.format.profile();
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    out.push(MEDIA);
    out.push(
        flag(packet.marker, MARKER)
            | flag(rid.is_some(), RID)
            | flag(extensions.audio_level.is_some(), AUDIO_LEVEL)
            | flag(extensions.playout_delay.is_some(), PLAYOUT_DELAY)
            | flag(extensions.content_type.is_some(), CONTENT_TYPE)
            | flag(capture.is_some(), CAPTURE_TIME)
            | flag(offset.is_some(), CLOCK_OFFSET)
            | flag(dependency.is_some(), DEPENDENCY),
    );
    let codec = index_of(&CODECS, packet.format.codec);
    out.push(
        flag(profile != 0, PROFILE)
            | flag(packet.frame_number.is_some(), FRAME_NUMBER)
            | index_of(&Source::ALL, track.source) << 3
            | codec,
    );
    out.extend(track.peer.0.to_be_bytes());
    let [_, _, seq @ ..] = packet.seq.to_be_bytes();
    out.extend(seq);
    out.extend(packet.timestamp.to_be_bytes());
    if let Some(rid) = rid {
        put_rid(rid, out);
    }
    out.extend(extensions.audio_level.map(AudioLevel::to_byte));
    out.extend(extensions.playout_delay.into_iter().flatten());
    out.extend(extensions.content_type);
    if let Some((time, _)) = capture {
        out.extend(time.to_be_bytes());
    }
    out.extend(offset.into_iter().flat_map(u64::to_be_bytes));
    if let Some((bytes, len)) =
        dependency.and_then(|bytes| Some((bytes, u8::try_from(bytes.len()).ok()?)))
    {
        out.push(len);
        out.extend(bytes);
    }
    if profile != 0 {
        out.extend(profile.to_be_bytes());
    }
    out.extend(packet.frame_number.into_iter().flat_map(u16::to_be_bytes));
    out.extend(&*packet.payload);
}

fn decode_media(reader: &mut Reader<'_>, received_at: Instant) -> Option<MessageBody> {
    let flags = reader.u8()?;
    let format = reader.u8()?;
    let codec = *CODECS.get(usize::from(format & 0x07))?;
    let source = *Source::ALL.get(usize::from(format >> 3 & 0x03))?;
    let peer = PeerId(reader.u64()?);
    let seq = reader.array::<6>()?;
    let seq = seq.iter().fold(0, |seq, byte| seq << 8 | u64::from(*byte));
    let timestamp = reader.u32()?;
    let has = |flag: u8| flags & flag != 0;
    let rid = if has(RID) { Some(reader.rid()?) } else { None };
    let audio_level =
        if has(AUDIO_LEVEL) { Some(AudioLevel::from_byte(reader.u8()?)) } else { None };
    let playout_delay = if has(PLAYOUT_DELAY) { Some(reader.array()?) } else { None };
    let content_type = if has(CONTENT_TYPE) { Some(reader.u8()?) } else { None };
    let capture_time = if has(CAPTURE_TIME) { Some(reader.u64()?) } else { None };
    let offset = if has(CLOCK_OFFSET) { Some(reader.u64()?) } else { None };
    let dependency = if has(DEPENDENCY) {
        let len = reader.u8()?;
        Some(Arc::from(reader.take(len.into())?))
    } else {
        None
    };
    let profile = if format & PROFILE != 0 { reader.u32()? } else { 0 };
    let frame_number = if format & FRAME_NUMBER != 0 { Some(reader.u16()?) } else { None };
    let payload = reader.rest();
    let format = Format::from_parts(codec, profile);
    if format.kind() != source.kind() || payload.len() > MAX_PAYLOAD {
        return None;
    }
    let packet = Packet {
        seq,
        timestamp,
        marker: has(MARKER),
        format,
        extensions: ForwardedExtensions {
            audio_level,
            playout_delay,
            content_type,
            capture_time: capture_time.map(|time| (time, offset)),
        },
        dependency,
        frame_number,
        payload: Arc::from(payload),
        received_at,
    };
    let track = TrackId { peer, source };
    Some(MessageBody::Media { track, rid, packet: Arc::new(packet) })
}

/// Parses the rest of a request. Later versions may append fields.
fn decode_request(kind: u8, reader: &mut Reader<'_>) -> Option<MessageBody> {
    if kind == JOINED {
        return Some(MessageBody::Joined);
    }
    let track = reader.track()?;
    Some(match kind {
        PUBLISHED => {
            let mut rids = Vec::new();
            while !reader.is_empty() && rids.len() < MAX_ENCODINGS {
                rids.push(reader.rid()?);
            }
            MessageBody::Published { track, rids }
        }
        UNPUBLISHED => MessageBody::Unpublished { track },
        INTEREST => {
            let mut encodings = Vec::new();
            while !reader.is_empty() && encodings.len() < MAX_ENCODINGS {
                let is_needed = reader.u8()? != 0;
                encodings.push(EncodingInterest { is_needed, rid: reader.optional_rid()? });
            }
            MessageBody::Interest { track, encodings }
        }
        _ => MessageBody::KeyframeRequest { track, rid: reader.optional_rid()? },
    })
}

fn index_of<T: PartialEq + Copy>(all: &[T], one: T) -> u8 {
    let at = all.iter().position(|known| *known == one);
    at.and_then(|at| u8::try_from(at).ok()).unwrap_or_default()
}

fn put_track(track: TrackId, out: &mut Vec<u8>) {
    out.extend(track.peer.0.to_be_bytes());
    out.push(index_of(&Source::ALL, track.source));
}

fn put_rid(rid: Rid, out: &mut Vec<u8>) {
    put_optional_rid(Some(rid), out);
}

/// A length and as many characters; a length of zero for none.
fn put_optional_rid(rid: Option<Rid>, out: &mut Vec<u8>) {
    let name = rid.as_deref().unwrap_or_default();
    out.push(u8::try_from(name.len()).unwrap_or_default());
    out.extend(name.as_bytes());
}

/// The rest of a message.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn track(&mut self) -> Option<TrackId> {
        let peer = PeerId(self.u64()?);
        let source = *Source::ALL.get(usize::from(self.u8()?))?;
        Some(TrackId { peer, source })
    }

    fn rid(&mut self) -> Option<Rid> {
        self.optional_rid()?
    }

    /// Letters and digits only, as in SDP (RFC 8851 §10): str0m panics on others.
    fn optional_rid(&mut self) -> Option<Option<Rid>> {
        let len = usize::from(self.u8()?);
        let name = self.take(len)?;
        let is_valid = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_';
        if len > MAX_RID || !name.iter().all(is_valid) {
            return None;
        }
        let name = std::str::from_utf8(name).ok()?;
        Some((!name.is_empty()).then(|| Rid::from(name)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use testnet::Clock;

    use super::*;

    /// Bytes of a link's header and of QUIC's frame, packet and tag.
    const MAX_HEAD: usize = 40;
    const LINK_HEADER: usize = 13;

    fn media(track: TrackId, rid: Option<Rid>, packet: Packet) -> ShardMessage {
        let body = MessageBody::Media { track, rid, packet: Arc::new(packet) };
        ShardMessage { to: 2, from: 1, room: RoomId(0), body }
    }

    fn request(body: MessageBody) -> ShardMessage {
        ShardMessage { to: 2, from: 1, room: RoomId(u64::MAX - 1), body }
    }

    fn packet(now: Instant, codec: Codec) -> Packet {
        Packet {
            seq: (1 << 48) - 1,
            timestamp: u32::MAX,
            marker: true,
            format: Format::from_parts(codec, 0),
            extensions: ForwardedExtensions::default(),
            dependency: None,
            frame_number: None,
            payload: Arc::from([1, 2, 3]),
            received_at: now,
        }
    }

    /// Encodes and decodes a message.
    fn round_trip(message: &ShardMessage, now: Instant) -> ShardMessage {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        ShardMessage::decode(&bytes, message.from, message.to, now).unwrap()
    }

    #[test]
    fn requests_survive_the_wire() {
        let now = Clock::new().now();
        let track = TrackId { peer: PeerId(1 << 63 | 5), source: Source::ScreenShare };
        let [low, high] = ["q", "f-2_x"].map(Rid::from);
        let needed = |rid, is_needed| EncodingInterest { rid, is_needed };
        for body in [
            MessageBody::Joined,
            MessageBody::Published { track, rids: vec![low, high] },
            MessageBody::Published { track, rids: Vec::new() },
            MessageBody::Unpublished { track },
            MessageBody::Interest {
                track,
                encodings: vec![needed(Some(low), true), needed(None, false)],
            },
            MessageBody::KeyframeRequest { track, rid: None },
            MessageBody::KeyframeRequest { track, rid: Some(high) },
        ] {
            let message = request(body);
            assert_eq!(format!("{:?}", round_trip(&message, now)), format!("{message:?}"));
        }
    }

    #[test]
    fn head_of_a_simulcast_packet_is_short() {
        let now = Clock::new().now();
        let track = TrackId { peer: PeerId(7), source: Source::Camera };
        let mut bytes = Vec::new();
        media(track, Some(Rid::from("h")), packet(now, Codec::Vp8)).encode(&mut bytes);
        assert!(bytes.len() - 3 + LINK_HEADER <= MAX_HEAD, "{}", bytes.len() - 3);
    }

    #[test]
    fn codec_must_suit_the_source() {
        let now = Clock::new().now();
        let track = TrackId { peer: PeerId(7), source: Source::Microphone };
        let mut bytes = Vec::new();
        media(track, None, packet(now, Codec::Vp8)).encode(&mut bytes);
        let decoded = ShardMessage::decode(&bytes, 1, 2, now).map(|_| ());
        assert_eq!(decoded, Err(DecodeError::Malformed));
    }

    #[test]
    fn unknown_kinds_are_told_from_malformed_messages() {
        let now = Clock::new().now();
        let decode = |bytes: &[u8]| ShardMessage::decode(bytes, 1, 2, now).map(|_| ());
        assert_eq!(decode(&[9, 1, 2]), Err(DecodeError::UnknownKind(9)));
        let rid_of_str0m_panics = [5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0xff];
        for bytes in [&[][..], &[1, 2], &[5; 12], &rid_of_str0m_panics] {
            assert_eq!(decode(bytes), Err(DecodeError::Malformed), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn media_survives_the_wire(
            (codec, peer, seq, timestamp) in (0..6_usize, any::<u64>(), 0..1_u64 << 48, any::<u32>()),
            (marker, rid, profile) in (any::<bool>(), proptest::option::of("[a-z0-9]{1,8}"), any::<u32>()),
            level in proptest::option::of((-127..=0_i8, any::<bool>())),
            (delay, content) in any::<(Option<[u8; 3]>, Option<u8>)>(),
            capture in any::<Option<(u64, Option<u64>)>>(),
            dependency in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..=255)),
            frame_number in any::<Option<u16>>(),
            payload in proptest::collection::vec(any::<u8>(), 0..1300),
        ) {
            let now = Clock::new().now();
            let format = Format::from_parts(CODECS[codec], profile);
            let source =
                *Source::ALL.iter().find(|source| source.kind() == format.kind()).unwrap();
            let extensions = ForwardedExtensions {
                audio_level: level
                    .map(|(dbov, voice_activity)| AudioLevel { dbov, voice_activity }),
                playout_delay: delay,
                content_type: content,
                capture_time: capture,
            };
            let packet = Packet {
                seq,
                timestamp,
                marker,
                format,
                extensions,
                dependency: dependency.map(Arc::from),
                frame_number,
                payload: Arc::from(payload),
                received_at: now,
            };
            let track = TrackId { peer: PeerId(peer), source };
            let message = media(track, rid.as_deref().map(Rid::from), packet);
            prop_assert_eq!(format!("{:?}", round_trip(&message, now)), format!("{message:?}"));
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let now = Clock::new().now();
            if let Ok(message) = ShardMessage::decode(&bytes, 1, 2, now) {
                let again = round_trip(&message, now);
                prop_assert_eq!(format!("{again:?}"), format!("{message:?}"));
            }
        }
    }
}
