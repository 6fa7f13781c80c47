//! One peer connection: publishing, receiving and SDP.

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

use crate::{
    camera::{Camera, Layer},
    microphone::Microphone,
    packet::Packet,
    received_track::ReceivedTrack,
};

/// Timeouts of str0m within this time are handled at once: it asks for a timeout of a microsecond
/// between two packets.
const NEARLY_DUE: Duration = Duration::from_micros(500);
/// Maximum number of outputs per drain.
const MAX_DRAIN: usize = 10_000;
/// Interval of checks for missing keyframes.
const KEYFRAME_CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// Maximum number of queued datagrams.
const MAX_OUTBOX: usize = 4096;

/// The transport to the media server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// ICE over TCP (RFC 6544), active side; the caller does the framing (RFC 4571).
    Tcp,
}

/// The configuration of a participant.
#[derive(Debug, Clone)]
pub struct Config {
    /// The local address.
    pub local: SocketAddr,
    /// The transport to the media server.
    pub transport: Transport,
    /// The media to publish.
    pub publish: Publish,
    /// The publisher number in its [`Stamp`](crate::Stamp)s.
    pub publisher: u32,
    /// The instant that stamps count from, the same for all participants of a measurement.
    pub epoch: Instant,
    /// Negotiates TWCC feedback. Without it a sender has no bandwidth estimate and sends
    /// everything.
    pub twcc: bool,
}

/// The media that a participant publishes.
#[derive(Debug, Clone, Default)]
pub struct Publish {
    /// Publishes audio.
    pub audio: bool,
    /// The encodings of the video; none to publish no video.
    pub video: Vec<Layer>,
}

/// The kind of a sending media section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Audio.
    Audio,
    /// Video.
    Video,
}

/// An offer and the kinds of its sending sections.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The session description.
    pub sdp: String,
    /// The sending sections by mid.
    pub sections: Vec<(String, Section)>,
}

/// A datagram to send.
#[derive(Debug, Clone)]
pub struct Transmit {
    /// The destination.
    pub to: SocketAddr,
    /// The payload.
    pub bytes: Vec<u8>,
}

/// A session description was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum NegotiateError {
    /// There is no pending offer that this could answer.
    #[error("an answer to no offer")]
    NoOffer,
    /// The description is invalid or not supported.
    #[error(transparent)]
    BadSdp(Box<dyn std::error::Error + Send + Sync>),
}

impl NegotiateError {
    fn bad(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::BadSdp(error.into())
    }
}

/// A headless participant.
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
    /// Arrival of the datagram being handled.
    arrived_at: Instant,
}

impl Participant {
    /// A participant that is not connected.
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

    /// An offer of the media to publish; `None` if nothing has changed. A participant that
    /// publishes nothing offers an inactive audio section at first, since an offer needs a section.
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

    /// The sending sections by mid.
    #[must_use]
    pub fn sections(&self) -> Vec<(String, Section)> {
        let microphone = self.microphone.as_ref().and_then(|(_, mid)| *mid);
        let camera = self.camera.as_ref().and_then(|(_, mid)| *mid);
        let both = [(microphone, Section::Audio), (camera, Section::Video)];
        both.into_iter().filter_map(|(mid, section)| Some((mid?.to_string(), section))).collect()
    }

    /// Handles the answer to the pending offer.
    ///
    /// # Errors
    /// [`NegotiateError`]; the connection is unchanged.
    pub fn handle_answer(&mut self, now: Instant, sdp: &str) -> Result<(), NegotiateError> {
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(NegotiateError::bad)?;
        let pending = self.pending.take().ok_or(NegotiateError::NoOffer)?;
        self.rtc.sdp_api().accept_answer(pending, answer).map_err(NegotiateError::bad)?;
        self.negotiated = true;
        self.drain(now);
        Ok(())
    }

    /// Handles an offer and returns the answer. As the polite peer it rolls back its own pending
    /// offer; call [`offer`](Self::offer) again afterwards.
    ///
    /// # Errors
    /// [`NegotiateError`]; the connection is unchanged.
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

    /// Handles a datagram that arrived at `arrived_at`, up to which its delay counts.
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

    /// Sends media that is due and drives the timers.
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

    /// The next time to call [`handle_timeout`](Self::handle_timeout).
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

    /// Returns whether ICE and DTLS are connected.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected && !self.failed
    }

    /// Returns whether the connection is closed for good.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.failed || !self.rtc.is_alive()
    }

    /// The received tracks by mid.
    #[must_use]
    pub fn received(&self) -> &BTreeMap<String, ReceivedTrack> {
        &self.received
    }

    /// Discards the measurements so far.
    pub fn reset(&mut self) {
        self.received.values_mut().for_each(ReceivedTrack::reset);
    }

    /// Number of RTP packets received.
    #[must_use]
    pub fn packets_received(&self) -> u64 {
        self.packets_received
    }

    /// Number of RTP packets sent.
    #[must_use]
    pub fn packets_sent(&self) -> u64 {
        self.packets_sent
    }

    /// Starts or stops an encoding of the video.
    pub fn set_layer(&mut self, rid: &str, on: bool) {
        if let Some((camera, _)) = &mut self.camera {
            camera.set_layer(Rid::from(rid), on);
        }
    }

    /// Ends the measurement of all tracks that are active.
    pub fn finish(&mut self, at: Instant) {
        for (mid, track) in &mut self.received {
            let media = self.rtc.media(Mid::from(mid.as_str()));
            if media.is_some_and(|media| media.direction().is_receiving() && !media.disabled()) {
                track.finish(at);
            }
        }
    }

    /// Closes the connection. Its last datagrams are still to be sent.
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

    /// The only access to the Rtc: every mutation is followed by a full drain, as str0m requires.
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

/// The standard header extensions, with or without the TWCC sequence number.
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

/// Writes packets of one section. Returns the number of packets written.
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
        // The recording is paced already.
        stream.set_unpaced(true);
        let seq = packet.seq.into();
        let write = RtpWrite::new(pt, seq, packet.timestamp, now, packet.payload);
        stream.write_rtp(write.marker(packet.marker).nackable(codec == Codec::Vp8));
        written += 1;
    }
    written
}
