//! A STUN message, validated once and then read in place (RFC 8489 §5).

use std::net::SocketAddr;

use super::{
    attribute::{
        self, FINGERPRINT, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, comprehension_required,
    },
    integrity::{Integrity, Key, fingerprint},
    transaction_id::{MAGIC_COOKIE, TransactionId},
};

const HEADER: usize = 20;

/// The two class bits of a message type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Expects a response.
    Request,
    /// Expects none.
    Indication,
    /// A success response.
    Success,
    /// An error response.
    Error,
}

/// The twelve method bits of a message type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method(u16);

impl Method {
    /// RFC 8489 §18.1
    pub const BINDING: Self = Self(0x001);
    /// RFC 8656 §17, as the ones below
    pub const ALLOCATE: Self = Self(0x003);
    /// Refreshes an allocation.
    pub const REFRESH: Self = Self(0x004);
    /// Data from client to peer.
    pub const SEND: Self = Self(0x006);
    /// Data from peer to client.
    pub const DATA: Self = Self(0x007);
    /// Permits peers.
    pub const CREATE_PERMISSION: Self = Self(0x008);
    /// Binds a channel.
    pub const CHANNEL_BIND: Self = Self(0x009);
    /// RFC 6062 §6.1, as the ones below: connects to a peer over TCP.
    pub const CONNECT: Self = Self(0x00A);
    /// Joins a stream with a peer's connection.
    pub const CONNECTION_BIND: Self = Self(0x00B);
    /// Notifies of a connection from a peer.
    pub const CONNECTION_ATTEMPT: Self = Self(0x00C);
}

/// The fourteen bits of a message type: class and method interleaved (RFC 8489 §5).
pub(crate) fn message_type(class: Class, method: Method) -> u16 {
    let class = match class {
        Class::Request => 0x000,
        Class::Indication => 0x010,
        Class::Success => 0x100,
        Class::Error => 0x110,
    };
    let Method(method) = method;
    class | method & 0x000F | (method & 0x0070) << 1 | (method & 0x0F80) << 2
}

fn split_type(value: u16) -> (Class, Method) {
    let class = match value & 0x0110 {
        0x000 => Class::Request,
        0x010 => Class::Indication,
        0x100 => Class::Success,
        _ => Class::Error,
    };
    (class, Method(value & 0x000F | (value & 0x00E0) >> 1 | (value & 0x3E00) >> 2))
}

/// The bytes are no STUN message. Such packets are dropped without a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseMessageError {
    /// Too short for a header, wrong leading bits, or no magic cookie.
    #[error("no STUN header")]
    Header,
    /// The length field differs from the length of the message.
    #[error("the length field is wrong")]
    Length,
    /// An attribute extends past the end.
    #[error("an attribute is truncated")]
    Attribute,
    /// FINGERPRINT is present and wrong.
    #[error("the fingerprint is wrong")]
    Fingerprint,
}

/// A message with valid framing. Attribute values are not validated yet.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    class: Class,
    method: Method,
    transaction: TransactionId,
    bytes: &'a [u8],
    /// End of the attributes in force: the first MESSAGE-INTEGRITY or FINGERPRINT.
    end: usize,
    /// Offset of MESSAGE-INTEGRITY.
    sha1: Option<usize>,
    /// Offset of MESSAGE-INTEGRITY-SHA256.
    sha256: Option<usize>,
    fingerprinted: bool,
}

