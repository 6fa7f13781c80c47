//! CPU, delay and memory of one server in one scenario.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::ensure;
use tokio::time::sleep;

use super::{
    load::{Load, approximate},
    server::{Server, Setup, Which},
};

/// Duration of a measurement in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seconds(pub(crate) u64);

/// The participants of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(super) publishers: u32,
    /// Participants that only receive.
    pub(super) subscribers: u32,
}

impl Scenario {
    pub(crate) const ALL: &[Self] =
        &[Self { publishers: 1, subscribers: 50 }, Self { publishers: 8, subscribers: 0 }];
    /// Scenarios of one room on two shards: the same ones, and one that keeps both shards busy.
    pub(crate) const SPREAD: &[Self] = &[
        Self { publishers: 1, subscribers: 50 },
        Self { publishers: 8, subscribers: 0 },
        Self { publishers: 8, subscribers: 40 },
    ];
    pub(crate) const SMALL: &[Self] = &[Self { publishers: 2, subscribers: 1 }];

    /// Number of participants.
    pub(super) fn participants(self) -> u32 {
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

/// The figures of a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// Microseconds.
    pub(crate) cpu_per_packet: f64,
    /// Microseconds of the busiest shard; zero for other servers.
    pub(crate) busiest_per_packet: f64,
    pub(crate) p99_ms: f64,
    /// KiB.
    pub(crate) memory_per_link: f64,
    /// Received packets per second.
    pub(crate) rate: f64,
    /// Loss in percent.
    pub(crate) loss: f64,
}

/// Starts a server, loads it and measures.
pub(crate) fn measure(
    which: Which,
    scenario: Scenario,
    seconds: Seconds,
    setup: &Setup,
) -> anyhow::Result<Measured> {
    let server = Server::start(which, setup)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(loaded(&server, scenario, seconds))
}

async fn loaded(server: &Server, scenario: Scenario, seconds: Seconds) -> anyhow::Result<Measured> {
    let process = server.process();
    let empty = process.memory()?.private;
    let mut load = Load::new(server, 1, scenario.participants()).await?;
    load.publish(scenario.publishers).await?;
    load.subscribe(scenario.subscribers).await?;
    // The measurement starts once video has begun and layers have settled.
    sleep(Duration::from_secs(2)).await;
    load.reset();
    let cpu = process.cpu_time()?;
    let shards = server.shards()?;
    let before = load.packets_received();
    let began = Instant::now();
    sleep(Duration::from_secs(seconds.0)).await;
    let cpu = process.cpu_time()?.saturating_sub(cpu);
    let spent = server.shards()?.into_iter().zip(shards);
    let busiest = spent.map(|(after, before)| after.saturating_sub(before)).max();
    let received = approximate(load.packets_received() - before);
    let rate = received / began.elapsed().as_secs_f64();
    let full = process.memory()?.private;
    ensure!(received > 0.0, "no packets arrived");
    let links = approximate(load.links().try_into()?);
    let summary = load.end().await;
    ensure!(summary.failures().next().is_none(), "{}", summary.to_table());
    let per_packet = |time: Duration| time.as_secs_f64() * 1e6 / received;
    Ok(Measured {
        cpu_per_packet: per_packet(cpu),
        busiest_per_packet: per_packet(busiest.unwrap_or_default()),
        p99_ms: summary.video_delay_ms(0.99),
        memory_per_link: approximate(full.saturating_sub(empty)) / 1024.0 / links,
        rate,
        loss: summary.loss(),
    })
}
