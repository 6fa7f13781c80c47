//! One WebRTC connection: what it sends, what it receives.

use crate::{
    camera::{Camera, Layer},
    packet::Packet,
    reception::Reception,
    voice::Voice,
};
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    format::Codec,
    media::{Direction, KeyframeRequestKind, MediaKind, Mid, Rid},
    net::{Protocol, Receive, TcpType},
    rtp::{Extension, ExtensionMap, RtpPacket, RtpWrite},
};

/// What the engine wants within this time is done at once: it asks for a microsecond later between
/// two packets.
const NEARLY_DUE: Duration = Duration::from_micros(500);
/// No drain is longer, whatever the engine says.
const LONGEST_DRAIN: usize = 10_000;
/// How often pictures are looked after.
const ROUND: Duration = Duration::from_millis(50);
/// Datagrams that may wait to be sent.
const MOST: usize = 4096;

/// How a participant reaches the media server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// ICE over TCP (RFC 6544), as the active side; framing (RFC 4571) is the caller's.
    Tcp,
}

/// What a participant is like.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its own address.
    pub local: SocketAddr,
    /// How it sends.
    pub transport: Transport,
    /// What it sends.
    pub publish: Publish,
    /// Its name in [`Stamp`](crate::Stamp)s.
    pub publisher: u32,
    /// What stamps count from; the same for all who measure each other.
    pub epoch: Instant,
    /// Whether it agrees to tell senders when each packet came (transport-wide congestion control).
    /// They know nothing of the way to one that does not, and send it everything.
    pub reports: bool,
}

/// What a participant sends.
#[derive(Debug, Clone, Default)]
pub struct Publish {
    /// Sound.
    pub voice: bool,
    /// The picture's encodings; none for no picture.
    pub camera: Vec<Layer>,
}

/// A media section of an offer that the participant sends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The voice's.
    Voice,
    /// The camera's.
    Camera,
}

/// An offer, and which of its sections are what.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Session description.
    pub sdp: String,
    /// By mid.
    pub sections: Vec<(String, Section)>,
}

/// A datagram to be sent.
#[derive(Debug, Clone)]
pub struct Transmit {
    /// Where to.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// A description that can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// An answer without an offer of ours.
    #[error("an answer to no offer")]
    NoOffer,
    /// It is not what the engine can work with.
    #[error(transparent)]
    BadSdp(Box<dyn std::error::Error + Send + Sync>),
}

impl Refused {
    fn bad(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::BadSdp(error.into())
    }
}

/// A participant.
pub struct Participant {
    rtc: Rtc,
    config: Config,
    pending: Option<SdpPendingOffer>,
    camera: Option<(Camera, Option<Mid>)>,
    voice: Option<(Voice, Option<Mid>)>,
    received: BTreeMap<String, Reception>,
    outbox: VecDeque<Transmit>,
    negotiated: bool,
    connected: bool,
    dead: bool,
    due: Instant,
    round: Instant,
    sent: u64,
    came: u64,
    /// When the datagram came that is being taken.
    came_at: Instant,
}

impl Participant {
    /// A participant that knows nobody yet.
    #[must_use]
    pub fn new(now: Instant, config: Config) -> Self {
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_extension_map(extensions(config.reports))
            .build(now);
        let candidate = match config.transport {
            Transport::Udp => Candidate::host(config.local, "udp").ok(),
            Transport::Tcp => {
                Candidate::builder().tcp().host(config.local).tcptype(TcpType::Active).build().ok()
            }
        };
        if let Some(candidate) = candidate {
            rtc.add_local_candidate(candidate);
        }
        let layers = &config.publish.camera;
        let camera = Camera::new(config.publisher, config.epoch, layers);
        let voice = Voice::new(config.publisher, config.epoch);
        Self {
            rtc,
            pending: None,
            camera: (!layers.is_empty()).then_some((camera, None)),
            voice: config.publish.voice.then_some((voice, None)),
            received: BTreeMap::new(),
            outbox: VecDeque::new(),
            negotiated: false,
            connected: false,
            dead: false,
            due: now,
            round: now,
            sent: 0,
            came: 0,
            came_at: now,
            config,
        }
    }

