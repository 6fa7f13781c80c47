//! The operator's own pages (`--static`): a folder served in place of the embedded page. Files are
//! looked up at each request.

use std::{
    fs, io,
    path::{self, Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request},
    response::{IntoResponse, Response},
};
use tower_http::services::ServeFile;

use super::{
    asset::{insert, with_charset},
    headers::OperatorContent,
    requested_path::RequestedPath,
};

const INDEX: &str = "index.html";

/// A folder of public files.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

/// The result of a path's look-up.
enum Entry {
    File(File),
    /// A folder with an index page, requested without the trailing slash that relative links need.
    Folder,
}

/// A file to send.
struct File {
    /// The canonical path.
    path: PathBuf,
    /// The media type, by the name in the URL.
    mime: String,
}

impl Folder {
    /// Opens the folder at `path`.
    ///
    /// # Errors
    /// A message for the operator, with the remedy.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let unreadable = || format!("Can't read the folder {}: check --static", path.display());
        let root = path::absolute(path).with_context(unreadable)?;
        fs::read_dir(&root).with_context(unreadable)?;
        if !root.join(INDEX).is_file() {
            tracing::warn!(folder = %root.display(), "no index.html: / returns 404");
        }
        Ok(Self { root })
    }

    /// The response with the file at the request's path, if there is one.
    pub(super) async fn file(&self, request: &request::Parts) -> Option<Response> {
        let requested = RequestedPath::parse(request.uri.path())?;
        self.answer(requested, request).await
    }

    /// The requested file. A navigation to any other path gets the start page, whose script routes
    /// by the path.
    async fn page(&self, request: &request::Parts) -> Response {
        let Some(requested) = RequestedPath::parse(request.uri.path()) else { return not_found() };
        if let Some(response) = self.answer(requested, request).await {
            return response;
        }
        let start = RequestedPath { path: PathBuf::new(), is_folder: true };
        let start = match accepts_html(&request.headers) {
            true => self.answer(start, request).await,
            false => None,
        };
        let mut response = start.unwrap_or_else(not_found);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        response
    }

    async fn answer(&self, requested: RequestedPath, request: &request::Parts) -> Option<Response> {
        let root = self.root.clone();
        let found = tokio::task::spawn_blocking(move || find(&root, &requested)).await.ok()??;
        let mut response = match found {
            Entry::File(file) => send(&file, request).await?,
            Entry::Folder => with_slash(request),
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response.extensions_mut().insert(OperatorContent);
        Some(response)
    }
}

/// Serves the folder at all paths without another route.
pub(super) fn router(folder: Arc<Folder>) -> Router {
    Router::new().fallback(any).with_state(folder)
}

async fn any(State(folder): State<Arc<Folder>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let (parts, _) = request.into_parts();
    folder.page(&parts).await
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()
}

/// True for a navigation, which accepts HTML. Requests of scripts and images accept `*/*` or name
/// other types.
fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|accept| accept.contains("text/html"))
}

/// Looks the path up on disk. Symbolic links are followed, but not out of the folder.
fn find(root: &Path, requested: &RequestedPath) -> Option<Entry> {
    // The root may itself be a link that a new release of the pages replaces.
    let root = root.canonicalize().ok()?;
    let mut path = root.join(&requested.path);
    if requested.is_folder {
        path.push(INDEX);
    }
    let mime = mime_guess::from_path(&path).first_or_octet_stream().to_string();
    let path = path.canonicalize().ok()?;
    if !path.starts_with(&root) {
        return None;
    }
    let metadata = fs::metadata(&path).ok()?;
    if metadata.is_file() {
        // Pipes and devices are left out: reads of them may never end.
        Some(Entry::File(File { path, mime: with_charset(mime) }))
    } else if metadata.is_dir() && !requested.is_folder && path.join(INDEX).is_file() {
        Some(Entry::Folder)
    } else {
        None
    }
}

/// Streams the file with ETag and Last-Modified; `None` if it can't be read.
async fn send(file: &File, request: &request::Parts) -> Option<Response> {
    let mut requested = Request::new(Body::empty());
    *requested.method_mut() = request.method.clone();
    *requested.headers_mut() = request.headers.clone();
    let sent = ServeFile::new(&file.path).try_call(requested).await;
    let unreadable = |error: &io::Error| {
        tracing::warn!(path = %file.path.display(), %error, "can't read a served file");
    };
    let mut response = sent.inspect_err(unreadable).ok()?.map(Body::new);
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_TYPE) {
        insert(headers, header::CONTENT_TYPE, &file.mime);
    }
    Some(response)
}

/// Redirects to the path with a trailing slash. The path begins with exactly one slash, so the
/// redirect stays on this host.
fn with_slash(request: &request::Parts) -> Response {
    let mut to = format!("{}/", request.uri.path());
    if let Some(query) = request.uri.query() {
        to.push('?');
        to.push_str(query);
    }
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
}
