//! A DTLS client on a connected socket.

use std::{collections::VecDeque, io, net::UdpSocket, sync::Arc, time::Instant};

use dimpl::{Config, Dtls, DtlsCertificate, Output};
use rcgen::{CertificateParams, KeyPair};

use super::udp::{TIMEOUT, datagram, is_timeout};

/// Room for one flight of the handshake.
const SCRATCH_BYTES: usize = 64 * 1024;

pub(super) struct Session {
    socket: UdpSocket,
    dtls: Dtls,
    is_connected: bool,
    messages: VecDeque<Vec<u8>>,
}

impl Session {
    /// Completes a handshake. The client's certificate is not asked for, but dimpl has one.
    pub(super) fn connect(socket: UdpSocket) -> io::Result<Self> {
        let config = Arc::new(Config::builder().build().map_err(io::Error::other)?);
        let mut dtls = Dtls::new_12(config, certificate()?, Instant::now());
        dtls.set_active(true);
        dtls.handle_timeout(Instant::now()).map_err(io::Error::other)?;
        let mut session = Self { socket, dtls, is_connected: false, messages: VecDeque::new() };
        session.drain()?;
        let end = Instant::now() + TIMEOUT * 2;
        while !session.is_connected {
            session.step(end)?;
        }
        Ok(session)
    }

    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.dtls.send_application_data(message).map_err(io::Error::other)?;
        self.drain()
    }

    pub(super) fn receive(&mut self) -> io::Result<Vec<u8>> {
        let end = Instant::now() + TIMEOUT;
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Ok(message);
            }
            self.step(end)?;
        }
    }

    /// Handles one packet, or the time-out after which the last flight is sent again.
    fn step(&mut self, end: Instant) -> io::Result<()> {
        match datagram(&self.socket) {
            Ok(packet) => self.dtls.handle_packet(&packet).map_err(io::Error::other)?,
            Err(error) if is_timeout(&error) && Instant::now() < end => {
                self.dtls.handle_timeout(Instant::now()).map_err(io::Error::other)?;
            }
            Err(error) => return Err(error),
        }
        self.drain()
    }

    fn drain(&mut self) -> io::Result<()> {
        let mut scratch = vec![0; SCRATCH_BYTES];
        loop {
            match self.dtls.poll_output(&mut scratch) {
                Output::Packet(packet) => {
                    self.socket.send(packet)?;
                }
                Output::ApplicationData(message) => self.messages.push_back(message.to_vec()),
                Output::Connected => self.is_connected = true,
                Output::Timeout(_) => return Ok(()),
                Output::BufferTooSmall { .. } => return Err(io::Error::other("long packet")),
                _ => {}
            }
        }
    }
}

fn certificate() -> io::Result<DtlsCertificate> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let parameters = CertificateParams::new(["doctor".to_owned()]).map_err(io::Error::other)?;
    let certificate = parameters.self_signed(&key).map_err(io::Error::other)?;
    let certificate = certificate.der().to_vec();
    Ok(DtlsCertificate { certificate, private_key: key.serialize_der() })
}
