//! The cookie of an administrator's session.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::accounts::SESSION_LIFE;

/// Over TLS the prefix keeps other hosts and plain HTTP from setting it (RFC 6265bis §4.1.3.2).
const SECURE_NAME: &str = "__Host-moim-admin";
/// On this computer over plain HTTP, where browsers take no such prefix.
const LOCAL_NAME: &str = "moim-admin";
/// Longest secret that is looked up, in bytes.
const MAX_SECRET_BYTES: usize = 100;

fn name(secure: bool) -> &'static str {
    if secure { SECURE_NAME } else { LOCAL_NAME }
}

/// The secret of the session that a request carries.
pub(super) fn find(headers: &HeaderMap, secure: bool) -> Option<String> {
    // HTTP/2 may have several fields (RFC 9113 §8.2.3).
    let fields = headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok());
    let mut pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim(), value.trim()))
    });
    let (_, secret) = pairs.find(|(given, _)| *given == name(secure))?;
    (!secret.is_empty() && secret.len() <= MAX_SECRET_BYTES).then(|| secret.to_owned())
}

/// The field that has a browser keep a session. Scripts don't see it, and other sites can't send it.
pub(super) fn set(secret: &str, secure: bool) -> Option<HeaderValue> {
    field(secret, secure, SESSION_LIFE.as_secs())
}

/// The field that has a browser forget its session.
pub(super) fn clear(secure: bool) -> Option<HeaderValue> {
    field("", secure, 0)
}

fn field(secret: &str, secure: bool, seconds: u64) -> Option<HeaderValue> {
    let name = name(secure);
    let only = if secure { "; Secure" } else { "" };
    let text =
        format!("{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{only}");
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_found_among_cookies_by_the_name_of_its_channel() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; moim-admin=local"));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-moim-admin=tls; c=d"));
        assert_eq!(find(&headers, true).as_deref(), Some("tls"));
        assert_eq!(find(&headers, false).as_deref(), Some("local"));
        let one = HeaderValue::from_static("moim-admin=local");
        let local = HeaderMap::from_iter([(header::COOKIE, one)]);
        assert_eq!(find(&local, true), None, "plain HTTP may have set it");
    }

    #[test]
    fn cookie_is_for_this_site_and_no_script() {
        let text = |field: Option<HeaderValue>| field.unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            text(set("x", true)),
            "__Host-moim-admin=x; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(text(clear(false)), "moim-admin=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
    }
}
