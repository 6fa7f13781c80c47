//! A browser, as far as the media server can tell.

use super::{
    media::{AudioStats, Camera, Microphone, VideoStats},
    srtp,
};
use sfu::{PeerId, Source, Subscription};
use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};
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

/// What a client sends of one source.
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
    /// How often an offer of the server was answered.
    pub(crate) offers: usize,
    /// Data channels that have opened.
    pub(crate) open_channels: usize,
    /// Keyframes that this client was asked for, by layer.
    pub(crate) keyframe_requests: HashMap<Option<Rid>, usize>,
    /// The SSRCs of its first offer.
    pub(crate) ssrcs: Vec<String>,
    pub(crate) codec: Codec,
    pub(crate) simulcast: bool,
    /// Whether it is on the other shard.
    pub(crate) far: bool,
    /// Whether it stops encodings that nobody wants, and what it was told of that.
    pub(crate) applies_dynacast: bool,
    pub(crate) told: Vec<(bool, Vec<String>)>,
    /// Sections on which nothing comes, as it was told.
    pub(crate) unavailable: usize,
    ignored_peer: Option<PeerId>,
    /// Packets of who it is deaf to.
    pub(crate) ignored_packets: usize,
    is_stopped: bool,
    /// Whether its engine may end in an error, because somebody interferes, and has.
    pub(crate) may_fail: bool,
    failed: bool,
    said: u64,
    pending: Option<SdpPendingOffer>,
    sending: Vec<Sending>,
    sections: HashMap<Mid, (PeerId, Source)>,
    video: HashMap<(PeerId, Source), VideoStats>,
    audio: HashMap<(PeerId, Source), AudioStats>,
    due: Instant,
    /// Of its link, once the handshake is done.
    pub(crate) keys: Option<srtp::Keys>,
    channel: Option<ChannelId>,
    /// Numbers of the packets that it was told have come, by transport-wide feedback.
    pub(crate) acked: Vec<u16>,
}

