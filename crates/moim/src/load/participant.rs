//! One participant: joins, negotiates with the media server, sends and receives until it is stopped.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use headless::{Config, Layer, Offer, Publish, Section, Transport};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{sleep_until, timeout},
};

use super::{
    Plan,
    options::{Media, Way as Transports},
    outcome::Outcome,
    socket::{Said, Socket, field},
    way::{LONGEST, Way},
};

/// The media server's name in signaling.
const SFU: &str = "sfu";
/// How long joining may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who a participant is.
pub(super) struct Seat {
    pub(super) room: String,
    pub(super) number: u32,
    pub(super) publishes: bool,
}

struct Participant {
    plan: Arc<Plan>,
    socket: Socket,
    way: Way,
    media: headless::Participant,
    /// Cameras it was last told of.
    cameras: Vec<Value>,
    outcome: Outcome,
    began: Instant,
}

/// Takes part until told to stop, and tells what came of it.
pub(super) async fn take_part(
    plan: Arc<Plan>,
    seat: Seat,
    mut stop: watch::Receiver<bool>,
) -> Outcome {
    let began = Instant::now();
    let joined = timeout(PATIENCE, Participant::join(&plan, &seat, began)).await;
    let participant = joined.map_err(|_| anyhow::anyhow!("Joining took more than a minute"));
    match participant.and_then(|joined| joined) {
        Ok(participant) => participant.run(&mut stop).await,
        Err(error) => Outcome::failed(&error),
    }
}

impl Participant {
    async fn join(plan: &Arc<Plan>, seat: &Seat, began: Instant) -> anyhow::Result<Self> {
        let mut socket = Socket::connect(&plan.server, plan.tls.clone()).await?;
        let name = format!("Load {}", seat.number);
        let sends = json!({"mic": seat.publishes, "camera": seat.publishes && plan.has_camera(), "screen": false, "hand": false});
        let join = json!({"room": seat.room, "name": name, "sfu": true, "media": sends});
        let joined = socket.ask("room:join", &join).await?;
        if field(&joined, "topology") != "sfu" {
            bail!("The room is no media server's");
        }
        let way = match plan.transport {
            Transports::Udp => Way::udp(plan.server.address).await,
            Transports::Tcp => Way::tcp(plan.server.address).await,
        };
        let way = way.context("No socket for media")?;
        let config = Config {
            local: way.local(),
            transport: match plan.transport {
                Transports::Udp => Transport::Udp,
                Transports::Tcp => Transport::Tcp,
            },
            publish: publish(plan.media, seat.publishes),
            publisher: seat.number,
            epoch: plan.epoch,
        };
        let media = headless::Participant::new(began, config);
        let plan = Arc::clone(plan);
        let (cameras, outcome) = (Vec::new(), Outcome::default());
        let mut joined = Self { plan, socket, way, media, cameras, outcome, began };
        joined.offer().await?;
        Ok(joined)
    }

    async fn run(mut self, stop: &mut watch::Receiver<bool>) -> Outcome {
        let ended = tokio::select! {
            ended = self.live() => ended,
            // Whoever could stop us being gone is as good.
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        };
        if let Err(error) = ended {
            self.outcome.failure = Some(format!("{error:#}"));
        }
        if self.outcome.connected.is_some() {
            self.plan.live.connected.fetch_sub(1, Ordering::Relaxed);
        }
        self.media.close(Instant::now());
        // It is over: what can't be sent any more need not be.
        let _ = self.flush().await;
        self.outcome.sent = self.media.sent();
        self.outcome.take(self.media.received());
        self.socket.close().await;
        self.outcome
    }

    async fn live(&mut self) -> anyhow::Result<()> {
        let mut buffer = vec![0; LONGEST];
        loop {
            self.flush().await?;
            let due = self.media.poll_timeout();
            tokio::select! {
                said = self.socket.hear() => self.handle(said?).await?,
                received = self.way.receive(&mut buffer) => {
                    let mut received = Some(received.context("The way of media has ended")?);
                    while let Some((length, from)) = received {
                        let datagram = buffer.get(..length).unwrap_or_default();
                        self.media.handle_datagram(Instant::now(), from, datagram);
                        received = self.way.try_receive(&mut buffer);
                    }
                }
                () = sleep_until(due.into()) => self.media.handle_timeout(Instant::now()),
            }
            self.note();
            if self.media.is_dead() {
                bail!("The media server has ended the link");
            }
        }
    }

