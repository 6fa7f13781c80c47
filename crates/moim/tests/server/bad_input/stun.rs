//! Malformed STUN and TURN, over UDP, TCP and TLS.

use super::{Answered, Input, Row, noise, row};

const BINDING: u16 = 0x0001;
const ALLOCATE: u16 = 0x0003;
const REFRESH: u16 = 0x0004;
const CREATE_PERMISSION: u16 = 0x0008;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const REQUESTED_TRANSPORT: u16 = 0x0019;

/// The transaction of the probe that follows each datagram.
const PROBE: [u8; 12] = *b"probe-probe-";

pub(super) fn rows() -> Vec<Row> {
    let udp_transport = attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    let forged = [
        udp_transport.clone(),
        attribute(USERNAME, b"9999999999:mallory"),
        attribute(REALM, b"moim"),
        attribute(NONCE, b"not one of yours"),
        attribute(MESSAGE_INTEGRITY, &[7; 20]),
    ]
    .concat();
    let unknown = attribute(0x7fff, b"what");
    let overrun = [&[0x80, 0x22, 0xff, 0xff][..], b"four"].concat();
    let nonzero_bits = [&[0xc0, 1][..], &message(BINDING, &[])[2..]].concat();
    let no_cookie = {
        let mut message = message(BINDING, &[]);
        message[4] ^= 1;
        message
    };
    let udp = |name, bytes, answered| row(name, Input::Udp(bytes), answered);
    let tcp = |name, bytes, answered| row(name, Input::Tcp(bytes), answered);
    vec![
        udp("an empty datagram", Vec::new(), Answered::Nothing),
        udp("one byte", vec![0], Answered::Nothing),
        udp("a STUN header cut short", message(BINDING, &[])[..19].to_vec(), Answered::Nothing),
        udp("a STUN length that promises more", lying(BINDING, 400), Answered::Nothing),
        udp("a STUN length of no four", lying(BINDING, 3), Answered::Nothing),
        udp("the longest STUN length", lying(BINDING, 0xffff), Answered::Nothing),
        udp(
            "a STUN length that promises less",
            [message(BINDING, &[]), vec![0; 8]].concat(),
            Answered::Nothing,
        ),
        udp("no magic cookie", no_cookie, Answered::Nothing),
        udp("bits that STUN has as zeros", nonzero_bits, Answered::Nothing),
        udp("an attribute that overruns", message(BINDING, &overrun), Answered::Nothing),
        udp("an attribute nobody knows", message(BINDING, &unknown), Answered::Stun(420)),
        udp("a STUN response", message(0x0101, &[]), Answered::Nothing),
        udp("a STUN method nobody knows", message(0x000e, &[]), Answered::Nothing),
        udp("Allocate without credentials", message(ALLOCATE, &udp_transport), Answered::Stun(401)),
        udp("Allocate with forged ones", message(ALLOCATE, &forged), Answered::Stun(438)),
        udp("Refresh of nothing", message(REFRESH, &[]), Answered::Stun(401)),
        udp("CreatePermission for nothing", message(CREATE_PERMISSION, &[]), Answered::Stun(401)),
        udp("ChannelData without a channel", b"\x40\x01\x00\x04data".to_vec(), Answered::Nothing),
        udp("ChannelData that promises more", b"\x40\x01\xff\xffdata".to_vec(), Answered::Nothing),
        udp("half a DTLS hello", vec![22, 254, 253, 0, 0], Answered::Nothing),
        udp("RTP to nobody", [&[0x80, 96][..], &noise(2, 100)].concat(), Answered::Nothing),
        udp("noise", [&[0xc8][..], &noise(3, 1000)].concat(), Answered::Nothing),
        udp("the longest datagram", [&[0xff][..], &noise(4, 65_000)].concat(), Answered::Nothing),
        row(
            "STUN cut short",
            Input::TcpToEnd(message(BINDING, &[])[..12].to_vec()),
            Answered::Nothing,
        ),
        row(
            "STUN of the longest length",
            Input::TcpToEnd(lying(ALLOCATE, 0xfffc)),
            Answered::Nothing,
        ),
        tcp("ICE over TCP", [vec![0, 20], message(BINDING, &[])].concat(), Answered::Nothing),
        tcp("ChannelData first", b"\x40\x01\x00\x04data".to_vec(), Answered::Nothing),
        row(
            "Allocate over TCP without credentials",
            Input::TcpOnce(message(ALLOCATE, &udp_transport)),
            Answered::Stun(401),
        ),
        row(
            "Allocate over TLS with forged credentials",
            Input::TlsOnce(message(ALLOCATE, &forged)),
            Answered::Stun(438),
        ),
        tcp(
            "a good request, then noise",
            [message(BINDING, &[]), vec![0xff; 100]].concat(),
            Answered::AtMost(60),
        ),
    ]
}

/// A message with a given transaction id (RFC 8489 §5).
fn message(kind: u16, attributes: &[u8]) -> Vec<u8> {
    with_length(kind, u16::try_from(attributes.len()).unwrap(), attributes)
}

/// A message whose length claims attributes that it lacks.
fn lying(kind: u16, length: u16) -> Vec<u8> {
    with_length(kind, length, &[])
}

fn with_length(kind: u16, length: u16, attributes: &[u8]) -> Vec<u8> {
    let mut message = kind.to_be_bytes().to_vec();
    message.extend(length.to_be_bytes());
    message.extend([0x21, 0x12, 0xa4, 0x42]);
    message.extend(b"bad-bad-bad-");
    message.extend(attributes);
    message
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut attribute = kind.to_be_bytes().to_vec();
    attribute.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    attribute.extend(value);
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

/// A Binding request with a recognisable transaction id.
pub(crate) fn probe() -> Vec<u8> {
    let mut probe = message(BINDING, &[]);
    probe[8..20].copy_from_slice(&PROBE);
    probe
}

pub(crate) fn answers_probe(answer: &[u8]) -> bool {
    answer.get(8..20) == Some(&PROBE)
}

/// The code of an error response (RFC 8489 §14.8).
pub(super) fn error_code(answer: &[u8]) -> Option<u16> {
    let is_error = answer.first()? & 1 == 1 && answer.get(1)? & 0x10 == 0x10;
    let mut rest = answer.get(20..).filter(|_| is_error)?;
    loop {
        let (head, after) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if u16::from_be_bytes([head[0], head[1]]) == ERROR_CODE {
            let value = after.get(..4)?;
            return Some(u16::from(value[2]) * 100 + u16::from(value[3]));
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
}
