//! Interest in tracks of other shards: the encodings that are sent to this shard's subscribers,
//! joined with those that its siblings need.

use super::{Sfu, dynacast::UNUSED_TTL};
use crate::{
    ids::TrackId,
    shard_message::{EncodingInterest, MessageBody},
    track::{MAX_ENCODINGS, Origin},
};

/// The need for an encoding.
#[derive(Debug, Clone, Copy, Default)]
struct Need {
    /// Of this shard's subscribers.
    own: bool,
    /// Of other shards of this server.
    siblings: bool,
}

impl Sfu {
    /// Requests the encodings of a track of another shard, if they have changed. An encoding that
    /// its subscribers need no more is still requested for a while: a window that is being resized,
    /// or a bandwidth that varies, needs it again soon. Siblings have waited already.
    pub(super) fn update_interest(&mut self, track_id: TrackId) {
        let Some(track) = self.tracks.get(&track_id) else { return };
        let Some(shard) = track.origin.shard() else { return };
        let needed = self.needed_encodings(track_id);
        let now = self.now;
        let Some(track) = self.tracks.get_mut(&track_id) else { return };
        let is_flowing = track.encodings.iter().any(|encoding| encoding.is_flowing(now));
        let is_limited = track.max_encodings.is_some();
        let mut interest = Vec::with_capacity(needed.len());
        for (encoding, Need { own, siblings }) in track.encodings.iter_mut().zip(needed) {
            let was_active = encoding.subscribed.is_active;
            let unused_since = encoding.subscribed.unused_since.filter(|_| !own);
            encoding.subscribed.unused_since = unused_since.or((was_active && !own).then_some(now));
            let is_expired = unused_since
                .is_some_and(|since| now.saturating_duration_since(since) >= UNUSED_TTL);
            let is_active = own || siblings || (was_active && !is_expired && !is_limited);
            if is_active != was_active {
                encoding.set_active(now, is_active, is_flowing);
            }
            interest.push(EncodingInterest { rid: encoding.rid, is_needed: is_active });
        }
        let is_default =
            track.requested.is_none() && interest.iter().all(|encoding| encoding.is_needed);
        if is_default || track.requested.as_ref() == Some(&interest) {
            return;
        }
        track.requested = Some(interest.clone());
        let room_id = track.room;
        let body = MessageBody::Interest { track: track_id, encodings: interest };
        self.send_to_shard(shard, room_id, body);
    }

    /// The need for each encoding of a track.
    fn needed_encodings(&self, track_id: TrackId) -> Vec<Need> {
        let Some(track) = self.tracks.get(&track_id) else { return Vec::new() };
        // Before the first packet, the encodings that arrive are unknown.
        if !track.encodings.iter().any(|encoding| encoding.has_begun()) {
            return vec![Need { own: true, siblings: false }; track.encodings.len()];
        }
        let mut needed = vec![Need::default(); track.encodings.len()];
        for subscriber in &track.subscribers {
            let peer = self.peers.get(&subscriber.peer_id);
            let Some(section) = peer.and_then(|peer| peer.pool.get(subscriber.section)) else {
                continue;
            };
            let rewriter = &section.state.rewriter;
            let Some(target) = rewriter.target else { continue };
            // The current one is sent until the keyframe of the target arrives.
            for quality in rewriter.current().into_iter().chain([target]) {
                if let Some(needed) = needed.get_mut(quality.encoding) {
                    needed.own = true;
                }
            }
        }
        if let (Origin::Remote(_), Some(room)) = (track.origin, self.rooms.get(&track.room)) {
            for sibling in &room.siblings {
                let carried = track.max_encodings.unwrap_or(MAX_ENCODINGS);
                for (needed, encoding) in needed.iter_mut().zip(&track.encodings).take(carried) {
                    needed.siblings |= track.is_needed_by(*sibling, encoding.rid);
                }
            }
        }
        needed
    }
}
