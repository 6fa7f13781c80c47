//! WebSocket frames of a client (RFC 6455 §5.2).

use std::ops::Range;

use anyhow::{bail, ensure};

/// Opcode of a text message.
pub(super) const TEXT: u8 = 1;
/// Opcode of a Close.
pub(super) const CLOSE: u8 = 8;

/// Appends a masked frame.
pub(super) fn write(into: &mut Vec<u8>, opcode: u8, payload: &[u8], mask: [u8; 4]) {
    into.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => into.push(0x80 | length),
        (_, Ok(length)) => {
            into.push(0x80 | 126);
            into.extend(length.to_be_bytes());
        }
        _ => {
            into.push(0x80 | 127);
            into.extend((payload.len() as u64).to_be_bytes());
        }
    }
    into.extend(mask);
    into.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// A complete frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) opcode: u8,
    /// The range of its payload; the next frame begins at its end.
    pub(super) payload: Range<usize>,
}

/// Parses the first frame from a server; `None` if it is not complete.
pub(super) fn read(bytes: &[u8]) -> anyhow::Result<Option<Frame>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    ensure!(first & 0xf0 == 0x80, "a fragmented frame or an unrequested extension");
    let (length, head) = match (second, rest) {
        (length @ 0..=125, _) => (usize::from(*length), 2),
        (126, [a, b, ..]) => (usize::from(u16::from_be_bytes([*a, *b])), 4),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            let length = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            (usize::try_from(length)?, 10)
        }
        (126 | 127, _) => return Ok(None),
        _ => bail!("a masked frame from a server"),
    };
    let payload = head..head + length;
    Ok((bytes.len() >= payload.end).then_some(Frame { opcode: first & 0xf, payload }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unmasked_frame_round_trips() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut bytes = Vec::new();
            write(&mut bytes, TEXT, &payload, [0; 4]);
            // A server's frame has neither mask bit nor key.
            bytes[1] &= 0x7f;
            let head = bytes.len() - length - 4;
            bytes.drain(head..head + 4);
            for cut in [0, 1, head, bytes.len() - 1] {
                let seen = read(&bytes[..cut.min(bytes.len() - 1)]).unwrap();
                assert_eq!(seen, None, "{cut} of {length}");
            }
            let frame = read(&bytes).unwrap().unwrap();
            assert_eq!(frame, Frame { opcode: TEXT, payload: head..head + length });
        }
    }

    #[test]
    fn mask_covers_the_payload_only() {
        let mut bytes = Vec::new();
        write(&mut bytes, TEXT, b"abcde", [1, 2, 3, 4]);
        assert_eq!(
            bytes,
            [0x81, 0x85, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2, b'c' ^ 3, b'd' ^ 4, b'e' ^ 1]
        );
    }

    #[test]
    fn invalid_server_frame_is_an_error() {
        assert!(read(&[0x81, 0x80]).is_err());
        assert!(read(&[0x01, 0]).is_err());
        assert!(read(&[0xc1, 0]).is_err());
    }
}
