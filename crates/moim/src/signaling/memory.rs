//! The budget of bytes that sockets hold, and of events that rooms keep for those who reconnect.
//!
//! Above it the largest logs are given up first, since they are there in case somebody comes back; then the
//! largest queues are cut. Both are sampled, so that a message costs one store more and no room waits.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    directory::{Mail, RoomLog},
    hub::Hub,
};
use crate::{
    net::{client_prefix::ClientPrefix, quota},
    socket::app::{Holder, Socket},
};

/// From one sample to the next.
const INTERVAL: Duration = Duration::from_millis(250);

/// Bytes that one client holds in one way.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) bytes: usize,
    pub(super) prefix: ClientPrefix,
    pub(super) owner: Owner,
}

/// The owner of such bytes, which gives them up when it is cut.
#[derive(Debug)]
pub(super) enum Owner {
    /// They wait in a socket's queue.
    Queue(Socket),
    /// A task took them but has not sent them, or received them in part.
    Task(Arc<Holder>),
}

impl From<Arc<Holder>> for Share {
    fn from(holder: Arc<Holder>) -> Self {
        Self { bytes: holder.bytes(), prefix: holder.prefix(), owner: Owner::Task(holder) }
    }
}

impl Owner {
    fn cut(&self) {
        match self {
            Self::Queue(socket) => socket.cut(),
            Self::Task(holder) => holder.cut(),
        }
    }
}

/// Keeps logs and shares within the budget.
pub(super) async fn watch(hub: Arc<Hub>) {
    let budget = hub.config.max_queue_bytes;
    loop {
        tokio::time::sleep(INTERVAL).await;
        let mut shares = hub.sockets.queues();
        shares.extend(hub.held.holders().into_iter().map(Share::from));
        let held: usize = shares.iter().map(|share| share.bytes).sum();
        for log in excess_logs(hub.directory.logs(), budget.saturating_sub(held)) {
            // A room that has no time for it is asked again.
            let _ = log.mailbox.try_send(Box::new(Mail::ForgetLog));
        }
        let cut = excess(shares, budget);
        if !cut.is_empty() {
            tracing::debug!(count = cut.len(), "clients cut: too many bytes are held");
        }
        cut.iter().for_each(|share| share.owner.cut());
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

/// The shares to cut, the largest first: those that exceed the share of their prefix, then any
/// until the others fit the budget.
fn excess(mut shares: Vec<Share>, budget: usize) -> Vec<Share> {
    let mut total: usize = shares.iter().map(|share| share.bytes).sum();
    if total <= budget / 2 {
        return Vec::new();
    }
    let fair = quota::share(budget, total);
    let mut by_prefix: HashMap<ClientPrefix, usize> = HashMap::new();
    for share in &shares {
        *by_prefix.entry(share.prefix).or_default() += share.bytes;
    }
    shares.sort_unstable_by_key(|share| std::cmp::Reverse(share.bytes));
    let mut cut = Vec::new();
    for only_excess_of_prefix in [true, false] {
        shares = shares
            .into_iter()
            .filter_map(|share| {
                let held = by_prefix.entry(share.prefix).or_default();
                let exceeds = *held > fair && !share.prefix.is_loopback();
                if if only_excess_of_prefix { exceeds } else { total > budget } {
                    *held -= share.bytes;
                    total -= share.bytes;
                    cut.push(share);
                    return None;
                }
                Some(share)
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

    fn queue(address: [u8; 4], bytes: usize) -> Share {
        let (socket, _) = Socket::new(SocketId("a".into()), Default::default());
        Share { bytes, prefix: IpAddr::from(address).into(), owner: Owner::Queue(socket) }
    }

    fn cut(queues: Vec<Share>, budget: usize) -> Vec<usize> {
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
        let mut queues: Vec<Share> = (0..6).map(|_| queue([192, 0, 2, 1], 10)).collect();
        queues.push(queue([192, 0, 2, 2], 12));
        assert_eq!(cut(queues, 100), [10; 5]);
    }
}
