//! UDP sockets: batched receive and send (GRO, GSO), ICMP errors, and the demultiplexer of the one
//! port.

mod bind;
mod classify;
mod gso;
mod icmp_errors;
mod options;
mod receive_buffer;
mod socket;
mod sockets;

pub(crate) use bind::{KernelBuffers, adopt, bind, bind_for_nodes};
pub(crate) use classify::{DatagramKind, classify};
pub(crate) use gso::{GsoSender, Route};
pub(crate) use icmp_errors::IcmpReport;
pub(crate) use receive_buffer::{BatchSize, ReceiveBuffer, ReceivedBatch};
pub(crate) use sockets::{SocketId, UdpSockets};