    /// Offers what is to be sent; `None` where there is nothing new to offer. Who sends nothing
    /// offers sound that is off at first, since an offer needs a section.
    pub fn offer(&mut self, now: Instant) -> Option<Offer> {
        if self.pending.is_some() {
            return None;
        }
        let mut changes = self.rtc.sdp_api();
        let send = Direction::SendOnly;
        if let Some((_, mid @ None)) = &mut self.voice {
            *mid = Some(changes.add_media(MediaKind::Audio, send, None, None, None));
        }
        if let Some((camera, mid @ None)) = &mut self.camera {
            let layers = camera.simulcast();
            *mid = Some(changes.add_media(MediaKind::Video, send, None, None, layers));
        }
        if self.voice.is_none() && self.camera.is_none() && !self.negotiated {
            changes.add_media(MediaKind::Audio, Direction::Inactive, None, None, None);
        }
        let (offer, pending) = changes.apply()?;
        self.pending = Some(pending);
        self.drain(now);
        Some(Offer { sdp: offer.to_sdp_string(), sections: self.sections() })
    }

    /// The sending sections there are, by mid.
    #[must_use]
    pub fn sections(&self) -> Vec<(String, Section)> {
        let voice = self.voice.as_ref().and_then(|(_, mid)| *mid);
        let camera = self.camera.as_ref().and_then(|(_, mid)| *mid);
        let both = [(voice, Section::Voice), (camera, Section::Camera)];
        both.into_iter().filter_map(|(mid, section)| Some((mid?.to_string(), section))).collect()
    }

    /// Takes the answer to an offer of ours.
    ///
    /// # Errors
    /// [`Refused`]; the connection is as before.
    pub fn handle_answer(&mut self, now: Instant, sdp: &str) -> Result<(), Refused> {
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(Refused::bad)?;
        let pending = self.pending.take().ok_or(Refused::NoOffer)?;
        self.rtc.sdp_api().accept_answer(pending, answer).map_err(Refused::bad)?;
        self.negotiated = true;
        self.drain(now);
        Ok(())
    }

    /// Takes an offer and gives the answer. As the polite side it takes back an offer of its own
    /// that has crossed; call [`offer`](Self::offer) again after it.
    ///
    /// # Errors
    /// [`Refused`]; the connection is as before.
    pub fn handle_offer(&mut self, now: Instant, sdp: &str) -> Result<String, Refused> {
        let offer = SdpOffer::from_sdp_string(sdp).map_err(Refused::bad)?;
        if self.pending.take().is_some() {
            let rtc = &self.rtc;
            let forget = |mid: &mut Option<Mid>| *mid = mid.filter(|mid| rtc.media(*mid).is_some());
            self.voice.iter_mut().for_each(|(_, mid)| forget(mid));
            self.camera.iter_mut().for_each(|(_, mid)| forget(mid));
        }
        let answer = self.rtc.sdp_api().accept_offer(offer).map_err(Refused::bad)?;
        self.negotiated = true;
        self.drain(now);
        Ok(answer.to_sdp_string())
    }