impl<'a> Message<'a> {
    /// Checks header, length, attribute framing and FINGERPRINT, if present.
    ///
    /// # Errors
    /// [`ParseMessageError`] states which check failed.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseMessageError> {
        let (header, _) = bytes.split_first_chunk::<HEADER>().ok_or(ParseMessageError::Header)?;
        let [t0, t1, l0, l1, c0, c1, c2, c3, transaction @ ..] = *header;
        if t0 >= 0x40 || u32::from_be_bytes([c0, c1, c2, c3]) != MAGIC_COOKIE {
            return Err(ParseMessageError::Header);
        }
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        if !length.is_multiple_of(4) || HEADER + length != bytes.len() {
            return Err(ParseMessageError::Length);
        }
        let (class, method) = split_type(u16::from_be_bytes([t0, t1]));
        let mut message = Self {
            class,
            method,
            transaction: TransactionId(transaction),
            bytes,
            end: bytes.len(),
            sha1: None,
            sha256: None,
            fingerprinted: false,
        };
        message.walk()?;
        Ok(message)
    }

    /// Finds the end of the protected part. Attributes after MESSAGE-INTEGRITY are not protected
    /// and are ignored, except MESSAGE-INTEGRITY-SHA256 and FINGERPRINT (RFC 8489 §14.5 to §14.7).
    fn walk(&mut self) -> Result<(), ParseMessageError> {
        let mut at = HEADER;
        while at < self.bytes.len() {
            let (kind, value) =
                read_attribute(self.bytes, at).ok_or(ParseMessageError::Attribute)?;
            let protected = self.sha256.is_none() && !self.fingerprinted;
            match kind {
                MESSAGE_INTEGRITY if self.sha1.is_none() && protected => {
                    self.sha1 = Some(at);
                    self.end = self.end.min(at);
                }
                MESSAGE_INTEGRITY_SHA256 if protected => {
                    self.sha256 = Some(at);
                    self.end = self.end.min(at);
                }
                FINGERPRINT if !self.fingerprinted => {
                    let covered = self.bytes.get(..at).unwrap_or_default();
                    if value != fingerprint(covered).to_be_bytes() {
                        return Err(ParseMessageError::Fingerprint);
                    }
                    self.fingerprinted = true;
                    self.end = self.end.min(at);
                }
                _ => {}
            }
            at += 4 + padded(value.len());
        }
        Ok(())
    }

    /// The whole message.
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The class: request, indication or response.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The transaction id, which a response repeats.
    #[must_use]
    pub fn transaction(&self) -> TransactionId {
        self.transaction
    }

    /// Returns whether the message ends with a valid FINGERPRINT.
    #[must_use]
    pub fn fingerprinted(&self) -> bool {
        self.fingerprinted
    }

    /// The hash that protects the message; the stronger one if it carries both (RFC 8489 §9.2.4).
    #[must_use]
    pub fn integrity(&self) -> Option<Integrity> {
        match (self.sha256, self.sha1) {
            (Some(_), _) => Some(Integrity::Sha256),
            (None, Some(_)) => Some(Integrity::Sha1),
            (None, None) => None,
        }
    }

    /// Returns whether `key` made the hash that protects the message. Compares in constant time.
    #[must_use]
    pub fn verify(&self, key: &Key) -> bool {
        let Some(integrity) = self.integrity() else { return false };
        let Some(at) = self.sha256.or(self.sha1) else { return false };
        let Some((_, stated)) = read_attribute(self.bytes, at) else { return false };
        key.verify(integrity, self.bytes.get(..at).unwrap_or_default(), stated)
    }

    /// The attributes before MESSAGE-INTEGRITY, in order.
    pub fn attributes(&self) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let bytes = self.bytes.get(..self.end).unwrap_or_default();
        let mut at = HEADER;
        std::iter::from_fn(move || {
            let (kind, value) = read_attribute(bytes, at)?;
            at += 4 + padded(value.len());
            Some((kind, value))
        })
    }

    /// The value of the first attribute of a type; later ones are ignored (RFC 8489 §14).
    #[must_use]
    pub fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find_map(|(found, value)| (found == kind).then_some(value))
    }

    /// The value of the first attribute of a type as text.
    #[must_use]
    pub fn text(&self, kind: u16) -> Option<&'a str> {
        str::from_utf8(self.attribute(kind)?).ok()
    }

    /// The value of the first attribute of a type as an XOR address.
    #[must_use]
    pub fn xor_address(&self, kind: u16) -> Option<SocketAddr> {
        attribute::read_xor_address(self.attribute(kind)?, &self.transaction)
    }

    /// The comprehension-required types that are not in `known`, in order.
    pub fn unknown(&self, known: &'a [u16]) -> impl Iterator<Item = u16> + use<'a> {
        self.attributes()
            .map(|(kind, _)| kind)
            .filter(move |kind| comprehension_required(*kind) && !known.contains(kind))
    }
}

/// The attribute at an offset, if it and its padding are complete.
fn read_attribute(bytes: &[u8], at: usize) -> Option<(u16, &[u8])> {
    let (&[k0, k1, l0, l1], rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    let value = rest.get(..padded(len))?.get(..len)?;
    Some((u16::from_be_bytes([k0, k1]), value))
}

/// The length of a value with its padding to 4 bytes (RFC 8489 §14).
pub(crate) fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_types_interleave_class_and_method() {
        assert_eq!(message_type(Class::Request, Method::BINDING), 0x0001);
        assert_eq!(message_type(Class::Success, Method::ALLOCATE), 0x0103);
        assert_eq!(message_type(Class::Error, Method::CHANNEL_BIND), 0x0119);
        assert_eq!(message_type(Class::Indication, Method::SEND), 0x0016);
        for value in 0..0x4000 {
            let (class, method) = split_type(value);
            assert_eq!(message_type(class, method), value);
        }
    }
}
