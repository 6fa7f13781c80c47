//! Sockets of this node whose session runs on another one.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;

use crate::socketio::Socket;

/// All of them.
#[derive(Default)]
pub(super) struct Passages(Mutex<HashMap<Arc<str>, Socket>>);

/// A socket's session runs on another node as long as this lives.
pub(super) struct Passage {
    id: Arc<str>,
    passages: Arc<Passages>,
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.passages.0.lock().remove(&self.id);
    }
}

impl Passages {
    pub(super) fn add(self: &Arc<Self>, socket: &Socket) -> Passage {
        let id = Arc::clone(&socket.id.0);
        self.0.lock().insert(Arc::clone(&id), socket.clone());
        Passage { id, passages: Arc::clone(self) }
    }

    /// The sockets.
    pub(super) fn sockets(&self) -> Vec<Socket> {
        self.0.lock().values().cloned().collect()
    }
}