impl Client {
    pub(crate) fn new(id: PeerId, address: SocketAddr, now: Instant) -> Self {
        let mut rtc = RtcConfig::new()
            .set_crypto_provider(srtp::provider().into())
            .set_rtp_mode(true)
            .enable_bwe(Some(Bitrate::mbps(3)))
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
            offers: 0,
            open_channels: 0,
            keyframe_requests: HashMap::new(),
            ssrcs: Vec::new(),
            codec: Codec::Vp8,
            simulcast: false,
            far: false,
            applies_dynacast: true,
            told: Vec::new(),
            unavailable: 0,
            ignored_peer: None,
            ignored_packets: 0,
            is_stopped: false,
            may_fail: false,
            failed: false,
            // After all that it has sent before.
            said: 66_000,
            pending: None,
            sending: Vec::new(),
            sections: HashMap::new(),
            video: HashMap::new(),
            audio: HashMap::new(),
            due: now,
            keys: None,
            channel: None,
            acked: Vec::new(),
        }
    }

    /// Takes transport-wide feedback itself: its engine has sent nothing under those numbers.
    fn take_feedback(&mut self, bytes: &[u8]) -> bool {
        let keys = self.keys.as_ref().filter(|_| self.is_stopped && super::is_rtcp(bytes));
        let Some(reports) = keys.and_then(|keys| keys.open_rtcp(bytes)) else { return false };
        let mut taken = false;
        for report in sfu::rtcp::read(&reports) {
            if let sfu::rtcp::Rtcp::Twcc(feedback) = report {
                let numbers = (0..).map(|ahead| feedback.first_seq().wrapping_add(ahead));
                let came = numbers.zip(feedback.arrivals()).filter(|(_, at)| at.is_some());
                self.acked.extend(came.map(|(number, _): (u16, _)| number));
                taken = true;
            }
        }
        taken
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

    /// Changes its camera.
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

    /// Whose tracks are on its receiving sections.
    pub(crate) fn sections(&self) -> &HashMap<Mid, (PeerId, Source)> {
        &self.sections
    }

    /// Knows VP8 and Opus alone.
    pub(crate) fn support_vp8_only(&mut self, now: Instant) {
        let config = RtcConfig::new().set_rtp_mode(true).clear_codecs();
        self.rtc = config.enable_opus(true, true).enable_vp8(true).build(now);
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

    /// Offers what it wants to send and has no section for.
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
        // Somebody who sends nothing still needs a section to offer.
        if self.sending.is_empty() {
            changes.add_channel("moim".to_owned());
        }
        let (offer, pending) = changes.apply()?;
        self.pending = Some(pending);
        self.drain(now);
        let offer = offer.to_sdp_string();
        let named = offer.lines().filter_map(|line| line.strip_prefix("a=ssrc:"));
        let named = named.filter_map(|line| Some(line.split_once(' ')?.0.to_owned()));
        self.ssrcs = named.collect();
        Some(offer)
    }

    /// Looks at nothing that this one sends.
    pub(crate) fn ignored_peer(&mut self, publisher: PeerId) {
        self.ignored_peer = Some(publisher);
    }

    /// Sends no media of its own from now on, but what `say` is given.
    pub(crate) fn stop_media(&mut self) {
        self.is_stopped = true;
    }

    /// Sends a payload as it is.
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
        self.said += 1;
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None).unwrap();
        stream.set_unpaced(true);
        let write = RtpWrite::new(pt, self.said.into(), self.said as u32 * 960, now, payload);
        stream.write_rtp(write.marker(true));
        self.drain(now);
    }

    /// Sends a message on its data channel.
    pub(crate) fn write_channel(&mut self, now: Instant) {
        let id = self.channel.expect("a channel has opened");
        // It is gone where the server has ended the association.
        if let Some(mut channel) = self.rtc.channel(id) {
            let _ = channel.write(true, b"a message");
        }
        self.drain(now);
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

    /// Is on another network from now on.
    pub(crate) fn move_to(&mut self, address: SocketAddr) {
        let before = Candidate::host(self.address, "udp").unwrap();
        self.rtc.direct_api().invalidate_candidate(&before);
        self.address = address;
        self.rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
    }

    /// Nobody wants other encodings than these any more.
    pub(crate) fn on_subscribed_encodings(&mut self, any: bool, rids: &[String]) {
        self.told.push((any, rids.to_vec()));
        let rids: Vec<Rid> = rids.iter().map(|rid| Rid::from(rid.as_str())).collect();
        if self.applies_dynacast {
            self.camera().send_only(any, &rids);
        }
    }

    /// Asks for a keyframe on every section, whether it needs one or not.
    pub(crate) fn request_keyframes(&mut self) {
        for mid in self.sections.keys() {
            if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(*mid, None) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        }
    }

    /// Says good-bye.
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
        self.rtc
            .sdp_api()
            .accept_answer(pending, SdpAnswer::from_sdp_string(sdp).unwrap())
            .unwrap();
        self.drain(now);
    }

    /// An offer of the server: the polite side rolls back and answers.
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
            .filter_map(|(key, video)| video.wants_keyframe(now).then_some(*key));
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
            let wanted = if it.source == Source::Camera || it.source == Source::ScreenShare {
                codec
            } else {
                Codec::Opus
            };
            let remote = self.rtc.media(mid).unwrap().remote_pts().to_vec();
            let params = self.rtc.codec_config().params().to_vec();
            let Some(params) =
                params.iter().find(|it| it.spec().codec == wanted && remote.contains(&it.pt()))
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
            Event::KeyframeRequest(request) => {
                *self.keyframe_requests.entry(request.rid).or_default() += 1;
                for it in self.sending.iter_mut().filter(|it| it.mid == Some(request.mid)) {
                    if let Media::Camera(camera) = &mut it.media {
                        camera.ask(request.rid);
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
