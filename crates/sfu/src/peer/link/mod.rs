//! One peer connection: str0m behind a narrow interface, and our own [`Egress`] beside it.
//!
//! str0m handles ICE, DTLS, SDP, the data channel and inbound media. Outbound media and the RTCP on
//! it are handled by the egress. No other module drives str0m, and few of its types are named
//! elsewhere.

mod announced_ssrcs;
mod echo;
mod engine;
mod extension_map;
mod guard;
mod join_progress;
mod negotiation;
mod paths;
mod rate_limit;
mod rtc_event;
mod send_stream;
mod ssrc_table;

use std::time::{Duration, Instant};

use foldhash::HashMap;
use rand::{RngExt as _, rngs::StdRng};
use str0m::{
    IceCreds, Input, Output, Rtc,
    media::KeyframeRequestKind,
    net::{Protocol, Receive, Transmit},
    rtp::Ssrc,
};

use self::{
    announced_ssrcs::AnnouncedSsrcs,
    echo::Echo,
    join_progress::JoinProgress,
    negotiation::PendingOffer,
    paths::Paths,
    ssrc_table::{RtpHeader, SsrcTable},
};
use crate::{
    config::Config,
    ids::{Mid, Rid, Transport},
    link_event::LinkEvent,
    outbox::Outbox,
    output::{DisconnectReason, DropReason},
    quality::LinkTotals,
    rejection::Rejection,
    routes::FiveTuple,
    sdp::{Description, Fingerprint, Layout, MediaType},
    send::{Egress, RtcpOutcome, rtcp},
    str0m_workarounds::{dtls_keys, nominated_path, panics, received},
    ufrag,
};

pub(crate) use engine::Engine;

/// Least time between two timeouts of str0m.
const MIN_RTC_TIMEOUT: Duration = Duration::from_micros(500);
/// Most outputs of one drain, in case str0m never stops.
const MAX_DRAIN: usize = 10_000;

pub(crate) struct Link {
    rtc: Rtc,
    pending_offer: Option<PendingOffer>,
    /// Hash of the answer last accepted, which may come again.
    answered: Option<u64>,
    /// Our ICE credentials.
    credentials: IceCreds,
    /// Fingerprint of the client's certificate.
    fingerprint: Option<Fingerprint>,
    /// ICE username fragment and password of the client.
    client_credentials: Option<(String, String)>,
    layout: Layout,
    /// Sections that the pending offer adds.
    offered_sections: Vec<(MediaType, String)>,
    paths: Paths,
    /// Path of the datagram that is being handled.
    current_path: Option<FiveTuple>,
    /// True if str0m returned that datagram as a new authentic packet.
    returned_packet: bool,
    ssrc_table: SsrcTable,
    /// Section and encoding of each received SSRC.
    receive_streams: HashMap<Ssrc, (Mid, Option<Rid>)>,
    announced_ssrcs: AnnouncedSsrcs,
    /// Set on the link of a probe.
    echo: Option<Echo>,
    egress: Egress,
    pub(crate) outbox: Outbox,
    rtc_timeout: Instant,
    /// Receive time of the last authenticated datagram.
    pub(crate) last_received: Instant,
    pub(crate) is_connected: bool,
    created: Instant,
    pub(crate) join: JoinProgress,
    received_bytes: u64,
    /// Totals at the last sample of the quality.
    sampled: LinkTotals,
    /// Set once str0m has panicked.
    is_broken: bool,
    #[cfg(debug_assertions)]
    panics_at: Option<&'static [u8]>,
}

impl Link {
    /// Creates a link for a client's first offer.
    pub(crate) fn new(
        config: &Config,
        engine: &Engine,
        offer: &Description<'_>,
        rng: &mut StdRng,
        now: Instant,
    ) -> Result<Self, Rejection> {
        panics::contained(|| Self::create(config, engine, offer, rng, now))
            .ok_or(Rejection::Panicked)
    }

    fn create(
        config: &Config,
        engine: &Engine,
        offer: &Description<'_>,
        rng: &mut StdRng,
        now: Instant,
    ) -> Self {
        let credentials = IceCreds {
            ufrag: ufrag::generate_ufrag(config.shard, rng),
            pass: ufrag::generate_password(rng),
        };
        let (rtc, local_candidates) = engine.create_rtc(config, &credentials, offer, now);
        Self {
            rtc,
            pending_offer: None,
            answered: None,
            credentials,
            fingerprint: None,
            client_credentials: None,
            layout: Layout::new(),
            offered_sections: Vec::new(),
            paths: Paths::new(local_candidates, config.limits.five_tuples.max(1), now),
            current_path: None,
            returned_packet: false,
            ssrc_table: SsrcTable::new(now),
            receive_streams: HashMap::default(),
            announced_ssrcs: AnnouncedSsrcs::default(),
            echo: None,
            egress: Egress::new(config.start_bitrate, rng.random(), now, engine.wall_clock(now)),
            outbox: Outbox::default(),
            rtc_timeout: now,
            last_received: now,
            is_connected: false,
            created: now,
            join: JoinProgress::new(now),
            received_bytes: 0,
            sampled: LinkTotals::default(),
            is_broken: false,
            #[cfg(debug_assertions)]
            panics_at: config.panics_at,
        }
    }

