//! The engine: requests of the core over a connection that is kept up.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use cluster::{Answer, Entry, EventNumber, Request, RoomKey};
use redis::{RedisError, Value, aio::MultiplexedConnection};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    connect::connect,
    endpoint::Endpoint,
    error::{ConnectError, RequestError},
    reply,
    scripts::{Invocation, Scripts},
    seal::Seal,
};

/// The time after which a request is given up. The engine may do it all the same.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(1500);
/// Pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection is tried so often, also without requests.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// The connection to an engine, which is made again whenever it breaks. Clones share it, and it
/// ends with the last of them.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    _connector: Arc<Connector>,
}

/// State of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EngineStatus {
    /// There is a connection.
    pub is_connected: bool,
    /// Connections so far. With each new one, owners ask who owns their rooms.
    pub connections: u64,
    /// Times that the engine had lost its memory.
    pub losses: u64,
    /// The reason for which the last attempt to connect failed.
    pub failure: Option<ConnectError>,
}

struct Shared {
    endpoint: Endpoint,
    seal: Seal,
    scripts: Scripts,
    fingerprint: String,
    link: watch::Sender<Link>,
}

#[derive(Default)]
struct Link {
    connection: Option<MultiplexedConnection>,
    status: EngineStatus,
    /// The name of the engine's memory.
    memory: Option<String>,
}

/// The task that connects.
struct Connector(JoinHandle<()>);

impl Drop for Connector {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Engine {
    /// Connects to the engine, now and whenever the connection breaks. All nodes of a cluster have
    /// the same secret, by which values are sealed. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// Fails if no keys can be derived from the secret.
    pub fn open(endpoint: Endpoint, secret: &[u8; 32]) -> Result<Self, RequestError> {
        let seal = Seal::new(secret);
        let fingerprint = seal.fingerprint().map_err(|_| RequestError::Invalid("secret"))?;
        let (link, _) = watch::channel(Link::default());
        let shared = Shared { endpoint, seal, scripts: Scripts::new(), fingerprint, link };
        let shared = Arc::new(shared);
        let connector = tokio::spawn(keep_connected(Arc::clone(&shared)));
        Ok(Self { shared, _connector: Arc::new(Connector(connector)) })
    }

    /// The address, without a password.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.shared.endpoint
    }

    /// The state of the connection now.
    #[must_use]
    pub fn status(&self) -> EngineStatus {
        self.shared.link.borrow().status.clone()
    }

    /// Waits until the state of the connection satisfies a condition. Returns it.
    pub async fn wait_for(&self, mut condition: impl FnMut(&EngineStatus) -> bool) -> EngineStatus {
        let mut link = self.shared.link.subscribe();
        match link.wait_for(|link| condition(&link.status)).await {
            Ok(link) => link.status.clone(),
            // The sender is ours.
            Err(_) => self.status(),
        }
    }

    /// Carries out a request.
    ///
    /// If the engine lost its memory, [`EngineStatus::losses`] has counted it before an answer to
    /// [`Request::Nodes`] is returned.
    ///
    /// # Errors
    ///
    /// Fails if no answer comes; the engine may have done the request, or do it yet.
    pub async fn request(&self, request: Request) -> Result<Answer, RequestError> {
        let shared = &self.shared;
        let (mut connection, number) = {
            let link = shared.link.borrow();
            let connection = link.connection.clone().ok_or(RequestError::Away)?;
            (connection, link.status.connections)
        };
        let done = timeout(REQUEST_TIMEOUT, shared.execute(&mut connection, number, request)).await;
        let answer = done.unwrap_or(Err(RequestError::TimedOut));
        if let Err(RequestError::TimedOut | RequestError::Broken(_)) = &answer {
            shared.drop_connection(number);
        }
        answer
    }
}

impl Shared {
    async fn execute(
        &self,
        connection: &mut MultiplexedConnection,
        number: u64,
        request: Request,
    ) -> Result<Answer, RequestError> {
        match request {
            Request::Renew { node, card } => {
                let card = self.seal.seal("card", &node.to_string(), &card);
                let card = card.map_err(|_| RequestError::Invalid("card"))?;
                reply::renewed(&run(self.scripts.renew(node, &card), connection).await?)
            }
            Request::Nodes => self.nodes(connection, number).await,
            Request::Depose { node } => {
                run(self.scripts.depose(node), connection).await?;
                Ok(Answer::Deposed)
            }
            Request::Find { room } => {
                reply::owner(&run(self.scripts.find(room), connection).await?)
            }
            Request::Claim { room, seen, above, node } => {
                let seen = seen.map(cluster::Epoch::value);
                let script = self.scripts.claim(room, seen, above.value(), node);
                reply::written(&run(script, connection).await?)
            }
            Request::Read { room } => {
                let read = run(self.scripts.read(room), connection).await?;
                reply::log(&self.seal, room, &read)
            }
            Request::Append { room, after, entries, trim_below } => {
                let script = self.append(room, after, &entries, trim_below)?;
                reply::written(&run(script, connection).await?)
            }
        }
    }

    async fn nodes(
        &self,
        connection: &mut MultiplexedConnection,
        number: u64,
    ) -> Result<Answer, RequestError> {
        let (memory, answer) = self.list(connection).await?;
        if !self.is_ours(&memory) {
            self.drop_connection(number);
            return Err(RequestError::Refused(ConnectError::OtherKey.to_string()));
        }
        // Another name than before says that the memory was lost.
        self.link
            .send_if_modified(|link| link.status.connections == number && link.note_memory(memory));
        Ok(answer)
    }

