//! Connected UDP sockets with a deadline.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

/// Time for each part of an exchange on this machine.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

pub(super) fn udp(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    // A lost packet is sent again soon.
    socket.set_read_timeout(Some(TIMEOUT / 4))?;
    Ok(socket)
}

pub(super) fn datagram(socket: &UdpSocket) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4096];
    let length = socket.recv(&mut bytes)?;
    bytes.truncate(length);
    Ok(bytes)
}

pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
