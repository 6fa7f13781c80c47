//! A room's log in a cluster: effects wait until the log has what they tell, so that a successor
//! knows all that anybody was told.

use std::{collections::VecDeque, future::pending, sync::Arc, time::Duration};

use cluster::{Answer, Entry, EntryKind, OwnedRoom, Payload, RoomEvent, Unanswered};
use room::{Effect, Event, Reply};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout},
};

use super::{
    frozen_room::FrozenRoom,
    kept::{Unwritten, Writing},
    pending_reply::PendingReply,
};
use crate::cluster::{Claim, Cluster, Held};

/// Time for the last entry of a room to be written.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Answers to decisions that may wait for the engine to be back.
const MAX_WAITS: usize = 64;

/// The log of a room that this node owns.
pub(super) struct Keeping {
    cluster: Arc<Cluster>,
    room: OwnedRoom<u64>,
    /// Effects in their order, each with the number by which it is released.
    held: VecDeque<(u64, Batch)>,
    next: u64,
    /// Number of the newest event that the log has, or will have.
    newest: u64,
    is_asking: bool,
    /// The engine does not take the log just now.
    is_unkept: bool,
    answers: mpsc::Receiver<Answered>,
    sender: mpsc::Sender<Answered>,
    /// Changes when others may have claimed the room.
    doubts: watch::Receiver<u64>,
    /// Decisions that left before the log had them, and wait until it has.
    waits: Vec<oneshot::Sender<()>>,
    places: Arc<Semaphore>,
    _held: Held,
}

type Answered = (u64, Result<Answer, Unanswered>);

/// Effects of one request, and what replies to it.
pub(super) struct Batch {
    pub(super) effects: Vec<Effect>,
    pub(super) pending: PendingReply,
    /// A successor must know of the request, whatever its effects.
    pub(super) must_keep: bool,
    /// Told once the log has the request.
    pub(super) written: Option<oneshot::Sender<()>>,
}

impl Batch {
    fn is_kept(&self) -> bool {
        self.must_keep || self.written.is_some() || self.effects.iter().any(is_kept)
    }
}

/// What the room's task is to do.
pub(super) enum Kept {
    /// Apply these effects.
    Apply {
        batch: Batch,
        /// The log has what they tell. Otherwise the engine is away.
        is_kept: bool,
    },
    /// Give a snapshot of the room to [`Keeping::add_snapshot`].
    SnapshotDue,
    /// End: another node owns the room.
    Fenced,
}

impl Keeping {
    pub(super) fn new(cluster: Arc<Cluster>, claim: Claim, held: Held) -> Self {
        let (sender, answers) = mpsc::channel(1);
        let doubts = cluster.doubts();
        Self {
            cluster,
            room: claim.room,
            held: VecDeque::new(),
            next: 0,
            newest: 0,
            is_asking: false,
            is_unkept: false,
            answers,
            sender,
            doubts,
            waits: Vec::new(),
            places: Arc::new(Semaphore::new(MAX_WAITS)),
            _held: held,
        }
    }

    /// Number of the newest event that the log has: later ones are in the next entry.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Holds effects until the log has them. `change` gives the room with its events since
    /// [`Keeping::newest`], as bytes, and the number of its newest event. It is called if there is
    /// something to keep.
    pub(super) fn hold(&mut self, batch: Batch, change: impl FnOnce() -> (Vec<u8>, u64)) {
        let now = Instant::now().into_std();
        self.next += 1;
        let number = self.next;
        let held = match batch.is_kept() {
            true => {
                let (bytes, newest) = change();
                self.newest = newest;
                self.room.append(now, Payload::from(bytes), number).map(drop)
            }
            false => self.room.pass(now, number),
        };
        // Without the room nothing may leave.
        if held.is_ok() {
            self.held.push_back((number, batch));
        }
    }

    /// Adds the snapshot that was due, with all events so far.
    pub(super) fn add_snapshot(&mut self, bytes: Vec<u8>, newest: u64) {
        self.newest = newest;
        // Without the room, `Kept::Fenced` follows.
        let _ = self.room.append_snapshot(Instant::now().into_std(), Payload::from(bytes));
    }