    pub(crate) fn ufrag(&self) -> &str {
        &self.credentials.ufrag
    }

    /// The reason to give up a link that has not connected within `timeout`.
    pub(crate) fn connect_failure(
        &self,
        now: Instant,
        timeout: Duration,
    ) -> Option<DisconnectReason> {
        let is_overdue =
            !self.is_connected && now.saturating_duration_since(self.created) >= timeout;
        let reason = if self.paths().is_empty() {
            DisconnectReason::IceTimeout
        } else {
            DisconnectReason::DtlsFailed
        };
        is_overdue.then_some(reason)
    }

    /// Validated paths, newest last.
    pub(crate) fn paths(&self) -> &[FiveTuple] {
        self.paths.validated()
    }

    /// The path that media is sent on.
    pub(crate) fn path(&self) -> Option<FiveTuple> {
        self.egress.path()
    }

    /// Totals now, and at the previous call.
    pub(crate) fn take_totals(&mut self) -> (LinkTotals, LinkTotals) {
        let totals = LinkTotals { received_bytes: self.received_bytes, ..self.egress.totals() };
        (totals, std::mem::replace(&mut self.sampled, totals))
    }

    /// Takes the newest round-trip time and the highest jitter since the last call.
    pub(crate) fn take_timing(&mut self) -> (Option<Duration>, Option<Duration>) {
        self.egress.take_timing()
    }

    /// Sets the bitrate desired for the next higher layer, and for all of them.
    pub(crate) fn set_desired(&mut self, next: u64, max: u64) {
        self.egress.set_desired(next, max);
    }

    /// Returns whether media can be sent.
    pub(crate) fn is_ready(&self) -> bool {
        self.egress.is_ready()
    }

