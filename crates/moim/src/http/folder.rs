//! The operator's own pages: a folder served in place of ours, as it is at each request.

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
    asked::Asked,
    asset::{insert, with_charset},
    headers::OperatorsOwn,
};

const INDEX: &str = "index.html";

/// A folder of files for everybody.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

/// What a path leads to.
enum Found {
    File(File),
    /// A folder with a page, asked for without the slash that the page's relative links need.
    Folder,
}

/// A file to send.
struct File {
    /// Where it really is.
    path: PathBuf,
    /// Its media type, by the name it was asked for.
    mime: String,
}

impl Folder {
    /// The folder at `path`, which must be there.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let unreadable = || format!("Can't read the folder {}: check --static", path.display());
        let root = path::absolute(path).with_context(unreadable)?;
        fs::read_dir(&root).with_context(unreadable)?;
        if !root.join(INDEX).is_file() {
            tracing::warn!(folder = %root.display(), "has no index.html, so / answers 404");
        }
        Ok(Self { root })
    }

    /// The file that the request's path names, if there is one.
    pub(super) async fn file(&self, request: &request::Parts) -> Option<Response> {
        let asked = Asked::parse(request.uri.path())?;
        self.answer(asked, request).await
    }

    /// The file asked for, else the start page for a browser on its way to some page, whose path
    /// the start page's own script makes sense of.
    async fn page(&self, request: &request::Parts) -> Response {
        let Some(asked) = Asked::parse(request.uri.path()) else { return lost() };
        if let Some(response) = self.answer(asked, request).await {
            return response;
        }
        let start = Asked { path: PathBuf::new(), is_folder: true };
        let start = match takes_page(&request.headers) {
            true => self.answer(start, request).await,
            false => None,
        };
        let mut response = start.unwrap_or_else(lost);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        response
    }

    async fn answer(&self, asked: Asked, request: &request::Parts) -> Option<Response> {
        let root = self.root.clone();
        let found = tokio::task::spawn_blocking(move || find(&root, &asked)).await.ok()??;
        let mut response = match found {
            Found::File(file) => send(&file, request).await?,
            Found::Folder => with_slash(request),
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response.extensions_mut().insert(OperatorsOwn);
        Some(response)
    }
}

/// Serves the folder at every path that nothing else is at.
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

fn lost() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()
}

/// Whether a page will do, as it does for a browser's own address bar and links. Scripts that
/// fetch, and images, take anything or name other types.
fn takes_page(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|accept| accept.contains("text/html"))
}

/// Looks for it on disk, and follows links as long as they stay in the folder.
fn find(root: &Path, asked: &Asked) -> Option<Found> {
    // Each time anew, as a new release of the pages may be a link that points elsewhere.
    let root = root.canonicalize().ok()?;
    let mut path = root.join(&asked.path);
    if asked.is_folder {
        path.push(INDEX);
    }
    let mime = mime_guess::from_path(&path).first_or_octet_stream().to_string();
    let path = path.canonicalize().ok()?;
    if !path.starts_with(&root) {
        return None;
    }
    let metadata = fs::metadata(&path).ok()?;
    if metadata.is_file() {
        // Neither pipes nor devices, which may never end.
        Some(Found::File(File { path, mime: with_charset(mime) }))
    } else if metadata.is_dir() && !asked.is_folder && path.join(INDEX).is_file() {
        Some(Found::Folder)
    } else {
        None
    }
}

/// The file in pieces, off the runtime, with its tag and date; nothing if it can't be read.
async fn send(file: &File, request: &request::Parts) -> Option<Response> {
    let mut asked = Request::new(Body::empty());
    *asked.method_mut() = request.method.clone();
    *asked.headers_mut() = request.headers.clone();
    let sent = ServeFile::new(&file.path).try_call(asked).await;
    let unreadable = |error: &io::Error| {
        tracing::warn!(path = %file.path.display(), %error, "can't be read");
    };
    let mut response = sent.inspect_err(unreadable).ok()?.map(Body::new);
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_TYPE) {
        insert(headers, header::CONTENT_TYPE, &file.mime);
    }
    Some(response)
}

/// The same path with a slash at its end. It has none at its start but the one, so that it stays
/// on this host.
fn with_slash(request: &request::Parts) -> Response {
    let mut to = format!("{}/", request.uri.path());
    if let Some(query) = request.uri.query() {
        to.push('?');
        to.push_str(query);
    }
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response()
}
