//! A shard's relay: the server, its clients, and what the server says done.

use std::{collections::HashMap, io, net::SocketAddr, time::Instant};

use turn::{
    FiveTuple, Forward, OpenFailed, Output, RelayId, Server, ToClient, ToMedia, ToSibling,
    Transport, siblings::Sibling,
};

use super::{
    Command,
    client::{Client, Unsent},
};
use crate::{
    media::Media,
    shard::{self, Clock, Wire},
};

/// The server and its clients over TCP.
pub(crate) struct Relay {
    server: Server,
    sibling: Sibling,
    clients: HashMap<FiveTuple, Client>,
    tally: Tally,
}

/// Packets that went no further, by why.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    /// Not queued, as a client over TCP can't take as much.
    slow: u64,
    /// For a client over TCP that is gone.
    gone: u64,
}

impl Relay {
    pub(crate) fn new(config: turn::Config, sibling: Sibling, now: Instant) -> Self {
        let server = Server::new(config, now);
        Self { server, sibling, clients: HashMap::new(), tally: Tally::default() }
    }

    /// A datagram came to the one port.
    pub(crate) fn handle_client(
        &mut self,
        now: Clock,
        client: SocketAddr,
        server: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
        media: &mut Media,
    ) {
        let from = FiveTuple { transport: Transport::Udp, client, server };
        match self.server.handle_client(now.monotonic, now.unix, &from, datagram) {
            Some(Forward::Media(ToMedia { source, to, payload })) => {
                media.handle_relayed(now, source, to, payload, wire);
            }
            Some(forward) => send(&mut self.clients, &mut self.tally, wire, &forward),
            None => {}
        }
        // Data makes nothing to settle.
        if !matches!(datagram.first(), Some(0x40..)) {
            self.settle(now, wire);
        }
    }

    /// A datagram came to a relayed socket.
    pub(crate) fn handle_relayed(
        &mut self,
        now: Clock,
        relay: RelayId,
        peer: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        if let Some(forward) = self.server.handle_relay(now.monotonic, relay, peer, datagram) {
            send(&mut self.clients, &mut self.tally, wire, &forward);
        }
    }

    /// Which shard's this is.
    pub(crate) fn index(&self) -> u8 {
        self.sibling.index()
    }

    /// A client of another shard's sent to one of our relayed addresses, or a client of ours sent
    /// to the one port and the kernel gave it to another shard.
    pub(crate) fn handle_sibling(
        &mut self,
        now: Clock,
        packet: &ToSibling<'_>,
        wire: &mut Wire,
        media: &mut Media,
    ) {
        let ToSibling { source, to, payload, .. } = packet;
        if !packet.is_client {
            return self.relay_here(now, *source, to, payload, wire);
        }
        let from = FiveTuple { transport: Transport::Udp, client: *source, server: *to };
        match self.server.handle_passed_on(now.monotonic, now.unix, &from, payload) {
            Some(Forward::Media(ToMedia { source, to, payload })) => {
                media.handle_relayed(now, source, to, payload, wire);
            }
            Some(forward) => send(&mut self.clients, &mut self.tally, wire, &forward),
            None => {}
        }
        self.settle(now, wire);
    }

    /// Something of ours is for one of our relayed addresses.
    fn relay_here(
        &mut self,
        now: Clock,
        source: SocketAddr,
        to: &SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        if let Some(forward) = self.server.handle_sibling(now.monotonic, source, to, datagram) {
            send(&mut self.clients, &mut self.tally, wire, &forward);
        }
    }

    /// Which shard has a relayed address of ours, if it is one.
    pub(crate) fn relayed_by(&self, to: &SocketAddr) -> Option<u8> {
        self.server.relayed_by(to)
    }

    /// The media server sends to a relayed address, which a shard has.
    pub(crate) fn hand_over(
        &mut self,
        now: Clock,
        shard: u8,
        source: SocketAddr,
        to: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        if shard == self.sibling.index() {
            self.relay_here(now, source, &to, datagram, wire);
        } else {
            let (sibling, is_client) = (shard, false);
            wire.links.push(&ToSibling { sibling, is_client, source, to, payload: datagram });
        }
    }

