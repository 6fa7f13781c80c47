//! The log of a room in a cluster: its effects wait until the log has what they tell.

use std::future::pending;

use cluster::NodeId;
use room::{
    Connection, FromSfu,
    protocol::{ErrorBody, ErrorCode, ParticipantId, RefusedEvent, SfuRequestKind},
};
use tokio::{sync::oneshot, time::Instant};

use super::RoomTask;
use crate::signaling::{
    frozen_room::FrozenRoom,
    keeping::{Batch, Keeping, Kept},
    kept::Writing,
    lasting,
    pending_reply::PendingReply,
    room_client::RoomClient,
    room_message::RoomReceiver,
    sfu_port::SfuPort,
};

/// Waits until the log of a room in a cluster has something to do; forever without one.
pub(super) async fn wait(keeping: &mut Option<Box<Keeping>>) {
    match keeping {
        Some(keeping) => keeping.wait().await,
        None => pending().await,
    }
}

impl RoomTask {
    /// Holds the effects of an operator's request. Returns the entry that the operator waits for.
    pub(super) fn hold_operation(&mut self, must_wait: bool) -> Writing {
        let (written, writing) = match &mut self.keeping {
            Some(keeping) if must_wait => keeping.begin_wait(),
            _ => (None, Writing::Over(Ok(()))),
        };
        self.hold_effects(PendingReply::default(), must_wait, written);
        writing
    }

    /// Holds the room's effects until the log has them, and tells `written` of it.
    pub(super) fn hold_effects(
        &mut self,
        pending: PendingReply,
        must_keep: bool,
        written: Option<oneshot::Sender<()>>,
    ) {
        let Some(keeping) = &mut self.keeping else { return };
        let effects: Vec<_> = std::iter::from_fn(|| self.room.poll_effect()).collect();
        // Settings, rights and answers to polls may change without an event.
        let must_keep = self.room.take_unkept().is_some() || must_keep;
        if must_keep || !effects.is_empty() {
            let (room, opener, newest) = (&self.room, self.key.opener, keeping.newest());
            let (links, visits) =
                (|| self.sfu.as_ref().and_then(SfuPort::freeze), &mut self.visits);
            keeping.hold(Batch { effects, pending, must_keep, written }, || {
                let changes = room.changes_since(Instant::now().into_std(), newest);
                // Nobody restores a room that was ended for all.
                let changes = changes.filter(|_| !room.has_ended());
                let visits = visits.changes_for_log(Self::moment().milliseconds(), room);
                let changes = changes.map(|changes| {
                    FrozenRoom::changes(opener, changes, visits).with_links(links())
                });
                (changes.map(|changes| changes.to_bytes()).unwrap_or_default(), room.newest())
            });
        }
        self.apply_kept();
    }

    /// Applies the effects of which the log knows.
    pub(super) fn apply_kept(&mut self) {
        while let Some(kept) = self.keeping.as_mut().and_then(|keeping| keeping.poll()) {
            match kept {
                Kept::Apply { batch, is_kept } => self.apply_batch(batch, is_kept),
                Kept::SnapshotDue => self.add_snapshot(),
                Kept::Fenced => self.fenced = true,
            }
        }
    }

    /// Applies effects that waited. A decision that must last is answered once the log has it.
    fn apply_batch(&mut self, batch: Batch, is_kept: bool) {
        let Batch { effects, mut pending, written, .. } = batch;
        effects.into_iter().for_each(|effect| self.apply(effect, &mut pending));
        let decided = self.decided.take();
        let Some(keeping) = &mut self.keeping else { return };
        if let Some(written) = written {
            keeping.written(written, is_kept);
        }
        if let Some(ack) = decided {
            let (written, writing) = match is_kept {
                true => (None, Writing::Over(Ok(()))),
                false => keeping.begin_wait(),
            };
            written.into_iter().for_each(|written| keeping.written(written, false));
            lasting::answer(&self.hub, ack, writing);
        }
    }

