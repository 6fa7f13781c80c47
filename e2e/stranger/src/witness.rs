//! The well-behaved: a pair that talks by signaling, a TURN client, and newcomers once a second.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use anyhow::Context;
use hdrhistogram::Histogram;
use load::{Said, field};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    relay::{CHANNEL, RelayClient},
    target::{Joined, Target},
};

/// A message and a relayed packet so often.
const PACE: Duration = Duration::from_millis(20);
/// Nothing is waited for longer; it is lost then.
const LOST: Duration = Duration::from_secs(3);
/// A newcomer that has not got in by then has not got in.
const PATIENCE: Duration = Duration::from_secs(5);

/// A locked room that attacks may try to get into, and its password.
pub(crate) const LOCKED: &str = "witness-locked";
const PASSWORD: &str = "open sesame";

/// Delays of one flow.
struct Flow {
    sent: u64,
    /// Microseconds.
    delays: Histogram<u64>,
}

impl Flow {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { sent: 0, delays: Histogram::new_with_bounds(1, 60_000_000, 3)? })
    }

    fn arrived(&mut self, epoch: Instant, stamp: u64) {
        let now = u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.delays.saturating_record(now.saturating_sub(stamp).max(1));
    }

    fn is_whole(&self) -> bool {
        self.delays.len() >= self.sent
    }

    fn json(&self) -> Value {
        let millis = |quantile| micros_to_ms(self.delays.value_at_quantile(quantile));
        json!({
            "sent": self.sent,
            "arrived": self.delays.len(),
            "p50Ms": millis(0.5),
            "p99Ms": millis(0.99),
            "maxMs": millis(1.0),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn micros_to_ms(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

fn stamp(epoch: Instant) -> u64 {
    u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
}

pub(crate) async fn run(target: Target, time: Duration) -> anyhow::Result<Value> {
    let mut owner = target.connect().await?;
    let locked = json!({"name": LOCKED, "password": PASSWORD, "capacity": 100});
    // A run just before may have made it already; newcomers tell whether it can be entered.
    drop(owner.ask("room:create", &locked).await);
    let (signal, relay, newcomers) =
        tokio::join!(signaling(&target, time), relaying(&target, time), newcomers(&target, time));
    owner.close().await;
    Ok(json!({"signal": signal?.json(), "relay": relay?.json(), "newcomers": newcomers}))
}

/// One of a pair signals the other.
async fn signaling(target: &Target, time: Duration) -> anyhow::Result<Flow> {
    let mut speaker = target.join("witness-pair", "Ann").await?;
    let mut listener = target.join("witness-pair", "Ben").await?;
    let mut flow = Flow::new()?;
    let epoch = Instant::now();
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut last = epoch;
    while epoch.elapsed() < time || (!flow.is_whole() && last.elapsed() < LOST) {
        tokio::select! {
            _ = ticks.tick() => {
                if epoch.elapsed() < time {
                    let candidate = json!({"candidate": format!("{}", stamp(epoch))});
                    let signal = json!({"to": listener.id, "candidate": candidate});
                    speaker.socket.request("signal", &signal).await?;
                    flow.sent += 1;
                    last = Instant::now();
                }
            }
            said = speaker.socket.hear() => {
                if let Said::Reply(_, Err(why)) = said? {
                    anyhow::bail!("a signal was refused: {why}");
                }
            }
            said = listener.socket.hear() => {
                if let Said::Event(name, payload) = said? && name == "signal" {
                    let text = field(field(&payload, "candidate"), "candidate");
                    if let Some(stamp) = text.as_str().and_then(|text| text.parse().ok()) {
                        flow.arrived(epoch, stamp);
                    }
                }
            }
        }
    }
    leave(speaker).await;
    leave(listener).await;
    Ok(flow)
}

async fn leave(joined: Joined) {
    joined.socket.leave().await;
}

/// One allocation sends to another through channels, as a call does where both are relayed.
async fn relaying(target: &Target, time: Duration) -> anyhow::Result<Flow> {
    let mut member = target.join("witness-relay", "Cho").await?;
    let credential = member.credential.clone();
    let mut sender = RelayClient::allocate(target.address(), credential.clone()).await?;
    let mut receiver = RelayClient::allocate(target.address(), credential).await?;
    sender.bind_channel(receiver.relayed).await?;
    receiver.bind_channel(sender.relayed).await?;
    let mut flow = Flow::new()?;
    let epoch = Instant::now();
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut last, mut buffer) = (epoch, [0; 2048]);
    while epoch.elapsed() < time || (!flow.is_whole() && last.elapsed() < LOST) {
        tokio::select! {
            _ = ticks.tick() => {
                if epoch.elapsed() < time {
                    let mut packet = Vec::with_capacity(164);
                    packet.extend(CHANNEL.to_be_bytes());
                    packet.extend(160_u16.to_be_bytes());
                    packet.extend(stamp(epoch).to_be_bytes());
                    packet.resize(164, 0);
                    sender.socket.send(&packet).await?;
                    flow.sent += 1;
                    last = Instant::now();
                }
            }
            length = receiver.socket.recv(&mut buffer) => {
                let data = turn::channel::read(buffer.get(..length?).unwrap_or_default());
                let stamp = data.and_then(|(_, data)| data.first_chunk::<8>());
                if let Some(stamp) = stamp {
                    flow.arrived(epoch, u64::from_be_bytes(*stamp));
                }
            }
            // Renewed credentials and the like: a socket that is not read would be cut.
            said = member.socket.hear() => drop(said?),
        }
    }
    leave(member).await;
    Ok(flow)
}

/// Somebody joins the locked room with the right password and allocates, once a second.
async fn newcomers(target: &Target, time: Duration) -> Value {
    let began = Instant::now();
    let mut ticks = interval(Duration::from_secs(1));
    let (mut count, mut failures, mut slowest) = (0_u32, Vec::new(), Duration::ZERO);
    while began.elapsed() < time {
        ticks.tick().await;
        let entering = Instant::now();
        count += 1;
        match timeout(PATIENCE, newcomer(target)).await {
            Ok(Ok(())) => slowest = slowest.max(entering.elapsed()),
            Ok(Err(error)) => failures.push(format!("{error:#}")),
            Err(_) => failures.push(format!("not within {PATIENCE:?}")),
        }
    }
    json!({"count": count, "failures": failures, "slowestMs": u64::try_from(slowest.as_millis()).unwrap_or(u64::MAX)})
}

async fn newcomer(target: &Target) -> anyhow::Result<()> {
    let request = json!({"room": LOCKED, "name": "Dal", "password": PASSWORD});
    let joined = target.join_with(request).await.context("joining a locked room")?;
    // Each room of its own is one more than before.
    let fresh = target.join(&format!("fresh-{}", joined.id), "Eun").await.context("a new room")?;
    let client = RelayClient::allocate(target.address(), joined.credential.clone()).await;
    drop(client.context("an allocation")?);
    leave(joined).await;
    leave(fresh).await;
    Ok(())
}

/// Goes on for so long.
pub(crate) async fn during(time: Duration, act: impl Future<Output = ()>) {
    let forever = async {
        act.await;
        pending::<()>().await;
    };
    // It is meant to end this way.
    let _ = timeout(time, forever).await;
}
