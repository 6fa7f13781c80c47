//! The application that the conformance suites expect, recording its calls.

use std::sync::{Arc, Mutex, mpsc};

use serde_json::value::RawValue;

use crate::socketio::{
    Application, CloseReason, Events, Handshake, HeldBytes, Incoming, Outgoing, Socket,
    encode_raw_event,
};

/// Returns each client's `auth`, answers `message` with `message-back` and acknowledges
/// `message-with-ack`. Further events serve our own tests.
#[derive(Debug)]
pub(super) struct Echo {
    seen: Mutex<mpsc::Sender<Seen>>,
    pub(super) held: Arc<HeldBytes>,
}

/// A call of the application.
#[derive(Debug)]
pub(super) enum Seen {
    Connected(Handshake, Socket),
    Event(String),
    CloseReason(CloseReason),
}

pub(super) struct EchoEvents {
    socket: Socket,
    /// Namespace prefix of packets.
    address: String,
    seen: mpsc::Sender<Seen>,
}

impl Echo {
    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<Seen>) {
        let (sender, seen) = mpsc::channel();
        (Arc::new(Self { seen: Mutex::new(sender), held: Arc::default() }), seen)
    }
}

impl Application for Echo {
    type Events = EchoEvents;

    fn connect(&self, socket: Socket, handshake: Handshake) -> Result<EchoEvents, String> {
        let auth = handshake.auth.as_ref().map_or("{}", |auth| auth.get());
        if auth.contains("refuse me") {
            return Err("not \"you\"".to_owned());
        }
        let address = match &*handshake.namespace {
            "/" => String::new(),
            name => format!("{name},"),
        };
        socket.emit(format!("2{address}[\"auth\",{auth}]").into());
        let seen = self.seen.lock().unwrap().clone();
        let _ = seen.send(Seen::Connected(handshake, socket.clone()));
        Ok(EchoEvents { socket, address, seen })
    }

    fn held_bytes(&self) -> Arc<HeldBytes> {
        Arc::clone(&self.held)
    }
}

impl Events for EchoEvents {
    async fn event(&mut self, event: Incoming) {
        let args = || event.args.iter().map(AsRef::as_ref);
        let (address, attachments) = (&self.address, event.attachments);
        let (head, rest) = match (event.name.as_str(), &event.ack) {
            ("message-with-ack", Some(ack)) => {
                let args: Vec<_> = args().map(RawValue::get).collect();
                (('3', '6'), format!("{}[{}]", ack.id, args.join(",")))
            }
            ("message", _) => {
                let event = encode_raw_event("message-back", args());
                (('2', '5'), event.replacen('2', "", 1))
            }
            ("leave", _) => return self.socket.disconnect(),
            ("flood", _) => {
                for _ in 0..5000 {
                    self.socket.emit(format!("2[\"flood\",\"{:1000}\"]", 0).into());
                }
                return;
            }
            _ => {
                let _ = self.seen.send(Seen::Event(event.name));
                return;
            }
        };
        self.socket.send(if attachments.is_empty() {
            Outgoing::Packet(format!("{}{address}{rest}", head.0).into())
        } else {
            let packet = format!("{}{}-{address}{rest}", head.1, attachments.len());
            Outgoing::Binary(packet.into(), attachments.into())
        });
    }

    async fn gone(&mut self, why: CloseReason) {
        let _ = self.seen.send(Seen::CloseReason(why));
    }
}
