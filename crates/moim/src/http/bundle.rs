//! Socket.IO's client bundles below `/socket.io/`, where pages written for its Node server expect
//! them.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{asset::Assets, folder::Folder};

/// Paths of the bundles and of their source maps.
const PATHS: [&str; 6] = [
    "/socket.io/socket.io.js",
    "/socket.io/socket.io.js.map",
    "/socket.io/socket.io.min.js",
    "/socket.io/socket.io.min.js.map",
    "/socket.io/socket.io.esm.min.js",
    "/socket.io/socket.io.esm.min.js.map",
];

/// Headers that let pages of any origin load the bundles: as modules, which need CORS, and under
/// `Cross-Origin-Embedder-Policy`.
const CROSS_ORIGIN_HEADERS: [(HeaderName, &str); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
];

const MISSING: &str = "This build has no Socket.IO client: build moim with `cargo xtask build`, or \
    put one into the --static folder at this path.\n";

/// The sources of bundles.
#[derive(Debug, Clone)]
struct Bundles {
    assets: Assets,
    folder: Option<Arc<Folder>>,
}

/// Serves the embedded bundles; a file at the same path in the operator's `folder` takes
/// precedence.
pub(super) fn router(assets: Assets, folder: Option<Arc<Folder>>) -> Router {
    let route = |router: Router<Bundles>, path: &&str| router.route(path, get(bundle));
    PATHS.iter().fold(Router::new(), route).with_state(Bundles { assets, folder })
}

async fn bundle(State(bundles): State<Bundles>, request: Request) -> Response {
    let mut response = bundles.find(request).await;
    for (name, value) in CROSS_ORIGIN_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Bundles {
    async fn find(&self, request: Request) -> Response {
        let (parts, _) = request.into_parts();
        if let Some(folder) = &self.folder
            && let Some(file) = folder.file(&parts).await
        {
            return file;
        }
        let name = parts.uri.path().trim_start_matches('/');
        match self.assets.respond(name, &parts.headers).await {
            Some(file) => file,
            None => (StatusCode::NOT_FOUND, MISSING).into_response(),
        }
    }
}
