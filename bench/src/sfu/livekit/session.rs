//! A participant of a LiveKit room: a WebSocket for the signaling of two peer connections, one that
//! publishes and one that subscribes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use headless::{Offer, Section};
use jsonwebtoken::{EncodingKey, Header};
use load::{Description, Signaling};
use prost::Message as _;
use serde_json::json;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{interval, sleep},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use super::{
    KEY, PORT, SECRET,
    messages::{AddTrack, Asked, Joined, Leave, Ping, Request, Response, SessionDescription, Told},
};

/// The version of the signaling protocol: two peer connections, and pings by messages.
const PROTOCOL: u32 = 15;
/// Validity of an access token.
const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);
/// Time limit for a new server to accept connections, and the interval of attempts.
const START_TIME: Duration = Duration::from_secs(10);
const ATTEMPT_INTERVAL: Duration = Duration::from_millis(20);
/// Maximum number of queued requests and descriptions.
const QUEUE: usize = 64;

/// The signaling of one peer connection of a participant.
pub(crate) struct PeerConnection {
    requests: mpsc::Sender<Asked>,
    descriptions: mpsc::Receiver<SessionDescription>,
    /// The id of the last offer of the server.
    offered: u32,
}

/// Joins a room. Returns the peer connection that publishes, which the participant begins, and the
/// one that subscribes, which the server begins. The participant leaves when both are dropped.
pub(crate) async fn join(
    room: &str,
    identity: &str,
) -> anyhow::Result<(PeerConnection, PeerConnection)> {
    let token = token(room, identity)?;
    let url = format!(
        "ws://127.0.0.1:{PORT}/rtc?access_token={token}&protocol={PROTOCOL}&sdk=rust\
         &auto_subscribe=1&adaptive_stream=0"
    );
    let (mut frames, _) = client_async(url.into_client_request()?, connect().await?).await?;
    let Some(Told::Joined(joined)) = receive(&mut frames).await? else {
        bail!("LiveKit's first message isn't about joining");
    };
    let (requests, requested) = mpsc::channel(QUEUE);
    let (publish, publishing) = mpsc::channel(QUEUE);
    let (subscribe, subscribing) = mpsc::channel(QUEUE);
    tokio::spawn(carry(frames, joined, requested, publish, subscribe));
    let of = |requests, descriptions| PeerConnection { requests, descriptions, offered: 0 };
    Ok((of(requests.clone(), publishing), of(requests, subscribing)))
}

async fn connect() -> anyhow::Result<TcpStream> {
    let attempts = START_TIME.as_millis() / ATTEMPT_INTERVAL.as_millis();
    for _ in 1..attempts {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", PORT)).await {
            stream.set_nodelay(true)?;
            return Ok(stream);
        }
        sleep(ATTEMPT_INTERVAL).await;
    }
    TcpStream::connect(("127.0.0.1", PORT)).await.context("Can't connect to LiveKit")
}

fn token(room: &str, identity: &str) -> anyhow::Result<String> {
    let expires = SystemTime::now().duration_since(UNIX_EPOCH)? + TOKEN_LIFETIME;
    let claims = json!({
        "iss": KEY,
        "sub": identity,
        "exp": expires.as_secs(),
        "video": {"room": room, "roomJoin": true},
    });
    let key = EncodingKey::from_secret(SECRET.as_bytes())?;
    Ok(jsonwebtoken::encode(&Header::default(), &claims, &key)?)
}

/// Carries messages until both peer connections are dropped or the server closes.
async fn carry(
    mut frames: WebSocketStream<TcpStream>,
    joined: Joined,
    mut requested: mpsc::Receiver<Asked>,
    publish: mpsc::Sender<SessionDescription>,
    subscribe: mpsc::Sender<SessionDescription>,
) -> anyhow::Result<()> {
    let seconds = joined.ping_interval.max(1).unsigned_abs();
    let mut pings = interval(Duration::from_secs(seconds.into()));
    loop {
        tokio::select! {
            asked = requested.recv() => {
                let Some(asked) = asked else { break };
                send(&mut frames, asked).await?;
            }
            told = receive(&mut frames) => match told? {
                // A peer connection that has ended needs no description.
                Some(Told::Answer(answer)) => drop(publish.send(answer).await),
                Some(Told::Offer(offer)) => drop(subscribe.send(offer).await),
                Some(Told::Leave(leave)) => bail!("LiveKit ended the session: {leave:?}"),
                Some(Told::Joined(_)) | None => {}
            },
            _ = pings.tick() => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
                let timestamp = i64::try_from(now.as_millis())?;
                send(&mut frames, Asked::Ping(Ping { timestamp })).await?;
            }
        }
    }
    send(&mut frames, Asked::Leave(Leave::default())).await?;
    frames.close(None).await?;
    Ok(())
}

