//! The embedded page.

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use percent_encoding::percent_decode_str;

use super::{asset::Assets, fetch_site};

const INDEX: &str = "index.html";

/// The page at `/`, `/doctor`, `/admin` and `/r/NAME`, its files, and a 404 page elsewhere.
pub(super) fn router(assets: Assets) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/doctor", get(index))
        .route("/admin", get(index))
        .route("/admin/{section}", get(index))
        .route("/r/{name}", get(room))
        .fallback(file)
        .with_state(assets)
}

async fn index(State(assets): State<Assets>, headers: HeaderMap) -> Response {
    let page = assets.respond(INDEX, &headers).await;
    let mut page = page.unwrap_or_else(|| Html(include_str!("unbuilt.html")).into_response());
    fetch_site::describe(&headers, page.headers_mut());
    page
}

/// Serves the page, whose script reads the room's name from the URL.
async fn room(assets: State<Assets>, Path(_): Path<String>, headers: HeaderMap) -> Response {
    index(assets, headers).await
}

async fn file(State(assets): State<Assets>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    if let Some(to) = canonical(request.uri()) {
        return (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, to)]).into_response();
    }
    let name = request.uri().path().trim_start_matches('/');
    match assets.respond(name, request.headers()).await {
        Some(file) => file,
        None => (StatusCode::NOT_FOUND, Html(include_str!("not_found.html"))).into_response(),
    }
}

/// The canonical path of a start page or room that is written with extra slashes or an encoded `r`.
/// It begins with exactly one slash, so a redirect to it stays on this host.
fn canonical(uri: &Uri) -> Option<String> {
    let mut segments = uri.path().split('/').filter(|segment| !segment.is_empty());
    let path = match (segments.next(), segments.next(), segments.next()) {
        (None, ..) => "/".to_owned(),
        (Some(first), Some(name), None) if percent_decode_str(first).eq(*b"r") => {
            format!("/r/{name}")
        }
        _ => return None,
    };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    (uri.path() != path).then_some(path + &query)
}
