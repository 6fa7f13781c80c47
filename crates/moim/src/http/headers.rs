//! Security headers of every response.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

/// Only our own scripts, styles and connections. (`'self'` covers WebSockets to the same host.)
/// `'wasm-unsafe-eval'` permits WebAssembly, in which backgrounds and noise suppression are
/// computed; text still never becomes script, as it would with `'unsafe-eval'`.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; \
    script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob: mediastream:; worker-src 'self' blob:; \
    object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

const PERMISSIONS_POLICY: &str = "camera=(self), microphone=(self), display-capture=(self), \
    geolocation=(), payment=(), usb=()";

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");

/// All security headers.
///
/// There is no HSTS: it applies to all ports of a host and outlasts a local CA, so it would lock
/// users out of other services there. There is no `Cross-Origin-Embedder-Policy`: it unlocks APIs
/// that the page does not use.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // URLs contain the names of rooms.
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
    (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    // Same as `frame-ancestors`, for web views that don't support that.
    (header::X_FRAME_OPTIONS, "DENY"),
    // Other sites can't embed resources or measure their load times.
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Marks a response as a file of the operator's, to which our policies don't apply: pages written
/// for other servers have inline scripts, for example.
#[derive(Debug, Clone, Copy)]
pub(super) struct OperatorContent;

/// Headers that break no page, so that operator content gets them too.
const ALWAYS_SENT: [HeaderName; 2] = [header::X_CONTENT_TYPE_OPTIONS, header::REFERRER_POLICY];

/// Marks a response that may be framed, with its Content Security Policy.
#[derive(Debug, Clone)]
pub(super) struct Framable(HeaderValue);

impl Framable {
    /// By pages of these `origins`, separated by spaces.
    pub(super) fn by(origins: &str) -> Option<Self> {
        let (nobody, some) = ("frame-ancestors 'none'", format!("frame-ancestors {origins}"));
        HeaderValue::from_str(&CONTENT_SECURITY_POLICY.replace(nobody, &some)).ok().map(Self)
    }

    /// The value of a header of this response: `None` if it is left out.
    fn value(&self, name: &HeaderName, usual: HeaderValue) -> Option<HeaderValue> {
        // It knows no lists of origins, and browsers with `frame-ancestors` ignore it.
        if name == header::X_FRAME_OPTIONS {
            return None;
        }
        let is_policy = name == header::CONTENT_SECURITY_POLICY;
        Some(if is_policy { self.0.clone() } else { usual })
    }
}

/// Adds the headers that the response doesn't set itself.
pub(super) async fn secure(mut response: Response) -> Response {
    let framable = response.extensions().get::<Framable>().cloned();
    let is_redirect = response.status().is_redirection();
    let is_operator_content = response.extensions().get::<OperatorContent>().is_some();
    for (name, value) in HEADERS {
        if is_operator_content && !ALWAYS_SENT.contains(&name) {
            continue;
        }
        // On a redirect from HTTP, browsers only log a warning about it.
        if is_redirect && name == CROSS_ORIGIN_OPENER_POLICY {
            continue;
        }
        let value = HeaderValue::from_static(value);
        let value = match &framable {
            Some(framable) => framable.value(&name, value),
            None => Some(value),
        };
        if let Some(value) = value {
            response.headers_mut().entry(name).or_insert(value);
        }
    }
    response
}
