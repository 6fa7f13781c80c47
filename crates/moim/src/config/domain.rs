//! A public DNS name of this server, for a certificate.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::Deserialize;

/// A DNS name in lower case and ASCII: an internationalised one is in Punycode (RFC 5891).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct DomainName(String);

/// The text is not a name that a CA could sign.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseDomainNameError {
    /// Not a name.
    #[error("write a DNS name as in meet.example.org, without https:// and without a port")]
    Malformed,
    /// A wildcard, which takes control of the zone.
    #[error("a wildcard takes access to the DNS zone: give each name in full")]
    Wildcard,
    /// An address.
    #[error("an address is no domain: give it with --announce and add --acme-address")]
    Address,
}

impl DomainName {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DomainName {
    type Err = ParseDomainNameError;

    fn from_str(text: &str) -> Result<Self, ParseDomainNameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.starts_with("*.") {
            return Err(ParseDomainNameError::Wildcard);
        }
        if text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
            return Err(ParseDomainNameError::Address);
        }
        let name =
            idna::domain_to_ascii_strict(text).map_err(|_| ParseDomainNameError::Malformed)?;
        let is_name = name.contains('.') && name.len() <= 253 && name.split('.').all(is_label);
        if is_name { Ok(Self(name)) } else { Err(ParseDomainNameError::Malformed) }
    }
}

/// True for a label of a host name (RFC 1123 §2.1).
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl TryFrom<String> for DomainName {
    type Error = ParseDomainNameError;

    fn try_from(text: String) -> Result<Self, ParseDomainNameError> {
        text.parse()
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_normalises_and_encodes_international_names() {
        for (typed, kept) in [
            ("Meet.Example.org", "meet.example.org"),
            ("meet.example.org.", "meet.example.org"),
            ("모임.example", "xn--v52b68u.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(typed.parse(), Ok(DomainName(kept.to_owned())), "{typed}");
        }
    }

    #[test]
    fn parse_rejects_what_no_ca_signs_with_the_remedy() {
        use ParseDomainNameError::{Address, Malformed, Wildcard};
        for (text, error) in [
            ("", Malformed),
            ("meet", Malformed),
            ("https://meet.example", Malformed),
            ("meet.example:443", Malformed),
            ("a_b.example", Malformed),
            ("-a.example", Malformed),
            ("a..example", Malformed),
            ("*.example.org", Wildcard),
            ("203.0.113.7", Address),
            ("[2001:db8::7]", Address),
        ] {
            assert_eq!(text.parse::<DomainName>(), Err(error), "{text}");
        }
    }
}
