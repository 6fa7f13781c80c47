//! A host name of this server, set by the operator.

use std::{net::Ipv6Addr, str::FromStr};

use serde::Deserialize;

use super::DomainName;

/// A host name or address as in a URL: lower case, without trailing dot and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct HostName(String);

/// The text is not a host name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a host as in meet.example, without https:// and without a port")]
pub(crate) struct ParseHostNameError;

impl HostName {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&DomainName> for HostName {
    fn from(domain: &DomainName) -> Self {
        Self(domain.as_str().to_owned())
    }
}

impl FromStr for HostName {
    type Err = ParseHostNameError;

    fn from_str(text: &str) -> Result<Self, ParseHostNameError> {
        if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            let address: Ipv6Addr = address.parse().map_err(|_| ParseHostNameError)?;
            return Ok(Self(format!("[{address}]")));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let is_name = name.len() <= 253
            && name.bytes().all(is_plain)
            && name.split('.').all(|label| (1..=63).contains(&label.len()));
        if !is_name {
            return Err(ParseHostNameError);
        }
        Ok(Self(name.to_ascii_lowercase()))
    }
}

impl TryFrom<String> for HostName {
    type Error = ParseHostNameError;

    fn try_from(text: String) -> Result<Self, ParseHostNameError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_normalises_as_browsers_do() {
        for (typed, kept) in [
            ("Meet.Example", "meet.example"),
            ("meet.example.", "meet.example"),
            ("my_box", "my_box"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:DB8:0::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(typed.parse(), Ok(HostName(kept.to_owned())), "{typed}");
        }
    }

    #[test]
    fn parse_rejects_what_no_request_can_name() {
        for text in
            ["", ".", "a..b", ".a", "https://a", "a:443", "a/b", "*.a", "a b", "::1", "[x]", "ü"]
        {
            assert_eq!(text.parse::<HostName>(), Err(ParseHostNameError), "{text}");
        }
    }
}
