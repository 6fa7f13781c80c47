//! Published tracks and their subscribers.

use std::time::Instant;

use super::Sfu;
use crate::{
    ids::{Mid, PeerId, RoomId, Source, TrackId},
    output::Viewport,
    peer::{
        down_track::CodecSupport,
        pool::{Placement, Pool},
    },
    rejection::Rejection,
    shard_message::MessageBody,
    track::{Origin, Subscriber, Track},
};

impl Sfu {
    /// Sets the viewports of a peer's page. Replaces the previous ones.
    ///
    /// # Errors
    ///
    /// The peer is unknown, or there are more viewports than a room can have tracks.
    pub fn handle_subscribe(
        &mut self,
        now: Instant,
        peer_id: PeerId,
        viewports: &[Viewport],
    ) -> Result<(), Rejection> {
        self.advance(now);
        if viewports.len() > self.max_tracks() {
            return Err(Rejection::TooManyTracks);
        }
        let peer = self.peers.get_mut(&peer_id).ok_or(Rejection::UnknownPeer(peer_id))?;
        let viewports = viewports.iter().map(|viewport| {
            let track_id = TrackId { peer: viewport.peer, source: viewport.source };
            (track_id, viewport.width.min(viewport.height))
        });
        peer.viewports = viewports.collect();
        self.allocate(peer_id);
        Ok(())
    }

    /// Retires a peer, whose participant has another link now: what it sends and receives goes on, and
    /// nothing is negotiated with it any more. A section that becomes free stays free: its page is no
    /// longer told which track a section has.
    pub fn retire_peer(&mut self, now: Instant, peer_id: PeerId) {
        self.advance(now);
        if let Some(peer) = self.peers.get_mut(&peer_id) {
            peer.retired = true;
        }
    }

    /// Publishes the tracks that a peer has announced, sends and may send, and unpublishes all
    /// others.
    pub(super) fn update_published(&mut self, peer_id: PeerId) {
        let Some(peer) = self.peers.get(&peer_id) else { return };
        let room_id = peer.room;
        let is_sent = |mid: Mid, source: Source| {
            peer.link.as_ref().and_then(|link| link.receiving_kind(mid)) == Some(source.kind())
        };
        let published: Vec<(Source, Mid)> = peer
            .published
            .iter()
            .filter_map(|section| Some((section.source, section.mid?)))
            .filter(|(source, mid)| {
                is_sent(*mid, *source) && peer.permissions.publish.contains(source)
            })
            .collect();
        for source in Source::ALL {
            let track_id = TrackId { peer: peer_id, source };
            let mid = published.iter().find(|(known, _)| *known == source).map(|(_, mid)| *mid);
            let before = self.tracks.get(&track_id).map(|track| track.origin);
            if before == mid.map(Origin::Section) {
                continue;
            }
            if before.is_some() {
                self.unpublish(track_id);
            }
            if let Some(mid) = mid {
                let link = self.peers.get(&peer_id).and_then(|peer| peer.link.as_ref());
                let rids = link.map(|link| link.rids(mid)).unwrap_or_default();
                self.publish(track_id, Track::new(room_id, Origin::Section(mid), &rids));
            }
        }
        self.negotiate_all(room_id);
    }

    /// Adds a track to its room and subscribes all other members.
    pub(super) fn publish(&mut self, track_id: TrackId, track: Track) {
        let Some(room) = self.rooms.get_mut(&track.room) else { return };
        room.tracks.push(track_id);
        let members = room.members.clone();
        let shards: Vec<u16> = room.receivers(track.origin).collect();
        self.tracks.insert(track_id, track);
        for member in members.into_iter().filter(|member| *member != track_id.peer) {
            self.subscribe(member, track_id);
        }
        for shard in shards {
            self.announce_track(track_id, shard);
        }
    }

    /// Negotiates with all members of a room, once for any number of changes.
    pub(super) fn negotiate_all(&mut self, room_id: RoomId) {
        for member in self.members(room_id) {
            self.negotiate(member);
        }
    }

    pub(super) fn unpublish_all(&mut self, peer_id: PeerId) {
        for source in Source::ALL {
            self.unpublish(TrackId { peer: peer_id, source });
        }
        if let Some(room_id) = self.peers.get(&peer_id).map(|peer| peer.room) {
            self.negotiate_all(room_id);
        }
    }

