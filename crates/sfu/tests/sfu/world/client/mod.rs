//! A simulated browser.

mod channels;

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use sfu::{PeerId, Source, Subscription};
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig, RtcError,
    bwe::Bitrate,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    channel::ChannelId,
    format::Codec,
    media::{Direction, KeyframeRequestKind, MediaKind, Mid, Rid, Simulcast, SimulcastLayer},
    net::{Protocol, Receive},
    rtp::{ExtensionValues, RtpPacket, RtpWrite},
};

use super::{
    media::{AudioStats, Camera, Microphone, VideoStats},
    srtp,
};

/// One source that a client sends.
struct Sending {
    source: Source,
    mid: Option<Mid>,
    media: Media,
}

enum Media {
    Camera(Camera),
    Microphone(Microphone),
}

pub(crate) struct Client {
    pub(crate) id: PeerId,
    pub(crate) address: SocketAddr,
    pub(crate) rtc: Rtc,
    pub(crate) outbox: Vec<(SocketAddr, Vec<u8>)>,
    pub(crate) connected: bool,
    pub(crate) negotiation_needed: bool,
    /// The server's last answer.
    pub(crate) answer: String,
    /// Number of the server's offers answered.
    pub(crate) offers: usize,
    /// Number of open data channels.
    pub(crate) open_channels: usize,
    /// Number of keyframe requests received, by encoding.
    pub(crate) keyframe_requests: HashMap<Option<Rid>, usize>,
    /// The SSRCs of its first offer.
    pub(crate) ssrcs: Vec<String>,
    pub(crate) codec: Codec,
    pub(crate) simulcast: bool,
    /// The shard that it connects to.
    pub(crate) shard: u16,
    /// True if it sends messages that are larger than the server permits.
    pub(crate) ignores_message_limit: bool,
    /// True if it stops encodings without subscribers.
    pub(crate) applies_dynacast: bool,
    /// Notifications of subscribed encodings: whether there are any, and their rids.
    pub(crate) subscribed_encodings: Vec<(bool, Vec<String>)>,
    /// Number of subscriptions reported as unavailable.
    pub(crate) unavailable: usize,
    /// A publisher whose media is not decoded.
    ignored_peer: Option<PeerId>,
    /// Packets received from that publisher.
    pub(crate) ignored_packets: usize,
    /// True if it sends no media.
    is_stopped: bool,
    /// True if str0m may fail, because the test interferes; `failed` is set once it has.
    pub(crate) may_fail: bool,
    failed: bool,
    last_seq: u64,
    pending: Option<SdpPendingOffer>,
    sending: Vec<Sending>,
    sections: HashMap<Mid, (PeerId, Source)>,
    video: HashMap<(PeerId, Source), VideoStats>,
    audio: HashMap<(PeerId, Source), AudioStats>,
    due: Instant,
    /// SRTP keys of its link, after the handshake.
    pub(crate) keys: Option<srtp::Keys>,
    channel: Option<ChannelId>,
    /// Messages received on data channels.
    pub(crate) messages: Vec<Vec<u8>>,
    /// TWCC sequence numbers acknowledged by feedback.
    pub(crate) acked: Vec<u16>,
}

impl Client {
    pub(crate) fn new(id: PeerId, address: SocketAddr, now: Instant) -> Self {
        let mut rtc = RtcConfig::new()
            .set_crypto_provider(srtp::provider().into())
            .set_rtp_mode(true)
            .enable_bwe(Some(Bitrate::mbps(3)))
            .set_sctp_max_buffered_amount(1 << 20)
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .enable_h264(true)
            .enable_vp9(true)
            .enable_av1(true)
            .build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        Self {
            id,
            address,
            rtc,
            outbox: Vec::new(),
            connected: false,
            negotiation_needed: false,
            answer: String::new(),
            offers: 0,
            open_channels: 0,
            keyframe_requests: HashMap::new(),
            ssrcs: Vec::new(),
            codec: Codec::Vp8,
            simulcast: false,
            shard: super::NEAR,
            ignores_message_limit: false,
            applies_dynacast: true,
            subscribed_encodings: Vec::new(),
            unavailable: 0,
            ignored_peer: None,
            ignored_packets: 0,
            is_stopped: false,
            may_fail: false,
            failed: false,
            // Greater than those of generated media.
            last_seq: 66_000,
            pending: None,
            sending: Vec::new(),
            sections: HashMap::new(),
            video: HashMap::new(),
            audio: HashMap::new(),
            due: now,
            keys: None,
            channel: None,
            messages: Vec::new(),
            acked: Vec::new(),
        }
    }

