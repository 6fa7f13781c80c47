//! The TURN service of a shard: drives a [`turn::Server`] with sockets and clients.

use std::{io, net::SocketAddr, time::Instant};

use turn::{
    ConnectPeerError, FiveTuple, Forward, FrozenAllocation, OpenRelayError, Output, RelayId,
    Server, TcpOutput, ToMedia, ToShard, Transport, siblings::Sibling,
};

use super::{
    command::Command,
    config::{Settings, limits, service_ports},
    dtls::{Decrypted, DtlsEndpoint},
    forward_sender::ForwardSender,
    frozen::{FrozenShard, LeftByShard, Restoring},
    handoff::Handoff,
    peers::PeerConnections,
    report::{self, Report},
};
use crate::{
    net::{reachable::ReachableAddresses, udp::IcmpReport},
    shard::{clock::Clock, wire::Wire},
};

/// A TURN server with its relayed sockets, its clients over TCP and DTLS, and the peers of its TCP
/// allocations.
pub(crate) struct TurnService {
    server: Server,
    sibling: Sibling,
    sender: ForwardSender,
    peers: PeerConnections,
    /// Reused for the messages of each DTLS datagram.
    decrypted: Decrypted,
}

/// The sender of a message to this shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The client itself.
    Client,
    /// Another shard, to which the kernel had delivered it. It is not forwarded again.
    Shard,
}

impl TurnService {
    pub(crate) fn new(
        config: turn::Config,
        sibling: Sibling,
        dtls: DtlsEndpoint,
        peers: PeerConnections,
        now: Instant,
    ) -> Self {
        Self {
            server: Server::new(config, now),
            sibling,
            sender: ForwardSender::new(dtls),
            peers,
            decrypted: Decrypted::default(),
        }
    }

    /// Continues the allocations of the process before. Requests are held until
    /// [`Command::AnswerRequests`].
    pub(crate) fn restore(&mut self, now: Clock, restoring: &Restoring, wire: &mut Wire) {
        self.server.hold_requests(true);
        for allocation in &restoring.allocations {
            self.server.restore(now.monotonic, allocation, restoring.elapsed);
        }
        self.handle_outputs(now, wire);
        let (handed_over, restored) = (restoring.allocations.len(), self.server.allocations());
        if handed_over > 0 {
            tracing::info!(restored, "allocations of the relay go on");
        }
        if restored < handed_over {
            let lost = handed_over - restored;
            tracing::warn!(lost, "allocations of the relay have ended: their clients begin again");
        }
    }

    /// Stops answering requests, and returns the allocations for the next process, of at most this
    /// size, with their sockets. Data is relayed on.
    pub(crate) fn freeze(&mut self, now: Clock, max_bytes: usize, wire: &Wire) -> LeftByShard {
        let frozen = self.server.freeze(now.monotonic, max_bytes);
        let addresses =
            frozen.allocations.iter().flat_map(FrozenAllocation::local_addresses).collect();
        LeftByShard {
            sockets: wire.duplicate_relayed(&addresses),
            ending: frozen.ending,
            excess: frozen.excess,
            shard: FrozenShard::new(self.sibling.ports(), frozen.allocations),
        }
    }

    /// The index of this shard.
    pub(crate) fn index(&self) -> u8 {
        self.sibling.index()
    }

    /// Number of allocations.
    pub(crate) fn allocations(&self) -> usize {
        self.server.allocations()
    }

