//! Plain HTTP from other computers goes on as HTTPS, as browsers give no camera to a plain page.

use axum::{
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Host;
use crate::port::Connection;

/// Served plainly to anybody: what makes HTTPS work, what probes it, and Socket.IO clients of
/// other programs, which follow no redirects.
const PLAIN: [&str; 3] = ["/healthz", "/ca.crt", "/socket.io/"];

/// Redirects where that is due.
pub(super) async fn to_https(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_plain_path = PLAIN.iter().any(|plain| match plain.ends_with('/') {
        true => path.starts_with(plain),
        false => path == *plain,
    });
    let connection = request.extensions().get::<Connection>();
    let is_plain = connection.is_some_and(|c| !c.secure && !c.peer.ip().is_loopback());
    if !is_plain || is_plain_path {
        return next.run(request).await;
    }
    match Host::of(request.uri(), request.headers()) {
        Some(host) if host.is_loopback() => next.run(request).await,
        Some(host) => moved(&host, &request),
        None => (StatusCode::BAD_REQUEST, "The Host header names no host.\n").into_response(),
    }
}

/// The same host and port, where TLS is spoken too, and the same path.
fn moved(host: &Host, request: &Request) -> Response {
    let port = host.port().unwrap_or(80);
    let name = host.name();
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // `OPTIONS *` and the like have no path to go on with.
    let path = if path.starts_with('/') { path } else { "/" };
    let to = match port {
        443 => format!("https://{name}{path}"),
        port => format!("https://{name}:{port}{path}"),
    };
    let headers = [(header::LOCATION, to.as_str()), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::PERMANENT_REDIRECT, headers).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware, routing::get};
    use tower::ServiceExt;

    use super::*;

    async fn ask(peer: &str, secure: bool, host: &str, path: &str) -> (StatusCode, Option<String>) {
        let router =
            Router::new().fallback(get(async || "served")).layer(middleware::from_fn(to_https));
        let local = "192.0.2.1:4000".parse().unwrap();
        let request = Request::get(path)
            .header(header::HOST, host)
            .extension(Connection::new(peer.parse().unwrap(), local, secure))
            .body(Body::empty())
            .unwrap();
        let response = router.oneshot(request).await.unwrap();
        let to = response.headers().get(header::LOCATION);
        (response.status(), to.map(|to| to.to_str().unwrap().to_owned()))
    }

    #[tokio::test]
    async fn another_computer_is_sent_to_https_on_the_same_host_port_and_path() {
        for (host, path, to) in [
            ("192.0.2.1:4000", "/", "https://192.0.2.1:4000/"),
            ("Box.local:4000", "/r/a%20b?name=x", "https://box.local:4000/r/a%20b?name=x"),
            ("[2001:db8::1]:4000", "/", "https://[2001:db8::1]:4000/"),
            ("example.org", "/", "https://example.org:80/"),
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
    async fn what_is_safe_or_must_be_plain_is_served_as_it_came() {
        let served = (StatusCode::OK, None);
        assert_eq!(ask("127.0.0.1:5000", false, "192.0.2.1:4000", "/").await, served);
        assert_eq!(ask("192.0.2.9:5000", false, "localhost:4000", "/").await, served);
        assert_eq!(ask("192.0.2.9:5000", true, "192.0.2.1:4000", "/").await, served);
        for path in ["/healthz", "/ca.crt", "/socket.io/?EIO=4"] {
            assert_eq!(ask("192.0.2.9:5000", false, "192.0.2.1:4000", path).await, served);
        }
    }

    #[tokio::test]
    async fn a_host_that_is_none_gets_no_redirect() {
        for host in ["", "a@b", "evil.example/x", "a b"] {
            let (status, to) = ask("192.0.2.9:5000", false, host, "/").await;
            assert_eq!((status, to), (StatusCode::BAD_REQUEST, None), "{host}");
        }
    }
}
