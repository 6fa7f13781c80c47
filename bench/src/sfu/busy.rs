//! How long pictures take through a server that has four fifths of its core to do.
//!
//! One room is measured. All others are there for weight: who is in them sends what publishers send,
//! and has the system drop what comes, since who loads a server would else be at its end long before
//! the server is. The server sends them as much as it would, but they report on nothing: there is no
//! feedback of theirs to read, no estimate of their lines and nothing to send again.

use std::{
    process,
    time::{Duration, Instant},
};

use anyhow::ensure;
use tokio::time::sleep;

use super::{
    load::{Load, approximate},
    run::{Scenario, Seconds},
    server::{Server, Which},
};
use crate::usage;

/// What a server is to do, of a core; what it had to do is told beside its figures.
const SHARE: f64 = 0.8;
/// Until what was begun has settled, and how long a share is looked at.
const SETTLES: Duration = Duration::from_secs(2);
const LOOKS: Duration = Duration::from_secs(2);
/// How often more rooms may come after all.
const CORRECTIONS: u32 = 3;
/// How long it is looked at between one room and the next.
const GLANCE: Duration = Duration::from_millis(500);

/// What a busy server gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Busy {
    /// Rooms there were.
    pub(crate) rooms: f64,
    /// What the server had to do, of a core.
    pub(crate) server: f64,
    /// What who loads it had to do.
    pub(crate) generator: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Percent.
    pub(crate) loss: f64,
}

/// Starts a server on these cores, gives it so much to do and measures one room.
pub(crate) fn measure(
    which: Which,
    scenario: Scenario,
    seconds: Seconds,
    cores: &[usize],
) -> anyhow::Result<Busy> {
    let server = Server::start(which, cores)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(busy(&server, scenario, seconds))
}

async fn busy(server: &Server, scenario: Scenario, seconds: Seconds) -> anyhow::Result<Busy> {
    let room = fill(Load::new(server, 1, scenario.people()).await?, scenario).await?;
    let ballast = ballast(server, scenario).await?;
    sleep(SETTLES).await;
    room.reset();
    let (spent, own) = spending(server, Duration::from_secs(seconds.0)).await?;
    ensure!(ballast.iter().all(Load::is_complete), "not everybody has stayed connected");
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

/// As many rooms for weight as there can be beside the one that is measured. What a room costs at
/// first it does not cost for ever: so more may come, and some may have to go again.
async fn ballast(server: &Server, scenario: Scenario) -> anyhow::Result<Vec<Load>> {
    sleep(SETTLES).await;
    let (alone, _) = spending(server, LOOKS).await?;
    let (mut rooms, mut number) = (Vec::new(), 1);
    for _ in 0..CORRECTIONS {
        loop {
            number += 1;
            let room = Load::new(server, number, scenario.people()).await?.of_ballast();
            rooms.push(fill(room, scenario).await?);
            let (spent, _) = spending(server, GLANCE).await?;
            if spent + (spent - alone) / approximate(rooms.len().try_into()?) / 2.0 >= SHARE {
                break;
            }
        }
        sleep(SETTLES).await;
        let (mut spent, _) = spending(server, LOOKS).await?;
        let each = (spent - alone) / approximate(rooms.len().try_into()?);
        while spent > SHARE + each
            && let Some(room) = rooms.pop()
        {
            room.end().await;
            spent -= each;
        }
        if spent + each >= SHARE {
            break;
        }
    }
    Ok(rooms)
}

/// What the server takes of a core for so long, and what this process does.
async fn spending(server: &Server, time: Duration) -> anyhow::Result<(f64, f64)> {
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
