//! Three attempts over TCP and three packets over UDP, to a server that proves itself.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::ensure;
use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::Empty;
use rustls::{crypto::aws_lc_rs, pki_types::ServerName};
use serde::{Deserialize, Serialize};
use tokio::{net::UdpSocket, time::timeout};
use tokio_rustls::TlsConnector;
use turn::stun::{Class, Message, Method, TransactionId, Writer};

use crate::net::{
    http_client,
    tls::{client_of_any_certificate, self_path},
};

/// Attempts over each transport.
const ATTEMPTS: usize = 3;
/// Time for each.
const TIMEOUT: Duration = Duration::from_millis(1_200);
/// Limit of the proof.
const MAX_PROOF_BYTES: usize = 256;

/// A request to be dialled back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The port to dial.
    pub(crate) port: u16,
    /// The address that the asker means; others than its own are refused.
    #[serde(default)]
    pub(crate) address: Option<IpAddr>,
    /// Name of the proof at the asker's server.
    pub(crate) nonce: String,
    /// The proof.
    pub(crate) answer: String,
    /// Transaction of the STUN request that the asker's server expects.
    pub(crate) transaction: [u8; 12],
}

/// Result of dialling back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialled {
    /// The address that was dialled.
    pub(crate) address: IpAddr,
    /// The server proved itself over TCP.
    pub(crate) tcp: bool,
    /// It answered over UDP.
    pub(crate) udp: bool,
}

/// Dials a server.
pub(super) async fn dial(server: SocketAddr, question: &Question) -> Dialled {
    let tcp = async {
        for _ in 0..ATTEMPTS {
            match timeout(TIMEOUT, ask_tcp(server, question)).await {
                Ok(Ok(())) => return true,
                Ok(Err(error)) => tracing::debug!(%error, "dialled back in vain"),
                Err(_) => {}
            }
        }
        false
    };
    let udp = async { ask_udp(server, question).await.unwrap_or(false) };
    let (tcp, udp) = tokio::join!(tcp, udp);
    Dialled { address: server.ip(), tcp, udp }
}

async fn ask_tcp(server: SocketAddr, question: &Question) -> anyhow::Result<()> {
    let stream = http_client::connect_to(server, TIMEOUT).await?;
    // The proof decides, whoever signed the certificate.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = Arc::new(client_of_any_certificate(&provider)?);
    let name = ServerName::from(server.ip());
    let stream = TlsConnector::from(tls).connect(name, stream).await?;
    let request = Request::get(self_path(&question.nonce))
        .header(header::HOST, server.to_string())
        .header(header::USER_AGENT, "moim")
        .body(Empty::<Bytes>::new())?;
    let response = http_client::exchange(stream, request, MAX_PROOF_BYTES).await?;
    ensure!(response.body() == question.answer.as_bytes(), "another server is there");
    Ok(())
}

async fn ask_udp(server: SocketAddr, question: &Question) -> io::Result<bool> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    let id = TransactionId(question.transaction);
    let mut request = Vec::new();
    Writer::new(&mut request, Class::Request, Method::BINDING, id);
    for _ in 0..ATTEMPTS {
        // A refused port is reported by one of the calls, and may be open for the next.
        let _ = socket.send(&request).await;
        let mut response = [0; 1500];
        if let Ok(Ok(length)) = timeout(TIMEOUT, socket.recv(&mut response)).await {
            let message = response.get(..length).and_then(|bytes| Message::parse(bytes).ok());
            if message.is_some_and(|message| message.transaction() == id) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
