//! Redundant audio (RFC 2198): what was recorded just now, and before it what was sent already.

/// The bit of a block header that another follows.
const FOLLOWED: u8 = 0x80;

/// The newest block of a payload: all of it that somebody needs who knows no redundancy.
pub(crate) fn primary(payload: &[u8]) -> Option<&[u8]> {
    let mut rest = payload;
    let mut older = 0;
    loop {
        let (&first, behind) = rest.split_first()?;
        if first & FOLLOWED == 0 {
            return behind.get(older..);
        }
        // Payload type, 14 bits of time, 10 bits of length (§3).
        let (&[_, high, low], behind) = behind.split_first_chunk::<3>()?;
        older += usize::from(u16::from_be_bytes([high & 0x03, low]));
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn of_any_bytes_the_newest_block_is_their_end_or_none(
            bytes in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            prop_assert!(primary(&bytes).is_none_or(|block| bytes.ends_with(block)));
        }
    }

    #[test]
    fn the_newest_block_is_the_last_whatever_comes_before_it() {
        assert_eq!(primary(&[111, 1, 2, 3]), Some(&[1, 2, 3][..]));
        let twice = [0x80 | 111, 0x0F, 0x00, 2, 111, 8, 9, 1, 2, 3];
        assert_eq!(primary(&twice), Some(&[1, 2, 3][..]));
        let long = [&[0x80 | 111, 0, 0x01, 0x00, 111][..], &[7; 256], &[1, 2]].concat();
        assert_eq!(primary(&long), Some(&[1, 2][..]));
    }

    #[test]
    fn what_is_cut_short_has_none() {
        let twice = [0x80 | 111, 0x0F, 0x00, 2, 111, 8, 9];
        assert_eq!(primary(&twice), Some(&[][..]));
        for end in 0..twice.len() {
            assert_eq!(primary(&twice[..end]), None, "cut at {end}");
        }
    }
}
