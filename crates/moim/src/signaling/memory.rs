//! Memory budget: bytes held for sockets, and events that rooms keep for resuming clients.
//!
//! Over budget, the largest logs are dropped first, since they serve only clients that may return;
//! then the sockets with the largest queues are cut. Sizes are sampled, so that a message costs one
//! extra store and no room waits.

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use super::room_message::RoomSender;
use crate::{
    net::{client_prefix::ClientPrefix, quota},
    socketio::{Holder, Socket},
};

/// Size of the events that one room keeps for resuming clients.
#[derive(Debug)]
pub(super) struct RoomLog {
    pub(super) bytes: usize,
    pub(super) room: RoomSender,
}

/// Bytes held for one client by one owner.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) bytes: usize,
    pub(super) prefix: ClientPrefix,
    pub(super) owner: Owner,
}

/// Owner of held bytes, which frees them when cut.
#[derive(Debug)]
pub(super) enum Owner {
    /// A socket's send queue.
    Queue(Socket),
    /// A task that has taken but unsent packets, or a partially received message.
    Task(Arc<Holder>),
}

impl From<Arc<Holder>> for Share {
    fn from(holder: Arc<Holder>) -> Self {
        Self { bytes: holder.bytes(), prefix: holder.prefix(), owner: Owner::Task(holder) }
    }
}

impl Owner {
    pub(super) fn cut(&self) {
        match self {
            Self::Queue(socket) => socket.cut(),
            Self::Task(holder) => holder.cut(),
        }
    }
}

/// Selects the logs to drop, largest first, until the others fit the budget.
pub(super) fn excess_logs(mut logs: Vec<RoomLog>, budget: usize) -> Vec<RoomLog> {
    let mut total: usize = logs.iter().map(|log| log.bytes).sum();
    logs.sort_unstable_by_key(|log| Reverse(log.bytes));
    let mut is_excess = |log: &RoomLog| {
        let exceeds = total > budget;
        total -= if exceeds { log.bytes } else { 0 };
        exceeds
    };
    logs.into_iter().take_while(|log| is_excess(log)).collect()
}

/// Selects the shares to cut, largest first: those over their prefix's share, then any until the
/// others fit the budget.
pub(super) fn excess(mut shares: Vec<Share>, budget: usize) -> Vec<Share> {
    let mut total: usize = shares.iter().map(|share| share.bytes).sum();
    if total <= budget / 2 {
        return Vec::new();
    }
    let fair = quota::share(budget, total);
    let mut by_prefix: HashMap<ClientPrefix, usize> = HashMap::new();
    for share in &shares {
        *by_prefix.entry(share.prefix).or_default() += share.bytes;
    }
    shares.sort_unstable_by_key(|share| Reverse(share.bytes));
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
    use crate::socketio::SocketId;

    fn queue(address: [u8; 4], bytes: usize) -> Share {
        let (socket, _) = Socket::new(SocketId("a".into()), Default::default());
        Share { bytes, prefix: IpAddr::from(address).into(), owner: Owner::Queue(socket) }
    }

    fn cut(queues: Vec<Share>, budget: usize) -> Vec<usize> {
        excess(queues, budget).iter().map(|queue| queue.bytes).collect()
    }

    #[test]
    fn largest_queues_are_cut_until_the_rest_fits() {
        let queues = || [5, 40, 20, 60, 1].map(|bytes| queue([127, 0, 0, 1], bytes)).into();
        assert_eq!(cut(queues(), 126), [] as [usize; 0]);
        assert_eq!(cut(queues(), 100), [60]);
        assert_eq!(cut(queues(), 30), [60, 40]);
    }

    #[test]
    fn largest_logs_are_dropped_until_the_rest_fits() {
        let dropped = |budget| {
            let log = |bytes| RoomLog { bytes, room: tokio::sync::mpsc::channel(1).0 };
            let logs = [5, 40, 20, 60, 1].map(log).into();
            excess_logs(logs, budget).iter().map(|log| log.bytes).collect::<Vec<_>>()
        };
        assert_eq!(dropped(126), [] as [usize; 0]);
        assert_eq!(dropped(100), [60]);
        assert_eq!(dropped(30), [60, 40]);
        assert_eq!(dropped(0), [60, 40, 20, 5, 1]);
    }

    #[test]
    fn prefix_over_its_share_is_cut_first() {
        let mut queues: Vec<Share> = (0..6).map(|_| queue([192, 0, 2, 1], 10)).collect();
        queues.push(queue([192, 0, 2, 2], 12));
        assert_eq!(cut(queues, 100), [10; 5]);
    }
}
