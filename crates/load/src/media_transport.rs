//! The media transport of a participant: UDP, or frames in a TCP stream (RFC 4571).

use std::{io, net::SocketAddr, time::Instant};

use headless::Transport;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::udp::{Received, Udp};

/// Maximum length of a datagram.
pub(crate) const MAX_DATAGRAM_LEN: usize = 65_535;

/// The socket of one participant.
pub enum MediaTransport {
    /// Datagrams.
    Udp(Udp),
    /// Frames.
    Tcp {
        /// The connected stream.
        stream: TcpStream,
        /// The local address.
        local: SocketAddr,
        /// The server's address.
        server: SocketAddr,
        /// Received bytes of an incomplete frame.
        partial: Vec<u8>,
    },
}

impl MediaTransport {
    /// A UDP socket on the interface towards the server.
    ///
    /// # Errors
    /// The socket can't be opened.
    pub async fn udp(server: SocketAddr) -> io::Result<Self> {
        Udp::towards(server).await.map(Self::Udp)
    }

    /// A TCP connection to the server's port.
    ///
    /// # Errors
    /// The connection fails.
    pub async fn tcp(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        Ok(Self::Tcp { stream, local, server, partial: Vec::new() })
    }

    /// Has the kernel drop incoming RTP.
    pub(crate) fn drop_media(&self) -> io::Result<()> {
        match self {
            Self::Udp(udp) => udp.drop_media(),
            Self::Tcp { .. } => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The transport as ICE knows it.
    pub(crate) fn kind(&self) -> Transport {
        match self {
            Self::Udp(_) => Transport::Udp,
            Self::Tcp { .. } => Transport::Tcp,
        }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        match self {
            Self::Udp(udp) => udp.local(),
            Self::Tcp { local, .. } => *local,
        }
    }

    /// Sends a datagram. UDP drops it rather than wait.
    pub(crate) async fn send(&mut self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(udp) => udp.send(to, bytes),
            Self::Tcp { stream, .. } => {
                let Ok(length) = u16::try_from(bytes.len()) else { return Ok(()) };
                stream.write_all(&[&length.to_be_bytes(), bytes].concat()).await
            }
        }
    }

    /// Receives a datagram into `buffer`. Cancel safe.
    pub(crate) async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        match self {
            Self::Udp(udp) => udp.receive(buffer).await,
            Self::Tcp { stream, server, partial, .. } => loop {
                if let Some(frame) = take_frame(partial, *server, buffer) {
                    return Ok(frame);
                }
                if stream.read_buf(partial).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            },
        }
    }

    /// Receives a datagram if one is available.
    pub(crate) fn try_receive(&mut self, buffer: &mut [u8]) -> Option<Received> {
        match self {
            Self::Udp(udp) => udp.try_receive(buffer).ok(),
            Self::Tcp { server, partial, .. } => take_frame(partial, *server, buffer),
        }
    }
}

/// Extracts a complete frame from the received bytes.
fn take_frame(partial: &mut Vec<u8>, from: SocketAddr, buffer: &mut [u8]) -> Option<Received> {
    let (length, rest) = partial.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    buffer.get_mut(..length)?.copy_from_slice(rest.get(..length)?);
    partial.drain(..2 + length);
    Some(Received { length, from, at: Instant::now() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_extracted_whole() {
        let mut partial = vec![0, 2, 7, 8, 0, 0, 0, 3, 1];
        let (server, mut buffer) = (SocketAddr::from(([192, 0, 2, 1], 443)), [0; 16]);
        let mut take = |partial: &mut Vec<u8>| {
            take_frame(partial, server, &mut buffer).map(|frame| buffer[..frame.length].to_vec())
        };
        assert_eq!(take(&mut partial), Some(vec![7, 8]));
        assert_eq!(take(&mut partial), Some(vec![]));
        assert_eq!(take(&mut partial), None);
        partial.extend([2, 3]);
        assert_eq!(take(&mut partial), Some(vec![1, 2, 3]));
        assert!(partial.is_empty());
    }
}
