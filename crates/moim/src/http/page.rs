//! The page.

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};

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
    let name = request.uri().path().trim_start_matches('/');
    match assets.answer(name, request.headers()).await {
        Some(file) => file,
        None => (StatusCode::NOT_FOUND, Html(include_str!("lost.html"))).into_response(),
    }
}
