//! Origin checks. Browsers let any page open a WebSocket to any host, with the user's cookies, so
//! the server must check `Origin`.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::config::Origins;
use crate::net::tcp::Connection;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

impl Origins {
    /// Returns whether a page of this origin may connect to the requested host.
    pub(super) fn allow(&self, origin: &str, host: Option<&str>, connection: &Connection) -> bool {
        if self
            .allowed
            .iter()
            .any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(origin))
        {
            return true;
        }
        let is_web = |scheme| scheme == "http" || scheme == "https";
        let authority = origin.split_once("://").filter(|(scheme, _)| is_web(*scheme));
        let is_here = self.localhost && is_on_this_computer(connection);
        if is_here && authority.is_some_and(|(_, authority)| is_localhost(authority)) {
            return true;
        }
        is_own_origin(origin, host, connection)
    }
}

/// Returns whether an origin is that of the requested host.
pub(crate) fn is_own_origin(origin: &str, host: Option<&str>, connection: &Connection) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    // A page without TLS may have been modified on the network path. The reverse occurs behind
    // a proxy that terminates TLS.
    let downgraded = connection.secure && scheme == "http";
    let bare = |authority: &str| {
        let host = authority.strip_suffix(port).unwrap_or(authority);
        host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
    };
    !downgraded && host.is_some_and(|host| bare(host) == bare(authority))
}

/// Returns whether a request with a cookie comes from a page of the requested host itself. Pages of
/// allowed origins may connect, but not act as a person who signed in here.
pub(super) fn is_of_own_page(
    headers: &HeaderMap,
    host: Option<&str>,
    connection: &Connection,
) -> bool {
    match headers.get(header::ORIGIN) {
        Some(origin) => origin.to_str().is_ok_and(|origin| is_own_origin(origin, host, connection)),
        // Browsers send no `Origin` with a GET to the page's own origin, as polling begins.
        None => headers.get(SEC_FETCH_SITE).is_none_or(|site| site == "same-origin"),
    }
}

/// Returns whether the client runs on the server's machine. Only then is a `localhost` page as
/// trustworthy as the server itself.
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

/// Strips the port of `host:port`; keeps the brackets of an IPv6 address.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Response to a CORS preflight.
pub(super) fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET,POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Adds CORS headers for an allowed origin. Never `*`, which is incompatible with credentials.
pub(super) fn add_cors_headers(response: &mut Response, origin: Option<HeaderValue>) {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

/// Returns whether a request is a CORS preflight.
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
    fn own_origin_is_allowed() {
        assert!(allowed("https://moim.example", "moim.example"));
        assert!(allowed("https://moim.example", "Moim.example:443"));
        assert!(allowed("https://moim.example:4000", "moim.example:4000"));
        assert!(allowed("https://[2001:db8::1]:4000", "[2001:db8::1]:4000"));
    }

    #[test]
    fn other_host_port_or_scheme_is_rejected() {
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
    fn cookies_count_from_the_own_page_alone() {
        let is_own = |fields: &[(&'static str, &'static str)]| {
            let fields = fields.iter().map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            });
            let headers = HeaderMap::from_iter(fields);
            is_of_own_page(&headers, Some("moim.example"), &connection("192.0.2.9:5", true))
        };
        assert!(is_own(&[("origin", "https://moim.example")]));
        assert!(is_own(&[("sec-fetch-site", "same-origin")]));
        assert!(is_own(&[]), "a program, or a browser without these headers");
        for origin in ["https://moim.example:4001", "http://localhost", "null", "https://b.example"]
        {
            assert!(!is_own(&[("origin", origin)]), "{origin}");
        }
        for site in ["same-site", "cross-site", "none"] {
            assert!(!is_own(&[("sec-fetch-site", site)]), "{site}");
        }
        assert!(!is_own(&[("origin", "https://b.example"), ("sec-fetch-site", "same-origin")]));
    }

    #[test]
    fn https_origin_is_allowed_behind_a_tls_proxy() {
        let connection = connection("127.0.0.1:5", false);
        assert!(Origins::default().allow(
            "https://moim.example",
            Some("moim.example"),
            &connection
        ));
    }

    #[test]
    fn configured_origins_are_allowed() {
        assert!(allowed("https://other.example", "moim.example"));
        assert!(!allowed("https://other.example:8443", "moim.example"));
    }

    #[test]
    fn localhost_is_allowed_from_the_same_machine_by_default() {
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
    fn port_is_stripped_from_host() {
        assert_eq!(without_port("moim.example:4000"), "moim.example");
        assert_eq!(without_port("moim.example"), "moim.example");
        assert_eq!(without_port("[::1]:4000"), "[::1]");
        assert_eq!(without_port("[::1]"), "[::1]");
    }
}
