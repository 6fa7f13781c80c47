//! One WebRTC connection: what it sends, what it receives.

use crate::{
    camera::{Camera, Layer},
    microphone::Microphone,
    packet::Packet,
    received_track::ReceivedTrack,
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
const MAX_DRAIN: usize = 10_000;
/// How often pictures are looked after.
const KEYFRAME_CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// Datagrams that may wait to be sent.
const MAX_OUTBOX: usize = 4096;

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
    pub twcc: bool,
}

/// What a participant sends.
#[derive(Debug, Clone, Default)]
pub struct Publish {
    /// Sound.
    pub audio: bool,
    /// The picture's encodings; none for no picture.
    pub video: Vec<Layer>,
}

/// A media section of an offer that the participant sends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The voice's.
    Audio,
    /// The camera's.
    Video,
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
pub enum NegotiateError {
    /// An answer without an offer of ours.
    #[error("an answer to no offer")]
    NoOffer,
    /// It is not what the engine can work with.
    #[error(transparent)]
    BadSdp(Box<dyn std::error::Error + Send + Sync>),
}

impl NegotiateError {
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
    microphone: Option<(Microphone, Option<Mid>)>,
    received: BTreeMap<String, ReceivedTrack>,
    outbox: VecDeque<Transmit>,
    negotiated: bool,
    connected: bool,
    failed: bool,
    due: Instant,
    next_check: Instant,
    packets_sent: u64,
    packets_received: u64,
    /// When the datagram came that is being taken.
    arrived_at: Instant,
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
            .set_extension_map(extensions(config.twcc))
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
        let layers = &config.publish.video;
        let camera = Camera::new(config.publisher, config.epoch, layers);
        let microphone = Microphone::new(config.publisher, config.epoch);
        Self {
            rtc,
            pending: None,
            camera: (!layers.is_empty()).then_some((camera, None)),
            microphone: config.publish.audio.then_some((microphone, None)),
            received: BTreeMap::new(),
            outbox: VecDeque::new(),
            negotiated: false,
            connected: false,
            failed: false,
            due: now,
            next_check: now,
            packets_sent: 0,
            packets_received: 0,
            arrived_at: now,
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
        if let Some((_, mid @ None)) = &mut self.microphone {
            *mid = Some(changes.add_media(MediaKind::Audio, send, None, None, None));
        }
        if let Some((camera, mid @ None)) = &mut self.camera {
            let layers = camera.simulcast();
            *mid = Some(changes.add_media(MediaKind::Video, send, None, None, layers));
        }
        if self.microphone.is_none() && self.camera.is_none() && !self.negotiated {
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
        let microphone = self.microphone.as_ref().and_then(|(_, mid)| *mid);
        let camera = self.camera.as_ref().and_then(|(_, mid)| *mid);
        let both = [(microphone, Section::Audio), (camera, Section::Video)];
        both.into_iter().filter_map(|(mid, section)| Some((mid?.to_string(), section))).collect()
    }

    /// Takes the answer to an offer of ours.
    ///
    /// # Errors
    /// [`Refused`]; the connection is as before.
    pub fn handle_answer(&mut self, now: Instant, sdp: &str) -> Result<(), NegotiateError> {
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(NegotiateError::bad)?;
        let pending = self.pending.take().ok_or(NegotiateError::NoOffer)?;
        self.rtc.sdp_api().accept_answer(pending, answer).map_err(NegotiateError::bad)?;
        self.negotiated = true;
        self.drain(now);
        Ok(())
    }

    /// Takes an offer and gives the answer. As the polite side it takes back an offer of its own
    /// that has crossed; call [`offer`](Self::offer) again after it.
    ///
    /// # Errors
    /// [`Refused`]; the connection is as before.
    pub fn handle_offer(&mut self, now: Instant, sdp: &str) -> Result<String, NegotiateError> {
        let offer = SdpOffer::from_sdp_string(sdp).map_err(NegotiateError::bad)?;
        if self.pending.take().is_some() {
            let rtc = &self.rtc;
            let forget = |mid: &mut Option<Mid>| *mid = mid.filter(|mid| rtc.media(*mid).is_some());
            self.microphone.iter_mut().for_each(|(_, mid)| forget(mid));
            self.camera.iter_mut().for_each(|(_, mid)| forget(mid));
        }
        let answer = self.rtc.sdp_api().accept_offer(offer).map_err(NegotiateError::bad)?;
        self.negotiated = true;
        self.drain(now);
        Ok(answer.to_sdp_string())
    }

    /// Takes a datagram that came to the participant's own address, then or a little before: its
    /// delay is counted until then.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        arrived_at: Instant,
        from: SocketAddr,
        bytes: &[u8],
    ) {
        self.arrived_at = arrived_at;
        let protocol = match self.config.transport {
            Transport::Udp => Protocol::Udp,
            Transport::Tcp => Protocol::Tcp,
        };
        let Ok(receive) = Receive::new(protocol, from, self.config.local, bytes) else { return };
        self.failed |= self.rtc.handle_input(Input::Receive(now, receive)).is_err();
        self.drain(now);
    }

