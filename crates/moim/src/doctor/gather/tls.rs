//! A TLS client that shows the certificate instead of judging it.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use rustls::{ClientConnection, StreamOwned, crypto::aws_lc_rs, pki_types::ServerName};

use super::udp::TIMEOUT;
use crate::net::tls::client_of_any_certificate;

pub(super) fn tcp(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Completes a TLS handshake with any certificate: it is the doctor's task to look at it.
pub(super) fn handshake(
    server: SocketAddr,
    name: &str,
    alpn: &[&[u8]],
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = client_of_any_certificate(&provider).map_err(io::Error::other)?;
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut stream = tcp(server)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(connection, stream))
}
