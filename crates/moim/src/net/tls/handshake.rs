//! TLS handshakes of the one port: those of a CA that validates a name (RFC 8737), and all others.

use std::{io, sync::Arc};

use anyhow::Context;
use rustls::{CipherSuite, ServerConfig, crypto::CryptoProvider};
use tokio::io::AsyncWriteExt;
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use super::{acme::Proofs, alpn::Alpn, pick::CurrentCertificate, tickets::TicketKeys};
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
        tickets: TicketKeys,
    ) -> anyhow::Result<Self> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .context("TLS can't be set up")?
            .with_no_client_auth()
            .with_cert_resolver(current);
        config.alpn_protocols = Alpn::ALL.iter().map(|alpn| alpn.id().to_vec()).collect();
        // Stateless tickets: session state is kept by the client.
        config.ticketer = Arc::new(tickets);
        Ok(Self { config: Arc::new(config), provider, proofs })
    }

    /// Completes a handshake. `None` is a CA that has seen its proof. The flag tells if the client
    /// offered a GREASE cipher suite (RFC 8701).
    ///
    /// # Errors
    /// Those of the stream, and failed handshakes.
    pub(crate) async fn accept<S: Stream>(
        &self,
        stream: S,
    ) -> io::Result<Option<(TlsStream<S>, bool)>> {
        let acceptor = rustls::server::Acceptor::default();
        let start = LazyConfigAcceptor::new(acceptor, stream).await?;
        let grease = start.client_hello().cipher_suites().iter().any(|suite| is_grease(*suite));
        match self.proofs.tls_alpn(&start.client_hello(), &self.provider) {
            Some(proof) => {
                // The handshake is the proof (RFC 8737 §3).
                start.into_stream(proof).await?.shutdown().await?;
                Ok(None)
            }
            None => Ok(Some((start.into_stream(Arc::clone(&self.config)).await?, grease))),
        }
    }
}

/// Returns whether a cipher suite is one of the sixteen reserved values (RFC 8701 §2).
fn is_grease(suite: CipherSuite) -> bool {
    let [high, low] = u16::from(suite).to_be_bytes();
    high == low && low & 0x0f == 0x0a
}
