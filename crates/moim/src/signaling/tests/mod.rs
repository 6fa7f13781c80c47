//! Signaling with queues as sockets and a paused clock.

mod dialects;
mod inviting;
mod joining;
mod lobby;
mod long_running;
mod rejecting;
mod resuming;
mod stalled_store;
mod waiting;

use std::{net::IpAddr, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{Config, Session, Signaling};
use crate::{
    shard::turn::RoomCredentials,
    socketio::{
        Ack, Application, Events, Handshake, Incoming, Outbox, OutboxLimits, Outgoing, Socket,
        SocketId,
    },
};

/// A packet received by a client.
#[derive(Debug, Clone, PartialEq)]
enum Received {
    Event(String, Value, Option<u64>),
    Answer(u64, Value),
    Disconnect,
}

/// A client's session and socket.
struct Client {
    session: Session,
    socket: Socket,
    outbox: Outbox,
    received: Vec<Received>,
    asked: u64,
}

fn config() -> Config {
    Config::new(RoomCredentials::new(b"secret"))
}

fn server() -> Arc<Signaling> {
    Signaling::new(config())
}

fn socket() -> (Socket, Outbox) {
    Socket::new(SocketId("sid".into()), OutboxLimits::default())
}

fn handshake(address: [u8; 4]) -> Handshake {
    Handshake {
        open_for: Duration::ZERO,
        address: IpAddr::from(address),
        local: ([10, 0, 0, 2], 4000).into(),
        host: Some("moim.example".to_owned()),
        secure: true,
        path: "/socket.io/",
        namespace: "/".into(),
        auth: None,
        bearer: None,
        session: None,
        door: None,
    }
}

fn connect(server: &Signaling) -> Client {
    connect_from(server, [192, 0, 2, 1])
}

fn connect_from(server: &Signaling, address: [u8; 4]) -> Client {
    let (socket, outbox) = socket();
    let session = server.connect(socket.clone(), handshake(address)).unwrap();
    Client { session, socket, outbox, received: Vec::new(), asked: 0 }
}

fn read(outgoing: &Outgoing) -> Received {
    let packet = match outgoing {
        Outgoing::Packet(packet) => packet,
        Outgoing::Disconnect => return Received::Disconnect,
        Outgoing::Binary(..) => panic!("no attachments here: {outgoing:?}"),
    };
    let (kind, rest) = packet.split_at(1);
    let (id, json) = rest.split_at(rest.find('[').unwrap());
    let mut args: Vec<Value> = serde_json::from_str(json).unwrap();
    match kind {
        "3" => Received::Answer(id.parse().unwrap(), args.remove(0)),
        "2" => {
            let number = args.get(2).map(|number| number.as_u64().unwrap());
            Received::Event(args[0].as_str().unwrap().to_owned(), args.remove(1), number)
        }
        _ => panic!("an event or an acknowledgement, not {packet}"),
    }
}

impl Client {
    /// Sends a request; returns its acknowledgement.
    async fn ask(&mut self, event: &str, payload: Value) -> Value {
        let id = self.send(event, payload).await;
        loop {
            let answer =
                |received: &Received| matches!(received, Received::Answer(to, _) if *to == id);
            if let Some(at) = self.received.iter().position(answer) {
                let Received::Answer(_, answer) = self.received.remove(at) else { unreachable!() };
                return answer;
            }
            self.receive().await;
        }
    }

    /// Sends a request without waiting; returns the acknowledgement id.
    async fn send(&mut self, event: &str, payload: Value) -> u64 {
        self.asked += 1;
        let ack = Some(Ack { id: self.asked, socket: self.socket.clone() });
        self.emit(event, vec![payload], ack).await;
        self.asked
    }

    async fn emit(&mut self, event: &str, args: Vec<Value>, ack: Option<Ack>) {
        let raw = |value: &Value| serde_json::value::to_raw_value(value).unwrap();
        let args = args.iter().map(raw).collect();
        let event = Incoming { name: event.to_owned(), args, attachments: Vec::new(), ack };
        self.session.event(event).await;
    }

    async fn receive(&mut self) {
        let taken = self.outbox.take().await.unwrap();
        self.received.extend(taken.iter().map(read));
    }

    /// Receives the next event, which must have this name.
    async fn expect(&mut self, event: &str) -> Value {
        while self.received.is_empty() {
            self.receive().await;
        }
        match self.received.remove(0) {
            Received::Event(name, payload, _) if name == event => payload,
            other => panic!("{event} was to come, not {other:?}"),
        }
    }

    /// Joins a room; returns the reply.
    async fn join(&mut self, room: &str, name: &str) -> Value {
        let answer = self.ask("room:join", json!({"room": room, "name": name})).await;
        answer.get("ok").unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// Receives all packets until the server is idle.
    async fn drain(&mut self) -> Vec<Received> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.received_now()
    }

    /// All packets that have arrived.
    fn received_now(&mut self) -> Vec<Received> {
        self.received.extend(self.outbox.take_now().iter().map(read));
        std::mem::take(&mut self.received)
    }
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_else(|| panic!("an error, not {answer}"))
}

fn id(joined: &Value) -> &str {
    joined["self"]["id"].as_str().unwrap()
}
