//! Plain HTTP from other computers goes on as HTTPS, as browsers give no camera to a plain page.

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Host, forwarded, ingress::ViaTrustedProxy};
use crate::net::tcp::Connection;

/// Served plainly to anybody: what makes HTTPS work, what probes it, and Socket.IO clients of
/// other programs, which follow no redirects.
const PLAIN: [&str; 3] = ["/healthz", "/ca.crt", "/socket.io/"];

const UNTRUSTED: &str = "A proxy passes requests on to this server, which does not trust it: the \
    server's log tells what to do.\n";

/// Where HTTPS is to be found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Redirect {
    /// On its usual port, too.
    pub(super) has_https_port: bool,
}

/// Redirects where that is due. Behind a proxy of the operator's it is the proxy's to do.
pub(super) async fn to_https(
    State(redirect): State<Redirect>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_plain_path = PLAIN.iter().any(|plain| match plain.ends_with('/') {
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
        // The proxy would send the client here again, and again.
        Some(_) if forwarded::claims_https(request.headers()) => {
            (StatusCode::FORBIDDEN, [(header::CACHE_CONTROL, "no-store")], UNTRUSTED)
                .into_response()
        }
        Some(host) => redirect.moved(&host, &connection, &request),
        None => (StatusCode::BAD_REQUEST, "The Host header names no host.\n").into_response(),
    }
}

impl Redirect {
    /// The same host, port and path, as TLS is spoken on the same port. Who named no port came to
    /// port 80, which is hardly where HTTPS is, unless it is our only one.
    fn moved(self, host: &Host, connection: &Connection, request: &Request) -> Response {
        let is_only_port = connection.local.port() == 80 && !self.has_https_port;
        let port = match host.port().unwrap_or(80) {
            80 if !is_only_port => 443,
            port => port,
        };
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
    async fn https_on_port_80_is_named_only_where_it_is_nowhere_else() {
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
    async fn behind_a_proxy_that_ends_tls_nothing_goes_round_in_circles() {
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
    async fn another_computer_is_sent_to_https_on_the_same_host_port_and_path() {
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