    /// Begins to wait for a decision that the log is to have.
    pub(super) fn begin_wait(&mut self) -> (Option<oneshot::Sender<()>>, Writing) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return (None, Writing::Over(Err(Unwritten)));
        };
        let (written, waiting) = oneshot::channel();
        (Some(written), Writing::Waiting { written: waiting, place })
    }

    /// Tells of a decision that the log has it; while the engine is away, once it has.
    pub(super) fn written(&mut self, written: oneshot::Sender<()>, is_kept: bool) {
        if is_kept {
            // The operator may have given up.
            let _ = written.send(());
        } else {
            self.waits.retain(|wait| !wait.is_closed());
            self.waits.push(written);
        }
    }

    /// The next thing to do; sends requests to the engine.
    pub(super) fn poll(&mut self) -> Option<Kept> {
        let now = Instant::now().into_std();
        loop {
            let event = self.room.poll_event();
            if event.is_none() {
                self.send_request(now);
            }
            match event? {
                RoomEvent::Released(released) => {
                    // A batch that was refused has no number here.
                    let is_next = |(number, _): &(u64, Batch)| *number == released.output;
                    if let Some((_, batch)) = self.held.pop_front_if(|held| is_next(held)) {
                        return Some(Kept::Apply { batch, is_kept: released.is_kept });
                    }
                }
                RoomEvent::SnapshotDue => return Some(Kept::SnapshotDue),
                RoomEvent::Fenced(_) => {
                    self.cluster.note_fenced();
                    return Some(Kept::Fenced);
                }
                RoomEvent::Unkept => self.note_unkept(true),
                RoomEvent::Kept => {
                    self.note_unkept(false);
                    for wait in self.waits.drain(..) {
                        // Those who asked may have given up.
                        let _ = wait.send(());
                    }
                }
                RoomEvent::Owned(..) | RoomEvent::Elsewhere(_) | RoomEvent::Orphaned(_) => {}
            }
        }
    }

    fn note_unkept(&mut self, is_unkept: bool) {
        if self.is_unkept != is_unkept {
            self.is_unkept = is_unkept;
            self.cluster.note_unkept(is_unkept);
        }
    }

    fn send_request(&mut self, now: std::time::Instant) {
        if self.is_asking {
            return;
        }
        let Some((id, request)) = self.room.poll_request(now) else { return };
        self.is_asking = true;
        let (engine, sender) = (self.cluster.engine().clone(), self.sender.clone());
        tokio::spawn(async move {
            let answer = engine.request(request).await.map_err(Unanswered::from);
            let _ = sender.send((id, answer)).await;
        });
    }

    /// Waits for an answer of the engine, or until time is up for something. Cancel-safe.
    pub(super) async fn wait(&mut self) {
        let due = self.room.poll_timeout().map(Instant::from_std);
        let timer = async move {
            match due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        tokio::select! {
            Some((id, answer)) = self.answers.recv() => {
                self.is_asking = false;
                self.room.handle_answer(Instant::now().into_std(), id, answer);
            }
            () = timer => {}
            Ok(()) = self.doubts.changed() => self.room.check(Instant::now().into_std()),
        }
        self.room.handle_timeout(Instant::now().into_std());
    }

    /// The cluster, if its engine takes the log just now.
    pub(super) fn cluster(&self) -> Option<Arc<Cluster>> {
        (!self.is_unkept).then(|| Arc::clone(&self.cluster))
    }

    /// Asks soon whether this node still owns the room.
    pub(super) fn check(&mut self) {
        self.room.check(Instant::now().into_std());
    }

    /// True while effects wait for the log.
    pub(super) fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    /// Writes that the room has ended, so that nobody restores it.
    pub(super) async fn close(mut self) {
        let nothing = Batch {
            effects: Vec::new(),
            pending: PendingReply::default(),
            must_keep: true,
            written: None,
        };
        self.next += 1;
        let last = self.next;
        let now = Instant::now().into_std();
        if self.room.append(now, Payload::from([]), last).is_err() {
            return;
        }
        self.held.push_back((last, nothing));
        let written = async {
            loop {
                while let Some(kept) = self.poll() {
                    match kept {
                        Kept::Apply { .. } => return,
                        Kept::SnapshotDue => self.add_snapshot(Vec::new(), 0),
                        Kept::Fenced => return,
                    }
                }
                self.wait().await;
            }
        };
        // Without the engine the log ends by itself.
        let _ = timeout(CLOSE_TIMEOUT, written).await;
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.note_unkept(false);
    }
}

/// True for what a successor must know. Signals between participants pass: whoever resumes starts
/// them anew. What the media server says passes, too: a snapshot does not have these events, and
/// would be written with all members and links for each of them.
fn is_kept(effect: &Effect) -> bool {
    match effect {
        Effect::Reply { reply, .. } => matches!(reply, Ok(Reply::Admitted(_) | Reply::Invited(_))),
        Effect::Send { event, number, .. } => {
            let passes = matches!(
                **event,
                Event::Message { .. } | Event::Subscribed(_) | Event::Wanted(_) | Event::Refused(_)
            );
            number.is_some() && !passes
        }
        Effect::Summary(_) | Effect::Admit { .. } | Effect::Dismiss { .. } | Effect::Detach(_) => {
            true
        }
        Effect::Sfu { .. } | Effect::Unlink(_) | Effect::Closed => false,
    }
}

/// The room that a log restores; `None` if it has ended, or nothing is known of it.
pub(super) fn restored(log: &[Entry]) -> Option<FrozenRoom> {
    let mut room: Option<FrozenRoom> = None;
    for entry in log.iter().filter(|entry| entry.kind != EntryKind::Claim) {
        if entry.payload.is_empty() {
            room = None;
            continue;
        }
        match serde_json::from_slice::<FrozenRoom>(&entry.payload) {
            Ok(next) => {
                room = match room {
                    Some(room) if entry.kind == EntryKind::Event => Some(room.followed_by(next)),
                    _ => Some(next),
                };
            }
            Err(error) => tracing::warn!(%error, "an entry of a room's log can't be read"),
        }
    }
    room
}