    /// Handles TWCC feedback on packets that str0m has not sent.
    fn take_feedback(&mut self, bytes: &[u8]) -> bool {
        let keys = self.keys.as_ref().filter(|_| self.is_stopped && super::is_rtcp(bytes));
        let Some(rtcp) = keys.and_then(|keys| keys.open_rtcp(bytes)) else { return false };
        let mut is_feedback = false;
        for packet in sfu::rtcp::read(&rtcp) {
            if let sfu::rtcp::Rtcp::Twcc(feedback) = packet {
                let seqs = (0..).map(|ahead| feedback.first_seq().wrapping_add(ahead));
                let arrived = seqs.zip(feedback.arrivals()).filter(|(_, at)| at.is_some());
                self.acked.extend(arrived.map(|(seq, _): (u16, _)| seq));
                is_feedback = true;
            }
        }
        is_feedback
    }

    pub(crate) fn add_source(&mut self, source: Source) {
        let media = match source {
            Source::Camera => Media::Camera(Camera::new(self.id, self.simulcast)),
            Source::ScreenShare => Media::Camera(Camera::new(self.id, false)),
            Source::Microphone | Source::ScreenShareAudio => {
                Media::Microphone(Microphone::default())
            }
        };
        self.sending.push(Sending { source, mid: None, media });
    }

    /// Its camera.
    pub(crate) fn camera(&mut self) -> &mut Camera {
        let cameras = self.sending.iter_mut().filter_map(|it| match &mut it.media {
            Media::Camera(camera) => Some(camera),
            Media::Microphone(_) => None,
        });
        cameras.into_iter().next().unwrap()
    }

    pub(crate) fn microphone(&mut self) -> &mut Microphone {
        let voices = self.sending.iter_mut().filter_map(|it| match &mut it.media {
            Media::Microphone(voice) => Some(voice),
            Media::Camera(_) => None,
        });
        voices.into_iter().next().unwrap()
    }

    pub(crate) fn video(&self, of: PeerId, source: Source) -> &VideoStats {
        self.video
            .get(&(of, source))
            .unwrap_or_else(|| panic!("{:?} never got {of:?} {source:?}", self.id))
    }

    pub(crate) fn sees(&self, of: PeerId, source: Source) -> bool {
        self.video.get(&(of, source)).is_some_and(|video| video.decoded > 0)
    }

    pub(crate) fn hears(&self, of: PeerId) -> bool {
        self.audio.get(&(of, Source::Microphone)).is_some_and(|audio| audio.packets > 0)
    }

    pub(crate) fn audio(&self, of: PeerId, source: Source) -> &AudioStats {
        self.audio
            .get(&(of, source))
            .unwrap_or_else(|| panic!("{:?} never got {of:?} {source:?}", self.id))
    }

    /// Tracks on its receiving sections.
    pub(crate) fn sections(&self) -> &HashMap<Mid, (PeerId, Source)> {
        &self.sections
    }

    /// Restricts it to VP8 and Opus.
    pub(crate) fn support_vp8_only(&mut self, now: Instant) {
        let config = RtcConfig::new().set_rtp_mode(true).clear_codecs();
        self.rtc = config.enable_opus(true, true).enable_vp8(true).build(now);
        self.rtc.add_local_candidate(Candidate::host(self.address, "udp").unwrap());
    }

    /// Restricts it to streams that are identified by their SSRC alone.
    pub(crate) fn support_no_extensions(&mut self, now: Instant) {
        let config = RtcConfig::new().set_rtp_mode(true).clear_extension_map();
        self.rtc = config.build(now);
        self.rtc.add_local_candidate(Candidate::host(self.address, "udp").unwrap());
    }

