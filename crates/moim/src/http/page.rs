//! The page.

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};

use percent_encoding::percent_decode_str;

use super::{arrival, asset::Assets};

const INDEX: &str = "index.html";

/// `/` and `/r/NAME`, which are the page, its files, and a word to whoever got lost.
pub(super) fn router(assets: Assets) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/r/{name}", get(room))
        .fallback(file)
        .with_state(assets)
}

async fn index(State(assets): State<Assets>, headers: HeaderMap) -> Response {
    let page = assets.answer(INDEX, &headers).await;
    let mut page = page.unwrap_or_else(|| Html(include_str!("unbuilt.html")).into_response());
    arrival::describe(&headers, page.headers_mut());
    page
}

/// A room's name is the page's business.
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
    match assets.answer(name, request.headers()).await {
        Some(file) => file,
        None => (StatusCode::NOT_FOUND, Html(include_str!("lost.html"))).into_response(),
    }
}

/// The usual form of the start page's or a room's address that has slashes too many, or whose `r` is
/// encoded. It has a single slash at its start, so that it stays on this host.
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
