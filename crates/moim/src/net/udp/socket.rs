//! One non-blocking UDP socket, with segmentation offload (GSO) where the system has it.

use std::{
    cell::Cell,
    io,
    net::{IpAddr, SocketAddr},
};

use mio::{Interest, Registry, Token, event::Source as _};
use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use socket2::{SockRef, Socket};

use super::{
    icmp_errors::{self, IcmpReport},
    options::{set_dont_fragment, tell_receive_times},
    receive_buffer::{BatchSize, ReceiveBuffer, ReceivedBatch},
};

/// A socket, and its support for GSO as known so far.
pub(crate) struct UdpSocket {
    socket: mio::net::UdpSocket,
    has_gso: Cell<bool>,
}

/// Addresses and contents of one send.
pub(super) struct Outgoing<'a> {
    /// Source address, where the socket has several.
    pub(super) source: Option<IpAddr>,
    pub(super) to: SocketAddr,
    /// Datagrams, one after the other.
    pub(super) bytes: &'a [u8],
    /// Size of each datagram except a shorter last one.
    pub(super) segment: usize,
}

impl UdpSocket {
    pub(super) fn new(socket: Socket) -> Self {
        let socket = mio::net::UdpSocket::from_std(socket.into());
        // Assumed until a send fails: it depends on the kernel and on the network device.
        Self { socket, has_gso: Cell::new(cfg!(target_os = "linux")) }
    }

    pub(super) fn duplicate(&self) -> io::Result<Socket> {
        SockRef::from(&self.socket).try_clone()
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.socket.register(registry, token, Interest::READABLE)
    }

    pub(super) fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.socket.deregister(registry)
    }

    /// Has the kernel tell when datagrams were received, or no longer.
    pub(super) fn tell_receive_times(&self, on: bool) -> io::Result<()> {
        tell_receive_times(&self.socket, on)
    }

    /// Returns false once a send has shown that GSO is missing.
    pub(super) fn has_gso(&self) -> bool {
        self.has_gso.get()
    }

    pub(super) fn receive(
        &self,
        state: &UdpSocketState,
        size: BatchSize,
        buffer: &mut ReceiveBuffer,
    ) -> io::Result<ReceivedBatch> {
        self.socket.try_io(|| buffer.receive(state, UdpSockRef::from(&self.socket), size))
    }

    /// Takes the next ICMP error for a datagram that this socket has sent.
    pub(super) fn next_icmp_error(&self) -> Option<IcmpReport> {
        icmp_errors::next(&self.socket)
    }

    /// Sends datagrams without blocking. Returns the number that were not sent.
    ///
    /// A kernel or device without GSO fails the first run with EIO or EINVAL: that run and all
    /// later ones are sent one datagram at a time. Any other failure concerns this run, or a
    /// datagram sent before it.
    pub(super) fn send(&self, state: &UdpSocketState, run: &Outgoing<'_>) -> u64 {
        let segment = run.segment.max(1);
        let count = run.bytes.len().div_ceil(segment).max(1);
        if count == 1 {
            return u64::from(self.send_one(state, run, run.bytes).is_err());
        }
        if self.has_gso() {
            let transmit = Transmit {
                destination: run.to,
                ecn: None,
                contents: run.bytes,
                segment_size: Some(segment),
                src_ip: run.source,
            };
            match retry_once(|| state.try_send(UdpSockRef::from(&self.socket), &transmit)) {
                Ok(()) => return 0,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return count as u64,
                Err(error) if is_gso_unsupported(&error) => {
                    tracing::debug!(%error, "no segmentation offload: sending single datagrams");
                    self.has_gso.set(false);
                }
                Err(error) => tracing::debug!(%error, "GSO send failed: sending single datagrams"),
            }
        }
        let results = run.bytes.chunks(segment).map(|bytes| self.send_one(state, run, bytes));
        results.filter(Result::is_err).count() as u64
    }

    /// Sends a datagram with the don't-fragment flag.
    pub(super) fn send_unfragmented(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        set_dont_fragment(&self.socket, to.is_ipv4(), true)?;
        let sent = retry_once(|| SockRef::from(&self.socket).send_to(bytes, &to.into()));
        set_dont_fragment(&self.socket, to.is_ipv4(), false)?;
        sent.map(drop)
    }

    fn send_one(&self, state: &UdpSocketState, run: &Outgoing<'_>, bytes: &[u8]) -> io::Result<()> {
        if run.source.is_none() {
            let socket = SockRef::from(&self.socket);
            return retry_once(|| socket.send_to(bytes, &run.to.into())).map(drop);
        }
        let transmit = Transmit {
            destination: run.to,
            ecn: None,
            contents: bytes,
            segment_size: None,
            src_ip: run.source,
        };
        state.try_send(UdpSockRef::from(&self.socket), &transmit)
    }
}

/// Repeats a failed send once: the kernel reports a pending ICMP error of an earlier datagram as
/// the failure of the next send.
fn retry_once<T>(send: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match send() {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock && !is_gso_unsupported(&error) => {
            send()
        }
        sent => sent,
    }
}

/// Recognises the errors of a kernel or device without GSO.
#[cfg(target_os = "linux")]
fn is_gso_unsupported(error: &io::Error) -> bool {
    use nix::errno::Errno;

    let unsupported = [Errno::EIO, Errno::EINVAL];
    error.raw_os_error().is_some_and(|raw| unsupported.contains(&Errno::from_raw(raw)))
}

/// GSO is never tried on this system.
#[cfg(not(target_os = "linux"))]
fn is_gso_unsupported(_error: &io::Error) -> bool {
    false
}
