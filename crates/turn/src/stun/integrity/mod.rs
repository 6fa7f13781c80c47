//! MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 and FINGERPRINT (RFC 8489 §14.5 to §14.7).

use aws_lc_rs::{constant_time, digest, hmac};
use md5::{Digest as _, Md5};

/// The derivation of a key from a long-term password (RFC 8489 §18.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordAlgorithm {
    /// 0x0001, the default if a client names none.
    Md5,
    /// 0x0002
    Sha256,
}

/// The keyed hash that protects a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// MESSAGE-INTEGRITY
    Sha1,
    /// MESSAGE-INTEGRITY-SHA256
    Sha256,
}

impl Integrity {
    /// Length of the whole hash.
    pub(crate) fn length(self) -> u16 {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Returns whether the attribute may carry a hash of this length: SHA-256 may be truncated to a
    /// multiple of 4 bytes, at least 16 (RFC 8489 §14.6).
    pub(crate) fn allows(self, length: usize) -> bool {
        match self {
            Self::Sha1 => length == 20,
            Self::Sha256 => (16..=32).contains(&length) && length.is_multiple_of(4),
        }
    }
}

/// A long-term key: a hash of username, realm and password (RFC 8489 §9.2.2).
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    algorithm: PasswordAlgorithm,
    bytes: [u8; 32],
}

impl Key {
    /// The key of a long-term credential by MD5. Name and password are used as they are; text that
    /// a person has typed is to be prepared by the caller (`OpaqueString`, RFC 8265).
    #[must_use]
    pub fn long_term(username: &str, realm: &str, password: &str) -> Self {
        Self::derive(PasswordAlgorithm::Md5, username, realm, password)
    }

    /// The key of a long-term credential.
    #[must_use]
    pub fn derive(
        algorithm: PasswordAlgorithm,
        username: &str,
        realm: &str,
        password: &str,
    ) -> Self {
        let parts = [username, ":", realm, ":", password];
        let mut bytes = [0; 32];
        match algorithm {
            PasswordAlgorithm::Md5 => {
                let mut md5 = Md5::new();
                parts.iter().for_each(|part| md5.update(part.as_bytes()));
                fill(&mut bytes, &md5.finalize());
            }
            PasswordAlgorithm::Sha256 => fill(&mut bytes, sha256(&parts).as_ref()),
        }
        Self { algorithm, bytes }
    }

    /// A key that was derived before, of 16 bytes by MD5 or 32 by SHA-256.
    pub(crate) fn from_bytes(derived: &[u8]) -> Option<Self> {
        let algorithm = match derived.len() {
            16 => PasswordAlgorithm::Md5,
            32 => PasswordAlgorithm::Sha256,
            _ => return None,
        };
        let mut bytes = [0; 32];
        fill(&mut bytes, derived);
        Some(Self { algorithm, bytes })
    }

    /// The algorithm of the derivation.
    #[must_use]
    pub fn algorithm(&self) -> PasswordAlgorithm {
        self.algorithm
    }

    /// The derived bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        let len = match self.algorithm {
            PasswordAlgorithm::Md5 => 16,
            PasswordAlgorithm::Sha256 => 32,
        };
        self.bytes.get(..len).unwrap_or_default()
    }

    /// Returns whether `stated` is this key's hash, perhaps truncated, over the message before the
    /// attribute.
    pub(crate) fn verify(&self, integrity: Integrity, covered: &[u8], stated: &[u8]) -> bool {
        let Ok(length) = u16::try_from(stated.len()) else { return false };
        let tag = self.sign(integrity, covered, length);
        let tag = tag.as_ref().get(..stated.len()).unwrap_or_default();
        integrity.allows(stated.len())
            && constant_time::verify_slices_are_equal(tag, stated).is_ok()
    }

    /// The hash over a message that ends where its integrity attribute will be. It covers a length
    /// field that reaches to the end of that attribute, of `length` bytes.
    pub(crate) fn sign(&self, integrity: Integrity, covered: &[u8], length: u16) -> hmac::Tag {
        sign(self.as_bytes(), integrity, covered, length)
    }
}

/// Omits the key.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The value of USERHASH, which identifies a username only to servers that know it (RFC 8489
/// §14.4).
#[must_use]
pub fn userhash(username: &str, realm: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    fill(&mut bytes, sha256(&[username, ":", realm]).as_ref());
    bytes
}

fn sha256(parts: &[&str]) -> digest::Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part.as_bytes()));
    context.finish()
}

fn fill(to: &mut [u8; 32], from: &[u8]) {
    for (to, byte) in to.iter_mut().zip(from) {
        *to = *byte;
    }
}

fn sign(key: &[u8], integrity: Integrity, covered: &[u8], length: u16) -> hmac::Tag {
    let algorithm = match integrity {
        Integrity::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Integrity::Sha256 => hmac::HMAC_SHA256,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key));
    let (head, before, rest) = split_length(covered);
    context.update(head);
    context.update(&before.wrapping_add(4).wrapping_add(length).to_be_bytes());
    context.update(rest);
    context.sign()
}

/// The FINGERPRINT of a message that ends where the attribute will be.
pub(crate) fn fingerprint(covered: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    let (head, length, rest) = split_length(covered);
    crc.update(head);
    crc.update(&length.wrapping_add(8).to_be_bytes());
    crc.update(rest);
    crc.finalize() ^ 0x5354_554E
}

/// The type, the length of the attributes, and the bytes after the length field.
#[allow(clippy::cast_possible_truncation, reason = "a parsed message is under 64 kB")]
fn split_length(covered: &[u8]) -> (&[u8], u16, &[u8]) {
    let (head, rest) = covered.split_at_checked(2).unwrap_or((covered, &[]));
    (head, covered.len().saturating_sub(20) as u16, rest.get(2..).unwrap_or_default())
}

#[cfg(test)]
mod tests;
