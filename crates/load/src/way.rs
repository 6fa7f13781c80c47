//! How a participant's media travels: UDP, or frames in a TCP stream (RFC 4571).

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
};

/// No datagram is longer.
pub(crate) const LONGEST: usize = 65_535;

/// A socket of a participant's own.
pub enum Way {
    /// Datagrams.
    Udp {
        /// Bound to one address.
        socket: UdpSocket,
        /// Which is this.
        local: SocketAddr,
    },
    /// Frames.
    Tcp {
        /// Connected.
        stream: TcpStream,
        /// Our end.
        local: SocketAddr,
        /// The server's.
        server: SocketAddr,
        /// What has come and is no whole frame yet.
        partial: Vec<u8>,
    },
}

impl Way {
    /// A UDP socket on the interface that leads to the server.
    ///
    /// # Errors
    /// The system's.
    pub async fn udp(server: SocketAddr) -> io::Result<Self> {
        let any: SocketAddr =
            if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let probe = UdpSocket::bind(any).await?;
        probe.connect(server).await?;
        let socket = UdpSocket::bind((probe.local_addr()?.ip(), 0)).await?;
        let local = socket.local_addr()?;
        Ok(Self::Udp { socket, local })
    }

    /// A connection to the server's port.
    ///
    /// # Errors
    /// The system's.
    pub async fn tcp(server: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        Ok(Self::Tcp { stream, local, server, partial: Vec::new() })
    }

    pub(crate) fn local(&self) -> SocketAddr {
        match self {
            Self::Udp { local, .. } | Self::Tcp { local, .. } => *local,
        }
    }

    /// Sends a datagram; UDP rather loses it than waits.
    pub(crate) async fn send(&mut self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp { socket, .. } => match socket.try_send_to(bytes, to) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                _ => Ok(()),
            },
            Self::Tcp { stream, .. } => {
                let Ok(length) = u16::try_from(bytes.len()) else { return Ok(()) };
                stream.write_all(&[&length.to_be_bytes(), bytes].concat()).await
            }
        }
    }

    /// Waits for a datagram and takes it into `buffer`. Safe to be dropped while it waits.
    pub(crate) async fn receive(&mut self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self {
            Self::Udp { socket, .. } => socket.recv_from(buffer).await,
            Self::Tcp { stream, server, partial, .. } => loop {
                if let Some(length) = take_frame(partial, buffer) {
                    return Ok((length, *server));
                }
                if stream.read_buf(partial).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            },
        }
    }

    /// Takes a datagram if one is there.
    pub(crate) fn try_receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        match self {
            Self::Udp { socket, .. } => socket.try_recv_from(buffer).ok(),
            Self::Tcp { server, partial, .. } => Some((take_frame(partial, buffer)?, *server)),
        }
    }
}

/// Takes a whole frame out of what has come.
fn take_frame(partial: &mut Vec<u8>, buffer: &mut [u8]) -> Option<usize> {
    let (length, rest) = partial.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    buffer.get_mut(..length)?.copy_from_slice(rest.get(..length)?);
    partial.drain(..2 + length);
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_whole() {
        let mut partial = vec![0, 2, 7, 8, 0, 0, 0, 3, 1];
        let mut buffer = [0; 16];
        assert_eq!(take_frame(&mut partial, &mut buffer), Some(2));
        assert_eq!(buffer[..2], [7, 8]);
        assert_eq!(take_frame(&mut partial, &mut buffer), Some(0));
        assert_eq!(take_frame(&mut partial, &mut buffer), None);
        partial.extend([2, 3]);
        assert_eq!(take_frame(&mut partial, &mut buffer), Some(3));
        assert!(partial.is_empty());
    }
}
