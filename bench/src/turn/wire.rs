//! A UDP socket with segmentation and receive offload, so that the generator is no bottleneck.

use std::{
    io::IoSliceMut,
    net::{IpAddr, SocketAddr},
};

use anyhow::Context;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

const LONGEST: usize = 64 * 1024;
/// Size of the receive buffer.
const BUFFER: usize = 64 * 1024 * 1024;

/// A UDP socket of the generator.
pub(super) struct Wire {
    socket: Socket,
    state: UdpSocketState,
    buffer: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
    /// Number of datagrams that the kernel did not accept.
    pub(super) unsent: u64,
}

impl Wire {
    pub(super) fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        // The kernel may grant less.
        let _ = socket.set_recv_buffer_size(BUFFER);
        let _ = socket.set_send_buffer_size(BUFFER);
        socket.bind(&address.into()).with_context(|| format!("can't bind {address}"))?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let buffer = vec![0; LONGEST * BATCH_SIZE];
        let metas = [RecvMeta::default(); BATCH_SIZE];
        Ok(Self { socket, state, buffer, metas, unsent: 0 })
    }

    pub(super) fn address(&self) -> anyhow::Result<SocketAddr> {
        self.socket.local_addr()?.as_socket().context("no IP address")
    }

    /// Sends a run of datagrams of `segment` bytes each.
    pub(super) fn send(
        &mut self,
        from: Option<IpAddr>,
        to: SocketAddr,
        run: &[u8],
        segment: usize,
    ) {
        let segment_size = (segment < run.len()).then_some(segment);
        let transmit =
            Transmit { destination: to, ecn: None, contents: run, segment_size, src_ip: from };
        if self.state.try_send(UdpSockRef::from(&self.socket), &transmit).is_err() {
            self.unsent += run.len().div_ceil(segment.max(1)) as u64;
        }
    }

    /// Receives what has arrived: the sender, our own address, and a run of datagrams of equal
    /// length. Returns whether anything has arrived.
    pub(super) fn receive(
        &mut self,
        mut take: impl FnMut(SocketAddr, Option<IpAddr>, &[u8], usize),
    ) -> bool {
        let mut buffers = self.buffer.chunks_mut(LONGEST).map(IoSliceMut::new);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| buffers.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
        let socket = UdpSockRef::from(&self.socket);
        let Ok(count) = self.state.recv(socket, &mut slices, &mut self.metas) else { return false };
        for (meta, bytes) in self.metas.iter().zip(self.buffer.chunks(LONGEST)).take(count) {
            let bytes = bytes.get(..meta.len).unwrap_or_default();
            take(meta.addr, meta.dst_ip, bytes, meta.stride.max(1));
        }
        true
    }
}
