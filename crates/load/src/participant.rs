//! A participant of a moim room, over the native protocol (docs/protocol.md).

use std::{sync::Arc, time::Instant};

use anyhow::{Context, bail};
use headless::{Layer, Offer, Publish, Section};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    link::{Description, JOIN_TIMEOUT, Link, LinkConfig, Receive, Signaling, Stop},
    media_transport::MediaTransport,
    options::{Media, Transport},
    outcome::Outcome,
    plan::Plan,
    socket::{ServerMessage, Socket, field},
};

/// The media server's id in signaling.
const SFU: &str = "sfu";

/// The configuration of a participant.
pub struct ParticipantConfig {
    /// The name of the room.
    pub room: String,
    /// The number of the participant, also the publisher number in its stamps.
    pub number: u32,
    /// Publishes media.
    pub publishes: bool,
    /// The use of received media.
    pub receive: Receive,
}

/// Joins, takes part until stopped, and leaves. Returns the outcome.
pub async fn run_participant(
    plan: Arc<Plan>,
    participant: ParticipantConfig,
    mut stop: Stop,
) -> Outcome {
    let joined = timeout(JOIN_TIMEOUT, join(&plan, &participant)).await;
    match joined.map_err(|_| anyhow::anyhow!("Joining took more than a minute")) {
        Ok(Ok(link)) => {
            let (outcome, joined) = link.run(&mut stop).await;
            joined.socket.leave().await;
            outcome
        }
        Ok(Err(error)) | Err(error) => Outcome::failed(&error),
    }
}

async fn join(plan: &Arc<Plan>, participant: &ParticipantConfig) -> anyhow::Result<Link<Joined>> {
    let began = Instant::now();
    let mut socket = Socket::connect(&plan.server, plan.tls.clone()).await?;
    let name = format!("Load {}", participant.number);
    let (mic, camera) =
        (participant.publishes, participant.publishes && plan.media != Media::Audio);
    let media = json!({"mic": mic, "camera": camera, "screen": false, "hand": false});
    let request = json!({"room": participant.room, "name": name, "sfu": true, "media": media});
    let joined = socket.call("room:join", &request).await?;
    if field(&joined, "topology") != SFU {
        bail!("The room has no media server");
    }
    let transport = match plan.transport {
        Transport::Udp => MediaTransport::udp(plan.server.address).await,
        Transport::Tcp => MediaTransport::tcp(plan.server.address).await,
    };
    let transport = transport.context("Can't open a socket for media")?;
    let config = LinkConfig {
        publish: publish(plan.media, participant.publishes),
        publisher: participant.number,
        epoch: plan.epoch,
        receive: participant.receive,
    };
    let joined = Joined { socket, view: plan.view, cameras: Vec::new() };
    let mut link = Link::new(joined, transport, config, began, plan.stats.clone())?;
    link.offer().await?;
    Ok(link)
}

fn publish(media: Media, publishes: bool) -> Publish {
    let video = match media {
        Media::Single if publishes => Layer::single(360, 500_000),
        Media::Simulcast if publishes => Layer::simulcast(),
        _ => Vec::new(),
    };
    Publish { audio: publishes, video }
}

/// A socket that has joined a room.
struct Joined {
    socket: Socket,
    view: (u32, u32),
    /// The camera subscriptions that were sent last.
    cameras: Vec<Value>,
}

impl Joined {
    async fn signal(&mut self, kind: &str, sdp: &str) -> anyhow::Result<()> {
        let description = json!({"type": kind, "sdp": sdp});
        let signal = json!({"to": SFU, "description": description});
        self.socket.request("signal", &signal).await.map(drop)
    }

    /// Requests all cameras at the size of the view.
    async fn subscribed(&mut self, payload: &Value) -> anyhow::Result<()> {
        let (width, height) = self.view;
        let tracks = field(payload, "tracks").as_array().map(Vec::as_slice).unwrap_or_default();
        let cameras = tracks.iter().filter(|track| field(track, "source") == "camera");
        let cameras = cameras.map(|track| {
            let participant = field(track, "participant");
            json!({"participant": participant, "source": "camera", "width": width, "height": height})
        });
        let cameras: Vec<_> = cameras.collect();
        if cameras != self.cameras {
            self.socket.request("subscribe", &json!({"tracks": cameras})).await?;
            self.cameras = cameras;
        }
        Ok(())
    }
}

impl Signaling for Joined {
    async fn offer(&mut self, offer: &Offer) -> anyhow::Result<()> {
        let source = |section: &Section| match section {
            Section::Audio => "microphone",
            Section::Video => "camera",
        };
        let sections = offer.sections.iter();
        let tracks = sections.map(|(mid, section)| json!({"mid": mid, "source": source(section)}));
        let tracks: Vec<_> = tracks.collect();
        self.socket.request("publish", &json!({"tracks": tracks})).await?;
        self.signal("offer", &offer.sdp).await
    }

    async fn answer(&mut self, sdp: &str) -> anyhow::Result<()> {
        self.signal("answer", sdp).await
    }

    async fn next_description(&mut self) -> anyhow::Result<Description> {
        loop {
            match self.socket.receive().await? {
                ServerMessage::Reply(_, Err(error)) => {
                    bail!("The server rejected a request: {error}")
                }
                ServerMessage::Event(name, payload, _) => match name.as_str() {
                    "signal" if field(&payload, "from") == SFU => {
                        if let Some(description) = description(field(&payload, "description")) {
                            return Ok(description);
                        }
                    }
                    "subscribed" => self.subscribed(&payload).await?,
                    "refused" => {
                        let message = field(field(&payload, "error"), "message");
                        bail!(
                            "The media server rejected a request: {}",
                            message.as_str().unwrap_or_default()
                        )
                    }
                    "server:draining" => bail!("The server is stopping"),
                    _ => {}
                },
                ServerMessage::Reply(..) => {}
            }
        }
    }
}

fn description(value: &Value) -> Option<Description> {
    let sdp = field(value, "sdp").as_str()?.to_owned();
    match field(value, "type").as_str()? {
        "offer" => Some(Description::Offer(sdp)),
        "answer" => Some(Description::Answer(sdp)),
        _ => None,
    }
}
