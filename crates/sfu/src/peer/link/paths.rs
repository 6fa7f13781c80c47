//! Network paths of one link.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use str0m::Rtc;

use super::{engine, rate_limit::RateLimit};
use crate::{ids::Transport, link_event::LinkEvent, routes::FiveTuple};

/// Local candidates that one link gathers while the server's addresses change.
const MAX_LOCAL_CANDIDATES: usize = 32;

/// Interval at which the nominated path is looked up while there are several.
const PROBE_INTERVAL: Duration = Duration::from_millis(250);

pub(super) struct Paths {
    /// str0m's local candidates.
    local_candidates: Vec<(Transport, SocketAddr)>,
    /// Paths on which a connectivity check has succeeded, newest last.
    validated: Vec<FiveTuple>,
    max_validated: usize,
    new_paths: RateLimit,
    /// Time of the last lookup of the nominated path.
    probed: Instant,
}

impl Paths {
    pub(super) fn new(
        local_candidates: Vec<(Transport, SocketAddr)>,
        max_validated: usize,
        now: Instant,
    ) -> Self {
        Self {
            local_candidates,
            validated: Vec::new(),
            max_validated,
            new_paths: RateLimit::new(now),
            probed: now,
        }
    }

    /// Adds candidates of the server that are new since the link was created. Old ones stay, since
    /// str0m counts the link's paths as theirs; a client's checks of them fail.
    pub(super) fn add_candidates(&mut self, rtc: &mut Rtc, candidates: &[(Transport, SocketAddr)]) {
        for candidate in candidates {
            if self.local_candidates.len() < MAX_LOCAL_CANDIDATES
                && !self.local_candidates.contains(candidate)
                && engine::add_candidate(rtc, *candidate)
            {
                self.local_candidates.push(*candidate);
            }
        }
    }

    pub(super) fn validated(&self) -> &[FiveTuple] {
        &self.validated
    }

    /// The local candidate for a path. The server may be reached on other addresses, too, which
    /// str0m does not know.
    pub(super) fn local_candidate(&self, path: &FiveTuple) -> Option<SocketAddr> {
        let fits = |(transport, address): &&(Transport, SocketAddr)| {
            *transport == path.transport && address.is_ipv4() == path.remote.is_ipv4()
        };
        self.local_candidates.iter().find(fits).map(|(_, address)| *address)
    }

    /// Returns whether a check on this path may be handled: paths that are not validated are
    /// limited.
    pub(super) fn admits(&mut self, now: Instant, path: &FiveTuple) -> bool {
        self.validated.contains(path) || self.new_paths.is_left(now)
    }

    /// Adds a path on which a check has succeeded.
    pub(super) fn validate(&mut self, path: FiveTuple, events: &mut Vec<LinkEvent>) {
        if let Some(index) = self.validated.iter().position(|known| *known == path) {
            // Moves to the end: the newest path to an address is used.
            self.validated.remove(index);
        } else {
            self.new_paths.spend();
            if self.validated.len() >= self.max_validated {
                events.push(LinkEvent::PathRemoved(self.validated.remove(0)));
            }
        }
        // Each time, as another peer may have validated it since.
        events.push(LinkEvent::PathValidated(path));
        self.validated.push(path);
    }

    pub(super) fn newest(&self, filter: impl Fn(&FiveTuple) -> bool) -> Option<FiveTuple> {
        self.validated.iter().rev().find(|path| filter(path)).copied()
    }

    pub(super) fn is_probe_due(&self, now: Instant) -> bool {
        self.validated.len() > 1 && now.saturating_duration_since(self.probed) >= PROBE_INTERVAL
    }

    pub(super) fn on_probed(&mut self, now: Instant) {
        self.probed = now;
    }
}
