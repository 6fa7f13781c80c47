//! Where packets leave, and the relayed sockets they leave from.

use std::{
    cell::RefCell,
    collections::HashMap,
    net::SocketAddr,
    rc::{Rc, Weak},
    time::Instant,
};

use tokio::{
    net::UdpSocket,
    sync::Notify,
    task::{AbortHandle, spawn_local},
};
use turn::{FiveTuple, Forward, OpenFailed, Output, RelayId, Server, ToClient, Transport};

use super::{
    client::{Client, Unsent},
    shard::{Shard, pump},
    socket::{self, PortSocket},
    tally::Tally,
};

/// Everything the shard sends by.
pub(super) struct Post {
    pub(super) ports: Rc<[PortSocket]>,
    /// By [`RelayId::index`].
    relays: Vec<Option<Relay>>,
    pub(super) clients: HashMap<FiveTuple, Client>,
    /// The packet under way.
    packet: Vec<u8>,
    pub(super) tally: Tally,
    /// For the tasks of relayed sockets.
    shard: Weak<RefCell<Shard>>,
    /// When the server is next woken, as far as the one who wakes it knows.
    pub(super) alarm: Option<Instant>,
    /// Rung when it must be sooner.
    pub(super) sooner: Rc<Notify>,
}

/// A relayed socket and the task that reads it.
struct Relay {
    id: RelayId,
    socket: Rc<UdpSocket>,
    task: AbortHandle,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Post {
    pub(super) fn new(ports: Rc<[PortSocket]>, shard: Weak<RefCell<Shard>>) -> Self {
        Self {
            ports,
            relays: Vec::new(),
            clients: HashMap::new(),
            packet: Vec::new(),
            tally: Tally::default(),
            shard,
            alarm: None,
            sooner: Rc::default(),
        }
    }

    /// Sends what the server says.
    pub(super) fn send(&mut self, forward: &Forward<'_>) {
        match forward {
            Forward::Peer(packet) => {
                let relay = self.relays.get(packet.relay.index()).and_then(Option::as_ref);
                let Some(relay) = relay.filter(|relay| relay.id == packet.relay) else { return };
                if socket::send(&relay.socket, packet.to, packet.payload).is_err() {
                    self.tally.unsent += 1;
                }
            }
            Forward::Client(packet) => self.send_to_client(packet),
        }
    }

    fn send_to_client(&mut self, packet: &ToClient<'_>) {
        self.packet.clear();
        packet.write_into(&mut self.packet);
        let to = &packet.to;
        if to.transport == Transport::Udp {
            let port = self.ports.iter().find(|port| port.serves(to.server));
            let sent = port.map(|port| port.send(to.server.ip(), to.client, &self.packet));
            if !matches!(sent, Some(Ok(()))) {
                self.tally.unsent += 1;
            }
            return;
        }
        match self.clients.get(to).map(|client| client.send(&self.packet)) {
            Some(Ok(())) => {}
            Some(Err(Unsent::Slow)) => self.tally.slow += 1,
            // Its end is on its way here.
            Some(Err(Unsent::Gone)) | None => self.tally.unsent += 1,
        }
    }

    /// Does to relayed sockets what the server wants done; after every call into it.
    pub(super) fn settle(&mut self, server: &mut Server, now: Instant) {
        while let Some(output) = server.poll_output() {
            match output {
                Output::OpenRelay { relay, local } => {
                    let opened = self.open(relay, local);
                    if let Some(forward) = server.handle_relay_opened(now, relay, opened) {
                        self.send(&forward);
                    }
                }
                Output::CloseRelay { relay } => {
                    tracing::debug!(?relay, "allocation ended");
                    if let Some(slot) = self.relays.get_mut(relay.index()) {
                        slot.take_if(|open| open.id == relay);
                    }
                }
            }
        }
        let next = server.poll_timeout();
        if next.is_some_and(|next| self.alarm.is_none_or(|alarm| next < alarm)) {
            self.alarm = next;
            self.sooner.notify_one();
        }
    }

    fn open(&mut self, id: RelayId, local: SocketAddr) -> Result<(), OpenFailed> {
        let socket = Rc::new(socket::relayed(local)?);
        tracing::debug!(relay = ?id, %local, "allocated");
        let task = spawn_local(pump(self.shard.clone(), id, Rc::clone(&socket))).abort_handle();
        if self.relays.len() <= id.index() {
            self.relays.resize_with(id.index() + 1, || None);
        }
        if let Some(slot) = self.relays.get_mut(id.index()) {
            *slot = Some(Relay { id, socket, task });
        }
        Ok(())
    }
}
