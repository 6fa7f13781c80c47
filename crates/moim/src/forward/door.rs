//! Sockets of this node, and those of them whose room another node owns.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use room::protocol::{ErrorBody, ErrorCode};
use serde::Deserialize;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

use super::{
    dialects::{Dialects, Guest},
    passages::{Passage, Passages},
    wire::{ClientEvent, Hello, json, reason},
};
use crate::{
    cluster::{Cluster, Frame, Frames, Place, RoomKey, Service},
    signaling::{Session, Signaling},
    socketio::{
        Ack, Application, CloseReason, Events, Handshake, HeldBytes, Incoming, Mount, Socket,
    },
};

/// Time for a room's node to be found and reached, over the end of a former one's lease.
const PATIENCE: Duration = Duration::from_secs(8);
/// Pause between attempts.
const PAUSE: Duration = Duration::from_millis(150);
/// Time for a room's node to end a stream that the socket has left.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// Frames that wait for the stream.
const QUEUE: usize = 16;

/// Signaling of a node in a cluster.
pub(super) struct Clustered {
    signaling: Arc<Signaling>,
    cluster: Arc<Cluster>,
    dialects: Arc<Dialects>,
    passages: Arc<Passages>,
}

impl Clustered {
    pub(super) fn new(
        signaling: Arc<Signaling>,
        cluster: Arc<Cluster>,
        dialects: Arc<Dialects>,
        passages: Arc<Passages>,
    ) -> Self {
        Self { signaling, cluster, dialects, passages }
    }
}

impl Application for Clustered {
    type Events = Door;

    fn connect(&self, socket: Socket, handshake: Handshake) -> Result<Door, String> {
        let hello = Hello::of(&socket, &handshake);
        let is_native = handshake.path == Mount::DEFAULT.path;
        let local = self.signaling.connect(socket.clone(), handshake)?;
        let (cluster, dialects) = (Arc::clone(&self.cluster), Arc::clone(&self.dialects));
        let passages = Arc::clone(&self.passages);
        let (remote, passage, guest) = (None, None, None);
        Ok(Door {
            cluster,
            dialects,
            passages,
            socket,
            hello,
            is_native,
            local,
            remote,
            passage,
            guest,
        })
    }

    fn held_bytes(&self) -> Arc<HeldBytes> {
        self.signaling.held_bytes()
    }

    fn session_head(&self) -> String {
        self.cluster.session_head()
    }
}

/// A socket of this node.
pub(super) struct Door {
    cluster: Arc<Cluster>,
    dialects: Arc<Dialects>,
    passages: Arc<Passages>,
    socket: Socket,
    /// The client's first request, for the owner of its room.
    hello: Hello,
    /// Its path is that of the native protocol.
    is_native: bool,
    /// The session here, which has the socket until a room elsewhere is named.
    local: Session,
    remote: Option<Remote>,
    /// Tells of the session there.
    passage: Option<Passage>,
    /// It speaks a dialect, and this node has these.
    guest: Option<Guest>,
}

/// The session at the owner of the socket's room.
pub(super) struct Remote {
    key: RoomKey,
    sender: Sender<Bytes>,
    /// Packets are passed to the client until this is dropped.
    reading: oneshot::Sender<()>,
}

impl Remote {
    pub(super) fn new(key: RoomKey, sender: Sender<Bytes>, frames: Frames, socket: Socket) -> Self {
        let (reading, left) = oneshot::channel();
        tokio::spawn(read(frames, socket, left));
        Self { key, sender, reading }
    }

    /// Ends the session, with a reason.
    pub(super) async fn leave(self, why: CloseReason) {
        let Self { mut sender, reading, .. } = self;
        drop(reading);
        // The stream's end says that it is lost.
        let _ = sender.send_data(Frame::Gone(reason(why)).encode()).await;
    }
}

impl Events for Door {
    async fn connected(&mut self) {
        if self.is_native {
            self.local.connected().await;
        } else {
            self.enter_dialects(None).await;
        }
    }

    async fn event(&mut self, event: Incoming) {
        let entry = self.is_native.then(|| entry(&self.cluster, &event)).flatten();
        match entry {
            Some(key) if !self.local.is_member() => self.enter(key, event).await,
            // The session here tells that it is in a room.
            Some(_) => self.local.event(event).await,
            None if self.begins_dialect(&event) => self.enter_dialects(Some(event)).await,
            None => self.pass(event).await,
        }
    }

    async fn gone(&mut self, why: CloseReason) {
        if let Some(remote) = self.remote.take() {
            remote.leave(why).await;
        }
        self.local.gone(why).await;
    }
}

impl Door {
    /// The first event of a dialect on the path of the native protocol.
    fn begins_dialect(&self, event: &Incoming) -> bool {
        self.remote.is_none() && self.guest.is_none() && !Session::is_native(&event.name)
    }