async fn send(frames: &mut WebSocketStream<TcpStream>, asked: Asked) -> anyhow::Result<()> {
    let bytes = Request { asked: Some(asked) }.encode_to_vec();
    Ok(frames.send(Message::binary(bytes)).await?)
}

/// The next message; none if it's one that a participant can ignore. Cancel safe.
async fn receive(frames: &mut WebSocketStream<TcpStream>) -> anyhow::Result<Option<Told>> {
    match frames.next().await.context("LiveKit has closed the connection")?? {
        Message::Binary(bytes) => Ok(Response::decode(bytes)?.told),
        Message::Close(frame) => bail!("LiveKit has closed the connection: {frame:?}"),
        _ => Ok(None),
    }
}

impl PeerConnection {
    async fn request(&self, asked: Asked) -> anyhow::Result<()> {
        self.requests.send(asked).await.map_err(|_| anyhow!("LiveKit has closed the connection"))
    }
}

impl Signaling for PeerConnection {
    async fn offer(&mut self, offer: &Offer) -> anyhow::Result<()> {
        for (mid, section) in &offer.sections {
            let cid = track_id(&offer.sdp, mid).context("a section of the offer has no track")?;
            let (kind, source) = match section {
                Section::Audio => (0, 2),
                Section::Video => (1, 1),
            };
            let (width, height) = if *section == Section::Video { (640, 360) } else { (0, 0) };
            let track = AddTrack { cid, kind, width, height, source, disable_red: true };
            self.request(Asked::AddTrack(track)).await?;
        }
        let description =
            SessionDescription { kind: "offer".to_owned(), sdp: offer.sdp.clone(), id: 1 };
        self.request(Asked::Offer(description)).await
    }

    async fn answer(&mut self, sdp: &str) -> anyhow::Result<()> {
        let (kind, sdp, id) = ("answer".to_owned(), sdp.to_owned(), self.offered);
        self.request(Asked::Answer(SessionDescription { kind, sdp, id })).await
    }

    async fn next_description(&mut self) -> anyhow::Result<Description> {
        let next = self.descriptions.recv().await;
        let SessionDescription { kind, sdp, id } =
            next.context("LiveKit has closed the connection")?;
        if kind == "offer" {
            self.offered = id;
            return Ok(Description::Offer(sdp));
        }
        Ok(Description::Answer(sdp))
    }
}

/// The id of the track of a media section: the second word of its `a=msid` (RFC 8830).
fn track_id(sdp: &str, mid: &str) -> Option<String> {
    let is_of_mid =
        |section: &&str| section.lines().any(|line| line.strip_prefix("a=mid:") == Some(mid));
    let section = sdp.split("\r\nm=").skip(1).find(is_of_mid)?;
    let msid = section.lines().find_map(|line| line.strip_prefix("a=msid:"))?;
    msid.split_whitespace().nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn track_of_a_section_is_found_by_its_mid() {
        let sdp = "v=0\r\na=mid:x\r\nm=audio 9 X 111\r\na=mid:a\r\na=msid:s one\r\n\
                   m=video 9 X 96\r\na=msid:s two\r\na=mid:v\r\nm=video 9 X 96\r\na=mid:w\r\n";
        assert_eq!(track_id(sdp, "a").as_deref(), Some("one"));
        assert_eq!(track_id(sdp, "v").as_deref(), Some("two"));
        assert_eq!(track_id(sdp, "w"), None);
        assert_eq!(track_id(sdp, "x"), None);
    }

    #[test]
    fn messages_have_the_published_form() {
        let answer = SessionDescription { kind: "answer".into(), sdp: "s".into(), id: 3 };
        let request = Request { asked: Some(Asked::Answer(answer)) }.encode_to_vec();
        assert_eq!(request, b"\x12\x0d\x0a\x06answer\x12\x01s\x18\x03");
        // An offer after a message that isn't known here (`refresh_token`, 16).
        let unknown = Response::decode(&b"\x82\x01\x02ab"[..]).unwrap();
        assert_eq!(unknown.told, None);
        let offer = Response::decode(&b"\x1a\x0a\x0a\x05offer\x12\x01s"[..]).unwrap();
        let Some(Told::Offer(offer)) = offer.told else { panic!("{offer:?}") };
        assert_eq!((offer.kind.as_str(), offer.sdp.as_str(), offer.id), ("offer", "s", 0));
    }
}
