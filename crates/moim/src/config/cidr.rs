//! A range of addresses, `192.0.2.0/24`.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::Deserialize;

/// A range of addresses in prefix notation (RFC 4632 §3.1, RFC 4291 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Cidr {
    network: IpAddr,
    prefix: u8,
}

/// Why a text is no range.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CidrError {
    /// Not an address, or not a number behind the slash.
    #[error("write a range as ADDRESS/PREFIX, 10.0.0.0/8 for example")]
    Form,
    /// The prefix is longer than an address.
    #[error("the prefix is longer than the address")]
    Prefix,
    /// Bits behind the prefix are set, so that it is unclear what was meant.
    #[error("the address has bits behind its prefix: did you mean {0}?")]
    HostBits(Cidr),
}

impl Cidr {
    /// The first address.
    pub(crate) fn network(&self) -> IpAddr {
        self.network
    }

    /// How many leading bits are fixed.
    pub(crate) fn prefix(&self) -> u8 {
        self.prefix
    }

    fn new(address: IpAddr, prefix: u8) -> Result<Self, CidrError> {
        let network = match address {
            IpAddr::V4(_) if prefix > 32 => return Err(CidrError::Prefix),
            IpAddr::V6(_) if prefix > 128 => return Err(CidrError::Prefix),
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                IpAddr::from((address.to_bits() & mask).to_be_bytes())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                IpAddr::from((address.to_bits() & mask).to_be_bytes())
            }
        };
        let range = Self { network, prefix };
        if network == address { Ok(range) } else { Err(CidrError::HostBits(range)) }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    /// A lone address is the range of itself.
    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| CidrError::Form)?;
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| CidrError::Form)?,
            None if address.is_ipv4() => 32,
            None => 128,
        };
        Self::new(address, prefix)
    }
}

impl TryFrom<String> for Cidr {
    type Error = CidrError;

    fn try_from(text: String) -> Result<Self, CidrError> {
        text.parse()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_written() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "::/0", "fc00::/7", "192.0.2.1/32", "::1/128"] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), text);
        }
        assert_eq!("192.0.2.1".parse::<Cidr>().unwrap().to_string(), "192.0.2.1/32");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "10.0.0.0/", "10.0.0.0/-1", "10.0/8", "a/8", "10.0.0.0/8/9"] {
            assert_eq!(text.parse::<Cidr>(), Err(CidrError::Form), "{text}");
        }
        for text in ["10.0.0.0/33", "::/129"] {
            assert_eq!(text.parse::<Cidr>(), Err(CidrError::Prefix), "{text}");
        }
        let error = "10.1.2.3/8".parse::<Cidr>().unwrap_err();
        assert!(error.to_string().ends_with("did you mean 10.0.0.0/8?"), "{error}");
    }
}
