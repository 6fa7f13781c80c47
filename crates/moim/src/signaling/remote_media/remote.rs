//! A room's stream to a node that has links of its participants.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
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
    time::{Instant, sleep, timeout},
};

use super::{
    last_requests::LastRequests,
    wire::{Command, Hello, Order, RemoteSfuEvent},
};
use crate::{
    cluster::{Cluster, Frame, Frames, LinkError, MediaNode, Service},
    shard::sfu::{EventSender, RoomCommand},
};

/// Commands that may wait for a node. Beyond that, requests are refused and may be repeated.
const MAX_COMMANDS: usize = 1024;
/// Time for a node to end a stream after the room has.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Frames that wait for the stream.
const QUEUE: usize = 16;
/// Attempts to reach a node, fewer where people have links there, and the pause between them.
const ATTEMPTS: u32 = 3;
const ATTEMPTS_AGAIN: u32 = 2;
const PAUSE: Duration = Duration::from_millis(250);
/// A stream that breaks so often is not opened again, unless it lasted for a while.
const MAX_BREAKS: u32 = 3;
const LASTING: Duration = Duration::from_secs(10);

/// Event of a stream, for its room.
#[derive(Debug)]
pub(in crate::signaling) enum RemoteEvent {
    Sfu(RemoteSfuEvent),
    /// The stream of this order has ended, and not by the room.
    Ended(NodeId, Order, StreamEnd),
}

/// The end of a stream that the room has not ended.
#[derive(Debug)]
pub(in crate::signaling) enum StreamEnd {
    /// It broke. The node keeps the links for a while, if it lives.
    Broken,
    /// The node was not reached.
    Unreached(LinkError),
}