    /// The name of the engine's memory, and the nodes.
    async fn list(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<(String, Answer), RequestError> {
        let random = getrandom::u64().map_err(|error| RequestError::Refused(error.to_string()))?;
        // If it has none.
        let name = format!("{}:{random:016x}", self.fingerprint);
        reply::nodes(&self.seal, &run(self.scripts.nodes(&name), connection).await?)
    }

    /// True if the memory belongs to a cluster with our secret.
    fn is_ours(&self, memory: &str) -> bool {
        memory.split_once(':').is_some_and(|(owner, _)| owner == self.fingerprint)
    }

    fn append(
        &self,
        room: RoomKey,
        after: Option<EventNumber>,
        entries: &[Entry],
        trim_below: Option<EventNumber>,
    ) -> Result<Invocation<'_>, RequestError> {
        let text =
            |number: Option<EventNumber>| number.map(|it| it.to_string()).unwrap_or_default();
        let mut script = self.scripts.append(room, &text(after), &text(trim_below));
        let mut last = after;
        for entry in entries {
            // A script that fails in its middle is not undone.
            if Some(entry.number) <= last {
                return Err(RequestError::Invalid("entries out of order"));
            }
            last = Some(entry.number);
            let (purpose, place) = (reply::purpose(room, entry.number), reply::place(entry));
            let sealed = self.seal.seal(&purpose, &place, &entry.payload);
            let sealed = sealed.map_err(|_| RequestError::Invalid("payload"))?;
            script.arg(entry.number.to_string()).arg(entry.writer.to_string());
            script.arg(reply::kind(entry.kind)).arg(sealed);
        }
        if trim_below.is_some() && trim_below > last {
            return Err(RequestError::Invalid("nothing would be left of the log"));
        }
        Ok(script)
    }

    /// Gives a connection up, if it is still the current one.
    fn drop_connection(&self, number: u64) {
        self.link.send_if_modified(|link| {
            let is_current = link.status.connections == number && link.connection.is_some();
            if is_current {
                link.connection = None;
                link.status.is_connected = false;
            }
            is_current
        });
    }

    /// Returns when the connection has broken.
    async fn watch(&self, link: &mut watch::Receiver<Link>) {
        loop {
            let (connection, number) = {
                let link = link.borrow_and_update();
                (link.connection.clone(), link.status.connections)
            };
            let Some(mut connection) = connection else { return };
            let is_gone = link.wait_for(|link| link.connection.is_none());
            if timeout(PROBE_INTERVAL, is_gone).await.is_ok() {
                return;
            }
            let ping = redis::cmd("PING");
            let answer = timeout(REQUEST_TIMEOUT, ping.query_async::<Value>(&mut connection)).await;
            if !matches!(answer, Ok(Ok(_))) {
                self.drop_connection(number);
            }
        }
    }

    /// Connects, and asks at once for the name of the engine's memory.
    async fn connect(&self) -> Result<(MultiplexedConnection, String), ConnectError> {
        let mut connection = connect(&self.endpoint).await?;
        let listed = timeout(REQUEST_TIMEOUT, self.list(&mut connection)).await;
        match listed.unwrap_or(Err(RequestError::TimedOut)) {
            Ok((memory, _)) if self.is_ours(&memory) => Ok((connection, memory)),
            Ok(_) => Err(ConnectError::OtherKey),
            Err(RequestError::Refused(text)) => Err(ConnectError::Refused(text)),
            Err(error) => Err(ConnectError::Unreachable(error.to_string())),
        }
    }
}

impl Link {
    /// Notes the name of the engine's memory. Returns whether it changed.
    fn note_memory(&mut self, memory: String) -> bool {
        if self.memory.as_ref() == Some(&memory) {
            return false;
        }
        self.status.losses += u64::from(self.memory.replace(memory).is_some());
        true
    }
}

/// Connects whenever there is no connection.
async fn keep_connected(shared: Arc<Shared>) {
    let mut link = shared.link.subscribe();
    let mut pause = FIRST_PAUSE;
    loop {
        let begun = Instant::now();
        match shared.connect().await {
            Ok((connection, memory)) => {
                shared.link.send_modify(|link| {
                    link.note_memory(memory);
                    link.connection = Some(connection);
                    link.status.is_connected = true;
                    link.status.connections += 1;
                    link.status.failure = None;
                });
                shared.watch(&mut link).await;
            }
            Err(failure) => {
                shared.link.send_modify(|link| link.status.failure = Some(failure));
            }
        }
        // A connection that lasted is made again soon.
        pause = match begun.elapsed() > LONGEST_PAUSE * 2 {
            true => FIRST_PAUSE,
            false => (pause * 2).min(LONGEST_PAUSE),
        };
        sleep(pause).await;
    }
}

async fn run(
    script: Invocation<'_>,
    connection: &mut MultiplexedConnection,
) -> Result<Value, RequestError> {
    script.invoke_async(connection).await.map_err(|error| failure(&error))
}

fn failure(error: &RedisError) -> RequestError {
    match error.code() {
        // This server is no primary, or not yet: Sentinels may know another one.
        Some("READONLY" | "MASTERDOWN" | "LOADING") | None => {
            RequestError::Broken(error.to_string())
        }
        Some(_) => RequestError::Refused(error.to_string()),
    }
}
