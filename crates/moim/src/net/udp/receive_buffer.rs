//! Where datagrams are received.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
};

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};

use crate::shard::coalesce::Found;

/// No datagram, and no run of datagrams the kernel joins, is longer.
pub(crate) const LONGEST: usize = 64 * 1024;
/// Entries asked of a socket that is not known to have many.
const FEW: usize = 2;

/// Room for one batch, used again and again.
pub(crate) struct Inbox {
    buffer: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
}

/// How much was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batch {
    count: usize,
    /// There may be more: who asks again may get it.
    pub(crate) is_full: bool,
}

/// One or more datagrams of one size, the last perhaps shorter, from one sender.
pub(crate) struct Received<'a> {
    pub(crate) from: SocketAddr,
    /// The address of ours it came to, where the socket tells.
    pub(crate) reached: Option<IpAddr>,
    bytes: &'a [u8],
    stride: usize,
}

impl<'a> Received<'a> {
    /// One by one. A datagram without data is one, too.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let empty = self.bytes.is_empty().then_some(self.bytes);
        empty.into_iter().chain(self.bytes.chunks(self.stride.max(1)))
    }
}

/// How many to ask a socket for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// It has many senders, or had more than a few last time.
    Many,
    /// One with a single sender mostly has one.
    Few,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self { buffer: vec![0; LONGEST * BATCH_SIZE], metas: [RecvMeta::default(); BATCH_SIZE] }
    }

    /// Receives a batch, of which [`Self::received`] tells until the next. `codec` tells how
    /// messages of the socket are laid out.
    pub(crate) fn receive(
        &mut self,
        codec: &UdpSocketState,
        socket: UdpSockRef<'_>,
        ask: Ask,
    ) -> io::Result<Batch> {
        let asked = if ask == Ask::Many { BATCH_SIZE } else { FEW.min(BATCH_SIZE) };
        let mut buffers = self.buffer.chunks_mut(LONGEST).map(IoSliceMut::new);
        let count = if ask == Ask::Many {
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| buffers.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
            codec.recv(socket, &mut slices, &mut self.metas)?
        } else {
            let mut slices: [IoSliceMut<'_>; FEW] =
                std::array::from_fn(|_| buffers.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
            codec.recv(socket, &mut slices, &mut self.metas)?
        };
        Ok(Batch { count, is_full: count >= asked })
    }

    /// How much a batch brought.
    pub(crate) fn found(&self, batch: Batch) -> Found {
        let metas = self.metas.iter().take(batch.count);
        Found { reads: batch.count, bytes: metas.map(|meta| meta.len).sum() }
    }

    /// What a batch brought.
    pub(crate) fn received(&self, batch: Batch) -> impl Iterator<Item = Received<'_>> {
        let entries = self.metas.iter().zip(self.buffer.chunks(LONGEST)).take(batch.count);
        entries.map(|(meta, bytes)| Received {
            from: meta.addr,
            reached: meta.dst_ip,
            bytes: bytes.get(..meta.len).unwrap_or_default(),
            stride: meta.stride,
        })
    }
}
