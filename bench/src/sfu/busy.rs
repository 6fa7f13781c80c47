//! Video delay through a server at 80 % CPU utilization.
//!
//! One room is measured. The other rooms are ballast: their publishers send as usual, and their
//! subscribers have the kernel drop what they receive, since otherwise the generator would reach
//! its limit before the server does. The server sends them as much as ever, but they give no
//! feedback, so there is nothing to retransmit and no bandwidth to estimate for them.

use std::{
    process,
    time::{Duration, Instant},
};

use anyhow::ensure;
use tokio::time::sleep;

use super::{
    load::{Load, approximate},
    run::{Scenario, Seconds},
    server::{Server, Setup, Which},
};
use crate::usage;

/// Target utilization of the server's core. The actual one is reported with the figures.
const TARGET_UTILIZATION: f64 = 0.8;
/// Time to settle, and duration of a utilization sample.
const SETTLE_TIME: Duration = Duration::from_secs(2);
const SAMPLE_TIME: Duration = Duration::from_secs(2);
/// Maximum number of corrections of the number of rooms.
const MAX_CORRECTIONS: u32 = 3;
/// Duration of a sample between two rooms.
const SHORT_SAMPLE_TIME: Duration = Duration::from_millis(500);

/// The figures of a busy server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Busy {
    /// Number of rooms.
    pub(crate) rooms: f64,
    /// Utilization of the server's core.
    pub(crate) server: f64,
    /// Utilization of the generator's core.
    pub(crate) generator: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Loss in percent.
    pub(crate) loss: f64,
}

/// Starts a server, loads it with ballast and measures one room.
pub(crate) fn measure(
    which: Which,
    scenario: Scenario,
    seconds: Seconds,
    setup: &Setup,
) -> anyhow::Result<Busy> {
    let server = Server::start(which, setup)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(busy(&server, scenario, seconds))
}

async fn busy(server: &Server, scenario: Scenario, seconds: Seconds) -> anyhow::Result<Busy> {
    let room = fill(Load::new(server, 1, scenario.participants()).await?, scenario).await?;
    let ballast = ballast(server, scenario).await?;
    sleep(SETTLE_TIME).await;
    room.reset();
    let (spent, own) = utilization(server, Duration::from_secs(seconds.0)).await?;
    ensure!(ballast.iter().all(Load::is_complete), "a ballast participant disconnected");
    let summary = room.end().await;
    ensure!(summary.failures().next().is_none(), "{}", summary.to_table());
    Ok(Busy {
        rooms: approximate(ballast.len().try_into()?) + 1.0,
        server: spent,
        generator: own,
        p50_ms: summary.video_delay_ms(0.5),
        p99_ms: summary.video_delay_ms(0.99),
        loss: summary.loss(),
    })
}

/// Adds ballast rooms until the target utilization is reached. A room costs less after a while, so
/// rooms may be added or removed again.
async fn ballast(server: &Server, scenario: Scenario) -> anyhow::Result<Vec<Load>> {
    sleep(SETTLE_TIME).await;
    let (alone, _) = utilization(server, SAMPLE_TIME).await?;
    let (mut rooms, mut number) = (Vec::new(), 1);
    for _ in 0..MAX_CORRECTIONS {
        loop {
            number += 1;
            let room = Load::new(server, number, scenario.participants()).await?.of_ballast();
            rooms.push(fill(room, scenario).await?);
            let (spent, _) = utilization(server, SHORT_SAMPLE_TIME).await?;
            if spent + (spent - alone) / approximate(rooms.len().try_into()?) / 2.0
                >= TARGET_UTILIZATION
            {
                break;
            }
        }
        sleep(SETTLE_TIME).await;
        let (mut spent, _) = utilization(server, SAMPLE_TIME).await?;
        let each = (spent - alone) / approximate(rooms.len().try_into()?);
        while spent > TARGET_UTILIZATION + each
            && let Some(room) = rooms.pop()
        {
            room.end().await;
            spent -= each;
        }
        if spent + each >= TARGET_UTILIZATION {
            break;
        }
    }
    Ok(rooms)
}

/// Utilization of a core by the server and by this process.
async fn utilization(server: &Server, time: Duration) -> anyhow::Result<(f64, f64)> {
    let used = || anyhow::Ok((server.process().cpu_time()?, usage::cpu_time(process::id())?));
    let (before, began) = (used()?, Instant::now());
    sleep(time).await;
    let (after, took) = (used()?, began.elapsed().as_secs_f64());
    let share = |after: Duration, before| after.saturating_sub(before).as_secs_f64() / took;
    Ok((share(after.0, before.0), share(after.1, before.1)))
}

async fn fill(mut room: Load, scenario: Scenario) -> anyhow::Result<Load> {
    room.publish(scenario.publishers).await?;
    room.subscribe(scenario.subscribers).await?;
    Ok(room)
}
