//! Redundant audio (RFC 2198): the newest block, preceded by copies of earlier ones.

/// Block header bit: another block follows.
const FOLLOW_BIT: u8 = 0x80;

/// The primary encoding of a payload. It suffices for a receiver without RED.
pub(crate) fn primary(payload: &[u8]) -> Option<&[u8]> {
    let mut rest = payload;
    let mut redundant = 0;
    loop {
        let (&first, behind) = rest.split_first()?;
        if first & FOLLOW_BIT == 0 {
            return behind.get(redundant..);
        }
        // 14 bits of timestamp offset and 10 bits of block length (RFC 2198 §3).
        let (&[_, high, low], behind) = behind.split_first_chunk::<3>()?;
        redundant += usize::from(u16::from_be_bytes([high & 0x03, low]));
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn primary_of_any_bytes_is_their_suffix_or_none(
            bytes in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            prop_assert!(primary(&bytes).is_none_or(|block| bytes.ends_with(block)));
        }
    }

    #[test]
    fn primary_is_the_last_block() {
        assert_eq!(primary(&[111, 1, 2, 3]), Some(&[1, 2, 3][..]));
        let two_blocks = [0x80 | 111, 0x0F, 0x00, 2, 111, 8, 9, 1, 2, 3];
        assert_eq!(primary(&two_blocks), Some(&[1, 2, 3][..]));
        let long = [&[0x80 | 111, 0, 0x01, 0x00, 111][..], &[7; 256], &[1, 2]].concat();
        assert_eq!(primary(&long), Some(&[1, 2][..]));
    }

    #[test]
    fn truncated_payload_has_no_primary() {
        let two_blocks = [0x80 | 111, 0x0F, 0x00, 2, 111, 8, 9];
        assert_eq!(primary(&two_blocks), Some(&[][..]));
        for end in 0..two_blocks.len() {
            assert_eq!(primary(&two_blocks[..end]), None, "cut at {end}");
        }
    }
}
