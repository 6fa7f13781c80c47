//! One server under one load.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use headless::{Layer, Publish};
use load::{Link, Media, Outcome, Plan, Seat, Sends, Summary, Tally, Way, take_part};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    janus::Handle,
    server::{Server, Which},
    world::ADDRESS,
};

/// How long everybody may take to connect.
const PATIENCE: Duration = Duration::from_secs(60);
/// One participant comes after the other.
const APART: Duration = Duration::from_millis(30);
const ROOM: &str = "bench";

/// How long to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seconds(pub(crate) u64);

/// Who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scenario {
    publishers: u32,
    /// Who only receives.
    subscribers: u32,
}

impl Scenario {
    pub(crate) const ALL: &[Self] =
        &[Self { publishers: 1, subscribers: 50 }, Self { publishers: 8, subscribers: 0 }];
    pub(crate) const SMALL: &[Self] = &[Self { publishers: 2, subscribers: 1 }];

    fn participants(self) -> u32 {
        self.publishers + self.subscribers
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.publishers, self.subscribers) {
            (all, 0) => write!(f, "{all} to each other"),
            (publishers, subscribers) => write!(f, "{publishers} to {subscribers}"),
        }
    }
}

/// What a server took and gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Microseconds.
    pub(crate) cpu_per_packet: f64,
    pub(crate) p99_ms: f64,
    /// KiB.
    pub(crate) memory_per_link: f64,
    /// Packets a second that came.
    pub(crate) rate: f64,
    /// Percent.
    pub(crate) loss: f64,
}

/// Starts a server on these cores, loads it and measures.
pub(crate) fn measure(
    which: Which,
    scenario: Scenario,
    seconds: Seconds,
    cores: &[usize],
) -> anyhow::Result<Measured> {
    let server = Server::start(which, cores)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Load::new(scenario).measure(&server, seconds))
}

struct Load {
    scenario: Scenario,
    tally: Tally,
    epoch: Instant,
    tasks: JoinSet<Outcome>,
    stop: watch::Sender<bool>,
    links: usize,
}

impl Load {
    fn new(scenario: Scenario) -> Self {
        Self {
            scenario,
            tally: Tally::default(),
            epoch: Instant::now(),
            tasks: JoinSet::new(),
            stop: watch::Sender::new(false),
            links: 0,
        }
    }

    async fn measure(mut self, server: &Server, seconds: Seconds) -> anyhow::Result<Measured> {
        let empty = server.process().memory()?.private;
        match server {
            Server::Moim(_) => self.fill_moim().await?,
            Server::Janus(_) => self.fill_janus().await?,
        }
        self.all_connected().await?;
        // Pictures begin with keyframes and layers settle: only what comes after them counts.
        sleep(Duration::from_secs(2)).await;
        let (cpu, came, began) = (server.process().cpu_time()?, self.came(), Instant::now());
        sleep(Duration::from_secs(seconds.0)).await;
        let cpu = server.process().cpu_time()?.saturating_sub(cpu);
        let came = approximate(self.came() - came);
        let rate = came / began.elapsed().as_secs_f64();
        let full = server.process().memory()?.private;
        ensure!(came > 0.0, "nothing came");
        let links = approximate(self.links.try_into()?);
        let summary = self.end().await;
        ensure!(summary.failures().next().is_none(), "{}", summary.to_table());
        Ok(Measured {
            cpu_per_packet: cpu.as_secs_f64() * 1e6 / came,
            p99_ms: summary.picture_delay_ms(0.99),
            memory_per_link: approximate(full.saturating_sub(empty)) / 1024.0 / links,
            rate,
            loss: summary.loss(),
        })
    }

    fn came(&self) -> u64 {
        self.tally.packets.load(Ordering::Relaxed)
    }

    async fn all_connected(&mut self) -> anyhow::Result<()> {
        let mut connected = self.tally.connected.subscribe();
        let links = self.links;
        tokio::select! {
            all = timeout(PATIENCE, connected.wait_for(|count| *count >= links)) => {
                let count = *self.tally.connected.borrow();
                all.with_context(|| format!("{count} of {links} links are up"))?.map(drop)?;
                Ok(())
            }
            Some(ended) = self.tasks.join_next() => {
                let reason = ended?.failure().unwrap_or("it ended").to_owned();
                Err(anyhow::anyhow!("a participant could not take part: {reason}"))
            }
        }
    }

    async fn end(mut self) -> Summary {
        self.stop.send_replace(true);
        let mut summary = Summary::default();
        while let Some(ended) = self.tasks.join_next().await {
            summary.add(ended.unwrap_or_else(|error| Outcome::failed(&error.into())));
        }
        summary
    }

    async fn fill_moim(&mut self) -> anyhow::Result<()> {
        let mut plan = Plan::new(&format!("http://{ADDRESS}:4000"), None)?;
        (plan.tally, plan.epoch, plan.media) = (self.tally.clone(), self.epoch, Media::Single);
        let plan = Arc::new(plan);
        plan.make_room(ROOM, self.scenario.participants()).await?;
        for number in 0..self.scenario.participants() {
            let publishes = number < self.scenario.publishers;
            let seat = Seat { room: ROOM.to_owned(), number, publishes };
            self.tasks.spawn(take_part(Arc::clone(&plan), seat, self.stop.subscribe()));
            self.links += 1;
            sleep(APART).await;
        }
        Ok(())
    }

    /// Janus has a link for each direction.
    async fn fill_janus(&mut self) -> anyhow::Result<()> {
        for number in 0..self.scenario.publishers {
            let sends = Publish { voice: true, camera: Layer::single(360, 500_000) };
            self.link(Handle::publisher().await?, sends, number).await?;
        }
        self.all_connected().await?;
        let feeds = Handle::publisher().await?.feeds().await?;
        for _ in 0..self.scenario.subscribers {
            let handle = Handle::subscriber(&feeds).await?;
            self.link(handle, Publish::default(), u32::MAX).await?;
        }
        if self.scenario.subscribers == 0 {
            for own in &feeds {
                let others: Vec<_> = feeds.iter().filter(|feed| *feed != own).copied().collect();
                let handle = Handle::subscriber(&others).await?;
                self.link(handle, Publish::default(), u32::MAX).await?;
            }
        }
        Ok(())
    }

    async fn link(
        &mut self,
        handle: Handle,
        publish: Publish,
        publisher: u32,
    ) -> anyhow::Result<()> {
        let way = Way::udp((ADDRESS.parse::<std::net::IpAddr>()?, 4000).into()).await?;
        let offers = publish.voice;
        let sends = Sends { publish, publisher, epoch: self.epoch };
        let mut link = Link::new(handle, way, sends, Instant::now(), self.tally.clone());
        if offers {
            link.offer().await?;
        }
        let mut stop = self.stop.subscribe();
        self.tasks.spawn(async move { link.run(&mut stop).await.0 });
        self.links += 1;
        sleep(APART).await;
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "nothing here has 2^53 of anything")]
fn approximate(count: u64) -> f64 {
    count as f64
}
