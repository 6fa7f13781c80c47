//! The media servers, with equal settings.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use clap::ValueEnum;

use super::{janus::Janus, livekit::LiveKit, world::ADDRESS};
use crate::{moim::Moim, spawned::Spawned};

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// moim with one shard.
    Moim,
    /// moim with two shards.
    Two,
    Janus,
    /// LiveKit, from a program that `--livekit` names.
    #[value(name = "livekit")]
    LiveKit,
}

impl Which {
    /// moim and its peer.
    pub(crate) const BOTH: [Self; 2] = [Self::Moim, Self::Janus];
    /// moim with one shard and with two.
    pub(crate) const SHARDS: [Self; 2] = [Self::Moim, Self::Two];
    pub(crate) const ALL: [Self; 3] = [Self::Moim, Self::Two, Self::Janus];
    /// moim and LiveKit.
    pub(crate) const BESIDE_LIVEKIT: [Self; 2] = [Self::Moim, Self::LiveKit];
}

/// The settings that servers are started with.
#[derive(Debug)]
pub(crate) struct Setup {
    /// The cores that a server runs on.
    pub(crate) cores: Vec<usize>,
    /// LiveKit's program.
    pub(crate) livekit: Option<PathBuf>,
}

/// A running media server.
#[derive(Debug)]
pub(crate) enum Server {
    Moim(Moim),
    Janus(Janus),
    LiveKit(LiveKit),
}

impl Server {
    /// Starts a server.
    pub(crate) fn start(which: Which, setup: &Setup) -> anyhow::Result<Self> {
        let cores = &setup.cores;
        let moim = |shards| {
            let listen = format!("{ADDRESS}:4000");
            let flags = ["--also", &listen, "--topology", "sfu", "--shards", shards];
            anyhow::Ok(Self::Moim(Moim::start(cores, &flags)?))
        };
        match which {
            Which::Moim => moim("1"),
            Which::Two => moim("2"),
            Which::Janus => Ok(Self::Janus(Janus::start(cores)?)),
            Which::LiveKit => {
                let program = setup.livekit.as_deref().context("--livekit names no program")?;
                Ok(Self::LiveKit(LiveKit::start(program, cores)?))
            }
        }
    }

    /// The server's process.
    pub(crate) fn process(&self) -> &Spawned {
        match self {
            Self::Moim(moim) => &moim.process,
            Self::Janus(janus) => &janus.process,
            Self::LiveKit(livekit) => &livekit.process,
        }
    }

    /// CPU time of each shard; none of the others.
    pub(crate) fn shards(&self) -> anyhow::Result<Vec<Duration>> {
        let threads = self.shard_threads()?;
        threads.into_iter().map(|thread| self.process().thread_on_cpu(thread)).collect()
    }

    /// Groups of threads to limit: each shard of moim, all threads of the others.
    pub(crate) fn limited(&self) -> anyhow::Result<Vec<Vec<u32>>> {
        match self {
            Self::Moim(_) => {
                Ok(self.shard_threads()?.into_iter().map(|thread| vec![thread]).collect())
            }
            Self::Janus(_) | Self::LiveKit(_) => {
                let all = self.process().threads()?;
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
