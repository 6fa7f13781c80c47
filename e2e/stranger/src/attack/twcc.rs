//! Authenticated RTP with transport-wide sequence numbers that run backwards and jump ahead.
//!
//! str0m assigns these numbers itself. Therefore the attacker's str0m knows the extension under
//! another URI, with a serializer that writes any number, and the URI is replaced in the offer.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use load::{ServerMessage, Socket, field};
use serde_json::json;
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig,
    change::SdpAnswer,
    media::{Direction, MediaKind, Mid},
    net::{Protocol, Receive},
    rtp::{Extension, ExtensionMap, ExtensionSerializer, ExtensionValues, RtpWrite},
};
use tokio::{net::UdpSocket, time::timeout};

use super::Counts;
use crate::target::Target;

const TWCC_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const PRIVATE_URI: &str = "urn:stranger:twcc";

/// Sequence numbers that a naive extension from 16 to 64 bits mishandles.
const TWCC_SEQS: &[u16] = &[100, 40_000, 99, 5, 65_530, 6, 7, 0, 32_768, 65_535, 1];
const SEND_INTERVAL: Duration = Duration::from_millis(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct TwccSeq(u16);

#[derive(Debug)]
struct TwccSerializer;

impl ExtensionSerializer for TwccSerializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(TwccSeq(seq)) = values.user_values.get() else { return 0 };
        match buffer.first_chunk_mut::<2>() {
            Some(bytes) => {
                *bytes = seq.to_be_bytes();
                2
            }
            None => 0,
        }
    }

    fn parse_value(&self, _: &[u8], _: &mut ExtensionValues) -> bool {
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        true
    }

    fn requires_two_byte_form(&self, _: &ExtensionValues) -> bool {
        false
    }
}

