//! A shard's relay: the server, its clients, and what the server says done.

use std::{collections::HashMap, io, net::SocketAddr, time::Instant};

use turn::{
    ConnectPeerError, FiveTuple, Forward, IcmpError, OpenRelayError, Output, RelayId, Server,
    TcpOutput, ToClient, ToMedia, ToShard, Transport, channel, siblings::Sibling,
};

use super::{
    Command, Peers, Report,
    client::{Client, Unsent},
    dtls::{Endpoint, Heard},
    report::Dropped,
};
use crate::shard::{self, Clock, Wire, sfu::Media};

/// The server, its clients over TCP and DTLS, and the peers of its TCP allocations.
pub(crate) struct Relay {
    server: Server,
    sibling: Sibling,
    post: Post,
    peers: Peers,
    /// What a client over DTLS has just said.
    heard: Heard,
}

/// The ways to clients.
struct Post {
    clients: HashMap<FiveTuple, Client>,
    sessions: Endpoint,
    tally: Tally,
    /// The message under way into a session.
    message: Vec<u8>,
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
    pub(crate) fn new(
        config: turn::Config,
        sibling: Sibling,
        sessions: Endpoint,
        peers: Peers,
        now: Instant,
    ) -> Self {
        Self {
            server: Server::new(config, now),
            sibling,
            post: Post {
                clients: HashMap::new(),
                sessions,
                tally: Tally::default(),
                message: Vec::new(),
            },
            peers,
            heard: Heard::default(),
        }
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
            Some(forward) => self.post.send(wire, &forward),
            None => {}
        }
        // Data makes nothing to settle.
        if !channel::is_channel_data(datagram) {
            self.settle(now, wire);
        }
    }

    /// A datagram of DTLS came to the one port.
    pub(crate) fn handle_dtls(
        &mut self,
        now: Clock,
        client: SocketAddr,
        server: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
        media: &mut Media,
    ) {
        let from = FiveTuple { transport: Transport::Dtls, client, server };
        let (monotonic, unix) = (now.monotonic, now.unix);
        let mut heard = std::mem::take(&mut self.heard);
        let sessions = &mut self.post.sessions;
        sessions.handle_datagram(monotonic, unix, &from, datagram, &mut heard, |sealed| {
            wire.send(server, client, sealed, &[], 0);
        });
        if heard.ended {
            self.server.handle_client_closed(&from);
        }
        for message in heard.messages() {
            match self.server.handle_client(monotonic, unix, &from, message) {
                Some(Forward::Media(ToMedia { source, to, payload })) => {
                    media.handle_relayed(now, source, to, payload, wire);
                }
                Some(forward) => self.post.send(wire, &forward),
                None => {}
            }
        }
        self.heard = heard;
        self.settle(now, wire);
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
            self.post.send(wire, &forward);
        }
    }

    /// The network could not deliver what a relayed socket sent.
    pub(crate) fn handle_undelivered(
        &mut self,
        now: Clock,
        relay: RelayId,
        peer: SocketAddr,
        error: IcmpError,
        wire: &mut Wire,
    ) {
        let told = self.server.handle_relay_error(now.monotonic, relay, peer, error);
        if let Some(forward) = told {
            self.post.send(wire, &forward);
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
        packet: &ToShard<'_>,
        wire: &mut Wire,
        media: &mut Media,
    ) {
        let ToShard { source, to, payload, .. } = packet;
        if !packet.is_client {
            return self.relay_here(now, *source, to, payload, wire);
        }
        let from = FiveTuple { transport: Transport::Udp, client: *source, server: *to };
        match self.server.handle_forwarded(now.monotonic, now.unix, &from, payload) {
            Some(Forward::Media(ToMedia { source, to, payload })) => {
                media.handle_relayed(now, source, to, payload, wire);
            }
            Some(forward) => self.post.send(wire, &forward),
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
        if let Some(forward) =
            self.server.handle_forwarded_data(now.monotonic, source, to, datagram)
        {
            self.post.send(wire, &forward);
        }
    }

    /// Which shard has a relayed address of ours, if it is one.
    pub(crate) fn relayed_by(&self, to: &SocketAddr) -> Option<u8> {
        self.server.relay_shard(to)
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
            wire.links.push(&ToShard { shard, is_client: false, source, to, payload: datagram });
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
                self.post.clients.insert(from, client);
            }
            Command::Message(from, message) => {
                let (monotonic, unix) = (now.monotonic, now.unix);
                match self.server.handle_client(monotonic, unix, &from, &message) {
                    Some(Forward::Media(ToMedia { source, to, payload })) => {
                        media.handle_relayed(now, source, to, payload, wire);
                    }
                    Some(Forward::Shard(ToShard { shard, is_client: true, .. })) => {
                        if let Some(client) = self.post.clients.remove(&from) {
                            client.lead(shard);
                        }
                    }
                    Some(forward) => self.post.send(wire, &forward),
                    None => {}
                }
            }
            Command::IsInUse(from, asker) => {
                // The connection may have ended meanwhile.
                let _ = asker.send(self.server.has_allocation(&from));
            }
            Command::Connected(id, Ok(stream)) => {
                self.peers.keep(id, stream);
                match self.server.handle_connected(now.monotonic, id, Ok(())) {
                    Some(forward) => self.post.send(wire, &forward),
                    None => self.peers.close(id),
                }
            }
            Command::Connected(id, Err(error)) => {
                tracing::debug!(%error, "can't connect to a peer");
                let failed = Err(ConnectPeerError);
                if let Some(forward) = self.server.handle_connected(now.monotonic, id, failed) {
                    self.post.send(wire, &forward);
                }
                self.peers.close(id);
            }
            Command::Accepted(relay, stream, peer) => {
                let accepted = self.server.handle_accepted(now.monotonic, relay, peer);
                if let Some((id, forward)) = accepted {
                    self.peers.keep(id, stream);
                    self.post.send(wire, &forward);
                }
            }
            Command::MembersLeft => self.server.handle_members_left(),
            Command::Interfaces(interfaces) => {
                self.server.set_interfaces(interfaces.addresses.clone(), &interfaces.links);
            }
            Command::Gone(from) => {
                self.post.clients.remove(&from);
                self.server.handle_client_closed(&from);
            }
        }
        self.settle(now, wire);
    }

    /// When [`Self::handle_timeout`] is next wanted.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let next = [self.server.poll_timeout(), self.post.sessions.poll_timeout()];
        next.into_iter().flatten().min()
    }

    /// Ends what is to end by now.
    pub(crate) fn handle_timeout(&mut self, now: Clock, wire: &mut Wire) {
        self.server.handle_timeout(now.monotonic);
        let stays = |client: &FiveTuple| self.server.has_allocation(client);
        let ended = self.post.sessions.handle_timeout(now.monotonic, stays, |client, sealed| {
            wire.send(client.server, client.client, sealed, &[], 0);
        });
        for client in ended {
            self.server.handle_client_closed(&client);
        }
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
                        self.post.send(wire, &forward);
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
        self.settle_peers(now, wire);
    }

    /// Does the same to sockets of TCP allocations.
    fn settle_peers(&mut self, now: Clock, wire: &mut Wire) {
        while let Some(output) = self.server.poll_tcp_output() {
            match output {
                TcpOutput::Listen { relay, local } => {
                    let opened = self.peers.listen(relay, local).map_err(|e| why(local, &e));
                    if opened.is_ok() {
                        tracing::debug!(?relay, %local, "allocated, over TCP");
                    }
                    let forward = self.server.handle_relay_opened(now.monotonic, relay, opened);
                    if let Some(forward) = forward {
                        self.post.send(wire, &forward);
                    }
                }
                TcpOutput::Unlisten { relay } => {
                    tracing::debug!(?relay, "allocation ended");
                    self.peers.unlisten(relay);
                }
                TcpOutput::Connect { connection, local, peer } => {
                    self.peers.connect(connection, local, peer);
                }
                TcpOutput::Splice { connection, client } => {
                    // Without its queue the connection ends.
                    if !self.peers.splice(connection, self.post.clients.get(&client)) {
                        self.post.clients.remove(&client);
                    }
                }
                TcpOutput::Close { connection } => self.peers.close(connection),
            }
        }
    }

    /// What has been done, and what there is.
    pub(crate) fn report(&self, wire: &Wire, shard: &shard::Tally) -> Report {
        let Tally { slow, gone } = self.post.tally;
        let shard::Tally { garbage } = *shard;
        let (unsent, crossing) = (wire.unsent(), wire.links.dropped);
        let mut counters = *self.server.counters();
        counters.relayed_bytes += self.peers.relayed();
        Report {
            shards: 1,
            counters,
            allocations: self.server.allocations(),
            peers: self.server.connections(),
            relays: wire.relays() + self.peers.listeners(),
            streams: self.post.clients.len(),
            dtls_sessions: self.post.sessions.sessions(),
            dtls: self.post.sessions.tally,
            dropped: Dropped { slow, gone, unsent, crossing, garbage },
        }
    }

    /// What has been done, into the log.
    pub(crate) fn farewell(&self, wire: &Wire, shard: &shard::Tally) {
        let Tally { slow, gone } = self.post.tally;
        let shard::Tally { garbage } = shard;
        let (unsent, crossing) = (wire.unsent(), wire.links.dropped);
        tracing::info!(
            "relay stopped; {:?}; dropped: garbage {garbage}, unsent {unsent}, \
             between shards {crossing}, slow clients {slow}, gone clients {gone}",
            self.server.counters()
        );
    }
}

