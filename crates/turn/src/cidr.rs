//! Address ranges (CIDR), compared as integers.

use std::{net::IpAddr, str::FromStr};

/// A range in CIDR notation, such as `192.168.0.0/16` or `fd00::/8`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr {
    address: IpAddr,
    bits: u32,
}

/// The text is not an address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address range like 10.0.0.0/8 or fd00::/8")]
pub struct ParseCidrError;

impl Cidr {
    /// The range of addresses that share the first `bits` bits with `address`.
    ///
    /// # Errors
    /// [`ParseCidrError`] if the prefix is longer than an address of this family.
    pub fn new(address: IpAddr, bits: u32) -> Result<Self, ParseCidrError> {
        let width = if address.is_ipv4() { 32 } else { 128 };
        if bits > width { Err(ParseCidrError) } else { Ok(Self { address, bits }) }
    }

    /// Length of the prefix.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// Returns whether it is an IPv4 range.
    #[must_use]
    pub fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Returns whether `ip` is in the range. An IPv4-mapped address is not in the IPv4 range; the
    /// caller converts it to its canonical form first.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(range), IpAddr::V4(ip)) => {
                let differ = u64::from(range.to_bits() ^ ip.to_bits());
                differ >> (32 - self.bits) == 0
            }
            (IpAddr::V6(range), IpAddr::V6(ip)) => {
                let differ = range.to_bits() ^ ip.to_bits();
                self.bits == 0 || differ >> (128 - self.bits) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = ParseCidrError;

    fn from_str(text: &str) -> Result<Self, ParseCidrError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| ParseCidrError)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ParseCidrError)?;
        Self::new(address, bits.unwrap_or(if address.is_ipv4() { 32 } else { 128 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    proptest! {
        #[test]
        fn ipv6_range_is_an_integer_interval(start: u128, bits in 0u32..=128, probe: u128) {
            let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
            let (first, last) = (start & mask, start | !mask);
            let cidr = Cidr::new(Ipv6Addr::from_bits(start).into(), bits).unwrap();
            let near = [probe, first, last, first.wrapping_sub(1), last.wrapping_add(1), start];
            for value in near {
                let within = (first..=last).contains(&value);
                prop_assert_eq!(cidr.contains(Ipv6Addr::from_bits(value).into()), within);
            }
        }

        #[test]
        fn ipv4_range_is_an_integer_interval(start: u32, bits in 0u32..=32, probe: u32) {
            let mask = if bits == 0 { 0 } else { u32::MAX << (32 - bits) };
            let (first, last) = (start & mask, start | !mask);
            let cidr = Cidr::new(Ipv4Addr::from_bits(start).into(), bits).unwrap();
            let near = [probe, first, last, first.wrapping_sub(1), last.wrapping_add(1), start];
            for value in near {
                let within = (first..=last).contains(&value);
                prop_assert_eq!(cidr.contains(Ipv4Addr::from_bits(value).into()), within);
            }
        }
    }

    #[test]
    fn invalid_cidr_text_fails_to_parse() {
        for good in ["10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/8", "192.0.2.1", "::1"] {
            assert!(good.parse::<Cidr>().is_ok(), "{good}");
        }
        for bad in ["", "/", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/-1", "10.0.0.0/", "a"] {
            assert_eq!(bad.parse::<Cidr>(), Err(ParseCidrError), "{bad}");
        }
    }
}
