//! Demultiplexer of the UDP port: the protocol of a datagram by its first bytes (RFC 7983 §7).

/// The length of a STUN header, and so of the shortest STUN message.
const STUN_HEADER: usize = 20;

/// The method bits of a STUN message type, without the class bits (RFC 8489 §5).
const METHOD: u16 = 0x3eef;
const BINDING: u16 = 0x0001;

/// The protocol of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatagramKind {
    /// A Binding message: plain STUN, or an ICE connectivity check.
    Binding,
    /// Any other STUN message: TURN.
    Turn,
    /// TURN ChannelData. RFC 7983 assigns it 64 to 79, but clients of RFC 5766 choose from four
    /// times as many channel numbers, and no other protocol of ours begins with 80 to 127.
    ChannelData,
    /// DTLS, of an SFU peer or a TURN client.
    Dtls,
    /// RTP or RTCP, of an SFU peer.
    Rtp,
    /// Any other protocol.
    Unknown,
}

/// Classifies a datagram. Its receiver validates the rest.
pub(crate) fn classify(datagram: &[u8]) -> DatagramKind {
    match datagram {
        [high @ 0..=3, low, ..] if datagram.len() >= STUN_HEADER => {
            match u16::from_be_bytes([*high, *low]) & METHOD {
                BINDING => DatagramKind::Binding,
                _ => DatagramKind::Turn,
            }
        }
        [20..=63, ..] => DatagramKind::Dtls,
        _ if turn::channel::is_channel_data(datagram) => DatagramKind::ChannelData,
        [128..=191, ..] => DatagramKind::Rtp,
        _ => DatagramKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A datagram that begins with a message type and is as long as a STUN header.
    fn starting(kind: u16) -> Vec<u8> {
        let mut datagram = vec![0; STUN_HEADER];
        datagram[..2].copy_from_slice(&kind.to_be_bytes());
        datagram
    }

    #[test]
    fn classify_maps_each_first_byte_to_one_protocol() {
        for first in 0..=255u8 {
            let expected = match first {
                0..=3 => DatagramKind::Turn,
                20..=63 => DatagramKind::Dtls,
                64..=127 => DatagramKind::ChannelData,
                128..=191 => DatagramKind::Rtp,
                _ => DatagramKind::Unknown,
            };
            assert_eq!(classify(&starting(u16::from_be_bytes([first, 0]))), expected, "{first}");
        }
    }

    #[test]
    fn classify_separates_binding_from_turn_in_every_class() {
        for binding in [0x0001, 0x0011, 0x0101, 0x0111] {
            assert_eq!(classify(&starting(binding)), DatagramKind::Binding, "{binding:#x}");
        }
        // Allocate, Refresh, Send, Data, CreatePermission, ChannelBind, and a response.
        for turn in [0x0003, 0x0004, 0x0016, 0x0017, 0x0008, 0x0009, 0x0103, 0x0002] {
            assert_eq!(classify(&starting(turn)), DatagramKind::Turn, "{turn:#x}");
        }
    }

    #[test]
    fn classify_rejects_truncated_stun() {
        for len in 0..STUN_HEADER {
            assert_eq!(classify(&starting(0x0001)[..len]), DatagramKind::Unknown);
        }
        assert_eq!(classify(&[64]), DatagramKind::ChannelData);
    }
}
