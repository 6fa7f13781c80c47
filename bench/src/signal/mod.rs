//! Signaling: moim and the tutorials' handlers on Node's socket.io.

mod calls;
mod events;
mod idle;
mod relay;
mod scenario;
mod script;
mod server;

use anyhow::{bail, ensure};
use clap::Args;

use self::{
    scenario::{Row, SCENARIOS, Scenario, Size},
    server::{Server, Which},
};
use crate::{
    cores,
    figure::Figure,
    machine, moim,
    options::CommonOptions,
    report::{self, Table},
    rounds,
};

/// Options of the benchmark.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Runs only these scenarios: paced, ticks, bursts, idle, seated, calls.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Measures only this server, moim or node, without a comparison.
    #[arg(long)]
    server: Option<Which>,
    /// Runs briefly to check that all works; measures nothing.
    #[arg(long)]
    smoke: bool,
}

/// Runs the benchmark and reports its results.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let cores = if options.smoke { cores::Pair::share()? } else { cores::Pair::take()? };
    cores::pin(&[cores.generator])?;
    let chosen = |scenario: &&Scenario| {
        options.only.is_empty() || options.only.iter().any(|name| name == scenario.name)
    };
    let unknown = |name: &&String| SCENARIOS.iter().all(|scenario| scenario.name != **name);
    if let Some(name) = options.only.iter().find(unknown) {
        bail!("there is no scenario `{name}`");
    }
    let size = if options.smoke { Size::Smoke } else { Size::Full };
    let servers = options.server.map_or(Which::ALL.to_vec(), |which| vec![which]);
    let mut table = Table::new(&["figure", "moim", "Node", "moim / Node", "target"]);
    for scenario in SCENARIOS.iter().filter(chosen) {
        let results = rounds::alternate(&servers, options.common.rounds, |which| {
            let server = Server::start(*which, cores.server)?;
            let values = (scenario.measure)(&server, size)?;
            eprintln!("{:8} {which:?} {values:.3?}", scenario.name);
            Ok(values)
        })?;
        for (at, row) in scenario.rows.iter().enumerate() {
            let figure = |which| {
                let at_server = servers.iter().position(|server| *server == which)?;
                let rounds = results.get(at_server)?.iter();
                Figure::of(rounds.filter_map(|values| values.get(at)).copied())
            };
            table.row(&cells(row, figure(Which::Moim), figure(Which::Node)));
        }
    }
    if options.smoke {
        eprintln!("every scenario relayed everything");
        return Ok(());
    }
    let section = format!(
        "## Signaling\n\n{}\n{}\n{}; {}; Node {} with socket.io {}.\n",
        table.markdown(),
        scenario::EXPLANATION,
        machine::sentence(),
        moim::version()?,
        machine::version("node", "--version"),
        server::socket_io_version()?,
    );
    let whole = options.only.is_empty() && options.server.is_none();
    ensure!(whole || !options.common.publish, "only a whole run is published");
    report::deliver("signal", &section, options.common.publish)
}

fn cells(row: &Row, moim: Option<Figure>, node: Option<Figure>) -> [String; 5] {
    let shown = |figure: Option<Figure>| figure.map_or(String::new(), |figure| figure.to_string());
    let ratio = moim.zip(node).filter(|_| row.compares);
    [
        row.what.to_owned(),
        shown(moim),
        shown(node),
        ratio.map_or(String::new(), |(moim, node)| format!("**{:.2}**", moim.beside(&node))),
        row.target.map_or(String::new(), |target| format!("≤ {target}")),
    ]
}
