//! Acknowledgements of events.

use serde::Serialize;

use super::{encode::json, socket::Socket};

/// A pending acknowledgement.
#[derive(Debug)]
pub(crate) struct Ack {
    /// The packet's acknowledgement id.
    pub(crate) id: u64,
    /// The socket that requested it.
    pub(crate) socket: Socket,
}

impl Ack {
    /// Sends the acknowledgement with one argument.
    ///
    /// ```text
    /// 312[{"ok":true}]
    /// ```
    pub(crate) fn send(self, reply: &impl Serialize) {
        self.socket.emit(format!("3{}[{}]", self.id, json(reply)).into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::socketio::{Outgoing, SocketId};

    #[test]
    fn ack_carries_its_id() {
        let (socket, mut outbox) = Socket::new(SocketId("a".into()), Default::default());
        Ack { id: 12, socket }.send(&json!({"ok": true}));
        let sent = outbox.take_now();
        assert!(matches!(&sent[..], [Outgoing::Packet(p)] if &**p == r#"312[{"ok":true}]"#));
    }
}
