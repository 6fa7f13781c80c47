//! The unit of per-address limits: the addresses assigned to one subscriber line.

use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, or the /64 of an IPv6 address: what one subscriber gets at least (RFC 6177).
/// An IPv4-mapped IPv6 address counts as the IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClientPrefix(IpAddr);

impl ClientPrefix {
    /// An address with this prefix.
    pub(crate) fn address(self) -> IpAddr {
        self.0
    }

    /// The prefix as a unique number.
    pub(crate) fn to_bits(self) -> u128 {
        match self.0 {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits(),
        }
    }

    /// True for loopback, which per-address limits leave out: it stands for all clients of a
    /// reverse proxy on this host.
    pub(crate) fn is_loopback(self) -> bool {
        self.0.is_loopback() || self.0 == Self::from(IpAddr::V6(Ipv6Addr::LOCALHOST)).0
    }
}

impl From<IpAddr> for ClientPrefix {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let prefix = address.to_bits() & !u128::from(u64::MAX);
                Self(Ipv6Addr::from_bits(prefix).into())
            }
            v4 => Self(v4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> ClientPrefix {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn ipv6_addresses_in_one_64_are_equal() {
        assert_eq!(prefix("2001:db8::1"), prefix("2001:db8::ffff:1"));
        assert_ne!(prefix("2001:db8::1"), prefix("2001:db8:0:1::1"));
    }

    #[test]
    fn ipv4_mapped_address_equals_the_ipv4_address() {
        assert_eq!(prefix("::ffff:192.0.2.1"), prefix("192.0.2.1"));
        assert_ne!(prefix("192.0.2.1"), prefix("192.0.2.2"));
    }

    #[test]
    fn loopback_is_recognised_in_both_families() {
        assert!(prefix("127.0.0.1").is_loopback());
        assert!(prefix("127.9.0.1").is_loopback());
        assert!(prefix("::1").is_loopback());
        assert!(prefix("::ffff:127.0.0.1").is_loopback());
        assert!(!prefix("192.0.2.1").is_loopback());
        assert!(!prefix("2001:db8::1").is_loopback());
    }
}
