//! The host that a request names.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use axum::http::{Extensions, HeaderMap, Uri, header, uri::Authority};

/// Longest name in bytes, with the trailing dot (RFC 1035 §3.1).
const MAX_NAME_BYTES: usize = 254;

/// A valid `Host` header or `:authority` of a request (RFC 9110 §7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    /// The host of a request; `None` if it is missing, malformed, or given twice.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        match uri.authority() {
            Some(authority) => Self::parse(authority.as_str()),
            None => {
                let mut hosts = headers.get_all(header::HOST).iter();
                match (hosts.next(), hosts.next()) {
                    (Some(host), None) => Self::parse(host.to_str().ok()?),
                    _ => None,
                }
            }
        }
    }

    /// Parses a host. A name has letters, digits, dots, hyphens and underscores; IPv6 is bracketed.
    /// A trailing dot is dropped: it only marks the name as fully qualified.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        let name = authority.host();
        if name.len() > MAX_NAME_BYTES {
            return None;
        }
        let is_name = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if !is_name && bracketed(name).is_none() {
            return None;
        }
        let port = match text.strip_prefix(name)?.strip_prefix(':') {
            Some(port) => Some(port.parse().ok()?),
            None if text.len() == name.len() => None,
            None => return None,
        };
        let name = match name.strip_suffix('.') {
            Some("") => return None,
            Some(name) => name,
            None => name,
        };
        Some(Self { name: name.to_ascii_lowercase(), port })
    }

    /// The host that ingress has checked, otherwise the one in the request.
    pub(crate) fn of_request(
        extensions: &Extensions,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Option<Self> {
        extensions.get::<Self>().cloned().or_else(|| Self::of(uri, headers))
    }

    /// The name or address, with the brackets of IPv6.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The port, if the request names one.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    /// True for an address, false for a name.
    pub(crate) fn is_address(&self) -> bool {
        bracketed(&self.name).is_some() || self.name.parse::<Ipv4Addr>().is_ok()
    }

    /// True for hosts that browsers treat as loopback, thus as secure (Secure Contexts §3.1).
    pub(crate) fn is_loopback(&self) -> bool {
        let address = match bracketed(&self.name) {
            Some(address) => Some(IpAddr::V6(address)),
            None => self.name.parse().ok(),
        };
        match address {
            Some(address) => address.is_loopback(),
            None => self.name == "localhost" || self.name.ends_with(".localhost"),
        }
    }
}

fn bracketed(name: &str) -> Option<Ipv6Addr> {
    name.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_accepts_hosts_with_and_without_a_port() {
        for (text, name, port) in [
            ("example.org", "example.org", None),
            ("EXAMPLE.org:4000", "example.org", Some(4000)),
            ("192.0.2.1:80", "192.0.2.1", Some(80)),
            ("[::1]:4000", "[::1]", Some(4000)),
            ("my_box.local", "my_box.local", None),
            ("example.org.:4000", "example.org", Some(4000)),
        ] {
            let host = Host::parse(text).unwrap();
            assert_eq!((host.name(), host.port()), (name, port), "{text}");
        }
    }

    #[test]
    fn parse_rejects_malformed_hosts() {
        for text in [
            "",
            ":80",
            "a@b",
            "a:b@c",
            "a/b",
            "a b",
            "a:",
            "a:99999",
            "a:-1",
            "[::1",
            "[x]:1",
            "::1",
            "a,b",
            "a\\b",
            "a:1:2",
            "a%2eb",
            "[::1]x",
            ".",
            &"a".repeat(300),
        ] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }

    #[test]
    fn is_loopback_agrees_with_browsers() {
        for text in ["localhost", "Localhost:1", "a.localhost", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(Host::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in ["localhost.example.org", "192.0.2.1", "[fe80::1]", "127.example.org"] {
            assert!(!Host::parse(text).unwrap().is_loopback(), "{text}");
        }
    }
}
