//! The two media servers, with equal settings.

use std::time::Duration;

use clap::ValueEnum;

use super::{janus::Janus, world::ADDRESS};
use crate::{moim::Moim, spawned::Spawned};

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// moim with one shard.
    Moim,
    /// moim with two shards.
    Two,
    Janus,
}

impl Which {
    /// moim and its peer.
    pub(crate) const BOTH: [Self; 2] = [Self::Moim, Self::Janus];
    /// moim with one shard and with two.
    pub(crate) const SHARDS: [Self; 2] = [Self::Moim, Self::Two];
    pub(crate) const ALL: [Self; 3] = [Self::Moim, Self::Two, Self::Janus];
}

/// A running media server.
#[derive(Debug)]
pub(crate) enum Server {
    Moim(Moim),
    Janus(Janus),
}

impl Server {
    /// Starts a server on these cores.
    pub(crate) fn start(which: Which, cores: &[usize]) -> anyhow::Result<Self> {
        let moim = |shards| {
            let listen = format!("{ADDRESS}:4000");
            let flags = ["--also", &listen, "--topology", "sfu", "--shards", shards];
            anyhow::Ok(Self::Moim(Moim::start(cores, &flags)?))
        };
        match which {
            Which::Moim => moim("1"),
            Which::Two => moim("2"),
            Which::Janus => Ok(Self::Janus(Janus::start(cores)?)),
        }
    }

    /// The server's process.
    pub(crate) fn process(&self) -> &Spawned {
        match self {
            Self::Moim(moim) => &moim.process,
            Self::Janus(janus) => &janus.process,
        }
    }

    /// CPU time of each shard; none for Janus.
    pub(crate) fn shards(&self) -> anyhow::Result<Vec<Duration>> {
        let threads = self.shard_threads()?;
        threads.into_iter().map(|thread| self.process().thread_on_cpu(thread)).collect()
    }

    /// Groups of threads to limit: each shard of moim, all threads of Janus.
    pub(crate) fn limited(&self) -> anyhow::Result<Vec<Vec<u32>>> {
        match self {
            Self::Moim(_) => {
                Ok(self.shard_threads()?.into_iter().map(|thread| vec![thread]).collect())
            }
            Self::Janus(janus) => {
                let all = janus.process.threads()?;
                Ok(vec![all.into_iter().map(|(thread, _)| thread).collect()])
            }
        }
    }

    fn shard_threads(&self) -> anyhow::Result<Vec<u32>> {
        let mut shards = self.process().threads()?;
        shards.retain(|(_, name)| name.starts_with("shard "));
        shards.sort_by(|(_, one), (_, other)| one.cmp(other));
        Ok(shards.into_iter().map(|(thread, _)| thread).collect())
    }
}
