//! What every answer tells the browser about safety.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

/// Only our own scripts, styles and connections. (`'self'` covers WebSockets to the same host.)
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; \
    worker-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
    form-action 'self'";

const PERMISSIONS_POLICY: &str = "camera=(self), microphone=(self), display-capture=(self), \
    geolocation=(), payment=(), usb=()";

const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");

/// The headers and what they say.
///
/// There is no HSTS: it holds for all ports of a host and outlasts a local CA, so it would lock people
/// out of whatever else is there. There is no `Cross-Origin-Embedder-Policy`: it opens APIs that the
/// page does not use.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Names of rooms are in addresses.
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
    (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    // As `frame-ancestors`, which not every web view knows.
    (header::X_FRAME_OPTIONS, "DENY"),
    // No page of another site shows or measures what is here.
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Marks an answer as a file of the operator's. What its pages run, embed and open is theirs to
/// say; pages made for other servers have scripts inline, for one.
#[derive(Debug, Clone, Copy)]
pub(super) struct OperatorsOwn;

/// Those that no page has trouble with.
const HARMLESS: [HeaderName; 2] = [header::X_CONTENT_TYPE_OPTIONS, header::REFERRER_POLICY];

/// Adds them where the answer doesn't say otherwise itself.
pub(super) async fn secure(mut response: Response) -> Response {
    let leads_on = response.status().is_redirection();
    let is_operators = response.extensions().get::<OperatorsOwn>().is_some();
    for (name, value) in HEADERS {
        if is_operators && !HARMLESS.contains(&name) {
            continue;
        }
        // On the way from HTTP to HTTPS browsers would only complain about it.
        if leads_on && name == CROSS_ORIGIN_OPENER_POLICY {
            continue;
        }
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