    pub(crate) fn on_subscriptions(&mut self, tracks: Vec<Subscription>) {
        self.sections.clear();
        self.unavailable = tracks.iter().filter(|it| it.unavailable.is_some()).count();
        for track in tracks {
            let before =
                self.sections.insert(Mid::from(track.mid.as_str()), (track.peer, track.source));
            assert_eq!(before, None, "a section carries one track");
        }
    }

    pub(crate) fn tracks(&self) -> Vec<(String, Source)> {
        self.sending.iter().filter_map(|it| Some((it.mid?.to_string(), it.source))).collect()
    }

    /// Offers sections for sources that have none.
    pub(crate) fn offer(&mut self, now: Instant) -> Option<String> {
        if self.pending.is_some() {
            return None;
        }
        let mut changes = self.rtc.sdp_api();
        for it in self.sending.iter_mut().filter(|it| it.mid.is_none()) {
            let (kind, layers) = match &it.media {
                Media::Camera(camera) => (MediaKind::Video, camera.simulcast()),
                Media::Microphone(_) => (MediaKind::Audio, None),
            };
            it.mid = Some(changes.add_media(kind, Direction::SendOnly, None, None, layers));
        }
        // An offer needs a section even if nothing is sent.
        if self.sending.is_empty() {
            changes.add_channel("moim".to_owned());
        }
        let (offer, pending) = changes.apply()?;
        self.pending = Some(pending);
        self.drain(now);
        let offer = offer.to_sdp_string();
        let ssrcs = offer.lines().filter_map(|line| line.strip_prefix("a=ssrc:"));
        let ssrcs = ssrcs.filter_map(|line| Some(line.split_once(' ')?.0.to_owned()));
        self.ssrcs = ssrcs.collect();
        Some(offer)
    }

    /// Counts the packets of a publisher instead of decoding them.
    pub(crate) fn ignore_media_of(&mut self, publisher: PeerId) {
        self.ignored_peer = Some(publisher);
    }

    /// Stops generating media; `send_payload` still sends.
    pub(crate) fn stop_media(&mut self) {
        self.is_stopped = true;
    }

