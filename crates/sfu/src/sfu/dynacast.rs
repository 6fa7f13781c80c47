//! Dynacast: publishers stop the encodings that no subscriber needs.

use std::time::Duration;

use super::Sfu;
use crate::{
    ids::{Kind, Rid, RoomId, Source, TrackId},
    output::Event,
    track::{
        Origin,
        layers::{Demand, Rank},
    },
};

/// Time for which an encoding without subscribers stays active. A window that is being resized
/// needs it again soon.
pub(super) const UNUSED_TTL: Duration = Duration::from_secs(3);

impl Sfu {
    /// Updates the publishers of all video in a room.
    pub(super) fn update_publishers(&mut self, room_id: RoomId) {
        let mut tracks = self.tracks_in(room_id);
        tracks.retain(|track_id| track_id.source.kind() == Kind::Video);
        tracks.sort_unstable_by_key(|track_id| {
            (track_id.peer, Source::ALL.iter().position(|source| *source == track_id.source))
        });
        for track_id in tracks {
            self.update_interest(track_id);
            self.update_publisher(track_id);
        }
    }

    /// Activates a local track's encodings up to the highest that is needed, so that a subscriber can step down without delay,
    /// and deactivates those that have been unused for a while.
    fn update_publisher(&mut self, track_id: TrackId) {
        let origin = self.tracks.get(&track_id).map(|track| track.origin);
        if !matches!(origin, Some(Origin::Section(_))) {
            return;
        }
        let max_height = self.max_height_needed(track_id);
        let now = self.now;
        let Some(track) = self.tracks.get_mut(&track_id) else { return };
        let heights: Vec<u16> = track.heights().collect();
        let is_flowing = track.encodings.iter().any(|encoding| encoding.is_flowing(now));
        let mut has_changed = false;
        for (encoding, height) in track.encodings.iter_mut().zip(heights) {
            let is_needed = max_height.is_some_and(|max| height <= max);
            let was_active = encoding.subscribed.is_active;
            let unused_since = encoding.subscribed.unused_since;
            if is_needed {
                encoding.subscribed.unused_since = None;
            } else if was_active {
                encoding.subscribed.unused_since = unused_since.or(Some(now));
            }
            let is_expired = unused_since
                .is_some_and(|since| now.saturating_duration_since(since) >= UNUSED_TTL);
            if is_needed != was_active && (is_needed || is_expired) {
                encoding.set_active(now, is_needed, is_flowing);
                has_changed = true;
            }
        }
        if has_changed {
            self.tell_publisher(track_id);
        }
    }

    /// Tells the publisher of a local track which encodings are needed.
    pub(super) fn tell_publisher(&mut self, track_id: TrackId) {
        let Some((track, mid)) = self.tracks.get(&track_id).and_then(|track| match track.origin {
            Origin::Section(mid) => Some((track, mid)),
            Origin::Sibling(_) | Origin::Remote(_) => None,
        }) else {
            return;
        };
        let active = || track.encodings.iter().filter(|encoding| encoding.subscribed.is_active);
        let link = self.peers.get(&track_id.peer).and_then(|peer| peer.link.as_ref());
        let client_rid =
            |rid: Rid| link.map_or_else(|| rid.to_string(), |link| link.client_rid(mid, rid));
        self.events.push_back(Event::SubscribedEncodings {
            peer: track_id.peer,
            source: track_id.source,
            subscribed: active().next().is_some(),
            rids: active().filter_map(|encoding| encoding.rid).map(client_rid).collect(),
        });
    }

    /// Height of the highest encoding that any subscriber's viewport or another shard needs.
    fn max_height_needed(&self, track_id: TrackId) -> Option<u16> {
        let track = self.tracks.get(&track_id)?;
        let choices = track.choices(self.now);
        let mut demand =
            Demand { rank: Rank::Other, viewport: 0, lowest_only: false, choices, current: None };
        let mut max_height = None;
        for subscriber in &track.subscribers {
            let viewport = self.peers.get(&subscriber.peer_id)?.viewports.get(track_id);
            if viewport == Some(0) {
                continue;
            }
            demand.viewport = viewport.unwrap_or(0);
            demand.lowest_only = viewport.is_none();
            let choice = demand.best().and_then(|at| demand.choices.get(at));
            let height = choice.and_then(|choice| track.heights().nth(choice.quality.encoding));
            max_height = max_height.max(height);
        }
        if let Some(room) = self.rooms.get(&track.room) {
            for shard in room.receivers(track.origin) {
                for (encoding, height) in track.encodings.iter().zip(track.heights()) {
                    let is_needed = track.is_needed_by(shard, encoding.rid);
                    max_height = max_height.max(is_needed.then_some(height));
                }
            }
        }
        // Before the first packet, all encodings are needed.
        let has_begun = track.encodings.iter().any(|encoding| encoding.has_begun());
        if has_begun { max_height } else { Some(u16::MAX) }
    }
}
