//! What happens in rooms, for receivers outside.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use room::rights::Role;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// Events that wait for their task, which is busy for some microseconds with each.
const CAPACITY: usize = 4096;

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum EventKind {
    RoomStarted,
    RoomFinished,
    ParticipantJoined,
    ParticipantLeft,
}

impl EventKind {
    pub(crate) const ALL: [Self; 4] =
        [Self::RoomStarted, Self::RoomFinished, Self::ParticipantJoined, Self::ParticipantLeft];

    /// The kind of a name in our own form.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name in our own form.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RoomStarted => "room.started",
            Self::RoomFinished => "room.finished",
            Self::ParticipantJoined => "participant.joined",
            Self::ParticipantLeft => "participant.left",
        }
    }

    /// The name in LiveKit's form.
    pub(crate) fn livekit_name(self) -> &'static str {
        match self {
            Self::RoomStarted => "room_started",
            Self::RoomFinished => "room_finished",
            Self::ParticipantJoined => "participant_joined",
            Self::ParticipantLeft => "participant_left",
        }
    }
}

/// An event of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoomEvent {
    pub(crate) kind: EventKind,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    /// Rises by one with each event of the room.
    pub(crate) seq: u64,
    pub(crate) room: EventRoom,
    pub(crate) participant: Option<Visitor>,
}

/// The room of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EventRoom {
    /// Identifies the room among all that ever had its name.
    pub(crate) id: String,
    pub(crate) name: String,
    /// Milliseconds since 1970.
    pub(crate) opened: i64,
    pub(crate) capacity: u32,
    pub(crate) participants: u32,
    pub(crate) metadata: String,
}

/// The participant of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Visitor {
    pub(crate) id: String,
    /// Identity of its token, if it joined with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<String>,
    pub(crate) name: String,
    pub(crate) role: Option<Role>,
    /// Milliseconds since 1970.
    pub(crate) joined: i64,
}

/// A room that goes on here, and that an earlier process or another server has told of.
#[derive(Debug)]
pub(crate) struct OngoingRoom {
    pub(crate) room: EventRoom,
    /// Number of its last event.
    pub(crate) seq: u64,
    /// Participants whose joins were told.
    pub(crate) visitors: Vec<Visitor>,
}

/// What is heard of a room.
#[derive(Debug)]
pub(super) enum RoomNews {
    Event(RoomEvent),
    GoesOn(OngoingRoom),
    /// Another server has it, and tells what happens in it.
    MovedAway(EventRoom),
}

/// Sending end of the rooms' events. Never waits: what does not fit is dropped and counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoomEvents(Option<Arc<Feed>>);

#[derive(Debug)]
struct Feed {
    sender: mpsc::Sender<RoomNews>,
    dropped: AtomicU64,
    /// Ids of the open rooms, with which the reader compares what it knows when events were dropped.
    /// As many as there may be rooms.
    open: Mutex<BTreeSet<String>>,
}

impl Feed {
    fn send(&self, news: RoomNews) {
        if self.sender.try_send(news).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl RoomEvents {
    /// A feed that nobody reads.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// A feed and its receiving end.
    pub(super) fn new() -> (Self, mpsc::Receiver<RoomNews>) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        (
            Self(Some(Arc::new(Feed {
                sender,
                dropped: AtomicU64::new(0),
                open: Mutex::default(),
            }))),
            receiver,
        )
    }

    /// Returns whether anybody reads the events.
    pub(crate) fn has_receiver(&self) -> bool {
        self.0.is_some()
    }

    /// A room goes on that an earlier process or another server had.
    pub(crate) fn goes_on(&self, room: OngoingRoom) {
        if let Some(feed) = &self.0 {
            feed.open.lock().insert(room.room.id.clone());
            feed.send(RoomNews::GoesOn(room));
        }
    }

    /// Another server has a room.
    pub(crate) fn moves_away(&self, room: EventRoom) {
        if let Some(feed) = &self.0 {
            feed.open.lock().remove(&room.id);
            feed.send(RoomNews::MovedAway(room));
        }
    }

    /// Passes an event on.
    pub(crate) fn publish(&self, event: RoomEvent) {
        let Some(feed) = &self.0 else { return };
        match event.kind {
            EventKind::RoomStarted => drop(feed.open.lock().insert(event.room.id.clone())),
            EventKind::RoomFinished => drop(feed.open.lock().remove(&event.room.id)),
            EventKind::ParticipantJoined | EventKind::ParticipantLeft => {}
        }
        feed.send(RoomNews::Event(event));
    }

    /// Ids of the open rooms.
    pub(super) fn open_rooms(&self) -> BTreeSet<String> {
        self.0.as_ref().map(|feed| feed.open.lock().clone()).unwrap_or_default()
    }

    /// Number of events that did not fit.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.as_ref().map_or(0, |feed| feed.dropped.load(Ordering::Relaxed))
    }
}
