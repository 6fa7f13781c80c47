//! TLS handshakes of the one port: those of a CA that validates a name (RFC 8737), and all others.

use std::{io, sync::Arc};

use anyhow::Context;
use rustls::{CipherSuite, ServerConfig, crypto::CryptoProvider};
use tokio::io::AsyncWriteExt;
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use super::{
    acme::Proofs,
    alpn::{Alpn, NODE_PROTOCOL},
    pick::CurrentCertificate,
    tickets::TicketKeys,
};
use crate::net::tcp::Stream;

/// Accepts TLS connections.
pub(crate) struct Acceptor {
    config: Arc<ServerConfig>,
    provider: Arc<CryptoProvider>,
    proofs: Arc<Proofs>,
    /// For other nodes of the cluster.
    nodes: Option<Arc<ServerConfig>>,
}

/// A connection after its handshake.
pub(crate) enum Accepted<S> {
    /// A client. The flag tells if it offered a GREASE cipher suite (RFC 8701).
    Client(TlsStream<S>, bool),
    /// Another node of the cluster, which has its key.
    Node(TlsStream<S>),
    /// A CA that has seen its proof.
    Proven,
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
        Ok(Self { config: Arc::new(config), provider, proofs, nodes: None })
    }

    /// The same for a node of a cluster, whose others come with this configuration.
    pub(crate) fn with_nodes(self, nodes: Option<Arc<ServerConfig>>) -> Self {
        Self { nodes, ..self }
    }

    /// Completes a handshake.
    ///
    /// # Errors
    /// Those of the stream, and failed handshakes.
    pub(crate) async fn accept<S: Stream>(&self, stream: S) -> io::Result<Accepted<S>> {
        let acceptor = rustls::server::Acceptor::default();
        let start = LazyConfigAcceptor::new(acceptor, stream).await?;
        let is_node = |hello: &rustls::server::ClientHello<'_>| {
            hello.alpn().is_some_and(|mut offered| offered.any(|id| id == NODE_PROTOCOL))
        };
        if let Some(nodes) = self.nodes.as_ref().filter(|_| is_node(&start.client_hello())) {
            return Ok(Accepted::Node(start.into_stream(Arc::clone(nodes)).await?));
        }
        let grease = start.client_hello().cipher_suites().iter().any(|suite| is_grease(*suite));
        match self.proofs.tls_alpn(&start.client_hello(), &self.provider) {
            Some(proof) => {
                // The handshake is the proof (RFC 8737 §3).
                start.into_stream(proof).await?.shutdown().await?;
                Ok(Accepted::Proven)
            }
            None => {
                let stream = start.into_stream(Arc::clone(&self.config)).await?;
                Ok(Accepted::Client(stream, grease))
            }
        }
    }
}

/// Returns whether a cipher suite is one of the sixteen reserved values (RFC 8701 §2).
fn is_grease(suite: CipherSuite) -> bool {
    let [high, low] = u16::from(suite).to_be_bytes();
    high == low && low & 0x0f == 0x0a
}
