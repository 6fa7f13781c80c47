//! `Sec-Fetch-Site` of the navigation, returned to the page as `Server-Timing`.
//!
//! A page can read neither the headers of the request that loaded it nor those of the response,
//! except `Server-Timing`. With it the page knows if another site navigated to it; then it opens no
//! camera or microphone before a gesture (docs/decisions/devices-and-gestures.md).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Adds the value of `Sec-Fetch-Site` to the response. The page treats a missing value as another
/// site's navigation.
pub(super) fn describe(request: &HeaderMap, response: &mut HeaderMap) {
    // A cached response has the value of an earlier navigation.
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
