//! Janus with its VideoRoom, and its signaling for headless participants.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use headless::Offer;
use load::{Description, Signaling};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::spawned::Spawned;

/// The WebSocket port of Janus, in the benchmark's network namespace.
const PORT: u16 = 8188;
/// Number of rooms, numbered from 1.
const ROOMS: u32 = 200;

/// A running Janus.
#[derive(Debug)]
pub(crate) struct Janus {
    pub(crate) process: Spawned,
    _folder: TempDir,
}

impl Janus {
    /// Starts Janus on these cores with rooms.
    pub(crate) fn start(cores: &[usize]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("can't make a folder for Janus")?;
        configure(folder.path())?;
        let mut command = Command::new("janus");
        command.arg("-F").arg(folder.path()).arg("-o");
        let process = Spawned::start(command, cores)?;
        process.await_line(|line| line.contains("WebSockets thread started").then_some(()))?;
        Ok(Self { process, _folder: folder })
    }
}

/// The version of Janus.
pub(crate) fn version() -> String {
    crate::machine::version("janus", "--version")
}

fn configure(folder: &Path) -> anyhow::Result<()> {
    let base = "/usr/lib/x86_64-linux-gnu/janus";
    let base = if Path::new(base).exists() { base } else { "/usr/lib/janus" };
    let shown = folder.display();
    let main = format!(
        r#"general: {{
  configs_folder = "{shown}"
  plugins_folder = "{base}/plugins"
  transports_folder = "{base}/transports"
  events_folder = "{base}/events"
  loggers_folder = "{base}/loggers"
  debug_level = 4
  session_timeout = 0
}}
plugins: {{ disable = "libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_voicemail.so" }}
transports: {{ disable = "libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so" }}
"#
    );
    let sockets = format!(
        r#"general: {{ json = "compact", ws = true, ws_port = {PORT}, ws_interface = "lo", wss = false }}
"#
    );
    let room = |room: u32| {
        format!(
            r#"room-{room}: {{
  description = "bench"
  publishers = 1000
  bitrate = 0
  fir_freq = 0
  audiocodec = "opus"
  videocodec = "vp8"
  record = false
}}
"#
        )
    };
    let rooms: String = (1..=ROOMS).map(room).collect();
    for (file, text) in [
        ("janus.jcfg", main),
        ("janus.transport.websockets.jcfg", sockets),
        ("janus.plugin.videoroom.jcfg", rooms),
    ] {
        fs::write(folder.join(file), text).with_context(|| format!("can't write {file}"))?;
    }
    Ok(())
}

/// A VideoRoom handle: one link of a participant.
pub(crate) struct Handle {
    frames: WebSocketStream<TcpStream>,
    session: u64,
    handle: u64,
    transactions: u64,
    request: &'static str,
    room: u32,
}

impl Handle {
    /// A publishing handle; its next offer joins the room.
    pub(crate) async fn publisher(room: u32) -> anyhow::Result<Self> {
        Self::attach("joinandconfigure", room).await
    }

    /// A handle that subscribes to these feeds.
    pub(crate) async fn subscriber(room: u32, feeds: &[u64]) -> anyhow::Result<Self> {
        let mut handle = Self::attach("start", room).await?;
        let streams: Vec<_> = feeds.iter().map(|feed| json!({"feed": feed})).collect();
        let body =
            json!({"request": "join", "ptype": "subscriber", "room": room, "streams": streams});
        handle.message(&body, None).await?;
        Ok(handle)
    }

    /// The feeds of the publishers in the room.
    pub(crate) async fn feeds(&mut self) -> anyhow::Result<Vec<u64>> {
        let body = json!({"request": "listparticipants", "room": self.room});
        let transaction = self.message(&body, None).await?;
        loop {
            let message = self.receive().await?;
            if at(&message, "transaction") == transaction.as_str()
                && let Some(list) =
                    at(at(at(&message, "plugindata"), "data"), "participants").as_array()
            {
                let publishers = list.iter().filter(|one| at(one, "publisher") == true);
                return Ok(publishers.filter_map(|one| at(one, "id").as_u64()).collect());
            }
        }
    }