    /// The main runtime has news of a client over TCP.
    pub(crate) fn obey(
        &mut self,
        now: Clock,
        command: Command,
        wire: &mut Wire,
        media: &mut Media,
    ) {
        match command {
            Command::Opened(from, client) => {
                self.clients.insert(from, client);
            }
            Command::Message(from, message) => {
                let (monotonic, unix) = (now.monotonic, now.unix);
                match self.server.handle_client(monotonic, unix, &from, &message) {
                    Some(Forward::Media(ToMedia { source, to, payload })) => {
                        media.handle_relayed(now, source, to, payload, wire);
                    }
                    Some(forward) => send(&mut self.clients, &mut self.tally, wire, &forward),
                    None => {}
                }
            }
            // Without its queue the connection ends.
            Command::Silent(from) if !self.server.has_allocation(&from) => {
                self.clients.remove(&from);
            }
            Command::Silent(_) => {}
            Command::Gone(from) => {
                self.clients.remove(&from);
                self.server.handle_client_gone(&from);
            }
        }
        self.settle(now, wire);
    }

    /// When [`Self::handle_timeout`] is next wanted.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }

    /// Ends what is to end by now.
    pub(crate) fn handle_timeout(&mut self, now: Clock, wire: &mut Wire) {
        self.server.handle_timeout(now.monotonic);
        self.settle(now, wire);
    }

    /// Does to relayed sockets what the server wants done.
    fn settle(&mut self, now: Clock, wire: &mut Wire) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::OpenRelay { relay, local } => {
                    let opened = wire.open(relay, local).map_err(|error| why(local, &error));
                    if opened.is_ok() {
                        tracing::debug!(?relay, %local, "allocated");
                        self.sibling.set_open(local.port(), true);
                    }
                    let forward = self.server.handle_relay_opened(now.monotonic, relay, opened);
                    if let Some(forward) = forward {
                        send(&mut self.clients, &mut self.tally, wire, &forward);
                    }
                }
                Output::CloseRelay { relay } => {
                    tracing::debug!(?relay, "allocation ended");
                    if let Some(local) = wire.close(relay) {
                        self.sibling.set_open(local.port(), false);
                    }
                }
            }
        }
    }

    /// What has been done, into the log.
    pub(crate) fn farewell(&self, wire: &Wire, shard: &shard::Tally) {
        let Tally { slow, gone } = self.tally;
        let shard::Tally { garbage } = shard;
        let (unsent, crossing) = (wire.unsent(), wire.links.dropped);
        tracing::info!(
            "relay stopped; {:?}; dropped: garbage {garbage}, unsent {unsent}, \
             between shards {crossing}, slow clients {slow}, gone clients {gone}",
            self.server.counters()
        );
    }
}

/// Sends what the server says.
fn send(
    clients: &mut HashMap<FiveTuple, Client>,
    tally: &mut Tally,
    wire: &mut Wire,
    forward: &Forward<'_>,
) {
    match forward {
        Forward::Peer(packet) if packet.dont_fragment => {
            wire.send_whole(packet.relay, packet.to, packet.payload);
        }
        Forward::Peer(packet) => wire.send_relayed(packet.relay, packet.to, packet.payload),
        Forward::Sibling(packet) => wire.links.push(packet),
        // Only what a client sends is for the media server, and that is handed there above.
        Forward::Media(_) => {}
        Forward::Client(packet) if packet.to.transport == Transport::Udp => {
            let ToClient { to, head, payload, padding } = packet;
            wire.send(to.server, to.client, head.as_bytes(), payload, *padding);
        }
        Forward::Client(packet) => {
            match clients.get(&packet.to).map(|client| client.send(packet)) {
                Some(Ok(())) => {}
                Some(Err(Unsent::Slow)) => tally.slow += 1,
                // Its end is on its way here.
                Some(Err(Unsent::Gone)) | None => tally.gone += 1,
            }
        }
    }
}

fn why(local: SocketAddr, error: &io::Error) -> OpenFailed {
    if error.kind() == io::ErrorKind::AddrInUse {
        return OpenFailed::PortTaken;
    }
    tracing::warn!(%local, %error, "can't open a relayed socket");
    OpenFailed::NoSocket
}
