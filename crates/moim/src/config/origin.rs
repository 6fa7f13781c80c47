//! An origin whose pages may connect.

use std::str::FromStr;

use axum::http::{Uri, uri::Authority};
use serde::Deserialize;

/// An origin allowed besides our own (RFC 6454 §7.1), as browsers write it: lower case, no default
/// port, no slash at the end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Origin(String);

/// A text that is no origin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("write an origin as https://HOST or https://HOST:PORT, without a path")]
pub(crate) struct NotAnOrigin;

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let uri: Uri = text.parse().map_err(|_| NotAnOrigin)?;
        let (scheme, default_port) = match uri.scheme_str() {
            Some("https") => ("https", 443),
            Some("http") => ("http", 80),
            _ => return Err(NotAnOrigin),
        };
        let authority = uri.authority().ok_or(NotAnOrigin)?;
        let bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
        if !bare || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(NotAnOrigin);
        }
        let host = authority.host().to_ascii_lowercase();
        Ok(Self(match port(authority)? {
            Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }))
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

fn port(authority: &Authority) -> Result<Option<u16>, NotAnOrigin> {
    match authority.port() {
        Some(port) => port.as_str().parse().map(Some).map_err(|_| NotAnOrigin),
        None => Ok(None),
    }
}

impl TryFrom<String> for Origin {
    type Error = NotAnOrigin;

    fn try_from(text: String) -> Result<Self, NotAnOrigin> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_kept_as_browsers_write_them() {
        for (typed, kept) in [
            ("https://Example.ORG", "https://example.org"),
            ("https://example.org:443/", "https://example.org"),
            ("http://example.org:443", "http://example.org:443"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(typed.parse(), Ok(Origin(kept.to_owned())), "{typed}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in
            ["", "*", "example.org", "ftp://a", "https://a/b", "https://a/?q", "https://u@a"]
        {
            assert_eq!(text.parse::<Origin>(), Err(NotAnOrigin), "{text}");
        }
    }
}
