//! The participants of one room, on any of the servers.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use headless::{Layer, Publish};
use load::{
    Link, LinkConfig, LinkStats, Media, MediaTransport, Outcome, ParticipantConfig, Plan, Receive,
    Signaling, Summary, run_participant,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{janus::Handle, livekit, server::Server, world::ADDRESS};

/// Timeout until all participants are connected.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);
/// Interval between joins, and between those of ballast participants.
const JOIN_INTERVAL: Duration = Duration::from_millis(30);
const BALLAST_JOIN_INTERVAL: Duration = Duration::from_millis(8);

/// The participants of a room.
pub(super) struct Load {
    on: On,
    room: u32,
    receive: Receive,
    stats: LinkStats,
    epoch: Instant,
    tasks: JoinSet<Outcome>,
    stop: watch::Sender<Option<Instant>>,
    /// Number of participants that have joined a room of moim or LiveKit.
    joined: u32,
    links: usize,
}

enum On {
    Moim(Arc<Plan>),
    /// The feeds of the publishers, once known.
    Janus(Vec<u64>),
    LiveKit,
}

impl Load {
    /// An empty room of this capacity; rooms are numbered from 1.
    pub(super) async fn new(server: &Server, room: u32, capacity: u32) -> anyhow::Result<Self> {
        let (stats, epoch) = (LinkStats::default(), Instant::now());
        let on = match server {
            Server::Moim(_) => {
                let mut plan = Plan::new(&format!("http://{ADDRESS}:4000"), None)?;
                (plan.stats, plan.epoch, plan.media) = (stats.clone(), epoch, Media::Single);
                plan.make_room(&room_name(room), capacity).await?;
                On::Moim(Arc::new(plan))
            }
            Server::Janus(_) => On::Janus(Vec::new()),
            Server::LiveKit(_) => On::LiveKit,
        };
        let (tasks, stop) = (JoinSet::new(), watch::Sender::new(None));
        let receive = Receive::Measure;
        Ok(Self { on, room, receive, stats, epoch, tasks, stop, joined: 0, links: 0 })
    }

    /// The same room as ballast: received media is dropped.
    pub(super) fn of_ballast(self) -> Self {
        Self { receive: Receive::Discard, ..self }
    }

    /// Returns whether all participants are still connected.
    pub(super) fn is_complete(&self) -> bool {
        *self.stats.connected.borrow() == self.links
    }

    /// Discards the measurements so far.
    pub(super) fn reset(&self) {
        self.stats.reset();
    }

    /// Number of RTP packets that all participants have received.
    pub(super) fn packets_received(&self) -> u64 {
        self.stats.packets.load(Ordering::Relaxed)
    }

    /// Number of links.
    pub(super) fn links(&self) -> usize {
        self.links
    }

    /// Adds the room's first participants, which publish and receive from each other.
    pub(super) async fn publish(&mut self, count: u32) -> anyhow::Result<()> {
        match &self.on {
            On::Moim(plan) => return self.join(Arc::clone(plan), count, true).await,
            On::LiveKit => return self.join_livekit(count, true).await,
            On::Janus(_) => {}
        }
        for number in 0..count {
            self.link(Handle::publisher(self.room).await?, sends(), number).await?;
        }
        self.all_connected().await?;
        let feeds = self.feeds(count).await?;
        // Janus needs a link per direction.
        for own in feeds.iter().filter(|_| feeds.len() > 1) {
            let others: Vec<_> = feeds.iter().filter(|feed| *feed != own).copied().collect();
            let handle = Handle::subscriber(self.room, &others).await?;
            self.link(handle, Publish::default(), u32::MAX).await?;
        }
        self.on = On::Janus(feeds);
        self.all_connected().await
    }

    /// The feeds in the room, which Janus lists some time after the links are up.
    async fn feeds(&self, count: u32) -> anyhow::Result<Vec<u64>> {
        let began = Instant::now();
        loop {
            let feeds = Handle::publisher(self.room).await?.feeds().await?;
            if feeds.len() >= usize::try_from(count)? {
                return Ok(feeds);
            }
            ensure!(
                began.elapsed() < CONNECT_TIMEOUT,
                "Janus lists {} of {count} publishers",
                feeds.len()
            );
            sleep(JOIN_INTERVAL).await;
        }
    }

    /// Adds participants that only receive.
    pub(super) async fn subscribe(&mut self, count: u32) -> anyhow::Result<()> {
        let feeds = match &self.on {
            On::Moim(plan) => return self.join(Arc::clone(plan), count, false).await,
            On::LiveKit => return self.join_livekit(count, false).await,
            On::Janus(feeds) => feeds.clone(),
        };
        for _ in 0..count {
            let handle = Handle::subscriber(self.room, &feeds).await?;
            self.link(handle, Publish::default(), u32::MAX).await?;
        }
        self.all_connected().await
    }

    /// Stops all participants.
    pub(super) async fn end(mut self) -> Summary {
        self.stop.send_replace(Some(Instant::now()));
        let mut summary = Summary::default();
        while let Some(ended) = self.tasks.join_next().await {
            summary.add(ended.unwrap_or_else(|error| Outcome::failed(&error.into())));
        }
        summary
    }

    async fn join(&mut self, plan: Arc<Plan>, count: u32, publishes: bool) -> anyhow::Result<()> {
        for _ in 0..count {
            let (room, number, receive) = (room_name(self.room), self.joined, self.receive);
            let seat = ParticipantConfig { room, number, publishes, receive };
            self.tasks.spawn(run_participant(Arc::clone(&plan), seat, self.stop.subscribe()));
            self.joined += 1;
            self.links += 1;
            sleep(self.join_interval()).await;
        }
        self.all_connected().await
    }

    /// Adds participants to a LiveKit room: a peer connection that subscribes, and one more of
    /// those that publish.
    async fn join_livekit(&mut self, count: u32, publishes: bool) -> anyhow::Result<()> {
        for _ in 0..count {
            let number = self.joined;
            self.joined += 1;
            let name = number.to_string();
            let (publishing, subscribing) = livekit::join(&room_name(self.room), &name).await?;
            if publishes {
                self.link(publishing, sends(), number).await?;
            }
            self.link(subscribing, Publish::default(), u32::MAX).await?;
        }
        self.all_connected().await
    }

    async fn link(
        &mut self,
        signaling: impl Signaling + Send + 'static,
        publish: Publish,
        publisher: u32,
    ) -> anyhow::Result<()> {
        let transport =
            MediaTransport::udp((ADDRESS.parse::<std::net::IpAddr>()?, 4000).into()).await?;
        let offers = publish.audio;
        let config = LinkConfig { publish, publisher, epoch: self.epoch, receive: self.receive };
        let mut link = Link::new(signaling, transport, config, Instant::now(), self.stats.clone())?;
        if offers {
            link.offer().await?;
        }
        let mut stop = self.stop.subscribe();
        self.tasks.spawn(async move { link.run(&mut stop).await.0 });
        self.links += 1;
        sleep(self.join_interval()).await;
        Ok(())
    }

    fn join_interval(&self) -> Duration {
        if self.receive == Receive::Measure { JOIN_INTERVAL } else { BALLAST_JOIN_INTERVAL }
    }

    async fn all_connected(&mut self) -> anyhow::Result<()> {
        let mut connected = self.stats.connected.subscribe();
        let links = self.links;
        tokio::select! {
            all = timeout(CONNECT_TIMEOUT, connected.wait_for(|count| *count >= links)) => {
                let count = *self.stats.connected.borrow();
                all.with_context(|| format!("{count} of {links} links are up"))?.map(drop)?;
                Ok(())
            }
            Some(ended) = self.tasks.join_next() => {
                let reason = ended?.failure().unwrap_or("it ended").to_owned();
                Err(anyhow::anyhow!("a participant failed: {reason}"))
            }
        }
    }
}

/// The media of a publisher, as of one at moim.
fn sends() -> Publish {
    Publish { audio: true, video: Layer::single(360, 500_000) }
}

fn room_name(room: u32) -> String {
    format!("bench-{room}")
}

#[expect(clippy::cast_precision_loss, reason = "nothing here has 2^53 of anything")]
pub(super) fn approximate(count: u64) -> f64 {
    count as f64
}
