//! One peer's ICE, DTLS, SRTP and RTP: our face of the media engine, and beside it our own egress.
//!
//! Nothing outside this module drives the engine, and but a few value types of it are named
//! elsewhere. It has ICE, DTLS, SDP, the data channel and the media that comes; what we send, and the
//! reports on that, are the [`Egress`]'s.

mod allowance;
mod engine;
mod extensions;
mod guard;
mod lane;
mod negotiation;
mod sending;
mod ssrc_table;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use foldhash::HashMap;
use rand::{RngExt as _, rngs::StdRng};
use str0m::{
    Event, IceConnectionState, IceCreds, Input, Output, Rtc, RtcError,
    change::SdpPendingOffer,
    media::KeyframeRequestKind,
    net::{Protocol, Receive},
    rtp::Ssrc,
};

use self::{
    allowance::Allowance,
    sending::Sending,
    ssrc_table::{Head, Sources},
};
use crate::{
    config::Config,
    extensions::dependency::Dependency,
    ids::{Mid, Rid, Transport},
    link_event::Happened,
    outbox::Outbox,
    output::{DisconnectReason, DropReason},
    rejection::Rejection,
    routes::FiveTuple,
    sdp::{Description, Fingerprint, Layout, MediaType},
    send::{Egress, Reports, rtcp},
    str0m_workarounds::{dtls_keys, nominated_path, panics, received},
    track::{
        format::{Codec, Format},
        packet::{ForwardedExtensions, Packet},
    },
    ufrag,
};

pub(crate) use engine::Engine;

/// The engine is not asked again sooner.
const NEARLY_DUE: Duration = Duration::from_micros(500);
/// How often the engine is asked where it leads, if there are several ways.
const LOOK: Duration = Duration::from_millis(250);
/// No drain is longer, whatever the engine says.
const LONGEST_DRAIN: usize = 10_000;
/// Packets of one stream are counted with 48 bits.
const HIGHEST_INDEX: u64 = (1 << 48) - 1;
/// Incoming streams remembered: three layers of camera and screen, two of sound, and their forerunners.
const STREAMS: usize = 64;

pub(crate) struct Link {
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    credentials: IceCreds,
    fingerprint: Option<Fingerprint>,
    /// The client's ICE user name fragment and password.
    of_client: Option<(String, String)>,
    /// Which section of the client is which of the engine's.
    layout: Layout,
    /// Sections of the offer of ours that waits for its answer.
    offered: Vec<(MediaType, String)>,
    /// The local addresses that the engine knows of, one of a family and transport.
    known: Vec<(Transport, SocketAddr)>,
    /// Proven ways, newest last.
    ways: Vec<FiveTuple>,
    new_ways: Allowance,
    /// The datagram in hand came this way.
    current: Option<FiveTuple>,
    /// Whether it was a packet that was new and its sender's.
    fresh: bool,
    sources: Sources,
    streams: HashMap<Ssrc, (Mid, Option<Rid>)>,
    sending: Sending,
    egress: Egress,
    pub(crate) outbox: Outbox,
    /// When the engine wants the time told.
    due: Instant,
    pub(crate) heard: Instant,
    pub(crate) connected: bool,
    began: Instant,
    addresses: usize,
    /// When it was asked where it leads.
    looked: Instant,
    /// Whether the engine has panicked.
    is_broken: bool,
    #[cfg(debug_assertions)]
    panics_at: Option<&'static [u8]>,
}

impl Link {
    /// A link that is to begin with this offer.
    pub(crate) fn new(
        config: &Config,
        engine: &Engine,
        offer: &Description<'_>,
        rng: &mut StdRng,
        now: Instant,
    ) -> Result<Self, Rejection> {
        panics::contained(|| Self::made(config, engine, offer, rng, now)).ok_or(Rejection::Panicked)
    }

