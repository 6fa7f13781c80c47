//! The ports of relayed addresses.

use std::{ops::RangeInclusive, str::FromStr};

use serde::Deserialize;

/// A range of ports, written FIRST-LAST.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PortRange(RangeInclusive<u16>);

/// A text that is no range of ports.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a range of ports as FIRST-LAST, such as 49152-65535, FIRST at least 1024")]
pub(crate) struct NoPortRange;

impl FromStr for PortRange {
    type Err = NoPortRange;

    fn from_str(text: &str) -> Result<Self, NoPortRange> {
        let port = |text: &str| text.trim().parse::<u16>().map_err(|_| NoPortRange);
        let (first, last) = text.split_once('-').ok_or(NoPortRange)?;
        let (first, last) = (port(first)?, port(last)?);
        // A peer must not be able to pass a relayed address for a service of this computer.
        if first < 1024 || last < first {
            return Err(NoPortRange);
        }
        Ok(Self(first..=last))
    }
}

impl TryFrom<String> for PortRange {
    type Error = NoPortRange;

    fn try_from(text: String) -> Result<Self, NoPortRange> {
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
    fn a_range_has_a_first_and_a_last_port() {
        assert_eq!("50000-50999".parse(), Ok(PortRange(50_000..=50_999)));
        assert_eq!("50000-50000".parse(), Ok(PortRange(50_000..=50_000)));
        for text in ["", "-", "50000", "50001-50000", "80-50000", "0-1", "50000-70000", "a-b"] {
            assert_eq!(text.parse::<PortRange>(), Err(NoPortRange), "{text}");
        }
    }
}
