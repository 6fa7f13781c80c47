//! Whose pages may connect: a browser lets any page open a WebSocket to any host, with the
//! visitor's cookies, so it is for the server to look at `Origin`.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::config::Origins;
use crate::net::tcp::Connection;

impl Origins {
    /// Whether a page of that origin may connect to the host it asked for.
    pub(super) fn allow(&self, origin: &str, host: Option<&str>, connection: &Connection) -> bool {
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
        if self.localhost && is_localhost(authority) && is_on_this_computer(connection) {
            return true;
        }
        // A page without TLS may be somebody else's doing, one on the way to its visitor. The
        // reverse is what a proxy that ends TLS before us looks like.
        let downgraded = connection.secure && scheme == "http";
        let bare = |authority: &str| {
            let host = authority.strip_suffix(port).unwrap_or(authority);
            host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
        };
        !downgraded && host.is_some_and(|host| bare(host) == bare(authority))
    }
}

/// A page of `localhost` is one of the client's own computer, whose visitors are its user alone if
/// that is ours, too.
fn is_on_this_computer(connection: &Connection) -> bool {
    let peer = connection.peer.ip();
    peer.is_loopback() || peer == connection.local.ip()
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
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
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

    fn connection(peer: &str, secure: bool) -> Connection {
        Connection::new(peer.parse().unwrap(), "192.0.2.1:4000".parse().unwrap(), secure)
    }

    fn allowed(origin: &str, host: &str) -> bool {
        let origins =
            Origins { allowed: vec!["https://other.example/".to_owned()], localhost: true };
        origins.allow(origin, Some(host), &connection("127.0.0.1:5", true))
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
        let connection = connection("127.0.0.1:5", true);
        assert!(!Origins::default().allow("https://moim.example", None, &connection));
    }

    #[test]
    fn behind_a_proxy_that_ends_tls_the_same_host_is_the_same_origin() {
        let connection = connection("127.0.0.1:5", false);
        assert!(Origins::default().allow(
            "https://moim.example",
            Some("moim.example"),
            &connection
        ));
    }

    #[test]
    fn configured_origins_may_connect() {
        assert!(allowed("https://other.example", "moim.example"));
        assert!(!allowed("https://other.example:8443", "moim.example"));
    }

    #[test]
    fn localhost_may_connect_from_this_computer_unless_configured_otherwise() {
        for origin in [
            "http://localhost:3000",
            "http://127.0.0.1",
            "https://127.1.2.3:1",
            "http://[::1]:8080",
        ] {
            assert!(allowed(origin, "moim.example"), "{origin}");
            let strict = Origins { allowed: Vec::new(), localhost: false };
            let here = connection("127.0.0.1:5", false);
            assert!(!strict.allow(origin, Some("moim.example"), &here), "{origin}");
            let elsewhere = connection("192.0.2.9:5", false);
            assert!(
                !Origins::default().allow(origin, Some("moim.example"), &elsewhere),
                "{origin}"
            );
            let by_its_own_address = connection("192.0.2.1:5", false);
            assert!(Origins::default().allow(origin, Some("moim.example"), &by_its_own_address));
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