    /// Sends what is to be sent by now.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.connected {
            self.publish(now);
        }
        if now >= self.next_check {
            self.next_check = now + KEYFRAME_CHECK_INTERVAL;
            self.request_keyframes(now);
        }
        self.drain(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let camera = self.camera.as_ref().and_then(|(camera, _)| camera.due());
        let microphone = self.microphone.as_ref().and_then(|(microphone, _)| microphone.due());
        let media = camera.into_iter().chain(microphone).min().filter(|_| self.connected);
        let check = (!self.received.is_empty()).then_some(self.next_check);
        media.into_iter().chain(check).chain([self.due]).min().unwrap_or(self.due)
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.pop_front()
    }

    /// Whether ICE and DTLS are up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected && !self.failed
    }

    /// Whether nothing can come of the connection any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.failed || !self.rtc.is_alive()
    }

    /// What has been received, by mid.
    #[must_use]
    pub fn received(&self) -> &BTreeMap<String, ReceivedTrack> {
        &self.received
    }

    /// Measures from now on, and forgets what was measured so far.
    pub fn reset(&mut self) {
        self.received.values_mut().for_each(ReceivedTrack::reset);
    }

    /// How many RTP packets have come.
    #[must_use]
    pub fn packets_received(&self) -> u64 {
        self.packets_received
    }

    /// How many RTP packets were sent.
    #[must_use]
    pub fn packets_sent(&self) -> u64 {
        self.packets_sent
    }

    /// Sends a layer of the camera, or lets it rest.
    pub fn set_layer(&mut self, rid: &str, on: bool) {
        if let Some((camera, _)) = &mut self.camera {
            camera.set_layer(Rid::from(rid), on);
        }
    }

    /// Ends the measurement of every track that should still be flowing.
    pub fn finish(&mut self, at: Instant) {
        for (mid, track) in &mut self.received {
            let media = self.rtc.media(Mid::from(mid.as_str()));
            if media.is_some_and(|media| media.direction().is_receiving() && !media.disabled()) {
                track.finish(at);
            }
        }
    }

    /// Ends the connection; what it says last is still to be sent.
    pub fn close(&mut self, now: Instant) {
        self.failed |= self.rtc.close().is_err();
        self.drain(now);
    }

    fn publish(&mut self, now: Instant) {
        if let Some((camera, Some(mid))) = &mut self.camera {
            let packets = camera.poll_packets(now);
            self.packets_sent += write(&mut self.rtc, now, *mid, Codec::Vp8, packets);
        }
        if let Some((microphone, Some(mid))) = &mut self.microphone {
            let packets = microphone.poll_packets(now);
            self.packets_sent += write(&mut self.rtc, now, *mid, Codec::Opus, packets);
        }
    }

    fn request_keyframes(&mut self, now: Instant) {
        let wanting = self
            .received
            .iter_mut()
            .filter_map(|(mid, track)| track.wants_keyframe(now).then(|| Mid::from(mid.as_str())));
        for mid in wanting {
            if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        }
    }

    /// The one door to the engine: each change ends here, and everything it has to say is taken.
    fn drain(&mut self, now: Instant) {
        self.failed |= self.rtc.handle_input(Input::Timeout(now)).is_err();
        let mut clock = now;
        self.due = now + KEYFRAME_CHECK_INTERVAL;
        for _ in 0..MAX_DRAIN {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) if at > clock && at <= now + NEARLY_DUE => {
                    clock = at;
                    self.failed |= self.rtc.handle_input(Input::Timeout(at)).is_err();
                }
                Ok(Output::Timeout(at)) => {
                    self.due = at.max(now + NEARLY_DUE);
                    break;
                }
                Ok(Output::Transmit(transmit)) => {
                    if self.outbox.len() < MAX_OUTBOX {
                        let bytes = transmit.contents.to_vec();
                        self.outbox.push_back(Transmit { to: transmit.destination, bytes });
                    }
                }
                Ok(Output::Event(event)) => self.handle_event(event),
                Err(_) => {
                    self.failed = true;
                    break;
                }
            }
        }
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected = true,
            Event::Closed => self.failed = true,
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
        self.packets_received += 1;
        let mut direct = self.rtc.direct_api();
        let Some(mid) = direct.stream_rx(&packet.header.ssrc).map(|stream| stream.mid()) else {
            return;
        };
        let Some(video) = self.rtc.media(mid).map(|media| media.kind().is_video()) else { return };
        if !self.received.contains_key(&*mid) {
            let Some(track) = ReceivedTrack::new(self.config.epoch, video) else { return };
            self.received.insert(mid.to_string(), track);
        }
        if let Some(track) = self.received.get_mut(&*mid) {
            track.handle_packet(
                self.arrived_at,
                *packet.seq_no,
                packet.header.marker,
                &packet.payload,
            );
        }
    }
}

/// The usual header extensions, with numbers for reports by packet or without.
fn extensions(twcc: bool) -> ExtensionMap {
    let mut extensions = ExtensionMap::empty();
    let standard = ExtensionMap::standard();
    for (id, extension) in standard.iter() {
        if twcc || *extension != Extension::TransportSequenceNumber {
            extensions.set(id, extension.clone());
        }
    }
    extensions
}

/// Writes packets of one section, and tells how many could be.
fn write(rtc: &mut Rtc, now: Instant, mid: Mid, codec: Codec, packets: Vec<Packet>) -> u64 {
    let Some(media) = rtc.media(mid) else { return 0 };
    let agreed = media.remote_pts().to_vec();
    let mut offered = rtc.codec_config().params().iter();
    let fits = offered.find(|params| params.spec().codec == codec && agreed.contains(&params.pt()));
    let Some(pt) = fits.map(|params| params.pt()) else { return 0 };
    let mut written = 0;
    let mut direct = rtc.direct_api();
    for packet in packets {
        let Some(stream) = direct.stream_tx_by_mid(mid, packet.rid) else { continue };
        // The recording has a pace already.
        stream.set_unpaced(true);
        let seq = packet.seq.into();
        let write = RtpWrite::new(pt, seq, packet.timestamp, now, packet.payload);
        stream.write_rtp(write.marker(packet.marker).nackable(codec == Codec::Vp8));
        written += 1;
    }
    written
}
