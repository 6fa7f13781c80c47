//! A room on a node: whether the node owns it, and what may leave it.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::{
    engine::{Answer, Entry, OwnerStatus, Payload, Request, RoomKey, Top, Unanswered},
    epoch::{Epoch, EventNumber},
    gate::{Gate, Released},
    log::{LogStatus, RoomLog, Verdict},
    node::NodeId,
};

/// Time after which the log's expiry is put off though nothing changed.
pub const TOUCH: Duration = Duration::from_secs(40);
/// Time after which a changed room is due for a snapshot.
const SNAPSHOT_INTERVAL: Duration = Duration::from_secs(60);
/// Pause before a request without an answer is sent again.
const RETRY: Duration = Duration::from_millis(100);

/// An action or a fact for the caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RoomEvent<T> {
    /// The room belongs to a node that is alive, as far as the engine knows.
    Elsewhere(Top),
    /// The room belongs to a node whose lease has ended. The caller may [`OwnedRoom::claim`] it.
    Orphaned(Top),
    /// The node owns the room. It is restored from these entries, then a snapshot is due.
    Owned(Epoch, Vec<Entry>),
    /// The caller must give a snapshot of the room with all events so far.
    SnapshotDue,
    /// An effect may be carried out.
    Released(Released<T>),
    /// The engine is away: effects no longer wait for it.
    Unkept,
    /// The engine answers again, and effects wait for it.
    Kept,
    /// Another node owns the room. The effects that waited are dropped.
    Fenced(Top),
}

/// The node does not own the room, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this node does not own the room")]
pub struct NotOwner;

