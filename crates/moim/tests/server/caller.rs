//! A participant of a call over real sockets, which resumes like the page when its connection
//! breaks.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, LazyLock, Mutex},
    time::{Duration, Instant},
};

use headless::{Config, Participant, Publish, Section, Transport};
use load::{ServerMessage, ServerUrl, Socket, field};
use serde_json::{Value, json};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot},
    time::{sleep, sleep_until, timeout},
};

use crate::history::History;

/// The time that stamps count from.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);
/// Time for a connection, with several servers.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Time for the answer to a join, with several servers.
const JOIN_TIMEOUT: Duration = Duration::from_secs(5);

/// What a caller has seen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// Its id in the room.
    pub(crate) id: String,
    /// Sessions in the room: the join and the resumes.
    pub(crate) sessions: usize,
    /// Participants whose audio was heard in the current session.
    pub(crate) heard: usize,
    /// When each publisher sent the newest audio that was heard, in stamps' time.
    pub(crate) newest: BTreeMap<u32, Duration>,
    /// Media packets that it sent in the current session.
    pub(crate) sent: u64,
    /// Media packets that it received in the current session.
    pub(crate) received: u64,
    /// The longest time without audio of a participant that was heard before and after it.
    pub(crate) longest_gap: Duration,
    /// Participants that were seen to leave.
    pub(crate) left: usize,
    /// Chat messages of others, in order.
    pub(crate) chat: Vec<String>,
    /// Events of the room that somebody's request causes, but chat, in order.
    pub(crate) events: Vec<String>,
    /// The server said that it restarts.
    pub(crate) told: usize,
    /// Processes of the server.
    pub(crate) instances: Vec<String>,
    /// The error that ended the caller.
    pub(crate) failure: Option<String>,
    /// Events with numbers, in order.
    numbered: Vec<(u64, String)>,
    /// Its own messages that were acknowledged.
    acknowledged: Vec<String>,
    left_ids: Vec<String>,
    roster: BTreeSet<String>,
}

impl Seen {
    /// What it received, for the rules that hold whatever fails.
    pub(crate) fn history(&self) -> History {
        History {
            client: self.id.clone(),
            events: self.numbered.clone(),
            acknowledged: self.acknowledged.clone(),
            messages: self.chat.clone(),
            left: self.left_ids.clone(),
            roster: self.roster.clone(),
        }
    }
}

/// A running caller.
pub(crate) struct Caller {
    seen: Arc<Mutex<Seen>>,
    asks: mpsc::UnboundedSender<Ask>,
}

/// Instruction of a test to a caller.
enum Ask {
    Say(String),
    Request(&'static str, Value, Done),
}

type Done = oneshot::Sender<Result<Value, String>>;

/// Requests without a reply, by their numbers.
#[derive(Default)]
struct Unanswered {
    /// Serial numbers of chat messages.
    said: BTreeMap<u64, u64>,
    asked: BTreeMap<u64, Done>,
}

impl Caller {
    /// Joins a room. With `says_when_lost`, a caller sends a message each time its connection
    /// breaks, before the next one.
    pub(crate) fn join(server: &ServerUrl, room: &str, number: u32, says_when_lost: bool) -> Self {
        Self::join_with(server, room, number, says_when_lost, None)
    }

    /// The same with a join token.
    pub(crate) fn join_with(
        server: &ServerUrl,
        room: &str,
        number: u32,
        says_when_lost: bool,
        join_token: Option<String>,
    ) -> Self {
        Self::join_one_of(
            vec![server.clone()],
            room,
            number,
            says_when_lost,
            join_token,
            Duration::MAX,
        )
    }

    /// Joins a room by the first of several servers that have it, and goes on to the next one when
    /// its connection breaks, or nothing is heard for so long.
    pub(crate) fn join_any(
        servers: Vec<ServerUrl>,
        room: &str,
        number: u32,
        silence: Duration,
    ) -> Self {
        Self::join_one_of(servers, room, number, false, None, silence)
    }

