//! Opens probes on the shards.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sfu::{PeerId, RoomId};
use tokio::time::timeout;

use super::test_permits::{TestPermit, TestPermits};
use crate::{
    net::client_prefix::ClientPrefix,
    shard::sfu::{EventReceiver, Request, RoomCommand, RoomCommandSender, SfuEvent, event_channel},
};

/// Marks the ids of probes and of their rooms: signaling counts its own from zero.
const PROBE_BIT: u64 = 1 << 63;
/// Time for a shard to answer an offer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Life of a probe in the media server, and slack.
const LIFETIME: Duration = Duration::from_secs(20);

/// Opens probes on the shards in turn.
pub(super) struct ProbePort {
    shards: Arc<[RoomCommandSender]>,
    permits: TestPermits,
    opened: AtomicU64,
}

/// An open probe. Dropped, it ends.
pub(super) struct Probe {
    peer: PeerId,
    shard: RoomCommandSender,
    events: EventReceiver,
    _permit: TestPermit,
}

/// Reason for which there is no probe.
pub(super) enum ProbeError {
    Busy,
    Refused(sfu::Rejection),
}

impl ProbePort {
    pub(super) fn new(shards: Arc<[RoomCommandSender]>) -> Self {
        Self { shards, permits: TestPermits::default(), opened: AtomicU64::default() }
    }

    pub(super) async fn open(
        &self,
        prefix: ClientPrefix,
        offer: String,
    ) -> Result<(Probe, String), ProbeError> {
        let permit = self.permits.take(prefix).ok_or(ProbeError::Busy)?;
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        let available = self.shards.iter().filter(|shard| shard.is_available()).count();
        let turn = usize::try_from(number).ok().and_then(|number| number.checked_rem(available));
        let nth = |turn| self.shards.iter().filter(|shard| shard.is_available()).nth(turn);
        let shard = turn.and_then(nth).filter(|shard| shard.has_room()).ok_or(ProbeError::Busy)?;
        let id = PROBE_BIT | number;
        let (sender, events) = event_channel();
        let peer = PeerId(id);
        let request = Request::Probe(offer, sender);
        shard.send(RoomCommand::Peer { room: RoomId(id), peer, request });
        let mut probe = Probe { peer, shard: shard.clone(), events, _permit: permit };
        loop {
            let event = timeout(ANSWER_TIMEOUT, probe.events.next()).await;
            match event.ok().flatten().ok_or(ProbeError::Busy)? {
                SfuEvent::Answer(_, sdp) => return Ok((probe, sdp)),
                SfuEvent::RequestRefused(_, _, rejection) => {
                    return Err(ProbeError::Refused(rejection));
                }
                _ => {}
            }
        }
    }
}

impl Probe {
    /// Waits until the probe ends.
    pub(super) async fn ended(mut self) {
        // The channel closes with the peer.
        let ended = async { while self.events.next().await.is_some() {} };
        let _ = timeout(LIFETIME, ended).await;
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let (peer, room) = (self.peer, RoomId(self.peer.0));
        self.shard.send(RoomCommand::Peer { room, peer, request: Request::Leave });
    }
}