    pub(super) fn unpublish(&mut self, track_id: TrackId) {
        let Some(track) = self.tracks.remove(&track_id) else { return };
        let Some(room) = self.rooms.get_mut(&track.room) else { return };
        room.tracks.retain(|known| *known != track_id);
        let members = room.members.clone();
        let shards: Vec<u16> = room.receivers(track.origin).collect();
        for shard in shards {
            let body = MessageBody::Unpublished { track: track_id };
            self.send_to_shard(shard, track.room, body);
        }
        for member in members {
            let Some(peer) = self.peers.get_mut(&member) else { continue };
            peer.unplaced.retain(|unplaced| *unplaced != track_id);
            if let Some(down_track) = peer.pool.release(track_id) {
                down_track.rewriter.set_target(None);
                peer.subscriptions_changed = true;
            }
        }
    }

    pub(super) fn unsubscribe_all(&mut self, peer_id: PeerId) {
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        let mut subscribed = std::mem::take(&mut peer.unplaced);
        subscribed.extend(peer.pool.iter().filter_map(|section| section.track));
        peer.pool = Pool::new();
        for track_id in subscribed {
            if let Some(track) = self.tracks.get_mut(&track_id) {
                track.subscribers.retain(|subscriber| subscriber.peer_id != peer_id);
            }
        }
    }

    /// Ends all subscriptions of a peer. Its sections stay, for later ones.
    pub(super) fn release_all(&mut self, peer_id: PeerId) {
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        // Their slots are reserved.
        for track_id in std::mem::take(&mut peer.unplaced) {
            peer.pool.release(track_id);
        }
        let subscribed: Vec<_> = peer.pool.iter().filter_map(|section| section.track).collect();
        for track_id in subscribed {
            if let Some(down_track) = peer.pool.release(track_id) {
                down_track.rewriter.set_target(None);
                // What was sent before is not sent again either.
                if let (Some(link), Some(stream)) = (&mut peer.link, down_track.send_stream) {
                    link.clear_rtx_cache(stream);
                }
            }
            if let Some(track) = self.tracks.get_mut(&track_id) {
                track.subscribers.retain(|subscriber| subscriber.peer_id != peer_id);
            }
        }
        peer.subscriptions_changed = true;
        self.allocate(peer_id);
    }

    pub(super) fn subscribe_to_all(&mut self, peer_id: PeerId) {
        let Some(room_id) = self.peers.get(&peer_id).map(|peer| peer.room) else { return };
        let tracks = self.tracks_in(room_id);
        for track_id in tracks.into_iter().filter(|track_id| track_id.peer != peer_id) {
            self.subscribe(peer_id, track_id);
        }
    }

    /// Subscribes a peer to a track: at once on a free section, else with the next offer.
    fn subscribe(&mut self, peer_id: PeerId, track_id: TrackId) {
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        // Nobody is to receive what the own other link sends.
        let is_own = track_id.peer.participant() == peer_id.participant();
        if peer.link.is_none() || peer.retired || is_own || !peer.permissions.subscribe {
            return;
        }
        match peer.pool.place(track_id) {
            Placement::Section(index) => self.assign(peer_id, track_id, index),
            Placement::Slot(_) => peer.unplaced.push(track_id),
        }
    }

    /// Puts a track on a section of a subscriber.
    pub(super) fn assign(&mut self, peer_id: PeerId, track_id: TrackId, index: usize) {
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        let Some(section) = peer.pool.get_mut(index) else { return };
        section.track = Some(track_id);
        section.state.codec_support = CodecSupport::default();
        peer.subscriptions_changed = true;
        if let Some(track) = self.tracks.get_mut(&track_id) {
            track.subscribers.push(Subscriber { peer_id, section: index });
        }
        self.allocate(peer_id);
    }

    /// Looks up the send streams of all sections after a negotiation.
    pub(super) fn refresh_send_streams(&mut self, peer_id: PeerId) {
        let Some(peer) = self.peers.get_mut(&peer_id) else { return };
        let Some(link) = &mut peer.link else { return };
        for section in peer.pool.iter_mut() {
            section.state.send_stream = link.send_stream(section.mid);
        }
        self.allocate(peer_id);
    }
}
