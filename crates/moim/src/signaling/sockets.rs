//! Registry of connected sockets.

use std::collections::HashMap;

use parking_lot::Mutex;
use room::Connection;
use tokio::sync::Notify;

use super::memory::{Owner, Share};
use crate::{net::client_prefix::ClientPrefix, socketio::Socket};

#[derive(Debug)]
struct Entry {
    socket: Socket,
    prefix: ClientPrefix,
}

/// All connected sockets.
#[derive(Debug)]
pub(super) struct Sockets {
    register: Mutex<Register>,
    last_gone: Notify,
}

#[derive(Debug)]
struct Register {
    open: bool,
    next: u64,
    sockets: HashMap<Connection, Entry>,
}

impl Sockets {
    pub(super) fn new() -> Self {
        let register = Register { open: true, next: 0, sockets: HashMap::new() };
        Self { register: Mutex::new(register), last_gone: Notify::new() }
    }

    /// Adds a socket and assigns its number; `None` while the server shuts down.
    pub(super) fn add(&self, socket: Socket, prefix: ClientPrefix) -> Option<Connection> {
        let mut register = self.register.lock();
        if !register.open {
            return None;
        }
        register.next += 1;
        let connection = Connection(register.next);
        register.sockets.insert(connection, Entry { socket, prefix });
        Some(connection)
    }

    pub(super) fn remove(&self, connection: Connection) {
        let mut register = self.register.lock();
        register.sockets.remove(&connection);
        let spare = register.sockets.capacity() / 4;
        if register.sockets.len() < spare {
            register.sockets.shrink_to(spare);
        }
        if register.sockets.is_empty() {
            self.last_gone.notify_waiters();
        }
    }

    /// Number of sockets.
    pub(super) fn count(&self) -> usize {
        self.register.lock().sockets.len()
    }

    /// Queued bytes per socket, without empty queues.
    pub(super) fn queues(&self) -> Vec<Share> {
        let register = self.register.lock();
        let queue = |entry: &Entry| {
            let bytes = entry.socket.queued();
            let owner = || Owner::Queue(entry.socket.clone());
            (bytes > 0).then(|| Share { bytes, prefix: entry.prefix, owner: owner() })
        };
        register.sockets.values().filter_map(queue).collect()
    }

    /// Total size of the queues.
    pub(super) fn queued_bytes(&self) -> usize {
        self.register.lock().sockets.values().map(|entry| entry.socket.queued()).sum()
    }

    /// The connected sockets.
    pub(super) fn all(&self) -> Vec<Socket> {
        self.register.lock().sockets.values().map(|entry| entry.socket.clone()).collect()
    }

    /// Stops accepting sockets; returns those connected.
    pub(super) fn close(&self) -> Vec<Socket> {
        let mut register = self.register.lock();
        register.open = false;
        register.sockets.values().map(|entry| entry.socket.clone()).collect()
    }

    /// Waits until all sockets are gone.
    pub(super) async fn all_gone(&self) {
        let gone = self.last_gone.notified();
        let empty = {
            let register = self.register.lock();
            register.sockets.is_empty()
        };
        if !empty {
            gone.await;
        }
    }
}
