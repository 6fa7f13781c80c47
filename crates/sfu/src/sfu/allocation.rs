//! What each subscriber gets of each track, and what of a track anybody gets.

use std::time::Duration;

use super::Sfu;
use crate::{
    ids::{Kind, PeerId, Rid, RoomId, Source, TrackId},
    output::Event,
    peer::link::Link,
    track::{
        Origin, Subscribed, Subscriber,
        layers::{self, Allocation, Demand, Quality, Rank},
    },
};

/// An encoding that nobody needs any more is kept so long: who resizes a window will want it again.
const LINGER: Duration = Duration::from_secs(3);

/// What one peer looks at.
struct Views {
    /// Section and track of each demand.
    places: Vec<(usize, TrackId)>,
    demands: Vec<Demand>,
    /// What audio takes, bits a second.
    audio: u64,
    /// What the pictures that are on take.
    pictures: u64,
}

impl Sfu {
    /// Shares the way of everybody in a room anew.
    pub(super) fn share(&mut self, room: RoomId) {
        let mut peers = self.members(room);
        peers.sort_unstable();
        for peer in peers {
            self.share_with(peer);
        }
        self.tell_wanted(room);
    }

    /// Shares one peer's way among what it looks at.
    pub(super) fn share_with(&mut self, peer: PeerId) {
        let Some(views) = self.views(peer) else { return };
        let (now, Some(it)) = (self.now, self.peers.get_mut(&peer)) else { return };
        let estimate = it.estimate.rate(self.now).unwrap_or(self.config.start_bitrate);
        let capacity = estimate.saturating_sub(views.audio);
        it.caution = it.caution.filter(|caution| caution.lasts(now));
        let smallest = views.demands.iter().map(Demand::min_bitrate).sum();
        let capacity = it.caution.map_or(capacity, |it| it.limit(capacity, smallest));
        let overrun = views.pictures > capacity + capacity / 3;
        let Allocation { allocated: given, bitrate: sum, next_bitrate: next, best_bitrate: best } =
            layers::allocate(&views.demands, capacity);
        it.given = sum;
        let mut asks = Vec::new();
        let ready = it.link.as_ref().is_some_and(Link::is_ready);
        let places = views.places.into_iter().zip(&views.demands);
        for (((index, track), demand), target) in places.zip(given) {
            let Some(section) = it.pool.get_mut(index) else { continue };
            let outlet = &mut section.state;
            outlet.rewriter.set_target(target);
            // Until a smaller one begins, the larger goes on; but not where it keeps the line so full
            // that the smaller can't get through, nor if the viewer can't make anything of it.
            let stuck = outlet.asked.is_some_and(|asked| asked.is_stuck(now));
            let smaller = demand.bitrate_of(target) < demand.bitrate_of(outlet.rewriter.current());
            if smaller && (overrun || stuck) {
                outlet.hold(it.link.as_mut());
            }
            let waits = outlet
                .rewriter
                .pending_encoding()
                .filter(|_| ready && outlet.send_stream.is_some());
            asks.extend(waits.map(|encoding| (track, encoding)));
        }
        // A fifth more than it takes, since that is what going up asks for. The first is kept up with
        // padding, so it is none where all is given.
        let goal = |sum: u64| (sum + sum / 4 + views.audio).next_multiple_of(50_000);
        let floor = if next > sum { goal(next) } else { 0 };
        // No probe asks for much more than what is desired: were that little while little is shown, it
        // would never be found out what the way can carry.
        if let Some(link) = it.link.as_mut() {
            link.set_desired(floor, goal(best).max(self.config.start_bitrate));
            self.timers.set_no_later(peer, link.poll_timeout());
        }
        for (track, encoding) in asks {
            self.want_keyframe(track, encoding);
        }
    }

