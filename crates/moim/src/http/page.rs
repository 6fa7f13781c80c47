//! The page, embedded in the program.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};
use tokio::sync::OnceCell;

use super::encoding::Encoding;

/// What `npm run build` made. A debug build reads it from disk, so that it may change.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

const INDEX: &str = "index.html";

/// Below this size, packing saves nothing.
const WORTH_PACKING: usize = 512;

/// The page's files, each packed once.
#[derive(Debug, Clone, Default)]
struct Page {
    packed: Arc<Mutex<Packed>>,
}

/// Packed files, by the hash of what they were.
type Packed = HashMap<([u8; 32], Encoding), Arc<OnceCell<Bytes>>>;

/// `/` and `/r/NAME`, which are the page, its files, and a word to whoever got lost.
pub(super) fn router() -> Router {
    Router::new()
        .route("/", get(index))
        .route("/r/{name}", get(room))
        .fallback(file)
        .with_state(Page::default())
}

async fn index(State(page): State<Page>, headers: HeaderMap) -> Response {
    match Dist::get(INDEX) {
        Some(file) => page.answer(INDEX, file, &headers).await,
        None => Html(include_str!("unbuilt.html")).into_response(),
    }
}

/// A room's name is the page's business.
async fn room(page: State<Page>, Path(_): Path<String>, headers: HeaderMap) -> Response {
    index(page, headers).await
}

async fn file(State(page): State<Page>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let path = file_name(request.uri());
    match Dist::get(path) {
        Some(file) => page.answer(path, file, request.headers()).await,
        None => (StatusCode::NOT_FOUND, Html(include_str!("lost.html"))).into_response(),
    }
}

fn file_name(uri: &Uri) -> &str {
    uri.path().trim_start_matches('/')
}

impl Page {
    async fn answer(&self, path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
        let hash = file.metadata.sha256_hash();
        let mime = file.metadata.mimetype().to_owned();
        let packable = file.data.len() >= WORTH_PACKING && is_text(&mime);
        let encoding = if packable { Encoding::accepted(headers) } else { Encoding::Identity };
        let tag = entity_tag(&hash, encoding);

        let mut response = Response::new(Body::empty());
        let out = response.headers_mut();
        out.insert(header::CACHE_CONTROL, cache_control(path));
        insert(out, header::ETAG, &tag);
        if packable {
            out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if has_tag(headers, &tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        insert(out, header::CONTENT_TYPE, &with_charset(mime));
        if let Some(name) = encoding.name() {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        match self.bytes(hash, encoding, file).await {
            Ok(bytes) => *response.body_mut() = Body::from(bytes),
            Err(error) => {
                tracing::error!(path, %error, "can't pack a file of the page");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        }
        response
    }

    /// The file's bytes; of those who ask first, one packs and the others wait.
    async fn bytes(
        &self,
        hash: [u8; 32],
        encoding: Encoding,
        file: EmbeddedFile,
    ) -> anyhow::Result<Bytes> {
        let data = match file.data {
            std::borrow::Cow::Borrowed(data) => Bytes::from_static(data),
            std::borrow::Cow::Owned(data) => Bytes::from(data),
        };
        if encoding == Encoding::Identity {
            return Ok(data);
        }
        let cell = {
            let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(packed.entry((hash, encoding)).or_default())
        };
        let packing = async || -> anyhow::Result<Bytes> {
            let packed = tokio::task::spawn_blocking(move || encoding.pack(&data)).await??;
            Ok(Bytes::from(packed))
        };
        cell.get_or_try_init(packing).await.cloned()
    }
}

/// Vite names what is in `assets/` by its content, so that it never changes.
fn cache_control(path: &str) -> HeaderValue {
    HeaderValue::from_static(if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    })
}

/// A strong tag, which must differ by coding (RFC 9110 §8.8.3.3).
fn entity_tag(hash: &[u8; 32], encoding: Encoding) -> String {
    use std::fmt::Write;
    let mut tag = String::from("\"");
    for byte in hash.iter().take(12) {
        let _ = write!(tag, "{byte:02x}");
    }
    if let Some(name) = encoding.name() {
        let _ = write!(tag, "-{name}");
    }
    tag.push('"');
    tag
}

fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|theirs| theirs == "*" || theirs.strip_prefix("W/").unwrap_or(theirs) == tag)
}

fn is_text(mime: &str) -> bool {
    mime.starts_with("text/")
        || matches!(
            mime,
            "application/javascript"
                | "application/json"
                | "application/manifest+json"
                | "application/wasm"
                | "image/svg+xml"
        )
}

fn with_charset(mime: String) -> String {
    if mime.starts_with("text/") { mime + "; charset=utf-8" } else { mime }
}

/// Inserts a value that is made of visible ASCII.
fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_match_as_the_browser_sends_them_back() {
        let tag = entity_tag(&[7; 32], Encoding::Brotli);
        let asks = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            has_tag(&headers, &tag)
        };
        assert!(asks(&tag));
        assert!(asks(&format!("\"x\", W/{tag}")));
        assert!(asks("*"));
        assert!(!asks(&entity_tag(&[7; 32], Encoding::Identity)));
    }
}
