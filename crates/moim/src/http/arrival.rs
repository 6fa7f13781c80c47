//! `Sec-Fetch-Site` handed back to the page that it fetched.
//!
//! A page can't read the request header by which its browser says who navigated to it, nor the
//! headers of the answer, except for `Server-Timing`. From that the page learns whether another
//! site brought its visitor; then it opens no camera and no microphone before a gesture.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Tells the page which site navigated to it, in the words of Fetch Metadata. A browser that says
/// nothing is told nothing, which the page takes for another site.
pub(super) fn describe(request: &HeaderMap, response: &mut HeaderMap) {
    // A cached answer told of another navigation.
    response.append(header::VARY, HeaderValue::from_static("sec-fetch-site"));
    if let Some(metric) = request.get(SEC_FETCH_SITE).and_then(metric) {
        response.insert(SERVER_TIMING, HeaderValue::from_static(metric));
    }
}

fn metric(site: &HeaderValue) -> Option<&'static str> {
    Some(match site.as_bytes() {
        b"none" => "sec-fetch-site;desc=none",
        b"same-origin" => "sec-fetch-site;desc=same-origin",
        b"same-site" => "sec-fetch-site;desc=same-site",
        b"cross-site" => "sec-fetch-site;desc=cross-site",
        _ => return None,
    })
}