    fn made(
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
        let (rtc, known) = engine.make(config, &credentials, offer, now);
        Self {
            rtc,
            pending: None,
            credentials,
            fingerprint: None,
            of_client: None,
            layout: Layout::new(),
            offered: Vec::new(),
            known,
            ways: Vec::new(),
            new_ways: Allowance::new(now),
            current: None,
            fresh: false,
            sources: Sources::new(now),
            streams: HashMap::default(),
            sending: Sending::default(),
            egress: Egress::new(config.start_bitrate, rng.random(), now, engine.wall_clock(now)),
            outbox: Outbox::default(),
            due: now,
            heard: now,
            connected: false,
            began: now,
            addresses: config.limits.five_tuples.max(1),
            looked: now,
            is_broken: false,
            #[cfg(debug_assertions)]
            panics_at: config.panics_at,
        }
    }

    pub(crate) fn ufrag(&self) -> &str {
        &self.credentials.ufrag
    }

    /// Whether it should have come up by now, and what is missing then.
    pub(crate) fn is_overdue(&self, now: Instant, most: Duration) -> Option<DisconnectReason> {
        let overdue = !self.connected && now.saturating_duration_since(self.began) >= most;
        let missing = if self.ways.is_empty() {
            DisconnectReason::IceTimeout
        } else {
            DisconnectReason::DtlsFailed
        };
        overdue.then_some(missing)
    }

    pub(crate) fn ways(&self) -> &[FiveTuple] {
        &self.ways
    }

    /// Tells the estimator what would be sent next and what at best, bits a second.
    pub(crate) fn desire(&mut self, next: u64, best: u64) {
        self.egress.desire(next, best);
    }

    /// Whether what is sent gets to the peer.
    pub(crate) fn is_ready(&self) -> bool {
        self.egress.is_ready()
    }

    /// When to [`drain`](Self::drain) it.
    pub(crate) fn due(&self) -> Instant {
        self.egress.poll_timeout().map_or(self.due, |at| at.min(self.due))
    }

    pub(crate) fn request_keyframe(&mut self, mid: Mid, rid: Option<Rid>) {
        self.guard(|link| {
            if let Some(stream) = link.rtc.direct_api().stream_rx_by_mid(mid, rid) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        });
    }

