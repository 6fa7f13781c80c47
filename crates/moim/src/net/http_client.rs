//! Requests to other servers: one connection each, bounded in time and size, without redirects.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use axum::http::{HeaderValue, Request, Response, Uri, header, uri::PathAndQuery};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
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
    pub(crate) async fn send<B>(
        &self,
        request: Request<B>,
        bounds: Bounds,
    ) -> anyhow::Result<Response<Bytes>>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        timeout(bounds.time, self.exchange(request, bounds.bytes))
            .await
            .unwrap_or_else(|_| bail!("no response in time"))
    }

    async fn exchange<B>(
        &self,
        request: Request<B>,
        max_bytes: usize,
    ) -> anyhow::Result<Response<Bytes>>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let uri = request.uri();
        let host = uri.host().context("a URL without a host")?;
        let host = host.trim_matches(['[', ']']).to_owned();
        match uri.scheme_str() {
            Some("http") => {
                let stream = connect(&host, uri.port_u16().unwrap_or(80)).await?;
                exchange(stream, request, max_bytes).await
            }
            Some("https") => {
                let name = ServerName::try_from(host.clone())?;
                let stream = connect(&host, uri.port_u16().unwrap_or(443)).await?;
                let tls = self.tls.get_or_try_init(tls).await?;
                let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
                exchange(stream, request, max_bytes).await
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
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    let addresses = tokio::net::lookup_host((host, port))
        .await
        .with_context(|| format!("{host} has no address"))?;
    for address in addresses {
        match connect_to(address, CONNECT_TIMEOUT).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last).with_context(|| format!("{host} does not answer"))
}

/// Connects to an address.
pub(crate) async fn connect_to(address: SocketAddr, limit: Duration) -> io::Result<TcpStream> {
    timeout(limit, TcpStream::connect(address)).await?
}

/// Sends a request over a new connection and reads the response to its end.
pub(crate) async fn exchange<B>(
    stream: impl Stream,
    mut request: Request<B>,
    max_bytes: usize,
) -> anyhow::Result<Response<Bytes>>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
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