/// The room's end of a stream. The stream ends in order when this is dropped.
#[derive(Debug)]
pub(in crate::signaling) struct RemoteNode {
    node: MediaNode,
    order: Order,
    commands: mpsc::UnboundedSender<Bytes>,
    queued: Arc<AtomicUsize>,
    last: LastRequests,
    /// The node has answered.
    is_open: Arc<AtomicBool>,
    /// It began with links that are there.
    has_kept: bool,
    begun: Instant,
    /// Times that it broke soon after it began.
    breaks: u32,
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
        Self::begin(cluster, node, beginning, events, ATTEMPTS)
    }

    /// Returns whether a stream that broke may begin again: it must not break too often.
    pub(in crate::signaling) fn may_reopen(&self) -> bool {
        self.begun.elapsed() > LASTING || self.breaks < MAX_BREAKS
    }

    /// Begins the stream again after it broke, and repeats what may not have arrived.
    pub(in crate::signaling) fn reopen(
        self,
        cluster: Arc<Cluster>,
        beginning: Beginning,
        events: mpsc::Sender<RemoteEvent>,
    ) -> Self {
        let breaks = if self.begun.elapsed() > LASTING { 1 } else { self.breaks + 1 };
        let mut next = Self::begin(cluster, self.node, beginning, events, ATTEMPTS_AGAIN);
        (next.breaks, next.has_kept) = (breaks, true);
        self.last.into_commands().for_each(|(_, command)| next.send_command(command));
        next
    }

    fn begin(
        cluster: Arc<Cluster>,
        node: MediaNode,
        beginning: Beginning,
        events: mpsc::Sender<RemoteEvent>,
        attempts: u32,
    ) -> Self {
        let Beginning { room, order, peers } = beginning;
        let has_kept = !peers.is_empty();
        let hello = Hello::new(room, order, peers).frame();
        let (commands, waiting) = mpsc::unbounded_channel();
        let queued = Arc::<AtomicUsize>::default();
        let queue = Queue { waiting, queued: Arc::clone(&queued) };
        let is_open = Arc::<AtomicBool>::default();
        let (to, opened) = (node.clone(), Arc::clone(&is_open));
        let task = tokio::spawn(async move {
            let ended = match open(&cluster, &to, hello, attempts).await {
                Ok((sender, frames)) => {
                    opened.store(true, Ordering::Relaxed);
                    let is_closed = run(sender, frames, queue, &events).await;
                    (!is_closed).then_some(StreamEnd::Broken)
                }
                Err(error) => Some(StreamEnd::Unreached(error)),
            };
            if let Some(end) = ended {
                // Without a receiver the room has ended.
                let _ = events.send(RemoteEvent::Ended(to.id, order, end)).await;
            }
        });
        Self {
            node,
            order,
            commands,
            queued,
            last: LastRequests::default(),
            is_open,
            has_kept,
            begun: Instant::now(),
            breaks: 0,
            task: task.abort_handle(),
        }
    }

    /// The order of the stream.
    pub(in crate::signaling) fn order(&self) -> Order {
        self.order
    }

    /// Its number of shards.
    pub(in crate::signaling) fn shards(&self) -> usize {
        self.node.shards
    }

    /// True if the node may have links of the room: it has answered, or an earlier stream began them.
    pub(in crate::signaling) fn has_begun(&self) -> bool {
        self.has_kept || self.is_open()
    }

    /// True if it broke, and the node has not answered yet.
    pub(in crate::signaling) fn is_reopening(&self) -> bool {
        self.breaks > 0 && !self.is_open()
    }

    /// True once the node has answered.
    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// Checks if there is room for another request.
    pub(in crate::signaling) fn has_room(&self) -> bool {
        self.queued.load(Ordering::Relaxed) < MAX_COMMANDS && !self.commands.is_closed()
    }

    /// Sends a command. Requests are sent after [`Self::has_room`]; leaves and spans always, of which
    /// there are no more than participants.
    pub(in crate::signaling) fn send(&mut self, shard: usize, command: RoomCommand) {
        let command = u8::try_from(shard).ok().and_then(|shard| Command::of(shard, command));
        if let Some(command) = command {
            self.send_command(command);
        }
    }

    fn send_command(&mut self, command: Command) {
        self.queued.fetch_add(1, Ordering::Relaxed);
        // A stream that has broken says so by itself.
        let _ = self.commands.send(command.frame());
        self.last.note(command);
    }

    /// Notes that the node has answered or refused a peer's offer.
    pub(in crate::signaling) fn note_answer(&mut self, peer: PeerId) {
        self.last.note_answer(peer);
    }

    /// The requests that the node has not had, for another one.
    pub(in crate::signaling) fn into_requests(
        self,
        room: RoomId,
        events: &EventSender,
    ) -> Vec<(PeerId, RoomCommand)> {
        let commands = self.last.into_commands();
        commands.map(|(peer, command)| (peer, command.into_command(room, events))).collect()
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

/// Opens a stream.
async fn open(
    cluster: &Cluster,
    node: &MediaNode,
    hello: Bytes,
    attempts: u32,
) -> Result<(Sender<Bytes>, Frames), LinkError> {
    let mut attempt = 1;
    loop {
        let (mut sender, body) = Channel::new(QUEUE);
        let body = Body::new(body);
        let opened = cluster.open_stream(node.id, node.address, Service::Media, body).await;
        let error = match opened {
            Ok(response) if sender.send_data(hello.clone()).await.is_ok() => {
                return Ok((sender, Frames::new(response.into_body())));
            }
            Ok(_) => LinkError::Unreachable("it ended the stream".to_owned()),
            Err(error) => error,
        };
        if attempt == attempts || error.tells_of_its_end() {
            return Err(error);
        }
        tracing::debug!(node = %node.id, %error, "no links on a node yet");
        attempt += 1;
        sleep(PAUSE).await;
    }
}

/// Runs a stream. Returns true if the room has ended it.
async fn run(
    sender: Sender<Bytes>,
    mut frames: Frames,
    queue: Queue,
    events: &mpsc::Sender<RemoteEvent>,
) -> bool {
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
