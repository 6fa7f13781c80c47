//! One participant's side of the shard: its link, what it publishes, what it gets.

pub(crate) mod link;
pub(crate) mod pool;

use std::time::{Duration, Instant};

use foldhash::HashMap;

use crate::{
    bwe::{
        estimate::Estimate,
        keyframe_backoff::{Asked, Caution},
    },
    ids::{Mid, RoomId, Source, TrackId},
    output::{Subscription, Unavailable},
    peer::{link::Link, pool::Pool},
    send::SendStreamId,
    track::rewriter::RtpRewriter,
};

pub(crate) struct Peer {
    pub(crate) room: RoomId,
    /// From its first offer on.
    pub(crate) link: Option<Link>,
    /// The sources of its sending sections, as told last.
    pub(crate) announced: Vec<Announced>,
    /// What it gets, and on which sections.
    pub(crate) pool: Pool<Outlet>,
    /// Tracks that it is to get but that have no section yet.
    pub(crate) waiting: Vec<TrackId>,
    /// Whether the list of what it gets has changed since it was told.
    pub(crate) changed: bool,
    /// What its page shows, once it has said: shorter side in pixels.
    pub(crate) shown: HashMap<TrackId, u32>,
    /// What the way to it takes.
    pub(crate) estimate: Estimate,
    /// Keyframes have not got through to it.
    pub(crate) caution: Option<Caution>,
    /// What its video takes as shared last, bits a second.
    pub(crate) given: u64,
    /// Whether it has something to drain.
    pub(crate) dirty: bool,
    /// Whether nothing has come from it for some time.
    pub(crate) interrupted: bool,
}

/// A sending section as its client has named it.
#[derive(Debug)]
pub(crate) struct Announced {
    mid: String,
    /// The engine's name for it, once it has been offered.
    pub(crate) section: Option<Mid>,
    pub(crate) source: Source,
}

/// Where a section's packets leave: its numbers go on whatever track is on it.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) rewriter: RtpRewriter,
    /// The send stream, once the section is agreed.
    pub(crate) send_stream: Option<SendStreamId>,
    /// When keyframes were asked for.
    pub(crate) asked: Option<Asked>,
    /// Whether what comes can be sent to its subscriber.
    pub(crate) playable: Playable,
}

/// Whether a section's subscriber has agreed to the format that its publisher sends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Playable {
    refused: bool,
    changed: Option<Instant>,
}

impl Playable {
    /// Takes in a packet that can be sent or can't. Says whether that is news; a publisher that changes
    /// to and fro makes none more than once a second.
    pub(crate) fn take(&mut self, now: Instant, can_be_sent: bool) -> bool {
        if self.refused != can_be_sent {
            return false;
        }
        let rested = |at| now.saturating_duration_since(at) >= Duration::from_secs(1);
        let is_news = self.changed.is_none_or(rested);
        if is_news {
            *self = Self { refused: !can_be_sent, changed: Some(now) };
        }
        is_news
    }

    fn unavailable(self) -> Option<Unavailable> {
        self.refused.then_some(Unavailable::Codec)
    }
}

impl Outlet {
    pub(crate) fn new(rewriter: RtpRewriter) -> Self {
        Self { rewriter, send_stream: None, asked: None, playable: Playable::default() }
    }

    /// Stops what is on until the encoding that it waits for begins. Nothing of it is sent again either:
    /// that would only be in the way.
    pub(crate) fn hold(&mut self, link: Option<&mut Link>) {
        if self.rewriter.pause_for_keyframe()
            && let (Some(link), Some(stream)) = (link, self.send_stream)
        {
            link.clear_rtx_cache(stream);
        }
    }
}

impl Peer {
    pub(crate) fn new(room: RoomId) -> Self {
        Self {
            room,
            link: None,
            announced: Vec::new(),
            pool: Pool::new(),
            waiting: Vec::new(),
            changed: false,
            shown: HashMap::default(),
            estimate: Estimate::default(),
            caution: None,
            given: 0,
            dirty: false,
            interrupted: false,
        }
    }

    /// Notes what its sending sections are.
    pub(crate) fn announce(&mut self, tracks: &[(&str, Source)]) {
        let announced = |(mid, source): &(&str, Source)| Announced {
            mid: (*mid).to_owned(),
            section: None,
            source: *source,
        };
        self.announced = tracks.iter().map(announced).collect();
        self.find_sections();
    }

    /// Looks up which sections those are, after an offer.
    pub(crate) fn find_sections(&mut self) {
        for it in &mut self.announced {
            it.section = self.link.as_ref().and_then(|link| link.engine_mid(&it.mid));
        }
    }

    /// Who is on which section.
    pub(crate) fn subscriptions(&self) -> Vec<Subscription> {
        let used = self.pool.iter().filter_map(|section| {
            let track = section.used?;
            Some(Subscription {
                mid: section.mid.to_string(),
                peer: track.peer,
                source: track.source,
                unavailable: section.state.playable.unavailable(),
            })
        });
        used.collect()
    }
}
