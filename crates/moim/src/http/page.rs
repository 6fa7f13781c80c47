//! The embedded page.

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use percent_encoding::percent_decode_str;
use room::name::RoomName;

use super::{
    asset::{Assets, insert},
    embedding::Embedders,
    encoding::Encoding,
    fetch_site,
    link_preview::{LinkPreview, is_korean},
    tag,
};
use crate::net::{host::Host, tcp::Connection};

const INDEX: &str = "index.html";

/// The page at `/`, `/doctor`, `/admin` and `/r/NAME`, its files, and a 404 page elsewhere.
pub(super) fn router(assets: Assets, embedders: Embedders) -> Router {
    let linked = Router::new().route("/", get(home)).route("/r/{name}", get(room));
    Router::new()
        .route("/doctor", get(index))
        .route("/admin", get(index))
        .route("/admin/{section}", get(index))
        .fallback(file)
        .with_state(assets)
        .merge(linked.with_state(embedders))
}

async fn index(State(assets): State<Assets>, headers: HeaderMap) -> Response {
    let page = assets.respond(INDEX, &headers).await;
    let mut page = page.unwrap_or_else(unbuilt);
    fetch_site::describe(&headers, page.headers_mut());
    page
}

async fn home(State(embedders): State<Embedders>, request: Request) -> Response {
    with_preview(&embedders, None, &request.into_parts().0)
}

/// Serves the page, whose script reads the room's name from the URL.
async fn room(
    State(embedders): State<Embedders>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let room = RoomName::new(&name).ok();
    with_preview(&embedders, room.as_ref(), &request.into_parts().0)
}

/// The page with the preview of its link. It is small, and differs by room and host: neither kept nor
/// compressed.
fn with_preview(embedders: &Embedders, room: Option<&RoomName>, request: &Parts) -> Response {
    let mut response = Assets::text(INDEX).map_or_else(unbuilt, |page| {
        let preview =
            LinkPreview { origin: origin(request), room, is_korean: is_korean(&request.headers) };
        tagged(preview.insert(&page, &embedders.tag()), &request.headers)
    });
    embedders.permit(&mut response);
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("accept-language"));
    fetch_site::describe(&request.headers, headers);
    response
}

fn tagged(page: String, headers: &HeaderMap) -> Response {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, page.as_bytes()).as_ref());
    let tag = tag::of_hash(&hash, Encoding::Identity);
    let mut response = match tag::is_known(headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Html(page).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    insert(headers, header::ETAG, &tag);
    response
}

/// The origin by which the client reached the server; ingress has checked the host.
fn origin(request: &Parts) -> Option<String> {
    let host = Host::of_request(&request.extensions, &request.uri, &request.headers)?;
    let is_secure = request.extensions.get::<Connection>()?.secure;
    Some(format!("{}://{host}", if is_secure { "https" } else { "http" }))
}

fn unbuilt() -> Response {
    Html(include_str!("unbuilt.html")).into_response()
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
