//! A participant of a call on several servers: as the page, it resumes at another server, keeps its
//! media link while the server of the link lives, and begins a new one when told so, beside the former
//! one for a while.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use headless::{Config, Layer, Offer, Participant, Publish, Section, Transport};
use load::{ServerMessage, ServerUrl, Socket, field};
use serde_json::{Value, json};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{sleep, sleep_until},
};

/// The time that stamps count from.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Pause before a connection that broke is made anew.
const PAUSE: Duration = Duration::from_millis(150);
/// Time for which a former link goes on once the next one delivers: others may have theirs later.
const LINGER: Duration = Duration::from_millis(1500);
/// Width and height of a small picture.
pub(super) const SMALL: (u16, u16) = (320, 180);
/// Those of a picture that is not shown.
pub(super) const HIDDEN: (u16, u16) = (0, 0);

/// Media of one publisher, as it arrived.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    pub(super) packets: u64,
    pub(super) frames: u64,
    /// Bytes of audio and video.
    pub(super) bytes: u64,
    pub(super) last: Option<Instant>,
    /// The longest time without its audio, between two packets.
    pub(super) longest_gap: Duration,
    /// Its end.
    pub(super) gap_ended: Option<Instant>,
    /// Its picture, as the receiver counts it.
    pub(super) picture: Quality,
    /// Packets of its sound that are lost.
    pub(super) sound_lost: u64,
}

/// What came of a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Quality {
    pub(super) packets: u64,
    /// Packets that are lost after all repairs.
    pub(super) lost: u64,
    pub(super) freezes: u64,
    pub(super) height: u16,
    /// The 99th percentile of delays from sending to receiving, some packets ago.
    pub(super) p99: Duration,
}

/// State of a party, for tests.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Joins and resumes.
    pub(super) sessions: usize,
    /// Links to the media server that it has begun.
    pub(super) links: usize,
    pub(super) from: BTreeMap<u32, Heard>,
    /// When media came over each link, in their order: the first packet, and the last.
    pub(super) media: Vec<Option<(Instant, Instant)>>,
    /// A measurement begins.
    begins: bool,
    failure: Option<String>,
}

/// A running participant. When this is dropped its connection breaks, and it does not come back.
pub(super) struct Party {
    seen: Arc<Mutex<Seen>>,
    asks: mpsc::UnboundedSender<Ask>,
    ignores_offers: Arc<AtomicBool>,
    replaces: Arc<AtomicBool>,
    signaling: JoinHandle<()>,
}

