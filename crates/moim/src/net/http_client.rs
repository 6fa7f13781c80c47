//! Requests to other servers: one connection each, bounded in time and size, without redirects.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use axum::http::{HeaderValue, Request, Response, StatusCode, Uri, header, uri::PathAndQuery};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Body;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{net::TcpStream, sync::OnceCell, task::spawn_blocking, time::timeout};
use tokio_rustls::TlsConnector;

use super::tcp::Stream;

/// Time to connect to one address of a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// Sends requests to servers that the system's root certificates vouch for. Clones share the
/// certificates, which are read once, by the first request over TLS.
#[derive(Clone, Default)]
pub(crate) struct HttpClient {
    tls: Arc<OnceCell<Arc<ClientConfig>>>,
}

/// Bounds of an exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Time for all of it.
    pub(crate) time: Duration,
    /// Size of the response's body.
    pub(crate) bytes: usize,
}

impl HttpClient {
    /// Sends a request to the server in its URL; returns the response, whatever its status.
    ///
    /// # Errors
    /// There is no response within the bounds.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
        bounds: Bounds,
    ) -> anyhow::Result<Response<Bytes>> {
        let exchange = async {
            let stream = self.open(request.uri(), |_| true).await?;
            exchange(stream, request.map(Full::new), bounds.bytes).await
        };
        timeout(bounds.time, exchange).await.unwrap_or_else(|_| bail!("no response in time"))
    }

    /// Sends a request to a permitted address of the server in its URL; returns the status of the
    /// response, whose body is not read.
    ///
    /// # Errors
    /// There is no response in time, or no permitted address.
    pub(crate) async fn status_of(
        &self,
        request: Request<Bytes>,
        time: Duration,
        permits: impl Fn(IpAddr) -> bool + Send,
    ) -> anyhow::Result<StatusCode> {
        let exchange = async {
            let stream = self.open(request.uri(), permits).await?;
            let response = exchange_up_to(stream, request.map(Full::new), None).await?;
            Ok(response.status())
        };
        timeout(time, exchange).await.unwrap_or_else(|_| bail!("no response in time"))
    }

    /// Connects to the server of a URL.
    async fn open(
        &self,
        uri: &Uri,
        permits: impl Fn(IpAddr) -> bool + Send,
    ) -> anyhow::Result<Box<dyn Stream>> {
        let host = uri.host().context("a URL without a host")?;
        let host = host.trim_matches(['[', ']']).to_owned();
        match uri.scheme_str() {
            Some("http") => {
                let port = uri.port_u16().unwrap_or(80);
                Ok(Box::new(connect_permitted(&host, port, permits).await?))
            }
            Some("https") => {
                let name = ServerName::try_from(host.clone())?;
                let port = uri.port_u16().unwrap_or(443);
                let stream = connect_permitted(&host, port, permits).await?;
                let tls = self.tls.get_or_try_init(tls).await?;
                Ok(Box::new(TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?))
            }
            _ => bail!("{uri} is no https:// URL"),
        }
    }
}

impl std::fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HttpClient")
    }
}

/// TLS with the system's root certificates, whose files are read off the runtime.
async fn tls() -> anyhow::Result<Arc<ClientConfig>> {
    let roots = spawn_blocking(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    });
    let roots = roots.await?;
    ensure!(
        !roots.is_empty(),
        "this system has no root certificates to trust other servers by: install ca-certificates"
    );
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Connects to the first address of a host that answers.
pub(crate) async fn connect(host: &str, port: u16) -> anyhow::Result<TcpStream> {
    connect_permitted(host, port, |_| true).await
}

/// Connects to the first permitted address of a host that answers. The address is judged after the
/// name is resolved, and is the one that is dialled.
async fn connect_permitted(
    host: &str,
    port: u16,
    permits: impl Fn(IpAddr) -> bool + Send,
) -> anyhow::Result<TcpStream> {
    let mut last = None;
    let addresses = tokio::net::lookup_host((host, port))
        .await
        .with_context(|| format!("{host} has no address"))?;
    for address in addresses.filter(|address| permits(address.ip())).collect::<Vec<_>>() {
        match connect_to(address, CONNECT_TIMEOUT).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    match last {
        Some(error) => Err(error).with_context(|| format!("{host} does not answer")),
        None => bail!("{host} leads to a private address"),
    }
}

/// Connects to an address.
pub(crate) async fn connect_to(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    timeout(limit, TcpStream::connect(address)).await?
}

/// Sends a request over a new connection and reads the response to its end.
pub(crate) async fn exchange<B>(
    stream: impl Stream,
    request: Request<B>,
    max_bytes: usize,
) -> anyhow::Result<Response<Bytes>>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    exchange_up_to(stream, request, Some(max_bytes)).await
}

/// The same with an empty body of the response if no bytes are to be read.
async fn exchange_up_to<B>(
    stream: impl Stream,
    mut request: Request<B>,
    max_bytes: Option<usize>,
) -> anyhow::Result<Response<Bytes>>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    if let Some(authority) = request.uri().authority() {
        let host = HeaderValue::from_str(authority.as_str())?;
        request.headers_mut().entry(header::HOST).or_insert(host);
    }
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let Some(max_bytes) = max_bytes else {
            return Ok(Response::from_parts(parts, Bytes::new()));
        };
        let body = Limited::new(body, max_bytes).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    };
    // The connection ends when it has nothing more to do, or with this future.
    tokio::pin!(connection);
    tokio::pin!(exchange);
    tokio::select! {
        biased;
        response = &mut exchange => response,
        ended = &mut connection => {
            ended?;
            exchange.await
        }
    }
}
