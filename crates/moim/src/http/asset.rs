//! Files embedded in the program: the page, and Socket.IO's own bundles beside it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};
use tokio::sync::OnceCell;

use super::{encoding::Encoding, tag};

/// What `npm run build` made. A debug build reads it from disk, so that it may change.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// Below this size, packing saves nothing.
const WORTH_PACKING: usize = 512;

/// The embedded files, each packed once.
#[derive(Debug, Clone, Default)]
pub(super) struct Assets {
    packed: Arc<Mutex<Packed>>,
}

/// Packed files, by the hash of what they were.
type Packed = HashMap<([u8; 32], Encoding), Arc<OnceCell<Bytes>>>;

impl Assets {
    /// The file of that name, if this build has it, as the client takes it and unless it has it.
    pub(super) async fn answer(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        Some(self.send(name, Dist::get(name)?, headers).await)
    }

    async fn send(&self, path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
        let hash = file.metadata.sha256_hash();
        let mime = file.metadata.mimetype().to_owned();
        let packable = file.data.len() >= WORTH_PACKING && is_text(&mime);
        let encoding = if packable { Encoding::accepted(headers) } else { Encoding::Identity };
        let tag = tag::of_hash(&hash, encoding);

        let mut response = Response::new(Body::empty());
        let out = response.headers_mut();
        out.insert(header::CACHE_CONTROL, cache_control(path));
        insert(out, header::ETAG, &tag);
        if packable {
            out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        if tag::is_known(headers, &tag) {
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
                tracing::error!(path, %error, "can't pack an embedded file");
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

/// A media type as sent: texts are in UTF-8.
pub(super) fn with_charset(mime: String) -> String {
    if mime.starts_with("text/") { mime + "; charset=utf-8" } else { mime }
}

/// Inserts a value that is made of visible ASCII.
pub(super) fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