pub(super) async fn run(target: Target, counts: Counts) {
    for number in 0.. {
        if let Err(error) = attack(&target, &counts, number).await {
            counts.add(&format!("ended: {error:#}"), 1);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn attack(target: &Target, counts: &Counts, number: u32) -> anyhow::Result<()> {
    let room = format!("twcc {number}");
    let create = json!({"name": room, "topology": "sfu"});
    target.connect().await?.call("room:create", &create).await?;
    let mut participant = target.join(&room, "Publisher").await?;
    let mut publisher = Publisher::new(target.address()).await?;
    let sdp = publisher.offer(&mut participant.socket).await?;
    publisher.accept(&sdp)?;
    let ended = publisher.run(&mut participant.socket, counts).await;
    participant.socket.close().await;
    ended
}

struct Publisher {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    mid: Mid,
    pending: Option<str0m::change::SdpPendingOffer>,
    connected: bool,
    sent: u16,
}

impl Publisher {
    async fn new(server: SocketAddr) -> anyhow::Result<Self> {
        // A connected socket has the local address of the route to the server.
        let probe = UdpSocket::bind("0.0.0.0:0").await?;
        probe.connect(server).await?;
        let socket = UdpSocket::bind((probe.local_addr()?.ip(), 0)).await?;
        let local = socket.local_addr()?;
        let mut extensions = ExtensionMap::empty();
        extensions.set(1, Extension::RtpMid);
        extensions.set(3, Extension::with_serializer(PRIVATE_URI, TwccSerializer));
        let mut rtc = RtcConfig::new()
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .set_extension_map(extensions)
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(local, "udp")?);
        Ok(Self {
            rtc,
            socket,
            local,
            mid: Mid::from("0"),
            pending: None,
            connected: false,
            sent: 0,
        })
    }

    /// Sends an offer and returns the SDP of the answer.
    async fn offer(&mut self, signaling: &mut Socket) -> anyhow::Result<String> {
        let mut changes = self.rtc.sdp_api();
        self.mid = changes.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None);
        let (offer, pending) = changes.apply().context("nothing to offer")?;
        self.pending = Some(pending);
        let sdp = offer.to_sdp_string().replace(PRIVATE_URI, TWCC_URI);
        let tracks = json!([{"mid": self.mid.to_string(), "source": "microphone"}]);
        signaling.request("publish", &json!({"tracks": tracks})).await?;
        let description = json!({"type": "offer", "sdp": sdp});
        signaling.request("signal", &json!({"to": "sfu", "description": description})).await?;
        let answer = async {
            loop {
                match signaling.receive().await? {
                    ServerMessage::Reply(_, Err(rejection)) => bail!("rejected: {rejection}"),
                    ServerMessage::Event(name, payload, _) if name == "refused" => {
                        bail!("rejected: {payload}")
                    }
                    ServerMessage::Event(name, payload, _) if name == "signal" => {
                        let sdp = field(field(&payload, "description"), "sdp");
                        return Ok(sdp.as_str().unwrap_or_default().to_owned());
                    }
                    _ => {}
                }
            }
        };
        timeout(Duration::from_secs(3), answer).await.context("no answer to the offer")?
    }

    fn accept(&mut self, sdp: &str) -> anyhow::Result<()> {
        anyhow::ensure!(sdp.contains(TWCC_URI), "the answer does not negotiate TWCC");
        let answer = SdpAnswer::from_sdp_string(&sdp.replace(TWCC_URI, PRIVATE_URI))?;
        let pending = self.pending.take().context("no offer")?;
        Ok(self.rtc.sdp_api().accept_answer(pending, answer)?)
    }

    async fn run(&mut self, signaling: &mut Socket, counts: &Counts) -> anyhow::Result<()> {
        let mut buffer = vec![0; 2048];
        let mut ticks = tokio::time::interval(SEND_INTERVAL);
        let started = Instant::now();
        loop {
            self.drain(counts).await?;
            if !self.connected && started.elapsed() > CONNECT_TIMEOUT {
                bail!("never connected");
            }
            tokio::select! {
                _ = ticks.tick() => {
                    if self.connected {
                        self.send_packet(counts);
                    }
                    self.rtc.handle_input(Input::Timeout(Instant::now()))?;
                }
                received = self.socket.recv_from(&mut buffer) => {
                    let (length, from) = received?;
                    let bytes = buffer.get(..length).unwrap_or_default();
                    if let Ok(receive) = Receive::new(Protocol::Udp, from, self.local, bytes) {
                        self.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
                    }
                }
                message = signaling.receive() => {
                    if let ServerMessage::Event(name, payload, _) = message? && name == "refused" {
                        bail!("rejected: {payload}");
                    }
                }
            }
        }
    }

    fn send_packet(&mut self, counts: &Counts) {
        let Some(params) = self.rtc.codec_config().params().first() else { return };
        let pt = params.pt();
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(self.mid, None) else { return };
        let index = usize::from(self.sent) % TWCC_SEQS.len();
        let twcc_seq = TWCC_SEQS.get(index).copied().unwrap_or(0);
        self.sent = self.sent.wrapping_add(1);
        let mut values = ExtensionValues::default();
        values.user_values.set(TwccSeq(twcc_seq));
        let timestamp = u32::from(self.sent) * 960;
        let payload = vec![1; 40];
        let packet =
            RtpWrite::new(pt, u64::from(self.sent).into(), timestamp, Instant::now(), payload);
        stream.write_rtp(packet.ext_vals(values));
        counts.add("sent", 1);
    }

    async fn drain(&mut self, counts: &Counts) -> anyhow::Result<()> {
        for _ in 0..10_000 {
            match self.rtc.poll_output()? {
                Output::Timeout(_) => break,
                Output::Transmit(transmit) => {
                    self.socket.send_to(&transmit.contents, transmit.destination).await?;
                }
                Output::Event(Event::Connected) => {
                    self.connected = true;
                    counts.add("connected", 1);
                }
                Output::Event(_) => {}
            }
        }
        anyhow::ensure!(self.rtc.is_alive(), "the server closed the connection");
        Ok(())
    }
}