    /// Takes a datagram. What can't be parsed or decrypted is dropped.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        way: FiveTuple,
        bytes: &[u8],
        out: &mut Vec<Happened>,
    ) {
        if self.guard(|link| link.take_in(now, way, bytes, out)).is_none() {
            out.push(Happened::Panicked);
        }
    }

    fn take_in(&mut self, now: Instant, way: FiveTuple, bytes: &[u8], out: &mut Vec<Happened>) {
        #[cfg(debug_assertions)]
        assert_ne!(self.panics_at, Some(bytes), "planted");
        if !rtcp::is_report(bytes) {
            return self.hand_in(now, way, bytes, out);
        }
        let reports = self.egress.handle_reports(now, bytes, (&mut self.outbox, &mut *out));
        if matches!(reports, Reports::Taken | Reports::OfEngine) {
            self.heard = now;
        }
        match reports {
            // What there are no keys for the engine can't open either.
            Reports::Early | Reports::Taken => {}
            Reports::OfEngine => {
                let filtered = self.egress.take_filtered();
                self.hand_in(now, way, &filtered, out);
                self.egress.reuse_filtered(filtered);
            }
            Reports::Refused(reason) => out.push(Happened::Dropped(reason)),
        }
    }

    /// Hands the engine a datagram, and takes what it has to say.
    fn hand_in(&mut self, now: Instant, way: FiveTuple, bytes: &[u8], out: &mut Vec<Happened>) {
        let Some(local) = self.known_as(&way) else { return };
        let proto = protocol(way.transport);
        // The engine keeps every address that it is checked from.
        if ufrag::is_stun(bytes) && !self.ways.contains(&way) && !self.new_ways.is_left(now) {
            return;
        }
        let Ok(receive) = Receive::new(proto, way.remote, local, bytes) else { return };
        let head = Head::read(bytes);
        if head.is_some_and(|head| !self.sources.admit(now, head)) {
            out.push(Happened::Dropped(DropReason::Forged));
            return;
        }
        let before = head.and_then(|head| self.sources.before(&mut self.rtc, head));
        self.current = Some(way);
        self.fresh = false;
        received::take();
        let taken = self.rtc.handle_input(Input::Receive(now, receive));
        let received = received::take();
        let so_far = out.len();
        self.poll(now, out);
        if let Some(head) = head {
            if let Some(twcc_seq) = received.twcc_seq.filter(|_| received.is_authentic) {
                self.egress.handle_arrival(now, head.ssrc(), twcc_seq);
            }
            if self.fresh {
                self.sources.prove(head);
            } else {
                let reason = self.sources.judge(&mut self.rtc, head);
                out.extend(reason.map(Happened::Dropped));
                if let Some(before) = before {
                    before.restore(&mut self.rtc, head.ssrc().into());
                }
            }
        } else if self.egress.way().is_some_and(|leads| leads != way)
            && out.iter().skip(so_far).any(|it| matches!(it, Happened::Proven(_)))
        {
            self.look_where_it_leads(now, out);
        }
        self.current = None;
        if let Err(error) = taken {
            out.push(self.failure(&error));
        }
    }

    /// A failed handshake is the client's to know of; of anything else there is nothing to say.
    fn failure(&self, error: &RtcError) -> Happened {
        match error {
            RtcError::Dtls(_) if !self.connected => Happened::HandshakeFailed,
            _ => Happened::Failed,
        }
    }

    /// The engine chooses the way to the peer, and tells by where it sends what is of media: so it is
    /// given something of no meaning to send.
    fn look_where_it_leads(&mut self, now: Instant, out: &mut Vec<Happened>) {
        self.looked = now;
        nominated_path::probe(&mut self.rtc);
        self.poll(now, out);
    }

    /// The address by which the engine knows us: it has one of a family and transport, and we may be
    /// reached by many.
    fn known_as(&self, way: &FiveTuple) -> Option<SocketAddr> {
        let same = |(transport, address): &&(Transport, SocketAddr)| {
            *transport == way.transport && address.is_ipv4() == way.remote.is_ipv4()
        };
        self.known.iter().find(same).map(|(_, address)| *address)
    }

    /// Does what is due, and takes what the engine has to say.
    pub(crate) fn drain(&mut self, now: Instant, out: &mut Vec<Happened>) {
        if self.guard(|link| link.do_due(now, out)).is_none() {
            out.push(Happened::Panicked);
        }
    }

    fn do_due(&mut self, now: Instant, out: &mut Vec<Happened>) {
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            out.push(self.failure(&error));
        }
        self.poll(now, out);
        // A way that is dead is given up without anything being heard.
        if self.ways.len() > 1 && now.saturating_duration_since(self.looked) >= LOOK {
            self.look_where_it_leads(now, out);
        }
        out.extend(self.egress.handle_timeout(now, &mut self.outbox));
    }

    /// The one door to the engine: each change ends here, and everything it has to say is taken.
    fn poll(&mut self, now: Instant, out: &mut Vec<Happened>) {
        let mut failed = false;
        self.due = now + NEARLY_DUE;
        for _ in 0..LONGEST_DRAIN {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.due = at.max(now + NEARLY_DUE);
                    break;
                }
                Ok(Output::Transmit(it)) => self.transmit(now, &it, out),
                Ok(Output::Event(event)) => self.happened(now, event, out),
                Err(error) => {
                    failed = true;
                    out.push(self.failure(&error));
                    break;
                }
            }
        }
        if let Some(keys) = dtls_keys::take() {
            self.egress.agree(&keys);
        }
        if failed || !self.rtc.is_alive() {
            out.push(Happened::Failed);
        }
    }

    fn transmit(&mut self, now: Instant, it: &str0m::net::Transmit, out: &mut Vec<Happened>) {
        let transport = match it.proto {
            Protocol::Udp => Transport::Udp,
            _ => Transport::Tcp,
        };
        let leads = |way: &FiveTuple| way.remote == it.destination && way.transport == transport;
        if let Some(way) = self.current.filter(leads)
            && ufrag::is_binding_success(&it.contents)
        {
            // Who only watches sends nothing else that is authenticated.
            self.heard = now;
            self.prove(way, out);
        }
        let Some(way) = self.ways.iter().rev().find(|way| leads(way)).copied() else { return };
        if !ufrag::is_stun(&it.contents) {
            self.egress.lead(way);
        }
        self.outbox.push(way, &it.contents);
    }

    fn prove(&mut self, way: FiveTuple, out: &mut Vec<Happened>) {
        if let Some(at) = self.ways.iter().position(|known| *known == way) {
            // The newest way to an address is the one that leads there.
            self.ways.remove(at);
        } else {
            self.new_ways.spend();
            if self.ways.len() >= self.addresses {
                out.push(Happened::Forgotten(self.ways.remove(0)));
            }
        }
        // Each time, as somebody else may have claimed it meanwhile.
        out.push(Happened::Proven(way));
        self.ways.push(way);
    }

    fn happened(&mut self, now: Instant, event: Event, out: &mut Vec<Happened>) {
        match event {
            Event::RtpPacket(packet) => {
                self.heard = now;
                self.fresh = true;
                // From before the first one, as the engine counts: no sender gets that far (RFC 3711 §3.3.1).
                if *packet.seq_no > HIGHEST_INDEX {
                    return;
                }
                let ssrc = packet.header.ssrc;
                let Some((mid, rid)) = self.stream(ssrc) else { return };
                let Some(format) = self.format(*packet.header.payload_type) else { return };
                // Padding alone is for the estimate between us and the sender.
                if packet.payload.is_empty() {
                    return;
                }
                // Other codecs tell the same in their payload descriptors.
                let dependency = packet.header.ext_vals.user_values.get::<Dependency>();
                let dependency = dependency.filter(|_| format.codec == Codec::Av1);
                let packet = Packet {
                    dependency: dependency.map(|it| it.bytes.clone()),
                    frame_number: dependency.map(|it| it.frame),
                    seq: *packet.seq_no,
                    timestamp: packet.header.timestamp,
                    marker: packet.header.marker,
                    format,
                    extensions: ForwardedExtensions::new(&packet.header.ext_vals),
                    payload: packet.payload,
                    received_at: packet.timestamp,
                };
                out.push(Happened::Packet { mid, rid, packet });
            }
            Event::Connected => {
                self.connected = true;
                out.push(Happened::Connected);
            }
            Event::Closed => out.push(Happened::Closed),
            Event::IceConnectionStateChange(state) if state != IceConnectionState::Disconnected => {
                self.heard = now;
            }
            _ => {}
        }
    }

    fn stream(&mut self, ssrc: Ssrc) -> Option<(Mid, Option<Rid>)> {
        if let Some(known) = self.streams.get(&ssrc) {
            return Some(*known);
        }
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_rx(&ssrc)?;
        let known = (stream.mid(), stream.rid());
        if self.streams.len() >= STREAMS {
            self.streams.clear();
        }
        self.streams.insert(ssrc, known);
        Some(known)
    }

    fn format(&self, pt: u8) -> Option<Format> {
        self.rtc.codec_config().params().iter().find_map(|params| {
            let ours = *params.pt() == pt || params.red().is_some_and(|red| *red == pt);
            ours.then(|| Format::new(params, pt)).flatten()
        })
    }

    /// Says good-bye; a last drain lets it leave.
    pub(crate) fn close(&mut self, now: Instant) {
        self.guard(|link| {
            link.egress.close(now, &mut link.outbox);
            let _ = link.rtc.close();
            let _ = link.rtc.handle_input(Input::Timeout(now));
            link.poll(now, &mut Vec::new());
        });
    }
}

fn protocol(transport: Transport) -> Protocol {
    match transport {
        Transport::Udp => Protocol::Udp,
        Transport::Tcp => Protocol::Tcp,
    }
}