/// An instruction of a test.
enum Ask {
    Cut,
    Leave(oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

impl Drop for Party {
    fn drop(&mut self) {
        self.signaling.abort();
    }
}

impl Party {
    /// Joins a room by the first of these servers, and resumes by the next when it is gone.
    pub(super) fn join(servers: &[&ServerUrl], room: &str, number: u32) -> Self {
        let video = Layer::single(180, 150_000);
        let publish = Publish { audio: true, video };
        Self::join_with(servers, room, number, publish, SMALL)
    }

    /// The same with a picture in three sizes.
    pub(super) fn present(server: &ServerUrl, room: &str, number: u32) -> Self {
        let publish = Publish { audio: true, video: Layer::simulcast() };
        Self::join_with(&[server], room, number, publish, HIDDEN)
    }

    /// The same, with audio alone.
    pub(super) fn talk(servers: &[&ServerUrl], room: &str, number: u32) -> Self {
        Self::join_with(servers, room, number, Publish { audio: true, video: Vec::new() }, SMALL)
    }

    /// The same, with nothing to send.
    pub(super) fn listen(servers: &[&ServerUrl], room: &str, number: u32) -> Self {
        Self::watch(servers, room, number, SMALL)
    }

    /// The same with pictures of this width and height.
    pub(super) fn watch(
        servers: &[&ServerUrl],
        room: &str,
        number: u32,
        wanted: (u16, u16),
    ) -> Self {
        let publish = Publish { audio: false, video: Vec::new() };
        Self::join_with(servers, room, number, publish, wanted)
    }

    fn join_with(
        servers: &[&ServerUrl],
        room: &str,
        number: u32,
        publish: Publish,
        wanted: (u16, u16),
    ) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let (asks, asked) = mpsc::unbounded_channel();
        let ignores_offers = Arc::<AtomicBool>::default();
        let replaces = Arc::<AtomicBool>::default();
        let mut call = Call {
            asked,
            servers: servers.iter().map(|server| (*server).clone()).collect(),
            room: room.to_owned(),
            number,
            publish,
            wanted,
            seen: Arc::clone(&seen),
            token: None,
            last: 0,
            link: None,
            cameras: Vec::new(),
            ignores_offers: Arc::clone(&ignores_offers),
            replaces: Arc::clone(&replaces),
            delivers: mpsc::unbounded_channel().0,
        };
        let signaling = tokio::spawn(async move {
            loop {
                let Err(lost) = call.session().await else { return };
                if lost.to_string().contains("rejected") {
                    call.seen.lock().unwrap().failure = Some(format!("{lost:#}"));
                }
                eprintln!("party {}: {lost:#}", call.number);
                call.servers.rotate_left(1);
                sleep(PAUSE).await;
            }
        });
        Self { seen, asks, ignores_offers, replaces, signaling }
    }

    /// Breaks the connection. It resumes by the next server.
    pub(super) fn cut(&self) {
        drop(self.asks.send(Ask::Cut));
    }

    /// Loses offers of the media server from now on, or no longer.
    pub(super) fn ignore_offers(&self, ignores: bool) {
        self.ignores_offers.store(ignores, Ordering::Relaxed);
    }

    /// Ends a link before it begins the next one from now on, as pages of the first version do.
    pub(super) fn replace_links(&self) {
        self.replaces.store(true, Ordering::Relaxed);
    }

    /// Leaves the room, then disconnects.
    pub(super) async fn leave(self) {
        let (done, left) = oneshot::channel();
        drop(self.asks.send(Ask::Leave(done)));
        left.await.unwrap();
    }

    /// Disconnects in order, without leaving.
    pub(super) async fn close(self) {
        let (done, closed) = oneshot::channel();
        drop(self.asks.send(Ask::Close(done)));
        closed.await.unwrap();
    }

    pub(super) fn seen(&self) -> Seen {
        let seen = self.seen.lock().unwrap().clone();
        assert_eq!(seen.failure, None);
        seen
    }

    /// Forgets gaps and counts so far.
    pub(super) fn begin_measuring(&self) {
        let mut seen = self.seen.lock().unwrap();
        seen.from.clear();
        seen.begins = true;
    }

    /// True if sound and picture of another came since the measurement began.
    pub(super) fn has(&self, other: u32) -> bool {
        self.seen().from.get(&other).is_some_and(|heard| heard.packets > 10 && heard.frames > 5)
    }
}

/// A link to the media server, run by a task of its own: media goes on without signaling.
struct Link {
    instance: String,
    orders: mpsc::UnboundedSender<Order>,
    /// The server has answered its offer.
    is_answered: bool,
    task: JoinHandle<()>,
}

impl Link {
    /// Ends when a later one has delivered for a while, or never will.
    async fn linger(self, mut next: mpsc::UnboundedReceiver<()>) {
        if next.recv().await.is_some() {
            sleep(LINGER).await;
        }
        let (closed, done) = oneshot::channel();
        let _ = self.orders.send(Order::Close(closed));
        let _ = done.await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

enum Order {
    Offer(oneshot::Sender<Option<Offer>>),
    HandleAnswer(String),
    HandleOffer(String, oneshot::Sender<Option<String>>),
    Close(oneshot::Sender<()>),
}

struct Call {
    asked: mpsc::UnboundedReceiver<Ask>,
    servers: Vec<ServerUrl>,
    room: String,
    number: u32,
    publish: Publish,
    wanted: (u16, u16),
    seen: Arc<Mutex<Seen>>,
    token: Option<Value>,
    last: u64,
    link: Option<Link>,
    cameras: Vec<Value>,
    ignores_offers: Arc<AtomicBool>,
    replaces: Arc<AtomicBool>,
    /// Told of each link that delivers.
    delivers: mpsc::UnboundedSender<()>,
}

impl Call {
    /// Takes part until it leaves, or, which is an error, until the connection breaks.
    async fn session(&mut self) -> anyhow::Result<()> {
        let mut socket = Socket::connect(&self.servers[0], None).await?;
        let media = json!({"mic": true, "camera": true, "screen": false, "hand": false});
        let request = json!({
            "room": self.room, "name": format!("Party {}", self.number), "sfu": true,
            "media": media, "resume": self.token,
            "last": self.token.as_ref().map(|_| self.last),
        });
        let joined = socket.call("room:join", &request).await?;
        anyhow::ensure!(field(&joined, "resumed") == self.token.is_some(), "rejected: another");
        self.token = Some(field(&joined, "resume").clone());
        self.last = self.last.max(field(&joined, "last").as_u64().unwrap());
        self.seen.lock().unwrap().sessions += 1;
        let instance = field(&joined, "instance").as_str().unwrap().to_owned();
        let link = self.link.take_if(|link| link.instance != instance || !link.is_answered);
        if let Some(former) = link.filter(|link| link.is_answered)
            && !self.replaces.load(Ordering::Relaxed)
        {
            let (delivers, next) = mpsc::unbounded_channel();
            self.delivers = delivers;
            tokio::spawn(former.linger(next));
        }
        if self.link.is_none() {
            self.begin(&mut socket, instance).await?;
        }
        loop {
            tokio::select! {
                message = socket.receive() => self.handle(&mut socket, message?).await?,
                Some(ask) = self.asked.recv() => match ask {
                    Ask::Cut => anyhow::bail!("cut"),
                    Ask::Leave(done) => {
                        socket.leave().await;
                        let _ = done.send(());
                        return Ok(());
                    }
                    Ask::Close(done) => {
                        socket.close().await;
                        let _ = done.send(());
                        return Ok(());
                    }
                },
            }
        }
    }

    async fn begin(&mut self, socket: &mut Socket, instance: String) -> anyhow::Result<()> {
        self.link = None;
        let server = self.servers[0].address;
        let publish = self.publish.clone();
        let tell = self.delivers.clone();
        let link = open(server, self.number, publish, instance, tell, &self.seen).await?;
        self.cameras.clear();
        self.link = Some(link);
        self.offer(socket).await
    }

    async fn offer(&self, socket: &mut Socket) -> anyhow::Result<()> {
        let Some(link) = &self.link else { return Ok(()) };
        let (sender, offer) = oneshot::channel();
        let _ = link.orders.send(Order::Offer(sender));
        let Some(offer) = offer.await? else { return Ok(()) };
        let tracks = offer.sections.iter().map(|(mid, section)| {
            let source = if *section == Section::Audio { "microphone" } else { "camera" };
            json!({"mid": mid, "source": source})
        });
        let tracks: Vec<_> = tracks.collect();
        socket.request("publish", &json!({"tracks": tracks})).await?;
        let description = json!({"type": "offer", "sdp": offer.sdp});
        socket.request("signal", &json!({"to": "sfu", "description": description})).await?;
        Ok(())
    }

    async fn handle(&mut self, socket: &mut Socket, message: ServerMessage) -> anyhow::Result<()> {
        let ServerMessage::Event(name, payload, number) = message else { return Ok(()) };
        if let Some(number) = number {
            self.last = self.last.max(number);
        }
        match name.as_str() {
            "signal" if field(&payload, "from") == "sfu" => {
                let Some(link) = &mut self.link else { return Ok(()) };
                let description = field(&payload, "description");
                let sdp = field(description, "sdp").as_str().unwrap_or_default().to_owned();
                if field(description, "type") == "answer" {
                    link.is_answered = true;
                    let _ = link.orders.send(Order::HandleAnswer(sdp));
                } else if !self.ignores_offers.load(Ordering::Relaxed) {
                    let (sender, answer) = oneshot::channel();
                    let _ = link.orders.send(Order::HandleOffer(sdp, sender));
                    let Some(answer) = answer.await? else { return Ok(()) };
                    let description = json!({"type": "answer", "sdp": answer});
                    let signal = json!({"to": "sfu", "description": description});
                    socket.request("signal", &signal).await?;
                    self.offer(socket).await?;
                }
            }
            "subscribed" => {
                let tracks = field(&payload, "tracks").as_array().cloned().unwrap_or_default();
                let cameras = tracks.iter().filter(|track| field(track, "source") == "camera");
                let cameras = cameras.map(|track| {
                    let (id, (width, height)) = (field(track, "participant"), self.wanted);
                    json!({
                        "participant": id, "source": "camera", "width": width, "height": height,
                    })
                });
                let mut cameras: Vec<_> = cameras.collect();
                // One of two links of somebody.
                cameras.dedup();
                if cameras != self.cameras {
                    socket.request("subscribe", &json!({"tracks": cameras})).await?;
                    self.cameras = cameras;
                }
            }
            // Its server is gone, or does not know the link.
            "refused" if field(&payload, "what") == "offer" => {
                let instance = self.link.as_ref().map(|link| link.instance.clone());
                self.begin(socket, instance.unwrap_or_default()).await?;
            }
            _ => {}
        }
        Ok(())
    }
}

async fn open(
    server: SocketAddr,
    number: u32,
    publish: Publish,
    instance: String,
    tell: mpsc::UnboundedSender<()>,
    seen: &Arc<Mutex<Seen>>,
) -> anyhow::Result<Link> {
    // The address from which the server is reached.
    let probe = std::net::UdpSocket::bind("0.0.0.0:0")?;
    probe.connect(server)?;
    let socket = UdpSocket::bind((probe.local_addr()?.ip(), 0)).await?;
    let config = Config {
        local: socket.local_addr()?,
        transport: Transport::Udp,
        publish,
        publisher: number,
        epoch: *EPOCH,
        twcc: true,
    };
    let participant = Participant::new(Instant::now(), config);
    let (orders, ordered) = mpsc::unbounded_channel();
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.links += 1;
        seen.media.push(None);
        seen.links - 1
    };
    let task = tokio::spawn(run(participant, socket, ordered, tell, number, Arc::clone(seen)));
    Ok(Link { instance, orders, is_answered: false, task })
}

async fn run(
    mut participant: Participant,
    socket: UdpSocket,
    mut orders: mpsc::UnboundedReceiver<Order>,
    delivers: mpsc::UnboundedSender<()>,
    number: usize,
    seen: Arc<Mutex<Seen>>,
) {
    let mut buffer = vec![0; 65_535];
    let mut counted = BTreeMap::new();
    let mut delivers = Some(delivers);
    let mut closing = None;
    loop {
        while let Some(transmit) = participant.poll_transmit() {
            // The server's port may be closed by now.
            let _ = socket.send_to(&transmit.bytes, transmit.to).await;
        }
        if closing.is_some() {
            return;
        }
        let due = participant.poll_timeout();
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Offer(reply)) => drop(reply.send(participant.offer(Instant::now()))),
                Some(Order::HandleAnswer(sdp)) => {
                    let _ = participant.handle_answer(Instant::now(), &sdp);
                }
                Some(Order::HandleOffer(sdp, reply)) => {
                    let _ = reply.send(participant.handle_offer(Instant::now(), &sdp).ok());
                }
                Some(Order::Close(done)) => {
                    participant.close(Instant::now());
                    closing = Some(done);
                }
                None => return,
            },
            received = socket.recv_from(&mut buffer) => {
                // An error is an ICMP message for an earlier datagram.
                if let Ok((length, from)) = received {
                    let now = Instant::now();
                    let mut seen = seen.lock().unwrap();
                    if std::mem::take(&mut seen.begins) {
                        participant.reset();
                        counted.clear();
                    }
                    participant.handle_datagram(now, now, from, &buffer[..length]);
                    let seen = &mut *seen;
                    note(&participant, &mut counted, &mut seen.from, &mut seen.media[number]);
                    if let Some(delivers) = delivers.take_if(|_| seen.media[number].is_some()) {
                        let _ = delivers.send(());
                    }
                }
            }
            () = sleep_until(due.into()) => participant.handle_timeout(Instant::now()),
        }
    }
}

