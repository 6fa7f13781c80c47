//! State of one participant: its link, the tracks it publishes and those it receives.

pub(crate) mod down_track;
pub(crate) mod link;
pub(crate) mod pool;

use foldhash::HashMap;

use self::{down_track::DownTrack, link::Link, pool::Pool};
use crate::{
    bwe::{estimate::BandwidthEstimate, keyframe_backoff::KeyframeBackoff},
    ids::{Mid, RoomId, Source, TrackId},
    output::Subscription,
    permissions::Permissions,
};

pub(crate) struct Peer {
    pub(crate) room: RoomId,
    /// `None` until the first offer.
    pub(crate) link: Option<Link>,
    /// Sources of the client's sending sections.
    pub(crate) published: Vec<PublishedSection>,
    pub(crate) permissions: Permissions,
    /// Receiving sections and the tracks on them.
    pub(crate) pool: Pool<DownTrack>,
    /// Tracks that wait for a receiving section.
    pub(crate) unplaced: Vec<TrackId>,
    /// True if the subscriptions have changed since they were last sent.
    pub(crate) subscriptions_changed: bool,
    pub(crate) viewports: Viewports,
    /// Another link of the participant replaces this one: its subscriptions stay as they are.
    pub(crate) retired: bool,
    pub(crate) estimate: BandwidthEstimate,
    pub(crate) keyframe_backoff: Option<KeyframeBackoff>,
    /// Bits per second allocated to video.
    pub(crate) allocated_bitrate: u64,
    /// True if the link waits in the queue to be drained.
    pub(crate) needs_drain: bool,
    /// Keyframe requests since the last sample of the quality.
    pub(crate) keyframe_requests: u32,
    /// True if the peer has been silent for the interruption timeout.
    pub(crate) interrupted: bool,
}

/// A sending section, as named by the client.
#[derive(Debug)]
pub(crate) struct PublishedSection {
    client_mid: String,
    /// str0m's mid, once the section is offered.
    pub(crate) mid: Option<Mid>,
    pub(crate) source: Source,
}

impl Peer {
    pub(crate) fn new(room: RoomId) -> Self {
        Self {
            room,
            link: None,
            published: Vec::new(),
            permissions: Permissions::all(),
            pool: Pool::new(),
            unplaced: Vec::new(),
            subscriptions_changed: false,
            viewports: Viewports::default(),
            retired: false,
            estimate: BandwidthEstimate::default(),
            keyframe_backoff: None,
            allocated_bitrate: 0,
            needs_drain: false,
            keyframe_requests: 0,
            interrupted: false,
        }
    }

    /// Replaces the sources of the sending sections.
    pub(crate) fn set_published(&mut self, tracks: &[(&str, Source)]) {
        let section = |(mid, source): &(&str, Source)| PublishedSection {
            client_mid: (*mid).to_owned(),
            mid: None,
            source: *source,
        };
        self.published = tracks.iter().map(section).collect();
        self.resolve_mids();
    }

    /// Looks up str0m's mids of the published sections, after an offer.
    pub(crate) fn resolve_mids(&mut self) {
        for section in &mut self.published {
            section.mid = self.link.as_ref().and_then(|link| link.engine_mid(&section.client_mid));
        }
    }

    /// Tracks on the receiving sections.
    pub(crate) fn subscriptions(&self) -> Vec<Subscription> {
        let used = self.pool.iter().filter_map(|section| {
            let track = section.track?;
            Some(Subscription {
                mid: section.mid.to_string(),
                peer: track.peer,
                source: track.source,
                unavailable: section.state.codec_support.unavailable(),
            })
        });
        used.collect()
    }
}

/// Shorter side of each reported viewport, pixels. It holds for both links of the publisher.
#[derive(Debug, Default)]
pub(crate) struct Viewports(HashMap<TrackId, u32>);

impl Viewports {
    pub(crate) fn get(&self, track_id: TrackId) -> Option<u32> {
        self.0.get(&of_participant(track_id)).copied()
    }
}

impl FromIterator<(TrackId, u32)> for Viewports {
    fn from_iter<T: IntoIterator<Item = (TrackId, u32)>>(viewports: T) -> Self {
        let viewports = viewports.into_iter();
        Self(viewports.map(|(track_id, side)| (of_participant(track_id), side)).collect())
    }
}

fn of_participant(track_id: TrackId) -> TrackId {
    TrackId { peer: track_id.peer.participant(), ..track_id }
}
