//! What a TCP connection speaks, by its first bytes.

/// The value at a fixed place in every STUN message (RFC 8489 §5).
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// The content type of a TLS handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// How many first bytes are enough to tell any protocol.
pub(crate) const ENOUGH: usize = 10;

/// A protocol of the one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// A TLS handshake; inside, the choice is made again.
    Tls,
    /// HTTP/1.1, WebSockets included.
    Http,
    /// TURN over TCP (RFC 8656 §2.1). ChannelData can't come first, as a channel is bound first.
    Turn,
    /// ICE over TCP (RFC 6544), each message behind its length (RFC 4571).
    IceTcp,
}

/// What first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This is spoken.
    Is(Protocol),
    /// More bytes decide; never said of [`ENOUGH`].
    NeedsMore,
    /// Nothing we speak.
    Garbage,
}

/// Tells a connection's protocol by its first bytes, as soon as they decide.
///
/// A letter is enough for HTTP: its parser has the right answer to what turns out to be no request.
pub(crate) fn classify(first: &[u8]) -> Verdict {
    match first {
        [] => Verdict::NeedsMore,
        [TLS_HANDSHAKE, ..] => Verdict::Is(Protocol::Tls),
        [b'A'..=b'Z' | b'a'..=b'z', ..] => Verdict::Is(Protocol::Http),
        // The two zero bits of STUN (RFC 8489 §5). Behind a length they are those of a message
        // shorter than 16 KiB, as all are.
        [0x00..=0x3f, ..] => by_cookie(first),
        _ => Verdict::Garbage,
    }
}

fn by_cookie(first: &[u8]) -> Verdict {
    match (cookie_at(4, first), cookie_at(6, first)) {
        (Cookie::There, _) => Verdict::Is(Protocol::Turn),
        (_, Cookie::There) => Verdict::Is(Protocol::IceTcp),
        (Cookie::Absent, Cookie::Absent) => Verdict::Garbage,
        _ => Verdict::NeedsMore,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cookie {
    There,
    Possible,
    Absent,
}

fn cookie_at(offset: usize, first: &[u8]) -> Cookie {
    let seen = first.get(offset..).unwrap_or_default();
    if seen.starts_with(&MAGIC_COOKIE) {
        Cookie::There
    } else if MAGIC_COOKIE.starts_with(seen) {
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

    /// First bytes, how many of them decide, and what they are.
    const ROWS: &[(&[u8], usize, Verdict)] = &[
        (HELLO, 1, Verdict::Is(Protocol::Tls)),
        (b"GET / HTTP/1.1\r\n", 1, Verdict::Is(Protocol::Http)),
        (b"POST /socket.io/ HTTP/1.1\r\n", 1, Verdict::Is(Protocol::Http)),
        (b"OPTIONS * HTTP/1.1\r\n", 1, Verdict::Is(Protocol::Http)),
        (b"nonsense", 1, Verdict::Is(Protocol::Http)),
        (BINDING, 8, Verdict::Is(Protocol::Turn)),
        (ALLOCATE, 8, Verdict::Is(Protocol::Turn)),
        (FRAMED, 10, Verdict::Is(Protocol::IceTcp)),
        (b"\x40\x01\x00\x04data", 1, Verdict::Garbage),
        (b"\x80\x00", 1, Verdict::Garbage),
        (b"\xff", 1, Verdict::Garbage),
        (b"\x05\x01\x00\x03\x01\x00\x00", 7, Verdict::Garbage),
        (b"\x00\x01\x00\x00\x21\x12\xa4\x43", 8, Verdict::Garbage),
        (b"\x00\x01\x00\x00\x00\x00\x21\x12\xa4\x00", 10, Verdict::Garbage),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 7, Verdict::Garbage),
        (b"\x20\x00\x00\x00\x00\x00 GET / ", 7, Verdict::Garbage),
    ];

    #[test]
    fn each_row_is_told_by_its_first_bytes_and_no_sooner() {
        for (bytes, decides, verdict) in ROWS {
            for seen in 0..=bytes.len() {
                let expected = if seen < *decides { Verdict::NeedsMore } else { *verdict };
                assert_eq!(classify(&bytes[..seen]), expected, "{seen} of {bytes:x?}");
            }
        }
    }

    proptest! {
        #[test]
        fn enough_bytes_always_decide_and_later_ones_change_nothing(bytes: [u8; 32]) {
            let verdict = classify(&bytes[..ENOUGH]);
            prop_assert_ne!(verdict, Verdict::NeedsMore);
            prop_assert_eq!(classify(&bytes), verdict);
            for seen in 0..ENOUGH {
                let early = classify(&bytes[..seen]);
                prop_assert!(early == Verdict::NeedsMore || early == verdict);
            }
        }
    }
}