    fn join_one_of(
        servers: Vec<ServerUrl>,
        room: &str,
        number: u32,
        says_when_lost: bool,
        join_token: Option<String>,
        silence: Duration,
    ) -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let (asks, outbox) = mpsc::unbounded_channel();
        let call = Call {
            servers,
            silence,
            at: 0,
            room: room.to_owned(),
            number,
            seen: Arc::clone(&seen),
            outbox,
            unsent: BTreeMap::new(),
            serial: 0,
            join_token,
            token: None,
            last: 0,
            heard: BTreeMap::new(),
        };
        let failed = Arc::clone(&seen);
        tokio::spawn(async move {
            if let Err(error) = call.run(says_when_lost).await {
                failed.lock().unwrap().failure = Some(format!("{error:#}"));
            }
        });
        Self { seen, asks }
    }

    pub(crate) fn seen(&self) -> Seen {
        let seen = self.seen.lock().unwrap().clone();
        assert_eq!(seen.failure, None);
        seen
    }

    /// Forgets the gaps so far.
    pub(crate) fn forget_gaps(&self) {
        self.seen.lock().unwrap().longest_gap = Duration::ZERO;
    }

    pub(crate) fn say(&self, text: &str) {
        self.asks.send(Ask::Say(text.to_owned())).unwrap();
    }

    /// Sends a request and waits for its reply.
    pub(crate) async fn request(&self, event: &'static str, payload: Value) -> Value {
        let reply = self.try_request(event, payload).await;
        reply.unwrap_or_else(|error| panic!("{event}: {error}"))
    }

    /// The same; an error is the message of a rejection.
    pub(crate) async fn try_request(
        &self,
        event: &'static str,
        payload: Value,
    ) -> Result<Value, String> {
        let (done, reply) = oneshot::channel();
        self.asks.send(Ask::Request(event, payload, done)).unwrap();
        reply.await.unwrap()
    }
}

struct Call {
    servers: Vec<ServerUrl>,
    /// A server that sends no media for so long is taken for gone.
    silence: Duration,
    /// The server of the current session.
    at: usize,
    room: String,
    number: u32,
    seen: Arc<Mutex<Seen>>,
    outbox: mpsc::UnboundedReceiver<Ask>,
    /// Chat messages without acknowledgement, by serial number.
    unsent: BTreeMap<u64, String>,
    serial: u64,
    join_token: Option<String>,
    token: Option<Value>,
    last: u64,
    /// When audio of each publisher was last heard, and in which session.
    heard: BTreeMap<u32, (Instant, usize)>,
}

/// A link to the media server.
struct Media {
    participant: Participant,
    socket: UdpSocket,
    /// Audio packets of each section so far.
    packets: BTreeMap<String, u64>,
}

impl Call {
    async fn run(mut self, says_when_lost: bool) -> anyhow::Result<()> {
        loop {
            let lost = self.session().await?;
            if says_when_lost {
                let session = self.seen.lock().unwrap().sessions;
                self.queue(format!("gap {session}"));
            }
            tracing_line(self.number, &lost);
            self.at = (self.at + 1) % self.servers.len();
            // Socket.IO's first delay, spread like the page's.
            sleep(Duration::from_millis(150 + u64::from(self.number) * 61 % 300)).await;
        }
    }

