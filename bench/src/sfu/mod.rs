//! The media server beside Janus' VideoRoom.

mod janus;
mod run;
mod server;
mod world;

use clap::Args;

use crate::{
    Common, cores,
    figure::Figure,
    machine, moim,
    report::{self, Table},
    rounds,
};
use run::{Measured, Scenario, Seconds};
use server::Which;

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// How long each measurement takes, in seconds.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Measures one of the two alone, and publishes nothing.
    #[arg(long, value_enum)]
    only: Option<Which>,
    /// A few participants and one short round: whether it works, not how well.
    #[arg(long)]
    smoke: bool,
}

/// Measures, and says what it found.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    if world::enter()? {
        return Ok(());
    }
    let pair = cores::Pair::take()?;
    cores::pin(&[pair.generator])?;
    let (rounds, seconds) =
        if options.smoke { (0, 1) } else { (options.common.rounds, options.seconds) };
    if let Some(which) = options.only {
        for scenario in Scenario::ALL {
            let measured = run::measure(which, *scenario, Seconds(seconds), &[pair.server])?;
            report::print(&format!("{scenario}: {measured:?}"))?;
        }
        return Ok(());
    }
    let scenarios = if options.smoke { Scenario::SMALL } else { Scenario::ALL };
    let mut table = Table::new(&["what", "moim", "Janus", "moim / Janus"]);
    for scenario in scenarios {
        let measured = measure(*scenario, rounds, Seconds(seconds), pair)?;
        fill(&mut table, *scenario, &measured);
    }
    let section = format!(
        "## Media server\n\n{}\nOne picture of 500 kb/s and sound from each publisher. {}; {}; {}. \
         `cargo xtask bench sfu`\n",
        table.markdown(),
        machine::sentence(),
        moim::version()?,
        janus::version(),
    );
    report::deliver("sfu", &section, options.common.publish && !options.smoke)
}

/// What each server took, in turns; without rounds, once.
fn measure(
    scenario: Scenario,
    rounds: usize,
    seconds: Seconds,
    pair: cores::Pair,
) -> anyhow::Result<Vec<Vec<Measured>>> {
    if rounds == 0 {
        return Which::ALL
            .iter()
            .map(|which| Ok(vec![run::measure(*which, scenario, seconds, &[pair.server])?]))
            .collect();
    }
    rounds::alternate(&Which::ALL, rounds, |which| {
        run::measure(*which, scenario, seconds, &[pair.server])
    })
}

/// A figure's name, how it is taken from a measurement, and whether a ratio of it means something.
type Row = (&'static str, fn(&Measured) -> f64, bool);

const ROWS: [Row; 5] = [
    ("CPU per forwarded packet, µs", |it| it.cpu_per_packet, true),
    ("p99 from sending to receiving, ms", |it| it.p99_ms, false),
    ("memory of its own per link, KiB", |it| it.memory_per_link, true),
    ("packets a second", |it| it.rate, false),
    ("lost for good, %", |it| it.loss, false),
];

fn fill(table: &mut Table, scenario: Scenario, measured: &[Vec<Measured>]) {
    for (what, of, compare) in ROWS {
        let figures = measured.iter().map(|rounds| Figure::of(rounds.iter().map(of)));
        if let [Some(moim), Some(janus)] = *figures.collect::<Vec<_>>() {
            let ratio = if compare { format!("{:.2}", moim.beside(&janus)) } else { String::new() };
            let what = format!("{scenario}: {what}");
            table.row(&[what, moim.to_string(), janus.to_string(), ratio]);
        }
    }
}
