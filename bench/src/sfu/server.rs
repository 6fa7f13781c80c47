//! The two media servers, started alike.

use clap::ValueEnum;

use super::janus::Janus;
use super::world::ADDRESS;
use crate::{moim::Moim, spawned::Spawned};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    Moim,
    Janus,
}

impl Which {
    pub(crate) const ALL: [Self; 2] = [Self::Moim, Self::Janus];
}

/// A server that runs.
#[derive(Debug)]
pub(crate) enum Server {
    Moim(Moim),
    Janus(Janus),
}

impl Server {
    /// Starts it on these cores alone.
    pub(crate) fn start(which: Which, cores: &[usize]) -> anyhow::Result<Self> {
        match which {
            Which::Moim => {
                let shards = cores.len().to_string();
                let listen = format!("{ADDRESS}:4000");
                let flags = ["--also", &listen, "--topology", "sfu", "--shards", &shards];
                Ok(Self::Moim(Moim::start(cores, &flags)?))
            }
            Which::Janus => Ok(Self::Janus(Janus::start(cores)?)),
        }
    }

    /// Its process.
    pub(crate) fn process(&self) -> &Spawned {
        match self {
            Self::Moim(moim) => &moim.process,
            Self::Janus(janus) => &janus.process,
        }
    }
}
