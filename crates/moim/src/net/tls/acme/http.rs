//! HTTP requests to the CA: one connection each.

use std::{pin::Pin, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use axum::http::{HeaderMap, HeaderValue, Request, Response, header};
use bytes::Bytes;
use http_body_util::Full;
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use parking_lot::Mutex;
use rustls::{ClientConfig, pki_types::ServerName};
use time::OffsetDateTime;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::net::http_client::{connect, exchange};

/// Time for a request to the CA.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Size limit of a response of the CA: chains are a few KiB.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// Sends requests to the CA.
#[derive(Clone)]
pub(super) struct CaClient {
    tls: Arc<ClientConfig>,
    heard: Arc<Heard>,
}

/// What the CA said beside the protocol.
#[derive(Default)]
pub(super) struct Heard {
    /// The difference of the CA's clock from ours, in seconds.
    clock_ahead: Mutex<Option<i64>>,
    /// The time before which it wants no further request.
    retry_after: Mutex<Option<OffsetDateTime>>,
}

impl CaClient {
    /// A client that trusts servers by `tls`.
    pub(super) fn new(tls: Arc<ClientConfig>) -> Self {
        Self { tls, heard: Arc::default() }
    }

    /// What the CA said beside the protocol.
    pub(super) fn heard(&self) -> &Arc<Heard> {
        &self.heard
    }
}

impl Heard {
    /// The seconds by which the CA's clock is ahead of ours.
    pub(super) fn clock_ahead(&self) -> Option<i64> {
        *self.clock_ahead.lock()
    }

    /// The time before which the CA wants no further request.
    pub(super) fn retry_after(&self) -> Option<OffsetDateTime> {
        *self.retry_after.lock()
    }

    /// Forgets the time of an earlier order.
    pub(super) fn begin_order(&self) {
        *self.retry_after.lock() = None;
    }

    fn note(&self, headers: &HeaderMap, failed: bool) {
        let date = |value: &HeaderValue| http_date(value.to_str().ok()?);
        let now = OffsetDateTime::now_utc();
        if let Some(theirs) = headers.get(header::DATE).and_then(date) {
            *self.clock_ahead.lock() = Some((theirs - now).whole_seconds());
        }
        if failed && let Some(value) = headers.get(header::RETRY_AFTER) {
            let seconds = value.to_str().ok().and_then(|text| text.trim().parse().ok());
            let after = seconds.map(|seconds: u32| now + time::Duration::seconds(seconds.into()));
            *self.retry_after.lock() = after.or_else(|| date(value));
        }
    }
}

impl HttpClient for CaClient {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let client = self.clone();
        Box::pin(async move {
            let sent = timeout(TIMEOUT, client.send(request)).await;
            let sent = sent.unwrap_or_else(|_| Err(anyhow::anyhow!("no response in time")));
            sent.map(BytesResponse::from).map_err(|error| instant_acme::Error::Other(error.into()))
        })
    }
}

impl CaClient {
    async fn send(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> anyhow::Result<Response<Full<Bytes>>> {
        let uri = request.uri();
        ensure!(uri.scheme_str() == Some("https"), "{uri} is no https:// URL");
        let host = uri.host().context("a URL without a host")?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host.clone())?;
        let stream = connect(&host, uri.port_u16().unwrap_or(443)).await?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await?;
        let response = exchange(stream, request, MAX_BODY_BYTES).await?;
        self.heard.note(response.headers(), !response.status().is_success());
        Ok(response.map(Full::new))
    }
}

/// Parses a date of a header (RFC 9110 §5.6.7).
fn http_date(text: &str) -> Option<OffsetDateTime> {
    httpdate::parse_http_date(text).ok().map(OffsetDateTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_and_pause_of_the_ca_are_heard() {
        let heard = Heard::default();
        let mut headers = HeaderMap::new();
        headers.insert(header::DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("120"));
        heard.note(&headers, false);
        assert!(heard.clock_ahead().unwrap() < -1_000_000_000);
        assert_eq!(heard.retry_after(), None);
        heard.note(&headers, true);
        let after = heard.retry_after().unwrap() - OffsetDateTime::now_utc();
        assert!((118..=120).contains(&after.whole_seconds()));
        heard.begin_order();
        assert_eq!(heard.retry_after(), None);
    }
}