    /// Time at which to call [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn poll_timeout(&self) -> Instant {
        self.egress.poll_timeout().map_or(self.rtc_timeout, |at| at.min(self.rtc_timeout))
    }

    pub(crate) fn request_keyframe(&mut self, mid: Mid, rid: Option<Rid>) {
        self.guard(|link| {
            if let Some(stream) = link.rtc.direct_api().stream_rx_by_mid(mid, rid) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        });
    }

    /// Handles a datagram. Malformed and unauthenticated ones are dropped.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        path: FiveTuple,
        bytes: &[u8],
        events: &mut Vec<LinkEvent>,
    ) {
        if self.guard(|link| link.demultiplex(now, path, bytes, events)).is_none() {
            events.push(LinkEvent::Panicked);
        }
    }

    fn demultiplex(
        &mut self,
        now: Instant,
        path: FiveTuple,
        bytes: &[u8],
        events: &mut Vec<LinkEvent>,
    ) {
        #[cfg(debug_assertions)]
        assert_ne!(self.panics_at, Some(bytes), "planted");
        self.received_bytes += bytes.len() as u64;
        if !rtcp::is_rtcp(bytes) {
            return self.pass_to_rtc(now, path, bytes, events);
        }
        let outcome = self.egress.handle_rtcp(now, bytes, &mut self.outbox, events);
        if matches!(outcome, RtcpOutcome::Handled | RtcpOutcome::HandledInPart) {
            self.last_received = now;
        }
        match outcome {
            // Without keys str0m can't decrypt it either.
            RtcpOutcome::NoKeys | RtcpOutcome::Handled => {}
            RtcpOutcome::HandledInPart => {
                let filtered = self.egress.take_filtered();
                self.pass_to_rtc(now, path, &filtered, events);
                self.egress.reuse_filtered(filtered);
            }
            RtcpOutcome::Dropped(reason) => events.push(LinkEvent::Dropped(reason)),
        }
    }

    /// Passes a datagram to str0m and drains it.
    fn pass_to_rtc(
        &mut self,
        now: Instant,
        path: FiveTuple,
        bytes: &[u8],
        events: &mut Vec<LinkEvent>,
    ) {
        let Some(local) = self.paths.local_candidate(&path) else { return };
        // str0m keeps a remote candidate for each address that sends a check.
        if ufrag::is_stun(bytes) && !self.paths.admits(now, &path) {
            return;
        }
        let protocol = protocol(path.transport);
        let Ok(receive) = Receive::new(protocol, path.remote, local, bytes) else { return };
        let header = RtpHeader::parse(bytes);
        if header.is_some_and(|header| !self.ssrc_table.admit(now, header)) {
            events.push(LinkEvent::Dropped(DropReason::Forged));
            return;
        }
        let before = header.and_then(|header| self.ssrc_table.before(&mut self.rtc, header));
        self.current_path = Some(path);
        self.returned_packet = false;
        received::take();
        let result = self.rtc.handle_input(Input::Receive(now, receive));
        let received = received::take();
        let events_before = events.len();
        self.drain_rtc(now, events);
        if let Some(header) = header {
            if let Some(twcc_seq) = received.twcc_seq.filter(|_| received.is_authentic) {
                self.egress.handle_arrival(now, header.ssrc(), twcc_seq);
            }
            if self.returned_packet {
                self.ssrc_table.authenticate(header);
            } else {
                let reason = self.ssrc_table.drop_reason(&mut self.rtc, header);
                events.extend(reason.map(LinkEvent::Dropped));
                if let Some(before) = before {
                    before.restore(&mut self.rtc, header.ssrc().into());
                }
            }
        } else if self.egress.path().is_some_and(|nominated| nominated != path)
            && events
                .iter()
                .skip(events_before)
                .any(|event| matches!(event, LinkEvent::PathValidated(_)))
        {
            self.probe_nominated_path(now, events);
        }
        self.current_path = None;
        if result.is_err() {
            events.push(self.failure());
        }
    }

    /// A failed handshake is reported to the client, any other failure is not.
    fn failure(&self) -> LinkEvent {
        // A certificate that doesn't have the fingerprint in the SDP is no DTLS error to str0m.
        if self.is_connected || self.paths().is_empty() {
            LinkEvent::Failed
        } else {
            LinkEvent::DtlsFailed
        }
    }

    /// Finds out which path str0m has nominated.
    fn probe_nominated_path(&mut self, now: Instant, events: &mut Vec<LinkEvent>) {
        self.paths.on_probed(now);
        nominated_path::probe(&mut self.rtc);
        self.drain_rtc(now, events);
    }

    /// Handles an expired [`poll_timeout`](Self::poll_timeout).
    pub(crate) fn handle_timeout(&mut self, now: Instant, events: &mut Vec<LinkEvent>) {
        if self.guard(|link| link.advance(now, events)).is_none() {
            events.push(LinkEvent::Panicked);
        }
    }

    fn advance(&mut self, now: Instant, events: &mut Vec<LinkEvent>) {
        if self.rtc.handle_input(Input::Timeout(now)).is_err() {
            events.push(self.failure());
        }
        self.drain_rtc(now, events);
        // str0m gives up a dead path without an event.
        if self.paths.is_probe_due(now) {
            self.probe_nominated_path(now, events);
        }
        events.extend(self.egress.handle_timeout(now, &mut self.outbox));
    }

    /// Drains str0m, as it requires after every mutation.
    fn drain_rtc(&mut self, now: Instant, events: &mut Vec<LinkEvent>) {
        let mut has_failed = false;
        self.rtc_timeout = now + MIN_RTC_TIMEOUT;
        for _ in 0..MAX_DRAIN {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.rtc_timeout = at.max(now + MIN_RTC_TIMEOUT);
                    break;
                }
                Ok(Output::Transmit(transmit)) => self.on_transmit(now, &transmit, events),
                Ok(Output::Event(event)) => self.on_rtc_event(now, event, events),
                Err(_) => {
                    has_failed = true;
                    events.push(self.failure());
                    break;
                }
            }
        }
        if let Some(keys) = dtls_keys::take() {
            self.egress.set_keys(&keys);
        }
        if has_failed || !self.rtc.is_alive() {
            events.push(self.failure());
        }
    }

    fn on_transmit(&mut self, now: Instant, transmit: &Transmit, events: &mut Vec<LinkEvent>) {
        let transport = match transmit.proto {
            Protocol::Udp => Transport::Udp,
            _ => Transport::Tcp,
        };
        let leads_there =
            |path: &FiveTuple| path.remote == transmit.destination && path.transport == transport;
        if let Some(path) = self.current_path.filter(leads_there)
            && ufrag::is_binding_success(&transmit.contents)
        {
            // A peer that only receives sends nothing else that is authenticated.
            self.last_received = now;
            self.paths.validate(path, events);
        }
        let Some(path) = self.paths.newest(leads_there) else { return };
        if !ufrag::is_stun(&transmit.contents) {
            self.egress.set_path(path);
        }
        self.outbox.push(path, &transmit.contents);
    }

    /// Closes the connection: queues RTCP BYE and the DTLS alert.
    pub(crate) fn close(&mut self, now: Instant) {
        self.guard(|link| {
            link.egress.close(now, &mut link.outbox);
            let _ = link.rtc.close();
            let _ = link.rtc.handle_input(Input::Timeout(now));
            link.drain_rtc(now, &mut Vec::new());
        });
    }
}

fn protocol(transport: Transport) -> Protocol {
    match transport {
        Transport::Udp => Protocol::Udp,
        Transport::Tcp => Protocol::Tcp,
    }
}
