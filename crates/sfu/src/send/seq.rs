//! Sequence numbers, extended beyond the 16 bits that packets carry.

/// Extends a 16-bit sequence number to the nearest number to `near`.
pub(super) fn extend(near: u64, seq: u16) -> u64 {
    let ahead = seq.wrapping_sub(low(near));
    if ahead < 0x8000 {
        near + u64::from(ahead)
    } else {
        near.saturating_sub(u64::from(ahead.wrapping_neg()))
    }
}

/// The 16 bits of an extended sequence number that a packet carries.
pub(super) fn low(seq: u64) -> u16 {
    let [.., high, low] = seq.to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_number_is_extended_to_the_nearest() {
        for (near, low, expected) in [
            (0, 5, 5),
            (65_535, 2, 65_538),
            (65_538, 65_535, 65_535),
            (200_000, 3_392, 200_000),
            (200_000, 3_391, 199_999),
            (3, 65_535, 0),
        ] {
            assert_eq!(extend(near, low), expected, "{low} near {near}");
        }
    }
}