    pub(super) fn add_snapshot(&mut self) {
        let now = Instant::now();
        let room = self.room.snapshot(now.into_std()).filter(|_| !self.room.has_ended());
        let (visits, call) = (self.visits.freeze(), self.history.freeze(now));
        let links = self.sfu.as_ref().and_then(SfuPort::freeze);
        let room = room.map(|room| FrozenRoom::new(self.key.opener, room, visits, call));
        let room = room.map(|room| room.with_links(links));
        let bytes = room.map(|room| room.to_bytes()).unwrap_or_default();
        if let Some(keeping) = &mut self.keeping {
            keeping.add_snapshot(bytes, self.room.newest());
        }
    }

    /// Has the log tell where links are, if that has changed.
    pub(super) fn keep_links(&mut self) {
        let sfu = self.sfu.as_mut().filter(|_| self.keeping.is_some());
        if sfu.is_some_and(SfuPort::take_changed) {
            self.hold_effects(PendingReply::default(), true, None);
        }
    }

    /// Identifies the process that has a participant's link to the media server, or will have it.
    pub(super) fn instance(&mut self, connection: Connection, id: &ParticipantId) -> String {
        let door = self.clients.get(&connection).and_then(RoomClient::door);
        if let Some(sfu) = &mut self.sfu {
            sfu.leave_bad_node(id, door);
            if let Some(client) = self.clients.get_mut(&connection)
                && !sfu.has_link(id)
            {
                client.linked_after = self.room.newest();
            }
        }
        let config = &self.hub.config;
        let Some(cluster) = config.cluster.as_ref().filter(|_| self.keeping.is_some()) else {
            return config.instance.clone();
        };
        cluster.instance(match &self.sfu {
            Some(sfu) => sfu.node_of(id, door),
            None => cluster.place_media(door).map(|node| node.id),
        })
    }

    /// Has participants resume whose links are on a node that drains: the answer tells them to begin
    /// new ones.
    pub(super) fn leave_node(&self, node: NodeId) {
        let Some(sfu) = &self.sfu else { return };
        for client in self.clients.values() {
            let member = client.member.as_ref();
            if member.is_some_and(|member| sfu.has_link_on(&member.id, node)) {
                client.guard.0.socket.cut();
            }
        }
    }

    /// The other node that has a participant's socket.
    pub(super) fn door_of(&self, id: &ParticipantId) -> Option<NodeId> {
        self.keeping.as_ref()?;
        let mut clients = self.clients.values();
        let is_theirs =
            |client: &&RoomClient| client.member.as_ref().is_some_and(|member| member.id == *id);
        clients.find(is_theirs).and_then(RoomClient::door)
    }

    /// Has a participant begin a new link, whose link is lost. One whose socket is lost as well, with
    /// the node that is gone or before, sees it when it resumes.
    pub(super) fn handle_lost_link(&mut self, id: &ParticipantId, gone: Option<NodeId>) {
        let is_theirs =
            |client: &RoomClient| client.member.as_ref().is_some_and(|member| member.id == *id);
        let mut clients = self.clients.values();
        if clients.any(|client| is_theirs(client) && (gone.is_none() || client.door() != gone)) {
            let message = "the server of the link is gone; begin a new one";
            // The page replaces a link after this code, and gives the media server up after others.
            let error = ErrorBody::new(ErrorCode::Invalid, message);
            let refused = RefusedEvent { what: SfuRequestKind::Offer, error };
            let now = Instant::now().into_std();
            self.room.handle_sfu(now, id, FromSfu::Refused(refused));
        }
    }

    /// Ends, since another node owns the room: its clients reconnect, and resume there.
    pub(super) fn yield_room(&mut self, receiver: &mut RoomReceiver) {
        // The new owner goes on with the call.
        self.frozen = true;
        self.visits.move_away(&self.room);
        receiver.close();
        for client in self.clients.values() {
            client.guard.0.socket.cut();
        }
        self.clients.clear();
        self.sfu.take().into_iter().for_each(SfuPort::abandon);
        self.keeping = None;
    }
}
