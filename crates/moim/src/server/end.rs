//! The end of a server: signals, orders and a drain decide when and how it comes.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use super::{
    restart::Restart,
    signals::{Signal, Signals},
};
use crate::{
    config::{Live, Problems},
    forward::NodeService,
    net::drain::DrainStart,
    order::{Order, OrderReceiver},
    reload::Reloaded,
    shard,
    signaling::Signaling,
    supervisor::Supervisor,
};

/// Time for connections to close gracefully when the server stops: the last part of a drain.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Interval of looks at the relay's allocations once all calls have ended.
const RELAY_INTERVAL: Duration = Duration::from_millis(500);
/// Time for connections to close after a drain: those that remain are in no call.
const DRAINED_TIMEOUT: Duration = Duration::from_millis(500);
/// Time for other servers of the cluster to take everything, unless the whole drain is shorter. Pages
/// keep a link for some seconds beside the next one. Container engines kill a process after ten.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(8);
/// Time from a signal to the end if other servers take everything and no other time is set.
const SUCCESSION_TIMEOUT: Duration = Duration::from_secs(9);
/// Time for connections to close after a second signal.
const FORCED_TIMEOUT: Duration = Duration::from_secs(1);

/// The end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The server stops; connections have this time to close.
    Stop(Duration),
    /// This process executes the next one.
    Execute,
    /// The service manager starts the next process, which gets the sockets from it.
    HandOver,
}

/// The parts of a running server that its end depends on.
pub(super) struct Ending<'a> {
    pub(super) supervisor: Supervisor,
    pub(super) restart: &'a Restart,
    pub(super) drain: &'a DrainStart,
    /// Time from a signal to the end.
    pub(super) drain_timeout: &'a Live<Option<Duration>>,
    pub(super) signaling: Option<&'a Signaling>,
    pub(super) shards: &'a shard::Handle,
    /// The other servers of its cluster.
    pub(super) nodes: Option<&'a Arc<NodeService>>,
}

/// A drain that has begun.
#[derive(Default)]
struct Draining {
    /// Calls are cut at this time.
    deadline: Option<Instant>,
    /// Time for connections to close then.
    closing: Option<Duration>,
    /// A signal has demanded the end.
    signalled: bool,
    /// Fails once everything was left to the other servers, in a cluster.
    leaving: Option<watch::Receiver<()>>,
}

impl Draining {
    /// Bounds the drain. A bound is only ever tightened: whoever set it, as the service manager
    /// that kills the process after its own, counts on it.
    fn bound(&mut self, limit: Option<Duration>, now: Instant) {
        let new = limit.map(|limit| now + limit);
        self.deadline = match (self.deadline, new) {
            (Some(before), Some(new)) => Some(before.min(new)),
            (before, new) => before.or(new),
        };
    }
}

