//! A network namespace for the benchmark, since Janus does not use the loopback interface for
//! media.

use std::{env, process::Command};

use anyhow::{Context, ensure};

/// Set in the environment of the process inside the namespace.
const INSIDE: &str = "MOIM_BENCH_NETWORK";
/// The only address in it, from the documentation range (RFC 5737).
pub(crate) const ADDRESS: &str = "192.0.2.1";

/// Runs this program again in a new network namespace. Returns true once that run has ended, false
/// inside the namespace.
pub(crate) fn enter() -> anyhow::Result<bool> {
    if env::var_os(INSIDE).is_some() {
        for args in [
            "link set lo up",
            "link add bench type veth peer name bench-peer",
            &format!("address add {ADDRESS}/24 dev bench"),
            "link set bench up",
            "link set bench-peer up",
            // Leads nowhere, but without it Janus finds no local address.
            "route add default dev bench",
        ] {
            run(Command::new("ip").args(args.split(' ')))?;
        }
        return Ok(false);
    }
    let own = env::current_exe().context("can't tell where this program is")?;
    let mut again = Command::new("unshare");
    again.arg("--net").arg("--").arg(own).args(env::args_os().skip(1)).env(INSIDE, "1");
    run(&mut again).context("a network of its own needs root and util-linux")?;
    Ok(true)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = format!("{command:?}");
    let status = command.status().with_context(|| format!("can't run {name}"))?;
    ensure!(status.success(), "{name} has failed");
    Ok(())
}