    /// Sends a payload verbatim.
    pub(crate) fn send_payload(
        &mut self,
        now: Instant,
        source: Source,
        codec: Codec,
        payload: Vec<u8>,
    ) {
        let mid = self.sending.iter().find(|it| it.source == source).unwrap().mid.unwrap();
        let params = self.rtc.codec_config().params().to_vec();
        let pt = params.iter().find(|it| it.spec().codec == codec).unwrap().pt();
        self.last_seq += 1;
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None).unwrap();
        stream.set_unpaced(true);
        let write =
            RtpWrite::new(pt, self.last_seq.into(), self.last_seq as u32 * 960, now, payload);
        stream.write_rtp(write.marker(true));
        self.drain(now);
    }

    /// Offers another direction for the section of a source.
    pub(crate) fn offer_direction(
        &mut self,
        now: Instant,
        source: Source,
        direction: Direction,
    ) -> String {
        let mid = self.sending.iter().find(|it| it.source == source).unwrap().mid.unwrap();
        let mut changes = self.rtc.sdp_api();
        changes.set_direction(mid, direction);
        let (offer, pending) = changes.apply().unwrap();
        self.pending = Some(pending);
        self.drain(now);
        offer.to_sdp_string()
    }

    /// Offers with fresh ICE credentials.
    pub(crate) fn offer_ice_restart(&mut self, now: Instant) -> String {
        let mut changes = self.rtc.sdp_api();
        changes.ice_restart(true);
        let (offer, pending) = changes.apply().unwrap();
        self.pending = Some(pending);
        self.drain(now);
        offer.to_sdp_string()
    }

    /// Moves to another network.
    pub(crate) fn move_to(&mut self, address: SocketAddr) {
        let before = Candidate::host(self.address, "udp").unwrap();
        self.rtc.direct_api().invalidate_candidate(&before);
        self.address = address;
        self.rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
    }

    /// Handles a change of the subscribed encodings.
    pub(crate) fn on_subscribed_encodings(&mut self, any: bool, rids: &[String]) {
        self.subscribed_encodings.push((any, rids.to_vec()));
        let rids: Vec<Rid> = rids.iter().map(|rid| Rid::from(rid.as_str())).collect();
        if self.applies_dynacast {
            self.camera().send_only(any, &rids);
        }
    }

    /// Requests a keyframe on each section.
    pub(crate) fn request_keyframes(&mut self) {
        for mid in self.sections.keys() {
            if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(*mid, None) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        }
    }

    /// Closes the link.
    pub(crate) fn close(&mut self, now: Instant) {
        self.rtc.close().unwrap();
        self.drain(now);
    }

    pub(crate) fn roll_back(&mut self) {
        self.pending = None;
        for it in &mut self.sending {
            if it.mid.is_some_and(|mid| self.rtc.media(mid).is_none()) {
                it.mid = None;
            }
        }
    }

    pub(crate) fn accept_answer(&mut self, now: Instant, sdp: &str) {
        let pending = self.pending.take().expect("an answer to an offer");
        sdp.clone_into(&mut self.answer);
        let mut answer = sdp.to_owned();
        if self.ignores_message_limit {
            let limit = sdp.lines().find(|line| line.starts_with("a=max-message-size:")).unwrap();
            answer = sdp.replace(limit, "a=max-message-size:1000000");
        }
        let answer = SdpAnswer::from_sdp_string(&answer).unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        self.drain(now);
    }

    /// Answers an offer of the server. As the polite side it rolls back its own.
    pub(crate) fn accept_offer(&mut self, now: Instant, sdp: &str) -> String {
        if self.pending.is_some() {
            self.roll_back();
            self.negotiation_needed = true;
        }
        self.offers += 1;
        let answer =
            self.rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(sdp).unwrap()).unwrap();
        self.drain(now);
        answer.to_sdp_string()
    }

    pub(crate) fn due(&self) -> Instant {
        let media =
            self.sending.iter().filter(|it| self.connected && !self.is_stopped && it.mid.is_some());
        let media = media.map(|it| match &it.media {
            Media::Camera(camera) => camera.due,
            Media::Microphone(voice) => voice.due,
        });
        media.flatten().min().unwrap_or(self.due).min(self.due)
    }

    pub(crate) fn receive(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) {
        if self.take_feedback(bytes) {
            return;
        }
        let Ok(receive) = Receive::new(Protocol::Udp, from, self.address, bytes) else { return };
        if self.failed {
            return;
        }
        let taken = self.rtc.handle_input(Input::Receive(now, receive));
        self.check(taken);
        self.drain(now);
    }

    pub(crate) fn timeout(&mut self, now: Instant) {
        if self.connected && !self.is_stopped {
            self.produce(now);
        }
        let broken = self
            .video
            .iter_mut()
            .filter_map(|(key, video)| video.needs_keyframe(now).then_some(*key));
        let broken: Vec<_> = broken.collect();
        for (mid, _) in self.sections.iter().filter(|(_, key)| broken.contains(key)) {
            if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(*mid, None) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        }
        self.drain(now);
        self.due = self.due.min(now + Duration::from_millis(100));
    }

    fn produce(&mut self, now: Instant) {
        let codec = self.codec;
        for it in &mut self.sending {
            let Some(mid) = it.mid.filter(|mid| self.rtc.media(*mid).is_some()) else { continue };
            let codec = if it.source == Source::Camera || it.source == Source::ScreenShare {
                codec
            } else {
                Codec::Opus
            };
            let remote = self.rtc.media(mid).unwrap().remote_pts().to_vec();
            let params = self.rtc.codec_config().params().to_vec();
            let Some(params) =
                params.iter().find(|it| it.spec().codec == codec && remote.contains(&it.pt()))
            else {
                continue;
            };
            match &mut it.media {
                Media::Camera(camera) => {
                    for packet in camera.frame(now) {
                        let mut direct = self.rtc.direct_api();
                        let stream = direct.stream_tx_by_mid(mid, packet.rid).unwrap();
                        stream.set_unpaced(true);
                        stream.write_rtp(
                            RtpWrite::new(
                                params.pt(),
                                packet.seq.into(),
                                packet.time,
                                now,
                                packet.payload,
                            )
                            .marker(packet.marker)
                            .nackable(true),
                        );
                    }
                }
                Media::Microphone(voice) => {
                    let red = params.red().filter(|_| voice.red);
                    let has_level = voice.has_level;
                    for packet in voice.packets(now) {
                        let extensions = ExtensionValues {
                            audio_level: has_level.then_some(packet.level),
                            voice_activity: has_level.then_some(packet.level > -50),
                            ..Default::default()
                        };
                        let mut direct = self.rtc.direct_api();
                        let stream = direct.stream_tx_by_mid(mid, None).unwrap();
                        let pt = red.unwrap_or(params.pt());
                        stream.write_rtp(
                            RtpWrite::new(pt, packet.seq.into(), packet.time, now, packet.payload)
                                .ext_vals(extensions),
                        );
                    }
                }
            }
        }
    }

    fn check(&mut self, result: Result<(), RtcError>) {
        if let Err(error) = result {
            assert!(self.may_fail, "{error}");
            self.failed = true;
        }
    }

    fn drain(&mut self, now: Instant) {
        if self.failed {
            self.due = now + Duration::from_millis(100);
            return;
        }
        let drained = self.try_drain(now);
        self.check(drained);
    }

    fn try_drain(&mut self, now: Instant) -> Result<(), RtcError> {
        self.rtc.handle_input(Input::Timeout(now))?;
        let mut clock = now;
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) if at > clock && at <= now + Duration::from_micros(500) => {
                    clock = at;
                    self.rtc.handle_input(Input::Timeout(at))?;
                }
                Output::Timeout(at) => {
                    let soon = now + Duration::from_micros(500);
                    self.due = at.max(soon).min(now + Duration::from_millis(100));
                    if let Some(keys) = srtp::take_keys() {
                        self.keys = Some(keys);
                    }
                    return Ok(());
                }
                Output::Transmit(it) => self.outbox.push((it.destination, it.contents.to_vec())),
                Output::Event(event) => self.on_event(now, event),
            }
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::RtpPacket(packet) => self.on_rtp(now, &packet),
            Event::ChannelOpen(id, _) => {
                self.open_channels += 1;
                self.channel = Some(id);
            }
            Event::ChannelData(message) => self.messages.push(message.data),
            Event::KeyframeRequest(request) => {
                *self.keyframe_requests.entry(request.rid).or_default() += 1;
                for it in self.sending.iter_mut().filter(|it| it.mid == Some(request.mid)) {
                    if let Media::Camera(camera) = &mut it.media {
                        camera.request_keyframe(request.rid);
                    }
                }
            }
            _ => {}
        }
    }

    fn on_rtp(&mut self, now: Instant, packet: &RtpPacket) {
        let mut direct = self.rtc.direct_api();
        let Some(mid) = direct.stream_rx(&packet.header.ssrc).map(|stream| stream.mid()) else {
            return;
        };
        let Some(key) = self.sections.get(&mid).copied() else { return };
        if self.ignored_peer == Some(key.0) {
            self.ignored_packets += 1;
            return;
        }
        if packet.payload.is_empty() {
            return;
        }
        match key.1 {
            Source::Camera | Source::ScreenShare => {
                self.video.entry(key).or_default().take(now, packet);
            }
            Source::Microphone | Source::ScreenShareAudio => {
                self.audio.entry(key).or_default().take(now, packet);
            }
        }
    }
}

impl Camera {
    fn simulcast(&self) -> Option<Simulcast> {
        let rids: Vec<Rid> = self.rids().collect();
        (!rids.is_empty()).then(|| {
            let send = rids.iter().map(|rid| SimulcastLayer::new(rid)).collect();
            Simulcast { send, recv: Vec::new() }
        })
    }
}