    /// Takes part until the connection breaks; returns why. An error ends the caller.
    async fn session(&mut self) -> anyhow::Result<String> {
        let (server, is_alone) = (self.servers[self.at].clone(), self.servers.len() == 1);
        let connecting = Socket::connect(&server, None);
        let connected = match is_alone {
            true => connecting.await,
            false => timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|it| Err(it.into())),
        };
        let mut socket = match connected {
            Ok(socket) => socket,
            Err(error) => return Ok(format!("{error:#}")),
        };
        let name = format!("Caller {}", self.number);
        let media = json!({"mic": true, "camera": false, "screen": false, "hand": false});
        let request = json!({
            "room": self.room, "name": name, "sfu": true, "media": media,
            "resume": self.token, "last": self.token.as_ref().map(|_| self.last),
            "token": self.join_token,
        });
        let joining = socket.call("room:join", &request);
        let joined = match is_alone {
            true => joining.await,
            false => timeout(JOIN_TIMEOUT, joining).await.unwrap_or_else(|it| Err(it.into())),
        };
        let joined = match joined {
            Ok(joined) => joined,
            // Not for good.
            Err(error) if !is_alone && error.to_string().contains("try again") => {
                return Ok(format!("{error:#}"));
            }
            Err(error) if error.to_string().contains("rejected") => return Err(error),
            Err(error) => return Ok(format!("{error:#}")),
        };
        anyhow::ensure!(
            field(&joined, "resumed") == self.token.is_some(),
            "joined as another participant"
        );
        self.token = Some(field(&joined, "resume").clone());
        self.last = self.last.max(field(&joined, "last").as_u64().unwrap());
        {
            let mut seen = self.seen.lock().unwrap();
            seen.sessions += 1;
            seen.heard = 0;
            seen.id = field(field(&joined, "self"), "id").as_str().unwrap().to_owned();
            if seen.sessions == 1 {
                let others = field(&joined, "participants").as_array().unwrap();
                let ids = others.iter().map(|other| field(other, "id").as_str().unwrap());
                seen.roster = ids.map(str::to_owned).collect();
                let own = seen.id.clone();
                seen.roster.insert(own);
            }
            seen.instances.push(field(&joined, "instance").as_str().unwrap().to_owned());
        }
        let mut media = self.open_media(server.address).await?;
        let mut unanswered = Unanswered::default();
        for (serial, text) in self.unsent.clone() {
            if let Err(lost) = say(&mut socket, &mut unanswered, serial, &text).await {
                return Ok(lost);
            }
        }
        if let Err(error) = offer(&mut socket, &mut media).await {
            return Ok(format!("{error:#}"));
        }
        let mut buffer = vec![0; 65_535];
        let begun = Instant::now();
        loop {
            while let Some(transmit) = media.participant.poll_transmit() {
                // The server's port may be closed for a moment.
                let _ = media.socket.send_to(&transmit.bytes, transmit.to).await;
            }
            let due = media.participant.poll_timeout();
            tokio::select! {
                message = socket.receive() => match message {
                    Err(error) => return Ok(format!("{error:#}")),
                    Ok(message) => {
                        let handled = self.handle(&mut socket, &mut media, &mut unanswered, message);
                        if let Err(error) = handled.await {
                            return Ok(format!("{error:#}"));
                        }
                    }
                },
                Some(ask) = self.outbox.recv() => {
                    if let Err(lost) = self.obey(&mut socket, &mut unanswered, ask).await {
                        return Ok(lost);
                    }
                }
                received = media.socket.recv_from(&mut buffer) => {
                    // An error is an ICMP message for an earlier datagram.
                    if let Ok((length, from)) = received {
                        let now = Instant::now();
                        media.participant.handle_datagram(now, now, from, &buffer[..length]);
                        self.listen(&mut media);
                    }
                }
                () = sleep_until(due.into()) => media.participant.handle_timeout(Instant::now()),
            }
            if self.is_silent(begun) {
                return Ok("nothing is heard".to_owned());
            }
        }
    }

    /// True if others were heard in this session, and nobody is any more.
    fn is_silent(&self, begun: Instant) -> bool {
        let newest = self.heard.values().map(|(at, _)| *at).max();
        newest.is_some_and(|at| at > begun && at.elapsed() > self.silence)
    }

    async fn obey(
        &mut self,
        socket: &mut Socket,
        unanswered: &mut Unanswered,
        ask: Ask,
    ) -> Result<(), String> {
        match ask {
            Ask::Say(text) => {
                let serial = self.queue(text.clone());
                say(socket, unanswered, serial, &text).await
            }
            Ask::Request(event, payload, done) => {
                let number = socket.request(event, &payload).await;
                unanswered.asked.insert(number.map_err(|error| format!("{error:#}"))?, done);
                Ok(())
            }
        }
    }

    fn queue(&mut self, text: String) -> u64 {
        self.serial += 1;
        self.unsent.insert(self.serial, text);
        self.serial
    }

    async fn open_media(&self, server: SocketAddr) -> anyhow::Result<Media> {
        // The address from which the server is reached.
        let probe = std::net::UdpSocket::bind("0.0.0.0:0")?;
        probe.connect(server)?;
        let socket = UdpSocket::bind((probe.local_addr()?.ip(), 0)).await?;
        let config = Config {
            local: socket.local_addr()?,
            transport: Transport::Udp,
            publish: Publish { audio: true, video: Vec::new() },
            publisher: self.number,
            epoch: *EPOCH,
            twcc: true,
        };
        let participant = Participant::new(Instant::now(), config);
        Ok(Media { participant, socket, packets: BTreeMap::new() })
    }

    async fn handle(
        &mut self,
        socket: &mut Socket,
        media: &mut Media,
        unanswered: &mut Unanswered,
        message: ServerMessage,
    ) -> anyhow::Result<()> {
        let (name, payload, number) = match message {
            ServerMessage::Reply(request, reply) => {
                if let Some(done) = unanswered.asked.remove(&request) {
                    let _ = done.send(reply);
                } else if let Some(serial) = unanswered.said.remove(&request) {
                    reply.map_err(anyhow::Error::msg)?;
                    let text = self.unsent.remove(&serial);
                    self.seen.lock().unwrap().acknowledged.extend(text);
                }
                return Ok(());
            }
            ServerMessage::Event(name, payload, number) => (name, payload, number),
        };
        if let Some(number) = number {
            assert!(number > self.last, "{name} {number} after {}", self.last);
            self.last = number;
            let event = (number, format!("{name} {payload}"));
            self.seen.lock().unwrap().numbered.push(event);
        }
        let is_of_server = match name.as_str() {
            "signal" => field(&payload, "from") == "sfu",
            "chat" | "speakers" | "subscribed" | "wanted" | "ice:servers" => true,
            _ => name.starts_with("server:"),
        };
        if !is_of_server {
            self.seen.lock().unwrap().events.push(name.clone());
        }
        match name.as_str() {
            "signal" if field(&payload, "from") == "sfu" => {
                let description = field(&payload, "description");
                let sdp = field(description, "sdp").as_str().unwrap_or_default();
                if field(description, "type") == "answer" {
                    let _ = media.participant.handle_answer(Instant::now(), sdp);
                } else {
                    let answer = media.participant.handle_offer(Instant::now(), sdp)?;
                    let description = json!({"type": "answer", "sdp": answer});
                    let signal = json!({"to": "sfu", "description": description});
                    socket.request("signal", &signal).await?;
                    offer(socket, media).await?;
                }
            }
            "participant:joined" => {
                let id = field(&payload, "id").as_str().unwrap().to_owned();
                self.seen.lock().unwrap().roster.insert(id);
            }
            "participant:left" => {
                let id = field(&payload, "id").as_str().unwrap();
                let mut seen = self.seen.lock().unwrap();
                seen.left += 1;
                seen.roster.remove(id);
                seen.left_ids.push(id.to_owned());
            }
            // The server of its link is gone, though the one of its socket is not.
            "refused" if self.servers.len() > 1 && field(&payload, "what") == "offer" => {
                *media = self.open_media(self.servers[self.at].address).await?;
                offer(socket, media).await?;
            }
            "server:restarting" => self.seen.lock().unwrap().told += 1,
            "chat" => {
                let text = field(&payload, "text").as_str().unwrap().to_owned();
                self.seen.lock().unwrap().chat.push(text);
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes whose audio has arrived.
    fn listen(&mut self, media: &mut Media) {
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap();
        for (mid, track) in media.participant.received() {
            let packets = media.packets.entry(mid.clone()).or_default();
            let Some(publisher) = track.publisher().filter(|_| track.packets() > *packets) else {
                continue;
            };
            *packets = track.packets();
            if let Some(sent) = track.last_sent() {
                seen.newest.insert(publisher, sent);
            }
            let session = seen.sessions;
            if let Some((last, _)) = self.heard.insert(publisher, (now, session)) {
                seen.longest_gap = seen.longest_gap.max(now - last);
            }
        }
        seen.sent = media.participant.packets_sent();
        seen.received = media.participant.packets_received();
        let session = seen.sessions;
        seen.heard = self.heard.values().filter(|(_, heard_in)| *heard_in == session).count();
    }
}

async fn say(
    socket: &mut Socket,
    unanswered: &mut Unanswered,
    serial: u64,
    text: &str,
) -> Result<(), String> {
    let request = socket.request("chat", &json!({"text": text, "serial": serial})).await;
    unanswered.said.insert(request.map_err(|error| format!("{error:#}"))?, serial);
    Ok(())
}

async fn offer(socket: &mut Socket, media: &mut Media) -> anyhow::Result<()> {
    let Some(offer) = media.participant.offer(Instant::now()) else { return Ok(()) };
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

/// The time that stamps count from to now.
pub(crate) fn stamp_time() -> Duration {
    EPOCH.elapsed()
}

/// The URL of a server.
pub(crate) fn url(address: SocketAddr) -> ServerUrl {
    ServerUrl::resolve(&format!("http://{address}")).unwrap()
}

fn tracing_line(number: u32, why: &str) {
    eprintln!("caller {number}: {why}");
}
