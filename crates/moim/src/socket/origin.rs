//! Whose pages may connect: a browser lets any page open a WebSocket to any host, with the
//! visitor's cookies, so it is for the server to look at `Origin`.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::config::Origins;

impl Origins {
    /// Whether a page of that origin may connect to the host it asked for, `secure` or not.
    pub(super) fn allow(&self, origin: &str, host: Option<&str>, secure: bool) -> bool {
        if self
            .allowed
            .iter()
            .any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(origin))
        {
            return true;
        }
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        let port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return false,
        };
        if self.localhost && is_localhost(authority) {
            return true;
        }
        // A page without TLS may be somebody else's doing, one on the way to its visitor. The
        // reverse is what a proxy that ends TLS before us looks like.
        let downgraded = secure && scheme == "http";
        let bare = |authority: &str| {
            authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase()
        };
        !downgraded && host.is_some_and(|host| bare(host) == bare(authority))
    }
}

fn is_localhost(authority: &str) -> bool {
    let host = without_port(authority);
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .is_some_and(|host| host.parse() == Ok(Ipv6Addr::LOCALHOST))
}

/// The host of `host:port`, the brackets of an IPv6 address kept.
pub(super) fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// The host a request asks for, HTTP/1 or 2.
pub(super) fn requested_host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => headers.get(header::HOST)?.to_str().ok(),
    }
}

/// The answer to a preflight.
pub(super) fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET,POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Lets a page of an allowed origin read the answer. Never `*`, which credentials rule out.
pub(super) fn share(response: &mut Response, origin: Option<HeaderValue>) {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

/// Whether a request only asks what it may do.
pub(super) fn is_preflight(method: &Method) -> bool {
    method == Method::OPTIONS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origin: &str, host: &str) -> bool {
        let origins =
            Origins { allowed: vec!["https://other.example/".to_owned()], localhost: true };
        origins.allow(origin, Some(host), true)
    }

    #[test]
    fn a_page_of_ours_may_connect() {
        assert!(allowed("https://moim.example", "moim.example"));
        assert!(allowed("https://moim.example", "Moim.example:443"));
        assert!(allowed("https://moim.example:4000", "moim.example:4000"));
        assert!(allowed("https://[2001:db8::1]:4000", "[2001:db8::1]:4000"));
    }

    #[test]
    fn a_page_of_another_host_port_or_scheme_may_not() {
        assert!(!allowed("https://evil.example", "moim.example"));
        assert!(!allowed("https://moim.example:4001", "moim.example:4000"));
        assert!(!allowed("https://moim.example.evil.example", "moim.example"));
        assert!(!allowed("http://moim.example", "moim.example"));
        assert!(!allowed("ftp://moim.example", "moim.example"));
        assert!(!allowed("null", "moim.example"));
        assert!(!allowed("", "moim.example"));
        assert!(!Origins::default().allow("https://moim.example", None, true));
    }

    #[test]
    fn behind_a_proxy_that_ends_tls_the_same_host_is_the_same_origin() {
        assert!(Origins::default().allow("https://moim.example", Some("moim.example"), false));
    }

    #[test]
    fn configured_origins_may_connect() {
        assert!(allowed("https://other.example", "moim.example"));
        assert!(!allowed("https://other.example:8443", "moim.example"));
    }

    #[test]
    fn localhost_may_connect_unless_told_otherwise() {
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1",
            "https://127.1.2.3:1",
            "http://[::1]:8080",
        ] {
            assert!(allowed(origin, "moim.example"), "{origin}");
            let strict = Origins { allowed: Vec::new(), localhost: false };
            assert!(!strict.allow(origin, Some("moim.example"), false), "{origin}");
        }
        for origin in
            ["http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://[::2]"]
        {
            assert!(!allowed(origin, "moim.example"), "{origin}");
        }
    }

    #[test]
    fn a_host_is_named_without_its_port() {
        assert_eq!(without_port("moim.example:4000"), "moim.example");
        assert_eq!(without_port("moim.example"), "moim.example");
        assert_eq!(without_port("[::1]:4000"), "[::1]");
        assert_eq!(without_port("[::1]"), "[::1]");
    }
}