    fn views(&mut self, peer: PeerId) -> Option<Views> {
        let it = self.peers.get_mut(&peer)?;
        let speaker = self.rooms.get(&it.room).and_then(|room| room.speaker);
        let mut views = Views { places: Vec::new(), demands: Vec::new(), audio: 0, pictures: 0 };
        for (index, section) in it.pool.iter_mut().enumerate() {
            let Some(id) = section.used else { continue };
            let Some(track) = self.tracks.get(&id) else { continue };
            if id.source.kind() == Kind::Audio {
                views.audio += if track.muted { 0 } else { track.audio_bitrate() };
                section.state.rewriter.set_target(Some(Quality::all_layers(0)));
                continue;
            }
            let shown = it.shown.get(&id).copied();
            if shown == Some(0) {
                section.state.rewriter.set_target(None);
                continue;
            }
            let rank = match id.source {
                Source::ScreenShare => Rank::ScreenShare,
                _ if Some(id.peer) == speaker => Rank::Speaker,
                _ => Rank::Other,
            };
            let demand = Demand {
                rank,
                viewport: shown.unwrap_or(0),
                lowest_only: shown.is_none(),
                choices: track.choices(self.now),
                current: section.state.rewriter.target,
            };
            views.pictures += demand.bitrate_of(section.state.rewriter.current());
            views.places.push((index, id));
            views.demands.push(demand);
        }
        Some(views)
    }

    /// Tells publishers what of their video anybody is to get: up to the best that somebody's page
    /// has use for, so that who must step down can do so at once.
    fn tell_wanted(&mut self, room: RoomId) {
        let mut tracks = self.tracks_in(room);
        tracks.retain(|id| id.source.kind() == Kind::Video);
        tracks.sort_unstable_by_key(|id| {
            (id.peer, Source::ALL.iter().position(|it| *it == id.source))
        });
        for id in tracks {
            let best = self.best_height(id);
            self.tell_interest(id, best);
            let (now, Some(track)) = (self.now, self.tracks.get_mut(&id)) else { continue };
            let mut changed = false;
            let heights: Vec<u16> = track.heights().collect();
            let flows = track.encodings.iter().any(|it| it.is_flowing(now));
            for (encoding, height) in track.encodings.iter_mut().zip(heights) {
                let on = best.is_some_and(|best| height <= best);
                let Subscribed { is_active: was, unused_since: unused, .. } = encoding.subscribed;
                if on {
                    encoding.subscribed.unused_since = None;
                } else if was {
                    encoding.subscribed.unused_since = unused.or(Some(now));
                }
                let lingered = unused.is_some_and(|at| now.saturating_duration_since(at) >= LINGER);
                if on != was && (on || lingered) {
                    encoding.set_active(now, on, flows);
                    changed = true;
                }
            }
            if changed {
                let wanted = track.encodings.iter().filter(|it| it.subscribed.is_active);
                let any = wanted.clone().next().is_some();
                let TrackId { peer, source } = id;
                let Origin::Section(mid) = track.origin else { continue };
                let link = self.peers.get(&peer).and_then(|it| it.link.as_ref());
                let name = |rid: Rid| {
                    link.map_or_else(|| rid.to_string(), |link| link.client_rid(mid, rid))
                };
                let rids = wanted.filter_map(|it| it.rid).map(name).collect();
                self.events.push_back(Event::SubscribedEncodings {
                    peer,
                    source,
                    subscribed: any,
                    rids,
                });
            }
        }
    }

    /// The height of the largest encoding that any subscriber's page has use for.
    fn best_height(&self, id: TrackId) -> Option<u16> {
        let track = self.tracks.get(&id)?;
        let choices = track.choices(self.now);
        let mut demand =
            Demand { rank: Rank::Other, viewport: 0, lowest_only: false, choices, current: None };
        let mut best = None;
        for Subscriber { peer_id: peer, .. } in &track.subscribers {
            let shown = self.peers.get(peer)?.shown.get(&id).copied();
            if shown == Some(0) {
                continue;
            }
            (demand.viewport, demand.lowest_only) = (shown.unwrap_or(0), shown.is_none());
            let encoding = demand.best().and_then(|at| demand.choices.get(at));
            best = best.max(
                encoding
                    .map(|choice| choice.quality.encoding)
                    .and_then(|at| track.heights().nth(at)),
            );
        }
        // Other shards want all of it until they have said how much.
        let shards = self.rooms.get(&track.room).map(|room| room.shards.as_slice());
        let ours = matches!(track.origin, Origin::Section(_));
        for shard in shards.unwrap_or_default().iter().filter(|_| ours) {
            let said = track.shard_max_heights.iter().find(|(who, _)| who == shard);
            best = best.max(said.map_or(Some(u16::MAX), |(_, height)| *height));
        }
        // Of a track that has not begun, everything may come.
        if track.encodings.iter().all(|it| !it.has_begun()) { Some(u16::MAX) } else { best }
    }
}