    /// Has the socket's session run where dialects are, and handle its first event there.
    async fn enter_dialects(&mut self, event: Option<Incoming>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.dialects.place().await {
                Ok(Place::Here) => {
                    self.guest = self.dialects.admit(&self.socket);
                    if self.guest.is_some() {
                        return match event {
                            Some(event) => self.local.event(event).await,
                            None => self.local.connected().await,
                        };
                    }
                }
                Ok(Place::There(node, address)) => {
                    if self.open(self.dialects.key(), node, address).await {
                        if let Some(event) = event {
                            self.pass(event).await;
                        }
                        return;
                    }
                }
                Err(_) => {}
            }
            if Instant::now() >= deadline {
                // It connects again.
                return self.socket.cut();
            }
            sleep(PAUSE).await;
        }
    }

    /// Passes an event to the session that has the socket.
    async fn pass(&mut self, event: Incoming) {
        let Some(remote) = &mut self.remote else { return self.local.event(event).await };
        let frame = Frame::Event(json(&ClientEvent::of(event)));
        if remote.sender.send_data(frame.encode()).await.is_err() {
            // The client reconnects, and resumes. The reader may not have noticed yet.
            self.remote = None;
            self.socket.cut();
        }
    }

    /// Passes a request that names a room to the node that has it.
    async fn enter(&mut self, key: RoomKey, event: Incoming) {
        if self.remote.as_ref().is_some_and(|remote| remote.key == key) {
            return self.pass(event).await;
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.cluster.place(key).await {
                Ok(Place::Here) => {
                    self.leave_remote().await;
                    self.local.event(event).await;
                    return self.cluster.forget_claim(key);
                }
                Ok(Place::There(node, address)) => {
                    if self.open(key, node, address).await {
                        return self.pass(event).await;
                    }
                }
                Err(_) => {}
            }
            if Instant::now() >= deadline {
                return reject(event.ack);
            }
            sleep(PAUSE).await;
        }
    }

    /// Opens a stream to a room's owner. Returns whether it is there.
    async fn open(
        &mut self,
        key: RoomKey,
        node: cluster::NodeId,
        address: std::net::SocketAddr,
    ) -> bool {
        self.hello.is_foreign = key == self.dialects.key();
        self.hello.door = Some(self.cluster.id().to_string());
        let hello = json(&self.hello);
        let (mut sender, body) = Channel::new(QUEUE);
        let body = Body::new(body);
        let opened = self.cluster.open_stream(node, address, Service::Socket, body).await;
        let response = match opened {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!(%node, %error, "a room's node can't be reached");
                return false;
            }
        };
        if sender.send_data(Frame::Hello(hello).encode()).await.is_err() {
            return false;
        }
        self.leave_remote().await;
        let frames = Frames::new(response.into_body());
        self.passage = Some(self.passages.add(&self.socket));
        self.remote = Some(Remote::new(key, sender, frames, self.socket.clone()));
        true
    }

    /// Ends the session at another node: the client went to another room.
    async fn leave_remote(&mut self) {
        self.passage = None;
        if let Some(remote) = self.remote.take() {
            remote.leave(CloseReason::ByClient).await;
        }
    }
}

/// Passes packets of the owner to the client, until the socket has left. When the owner is gone, the
/// client reconnects, and resumes.
async fn read(mut frames: Frames, socket: Socket, mut left: oneshot::Receiver<()>) {
    loop {
        let frame = tokio::select! {
            biased;
            _ = &mut left => break,
            frame = frames.next() => frame,
        };
        match frame {
            Some(Frame::Packet(packet)) => {
                if let Ok(packet) = std::str::from_utf8(&packet) {
                    socket.emit(packet.into());
                }
            }
            Some(Frame::Disconnect) => return socket.disconnect(),
            Some(_) => {}
            None => return socket.cut(),
        }
    }
    // A stream that is dropped is reset, and the owner would not read the last message.
    let rest = async { while frames.next().await.is_some() {} };
    let _ = timeout(END_TIMEOUT, rest).await;
}

fn reject(ack: Option<Ack>) {
    if let Some(ack) = ack {
        let message = "the room's server can't be reached; try again";
        let error = ErrorBody::new(ErrorCode::ServerFull, message);
        ack.send(&serde_json::json!({ "error": error }));
    }
}

/// The room that a request to enter, check or create one names.
fn entry(cluster: &Cluster, event: &Incoming) -> Option<RoomKey> {
    #[derive(Deserialize)]
    struct Join {
        room: String,
    }
    #[derive(Deserialize)]
    struct Create {
        name: String,
    }
    let first = event.args.first()?.get();
    let name = match event.name.as_str() {
        "room:join" | "room:check" => serde_json::from_str::<Join>(first).ok()?.room,
        "room:create" => serde_json::from_str::<Create>(first).ok()?.name,
        _ => return None,
    };
    // A name that is none is refused by the session.
    let name = room::name::RoomName::new(&name).ok()?;
    Some(cluster.key_of(name.as_str()))
}