impl Post {
    /// Sends what the server says.
    fn send(&mut self, wire: &mut Wire, forward: &Forward<'_>) {
        match forward {
            Forward::Peer(packet) if packet.dont_fragment => {
                wire.send_whole(packet.relay, packet.to, packet.payload);
            }
            Forward::Peer(packet) => wire.send_relayed(packet.relay, packet.to, packet.payload),
            Forward::Shard(packet) => wire.links.push(packet),
            // Only what a client sends is for the media server, and that is handed there above.
            Forward::Media(_) => {}
            Forward::Client(packet) => match packet.to.transport {
                Transport::Udp => {
                    let ToClient { to, header, payload, padding } = packet;
                    wire.send(to.server, to.client, header.as_bytes(), payload, *padding);
                }
                Transport::Dtls => self.send_sealed(wire, packet),
                Transport::Tcp | Transport::Tls => self.queue(packet),
            },
        }
    }

    fn send_sealed(&mut self, wire: &mut Wire, packet: &ToClient<'_>) {
        self.message.clear();
        packet.write_into(&mut self.message);
        let to = &packet.to;
        let sent = self.sessions.seal(to, &self.message, |sealed| {
            wire.send(to.server, to.client, sealed, &[], 0);
        });
        if !sent {
            self.tally.gone += 1;
        }
    }

    fn queue(&mut self, packet: &ToClient<'_>) {
        match self.clients.get(&packet.to).map(|client| client.send(packet)) {
            Some(Ok(())) => {}
            Some(Err(Unsent::Slow)) => self.tally.slow += 1,
            // Its end is on its way here.
            Some(Err(Unsent::Gone)) | None => self.tally.gone += 1,
        }
    }
}

fn why(local: SocketAddr, error: &io::Error) -> OpenRelayError {
    if error.kind() == io::ErrorKind::AddrInUse {
        return OpenRelayError::PortTaken;
    }
    tracing::warn!(%local, %error, "can't open a relayed socket");
    OpenRelayError::NoSocket
}
