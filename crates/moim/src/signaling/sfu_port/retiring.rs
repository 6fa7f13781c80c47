//! Links that live on for a while beside their participants' next ones, so that nobody loses media.

use std::time::Duration;

use room::protocol::ParticipantId;
use sfu::Permissions;
use tokio::time::Instant;

use super::SfuPort;
use crate::shard::sfu::Request;

/// Time after which a retired link ends, if its client has not ended it before.
const RETIRED: Duration = Duration::from_secs(10);

impl SfuPort {
    /// Returns whether a participant's link has begun, and is not retired.
    pub(in crate::signaling) fn has_link(&self, id: &ParticipantId) -> bool {
        self.placement.place(id).is_some()
    }

    /// Retires a participant's link. One that was retired before ends.
    pub(super) fn retire(&mut self, id: &ParticipantId) {
        self.end_retired(id);
        let until = Instant::now() + RETIRED;
        let Some(retired) = self.placement.retire(id, until.into_std()) else { return };
        self.is_changed = true;
        self.send_request(retired.peer, retired.place, Request::Retire);
    }

    pub(super) fn end_retired(&mut self, id: &ParticipantId) {
        if let Some(released) = self.placement.release_retired(id) {
            self.leave(released);
        }
    }

    /// Has a participant's retired link send and receive no more than it may.
    pub(super) fn permit_retired(&mut self, id: &ParticipantId, permissions: &Permissions) {
        if let Some(retired) = self.placement.retired(id) {
            let request = Request::Permit(permissions.clone());
            self.send_request(retired.peer, retired.place, request);
        }
    }

    /// Time at which the next retired link ends.
    pub(in crate::signaling) fn poll_timeout(&self) -> Option<Instant> {
        self.placement.poll_timeout().map(Instant::from_std)
    }

    /// Ends retired links whose time is over.
    pub(in crate::signaling) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            for id in self.placement.overdue(now.into_std()) {
                self.end_retired(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use room::{
        ToSfu,
        rights::{MediaRights, Sources},
    };
    use sfu::PeerId;

    use super::*;
    use crate::{
        shard::{
            Waker,
            sfu::{RoomCommand, RoomCommandReceiver, room_commands},
        },
        signaling::sfu_port::MediaServer,
    };

    /// A room's port to one shard, with a link of a participant.
    fn linked() -> (SfuPort, RoomCommandReceiver, ParticipantId, PeerId) {
        let poll = mio::Poll::new().unwrap();
        let (sender, commands) =
            room_commands(Arc::new(Waker::new(&poll).unwrap()), Arc::default());
        let mut port = MediaServer::new([sender].into()).open(0);
        let mina: ParticipantId = serde_json::from_value("mina".into()).unwrap();
        publish(&mut port, &mina);
        let peer = port.placement.peer_id(&mina);
        let mut linked = (port, commands, mina, peer);
        assert_eq!(sent(&mut linked.1), [(peer, "publish")]);
        linked
    }

    fn publish(port: &mut SfuPort, id: &ParticipantId) {
        port.send(id, None, MediaRights::ALL, ToSfu::Publish(Vec::new()));
    }

    /// The peers of the commands so far, with their requests.
    fn sent(commands: &mut RoomCommandReceiver) -> Vec<(PeerId, &'static str)> {
        let requests = std::iter::from_fn(|| commands.try_next()).filter_map(|command| {
            let RoomCommand::Peer { peer, request, .. } = command else { return None };
            let name = match request {
                Request::Publish(..) => "publish",
                Request::Permit(permissions) if permissions.publish.is_empty() => "mute",
                Request::Permit(_) => "permit",
                Request::Retire => "retire",
                Request::Leave => "leave",
                _ => "other",
            };
            Some((peer, name))
        });
        requests.collect()
    }

    #[tokio::test]
    async fn rights_that_a_host_takes_and_the_end_reach_both_links() {
        let (mut port, mut commands, mina, old) = linked();
        let new = old.twin();
        port.retire(&mina);
        assert_eq!(sent(&mut commands), [(old, "retire")]);
        let muted = MediaRights { publish: Sources::NONE, ..MediaRights::ALL };
        port.send(&mina, None, muted, ToSfu::Permit);
        assert_eq!(sent(&mut commands), [(old, "mute")], "the next link has not begun");
        publish(&mut port, &mina);
        assert_eq!(sent(&mut commands), [(new, "publish")], "signals are the next link's");
        port.send(&mina, None, muted, ToSfu::Permit);
        assert_eq!(sent(&mut commands), [(old, "mute"), (new, "mute")]);
        port.unlink(&mina);
        assert_eq!(sent(&mut commands), [(old, "leave"), (new, "leave")]);
        assert_eq!((port.placement.of(old), port.placement.of(new)), (None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn retired_link_ends_after_its_time_or_with_the_next_retirement() {
        let (mut port, mut commands, mina, first) = linked();
        assert_eq!(port.poll_timeout(), None);
        port.retire(&mina);
        publish(&mut port, &mina);
        assert_eq!(sent(&mut commands), [(first, "retire"), (first.twin(), "publish")]);
        tokio::time::advance(RETIRED / 2).await;
        port.retire(&mina);
        let expected = [(first, "leave"), (first.twin(), "retire")];
        assert_eq!(sent(&mut commands), expected, "one at most is kept");
        publish(&mut port, &mina);
        assert_eq!(sent(&mut commands), [(first, "publish")]);
        let due = port.poll_timeout().unwrap();
        assert_eq!(due, Instant::now() + RETIRED);
        port.handle_timeout(due - Duration::from_millis(1));
        assert_eq!(sent(&mut commands), []);
        port.handle_timeout(due);
        assert_eq!(sent(&mut commands), [(first.twin(), "leave")]);
        assert_eq!((port.poll_timeout(), port.has_link(&mina)), (None, true));
    }
}
