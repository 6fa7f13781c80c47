//! Channel numbers and ChannelData messages (RFC 8656 §12.4).

/// Length of the ChannelData header.
///
/// ```text
///   0                   1                   2                   3
///   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///  |        Channel Number         |            Length             |
///  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///  /                       Application Data                        /
/// ```
pub const HEADER_LEN: usize = 4;

/// A channel number: 0x4000 to 0x7FFF.
///
/// RFC 8656 §12 limits clients to 0x4FFF, so that other protocols can share the port. Clients of
/// RFC 5766 §11, such as coturn's, use the whole range. No other protocol on our port begins with
/// such a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber(u16);

impl ChannelNumber {
    /// The channel number, if it is in the valid range.
    #[must_use]
    pub fn new(number: u16) -> Option<Self> {
        (0x4000..=0x7FFF).contains(&number).then_some(Self(number))
    }

    /// The number on the wire.
    #[must_use]
    pub fn value(self) -> u16 {
        self.0
    }
}

/// Returns whether a packet is ChannelData, by its first byte: channel numbers begin with 0b01,
/// STUN messages with 0b00 (RFC 8656 §12, RFC 7983).
#[inline]
#[must_use]
pub fn is_channel_data(packet: &[u8]) -> bool {
    matches!(packet.first(), Some(0x40..=0x7F))
}

/// Parses a ChannelData message. Bytes after the stated length are padding and are ignored.
#[must_use]
pub fn read(message: &[u8]) -> Option<(ChannelNumber, &[u8])> {
    let (&[n0, n1, l0, l1], rest) = message.split_first_chunk::<HEADER_LEN>()?;
    let number = ChannelNumber::new(u16::from_be_bytes([n0, n1]))?;
    Some((number, rest.get(..usize::from(u16::from_be_bytes([l0, l1])))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_numbers_are_limited_to_the_valid_range() {
        assert!(ChannelNumber::new(0x3FFF).is_none());
        assert!(ChannelNumber::new(0x4000).is_some());
        assert!(ChannelNumber::new(0x7FFF).is_some());
        assert!(ChannelNumber::new(0x8000).is_none());
    }

    #[test]
    fn channel_data_payload_has_the_stated_length() {
        let (number, data) = read(&[0x40, 0x01, 0, 2, 7, 8, 0, 0]).unwrap();
        assert_eq!((number.value(), data), (0x4001, &[7, 8][..]));
        assert_eq!(read(&[0x40, 0x01, 0, 3, 7, 8]), None);
        assert_eq!(read(&[0x40, 0x01, 0]), None);
        assert_eq!(read(&[0x40, 0x01, 0, 0]).unwrap().1, &[0; 0]);
    }
}