    /// Handles a message of a client over any transport, and returns data for the SFU. Call
    /// [`Self::handle_outputs`] afterwards, unless the message is ChannelData.
    pub(crate) fn handle_client<'a>(
        &'a mut self,
        now: Clock,
        from: &FiveTuple,
        origin: Origin,
        message: &'a [u8],
        wire: &mut Wire,
    ) -> Option<ToMedia<'a>> {
        let server = &mut self.server;
        let forward = match origin {
            Origin::Client => server.handle_client(now.monotonic, now.unix, from, message),
            Origin::Shard => server.handle_forwarded(now.monotonic, now.unix, from, message),
        };
        match forward? {
            Forward::Media(to_sfu) => return Some(to_sfu),
            // A connection moves to the shard as a whole, with this message.
            Forward::Shard(ToShard { shard, is_client: true, .. }) if is_stream(from) => {
                if let Some(client) = self.sender.clients.remove(from) {
                    // If the queue is full the connection ends, as its queue is dropped.
                    let _ = client.hand_off(Handoff::ToShard(shard));
                }
            }
            forward => self.sender.send(wire, &forward),
        }
        None
    }

    /// Decrypts a DTLS datagram of a client. Handle its messages, and then return the buffer with
    /// [`Self::recycle`].
    pub(crate) fn decrypt(
        &mut self,
        now: Clock,
        from: &FiveTuple,
        datagram: &[u8],
        wire: &mut Wire,
    ) -> Decrypted {
        let mut decrypted = std::mem::take(&mut self.decrypted);
        let dtls = &mut self.sender.dtls;
        dtls.handle_datagram(now.monotonic, now.unix, from, datagram, &mut decrypted, |datagram| {
            wire.send(from.server, from.client, datagram, &[], 0);
        });
        if decrypted.session_ended {
            self.server.handle_client_closed(from);
            self.handle_outputs(now, wire);
        }
        decrypted
    }

    /// Returns the buffer of [`Self::decrypt`] for reuse.
    pub(crate) fn recycle(&mut self, decrypted: Decrypted) {
        self.decrypted = decrypted;
    }

    /// Handles a datagram that arrived at a relayed address.
    pub(crate) fn handle_relayed(
        &mut self,
        now: Clock,
        relay: RelayId,
        peer: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        if let Some(forward) = self.server.handle_relay(now.monotonic, relay, peer, datagram) {
            self.sender.send(wire, &forward);
        }
    }

    /// Handles an ICMP error for a datagram sent from a relayed address.
    pub(crate) fn handle_icmp_error(
        &mut self,
        now: Clock,
        relay: RelayId,
        report: IcmpReport,
        wire: &mut Wire,
    ) {
        let IcmpReport { to, error } = report;
        if let Some(forward) = self.server.handle_relay_error(now.monotonic, relay, to, error) {
            self.sender.send(wire, &forward);
        }
    }

    /// Finds the shard that has a relayed address of this server.
    pub(crate) fn shard_of_relayed(&self, address: &SocketAddr) -> Option<u8> {
        self.server.relay_shard(address)
    }

    /// The transport of the client whose allocation has this relayed address, if it is on this
    /// shard.
    pub(crate) fn client_transport(&self, address: &SocketAddr) -> Option<Transport> {
        self.server.client_transport(address)
    }

    /// Relays a datagram from an address of this server to a relayed address of the given shard.
    pub(crate) fn relay_to(
        &mut self,
        now: Clock,
        shard: u8,
        source: SocketAddr,
        to: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        if shard == self.sibling.index() {
            self.relay_local(now, source, to, datagram, wire);
        } else {
            wire.links.push_turn(&ToShard {
                shard,
                is_client: false,
                source,
                to,
                payload: datagram,
            });
        }
    }

    /// Relays a datagram from an address of this server to a relayed address of this shard.
    pub(crate) fn relay_local(
        &mut self,
        now: Clock,
        source: SocketAddr,
        to: SocketAddr,
        datagram: &[u8],
        wire: &mut Wire,
    ) {
        if let Some(forward) =
            self.server.handle_forwarded_data(now.monotonic, source, &to, datagram)
        {
            self.sender.send(wire, &forward);
        }
    }

    /// Handles a command of the main runtime.
    pub(crate) fn handle_command(&mut self, now: Clock, command: Command, wire: &mut Wire) {
        match command {
            Command::Opened(from, client) => {
                self.sender.clients.insert(from, client);
            }
            Command::IsInUse(from, reply) => {
                // The connection may have ended meanwhile.
                let _ = reply.send(self.server.has_allocation(&from));
            }
            Command::Closed(from) => {
                self.sender.clients.remove(&from);
                self.server.handle_client_closed(&from);
            }
            Command::Connected(id, Ok(stream)) => {
                self.peers.keep(id, stream);
                match self.server.handle_connected(now.monotonic, id, Ok(())) {
                    Some(forward) => self.sender.send(wire, &forward),
                    None => self.peers.close(id),
                }
            }
            Command::Connected(id, Err(error)) => {
                tracing::debug!(%error, "can't connect to a peer");
                let failed = Err(ConnectPeerError);
                if let Some(forward) = self.server.handle_connected(now.monotonic, id, failed) {
                    self.sender.send(wire, &forward);
                }
                self.peers.close(id);
            }
            Command::Accepted(relay, stream, peer) => {
                let accepted = self.server.handle_accepted(now.monotonic, relay, peer);
                if let Some((id, forward)) = accepted {
                    self.peers.keep(id, stream);
                    self.sender.send(wire, &forward);
                }
            }
            Command::AnswerRequests => self.server.hold_requests(false),
            Command::MembersLeft => self.server.handle_members_left(),
            Command::Settings(settings) => self.apply(&settings),
        }
        self.handle_outputs(now, wire);
    }

    fn apply(&mut self, settings: &Settings) {
        self.server.set_credentials(settings.secrets.clone(), settings.users.clone());
        self.server.set_allowed(settings.allow.clone(), settings.member_tcp);
        self.server.set_quotas(&limits(&settings.limits));
    }

    /// Replaces the server's addresses. Existing allocations keep theirs.
    pub(crate) fn set_addresses(&mut self, addresses: &ReachableAddresses) {
        let interfaces = addresses.interfaces();
        self.server.set_interfaces(interfaces.addresses.clone(), &interfaces.links);
        let announced = addresses.announced().iter().map(|announced| announced.ip).collect();
        self.server.set_announced(announced, &service_ports(addresses));
    }

    /// The time of the next [`Self::handle_timeout`].
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let next = [self.server.poll_timeout(), self.sender.dtls.poll_timeout()];
        next.into_iter().flatten().min()
    }

    /// Ends what has expired.
    pub(crate) fn handle_timeout(&mut self, now: Clock, wire: &mut Wire) {
        self.server.handle_timeout(now.monotonic);
        let is_in_use = |client: &FiveTuple| self.server.has_allocation(client);
        let ended = self.sender.dtls.handle_timeout(now.monotonic, is_in_use, |to, datagram| {
            wire.send(to.server, to.client, datagram, &[], 0);
        });
        for client in ended {
            self.server.handle_client_closed(&client);
        }
        self.handle_outputs(now, wire);
    }

    /// Opens and closes the sockets that the server asks for.
    pub(crate) fn handle_outputs(&mut self, now: Clock, wire: &mut Wire) {
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::OpenRelay { relay, local } => {
                    let opened = wire.open_relayed(relay, local);
                    let opened = opened.map_err(|error| open_failed(local, &error));
                    if opened.is_ok() {
                        tracing::debug!(?relay, %local, "allocated");
                        self.sibling.set_open(local.port(), true);
                    }
                    self.handle_relay_opened(now, relay, opened, wire);
                }
                Output::CloseRelay { relay } => {
                    tracing::debug!(?relay, "allocation ended");
                    if let Some(local) = wire.close_relayed(relay) {
                        self.sibling.set_open(local.port(), false);
                    }
                }
            }
        }
        self.handle_tcp_outputs(now, wire);
    }

    /// Opens and closes the sockets of TCP allocations.
    fn handle_tcp_outputs(&mut self, now: Clock, wire: &mut Wire) {
        while let Some(output) = self.server.poll_tcp_output() {
            match output {
                TcpOutput::Listen { relay, local } => {
                    let opened = self.peers.listen(relay, local);
                    let opened = opened.map_err(|error| open_failed(local, &error));
                    if opened.is_ok() {
                        tracing::debug!(?relay, %local, "allocated over TCP");
                    }
                    self.handle_relay_opened(now, relay, opened, wire);
                }
                TcpOutput::Unlisten { relay } => {
                    tracing::debug!(?relay, "allocation ended");
                    self.peers.unlisten(relay);
                }
                TcpOutput::Connect { connection, local, peer } => {
                    self.peers.connect(connection, local, peer);
                }
                TcpOutput::Splice { connection, client } => {
                    // Dropping its queue ends the client's connection.
                    if !self.peers.splice(connection, self.sender.clients.get(&client)) {
                        self.sender.clients.remove(&client);
                    }
                }
                TcpOutput::Close { connection } => self.peers.close(connection),
            }
        }
    }

    fn handle_relay_opened(
        &mut self,
        now: Clock,
        relay: RelayId,
        opened: Result<(), OpenRelayError>,
        wire: &mut Wire,
    ) {
        if let Some(forward) = self.server.handle_relay_opened(now.monotonic, relay, opened) {
            self.sender.send(wire, &forward);
        }
    }

    pub(crate) fn report(&self, wire: &Wire) -> Report {
        let mut counters = *self.server.counters();
        counters.relayed_bytes += self.peers.relayed_bytes();
        Report {
            counters,
            allocations: self.server.allocations(),
            peers: self.server.connections(),
            relayed_sockets: wire.relayed_sockets() + self.peers.listeners(),
            stream_clients: self.sender.clients.len(),
            dtls_sessions: self.sender.dtls.sessions(),
            dtls: self.sender.dtls.counters,
            dropped: self.sender.dropped,
        }
    }

    /// Logs the counters.
    pub(crate) fn log_summary(&self) {
        let report::Dropped { slow_client, gone_client } = self.sender.dropped;
        tracing::info!(slow_client, gone_client, "TURN stopped; {:?}", self.server.counters());
    }
}

fn is_stream(client: &FiveTuple) -> bool {
    matches!(client.transport, Transport::Tcp | Transport::Tls)
}

fn open_failed(local: SocketAddr, error: &io::Error) -> OpenRelayError {
    if error.kind() == io::ErrorKind::AddrInUse {
        return OpenRelayError::PortTaken;
    }
    tracing::warn!(%local, %error, "can't open a relayed socket");
    OpenRelayError::NoSocket
}
