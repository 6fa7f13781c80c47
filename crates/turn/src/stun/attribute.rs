//! Attribute types, and values that need encoding (RFC 8489 §14, RFC 8656 §18).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::transaction_id::{MAGIC_COOKIE, TransactionId};

#[allow(missing_docs, reason = "the RFC's names")]
mod types {
    pub const MAPPED_ADDRESS: u16 = 0x0001;
    pub const CHANGE_REQUEST: u16 = 0x0003;
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub const CHANNEL_NUMBER: u16 = 0x000C;
    pub const LIFETIME: u16 = 0x000D;
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub const DATA: u16 = 0x0013;
    pub const REALM: u16 = 0x0014;
    pub const NONCE: u16 = 0x0015;
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    pub const EVEN_PORT: u16 = 0x0018;
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub const DONT_FRAGMENT: u16 = 0x001A;
    pub const MESSAGE_INTEGRITY_SHA256: u16 = 0x001C;
    pub const PASSWORD_ALGORITHM: u16 = 0x001D;
    pub const USERHASH: u16 = 0x001E;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const RESERVATION_TOKEN: u16 = 0x0022;
    pub const PADDING: u16 = 0x0026;
    pub const RESPONSE_PORT: u16 = 0x0027;
    pub const CONNECTION_ID: u16 = 0x002A;
    pub const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
    pub const ADDRESS_ERROR_CODE: u16 = 0x8001;
    pub const PASSWORD_ALGORITHMS: u16 = 0x8002;
    pub const ICMP: u16 = 0x8004;
    pub const FINGERPRINT: u16 = 0x8028;
    pub const RESPONSE_ORIGIN: u16 = 0x802B;
    pub const OTHER_ADDRESS: u16 = 0x802C;
    pub const MOBILITY_TICKET: u16 = 0x8030;
}
pub use types::*;

/// Returns whether a receiver must reject a message with this type if it does not know it (RFC 8489
/// §14).
#[must_use]
pub fn comprehension_required(kind: u16) -> bool {
    kind < 0x8000
}

/// An address family, as numbered by STUN (RFC 8489 §14.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// 0x01
    V4,
    /// 0x02
    V6,
}

impl Family {
    /// The family of an address. An IPv4-mapped address is IPv6.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The number of the family.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::V4 => 0x01,
            Self::V6 => 0x02,
        }
    }

    /// The family numbered `byte`.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::V4),
            0x02 => Some(Self::V6),
            _ => None,
        }
    }
}

/// Maximum length of an address value: family, port and 16 bytes of address.
const LONGEST: usize = 20;

/// An encoded address value, XORed or plain (RFC 8489 §14.1, §14.2).
pub(crate) struct AddressValue {
    bytes: [u8; LONGEST],
    len: usize,
}

impl AddressValue {
    /// The value of an XOR-…-ADDRESS attribute.
    pub(crate) fn xor(address: SocketAddr, transaction: &TransactionId) -> Self {
        let port = address.port() ^ (MAGIC_COOKIE >> 16) as u16;
        Self::masked(address.ip(), port, mask(transaction))
    }

    /// The value of MAPPED-ADDRESS and similar attributes.
    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self::masked(address.ip(), address.port(), [0; 16])
    }

    fn masked(ip: IpAddr, port: u16, mask: [u8; 16]) -> Self {
        let mut bytes = [0; LONGEST];
        let (family, octets, len): (u8, [u8; 16], usize) = match ip {
            IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                (0x01, [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8)
            }
            IpAddr::V6(ip) => (0x02, ip.octets(), LONGEST),
        };
        let [high, low] = port.to_be_bytes();
        let masked = octets.iter().zip(mask).map(|(octet, mask)| octet ^ mask);
        let value = [0, family, high, low].into_iter().chain(masked);
        for (to, byte) in bytes.iter_mut().take(len).zip(value) {
            *to = byte;
        }
        Self { bytes, len }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Parses an XOR-…-ADDRESS value; `None` unless family and length match.
#[must_use]
pub fn read_xor_address(value: &[u8], transaction: &TransactionId) -> Option<SocketAddr> {
    let (&[_, family, high, low], address) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([high, low]) ^ (MAGIC_COOKIE >> 16) as u16;
    let mask = mask(transaction);
    let ip = match Family::from_byte(family)? {
        Family::V4 => {
            let octets = <[u8; 4]>::try_from(address).ok()?;
            IpAddr::V4(Ipv4Addr::from_bits(u32::from_be_bytes(octets) ^ MAGIC_COOKIE))
        }
        Family::V6 => {
            let octets = <[u8; 16]>::try_from(address).ok()?;
            let bits = u128::from_be_bytes(octets) ^ u128::from_be_bytes(mask);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
    };
    Some(SocketAddr::new(ip, port))
}

/// The XOR mask of addresses: the magic cookie followed by the transaction id.
fn mask(transaction: &TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    let cookie = MAGIC_COOKIE.to_be_bytes();
    for (to, byte) in mask.iter_mut().zip(cookie.into_iter().chain(transaction.0)) {
        *to = byte;
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xor_address_round_trips() {
        let transaction = TransactionId([7; 12]);
        for address in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
            let address = address.parse().unwrap();
            let value = AddressValue::xor(address, &transaction);
            assert_eq!(read_xor_address(value.as_bytes(), &transaction), Some(address));
        }
    }

    #[test]
    fn xor_address_of_wrong_length_is_none() {
        let transaction = TransactionId([7; 12]);
        let value = AddressValue::xor("[2001:db8::1]:5".parse().unwrap(), &transaction);
        for len in 0..20 {
            assert_eq!(read_xor_address(&value.as_bytes()[..len], &transaction), None);
        }
        assert_eq!(read_xor_address(&[0, 3, 0, 0, 1, 2, 3, 4], &transaction), None);
        assert_eq!(read_xor_address(&[0, 1, 0, 0, 1, 2, 3, 4, 5], &transaction), None);
    }
}
