//! The certificate that DTLS clients see.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::Instant,
};

use dimpl::{Config, Dtls, Output, certificate::generate_self_signed_certificate};

use crate::support::DEADLINE;

/// The leaf certificate of a handshake with `server`.
pub(super) fn leaf(server: SocketAddr) -> Vec<u8> {
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.connect(server).unwrap();
    let config = Arc::new(Config::builder().build().unwrap());
    let own = generate_self_signed_certificate().unwrap();
    let mut dtls = Dtls::new_12(config, own, Instant::now());
    dtls.set_active(true);
    dtls.handle_timeout(Instant::now()).unwrap();
    let (mut scratch, mut packet) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        match dtls.poll_output(&mut scratch) {
            Output::Packet(packet) => _ = socket.send(packet).unwrap(),
            Output::PeerCert(leaf) => return leaf.to_vec(),
            Output::Timeout(_) => {
                let length = socket.recv(&mut packet).unwrap();
                dtls.handle_packet(&packet[..length]).unwrap();
            }
            Output::BufferTooSmall { needed } => panic!("{needed} bytes at once"),
            _ => {}
        }
    }
}
