//! The port range of relayed addresses.

use std::{ops::RangeInclusive, str::FromStr};

use serde::Deserialize;

/// A range of ports, written as FIRST-LAST.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PortRange(RangeInclusive<u16>);

/// The text is not a range of ports.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a range of ports as FIRST-LAST, such as 49152-65535, FIRST at least 1024")]
pub(crate) struct ParsePortRangeError;

impl FromStr for PortRange {
    type Err = ParsePortRangeError;

    fn from_str(text: &str) -> Result<Self, ParsePortRangeError> {
        let port = |text: &str| text.trim().parse::<u16>().map_err(|_| ParsePortRangeError);
        let (first, last) = text.split_once('-').ok_or(ParsePortRangeError)?;
        let first = port(first)?;
        let last = port(last)?;
        // A client must not get a relayed address on a port of system services.
        if first < 1024 || last < first {
            return Err(ParsePortRangeError);
        }
        Ok(Self(first..=last))
    }
}

impl TryFrom<String> for PortRange {
    type Error = ParsePortRangeError;

    fn try_from(text: String) -> Result<Self, ParsePortRangeError> {
        text.parse()
    }
}

impl From<PortRange> for RangeInclusive<u16> {
    fn from(range: PortRange) -> Self {
        range.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_accepts_ranges_of_unprivileged_ports() {
        assert_eq!("50000-50999".parse(), Ok(PortRange(50_000..=50_999)));
        assert_eq!("50000-50000".parse(), Ok(PortRange(50_000..=50_000)));
        for text in ["", "-", "50000", "50001-50000", "80-50000", "0-1", "50000-70000", "a-b"] {
            assert_eq!(text.parse::<PortRange>(), Err(ParsePortRangeError), "{text}");
        }
    }
}
