//! MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 §14.5, §14.7).

use aws_lc_rs::{constant_time, hmac};
use md5::{Digest as _, Md5};

/// A long-term key: MD5 over user, realm and password (RFC 8489 §9.2.2), or a short-term password.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of a long-term credential.
    #[must_use]
    pub fn long_term(username: &str, realm: &str, password: &str) -> Self {
        let mut digest = Md5::new();
        for part in [username, ":", realm, ":", password] {
            digest.update(part.as_bytes());
        }
        Self(digest.finalize().into())
    }

    /// Whether `stated` is this key's HMAC over the message up to MESSAGE-INTEGRITY.
    pub(crate) fn verify(&self, covered: &[u8], stated: &[u8]) -> bool {
        let tag = self.sign(covered);
        constant_time::verify_slices_are_equal(tag.as_ref(), stated).is_ok()
    }

    /// The HMAC over a message that ends where MESSAGE-INTEGRITY will be; its length field is
    /// taken to reach to the end of that attribute, whatever it says now.
    pub(crate) fn sign(&self, covered: &[u8]) -> hmac::Tag {
        sign(&self.0, covered)
    }
}

/// Keys stay out of logs.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

fn sign(key: &[u8], covered: &[u8]) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let mut context = hmac::Context::with_key(&key);
    let (head, length, rest) = split_length(covered);
    context.update(head);
    context.update(&(length + 24).to_be_bytes());
    context.update(rest);
    context.sign()
}

/// The FINGERPRINT of a message that ends where the attribute will be.
pub(crate) fn fingerprint(covered: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    let (head, length, rest) = split_length(covered);
    crc.update(head);
    crc.update(&(length + 8).to_be_bytes());
    crc.update(rest);
    crc.finalize() ^ 0x5354_554E
}

/// The type, how long the attributes are, and what follows the length field.
#[allow(clippy::cast_possible_truncation, reason = "a parsed message is under 64 kB")]
fn split_length(covered: &[u8]) -> (&[u8], u16, &[u8]) {
    let (head, rest) = covered.split_at_checked(2).unwrap_or((covered, &[]));
    (head, covered.len().saturating_sub(20) as u16, rest.get(2..).unwrap_or_default())
}

#[cfg(test)]
mod tests;
