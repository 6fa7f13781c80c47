//! Three servers with a call of participants that send and hear audio.

use std::{net::SocketAddr, time::Duration};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{hosts::Host, key, nodes, redis::RedisProcess};
use crate::{
    caller::{Caller, Seen, url},
    history,
    support::{DEADLINE, Server, within},
    upgrade::until,
};

/// Servers of a cluster.
const SERVERS: usize = 3;

/// Time without media after which a page may take its server for gone.
const SILENCE: Duration = Duration::from_secs(1);

/// A Redis that is reached from all hosts; `None` if it is not installed.
pub(super) fn start_redis() -> Option<RedisProcess> {
    RedisProcess::start(&["--bind", "0.0.0.0", "--protected-mode", "no"])
}

/// Three servers with the same Redis, on these hosts or on one.
pub(super) struct Cluster {
    pub(super) servers: Vec<Server>,
    /// Has their key.
    pub(super) folder: TempDir,
}

impl Cluster {
    pub(super) fn start(redis: &RedisProcess, hosts: &[Host]) -> Self {
        Self::start_each(redis, hosts, |host, flags| match host {
            Some(host) => host.serve(flags),
            None => Server::start(flags),
        })
    }

    /// The same with another way to start a server.
    pub(super) fn start_each(
        redis: &RedisProcess,
        hosts: &[Host],
        mut start: impl FnMut(Option<&Host>, &[&str]) -> Server,
    ) -> Self {
        let (folder, key) = key("k");
        let servers = (0..SERVERS).map(|index| {
            let host = hosts.get(index);
            let redis = match host {
                Some(host) => format!("redis://{}:{}", host.router(), redis.port),
                None => redis.url(),
            };
            start(host, &["--cluster", &redis, "--cluster-key", &key])
        });
        let servers: Vec<_> = servers.collect();
        for server in &servers {
            within(DEADLINE, "all are there", || (nodes(server) == SERVERS).then_some(()));
        }
        Self { servers, folder }
    }
}

/// A call over the servers.
pub(super) struct Call {
    pub(super) servers: Vec<Server>,
    addresses: Vec<SocketAddr>,
    callers: Vec<Caller>,
    said: usize,
    room: &'static str,
    /// Participants who hear nothing for so long come by another server.
    pub(super) silence: Duration,
    runtime: Runtime,
    _folder: TempDir,
}

impl Call {
    pub(super) fn start(redis: &RedisProcess, hosts: &[Host]) -> Self {
        let Cluster { servers, folder } = Cluster::start(redis, hosts);
        Self::over(servers, folder, "tea")
    }

    /// A call over servers whose key is in this folder.
    pub(super) fn over(servers: Vec<Server>, _folder: TempDir, room: &'static str) -> Self {
        let addresses = servers.iter().map(Server::address).collect();
        // Its threads are in the namespace of this one.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        Self {
            servers,
            addresses,
            callers: Vec::new(),
            said: 0,
            room,
            silence: SILENCE,
            runtime,
            _folder,
        }
    }

    /// Somebody joins by this server, and goes on to others when that is gone: in one direction or
    /// the other, by turns.
    pub(super) fn join(&mut self, number: u32, server: usize) {
        let count = self.addresses.len();
        let step = if number.is_multiple_of(2) { 1 } else { count - 1 };
        let servers = (0..count).map(|turn| url(self.addresses[(server + turn * step) % count]));
        let _entered = self.runtime.enter();
        self.callers.push(Caller::join_any(servers.collect(), self.room, number, self.silence));
        self.until("it has joined", |seen| seen.sessions > 0);
    }

    fn until(&self, what: &str, holds: impl Fn(&Seen) -> bool) {
        self.runtime.block_on(until(&self.callers, what, holds));
    }

    pub(super) fn until_all_hear_all(&self) {
        let others = self.callers.len() - 1;
        self.until("all hear all", |seen| seen.heard == others);
    }

    /// Waits until all hear all others after a break.
    pub(super) fn until_all_are_back(&self) {
        let others = self.callers.len() - 1;
        self.until("all are back", |seen| seen.sessions > 1 && seen.heard == others);
    }

    pub(super) fn forget_gaps(&self) {
        self.callers.iter().for_each(Caller::forget_gaps);
    }

    /// The longest time for which anybody did not hear another one.
    pub(super) fn longest_gap(&self) -> Duration {
        self.callers.iter().map(|caller| caller.seen().longest_gap).max().unwrap()
    }

    /// Everybody says something; waits until all others have it.
    pub(super) fn say(&mut self, text: &str) {
        self.said += 1;
        for (number, caller) in self.callers.iter().enumerate() {
            caller.say(&format!("{text} of {number}"));
        }
        let all = self.said * (self.callers.len() - 1);
        self.until("all have everything", |seen| seen.chat.len() >= all);
        // The last acknowledgement may come after the message.
        let own = self.said;
        self.until("all is acknowledged", |seen| seen.history().acknowledged.len() == own);
    }

    /// Sessions of all so far.
    pub(super) fn sessions(&self) -> usize {
        self.callers.iter().map(|caller| caller.seen().sessions).sum()
    }

    /// Asserts that all histories obey the rules.
    pub(super) fn check(&self) {
        let histories: Vec<_> = self.callers.iter().map(|it| it.seen().history()).collect();
        history::check(&histories).unwrap_or_else(|broken| panic!("{broken:?}"));
    }
}
