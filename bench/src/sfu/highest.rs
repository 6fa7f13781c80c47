//! How many can get one publisher's sound and picture before anything is lost.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::time::sleep;

use super::{
    load::{Load, approximate},
    server::{Server, Which},
};
use crate::quota::Quota;

/// What a shard, or Janus as a whole, has of a core: so little that it ends before who loads it, and
/// two shards before a room is full.
pub(super) const PERCENT: u8 = 4;
/// The first step. No server has much to do with so few.
const FIRST: u32 = 8;
/// Each further step has a tenth more. A room of moim's holds a hundred.
const MOST: u32 = 99;
/// What comes may fall behind by so much: what is under way at either end of a step.
const WHOLE: f64 = 0.995;
/// How often a step is looked at before it is the last: a pause of the machine is not the server's end.
const LOOKED_AT: u32 = 3;
/// Until what was begun has settled, and how long a step is looked at.
const SETTLES: Duration = Duration::from_secs(1);
const LOOKS: Duration = Duration::from_secs(3);

/// The most subscribers that one publisher's room has had on this server without a loss.
pub(super) fn subscribers(which: Which, cores: &[usize]) -> anyhow::Result<u32> {
    let server = Server::start(which, cores)?;
    let limited = server.limited()?;
    let quotas = limited.iter().map(|threads| Quota::of(threads));
    let quotas = quotas.collect::<anyhow::Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(climb(&server, &quotas))
}

async fn climb(server: &Server, quotas: &[Quota]) -> anyhow::Result<u32> {
    let mut load = Load::new(server, 1, MOST + 1).await?;
    load.publish(1).await?;
    let (mut there, mut next, mut whole) = (0, FIRST, 0);
    let mut usual = None;
    while next <= MOST {
        // Connecting is not what is asked about.
        quotas.iter().try_for_each(Quota::free)?;
        load.subscribe(next - there).await?;
        there = next;
        sleep(SETTLES).await;
        let each = if let Some(usual) = usual {
            quotas.iter().try_for_each(|quota| quota.limit(PERCENT))?;
            let Some(each) = whole_rate(&load, there, WHOLE * usual).await else { break };
            each
        } else {
            rate(&load, there).await
        };
        usual.get_or_insert(each);
        whole = there;
        next = there + there.div_ceil(10);
    }
    let summary = load.end().await;
    ensure!(summary.failures().next().is_none(), "{}", summary.to_table());
    Ok(whole)
}

/// Packets a second that each gets, at one of a few looks at least so many.
async fn whole_rate(load: &Load, subscribers: u32, least: f64) -> Option<f64> {
    for _ in 0..LOOKED_AT {
        sleep(SETTLES).await;
        let each = rate(load, subscribers).await;
        if each >= least {
            return Some(each);
        }
    }
    None
}

/// Packets a second that each gets.
async fn rate(load: &Load, subscribers: u32) -> f64 {
    let (came, began) = (load.packets_received(), Instant::now());
    sleep(LOOKS).await;
    let came = approximate(load.packets_received() - came);
    came / began.elapsed().as_secs_f64() / f64::from(subscribers)
}
