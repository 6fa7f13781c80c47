//! An origin of another site whose pages may connect.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use axum::http::uri::Authority;
use serde::Deserialize;

use super::HostName;

/// An origin (RFC 6454 §7.1), serialised as browsers and web views do: lower case, without default
/// port and trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Origin(String);

/// The text is not an origin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write an origin as https://HOST, https://HOST:PORT or, for apps, SCHEME://HOST, without a path"
)]
pub(crate) struct ParseOriginError;

/// Schemes without pages, or whose pages have an opaque origin. That is serialised as `null`, which
/// any page can produce.
const SCHEMES_WITHOUT_ORIGIN: [&str; 9] =
    ["file", "data", "blob", "about", "javascript", "ws", "wss", "ftp", "null"];

impl Origin {
    /// The origin as browsers serialise it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The host of a web origin, which may also be a name of this server.
    pub(crate) fn host(&self) -> Option<HostName> {
        let (scheme, authority) = self.0.split_once("://")?;
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        host.parse().ok().filter(|_| matches!(scheme, "http" | "https"))
    }
}

impl FromStr for Origin {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, ParseOriginError> {
        let (scheme, rest) = text.split_once("://").ok_or(ParseOriginError)?;
        let scheme = scheme.to_ascii_lowercase();
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if !is_scheme || SCHEMES_WITHOUT_ORIGIN.contains(&scheme.as_str()) {
            return Err(ParseOriginError);
        }
        let authority: Authority =
            rest.strip_suffix('/').unwrap_or(rest).parse().map_err(|_| ParseOriginError)?;
        if authority.as_str().contains('@') {
            return Err(ParseOriginError);
        }
        let default_port = match scheme.as_str() {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        };
        let host = host(authority.host())?;
        Ok(Self(match port(&authority)? {
            Some(port) if Some(port) != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }))
    }
}

/// Normalises a host; rejects any that a browser would serialise differently, since it would never
/// match.
fn host(text: &str) -> Result<String, ParseOriginError> {
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().map_err(|_| ParseOriginError)?;
        return Ok(format!("[{address}]"));
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let last = text.strip_suffix('.').unwrap_or(text).rsplit('.').next().unwrap_or_default();
    // Browsers parse these as IPv4 addresses (WHATWG URL §3.5).
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) && !last.is_empty()
        || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    let is_host = !text.is_empty() && text.bytes().all(is_plain);
    if !is_host || is_number && text.parse::<Ipv4Addr>().is_err() {
        return Err(ParseOriginError);
    }
    Ok(text.to_ascii_lowercase())
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

fn port(authority: &Authority) -> Result<Option<u16>, ParseOriginError> {
    let after = authority.as_str().strip_prefix(authority.host()).ok_or(ParseOriginError)?;
    match after.strip_prefix(':') {
        Some(port) => port.parse().map(Some).map_err(|_| ParseOriginError),
        None if after.is_empty() => Ok(None),
        None => Err(ParseOriginError),
    }
}

impl TryFrom<String> for Origin {
    type Error = ParseOriginError;

    fn try_from(text: String) -> Result<Self, ParseOriginError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_normalises_as_browsers_do() {
        for (typed, kept) in [
            ("https://Example.ORG", "https://example.org"),
            ("https://example.org:443/", "https://example.org"),
            ("http://example.org:443", "http://example.org:443"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://[2001:DB8:0:0::1]", "https://[2001:db8::1]"),
            ("https://192.0.2.1:0443", "https://192.0.2.1"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("Ionic://LocalHost/", "ionic://localhost"),
            ("tauri://localhost", "tauri://localhost"),
            ("app://-", "app://-"),
            ("app://bundle:8080", "app://bundle:8080"),
            (
                "moz-extension://9e8dd0c5-4a0e-4e4a-8a4a-1c2d3e4f5a6b",
                "moz-extension://9e8dd0c5-4a0e-4e4a-8a4a-1c2d3e4f5a6b",
            ),
            ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ] {
            assert_eq!(typed.parse(), Ok(Origin(kept.to_owned())), "{typed}");
        }
    }

    #[test]
    fn host_is_that_of_web_origins_only() {
        let host = |text: &str| text.parse::<Origin>().unwrap().host();
        assert_eq!(host("https://Calls.Example:8443"), "calls.example".parse().ok());
        assert_eq!(host("http://[::1]:3000"), "[::1]".parse().ok());
        assert_eq!(host("capacitor://calls.example"), None);
    }

    #[test]
    fn parse_rejects_what_no_browser_sends() {
        for text in [
            "",
            "*",
            "null",
            "null://",
            "example.org",
            "ftp://a",
            "https://a/b",
            "https://a/?q",
            "https://u@a",
            "file://",
            "file://localhost",
            "data://a",
            "ws://a",
            "https://",
            "https://*.example.org",
            "https://a%2db",
            "https://ä.example",
            "https://127.1",
            "https://0x7f.0.0.1",
            "https://2130706433",
            "https://[::1",
            "https://a:99999",
            "capacitor:localhost",
            "capacitor://",
            "1app://a",
            "a b://c",
            "https://a//",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(ParseOriginError), "{text}");
        }
    }
}
