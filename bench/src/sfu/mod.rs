//! Media server: moim, and Janus' VideoRoom or LiveKit.

mod busy;
mod highest;
mod janus;
mod livekit;
mod load;
mod run;
mod server;
mod world;

use std::path::{Path, PathBuf};

use clap::Args;

use self::{
    busy::Busy,
    run::{Measured, Scenario, Seconds},
    server::{Setup, Which},
};
use crate::{
    cores,
    figure::Figure,
    machine, moim,
    options::CommonOptions,
    quota::Quota,
    report::{self, Table},
    rounds,
};

/// Options of the benchmark.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: CommonOptions,
    /// Duration of each measurement in seconds.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Measures one server alone and publishes nothing.
    #[arg(long, value_enum)]
    only: Option<Which>,
    /// Measures only the delay under load.
    #[arg(long, requires = "only")]
    busy: bool,
    /// Measures moim beside LiveKit, with this program of it, rather than beside Janus.
    #[arg(long, value_name = "PROGRAM")]
    livekit: Option<PathBuf>,
    /// Runs briefly to check that all works; measures nothing.
    #[arg(long)]
    smoke: bool,
}

/// Runs the benchmark and reports its results.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    if world::enter()? {
        return Ok(());
    }
    let pair = cores::Pair::take()?;
    cores::pin(&[pair.generator])?;
    let setup = &Setup { cores: vec![pair.server], livekit: options.livekit.clone() };
    let (rounds, seconds) =
        if options.smoke { (0, 1) } else { (options.common.rounds, options.seconds) };
    if let Some(which) = options.only {
        let is_moim = matches!(which, Which::Moim | Which::Two);
        let alone = if is_moim { Scenario::SPREAD } else { Scenario::ALL };
        for scenario in alone.iter().filter(|_| !options.busy) {
            let measured = run::measure(which, *scenario, Seconds(seconds), setup)?;
            report::print(&format!("{scenario}: {measured:?}"))?;
        }
        for scenario in Scenario::ALL {
            let busy = busy::measure(which, *scenario, Seconds(seconds), setup)?;
            report::print(&format!("{scenario}, busy: {busy:?}"))?;
        }
        if Quota::is_possible() && !options.busy {
            let highest = highest::subscribers(which, setup)?;
            report::print(&format!("subscribers without loss: {highest}"))?;
        }
        return Ok(());
    }
    let measure = |which: &[Which], scenario| {
        each(which, rounds, |which| run::measure(which, scenario, Seconds(seconds), setup))
    };
    let measure_busy = |which: &[Which], scenario| {
        each(which, rounds, |which| busy::measure(which, scenario, Seconds(seconds), setup))
    };
    let scenarios = if options.smoke { Scenario::SMALL } else { Scenario::ALL };
    let (peer, both) = match options.livekit {
        Some(_) => ("LiveKit", Which::BESIDE_LIVEKIT),
        None => ("Janus", Which::BOTH),
    };
    let mut beside = Table::new(&["figure", "moim", peer, &format!("moim / {peer}")]);
    for scenario in scenarios {
        fill(&mut beside, &ROWS, *scenario, &measure(&both, *scenario)?);
    }
    let mut busy = Table::new(&["figure", "moim", peer]);
    for scenario in scenarios.iter().filter(|_| !options.smoke) {
        fill(&mut busy, &BUSY, *scenario, &measure_busy(&both, *scenario)?);
    }
    let publish = options.common.publish && !options.smoke;
    if let Some(program) = &options.livekit {
        return report::deliver("livekit", &beside_livekit(&beside, &busy, program)?, publish);
    }
    let mut shards = Table::new(&["figure", "one shard", "two shards", "one / two"]);
    let spread = if options.smoke { Scenario::SMALL } else { Scenario::SPREAD };
    for scenario in spread {
        fill(&mut shards, &SHARDS, *scenario, &measure(&Which::SHARDS, *scenario)?);
    }
    let capacity = if options.smoke { String::new() } else { capacity(rounds, setup)? };
    let section = format!(
        "## Media server\n\n{}\nEach publisher sends audio and one video of 500 kb/s. \
         Delay of one room at 80 % CPU utilization, next to as many ballast rooms of the same kind \
         as it takes (their subscribers drop what they receive and give no feedback):\n\n\
         {}\n{capacity}One room on two shards that share one core here. Two small scenarios, whose \
         cost is mostly one wake-up per packet, and a busy one:\n\n\
         {}\n{}; {}; {}. `cargo xtask bench sfu`\n",
        beside.markdown(),
        busy.markdown(),
        shards.markdown(),
        machine::sentence(),
        moim::version()?,
        janus::version(),
    );
    report::deliver("sfu", &section, publish)
}

