//! CPU cores: the server and the load generator must not share one.

use anyhow::{Context, bail, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores that this process may use, in order.
pub(crate) fn allowed() -> anyhow::Result<Vec<usize>> {
    let set = sched_getaffinity(None).context("can't tell the cores this may run on")?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
}

/// A core for the server and one for the load generator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    /// The server's core.
    pub(crate) server: usize,
    /// The generator's core.
    pub(crate) generator: usize,
}

impl Pair {
    /// Any two cores, perhaps the same one: for runs that measure nothing.
    pub(crate) fn share() -> anyhow::Result<Self> {
        match *allowed()?.as_slice() {
            [generator, server, ..] => Ok(Self { server, generator }),
            [only] => Ok(Self { server: only, generator: only }),
            [] => bail!("there is no core"),
        }
    }

    /// The first two cores, which must differ.
    pub(crate) fn take() -> anyhow::Result<Self> {
        let pair = Self::share()?;
        ensure!(
            pair.server != pair.generator,
            "a server and its load need a core each: there is but one"
        );
        Ok(pair)
    }
}

/// Pins the calling thread and its future children to these cores.
pub(crate) fn pin(cores: &[usize]) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    sched_setaffinity(None, &set).with_context(|| format!("can't run on the cores {cores:?}"))
}
