//! Batched receive: one system call fills several buffers, each perhaps with several datagrams
//! (GRO).

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};

/// The longest datagram or GRO run, in bytes.
pub(crate) const MAX_RUN_BYTES: usize = 64 * 1024;
/// Buffers offered to a socket that is expected to have few datagrams.
const SMALL_BATCH: usize = 2;

/// Buffers for one batch, reused for every receive.
pub(crate) struct ReceiveBuffer {
    buffer: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
}

/// A receipt for the batch that a [`ReceiveBuffer`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReceivedBatch {
    /// Filled buffers.
    pub(crate) runs: usize,
    /// All buffers were filled, so the socket may hold more.
    pub(crate) is_full: bool,
}

/// A GRO run: one or more datagrams of one sender, of the same size except a shorter last one.
pub(crate) struct GroRun<'a> {
    pub(crate) from: SocketAddr,
    /// The destination address, where the socket reports it.
    pub(crate) packet_info: Option<IpAddr>,
    bytes: &'a [u8],
    stride: usize,
}

impl<'a> GroRun<'a> {
    /// Iterates over the datagrams. A datagram may be empty.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let empty = self.bytes.is_empty().then_some(self.bytes);
        empty.into_iter().chain(self.bytes.chunks(self.stride.max(1)))
    }
}

/// Buffers to offer in one receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchSize {
    /// For sockets with many senders, and for those that filled their last batch.
    Full,
    /// For sockets with a single sender, which mostly have one run.
    Small,
}

impl ReceiveBuffer {
    pub(crate) fn new() -> Self {
        Self {
            buffer: vec![0; MAX_RUN_BYTES * BATCH_SIZE],
            metas: [RecvMeta::default(); BATCH_SIZE],
        }
    }

    /// Receives a batch, which [`Self::runs`] returns until the next call.
    pub(super) fn receive(
        &mut self,
        state: &UdpSocketState,
        socket: UdpSockRef<'_>,
        size: BatchSize,
    ) -> io::Result<ReceivedBatch> {
        let mut buffers = self.buffer.chunks_mut(MAX_RUN_BYTES).map(IoSliceMut::new);
        let mut next = |_| buffers.next().unwrap_or_else(|| IoSliceMut::new(&mut []));
        let (runs, offered) = match size {
            BatchSize::Full => {
                let mut slices: [IoSliceMut<'_>; BATCH_SIZE] = std::array::from_fn(&mut next);
                (state.recv(socket, &mut slices, &mut self.metas)?, BATCH_SIZE)
            }
            BatchSize::Small => {
                let mut slices: [IoSliceMut<'_>; SMALL_BATCH] = std::array::from_fn(&mut next);
                (state.recv(socket, &mut slices, &mut self.metas)?, SMALL_BATCH.min(BATCH_SIZE))
            }
        };
        Ok(ReceivedBatch { runs, is_full: runs >= offered })
    }

    /// Counts the bytes of a batch.
    pub(crate) fn bytes(&self, batch: ReceivedBatch) -> usize {
        self.metas.iter().take(batch.runs).map(|meta| meta.len).sum()
    }

    /// The kernel's time of receipt of a batch's first run, in Unix time, where it tells.
    pub(crate) fn received_at(&self, batch: ReceivedBatch) -> Option<Duration> {
        self.metas.first().filter(|_| batch.runs > 0)?.timestamp
    }

    /// Iterates over the runs of a batch.
    pub(crate) fn runs(&self, batch: ReceivedBatch) -> impl Iterator<Item = GroRun<'_>> {
        let entries = self.metas.iter().zip(self.buffer.chunks(MAX_RUN_BYTES)).take(batch.runs);
        entries.map(|(meta, bytes)| GroRun {
            from: meta.addr,
            packet_info: meta.dst_ip,
            bytes: bytes.get(..meta.len).unwrap_or_default(),
            stride: meta.stride,
        })
    }
}
