//! Protocol detection on TCP connections by their first bytes.

/// The STUN magic cookie (RFC 8489 §5).
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// The content type of a TLS handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// The beginnings of PROXY protocol headers, versions 1 and 2; `PROXY` is no HTTP method.
const PROXY_V1: &[u8] = b"PROXY ";
const PROXY_V2: &[u8] = b"\r\n\r\n\0\r\nQUI";

/// Bytes after which [`detect`] always decides.
pub(super) const MAX_DETECTION_BYTES: usize = 10;

/// A protocol of the one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A TLS handshake; the protocol inside is detected again.
    Tls,
    /// HTTP/1.1, including WebSocket upgrades.
    Http,
    /// TURN over TCP (RFC 8656 §2.1). ChannelData can't come first: a channel is bound before.
    Turn,
    /// ICE over TCP (RFC 6544), with RFC 4571 framing.
    IceTcp,
    /// A header of the PROXY protocol, before one of the others.
    ProxyHeader,
}

/// The result of [`detect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detection {
    Known(Protocol),
    /// Undecided; never returned for [`MAX_DETECTION_BYTES`] or more.
    NeedsMore,
    /// None of our protocols.
    Unknown,
}

/// Detects a connection's protocol from the fewest bytes that decide.
///
/// A letter decides for HTTP, unless a PROXY header is possible: its parser answers malformed
/// requests properly.
pub(super) fn detect(first: &[u8]) -> Detection {
    match first {
        [] => Detection::NeedsMore,
        [TLS_HANDSHAKE, ..] => Detection::Known(Protocol::Tls),
        _ if first.starts_with(PROXY_V1) || first.starts_with(PROXY_V2) => {
            Detection::Known(Protocol::ProxyHeader)
        }
        _ if PROXY_V1.starts_with(first) || PROXY_V2.starts_with(first) => Detection::NeedsMore,
        [b'A'..=b'Z' | b'a'..=b'z', ..] => Detection::Known(Protocol::Http),
        // The two zero bits of STUN (RFC 8489 §5). With RFC 4571 framing they are those of the
        // length, as every message is shorter than 16 KiB.
        [0x00..=0x3f, ..] => detect_stun(first),
        _ => Detection::Unknown,
    }
}

fn detect_stun(first: &[u8]) -> Detection {
    match (cookie_at(4, first), cookie_at(6, first)) {
        (Cookie::Present, _) => Detection::Known(Protocol::Turn),
        (_, Cookie::Present) => Detection::Known(Protocol::IceTcp),
        (Cookie::Absent, Cookie::Absent) => Detection::Unknown,
        _ => Detection::NeedsMore,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cookie {
    Present,
    Possible,
    Absent,
}

fn cookie_at(offset: usize, first: &[u8]) -> Cookie {
    let bytes = first.get(offset..).unwrap_or_default();
    if bytes.starts_with(&MAGIC_COOKIE) {
        Cookie::Present
    } else if MAGIC_COOKIE.starts_with(bytes) {
        Cookie::Possible
    } else {
        Cookie::Absent
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BINDING: &[u8] = b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl";
    const ALLOCATE: &[u8] = b"\x00\x03\x00\x08\x21\x12\xa4\x42abcdefghijkl";
    const FRAMED: &[u8] = b"\x00\x14\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl";
    const HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

    /// First bytes, the number of them that decides, and the result.
    const ROWS: &[(&[u8], usize, Detection)] = &[
        (HELLO, 1, Detection::Known(Protocol::Tls)),
        (b"GET / HTTP/1.1\r\n", 1, Detection::Known(Protocol::Http)),
        (b"POST /socket.io/ HTTP/1.1\r\n", 2, Detection::Known(Protocol::Http)),
        (b"PROPFIND / HTTP/1.1\r\n", 4, Detection::Known(Protocol::Http)),
        (b"PROXY TCP4 192.0.2.1", 6, Detection::Known(Protocol::ProxyHeader)),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11", 10, Detection::Known(Protocol::ProxyHeader)),
        (b"\r\n\r\nGET / HTTP", 7, Detection::Unknown),
        (b"OPTIONS * HTTP/1.1\r\n", 1, Detection::Known(Protocol::Http)),
        (b"nonsense", 1, Detection::Known(Protocol::Http)),
        (BINDING, 8, Detection::Known(Protocol::Turn)),
        (ALLOCATE, 8, Detection::Known(Protocol::Turn)),
        (FRAMED, 10, Detection::Known(Protocol::IceTcp)),
        (b"\x40\x01\x00\x04data", 1, Detection::Unknown),
        (b"\x80\x00", 1, Detection::Unknown),
        (b"\xff", 1, Detection::Unknown),
        (b"\x05\x01\x00\x03\x01\x00\x00", 7, Detection::Unknown),
        (b"\x00\x01\x00\x00\x21\x12\xa4\x43", 8, Detection::Unknown),
        (b"\x00\x01\x00\x00\x00\x00\x21\x12\xa4\x00", 10, Detection::Unknown),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 7, Detection::Unknown),
        (b"\x20\x00\x00\x00\x00\x00 GET / ", 7, Detection::Unknown),
    ];

    #[test]
    fn detect_decides_at_the_first_sufficient_byte() {
        for (bytes, decides, detection) in ROWS {
            for seen in 0..=bytes.len() {
                let expected = if seen < *decides { Detection::NeedsMore } else { *detection };
                assert_eq!(detect(&bytes[..seen]), expected, "{seen} of {bytes:x?}");
            }
        }
    }

    proptest! {
        #[test]
        fn detect_always_decides_in_time_and_never_changes(bytes: [u8; 32]) {
            let detection = detect(&bytes[..MAX_DETECTION_BYTES]);
            prop_assert_ne!(detection, Detection::NeedsMore);
            prop_assert_eq!(detect(&bytes), detection);
            for seen in 0..MAX_DETECTION_BYTES {
                let early = detect(&bytes[..seen]);
                prop_assert!(early == Detection::NeedsMore || early == detection);
            }
        }
    }
}
