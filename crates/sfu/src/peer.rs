//! One participant's side of the shard: its link, what it publishes, what it gets.

use crate::{
    caution::{Asked, Caution},
    egress::Lane,
    estimate::Estimate,
    forward::Forwarder,
    ids::{RoomId, Source, TrackId},
    link::{Link, Mid},
    output::Subscribed,
    pool::Pool,
};
use foldhash::HashMap;

pub(crate) struct Peer {
    pub(crate) room: RoomId,
    /// From its first offer on.
    pub(crate) link: Option<Link>,
    /// The sources of its sending sections, as told last.
    pub(crate) announced: Vec<(Mid, Source)>,
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

/// Where a section's packets leave: its numbers go on whatever track is on it.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) forwarder: Forwarder,
    /// The send stream, once the section is agreed.
    pub(crate) lane: Option<Lane>,
    /// When keyframes were asked for.
    pub(crate) asked: Option<Asked>,
}

impl Outlet {
    /// Stops what is on until the encoding that it waits for begins. Nothing of it is sent again either:
    /// that would only be in the way.
    pub(crate) fn hold(&mut self, link: Option<&mut Link>) {
        if self.forwarder.hold()
            && let (Some(link), Some(lane)) = (link, self.lane)
        {
            link.forget_sent(lane);
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

    /// Who is on which section.
    pub(crate) fn subscribed(&self) -> Vec<Subscribed> {
        let used = self.pool.iter().filter_map(|section| {
            let track = section.used?;
            Some(Subscribed {
                mid: section.mid.to_string(),
                peer: track.peer,
                source: track.source,
            })
        });
        used.collect()
    }
}