    /// Notes the first times of things.
    fn note(&mut self) {
        if self.outcome.connected.is_none() && self.media.is_connected() {
            self.outcome.connected = Some(self.began.elapsed());
            self.plan.live.connected.fetch_add(1, Ordering::Relaxed);
        }
        if self.outcome.first_frame.is_none()
            && self.media.received().values().any(|it| it.size().is_some())
        {
            self.outcome.first_frame = Some(self.began.elapsed());
        }
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        while let Some(transmit) = self.media.poll_transmit() {
            self.way.send(transmit.to, &transmit.bytes).await.context("Media can't be sent")?;
        }
        Ok(())
    }

    async fn offer(&mut self) -> anyhow::Result<()> {
        let Some(Offer { sdp, sections }) = self.media.offer(Instant::now()) else { return Ok(()) };
        let source = |section| match section {
            Section::Voice => "microphone",
            Section::Camera => "camera",
        };
        let sections = sections.iter();
        let tracks: Vec<_> = sections
            .map(|(mid, section)| json!({"mid": mid, "source": source(*section)}))
            .collect();
        self.socket.request("publish", &json!({"tracks": tracks})).await?;
        self.signal("offer", &sdp).await
    }

    async fn signal(&mut self, kind: &str, sdp: &str) -> anyhow::Result<()> {
        let description = json!({"type": kind, "sdp": sdp});
        let signal = json!({"to": SFU, "description": description});
        self.socket.request("signal", &signal).await.map(drop)
    }

    async fn handle(&mut self, said: Said) -> anyhow::Result<()> {
        match said {
            Said::Reply(_, Ok(_)) => Ok(()),
            Said::Reply(_, Err(why)) => bail!("The server has refused: {why}"),
            Said::Event(name, payload) if name == "signal" && field(&payload, "from") == SFU => {
                self.described(field(&payload, "description")).await
            }
            Said::Event(name, payload) if name == "subscribed" => self.subscribed(&payload).await,
            Said::Event(name, _) if name == "server:draining" => bail!("The server is stopping"),
            Said::Event(..) => Ok(()),
        }
    }

    async fn described(&mut self, description: &Value) -> anyhow::Result<()> {
        let (Some(kind), Some(sdp)) =
            (field(description, "type").as_str(), field(description, "sdp").as_str())
        else {
            return Ok(());
        };
        let now = Instant::now();
        if kind == "answer" {
            // One that has crossed with an offer is for an offer that was taken back.
            if let Err(error @ headless::Refused::BadSdp(_)) = self.media.handle_answer(now, sdp) {
                return Err(error.into());
            }
            return Ok(());
        }
        let answer = self.media.handle_offer(now, sdp)?;
        self.signal("answer", &answer).await?;
        self.offer().await
    }

    /// Says at which size it shows each camera.
    async fn subscribed(&mut self, payload: &Value) -> anyhow::Result<()> {
        let (width, height) = self.plan.view;
        let tracks = field(payload, "tracks").as_array().map(Vec::as_slice).unwrap_or_default();
        let cameras = tracks.iter().filter(|track| field(track, "source") == "camera").map(|track| {
            json!({"participant": field(track, "participant"), "source": "camera", "width": width, "height": height})
        });
        let cameras: Vec<_> = cameras.collect();
        if cameras == self.cameras {
            return Ok(());
        }
        self.cameras.clone_from(&cameras);
        self.socket.request("subscribe", &json!({"tracks": cameras})).await.map(drop)
    }
}

fn publish(media: Media, publishes: bool) -> Publish {
    let camera = match media {
        _ if !publishes => Vec::new(),
        Media::Audio => Vec::new(),
        Media::Single => Layer::single(360, 500_000),
        Media::Simulcast => Layer::simulcast(),
    };
    Publish { voice: publishes, camera }
}