/// The report on moim beside LiveKit.
fn beside_livekit(beside: &Table, busy: &Table, program: &Path) -> anyhow::Result<String> {
    Ok(format!(
        "## Media server beside LiveKit\n\n{}\nThe same participants as above. At LiveKit a \
         participant that publishes has two links, one for each direction, and a subscriber one. \
         Delay of one room at 80 % CPU utilization, next to as many ballast rooms as it takes:\n\n\
         {}\n{}; {}; {}. `cargo xtask bench sfu --livekit PROGRAM`, with a `livekit-server` that \
         `go install github.com/livekit/livekit-server/cmd/server@VERSION` has built.\n",
        beside.markdown(),
        busy.markdown(),
        machine::sentence(),
        moim::version()?,
        livekit::version(program),
    ))
}

/// Measures the servers in alternating rounds, or once if there are no rounds.
fn each<T>(
    which: &[Which],
    rounds: usize,
    mut measure: impl FnMut(Which) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<Vec<T>>> {
    if rounds == 0 {
        return which.iter().map(|which| Ok(vec![measure(*which)?])).collect();
    }
    rounds::alternate(which, rounds, |which| measure(*which))
}

/// The highest numbers of subscribers on a small CPU quota.
fn capacity(rounds: usize, setup: &Setup) -> anyhow::Result<String> {
    if !Quota::is_possible() {
        return Ok(
            "The capacity was not measured: this kernel has no CPU quotas for threads. ".to_owned()
        );
    }
    let measure = |which: &Which| {
        let rounds = (0..rounds.max(1)).map(|_| highest::subscribers(*which, setup));
        rounds.collect::<anyhow::Result<Vec<_>>>()
    };
    let highest = Which::ALL.iter().map(measure).collect::<anyhow::Result<Vec<_>>>()?;
    let columns = ["", "subscribers without loss", "vs. Janus", "vs. one shard"];
    let mut table = Table::new(&columns);
    let figures = highest.iter().map(|rounds| Figure::of(rounds.iter().copied().map(f64::from)));
    let figures: Vec<_> = figures.collect();
    let (one, janus) = (figures.first().cloned().flatten(), figures.last().cloned().flatten());
    for (name, figure) in ["moim, one shard", "moim, two shards", "Janus"].into_iter().zip(figures)
    {
        if let (Some(figure), Some(one), Some(janus)) = (figure, &one, &janus) {
            let beside = |other| format!("{:.2}", figure.beside(other));
            table.row(&[name.to_owned(), figure.to_string(), beside(janus), beside(one)]);
        }
    }
    Ok(format!(
        "The highest number of subscribers to one publisher without loss, where each shard, and \
         Janus as a whole, has {} % of a core. A number counts if one of three samples is without \
         loss:\n\n{}\n",
        highest::QUOTA_PERCENT,
        table.markdown()
    ))
}

/// The label of a row, its value, and whether a ratio makes sense.
type Row<M> = (&'static str, fn(&M) -> f64, bool);

const ROWS: [Row<Measured>; 5] = [
    ("CPU per forwarded packet, µs", |measured| measured.cpu_per_packet, true),
    ("p99 from sending to receiving, ms", |measured| measured.p99_ms, false),
    ("private memory per link, KiB", |measured| measured.memory_per_link, true),
    ("packets per second", |measured| measured.rate, false),
    ("loss, %", |measured| measured.loss, false),
];

const SHARDS: [Row<Measured>; 4] = [
    ("packets per second", |measured| measured.rate, false),
    ("CPU per forwarded packet, µs", |measured| measured.cpu_per_packet, true),
    ("busiest shard, µs", |measured| measured.busiest_per_packet, true),
    ("loss, %", |measured| measured.loss, false),
];

const BUSY: [Row<Busy>; 6] = [
    ("rooms", |measured| measured.rooms, false),
    ("server's CPU, cores", |measured| measured.server, false),
    ("generator's CPU, cores", |measured| measured.generator, false),
    ("p50 from sending to receiving, ms", |measured| measured.p50_ms, false),
    ("p99 from sending to receiving, ms", |measured| measured.p99_ms, false),
    ("loss, %", |measured| measured.loss, false),
];

fn fill<M>(table: &mut Table, rows: &[Row<M>], scenario: Scenario, measured: &[Vec<M>]) {
    for (what, of, compare) in rows {
        let figures = measured.iter().map(|rounds| Figure::of(rounds.iter().map(of)));
        if let [Some(one), Some(other)] = *figures.collect::<Vec<_>>() {
            let ratio = if *compare { format!("{:.2}", one.beside(&other)) } else { String::new() };
            table.row(&[format!("{scenario}: {what}"), one.to_string(), other.to_string(), ratio]);
        }
    }
}