    /// Takes a datagram that came to the participant's own address, then or a little before: its
    /// delay is counted until then.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        came_at: Instant,
        from: SocketAddr,
        bytes: &[u8],
    ) {
        self.came_at = came_at;
        let protocol = match self.config.transport {
            Transport::Udp => Protocol::Udp,
            Transport::Tcp => Protocol::Tcp,
        };
        let Ok(receive) = Receive::new(protocol, from, self.config.local, bytes) else { return };
        self.dead |= self.rtc.handle_input(Input::Receive(now, receive)).is_err();
        self.drain(now);
    }

    /// Sends what is to be sent by now.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.connected {
            self.publish(now);
        }
        if now >= self.round {
            self.round = now + ROUND;
            self.ask_for_keyframes(now);
        }
        self.drain(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let camera = self.camera.as_ref().and_then(|(camera, _)| camera.due());
        let voice = self.voice.as_ref().and_then(|(voice, _)| voice.due());
        let media = camera.into_iter().chain(voice).min().filter(|_| self.connected);
        let round = (!self.received.is_empty()).then_some(self.round);
        media.into_iter().chain(round).chain([self.due]).min().unwrap_or(self.due)
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.pop_front()
    }

    /// Whether ICE and DTLS are up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected && !self.dead
    }

    /// Whether nothing can come of the connection any more.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.dead || !self.rtc.is_alive()
    }

    /// What has been received, by mid.
    #[must_use]
    pub fn received(&self) -> &BTreeMap<String, Reception> {
        &self.received
    }

    /// Measures from now on, and forgets what was measured so far.
    pub fn start_over(&mut self) {
        self.received.values_mut().for_each(Reception::start_over);
    }

    /// How many RTP packets have come.
    #[must_use]
    pub fn came(&self) -> u64 {
        self.came
    }

    /// How many RTP packets were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Sends a layer of the camera, or lets it rest.
    pub fn set_layer(&mut self, rid: &str, on: bool) {
        if let Some((camera, _)) = &mut self.camera {
            camera.set_layer(Rid::from(rid), on);
        }
    }

    /// Ends the measurement of every track that should still be flowing.
    pub fn finish(&mut self, at: Instant) {
        for (mid, reception) in &mut self.received {
            let media = self.rtc.media(Mid::from(mid.as_str()));
            if media.is_some_and(|media| media.direction().is_receiving() && !media.disabled()) {
                reception.finish(at);
            }
        }
    }

    /// Ends the connection; what it says last is still to be sent.
    pub fn close(&mut self, now: Instant) {
        self.dead |= self.rtc.close().is_err();
        self.drain(now);
    }

    fn publish(&mut self, now: Instant) {
        if let Some((camera, Some(mid))) = &mut self.camera {
            let packets = camera.take(now);
            self.sent += write(&mut self.rtc, now, *mid, Codec::Vp8, packets);
        }
        if let Some((voice, Some(mid))) = &mut self.voice {
            let packets = voice.take(now);
            self.sent += write(&mut self.rtc, now, *mid, Codec::Opus, packets);
        }
    }

    fn ask_for_keyframes(&mut self, now: Instant) {
        let wanting = self.received.iter_mut().filter_map(|(mid, reception)| {
            reception.wants_keyframe(now).then(|| Mid::from(mid.as_str()))
        });
        for mid in wanting {
            if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        }
    }

    /// The one door to the engine: each change ends here, and everything it has to say is taken.
    fn drain(&mut self, now: Instant) {
        self.dead |= self.rtc.handle_input(Input::Timeout(now)).is_err();
        let mut clock = now;
        self.due = now + ROUND;
        for _ in 0..LONGEST_DRAIN {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) if at > clock && at <= now + NEARLY_DUE => {
                    clock = at;
                    self.dead |= self.rtc.handle_input(Input::Timeout(at)).is_err();
                }
                Ok(Output::Timeout(at)) => {
                    self.due = at.max(now + NEARLY_DUE);
                    break;
                }
                Ok(Output::Transmit(it)) => {
                    if self.outbox.len() < MOST {
                        let bytes = it.contents.to_vec();
                        self.outbox.push_back(Transmit { to: it.destination, bytes });
                    }
                }
                Ok(Output::Event(event)) => self.happened(event),
                Err(_) => {
                    self.dead = true;
                    break;
                }
            }
        }
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected = true,
            Event::Closed => self.dead = true,
            Event::RtpPacket(packet) => self.receive(&packet),
            Event::KeyframeRequest(request) => {
                if let Some((camera, mid)) = &mut self.camera
                    && *mid == Some(request.mid)
                {
                    camera.keyframe(request.rid);
                }
            }
            _ => {}
        }
    }

    fn receive(&mut self, packet: &RtpPacket) {
        self.came += 1;
        let mut direct = self.rtc.direct_api();
        let Some(mid) = direct.stream_rx(&packet.header.ssrc).map(|stream| stream.mid()) else {
            return;
        };
        let Some(video) = self.rtc.media(mid).map(|media| media.kind().is_video()) else { return };
        if !self.received.contains_key(&*mid) {
            let Some(reception) = Reception::new(self.config.epoch, video) else { return };
            self.received.insert(mid.to_string(), reception);
        }
        if let Some(reception) = self.received.get_mut(&*mid) {
            reception.take(self.came_at, *packet.seq_no, packet.header.marker, &packet.payload);
        }
    }
}

/// The usual header extensions, with numbers for reports by packet or without.
fn extensions(reports: bool) -> ExtensionMap {
    let mut extensions = ExtensionMap::empty();
    let standard = ExtensionMap::standard();
    for (id, extension) in standard.iter() {
        if reports || *extension != Extension::TransportSequenceNumber {
            extensions.set(id, extension.clone());
        }
    }
    extensions
}

/// Writes packets of one section, and tells how many could be.
fn write(rtc: &mut Rtc, now: Instant, mid: Mid, codec: Codec, packets: Vec<Packet>) -> u64 {
    let Some(media) = rtc.media(mid) else { return 0 };
    let agreed = media.remote_pts().to_vec();
    let mut params = rtc.codec_config().params().iter();
    let fits = params.find(|it| it.spec().codec == codec && agreed.contains(&it.pt()));
    let Some(pt) = fits.map(|it| it.pt()) else { return 0 };
    let mut written = 0;
    let mut direct = rtc.direct_api();
    for packet in packets {
        let Some(stream) = direct.stream_tx_by_mid(mid, packet.rid) else { continue };
        // The recording has a pace already.
        stream.set_unpaced(true);
        let seq = packet.seq.into();
        let write = RtpWrite::new(pt, seq, packet.time, now, packet.payload);
        stream.write_rtp(write.marker(packet.marker).nackable(codec == Codec::Vp8));
        written += 1;
    }
    written
}
