//! Signaling beside the tutorials' handlers on Node's socket.io.

mod server;

use std::net::TcpStream;

use anyhow::Context;
use clap::Args;

use crate::{
    Common, cores,
    figure::Figure,
    machine, moim,
    report::{self, Table},
    rounds,
};
use server::{Server, Which};

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
}

/// Measures, and says what it found.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let cores = cores::Pair::take()?;
    cores::pin(&[cores.generator])?;
    let starts = rounds::alternate(&Which::ALL, options.common.rounds, |which| {
        let server = Server::start(*which, cores.server)?;
        TcpStream::connect(server.address()).context("the server takes no connection")?;
        let process = server.process();
        Ok((process.cpu_time()?.as_secs_f64() * 1e3, mib(process.memory()?.private)))
    })?;
    let mut table = Table::new(&["what", "moim", "Node", "moim / Node"]);
    for (what, of) in [
        ("CPU to start, ms", (|start| start.0) as fn(&(f64, f64)) -> f64),
        ("memory of its own once ready, MiB", |start| start.1),
    ] {
        let figures = starts.iter().map(|starts| Figure::of(starts.iter().map(of)));
        if let [Some(moim), Some(node)] = *figures.collect::<Vec<_>>() {
            let ratio = format!("{:.2}", moim.beside(&node));
            table.row(&[what.to_owned(), moim.to_string(), node.to_string(), ratio]);
        }
    }
    let section = format!(
        "## Signaling\n\n{}\n{}; {}; Node {} with socket.io {}. `cargo xtask bench signal`\n",
        table.markdown(),
        machine::sentence(),
        moim::version()?,
        machine::version("node", "--version"),
        server::socket_io_version()?,
    );
    report::deliver("signal", &section, options.common.publish)
}

#[expect(clippy::cast_precision_loss, reason = "nothing here has 2^53 bytes")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
