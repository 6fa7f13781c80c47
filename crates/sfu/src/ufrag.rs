//! ICE username fragments (RFC 8445 §5.3): each names a peer and carries its shard.

use rand::{RngExt as _, rngs::StdRng};

/// The ice-chars that can't be mistaken for one another.
const CHARS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Random characters of a username fragment, 60 bits.
const UFRAG_RANDOM_CHARS: usize = 12;
/// Characters of a password, 120 bits.
const PASSWORD_CHARS: usize = 24;

/// Generates a username fragment: `m`, the shard in four hexadecimal digits, and 60 random bits.
pub(crate) fn generate_ufrag(shard: u16, rng: &mut StdRng) -> String {
    format!("m{shard:04x}{}", random_text(rng, UFRAG_RANDOM_CHARS))
}

/// Generates a password of 120 random bits.
pub(crate) fn generate_password(rng: &mut StdRng) -> String {
    random_text(rng, PASSWORD_CHARS)
}

fn random_text(rng: &mut StdRng, length: usize) -> String {
    (0..length)
        .filter_map(|_| CHARS.get(rng.random_range(0..CHARS.len())))
        .map(|c| char::from(*c))
        .collect()
}

/// Returns the shard that issued a username fragment, if the fragment has our form.
#[must_use]
pub fn shard_of(ufrag: &str) -> Option<u16> {
    let rest = ufrag.strip_prefix('m')?;
    let (shard, random) = rest.split_at_checked(4)?;
    let ours =
        random.len() == UFRAG_RANDOM_CHARS && random.bytes().all(|byte| CHARS.contains(&byte));
    (ours && shard.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| u16::from_str_radix(shard, 16).ok())
        .flatten()
}

/// Bytes of a STUN header (RFC 8489 §5).
const STUN_HEADER_BYTES: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;

/// Returns the receiver's username fragment in a STUN Binding request: the part of USERNAME before
/// the colon (RFC 8445 §7.2.2). Nothing else of the datagram has been verified.
#[must_use]
pub fn ufrag_of(datagram: &[u8]) -> Option<&str> {
    let (header, mut rest) = datagram.split_at_checked(STUN_HEADER_BYTES)?;
    if header.get(..2)? != BINDING_REQUEST || header.get(4..8)? != MAGIC_COOKIE {
        return None;
    }
    while let Some(([k0, k1, l0, l1], after)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let value = after.get(..length)?;
        if u16::from_be_bytes([*k0, *k1]) == USERNAME {
            let name = std::str::from_utf8(value).ok()?;
            return name.split_once(':').map(|(receiver, _)| receiver);
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// Returns whether a datagram is STUN (RFC 7983).
pub(crate) fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|byte| *byte < 4)
}

/// Returns whether a datagram is a Binding success response, which only an authenticated check is
/// given.
pub(crate) fn is_binding_success(datagram: &[u8]) -> bool {
    datagram.starts_with(&BINDING_SUCCESS)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn request(username: &[u8]) -> Vec<u8> {
        let mut bytes = [&[0, 1, 0, 0], &MAGIC_COOKIE[..], &[7; 12]].concat();
        // A padded SOFTWARE first, so that an attribute is skipped.
        bytes.extend([0x80, 0x22, 0, 5, b'h', b'e', b'l', b'l', b'o', 0, 0, 0]);
        bytes.extend([0, 6]);
        bytes.extend(u16::try_from(username.len()).unwrap().to_be_bytes());
        bytes.extend(username);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn ufrag_carries_its_shard_and_is_found_in_a_check() {
        let mut rng = StdRng::seed_from_u64(1);
        for shard in [0, 1, 0x0fff, u16::MAX] {
            let ufrag = generate_ufrag(shard, &mut rng);
            assert_eq!(shard_of(&ufrag), Some(shard));
            let datagram = request(format!("{ufrag}:theirs").as_bytes());
            assert_eq!(ufrag_of(&datagram), Some(ufrag.as_str()));
        }
    }

    #[test]
    fn foreign_ufrag_names_no_shard_and_truncated_check_does_not_panic() {
        for other in [
            "",
            "m",
            "m00",
            "m0001",
            "abcd",
            "m0001ABCDEFGHJKLM",
            "mé001abcdefghijkm",
            "m+001abcdefghijkm",
        ] {
            assert_eq!(shard_of(other), None, "{other}");
        }
        let whole = request(b"m0001abcdefghijkm:theirs");
        for end in 0..whole.len() {
            let _ = ufrag_of(&whole[..end]);
        }
        assert_eq!(ufrag_of(&request(b"no colon")), None);
        assert_eq!(ufrag_of(&request(&[0xff, b':'])), None);
    }
}