    async fn attach(request: &'static str, room: u32) -> anyhow::Result<Self> {
        let stream =
            TcpStream::connect(("127.0.0.1", PORT)).await.context("Can't connect to Janus")?;
        stream.set_nodelay(true)?;
        let mut url = format!("ws://127.0.0.1:{PORT}/").into_client_request()?;
        let protocol = "janus-protocol".parse().context("a header's value")?;
        url.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
        let (frames, _) = client_async(url, stream).await?;
        let mut handle = Self { frames, session: 0, handle: 0, transactions: 0, request, room };
        handle.session = handle.create(json!({"janus": "create"})).await?;
        let plugin = "janus.plugin.videoroom";
        handle.handle = handle.create(json!({"janus": "attach", "plugin": plugin})).await?;
        Ok(handle)
    }

    /// Sends a request and returns the id in its reply.
    async fn create(&mut self, request: Value) -> anyhow::Result<u64> {
        let transaction = self.send(request).await?;
        loop {
            let message = self.receive().await?;
            if at(&message, "transaction") == transaction.as_str() {
                return at(at(&message, "data"), "id").as_u64().context("Janus returned no id");
            }
        }
    }

    async fn message(&mut self, body: &Value, jsep: Option<Value>) -> anyhow::Result<String> {
        let mut request = json!({"janus": "message", "body": body});
        if let (Some(jsep), Some(fields)) = (jsep, request.as_object_mut()) {
            fields.insert("jsep".to_owned(), jsep);
        }
        self.send(request).await
    }

    /// Signals the end of candidates: they are in the description.
    async fn end_candidates(&mut self) -> anyhow::Result<()> {
        let done = json!({"completed": true});
        self.send(json!({"janus": "trickle", "candidate": done})).await.map(drop)
    }

    async fn send(&mut self, mut request: Value) -> anyhow::Result<String> {
        self.transactions += 1;
        let transaction = self.transactions.to_string();
        if let Some(fields) = request.as_object_mut() {
            fields.insert("transaction".to_owned(), transaction.clone().into());
            for (name, id) in [("session_id", self.session), ("handle_id", self.handle)] {
                if id != 0 {
                    fields.insert(name.to_owned(), id.into());
                }
            }
        }
        self.frames.send(Message::text(request.to_string())).await?;
        Ok(transaction)
    }

    async fn receive(&mut self) -> anyhow::Result<Value> {
        loop {
            match self.frames.next().await.context("Janus has closed the connection")?? {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text)?;
                    let error = at(&message, "error");
                    let error = if error.is_null() {
                        at(at(at(&message, "plugindata"), "data"), "error")
                    } else {
                        error
                    };
                    if !error.is_null() {
                        bail!("Janus: {error}");
                    }
                    return Ok(message);
                }
                Message::Close(_) => bail!("Janus has closed the connection"),
                _ => {}
            }
        }
    }
}

impl Signaling for Handle {
    async fn offer(&mut self, offer: &Offer) -> anyhow::Result<()> {
        let body = json!({"request": self.request, "ptype": "publisher", "room": self.room});
        self.message(&body, Some(json!({"type": "offer", "sdp": offer.sdp}))).await?;
        self.end_candidates().await
    }

    async fn answer(&mut self, sdp: &str) -> anyhow::Result<()> {
        let body = json!({"request": self.request, "room": self.room});
        self.message(&body, Some(json!({"type": "answer", "sdp": sdp}))).await?;
        self.end_candidates().await
    }

    async fn next_description(&mut self) -> anyhow::Result<Description> {
        loop {
            let message = self.receive().await?;
            let jsep = at(&message, "jsep");
            if let (Some(kind), Some(sdp)) = (at(jsep, "type").as_str(), at(jsep, "sdp").as_str()) {
                let sdp = sdp.to_owned();
                return Ok(match kind {
                    "offer" => Description::Offer(sdp),
                    _ => Description::Answer(sdp),
                });
            }
            if at(&message, "janus") == "hangup" {
                bail!("Janus closed the link: {}", at(&message, "reason"));
            }
        }
    }
}

/// A field of an object, or null.
fn at<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}
