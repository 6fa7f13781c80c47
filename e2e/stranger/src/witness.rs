//! Well-behaved clients: a pair that exchanges signals, a TURN client, and a newcomer every second.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use anyhow::Context;
use hdrhistogram::Histogram;
use load::{ServerMessage, field};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    target::{Participant, Target},
    turn_client::{CHANNEL, TurnClient},
};

/// Interval between signals, and between relayed packets.
const SEND_INTERVAL: Duration = Duration::from_millis(20);
/// Time after the last packet after which missing ones count as lost.
const LOSS_TIMEOUT: Duration = Duration::from_secs(3);
const NEWCOMER_INTERVAL: Duration = Duration::from_secs(1);
const NEWCOMER_TIMEOUT: Duration = Duration::from_secs(5);

/// A locked room, whose password attacks may guess.
pub(crate) const LOCKED_ROOM: &str = "witness-locked";
const PASSWORD: &str = "open sesame";

/// Length of a ChannelData message with its header, and of its data.
const PACKET_LEN: usize = 164;
const DATA_LEN: u16 = 160;

/// Delays of one flow.
struct Flow {
    sent: u64,
    delays_us: Histogram<u64>,
}

impl Flow {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { sent: 0, delays_us: Histogram::new_with_bounds(1, 60_000_000, 3)? })
    }

    fn record_arrival(&mut self, epoch: Instant, sent_at_us: u64) {
        self.delays_us.saturating_record(micros_since(epoch).saturating_sub(sent_at_us).max(1));
    }

    fn is_complete(&self) -> bool {
        self.delays_us.len() >= self.sent
    }

    fn json(&self) -> Value {
        let millis = |quantile| micros_to_ms(self.delays_us.value_at_quantile(quantile));
        json!({
            "sent": self.sent,
            "arrived": self.delays_us.len(),
            "p50Ms": millis(0.5),
            "p99Ms": millis(0.99),
            "maxMs": millis(1.0),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "delays are far below 2^53")]
fn micros_to_ms(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

fn micros_since(epoch: Instant) -> u64 {
    u64::try_from(epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
}

pub(crate) async fn run(target: Target, duration: Duration) -> anyhow::Result<Value> {
    let mut owner = target.connect().await?;
    let room = json!({"name": LOCKED_ROOM, "password": PASSWORD, "capacity": 100});
    // The room may still exist from an earlier run; newcomers show whether it can be joined.
    drop(owner.call("room:create", &room).await);
    let (signal, relay, newcomers) = tokio::join!(
        signaling(&target, duration),
        relaying(&target, duration),
        newcomers(&target, duration)
    );
    owner.close().await;
    Ok(json!({"signal": signal?.json(), "relay": relay?.json(), "newcomers": newcomers}))
}

/// Sends signals from one participant to another.
async fn signaling(target: &Target, duration: Duration) -> anyhow::Result<Flow> {
    let mut sender = target.join("witness-pair", "Ann").await?;
    let mut receiver = target.join("witness-pair", "Ben").await?;
    let mut flow = Flow::new()?;
    let epoch = Instant::now();
    let mut ticks = interval(SEND_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut last_sent = epoch;
    while epoch.elapsed() < duration || (!flow.is_complete() && last_sent.elapsed() < LOSS_TIMEOUT)
    {
        tokio::select! {
            _ = ticks.tick() => {
                if epoch.elapsed() < duration {
                    let candidate = json!({"candidate": micros_since(epoch).to_string()});
                    let signal = json!({"to": receiver.id, "candidate": candidate});
                    sender.socket.request("signal", &signal).await?;
                    flow.sent += 1;
                    last_sent = Instant::now();
                }
            }
            message = sender.socket.receive() => {
                if let ServerMessage::Reply(_, Err(rejection)) = message? {
                    anyhow::bail!("a signal was rejected: {rejection}");
                }
            }
            message = receiver.socket.receive() => {
                if let ServerMessage::Event(name, payload, _) = message? && name == "signal" {
                    let text = field(field(&payload, "candidate"), "candidate");
                    if let Some(sent_at) = text.as_str().and_then(|text| text.parse().ok()) {
                        flow.record_arrival(epoch, sent_at);
                    }
                }
            }
        }
    }
    leave(sender).await;
    leave(receiver).await;
    Ok(flow)
}

async fn leave(participant: Participant) {
    participant.socket.leave().await;
}

/// Sends from one allocation to another through channels, as in a call with both peers relayed.
async fn relaying(target: &Target, duration: Duration) -> anyhow::Result<Flow> {
    let mut participant = target.join("witness-relay", "Cho").await?;
    let credential = participant.credential.clone();
    let mut sender = TurnClient::allocate(target.address(), credential.clone()).await?;
    let mut receiver = TurnClient::allocate(target.address(), credential).await?;
    sender.bind_channel(receiver.relayed).await?;
    receiver.bind_channel(sender.relayed).await?;
    let mut flow = Flow::new()?;
    let epoch = Instant::now();
    let mut ticks = interval(SEND_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut last_sent = epoch;
    let mut buffer = [0; 2048];
    while epoch.elapsed() < duration || (!flow.is_complete() && last_sent.elapsed() < LOSS_TIMEOUT)
    {
        tokio::select! {
            _ = ticks.tick() => {
                if epoch.elapsed() < duration {
                    let mut packet = Vec::with_capacity(PACKET_LEN);
                    packet.extend(CHANNEL.to_be_bytes());
                    packet.extend(DATA_LEN.to_be_bytes());
                    packet.extend(micros_since(epoch).to_be_bytes());
                    packet.resize(PACKET_LEN, 0);
                    sender.socket.send(&packet).await?;
                    flow.sent += 1;
                    last_sent = Instant::now();
                }
            }
            length = receiver.socket.recv(&mut buffer) => {
                let data = turn::channel::read(buffer.get(..length?).unwrap_or_default());
                let sent_at = data.and_then(|(_, data)| data.first_chunk::<8>());
                if let Some(sent_at) = sent_at {
                    flow.record_arrival(epoch, u64::from_be_bytes(*sent_at));
                }
            }
            // The server closes sockets that are not read.
            message = participant.socket.receive() => drop(message?),
        }
    }
    leave(participant).await;
    Ok(flow)
}

/// Starts a newcomer every second, one after the other.
async fn newcomers(target: &Target, duration: Duration) -> Value {
    let started = Instant::now();
    let mut ticks = interval(NEWCOMER_INTERVAL);
    let mut count = 0_u32;
    let mut failures = Vec::new();
    let mut slowest = Duration::ZERO;
    while started.elapsed() < duration {
        ticks.tick().await;
        let attempt = Instant::now();
        count += 1;
        match timeout(NEWCOMER_TIMEOUT, newcomer(target)).await {
            Ok(Ok(())) => slowest = slowest.max(attempt.elapsed()),
            Ok(Err(error)) => failures.push(format!("{error:#}")),
            Err(_) => failures.push(format!("not within {NEWCOMER_TIMEOUT:?}")),
        }
    }
    let slowest_ms = u64::try_from(slowest.as_millis()).unwrap_or(u64::MAX);
    json!({"count": count, "failures": failures, "slowestMs": slowest_ms})
}

/// Joins the locked room with the right password, creates a room and creates an allocation.
async fn newcomer(target: &Target) -> anyhow::Result<()> {
    let request = json!({"room": LOCKED_ROOM, "name": "Dal", "password": PASSWORD});
    let participant = target.join_with(request).await.context("joining a locked room")?;
    // A name of its own, so that the room is always a new one.
    let room = format!("fresh-{}", participant.id);
    let other = target.join(&room, "Eun").await.context("creating a room")?;
    let client = TurnClient::allocate(target.address(), participant.credential.clone()).await;
    drop(client.context("creating an allocation")?);
    leave(participant).await;
    leave(other).await;
    Ok(())
}

/// Runs a future for a duration, even if it completes earlier.
pub(crate) async fn run_for(duration: Duration, future: impl Future<Output = ()>) {
    let forever = async {
        future.await;
        pending::<()>().await;
    };
    // Always times out.
    let _ = timeout(duration, forever).await;
}