/// The current request, which decides about the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Purpose {
    Find,
    Claim,
    Read(Epoch),
    Append,
    ClaimAgain,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum State<T> {
    /// Nothing is known.
    Idle,
    /// The owner is to be found.
    Finding,
    /// Another node owns it.
    Elsewhere(Top),
    /// The epoch after this one is to be claimed.
    Claiming(Option<Epoch>),
    /// Claimed; the log is to be read.
    Reading(Epoch),
    Owned(Box<Owned<T>>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Owned<T> {
    log: RoomLog,
    gate: Gate<T>,
    /// The caller was asked for a snapshot.
    is_snapshot_asked: bool,
    /// The epoch after which the room is claimed again.
    claim_again: Option<Option<Epoch>>,
    touch_at: Instant,
    snapshot_at: Instant,
    is_unkept: bool,
}

/// A room on a node, with effects `T` of its events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwnedRoom<T> {
    me: NodeId,
    room: RoomKey,
    state: State<T>,
    /// The request on its way.
    asked: Option<(u64, Purpose)>,
    last_request: u64,
    retry_at: Option<Instant>,
    /// The highest epoch that this node ever heard of.
    above: Epoch,
    events: VecDeque<RoomEvent<T>>,
}

impl<T> OwnedRoom<T> {
    /// A room that this node knows nothing of.
    #[must_use]
    pub fn new(me: NodeId, room: RoomKey) -> Self {
        Self {
            me,
            room,
            state: State::Idle,
            asked: None,
            last_request: 0,
            retry_at: None,
            above: Epoch::default(),
            events: VecDeque::new(),
        }
    }

    /// Finds the room's owner, or becomes it if there is none.
    pub fn open(&mut self) {
        if matches!(self.state, State::Idle | State::Elsewhere(_)) {
            self.turn(State::Finding);
        }
    }

    /// Opens a room without the engine, which is away for all nodes: they agree that this one should.
    /// It is unkept until the engine takes its claim. `epoch` is the second since 2026 by the own
    /// clock. Meanwhile another node may have claimed the room; the higher epoch wins.
    pub fn open_unkept(&mut self, now: Instant, epoch: Epoch) -> EventNumber {
        let epoch = epoch.max(self.above);
        self.above = epoch;
        let log = RoomLog::unclaimed(self.room, self.me, epoch);
        let first = log.assigned();
        self.turn(State::Owned(Box::new(Owned {
            log,
            gate: Gate::opened(EventNumber::first(epoch)),
            is_snapshot_asked: true,
            claim_again: Some(None),
            touch_at: now + TOUCH,
            snapshot_at: now + SNAPSHOT_INTERVAL,
            is_unkept: true,
        })));
        self.events.clear();
        self.events.extend([RoomEvent::SnapshotDue, RoomEvent::Unkept]);
        first
    }

    /// Claims a room whose owner is believed to be gone. If another node was faster, the room is its.
    pub fn claim(&mut self) {
        if let State::Elsewhere(top) = self.state {
            self.turn(State::Claiming(Some(top.number.epoch())));
        }
    }

    /// Asks soon whether this node still owns the room. Needed after its lease had ended and after each
    /// new connection to the engine, since an idle room would not notice for [`TOUCH`].
    pub fn check(&mut self, now: Instant) {
        if let State::Owned(owned) = &mut self.state {
            owned.touch_at = now;
        }
    }

    /// The epoch in which this node owns the room.
    #[must_use]
    pub fn owned(&self) -> Option<Epoch> {
        self.log().map(RoomLog::epoch)
    }

    /// The relation between room and log, on the owner.
    #[must_use]
    pub fn log_status(&self) -> Option<LogStatus> {
        self.log().map(RoomLog::status)
    }

    /// True if effects leave before the log has them.
    #[must_use]
    pub fn is_unkept(&self) -> bool {
        matches!(&self.state, State::Owned(owned) if owned.is_unkept)
    }

    fn log(&self) -> Option<&RoomLog> {
        match &self.state {
            State::Owned(owned) => Some(&owned.log),
            _ => None,
        }
    }

    /// Appends an event to the log. `output` is released when the log has it.
    ///
    /// # Errors
    ///
    /// Fails if this node does not own the room, or the epoch's numbers are used up, which ends as
    /// soon as the engine answers.
    pub fn append(
        &mut self,
        now: Instant,
        event: Payload,
        output: T,
    ) -> Result<EventNumber, NotOwner> {
        let State::Owned(owned) = &mut self.state else { return Err(NotOwner) };
        let number = owned.log.append(event).ok_or(NotOwner)?;
        let opened = owned.gate.hold(now, number, output);
        if opened {
            Self::go_unkept(owned, &mut self.events);
        }
        self.ask_for_snapshot();
        Ok(number)
    }

    /// Releases `output`, which is not in the log, after all that was appended before it.
    ///
    /// # Errors
    ///
    /// Fails if this node does not own the room.
    pub fn pass(&mut self, now: Instant, output: T) -> Result<(), NotOwner> {
        let State::Owned(owned) = &mut self.state else { return Err(NotOwner) };
        if owned.gate.hold(now, owned.log.assigned(), output) {
            Self::go_unkept(owned, &mut self.events);
        }
        Ok(())
    }

    /// Appends the snapshot that was due. It must have all events that were appended.
    ///
    /// # Errors
    ///
    /// Fails if this node does not own the room, or the epoch's numbers are used up.
    pub fn append_snapshot(
        &mut self,
        now: Instant,
        snapshot: Payload,
    ) -> Result<EventNumber, NotOwner> {
        let State::Owned(owned) = &mut self.state else { return Err(NotOwner) };
        let number = owned.log.append_snapshot(snapshot).ok_or(NotOwner)?;
        owned.is_snapshot_asked = false;
        owned.snapshot_at = now + SNAPSHOT_INTERVAL;
        Ok(number)
    }

    /// The next request, with an id that its answer must have.
    pub fn poll_request(&mut self, now: Instant) -> Option<(u64, Request)> {
        if self.asked.is_some() || self.retry_at.is_some_and(|at| now < at) {
            return None;
        }
        let (room, node, above) = (self.room, self.me, self.above);
        let (asked, request) = match &mut self.state {
            State::Idle | State::Elsewhere(_) => return None,
            State::Finding => (Purpose::Find, Request::Find { room }),
            State::Claiming(seen) => {
                (Purpose::Claim, Request::Claim { room, seen: *seen, above, node })
            }
            State::Reading(epoch) => (Purpose::Read(*epoch), Request::Read { room }),
            State::Owned(owned) => {
                if owned.claim_again.is_none() && owned.log.must_claim_again() {
                    owned.claim_again = Some(Some(owned.log.epoch()));
                }
                if let Some(seen) = owned.claim_again {
                    (Purpose::ClaimAgain, Request::Claim { room, seen, above, node })
                } else if let Some(request) = owned.log.poll_append() {
                    (Purpose::Append, request)
                } else if now >= owned.touch_at {
                    (Purpose::Append, owned.log.touch()?)
                } else {
                    return None;
                }
            }
        };
        self.retry_at = None;
        self.last_request += 1;
        self.asked = Some((self.last_request, asked));
        Some((self.last_request, request))
    }

    /// The engine's answer to a request, or the news that none comes.
    pub fn handle_answer(&mut self, now: Instant, id: u64, answer: Result<Answer, Unanswered>) {
        let Some((_, asked)) = self.asked.filter(|asked| asked.0 == id) else { return };
        self.asked = None;
        match answer {
            Ok(answer) => self.handle_answered(now, asked, answer),
            Err(Unanswered) => self.handle_unanswered(now),
        }
        self.ask_for_snapshot();
    }

    fn handle_unanswered(&mut self, now: Instant) {
        self.retry_at = Some(now + RETRY);
        match &mut self.state {
            State::Owned(owned) => owned.log.handle_unanswered(),
            // If it was done, `seen` has changed.
            State::Claiming(_) => self.state = State::Finding,
            _ => {}
        }
    }

    fn handle_answered(&mut self, now: Instant, asked: Purpose, answer: Answer) {
        match (asked, answer) {
            (Purpose::Find, Answer::Owner(found)) => self.handle_found(found),
            (Purpose::Claim, Answer::Claimed(epoch)) => {
                self.above = self.above.max(epoch);
                self.turn(State::Reading(epoch));
            }
            (Purpose::Claim | Purpose::ClaimAgain, Answer::TooSoon) => {
                self.retry_at = Some(now + RETRY);
            }
            (Purpose::Claim, Answer::Occupied(top)) => self.handle_taken(top),
            (Purpose::Read(epoch), Answer::Log(log)) => self.handle_log(now, epoch, log),
            (Purpose::Append, Answer::Appended) => self.handle_appended(now),
            (Purpose::Append, Answer::Diverged(top)) => self.handle_diverged(now, top),
            (Purpose::ClaimAgain, Answer::Claimed(epoch)) => self.handle_claimed_again(now, epoch),
            (Purpose::ClaimAgain, Answer::Occupied(top)) => self.handle_occupied(top),
            // A driver that answers something else has not answered.
            _ => self.handle_unanswered(now),
        }
    }

    fn handle_found(&mut self, found: Option<OwnerStatus>) {
        let Some(OwnerStatus { top, is_leased }) = found else {
            self.turn(State::Claiming(None));
            return;
        };
        self.above = self.above.max(top.number.epoch());
        if top.writer == self.me {
            // A claim whose answer was lost, or one of an earlier life of this room here. Its numbers
            // may have been used.
            self.turn(State::Claiming(Some(top.number.epoch())));
            return;
        }
        self.turn(State::Elsewhere(top));
        let event = if is_leased { RoomEvent::Elsewhere(top) } else { RoomEvent::Orphaned(top) };
        self.events.push_back(event);
    }

    /// Another node was faster, or the log is not what it was.
    fn handle_taken(&mut self, top: Option<Top>) {
        match top {
            // It has just claimed the room, so it need not be asked whether its lease lives.
            Some(top) if top.writer != self.me => {
                self.above = self.above.max(top.number.epoch());
                self.turn(State::Elsewhere(top));
                self.events.push_back(RoomEvent::Elsewhere(top));
            }
            _ => self.turn(State::Finding),
        }
    }

    fn handle_log(&mut self, now: Instant, epoch: Epoch, log: Vec<Entry>) {
        let mine = EventNumber::first(epoch);
        let last = log.last().map(|entry| Top { number: entry.number, writer: entry.writer });
        // Without its claim at the end, the room was claimed again, or the engine forgot.
        if last != Some(Top { number: mine, writer: self.me }) {
            self.turn(State::Finding);
            return;
        }
        self.turn(State::Owned(Box::new(Owned {
            log: RoomLog::new(self.room, self.me, epoch),
            gate: Gate::new(mine),
            is_snapshot_asked: true,
            claim_again: None,
            touch_at: now + TOUCH,
            snapshot_at: now + SNAPSHOT_INTERVAL,
            is_unkept: false,
        })));
        self.events.push_back(RoomEvent::Owned(epoch, log));
        self.events.push_back(RoomEvent::SnapshotDue);
    }

    fn handle_appended(&mut self, now: Instant) {
        let State::Owned(owned) = &mut self.state else { return };
        owned.touch_at = now + TOUCH;
        if let Some(kept) = owned.log.handle_appended() {
            Self::keep(owned, &mut self.events, kept);
        }
    }

    fn handle_diverged(&mut self, now: Instant, top: Option<Top>) {
        let State::Owned(owned) = &mut self.state else { return };
        owned.touch_at = now + TOUCH;
        match owned.log.handle_diverged(top) {
            (Verdict::Owner, Some(kept)) => Self::keep(owned, &mut self.events, kept),
            (Verdict::Owner, None) => {}
            (Verdict::ClaimedLate(epoch), _) => owned.claim_again = Some(Some(epoch)),
            (Verdict::Fenced(top), _) => self.yield_to(top),
        }
    }

    fn handle_claimed_again(&mut self, now: Instant, epoch: Epoch) {
        let State::Owned(owned) = &mut self.state else { return };
        self.above = self.above.max(epoch);
        owned.claim_again = None;
        owned.touch_at = now + TOUCH;
        owned.log.begin(epoch);
    }

    /// The room could not be claimed again after the epoch that was believed to be its last.
    fn handle_occupied(&mut self, top: Option<Top>) {
        let State::Owned(owned) = &mut self.state else { return };
        let known = owned.log.epoch();
        match top {
            Some(top) if top.writer != self.me && top.number.epoch() >= known => self.yield_to(top),
            top => owned.claim_again = Some(top.map(|top| top.number.epoch())),
        }
    }

    fn keep(owned: &mut Owned<T>, events: &mut VecDeque<RoomEvent<T>>, kept: EventNumber) {
        owned.gate.keep(kept);
        Self::release(owned, events);
        if owned.is_unkept && owned.log.fits_one_batch() {
            owned.is_unkept = false;
            owned.gate.close();
            events.push_back(RoomEvent::Kept);
        }
    }

    fn go_unkept(owned: &mut Owned<T>, events: &mut VecDeque<RoomEvent<T>>) {
        owned.is_unkept = true;
        events.push_back(RoomEvent::Unkept);
    }

    /// Moves what the gate lets out behind the events so far.
    fn release(owned: &mut Owned<T>, events: &mut VecDeque<RoomEvent<T>>) {
        while let Some(released) = owned.gate.poll() {
            events.push_back(RoomEvent::Released(released));
        }
    }

    fn yield_to(&mut self, top: Top) {
        self.above = self.above.max(top.number.epoch());
        self.events.retain(|event| !matches!(event, RoomEvent::SnapshotDue));
        self.turn(State::Elsewhere(top));
        self.events.push_back(RoomEvent::Fenced(top));
    }

    fn turn(&mut self, state: State<T>) {
        self.state = state;
        self.asked = None;
    }

    fn ask_for_snapshot(&mut self) {
        let State::Owned(owned) = &mut self.state else { return };
        if owned.log.is_snapshot_due() && !owned.is_snapshot_asked {
            owned.is_snapshot_asked = true;
            self.events.push_back(RoomEvent::SnapshotDue);
        }
    }

    /// The next event. All must be handled before time passes.
    pub fn poll_event(&mut self) -> Option<RoomEvent<T>> {
        if let State::Owned(owned) = &mut self.state {
            Self::release(owned, &mut self.events);
        }
        self.events.pop_front()
    }

    /// The time at which [`OwnedRoom::handle_timeout`] or [`OwnedRoom::poll_request`] has something
    /// to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let retry = self.retry_at.filter(|_| self.asked.is_none());
        let State::Owned(owned) = &self.state else { return retry };
        let touch =
            self.asked.is_none().then(|| owned.touch_at.max(retry.unwrap_or(owned.touch_at)));
        let snapshot =
            (owned.log.has_changed() && !owned.is_snapshot_asked).then_some(owned.snapshot_at);
        [retry, touch, snapshot, owned.gate.poll_timeout()].into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        let State::Owned(owned) = &mut self.state else { return };
        if owned.gate.handle_timeout(now) {
            Self::go_unkept(owned, &mut self.events);
        }
        if now >= owned.snapshot_at && owned.log.has_changed() && !owned.is_snapshot_asked {
            owned.is_snapshot_asked = true;
            self.events.push_back(RoomEvent::SnapshotDue);
        }
    }
}
