//! TLS handshakes of the one port: those of a CA that validates a name (RFC 8737), and all others.

use std::{io, sync::Arc};

use anyhow::Context;
use rustls::{ServerConfig, crypto::CryptoProvider};
use tokio::io::AsyncWriteExt;
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use super::{acme::Proofs, alpn::Alpn, pick::CurrentCertificate};
use crate::net::tcp::Stream;

/// Accepts TLS connections.
pub(crate) struct Acceptor {
    config: Arc<ServerConfig>,
    provider: Arc<CryptoProvider>,
    proofs: Arc<Proofs>,
}

impl Acceptor {
    pub(super) fn new(
        provider: Arc<CryptoProvider>,
        current: Arc<CurrentCertificate>,
        proofs: Arc<Proofs>,
    ) -> anyhow::Result<Self> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .context("TLS can't be set up")?
            .with_no_client_auth()
            .with_cert_resolver(current);
        config.alpn_protocols = Alpn::ALL.iter().map(|alpn| alpn.id().to_vec()).collect();
        // Stateless tickets: session state is kept by the client.
        config.ticketer =
            rustls::crypto::aws_lc_rs::Ticketer::new().context("TLS can't be set up")?;
        Ok(Self { config: Arc::new(config), provider, proofs })
    }

    /// Completes a handshake. `None` is a CA that has seen its proof.
    ///
    /// # Errors
    /// Those of the stream, and failed handshakes.
    pub(crate) async fn accept<S: Stream>(&self, stream: S) -> io::Result<Option<TlsStream<S>>> {
        let acceptor = rustls::server::Acceptor::default();
        let start = LazyConfigAcceptor::new(acceptor, stream).await?;
        match self.proofs.tls_alpn(&start.client_hello(), &self.provider) {
            Some(proof) => {
                // The handshake is the proof (RFC 8737 §3).
                start.into_stream(proof).await?.shutdown().await?;
                Ok(None)
            }
            None => Ok(Some(start.into_stream(Arc::clone(&self.config)).await?)),
        }
    }
}