/// Notes what has arrived. `counted` has packets, frames and bytes of each section so far.
fn note(
    participant: &Participant,
    counted: &mut BTreeMap<String, (u64, u64, u64)>,
    from: &mut BTreeMap<u32, Heard>,
    media: &mut Option<(Instant, Instant)>,
) {
    let now = Instant::now();
    for (mid, track) in participant.received() {
        let total = (track.packets(), track.frames(), track.bytes());
        let before = counted.insert(mid.clone(), total).unwrap_or_default();
        if total == before {
            continue;
        }
        *media = Some((media.map_or(now, |(first, _)| first), now));
        let Some(publisher) = track.publisher() else { continue };
        let heard = from.entry(publisher).or_default();
        heard.bytes += total.2 - before.2;
        if track.is_video() {
            heard.frames += total.1 - before.1;
            heard.picture = Quality {
                packets: track.packets(),
                lost: track.lost(),
                freezes: track.freezes().0,
                height: track.size().map_or(0, |(_, height)| height),
                // It is costly.
                p99: match total.0 % 64 {
                    0 => Duration::from_micros(track.delays().value_at_quantile(0.99)),
                    _ => heard.picture.p99,
                },
            };
            continue;
        }
        heard.sound_lost = track.lost();
        heard.packets += total.0 - before.0;
        if let Some(last) = heard.last.replace(now)
            && now - last > heard.longest_gap
        {
            (heard.longest_gap, heard.gap_ended) = (now - last, Some(now));
        }
    }
}
