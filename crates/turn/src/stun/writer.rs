//! Writes STUN messages into a reused buffer.

use std::net::SocketAddr;

use super::{
    attribute::{
        self, AddressValue, FINGERPRINT, Family, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256,
    },
    integrity::{Integrity, Key, fingerprint},
    message::{Class, Method, message_type, padded},
    transaction_id::{MAGIC_COOKIE, TransactionId},
};

/// A message being written. Its length field always covers what is written so far. Padding is zero.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut Vec<u8>,
    transaction: TransactionId,
}

impl<'b> Writer<'b> {
    /// Clears `out` and starts a message in it.
    pub fn new(
        out: &'b mut Vec<u8>,
        class: Class,
        method: Method,
        transaction: TransactionId,
    ) -> Self {
        out.clear();
        out.extend_from_slice(&message_type(class, method).to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&MAGIC_COOKIE.to_be_bytes());
        out.extend_from_slice(&transaction.0);
        Self { out, transaction }
    }

    /// Adds an attribute. All values fit a `u16`: they are ours or come from a message.
    #[allow(clippy::cast_possible_truncation, reason = "see above")]
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.out.extend_from_slice(&kind.to_be_bytes());
        self.out.extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.out.extend_from_slice(value);
        let whole = padded(self.out.len());
        self.out.resize(whole, 0);
        let length = ((whole - 20) as u16).to_be_bytes();
        if let Some(field) = self.out.get_mut(2..4) {
            field.copy_from_slice(&length);
        }
        self
    }

    /// Adds an XOR-…-ADDRESS attribute.
    pub fn xor_address(&mut self, kind: u16, address: SocketAddr) -> &mut Self {
        let value = AddressValue::xor(address, &self.transaction);
        self.attribute(kind, value.as_bytes())
    }

    /// Adds a plain address: MAPPED-ADDRESS, OTHER-ADDRESS, RESPONSE-ORIGIN.
    pub fn address(&mut self, kind: u16, address: SocketAddr) -> &mut Self {
        self.attribute(kind, AddressValue::plain(address).as_bytes())
    }

    /// Adds ERROR-CODE (RFC 8489 §14.8).
    pub fn error(&mut self, code: u16, reason: &str) -> &mut Self {
        self.reason(attribute::ERROR_CODE, 0, code, reason)
    }

    /// Adds ADDRESS-ERROR-CODE, the error of one family (RFC 8656 §18.12).
    pub fn address_error(&mut self, family: Family, code: u16, reason: &str) -> &mut Self {
        self.reason(attribute::ADDRESS_ERROR_CODE, family.byte(), code, reason)
    }

    fn reason(&mut self, kind: u16, family: u8, code: u16, reason: &str) -> &mut Self {
        let mut value = [0; 64];
        let number = [family, 0, (code / 100 % 8) as u8, (code % 100) as u8];
        let bytes = number.into_iter().chain(reason.bytes());
        let len = value.iter_mut().zip(bytes).map(|(to, byte)| *to = byte).count();
        self.attribute(kind, value.get(..len).unwrap_or_default())
    }

    /// Adds MESSAGE-INTEGRITY over the message so far.
    pub fn integrity(&mut self, key: &Key) -> &mut Self {
        self.protect(key, Integrity::Sha1)
    }

    /// Adds MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 over the message so far. Only the latter
    /// may follow the former.
    pub fn protect(&mut self, key: &Key, integrity: Integrity) -> &mut Self {
        let tag = key.sign(integrity, self.out, integrity.length());
        let kind = match integrity {
            Integrity::Sha1 => MESSAGE_INTEGRITY,
            Integrity::Sha256 => MESSAGE_INTEGRITY_SHA256,
        };
        self.attribute(kind, tag.as_ref())
    }

    /// Adds FINGERPRINT over the message so far. No attribute may follow.
    pub fn fingerprint(&mut self) -> &mut Self {
        let crc = fingerprint(self.out);
        self.attribute(FINGERPRINT, &crc.to_be_bytes())
    }
}
