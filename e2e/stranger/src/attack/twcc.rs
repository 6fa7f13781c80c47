//! Authenticated RTP whose transport-wide sequence numbers run backwards and far ahead (security T23).
//!
//! str0m writes those numbers itself. So the attacker's engine knows the extension by another URI, under
//! which it writes what it is given, and only the server's copy of the offer has the true one.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use load::{Said, Socket, field};
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

const TRUE_URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
const OWN_URI: &str = "urn:stranger:number";

/// Each makes a naive extension of 16 bits to 64 go astray.
const NUMBERS: &[u16] = &[100, 40_000, 99, 5, 65_530, 6, 7, 0, 32_768, 65_535, 1];
const PACE: Duration = Duration::from_millis(2);

/// The number to be written.
#[derive(Debug)]
struct Number(u16);

#[derive(Debug)]
struct NumberSerializer;

impl ExtensionSerializer for NumberSerializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(Number(number)) = values.user_values.get() else { return 0 };
        match buffer.first_chunk_mut::<2>() {
            Some(place) => {
                *place = number.to_be_bytes();
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
    target.connect().await?.ask("room:create", &create).await?;
    let mut joined = target.join(&room, "Forger").await?;
    let mut forger = Forger::new(target.address()).await?;
    let sdp = forger.offer(&mut joined.socket).await?;
    forger.accept(&sdp)?;
    let ended = forger.run(&mut joined.socket, counts).await;
    joined.socket.close().await;
    ended
}

struct Forger {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    mid: Mid,
    pending: Option<str0m::change::SdpPendingOffer>,
    connected: bool,
    sent: u16,
}

impl Forger {
    async fn new(server: SocketAddr) -> anyhow::Result<Self> {
        let probe = UdpSocket::bind("0.0.0.0:0").await?;
        probe.connect(server).await?;
        let socket = UdpSocket::bind((probe.local_addr()?.ip(), 0)).await?;
        let local = socket.local_addr()?;
        let mut extensions = ExtensionMap::empty();
        extensions.set(1, Extension::RtpMid);
        extensions.set(3, Extension::with_serializer(OWN_URI, NumberSerializer));
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

    /// Offers and gives the answer.
    async fn offer(&mut self, signaling: &mut Socket) -> anyhow::Result<String> {
        let mut changes = self.rtc.sdp_api();
        self.mid = changes.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None);
        let (offer, pending) = changes.apply().context("nothing to offer")?;
        self.pending = Some(pending);
        let sdp = offer.to_sdp_string().replace(OWN_URI, TRUE_URI);
        let tracks = json!([{"mid": self.mid.to_string(), "source": "microphone"}]);
        signaling.request("publish", &json!({"tracks": tracks})).await?;
        let description = json!({"type": "offer", "sdp": sdp});
        signaling.request("signal", &json!({"to": "sfu", "description": description})).await?;
        let answer = async {
            loop {
                match signaling.hear().await? {
                    Said::Reply(_, Err(why)) => bail!("refused: {why}"),
                    Said::Event(name, payload) if name == "refused" => bail!("refused: {payload}"),
                    Said::Event(name, payload) if name == "signal" => {
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
        anyhow::ensure!(sdp.contains(TRUE_URI), "the server does not want those numbers");
        let answer = SdpAnswer::from_sdp_string(&sdp.replace(TRUE_URI, OWN_URI))?;
        let pending = self.pending.take().context("no offer")?;
        Ok(self.rtc.sdp_api().accept_answer(pending, answer)?)
    }

    async fn run(&mut self, signaling: &mut Socket, counts: &Counts) -> anyhow::Result<()> {
        let mut buffer = vec![0; 2048];
        let mut ticks = tokio::time::interval(PACE);
        let began = Instant::now();
        loop {
            self.drain(counts).await?;
            if !self.connected && began.elapsed() > Duration::from_secs(5) {
                bail!("never connected");
            }
            tokio::select! {
                _ = ticks.tick() => {
                    if self.connected {
                        self.write(counts);
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
                said = signaling.hear() => {
                    if let Said::Event(name, payload) = said? && name == "refused" {
                        bail!("refused: {payload}");
                    }
                }
            }
        }
    }

    fn write(&mut self, counts: &Counts) {
        let Some(pt) = self.rtc.codec_config().params().first().map(|it| it.pt()) else { return };
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(self.mid, None) else { return };
        let number = NUMBERS.get(usize::from(self.sent) % NUMBERS.len()).copied().unwrap_or(0);
        self.sent = self.sent.wrapping_add(1);
        let mut values = ExtensionValues::default();
        values.user_values.set(Number(number));
        let time = u32::from(self.sent) * 960;
        let write =
            RtpWrite::new(pt, u64::from(self.sent).into(), time, Instant::now(), vec![1; 40]);
        stream.write_rtp(write.ext_vals(values));
        counts.add("sent", 1);
    }

    async fn drain(&mut self, counts: &Counts) -> anyhow::Result<()> {
        for _ in 0..10_000 {
            match self.rtc.poll_output()? {
                Output::Timeout(_) => break,
                Output::Transmit(it) => {
                    self.socket.send_to(&it.contents, it.destination).await?;
                }
                Output::Event(Event::Connected) => {
                    self.connected = true;
                    counts.add("connected", 1);
                }
                Output::Event(_) => {}
            }
        }
        anyhow::ensure!(self.rtc.is_alive(), "the server has ended the link");
        Ok(())
    }
}
