//! One session and its client, on polling or a WebSocket, with a virtual clock.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "this is a test")]

use std::{sync::Arc, time::Duration};

use socketio::{
    Closed, Config, Event, MAIN, Message, Namespace, Namespaces, Rejection, Revision, Session,
    Transmit, TransportKind,
};
use testnet::Clock;

pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) session: Session,
    pub(crate) namespaces: Namespaces,
    /// Connected namespaces, in order of connection.
    inside: Vec<Namespace>,
    /// Socket id of the last accept, if determined by the revision.
    pub(crate) last_id: Option<Arc<str>>,
    /// Bodies of answered polls.
    pub(crate) polled: Vec<String>,
    /// Received WebSocket messages; binary ones in `<>`.
    pub(crate) frames: Vec<String>,
    /// WebSockets closed by the server.
    pub(crate) websockets_closed: usize,
    /// Events of the application.
    pub(crate) events: Vec<String>,
    pub(crate) closed: Option<Closed>,
}

impl World {
    pub(crate) fn polling() -> Self {
        Self::new(TransportKind::Polling, Config::default())
    }

    pub(crate) fn websocket() -> Self {
        Self::new(TransportKind::WebSocket, Config::default())
    }

    pub(crate) fn new(kind: TransportKind, config: Config) -> Self {
        Self::of(Revision::V4, kind, config)
    }

    pub(crate) fn of(revision: Revision, kind: TransportKind, config: Config) -> Self {
        let clock = Clock::new();
        let namespaces = config.namespaces.clone();
        let session = Session::new(clock.now(), Arc::new(config), revision, kind, "s1");
        let mut world = Self {
            clock,
            session,
            namespaces,
            inside: Vec::new(),
            last_id: None,
            polled: Vec::new(),
            frames: Vec::new(),
            websockets_closed: 0,
            events: Vec::new(),
            closed: None,
        };
        world.drain();
        world
    }

    /// A connected session without pending transmissions.
    pub(crate) fn connected(kind: TransportKind) -> Self {
        Self::connected_with(kind, Config::default())
    }

    pub(crate) fn connected_with(kind: TransportKind, config: Config) -> Self {
        let mut world = Self::new(kind, config);
        match kind {
            TransportKind::Polling => {
                world.poll().unwrap();
                world.post("40").unwrap();
                world.poll().unwrap();
            }
            TransportKind::WebSocket => world.text("40"),
        }
        assert_eq!(world.take_events(), ["connect"]);
        world.take_polled();
        world.take_frames();
        world
    }

    pub(crate) fn poll(&mut self) -> Result<(), Rejection> {
        let result = self.session.handle_poll();
        self.drain();
        result
    }

    pub(crate) fn post(&mut self, body: impl AsRef<[u8]>) -> Result<(), Rejection> {
        let result = self.session.handle_post(self.clock.now(), body.as_ref());
        self.drain();
        result
    }

    pub(crate) fn upgrade(&mut self) -> Result<(), Rejection> {
        let result = self.session.handle_upgrade(self.clock.now());
        self.drain();
        result
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.session.handle_websocket(self.clock.now(), Message::Text(text));
        self.drain();
    }

    pub(crate) fn binary(&mut self, data: &[u8]) {
        self.session.handle_websocket(self.clock.now(), Message::Binary(data.into()));
        self.drain();
    }

    pub(crate) fn websocket_gone(&mut self) {
        self.session.handle_websocket_gone();
        self.drain();
    }

    pub(crate) fn poll_gone(&mut self) {
        self.session.handle_poll_gone();
        self.drain();
    }

    pub(crate) fn send(&mut self, packet: &str) {
        self.session.send(packet.into());
        self.drain();
    }

    pub(crate) fn disconnect(&mut self) {
        self.disconnect_from(0);
    }

    /// Disconnects the client from a namespace; 0 is the first that it connected to.
    pub(crate) fn disconnect_from(&mut self, place: usize) {
        let namespace = self.inside[place];
        self.session.disconnect(self.clock.now(), namespace);
        self.drain();
    }

    /// Prefix of a namespace in the recorded events; empty for the main one.
    fn name(&self, namespace: Namespace) -> String {
        let name = self.namespaces.name(namespace);
        if *name == *MAIN { String::new() } else { format!("{name} ") }
    }

    /// Advances the clock, handling timeouts when due.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            self.clock.advance_to(due);
            self.session.handle_timeout(self.clock.now());
            self.drain();
        }
        self.clock.advance_to(end);
    }

    pub(crate) fn take_polled(&mut self) -> Vec<String> {
        std::mem::take(&mut self.polled)
    }

    pub(crate) fn take_frames(&mut self) -> Vec<String> {
        std::mem::take(&mut self.frames)
    }

    pub(crate) fn take_events(&mut self) -> Vec<String> {
        std::mem::take(&mut self.events)
    }

    fn drain(&mut self) {
        loop {
            while let Some(transmit) = self.session.poll_transmit() {
                match transmit {
                    Transmit::Poll(body) => self.polled.push(body.0),
                    Transmit::Frame(frame) => self.frames.push(frame_text(&frame)),
                    Transmit::CloseWebSocket => self.websockets_closed += 1,
                }
            }
            let Some(event) = self.session.poll_event() else { return };
            self.handle_event(event);
        }
    }

    fn handle_event(&mut self, event: Event) {
        assert_eq!(self.closed, None, "nothing follows the end");
        let now = self.clock.now();
        let seen = match event {
            Event::Connect { namespace, auth, own_id } => {
                let name = self.name(namespace);
                let auth = auth.map(|auth| auth.get().to_owned()).unwrap_or_default();
                if auth.contains("refuse") {
                    self.session.reject(now, namespace, "not you");
                    format!("{name}refused{auth}")
                } else {
                    self.session.accept(namespace, own_id.as_deref().unwrap_or("c1"));
                    self.inside.push(namespace);
                    self.last_id = own_id;
                    format!("{name}connect{auth}")
                }
            }
            Event::Event { namespace, name, args, attachments, ack } => {
                let place = self.name(namespace);
                let args: Vec<_> = args.iter().map(|arg| arg.get()).collect();
                let ack = ack.map(|id| format!("#{id}")).unwrap_or_default();
                let attachments: Vec<_> = attachments.iter().map(|data| data.to_vec()).collect();
                let data =
                    if attachments.is_empty() { String::new() } else { format!("{attachments:?}") };
                format!("{place}{name}{ack}({}){data}", args.join(","))
            }
            Event::Ack { id, args, .. } => format!("ack#{id}({})", args.len()),
            Event::Disconnect { namespace } => {
                self.inside.retain(|inside| *inside != namespace);
                format!("{}disconnect", self.name(namespace))
            }
            Event::Closed(why) => {
                self.closed = Some(why);
                return;
            }
        };
        self.events.push(seen);
    }
}

fn frame_text(frame: &socketio::Frame) -> String {
    let (first, rest) = frame.parts();
    let bytes: Vec<u8> = first.into_iter().chain(rest.iter().copied()).collect();
    assert_eq!(bytes.len(), frame.len());
    if frame.is_binary() { format!("<{bytes:?}>") } else { String::from_utf8(bytes).unwrap() }
}
