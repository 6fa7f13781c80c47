//! Files embedded in the binary: the page and the Socket.IO client bundles.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use parking_lot::Mutex;
use rust_embed::{EmbeddedFile, RustEmbed};
use tokio::sync::OnceCell;

use super::{encoding::Encoding, tag};

/// Output of `npm run build`. A debug build reads it from disk at each request.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// Smaller files are not compressed, since that saves nothing.
const MIN_COMPRESSED_BYTES: usize = 512;

/// The embedded files, each compressed once.
#[derive(Debug, Clone, Default)]
pub(super) struct Assets {
    compressed: Arc<Mutex<Compressed>>,
}

/// Compressed files, by the hash of their content.
type Compressed = HashMap<([u8; 32], Encoding), Arc<OnceCell<Bytes>>>;

impl Assets {
    /// The response with the file of that name, if this build has it: in an encoding that the
    /// client accepts, or 304 if the client has it.
    pub(super) async fn respond(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        Some(self.send(name, Dist::get(name)?, headers).await)
    }

    /// The text of that file, if this build has it.
    pub(super) fn text(name: &str) -> Option<String> {
        String::from_utf8(Dist::get(name)?.data.into_owned()).ok()
    }

    async fn send(&self, path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
        let hash = file.metadata.sha256_hash();
        let mime = file.metadata.mimetype().to_owned();
        let is_compressible = file.data.len() >= MIN_COMPRESSED_BYTES && is_text(&mime);
        let encoding =
            if is_compressible { Encoding::accepted(headers) } else { Encoding::Identity };
        let tag = tag::of_hash(&hash, encoding);

        let mut response = Response::new(Body::empty());
        let out = response.headers_mut();
        out.insert(header::CACHE_CONTROL, cache_control(path));
        insert(out, header::ETAG, &tag);
        if is_compressible {
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
                tracing::error!(path, %error, "can't compress an embedded file");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        }
        response
    }

    /// The encoded bytes. Concurrent first requests wait for one compression.
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
            let mut compressed = self.compressed.lock();
            Arc::clone(compressed.entry((hash, encoding)).or_default())
        };
        let compress = async || -> anyhow::Result<Bytes> {
            let bytes = tokio::task::spawn_blocking(move || encoding.compress(&data)).await??;
            Ok(Bytes::from(bytes))
        };
        cell.get_or_try_init(compress).await.cloned()
    }
}

/// Vite puts a content hash into names below `assets/`, so these files never change. Icons seldom
/// do, and systems ask for them often.
fn cache_control(path: &str) -> HeaderValue {
    HeaderValue::from_static(if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else if path.starts_with("icons/") {
        "public, max-age=86400"
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

/// Adds the charset to text types: all of ours are UTF-8.
pub(super) fn with_charset(mime: String) -> String {
    if mime.starts_with("text/") { mime + "; charset=utf-8" } else { mime }
}

/// Inserts a header, unless the value is malformed.
pub(super) fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