impl Ending<'_> {
    /// Carries out signals and orders until one of them ends the process.
    pub(super) async fn wait(
        &self,
        signals: &mut Signals,
        orders: &mut OrderReceiver,
        mut reload: impl AsyncFnMut() -> Result<Reloaded, Problems>,
    ) -> End {
        let mut draining: Option<Draining> = None;
        let mut reload = async || {
            self.supervisor.reloading();
            let reloaded = reload().await;
            self.supervisor.ready();
            reloaded
        };
        loop {
            let deadline = draining.as_ref().and_then(|draining| draining.deadline);
            tokio::select! {
                signal = signals.next() => match signal {
                    // Mistakes are logged.
                    Signal::Reload => drop(reload().await),
                    Signal::Terminate | Signal::Interrupt => {
                        if let Some(end) = self.stop(signal, &mut draining) {
                            return end;
                        }
                    }
                },
                Some(order) = orders.recv() => match order {
                    Order::Reload(done) => {
                        let _ = done.send(reload().await);
                    }
                    Order::Drain(limit, done) => {
                        let draining = draining.get_or_insert_default();
                        draining.bound(limit, Instant::now());
                        self.begin_drain(draining);
                        let _ = done.send(());
                    }
                    Order::Upgrade(done) => {
                        let checked = self.restart.check().await;
                        let will_restart = checked.is_ok();
                        if let Err(problems) = &checked {
                            tracing::error!("not restarted: {problems}");
                        }
                        let _ = done.send(checked);
                        if will_restart {
                            return End::Execute;
                        }
                    }
                },
                () = self.nobody_left(draining.as_ref()), if draining.is_some() => {
                    tracing::info!("drained: nobody is left");
                    return End::Stop(DRAINED_TIMEOUT);
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    tracing::warn!("the time for calls to end is over");
                    let closing = draining.as_ref().and_then(|draining| draining.closing);
                    return End::Stop(closing.unwrap_or(CLOSE_TIMEOUT));
                }
            }
        }
    }

    /// Handles a signal that demands the end. `None`: calls go on for now.
    fn stop(&self, signal: Signal, draining: &mut Option<Draining>) -> Option<End> {
        let has_successor = self.has_successor();
        let default = if has_successor { SUCCESSION_TIMEOUT } else { CLOSE_TIMEOUT };
        let timeout = self.drain_timeout.load().unwrap_or(default);
        // Other servers take the rooms, which needs no patience of their participants.
        let is_patient = timeout > CLOSE_TIMEOUT || has_successor;
        if draining.as_ref().is_some_and(|draining| draining.signalled) {
            tracing::warn!("a second signal ends all calls");
            return Some(End::Stop(FORCED_TIMEOUT.min(timeout)));
        }
        // The manager restarts the server, or stops it: this process can't tell. A stop lasts longer
        // than the handover is good for.
        if signal == Signal::Terminate
            && self.supervisor.is_present()
            && draining.is_none()
            && !is_patient
        {
            return Some(End::HandOver);
        }
        self.supervisor.stopping(timeout);
        if !is_patient {
            return Some(End::Stop(timeout));
        }
        let draining = draining.get_or_insert_default();
        draining.signalled = true;
        let least = if has_successor { timeout.min(LEAVE_TIMEOUT) } else { Duration::ZERO };
        let limit = timeout.saturating_sub(CLOSE_TIMEOUT).max(least);
        draining.closing = Some((timeout - limit).clamp(DRAINED_TIMEOUT, CLOSE_TIMEOUT));
        draining.bound(Some(limit), Instant::now());
        self.begin_drain(draining);
        None
    }

    fn has_successor(&self) -> bool {
        self.nodes.is_some_and(|nodes| nodes.has_successor())
    }

    fn begin_drain(&self, draining: &mut Draining) {
        self.drain.begin();
        if let Some(nodes) = self.nodes.filter(|_| draining.leaving.is_none()) {
            let (left, leaving) = watch::channel(());
            let nodes = Arc::clone(nodes);
            draining.leaving = Some(leaving);
            tokio::spawn(async move {
                nodes.leave().await;
                drop(left);
                nodes.give_again().await;
            });
        }
        let limit = draining.deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let census = self.signaling.map(Signaling::census);
        tracing::info!(
            participants = census.map(|census| census.participants),
            seconds = limit.map(|limit| limit.as_secs()),
            "draining: open rooms go on, no others open"
        );
    }

    /// Completes once no participant, no link of rooms elsewhere and no allocation of the relay is
    /// left.
    async fn nobody_left(&self, draining: Option<&Draining>) {
        if let Some(mut leaving) = draining.and_then(|draining| draining.leaving.clone()) {
            while leaving.changed().await.is_ok() {}
        }
        loop {
            if let Some(signaling) = self.signaling {
                signaling.until_empty().await;
            }
            // Of rooms elsewhere; their owners see later that a link has ended.
            let rooms = self.signaling.map_or(0, Signaling::hosted_rooms);
            let report = self.shards.report().await;
            let has_links = rooms > 0 && report.sfu.peers > 0;
            if !has_links && report.turn.allocations == 0 {
                return;
            }
            sleep(RELAY_INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_drain_shortens_the_time_for_calls_but_never_lengthens_it() {
        let now = Instant::now();
        let mut draining = Draining::default();
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        draining.bound(None, now);
        assert_eq!(draining.deadline, None);
        draining.bound(Some(minutes(5)), now);
        for weaker in [None, Some(minutes(120))] {
            draining.bound(weaker, now + minutes(1));
            assert_eq!(draining.deadline, Some(now + minutes(5)), "{weaker:?}");
        }
        draining.bound(Some(minutes(1)), now + minutes(1));
        assert_eq!(draining.deadline, Some(now + minutes(2)));
    }
}
