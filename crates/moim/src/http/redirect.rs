//! Redirects plain HTTP from other hosts to HTTPS, which browsers require for camera access.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{forwarded, ingress::ViaTrustedProxy};
use crate::net::{host::Host, tcp::Connection};

/// Paths that are served over plain HTTP to all: the CA certificate, health probes, and Socket.IO,
/// whose native clients don't follow redirects.
const PLAIN_HTTP_PATHS: [&str; 5] = ["/healthz", "/livez", "/readyz", "/ca.crt", "/socket.io/"];

const UNTRUSTED_PROXY: &str = "This server does not trust the proxy that forwarded the request: \
    see the server's log for the flag to set.\n";

/// The port of HTTPS.
#[derive(Debug, Clone, Copy)]
pub(super) struct Redirect {
    /// True if the server listens on port 443.
    pub(super) has_https_port: bool,
}

/// Middleware that redirects to HTTPS. Behind a trusted proxy that is left to the proxy.
pub(super) async fn to_https(
    State(redirect): State<Redirect>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_plain_path = PLAIN_HTTP_PATHS.iter().any(|plain| match plain.ends_with('/') {
        true => path.starts_with(plain),
        false => path == *plain,
    });
    let connection = request.extensions().get::<Connection>();
    let plain = connection.copied().filter(|c| !c.secure && !c.peer.ip().is_loopback());
    let is_proxied = request.extensions().get::<ViaTrustedProxy>().is_some();
    let Some(connection) = plain.filter(|_| !is_plain_path && !is_proxied) else {
        return next.run(request).await;
    };
    match Host::of_request(request.extensions(), request.uri(), request.headers()) {
        Some(host) if host.is_loopback() => next.run(request).await,
        // A redirect would loop: the proxy would forward the next request over plain HTTP too.
        Some(_) if forwarded::claims_https(request.headers()) => {
            (StatusCode::FORBIDDEN, [(header::CACHE_CONTROL, "no-store")], UNTRUSTED_PROXY)
                .into_response()
        }
        Some(host) => redirect.moved(&host, &connection, &request),
        None => (StatusCode::BAD_REQUEST, "The Host header names no host.\n").into_response(),
    }
}

impl Redirect {
    /// Redirects to the same host, port and path, since TLS is on the same port. Port 80 becomes
    /// 443, unless it is our only port.
    fn moved(self, host: &Host, connection: &Connection, request: &Request) -> Response {
        let is_only_port = connection.local.port() == 80 && !self.has_https_port;
        let port = match host.port().unwrap_or(80) {
            80 if !is_only_port => 443,
            port => port,
        };
        let name = host.name();
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        // `OPTIONS *` has no path.
        let path = if path.starts_with('/') { path } else { "/" };
        let to = match port {
            443 => format!("https://{name}{path}"),
            port => format!("https://{name}:{port}{path}"),
        };
        let headers = [(header::LOCATION, to.as_str()), (header::CACHE_CONTROL, "no-store")];
        (StatusCode::PERMANENT_REDIRECT, headers).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn ask(peer: &str, secure: bool, host: &str, path: &str) -> (StatusCode, Option<String>) {
        let request = Request::get(path).header(header::HOST, host);
        let local = "192.0.2.1:4000".parse().unwrap();
        let request = request.extension(Connection::new(peer.parse().unwrap(), local, secure));
        send(request.body(Body::empty()).unwrap(), true).await
    }

    async fn send(request: Request, has_https_port: bool) -> (StatusCode, Option<String>) {
        let layer = middleware::from_fn_with_state(Redirect { has_https_port }, to_https);
        let router = Router::new().fallback(get(async || "served")).layer(layer);
        let response = router.oneshot(request).await.unwrap();
        let to = response.headers().get(header::LOCATION);
        (response.status(), to.map(|to| to.to_str().unwrap().to_owned()))
    }

    #[tokio::test]
    async fn redirect_names_port_80_only_without_another_https_port() {
        for (local, has_https_port, to) in [
            ("192.0.2.1:80", false, "https://meet.example:80/r/tea"),
            ("192.0.2.1:80", true, "https://meet.example/r/tea"),
            ("192.0.2.1:4000", false, "https://meet.example/r/tea"),
        ] {
            let peer = "192.0.2.9:5000".parse().unwrap();
            let request = Request::get("/r/tea").header(header::HOST, "meet.example");
            let request = request.extension(Connection::new(peer, local.parse().unwrap(), false));
            let moved = send(request.body(Body::empty()).unwrap(), has_https_port).await;
            assert_eq!(moved, (StatusCode::PERMANENT_REDIRECT, Some(to.to_owned())), "{local}");
        }
    }

    #[tokio::test]
    async fn tls_terminating_proxy_causes_no_redirect_loop() {
        let ask = async |trusted: bool| {
            let (peer, local) = ("172.18.0.2:5000", "172.18.0.3:4000");
            let connection = Connection::new(peer.parse().unwrap(), local.parse().unwrap(), false);
            let request = Request::get("/r/tea")
                .header(header::HOST, "meet.example")
                .header("x-forwarded-proto", "https")
                .extension(connection);
            let request = if trusted { request.extension(ViaTrustedProxy) } else { request };
            send(request.body(Body::empty()).unwrap(), false).await
        };
        assert_eq!(ask(true).await, (StatusCode::OK, None));
        assert_eq!(ask(false).await, (StatusCode::FORBIDDEN, None));
    }

    #[tokio::test]
    async fn redirect_keeps_host_port_and_path() {
        for (host, path, to) in [
            ("192.0.2.1:4000", "/", "https://192.0.2.1:4000/"),
            ("Box.local:4000", "/r/a%20b?name=x", "https://box.local:4000/r/a%20b?name=x"),
            ("[2001:db8::1]:4000", "/", "https://[2001:db8::1]:4000/"),
            ("example.org", "/", "https://example.org/"),
            ("example.org:443", "/", "https://example.org/"),
            ("example.org:4000", "//evil.example/x", "https://example.org:4000//evil.example/x"),
            ("example.org:4000", "/socket.ioo", "https://example.org:4000/socket.ioo"),
            ("example.org:4000", "/healthz/x", "https://example.org:4000/healthz/x"),
        ] {
            let moved = (StatusCode::PERMANENT_REDIRECT, Some(to.to_owned()));
            assert_eq!(ask("192.0.2.9:5000", false, host, path).await, moved, "{host} {path}");
        }
    }

    #[tokio::test]
    async fn loopback_tls_and_plain_paths_are_not_redirected() {
        let served = (StatusCode::OK, None);
        assert_eq!(ask("127.0.0.1:5000", false, "192.0.2.1:4000", "/").await, served);
        assert_eq!(ask("192.0.2.9:5000", false, "localhost:4000", "/").await, served);
        assert_eq!(ask("192.0.2.9:5000", true, "192.0.2.1:4000", "/").await, served);
        for path in ["/healthz", "/livez", "/readyz", "/ca.crt", "/socket.io/?EIO=4"] {
            assert_eq!(ask("192.0.2.9:5000", false, "192.0.2.1:4000", path).await, served);
        }
    }

    #[tokio::test]
    async fn malformed_host_gets_400_without_redirect() {
        for host in ["", "a@b", "evil.example/x", "a b"] {
            let (status, to) = ask("192.0.2.9:5000", false, host, "/").await;
            assert_eq!((status, to), (StatusCode::BAD_REQUEST, None), "{host}");
        }
    }
}
