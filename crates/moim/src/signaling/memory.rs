//! The budget of bytes that wait for sockets, and of events that rooms keep for those who reconnect.
//!
//! Above it the largest logs are given up first, since they are there in case somebody comes back; then the
//! largest queues are cut. Both are sampled, so that a message costs one store more and no room waits.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    directory::{Mail, RoomLog},
    hub::Hub,
};
use crate::{client_prefix::ClientPrefix, quota, socket::app::Socket};

/// From one sample to the next.
const INTERVAL: Duration = Duration::from_millis(250);

/// Bytes that wait for one socket.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) bytes: usize,
    pub(super) prefix: ClientPrefix,
    pub(super) socket: Socket,
}

/// Keeps the queues within their budget.
pub(super) async fn watch(hub: Arc<Hub>) {
    let budget = hub.config.max_queue_bytes;
    loop {
        tokio::time::sleep(INTERVAL).await;
        let queues = hub.sockets.queues();
        let queued: usize = queues.iter().map(|queue| queue.bytes).sum();
        for log in excess_logs(hub.directory.logs(), budget.saturating_sub(queued)) {
            // A room that has no time for it is asked again.
            let _ = log.mailbox.try_send(Box::new(Mail::ForgetLog));
        }
        let cut = excess(queues, budget);
        if !cut.is_empty() {
            tracing::debug!(sockets = cut.len(), "queues cut: too many bytes wait");
        }
        cut.iter().for_each(|queue| queue.socket.cut());
    }
}

/// The logs to give up, the largest first, until the others fit the budget.
fn excess_logs(mut logs: Vec<RoomLog>, budget: usize) -> Vec<RoomLog> {
    let mut total: usize = logs.iter().map(|log| log.bytes).sum();
    logs.sort_unstable_by_key(|log| std::cmp::Reverse(log.bytes));
    let mut is_excess = |log: &RoomLog| {
        let exceeds = total > budget;
        total -= if exceeds { log.bytes } else { 0 };
        exceeds
    };
    logs.into_iter().take_while(|log| is_excess(log)).collect()
}

/// The queues to cut, the largest first: those that exceed the share of their prefix, then any
/// until the others fit the budget.
fn excess(mut queues: Vec<Queue>, budget: usize) -> Vec<Queue> {
    let mut total: usize = queues.iter().map(|queue| queue.bytes).sum();
    if total <= budget / 2 {
        return Vec::new();
    }
    let share = quota::share(budget, total);
    let mut by_prefix: HashMap<ClientPrefix, usize> = HashMap::new();
    for queue in &queues {
        *by_prefix.entry(queue.prefix).or_default() += queue.bytes;
    }
    queues.sort_unstable_by_key(|queue| std::cmp::Reverse(queue.bytes));
    let mut cut = Vec::new();
    for only_excess_of_prefix in [true, false] {
        queues = queues
            .into_iter()
            .filter_map(|queue| {
                let held = by_prefix.entry(queue.prefix).or_default();
                let exceeds = *held > share && !queue.prefix.is_loopback();
                if if only_excess_of_prefix { exceeds } else { total > budget } {
                    *held -= queue.bytes;
                    total -= queue.bytes;
                    cut.push(queue);
                    return None;
                }
                Some(queue)
            })
            .collect();
    }
    cut
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::socket::app::SocketId;

    fn queue(address: [u8; 4], bytes: usize) -> Queue {
        let (socket, _) = Socket::new(SocketId("a".into()), Default::default());
        Queue { bytes, prefix: IpAddr::from(address).into(), socket }
    }

    fn cut(queues: Vec<Queue>, budget: usize) -> Vec<usize> {
        excess(queues, budget).iter().map(|queue| queue.bytes).collect()
    }

    #[test]
    fn the_largest_queues_are_cut_until_the_rest_fits() {
        let queues = || [5, 40, 20, 60, 1].map(|bytes| queue([127, 0, 0, 1], bytes)).into();
        assert_eq!(cut(queues(), 126), [] as [usize; 0]);
        assert_eq!(cut(queues(), 100), [60]);
        assert_eq!(cut(queues(), 30), [60, 40]);
    }

    #[test]
    fn the_largest_logs_are_given_up_until_the_rest_fits() {
        let forgotten = |budget| {
            let log = |bytes| RoomLog { bytes, mailbox: tokio::sync::mpsc::channel(1).0 };
            let logs = [5, 40, 20, 60, 1].map(log).into();
            excess_logs(logs, budget).iter().map(|log| log.bytes).collect::<Vec<_>>()
        };
        assert_eq!(forgotten(126), [] as [usize; 0]);
        assert_eq!(forgotten(100), [60]);
        assert_eq!(forgotten(30), [60, 40]);
        assert_eq!(forgotten(0), [60, 40, 20, 5, 1]);
    }

    #[test]
    fn a_prefix_above_its_share_pays_before_others() {
        let mut queues: Vec<Queue> = (0..6).map(|_| queue([192, 0, 2, 1], 10)).collect();
        queues.push(queue([192, 0, 2, 2], 12));
        assert_eq!(cut(queues, 100), [10; 5]);
    }
}
