//! The server among the others of its cluster: its lease at the engine, and which others are there.
//!
//! A server alone has no [`Cluster`], and contacts nothing.

mod keys;
mod status;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use cluster::{Answer, Card, Member, NodeState, Slot, Unanswered};
use cluster_redis::Engine;
use parking_lot::Mutex;
use tokio::{sync::mpsc, task::JoinHandle, time::sleep_until};

pub(crate) use self::status::{ClusterStatus, NodeStatus};
use crate::{config::ClusterConfig, net::drain::Drain, shard};

/// Requests of the member that may be on their way: a renewal and a look at the others.
const MAX_REQUESTS: usize = 2;
/// Time after which the card is written anew.
const CARD_INTERVAL: Duration = Duration::from_secs(2);

/// The own server as a node of its cluster. It leaves when this is dropped: its lease ends by itself.
pub(crate) struct Cluster {
    engine: Engine,
    member: Arc<Mutex<Membership>>,
    task: JoinHandle<()>,
}

/// What is shared with the task.
struct Membership {
    member: Member,
    /// The lease was held at least once.
    was_leased: bool,
    /// Times that the lease had ended and was held again.
    regained: u64,
}

impl Cluster {
    /// Joins the cluster, now or as soon as its engine can be reached. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// A message for the operator.
    pub(crate) fn join(
        config: &ClusterConfig,
        drain: Drain,
        shards: shard::Health,
    ) -> anyhow::Result<Self> {
        let secret = keys::derive(&config.key, "engine");
        let engine = Engine::open(config.endpoint.clone(), &secret)
            .context("The key of the cluster can't be used")?;
        let boot = getrandom::u64().context("The system can't provide random bytes")?;
        // Any slot does: one that is taken is left for the next.
        let slot = u16::try_from(boot % 1024).ok().and_then(Slot::new);
        let slot = slot.context("There is no slot")?;
        let member = Member::new(Instant::now(), slot, boot, card(&drain, &shards));
        let member = Membership { member, was_leased: false, regained: 0 };
        let member = Arc::new(Mutex::new(member));
        let keeper = Keeper { engine: engine.clone(), member: Arc::clone(&member), drain, shards };
        Ok(Self { engine, member, task: tokio::spawn(keeper.run()) })
    }

    /// The state of the node and what it knows of others.
    pub(crate) fn status(&self) -> ClusterStatus {
        let engine = self.engine.status();
        let membership = self.member.lock();
        let Membership { member, was_leased, regained } = &*membership;
        let node = |node: cluster::NodeId, card: &Card, is_own| NodeStatus {
            node: node.to_string(),
            is_own,
            state: card.state,
            load: card.load,
        };
        let own = node(member.id(), member.card(), true);
        let mut nodes = vec![own];
        nodes.extend(member.others().map(|(other, card)| node(other, card, false)));
        ClusterStatus {
            endpoint: self.engine.endpoint().to_string(),
            engine,
            is_leased: member.is_leased(Instant::now()),
            was_leased: *was_leased,
            regained: *regained,
            nodes,
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn card(drain: &Drain, shards: &shard::Health) -> Card {
    let state = if drain.has_begun() { NodeState::Draining } else { NodeState::Serving };
    let busiest = shards.busy_permille().into_iter().max().unwrap_or_default();
    Card { state, load: u8::try_from(busiest.div_ceil(10)).unwrap_or(100), url: None }
}

/// Keeps the lease.
struct Keeper {
    engine: Engine,
    member: Arc<Mutex<Membership>>,
    drain: Drain,
    shards: shard::Health,
}

impl Keeper {
    async fn run(self) {
        let (sender, mut answers) = mpsc::channel(MAX_REQUESTS);
        let mut card_at = Instant::now();
        let mut losses = 0;
        let mut log = StatusLog::default();
        loop {
            let now = Instant::now();
            if now >= card_at {
                card_at = now + CARD_INTERVAL;
                self.member.lock().member.set_card(card(&self.drain, &self.shards));
            }
            while let Some((id, request)) = self.poll_request(now) {
                let (engine, sender) = (self.engine.clone(), sender.clone());
                tokio::spawn(async move {
                    let answer = engine.request(request).await.map_err(Unanswered::from);
                    // Without a receiver nobody asks any more.
                    let _ = sender.send((id, answer)).await;
                });
            }
            let due = self.member.lock().member.poll_timeout();
            let due = due.map_or(card_at, |due| due.min(card_at));
            tokio::select! {
                Some((id, answer)) = answers.recv() => self.handle(&mut losses, id, answer),
                () = sleep_until(due.into()) => {}
            }
            log.update(&self.engine, &self.member.lock());
        }
    }

    fn poll_request(&self, now: Instant) -> Option<(u64, cluster::Request)> {
        self.member.lock().member.poll_request(now)
    }

    fn handle(&self, losses: &mut u64, id: u64, answer: Result<Answer, Unanswered>) {
        let (now, lost) = (Instant::now(), self.engine.status().losses);
        let mut membership = self.member.lock();
        if std::mem::replace(losses, lost) != lost {
            // Nodes that the engine does not list may be there all the same.
            membership.member.handle_amnesia(now);
        }
        membership.member.handle_answer(now, id, answer);
        membership.was_leased |= membership.member.is_leased(now);
        membership.regained += u64::from(membership.member.poll_regained());
    }
}

/// Tells the operator what changed.
#[derive(Default)]
struct StatusLog {
    is_leased: bool,
    failure: Option<cluster_redis::ConnectError>,
}

impl StatusLog {
    fn update(&mut self, engine: &Engine, membership: &Membership) {
        let is_leased = membership.member.is_leased(Instant::now());
        if is_leased != self.is_leased {
            self.is_leased = is_leased;
            let node = membership.member.id();
            match is_leased {
                true => tracing::info!(%node, "in the cluster"),
                false => tracing::warn!(%node, "the lease in the cluster has ended"),
            }
        }
        let failure = engine.status().failure;
        if failure != self.failure {
            if let Some(failure) = &failure {
                tracing::warn!("the cluster's engine {} {failure}", engine.endpoint());
            }
            self.failure = failure;
        }
    }
}
