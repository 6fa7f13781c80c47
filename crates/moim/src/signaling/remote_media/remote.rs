//! A room's stream to a node that has links of its participants.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use cluster::NodeId;
use http_body_util::channel::{Channel, Sender};
use sfu::{PeerId, RoomId};
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::wire::{Command, Hello, Order, RemoteSfuEvent};
use crate::{
    cluster::{Cluster, Frame, Frames, MediaNode, Service},
    shard::sfu::RoomCommand,
};

/// Commands that may wait for a node. Beyond that, requests are refused and may be repeated.
const MAX_COMMANDS: usize = 1024;
/// Time for a node to end a stream after the room has.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Frames that wait for the stream.
const QUEUE: usize = 16;
/// Attempts to reach a node, and the pause between them.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(250);

/// Event of a stream, for its room.
#[derive(Debug)]
pub(in crate::signaling) enum RemoteEvent {
    Sfu(RemoteSfuEvent),
    /// The stream of this order has broken: its links are lost.
    Lost(NodeId, Order),
}

/// The room's end of a stream. The stream ends in order when this is dropped.
#[derive(Debug)]
pub(in crate::signaling) struct RemoteNode {
    order: Order,
    commands: mpsc::UnboundedSender<Bytes>,
    queued: Arc<AtomicUsize>,
    task: AbortHandle,
}

/// Beginning of a stream.
pub(in crate::signaling) struct Beginning {
    pub(in crate::signaling) room: RoomId,
    pub(in crate::signaling) order: Order,
    /// Peers that are there already, with their shards.
    pub(in crate::signaling) peers: Vec<(u8, PeerId)>,
}

impl RemoteNode {
    /// Begins a stream.
    pub(in crate::signaling) fn open(
        cluster: Arc<Cluster>,
        node: MediaNode,
        beginning: Beginning,
        events: mpsc::Sender<RemoteEvent>,
    ) -> Self {
        let Beginning { room, order, peers } = beginning;
        let hello = Hello::new(room, order, peers).frame();
        let (commands, waiting) = mpsc::unbounded_channel();
        let queued = Arc::<AtomicUsize>::default();
        let queue = Queue { waiting, queued: Arc::clone(&queued) };
        let task = tokio::spawn(async move {
            let id = node.id;
            if !run(&cluster, &node, hello, queue, &events).await {
                // Without a receiver the room has ended.
                let _ = events.send(RemoteEvent::Lost(id, order)).await;
            }
        });
        Self { order, commands, queued, task: task.abort_handle() }
    }

    /// The order of the stream.
    pub(in crate::signaling) fn order(&self) -> Order {
        self.order
    }

    /// Checks if there is room for another request.
    pub(in crate::signaling) fn has_room(&self) -> bool {
        self.queued.load(Ordering::Relaxed) < MAX_COMMANDS && !self.commands.is_closed()
    }

    /// Sends a command. Requests are sent after [`Self::has_room`]; leaves and spans always, of which
    /// there are no more than participants.
    pub(in crate::signaling) fn send(&self, shard: usize, command: RoomCommand) {
        let command = u8::try_from(shard).ok().and_then(|shard| Command::of(shard, command));
        if let Some(command) = command {
            self.queued.fetch_add(1, Ordering::Relaxed);
            // A stream that has broken says so by itself.
            let _ = self.commands.send(command.frame());
        }
    }

    /// Breaks the stream, so that the node keeps the links for another owner of the room.
    pub(in crate::signaling) fn cut(self) {
        self.task.abort();
    }
}

struct Queue {
    waiting: mpsc::UnboundedReceiver<Bytes>,
    queued: Arc<AtomicUsize>,
}

/// Runs a stream. Returns true if the room has ended it.
async fn run(
    cluster: &Cluster,
    node: &MediaNode,
    hello: Bytes,
    queue: Queue,
    events: &mpsc::Sender<RemoteEvent>,
) -> bool {
    let mut attempt = 1;
    let (sender, mut frames) = loop {
        let (mut sender, body) = Channel::new(QUEUE);
        let body = Body::new(body);
        let opened = cluster.open_stream(node.id, node.address, Service::Media, body).await;
        match opened {
            Ok(response) if sender.send_data(hello.clone()).await.is_ok() => {
                break (sender, Frames::new(response.into_body()));
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(node = %node.id, %error, "no links on a node"),
        }
        if attempt == ATTEMPTS {
            return false;
        }
        attempt += 1;
        sleep(PAUSE).await;
    };
    // Neither direction waits for the other.
    let is_ended = tokio::select! {
        is_ended = write(sender, queue) => is_ended,
        () = read(&mut frames, events) => false,
    };
    if is_ended {
        // A stream that is dropped is reset, and the node might not read the last message.
        let _ = timeout(CLOSE_TIMEOUT, read(&mut frames, events)).await;
    }
    is_ended
}

/// Sends commands. Returns true if the room has ended.
async fn write(mut sender: Sender<Bytes>, mut queue: Queue) -> bool {
    while let Some(command) = queue.waiting.recv().await {
        queue.queued.fetch_sub(1, Ordering::Relaxed);
        if sender.send_data(command).await.is_err() {
            return false;
        }
    }
    let _ = sender.send_data(Frame::Gone(Bytes::new()).encode()).await;
    true
}

async fn read(frames: &mut Frames, events: &mpsc::Sender<RemoteEvent>) {
    while let Some(frame) = frames.next().await {
        let Frame::Packet(bytes) = frame else { continue };
        if let Some(event) = RemoteSfuEvent::parse(&bytes) {
            // Without a receiver the room has ended.
            let _ = events.send(RemoteEvent::Sfu(event)).await;
        }
    }
}
