//! What a datagram is, by its first bytes (RFC 7983 §7).

/// A STUN message without attributes, and so the shortest.
const STUN_HEADER: usize = 20;

/// The bits of a STUN message type that name the method, class bits left out (RFC 8489 §5).
const METHOD: u16 = 0x3eef;
const BINDING: u16 = 0x0001;

/// Whom a datagram is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datagram {
    /// A Binding message: a STUN server's, or a check of ICE.
    Binding,
    /// Any other STUN message: TURN.
    Turn,
    /// TURN, over a channel. RFC 7983 leaves it 64 to 79; clients of RFC 5766 choose their channels
    /// from four times as many, and nothing else of ours begins with 80 to 127.
    ChannelData,
    /// DTLS, for a peer of the media server.
    Dtls,
    /// RTP or RTCP, for a peer of the media server.
    Media,
    /// Nothing we speak.
    Garbage,
}

/// Tells what a datagram is. Whether it is well-formed, its receiver finds out.
pub(crate) fn classify(datagram: &[u8]) -> Datagram {
    match datagram {
        [high @ 0..=3, low, ..] if datagram.len() >= STUN_HEADER => {
            match u16::from_be_bytes([*high, *low]) & METHOD {
                BINDING => Datagram::Binding,
                _ => Datagram::Turn,
            }
        }
        [20..=63, ..] => Datagram::Dtls,
        _ if turn::channel::is_channel_data(datagram) => Datagram::ChannelData,
        [128..=191, ..] => Datagram::Media,
        _ => Datagram::Garbage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A datagram that begins with a message type, long enough for any row.
    fn starting(kind: u16) -> Vec<u8> {
        let mut datagram = vec![0; STUN_HEADER];
        datagram[..2].copy_from_slice(&kind.to_be_bytes());
        datagram
    }

    #[test]
    fn each_first_byte_is_one_row_of_the_table() {
        for first in 0..=255u8 {
            let expected = match first {
                0..=3 => Datagram::Turn,
                20..=63 => Datagram::Dtls,
                64..=127 => Datagram::ChannelData,
                128..=191 => Datagram::Media,
                _ => Datagram::Garbage,
            };
            assert_eq!(classify(&starting(u16::from_be_bytes([first, 0]))), expected, "{first}");
        }
    }

    #[test]
    fn binding_is_told_from_turn_by_its_method_in_every_class() {
        for binding in [0x0001, 0x0011, 0x0101, 0x0111] {
            assert_eq!(classify(&starting(binding)), Datagram::Binding, "{binding:#x}");
        }
        // Allocate, Refresh, Send, Data, CreatePermission, ChannelBind, and a response.
        for turn in [0x0003, 0x0004, 0x0016, 0x0017, 0x0008, 0x0009, 0x0103, 0x0002] {
            assert_eq!(classify(&starting(turn)), Datagram::Turn, "{turn:#x}");
        }
    }

    #[test]
    fn what_is_cut_short_is_never_stun() {
        for len in 0..STUN_HEADER {
            assert_eq!(classify(&starting(0x0001)[..len]), Datagram::Garbage);
        }
        assert_eq!(classify(&[64]), Datagram::ChannelData);
    }
}
