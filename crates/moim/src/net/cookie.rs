//! Cookies that only this server's own pages use.

use axum::http::{HeaderMap, HeaderValue, header};

/// A cookie of this server, on one kind of channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookie {
    /// Over TLS the prefix `__Host-` keeps other hosts and plain HTTP from setting it
    /// (RFC 6265bis §4.1.3.2).
    secure: &'static str,
    /// On this computer over plain HTTP, where browsers take no such prefix.
    local: &'static str,
    /// Requests of other sites with which a browser sends it.
    same_site: &'static str,
    /// Longest value that is taken, in bytes.
    max_bytes: usize,
}

/// The session of an administrator.
pub(crate) const ADMINISTRATOR: Cookie = Cookie {
    secure: "__Host-moim-admin",
    local: "moim-admin",
    same_site: "Strict",
    max_bytes: 100,
};

/// The session of a person who signed in at the OpenID provider.
pub(crate) const PERSON: Cookie =
    Cookie { secure: "__Host-moim-person", local: "moim-person", same_site: "Lax", max_bytes: 100 };

/// A sign-in that is under way. Lax, since the provider's page leads back with it.
pub(crate) const SIGN_IN: Cookie = Cookie {
    secure: "__Host-moim-sign-in",
    local: "moim-sign-in",
    same_site: "Lax",
    max_bytes: 3800,
};

impl Cookie {
    fn name(self, secure: bool) -> &'static str {
        if secure { self.secure } else { self.local }
    }

    /// The value that a request carries.
    pub(crate) fn find(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        // HTTP/2 may have several fields (RFC 9113 §8.2.3).
        let fields = headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok());
        let mut pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name.trim(), value.trim()))
        });
        let (_, value) = pairs.find(|(given, _)| *given == self.name(secure))?;
        (!value.is_empty() && value.len() <= self.max_bytes).then_some(value)
    }

    /// The field that has a browser keep a value for so long. Scripts don't see it.
    pub(crate) fn set(self, value: &str, secure: bool, seconds: u64) -> Option<HeaderValue> {
        let (name, same_site) = (self.name(secure), self.same_site);
        let only = if secure { "; Secure" } else { "" };
        let text = format!(
            "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={same_site}{only}"
        );
        HeaderValue::from_str(&text).ok()
    }

    /// The field that has a browser forget the value.
    pub(crate) fn clear(self, secure: bool) -> Option<HeaderValue> {
        self.set("", secure, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_found_among_cookies_by_the_name_of_its_channel() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; moim-admin=local"));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-moim-admin=tls; c=d"));
        assert_eq!(ADMINISTRATOR.find(&headers, true), Some("tls"));
        assert_eq!(ADMINISTRATOR.find(&headers, false), Some("local"));
        assert_eq!(PERSON.find(&headers, true), None);
        let one = HeaderValue::from_static("moim-admin=local");
        let local = HeaderMap::from_iter([(header::COOKIE, one)]);
        assert_eq!(ADMINISTRATOR.find(&local, true), None, "plain HTTP may have set it");
    }

    #[test]
    fn cookie_is_for_this_site_and_no_script() {
        let text = |field: Option<HeaderValue>| field.unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            text(ADMINISTRATOR.set("x", true, 604_800)),
            "__Host-moim-admin=x; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            text(PERSON.set("x", true, 60)),
            "__Host-moim-person=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        let cleared = "moim-admin=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict";
        assert_eq!(text(ADMINISTRATOR.clear(false)), cleared);
    }
}
