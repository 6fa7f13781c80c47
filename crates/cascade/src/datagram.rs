//! Wire form of datagrams. Integers are big-endian.
//!
//! ```text
//! media    kind | number (4) | sent (4) | age (4) | payload
//! kind     00 whole | 01 first half | 02 second half, | 08 if it was sent before
//! request  40 | for each gap: number (4) | bits of the 32 numbers that follow (4)
//! newest   41 | number (4)
//! ```
//!
//! `number` counts the datagrams of media. `sent` is the time of sending in microseconds of the
//! sender's clock, from which queues on the path are measured. `age` is the time for which the
//! sender's server had the packet, in microseconds.

/// Bytes before the payload of media.
pub const MEDIA_HEADER: usize = 13;
/// Gaps in one request.
pub const MAX_GAPS: usize = 64;

const RESENT: u8 = 0x08;
const REQUEST: u8 = 0x40;
const NEWEST: u8 = 0x41;

/// A datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datagram<'a> {
    /// A packet, or half of one.
    Media(Header, &'a [u8]),
    /// A request to send again.
    Request(Vec<Gap>),
    /// The number of the newest datagram sent, so that a loss at the end of a burst is noticed.
    Newest(u32),
}

/// The header of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The part of the packet.
    pub part: Part,
    /// True if it was sent before.
    pub is_resent: bool,
    /// Number of the datagram.
    pub number: u32,
    /// Time of sending, microseconds.
    pub sent: u32,
    /// Time for which the sender's server had the packet, microseconds.
    pub age: u32,
}

/// The part of a packet that a datagram carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The first half. The second has the next number.
    First,
    /// The second half.
    Second,
}

/// Numbers that are missing: one, and those of the 32 that follow whose bit is set, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first missing number.
    pub first: u32,
    /// The numbers that follow.
    pub following: u32,
}

impl Gap {
    /// The missing numbers.
    pub fn numbers(self) -> impl Iterator<Item = u32> {
        let following = (0..32).filter(move |bit| self.following >> bit & 1 == 1);
        std::iter::once(self.first)
            .chain(following.map(move |bit| self.first.wrapping_add(bit + 1)))
    }

    /// Gaps that cover ascending numbers.
    pub(crate) fn cover(numbers: impl IntoIterator<Item = u32>) -> Vec<Self> {
        let mut gaps: Vec<Self> = Vec::new();
        for number in numbers {
            if let Some(gap) = gaps.last_mut()
                && let Some(bit) = number.wrapping_sub(gap.first).checked_sub(1)
                && bit < 32
            {
                gap.following |= 1 << bit;
            } else {
                gaps.push(Self { first: number, following: 0 });
            }
        }
        gaps
    }
}

impl Header {
    /// Writes the header.
    #[must_use]
    pub fn to_bytes(self) -> [u8; MEDIA_HEADER] {
        let part = match self.part {
            Part::Whole => 0,
            Part::First => 1,
            Part::Second => 2,
        };
        let mut bytes = [0; MEDIA_HEADER];
        let kind = [part | if self.is_resent { RESENT } else { 0 }];
        let fields = [self.number, self.sent, self.age].into_iter().flat_map(u32::to_be_bytes);
        for (byte, field) in bytes.iter_mut().zip(kind.into_iter().chain(fields)) {
            *byte = field;
        }
        bytes
    }
}

impl<'a> Datagram<'a> {
    /// Parses a datagram; `None` if it is malformed, or of a later version.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        match *kind {
            REQUEST => {
                let (gaps, []) = rest.as_chunks::<8>() else { return None };
                if gaps.is_empty() || gaps.len() > MAX_GAPS {
                    return None;
                }
                let gap = |gap: &[u8; 8]| {
                    let [a, b, c, d, e, f, g, h] = *gap;
                    Gap {
                        first: u32::from_be_bytes([a, b, c, d]),
                        following: u32::from_be_bytes([e, f, g, h]),
                    }
                };
                Some(Self::Request(gaps.iter().map(gap).collect()))
            }
            NEWEST => Some(Self::Newest(u32::from_be_bytes(rest.try_into().ok()?))),
            kind => {
                let part = match kind & !RESENT {
                    0 => Part::Whole,
                    1 => Part::First,
                    2 => Part::Second,
                    _ => return None,
                };
                let (number, rest) = rest.split_first_chunk()?;
                let (sent, rest) = rest.split_first_chunk()?;
                let (age, payload) = rest.split_first_chunk()?;
                let header = Header {
                    part,
                    is_resent: kind & RESENT != 0,
                    number: u32::from_be_bytes(*number),
                    sent: u32::from_be_bytes(*sent),
                    age: u32::from_be_bytes(*age),
                };
                Some(Self::Media(header, payload))
            }
        }
    }

    /// Writes a datagram.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Media(header, payload) => [&header.to_bytes()[..], payload].concat(),
            Self::Request(gaps) => {
                let mut bytes = vec![REQUEST];
                for gap in gaps.iter().take(MAX_GAPS) {
                    bytes.extend(gap.first.to_be_bytes());
                    bytes.extend(gap.following.to_be_bytes());
                }
                bytes
            }
            Self::Newest(number) => [&[NEWEST][..], &number.to_be_bytes()].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_parsed_to_what_they_say_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..64),
            kind in proptest::option::of(proptest::sample::select(vec![0_u8, 1, 2, 8, 0x40, 0x41])),
        ) {
            let mut bytes = bytes;
            if let (Some(first), Some(kind)) = (bytes.first_mut(), kind) {
                *first = kind;
            }
            if let Some(datagram) = Datagram::parse(&bytes) {
                prop_assert_eq!(datagram.to_bytes(), bytes);
            }
        }

        #[test]
        fn gaps_cover_the_missing_numbers(
            start in any::<u32>(),
            steps in proptest::collection::vec(1..100_u32, 0..50),
        ) {
            let mut number = start;
            let numbers: Vec<u32> = steps
                .into_iter()
                .map(|step| {
                    number = number.wrapping_add(step);
                    number
                })
                .collect();
            let gaps = Gap::cover(numbers.iter().copied());
            prop_assert_eq!(gaps.iter().flat_map(|gap| gap.numbers()).collect::<Vec<_>>(), numbers);
        }
    }
}
