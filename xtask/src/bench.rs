//! `cargo xtask bench`: benchmarks of moim and its peers, in release builds.

use std::path::Path;

use anyhow::ensure;

use crate::{
    build, npm,
    shell::{cargo, run, target_dir},
};

/// Builds moim and the benchmark, and runs it with `arguments`.
pub(crate) fn bench(arguments: &[String]) -> anyhow::Result<()> {
    if let Some(name) = arguments.first() {
        build::build()?;
        install(name)?;
    }
    run(".", &cargo(), &["build", "--release", "--locked", "--package", "moim-bench"])?;
    let program = target_dir().join("release/moim-bench");
    let status = std::process::Command::new(&program).args(arguments).status()?;
    ensure!(status.success(), "the bench failed ({status})");
    Ok(())
}

/// Installs the npm packages of a peer that is a Node program of ours.
fn install(name: &str) -> anyhow::Result<()> {
    let folder = format!("bench/{name}-node");
    if Path::new(&folder).exists() { npm::install(&folder) } else { Ok(()) }
}
