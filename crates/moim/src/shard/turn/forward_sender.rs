//! Delivery of what a TURN server forwards: to clients over any transport, to peers, and to other
//! shards.

use std::collections::HashMap;

use turn::{FiveTuple, Forward, ToClient, Transport};

use super::{dtls::DtlsEndpoint, handoff::Handoff, report::Dropped};
use crate::shard::{
    tcp_client::{QueueMessageError, TcpClient},
    wire::Wire,
};

/// The clients that UDP datagrams can't reach, and counters.
pub(super) struct ForwardSender {
    /// Clients over TCP and TLS.
    pub(super) clients: HashMap<FiveTuple, TcpClient<Handoff>>,
    pub(super) dtls: DtlsEndpoint,
    pub(super) dropped: Dropped,
    /// Buffer of the message that is being encrypted.
    plaintext: Vec<u8>,
}

impl ForwardSender {
    pub(super) fn new(dtls: DtlsEndpoint) -> Self {
        let dropped = Dropped::default();
        Self { clients: HashMap::new(), dtls, dropped, plaintext: Vec::new() }
    }

    /// Sends a packet of the server, except one for the SFU.
    pub(super) fn send(&mut self, wire: &mut Wire, forward: &Forward<'_>) {
        match forward {
            Forward::Peer(packet) if packet.dont_fragment => {
                wire.send_unfragmented(packet.relay, packet.to, packet.payload);
            }
            Forward::Peer(packet) => wire.send_relayed(packet.relay, packet.to, packet.payload),
            Forward::Shard(packet) => wire.links.push_turn(packet),
            // Only a client's message causes it, and the router delivers that.
            Forward::Media(_) => {}
            Forward::Client(packet) => match packet.to.transport {
                Transport::Udp => {
                    let ToClient { to, header, payload, padding } = packet;
                    wire.send(to.server, to.client, header.as_bytes(), payload, *padding);
                }
                Transport::Dtls => self.send_dtls(wire, packet),
                Transport::Tcp | Transport::Tls => self.send_tcp(packet),
            },
        }
    }

    fn send_dtls(&mut self, wire: &mut Wire, packet: &ToClient<'_>) {
        self.plaintext.clear();
        packet.write_into(&mut self.plaintext);
        let to = &packet.to;
        let is_sent = self.dtls.send(to, &self.plaintext, |datagram| {
            wire.send(to.server, to.client, datagram, &[], 0);
        });
        if !is_sent {
            self.dropped.gone_client += 1;
        }
    }

    fn send_tcp(&mut self, packet: &ToClient<'_>) {
        let ToClient { to, header, payload, padding } = packet;
        let client = self.clients.get(to);
        match client.map(|client| client.send(header.as_bytes(), payload, *padding)) {
            Some(Ok(())) => {}
            Some(Err(QueueMessageError::Full)) => self.dropped.slow_client += 1,
            // The command that it is closed is on its way.
            Some(Err(QueueMessageError::Closed)) | None => self.dropped.gone_client += 1,
        }
    }
}
