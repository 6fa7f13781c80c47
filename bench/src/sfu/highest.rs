//! The highest number of subscribers to one publisher without loss.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::time::sleep;

use super::{
    load::{Load, approximate},
    server::{Server, Setup, Which},
};
use crate::quota::Quota;

/// CPU quota in percent of a core, per shard or for Janus as a whole: low enough that the server is
/// the bottleneck, and that two shards reach it before a room is full.
pub(super) const QUOTA_PERCENT: u8 = 4;
/// The first number of subscribers, an easy load for any server.
const FIRST_SUBSCRIBERS: u32 = 8;
/// The highest number of subscribers, which grows by 10 % per step; a moim room holds 100
/// participants.
const MAX_SUBSCRIBERS: u32 = 99;
/// Fraction of the packets that must arrive; the rest may be in flight at either end of a step.
const MIN_DELIVERED: f64 = 0.995;
/// Samples per step before it fails: a pause of the machine is not the server's limit.
const SAMPLES: u32 = 3;
/// Time to settle, and duration of a sample.
const SETTLE_TIME: Duration = Duration::from_secs(1);
const SAMPLE_TIME: Duration = Duration::from_secs(3);

/// The highest number of subscribers to one publisher without loss on this server.
pub(super) fn subscribers(which: Which, setup: &Setup) -> anyhow::Result<u32> {
    let server = Server::start(which, setup)?;
    let limited = server.limited()?;
    let quotas = limited.iter().map(|threads| Quota::of(threads));
    let quotas = quotas.collect::<anyhow::Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(climb(&server, &quotas))
}

async fn climb(server: &Server, quotas: &[Quota]) -> anyhow::Result<u32> {
    let mut load = Load::new(server, 1, MAX_SUBSCRIBERS + 1).await?;
    load.publish(1).await?;
    let (mut subscribers, mut next, mut lossless) = (0, FIRST_SUBSCRIBERS, 0);
    let mut expected = None;
    while next <= MAX_SUBSCRIBERS {
        // Connecting is not limited.
        quotas.iter().try_for_each(Quota::free)?;
        load.subscribe(next - subscribers).await?;
        subscribers = next;
        sleep(SETTLE_TIME).await;
        let each = if let Some(expected) = expected {
            quotas.iter().try_for_each(|quota| quota.limit(QUOTA_PERCENT))?;
            let Some(each) = lossless_rate(&load, subscribers, MIN_DELIVERED * expected).await
            else {
                break;
            };
            each
        } else {
            rate(&load, subscribers).await
        };
        expected.get_or_insert(each);
        lossless = subscribers;
        next = subscribers + subscribers.div_ceil(10);
    }
    let summary = load.end().await;
    ensure!(summary.failures().next().is_none(), "{}", summary.to_table());
    Ok(lossless)
}

/// A sample of the packet rate per subscriber that is at least `least`, if one of a few is.
async fn lossless_rate(load: &Load, subscribers: u32, least: f64) -> Option<f64> {
    for _ in 0..SAMPLES {
        sleep(SETTLE_TIME).await;
        let each = rate(load, subscribers).await;
        if each >= least {
            return Some(each);
        }
    }
    None
}

/// The packet rate per subscriber.
async fn rate(load: &Load, subscribers: u32) -> f64 {
    let before = load.packets_received();
    let began = Instant::now();
    sleep(SAMPLE_TIME).await;
    let received = approximate(load.packets_received() - before);
    received / began.elapsed().as_secs_f64() / f64::from(subscribers)
}
