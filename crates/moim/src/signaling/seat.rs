//! Who is connected, and who of them sits in a room.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use room::Connection;
use tokio::sync::Notify;

use super::{
    ice::Found,
    memory::{Owner, Share},
};
use crate::net::client_prefix::ClientPrefix;
use crate::socket::app::Socket;

/// A connected socket, as its session and its room know it.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) connection: Connection,
    pub(super) socket: Socket,
    pub(super) found: Found,
    pub(super) prefix: ClientPrefix,
}

/// A client's place in a room. The room alone holds it, or the mail that asks for it; the session
/// looks whether it is still held, and so knows without asking that it was given up.
#[derive(Debug)]
pub(super) struct Seat(pub(super) Arc<Client>);

#[derive(Debug)]
struct Known {
    socket: Socket,
    prefix: ClientPrefix,
}

/// All sockets, until the server goes away.
#[derive(Debug)]
pub(super) struct Sockets {
    register: Mutex<Register>,
    last_gone: Notify,
}

#[derive(Debug)]
struct Register {
    open: bool,
    next: u64,
    sockets: HashMap<Connection, Known>,
}

impl Sockets {
    pub(super) fn new() -> Self {
        let register = Register { open: true, next: 0, sockets: HashMap::new() };
        Self { register: Mutex::new(register), last_gone: Notify::new() }
    }

    /// Numbers a socket; none once the server goes away.
    pub(super) fn add(&self, socket: Socket, prefix: ClientPrefix) -> Option<Connection> {
        let mut register = self.register.lock();
        if !register.open {
            return None;
        }
        register.next += 1;
        let connection = Connection(register.next);
        register.sockets.insert(connection, Known { socket, prefix });
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

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.register.lock().sockets.len()
    }

    /// The sockets for which bytes wait, and how many.
    pub(super) fn queues(&self) -> Vec<Share> {
        let register = self.register.lock();
        let queue = |known: &Known| {
            let bytes = known.socket.queued();
            let owner = || Owner::Queue(known.socket.clone());
            (bytes > 0).then(|| Share { bytes, prefix: known.prefix, owner: owner() })
        };
        register.sockets.values().filter_map(queue).collect()
    }

    /// Takes in nobody from now on; gives those who are here.
    pub(super) fn close(&self) -> Vec<Socket> {
        let mut register = self.register.lock();
        register.open = false;
        register.sockets.values().map(|known| known.socket.clone()).collect()
    }

    /// Returns when nobody is here.
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
