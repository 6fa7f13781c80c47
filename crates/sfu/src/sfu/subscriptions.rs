//! Who publishes what, and who gets it.

use std::time::Instant;

use super::Sfu;
use crate::{
    ids::{Mid, PeerId, RoomId, Source, TrackId},
    output::Viewport,
    peer::{
        Playable,
        pool::{Place, Pool},
    },
    rejection::Rejection,
    shard_message::MessageBody,
    track::{Origin, Subscriber, Track},
};

impl Sfu {
    /// What the peer's page shows; replaces what it said before.
    ///
    /// # Errors
    ///
    /// An unknown peer, or more wishes than there can be tracks.
    pub fn handle_subscribe(
        &mut self,
        now: Instant,
        peer: PeerId,
        wishes: &[Viewport],
    ) -> Result<(), Rejection> {
        self.tick(now);
        if wishes.len() > self.config.limits.room_peers.saturating_mul(4) {
            return Err(Rejection::TooManyTracks);
        }
        let it = self.peers.get_mut(&peer).ok_or(Rejection::UnknownPeer(peer))?;
        let shown = wishes.iter().map(|wish| {
            let id = TrackId { peer: wish.peer, source: wish.source };
            (id, wish.width.min(wish.height))
        });
        it.shown = shown.collect();
        self.share_with(peer);
        Ok(())
    }

    /// Publishes what the peer has announced and sends, and takes back what it does no longer.
    pub(super) fn republish(&mut self, peer: PeerId) {
        let Some(it) = self.peers.get(&peer) else { return };
        let room = it.room;
        let sent = |mid: Mid, source: Source| {
            it.link.as_ref().and_then(|link| link.receiving_kind(mid)) == Some(source.kind())
        };
        let announced = it.announced.iter().filter_map(|it| Some((it.section?, it.source)));
        let wanted: Vec<(Mid, Source)> =
            announced.filter(|(mid, source)| sent(*mid, *source)).collect();
        for source in Source::ALL {
            let id = TrackId { peer, source };
            let mid = wanted.iter().find(|(_, wanted)| *wanted == source).map(|(mid, _)| *mid);
            let before = self.tracks.get(&id).map(|track| track.origin);
            if before == mid.map(Origin::Section) {
                continue;
            }
            if before.is_some() {
                self.unpublish(id);
            }
            if let Some(mid) = mid {
                let link = self.peers.get(&peer).and_then(|it| it.link.as_ref());
                let rids = link.map(|link| link.rids(mid)).unwrap_or_default();
                let track = Track::new(room, Origin::Section(mid), &rids);
                self.publish(id, track);
            }
        }
        self.negotiate_all(room);
    }

    /// Puts a track into its room: everybody in it is to get it.
    pub(super) fn publish(&mut self, id: TrackId, track: Track) {
        let Some(room) = self.rooms.get_mut(&track.room) else { return };
        room.tracks.push(id);
        let (members, shards) = (room.members.clone(), room.shards.clone());
        self.tracks.insert(id, track);
        for member in members.into_iter().filter(|member| *member != id.peer) {
            self.subscribe(member, id);
        }
        for shard in shards {
            self.export(id, shard);
        }
    }

    /// Tells everybody in a room what has changed for them: once, however much that is.
    pub(super) fn negotiate_all(&mut self, room: RoomId) {
        for member in self.members(room) {
            self.negotiate(member);
        }
    }

    pub(super) fn unpublish_all(&mut self, peer: PeerId) {
        for source in Source::ALL {
            self.unpublish(TrackId { peer, source });
        }
        if let Some(room) = self.peers.get(&peer).map(|it| it.room) {
            self.negotiate_all(room);
        }
    }

    pub(super) fn unpublish(&mut self, id: TrackId) {
        let Some(track) = self.tracks.remove(&id) else { return };
        let Some(room) = self.rooms.get_mut(&track.room) else { return };
        room.tracks.retain(|known| *known != id);
        let (members, shards) = (room.members.clone(), room.shards.clone());
        if let Origin::Section(_) = track.origin {
            for shard in shards {
                self.relay(shard, track.room, MessageBody::Unpublished { track: id });
            }
        }
        for member in members {
            let Some(it) = self.peers.get_mut(&member) else { continue };
            it.waiting.retain(|waiting| *waiting != id);
            let outlet = it.pool.release(id);
            if let Some(outlet) = outlet {
                outlet.rewriter.set_target(None);
                it.changed = true;
            }
        }
    }

    pub(super) fn unsubscribe_all(&mut self, peer: PeerId) {
        let Some(it) = self.peers.get_mut(&peer) else { return };
        let mut had: Vec<TrackId> = std::mem::take(&mut it.waiting);
        had.extend(it.pool.iter().filter_map(|section| section.used));
        it.pool = Pool::new();
        for id in had {
            if let Some(track) = self.tracks.get_mut(&id) {
                track.subscribers.retain(|subscriber| subscriber.peer_id != peer);
            }
        }
    }

    pub(super) fn subscribe_to_all(&mut self, peer: PeerId) {
        let Some(room) = self.peers.get(&peer).map(|it| it.room) else { return };
        for id in self.tracks_in(room).into_iter().filter(|id| id.peer != peer) {
            self.subscribe(peer, id);
        }
    }

    /// Gives a track to a peer: at once on a free section, else with the next offer.
    fn subscribe(&mut self, peer: PeerId, id: TrackId) {
        let Some(it) = self.peers.get_mut(&peer) else { return };
        if it.link.is_none() {
            return;
        }
        match it.pool.place(id) {
            Place::Section(index) => self.put(peer, id, index),
            Place::Slot(_) => it.waiting.push(id),
        }
    }

    /// Puts a track onto a section of a peer.
    pub(super) fn put(&mut self, peer: PeerId, id: TrackId, index: usize) {
        let Some(it) = self.peers.get_mut(&peer) else { return };
        let Some(section) = it.pool.get_mut(index) else { return };
        section.used = Some(id);
        section.state.playable = Playable::default();
        it.changed = true;
        if let Some(track) = self.tracks.get_mut(&id) {
            track.subscribers.push(Subscriber { peer_id: peer, section: index });
        }
        self.share_with(peer);
    }

    /// Sections that both sides have agreed to can be sent on, as they were agreed last.
    pub(super) fn refresh_send_streams(&mut self, peer: PeerId) {
        let Some(it) = self.peers.get_mut(&peer) else { return };
        let Some(link) = &mut it.link else { return };
        for section in it.pool.iter_mut() {
            section.state.send_stream = link.send_stream(section.mid);
        }
        self.share_with(peer);
    }
}
