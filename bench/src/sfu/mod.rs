//! The media server beside Janus' VideoRoom.

mod busy;
mod highest;
mod janus;
mod load;
mod run;
mod server;
mod world;

use clap::Args;

use crate::{
    Common, cores,
    figure::Figure,
    machine, moim,
    quota::Quota,
    report::{self, Table},
    rounds,
};
use busy::Busy;
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
    /// With it: no more than the delay where there is much to do.
    #[arg(long, requires = "only")]
    busy: bool,
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
        let alone = if which == Which::Janus { Scenario::ALL } else { Scenario::SPREAD };
        for scenario in alone.iter().filter(|_| !options.busy) {
            let measured = run::measure(which, *scenario, Seconds(seconds), &[pair.server])?;
            report::print(&format!("{scenario}: {measured:?}"))?;
        }
        for scenario in Scenario::ALL {
            let busy = busy::measure(which, *scenario, Seconds(seconds), &[pair.server])?;
            report::print(&format!("{scenario}, busy: {busy:?}"))?;
        }
        if Quota::is_possible() && !options.busy {
            let highest = highest::subscribers(which, &[pair.server])?;
            report::print(&format!("subscribers without a loss: {highest}"))?;
        }
        return Ok(());
    }
    let measure = |which: &[Which], scenario| {
        each(which, rounds, |which| run::measure(which, scenario, Seconds(seconds), &[pair.server]))
    };
    let scenarios = if options.smoke { Scenario::SMALL } else { Scenario::ALL };
    let mut beside = Table::new(&["what", "moim", "Janus", "moim / Janus"]);
    for scenario in scenarios {
        fill(&mut beside, &ROWS, *scenario, &measure(&Which::BOTH, *scenario)?);
    }
    let mut shards = Table::new(&["what", "one shard", "two shards", "one / two"]);
    let spread = if options.smoke { Scenario::SMALL } else { Scenario::SPREAD };
    for scenario in spread {
        fill(&mut shards, &SHARDS, *scenario, &measure(&Which::SHARDS, *scenario)?);
    }
    let mut busy = Table::new(&["what", "moim", "Janus"]);
    for scenario in scenarios.iter().filter(|_| !options.smoke) {
        let measured = each(&Which::BOTH, rounds, |which| {
            busy::measure(which, *scenario, Seconds(seconds), &[pair.server])
        })?;
        fill(&mut busy, &BUSY, *scenario, &measured);
    }
    let climbed = if options.smoke { String::new() } else { climbed(rounds, pair)? };
    let section = format!(
        "## Media server\n\n{}\nOne picture of 500 kb/s and sound from each publisher. \
         Among as many other rooms of the \
         same kind as it receive for a server to have four fifths of its core to do, one room, the \
         others being there for weight only (what comes for them is dropped before it is read, and they report \
         on nothing):\n\n\
         {}\n{climbed}One room over two shards, which share one core here: two with little to do, where most of it is to be \
         woken by each packet, and one with much:\n\n\
         {}\n{}; {}; {}. `cargo xtask bench sfu`\n",
        beside.markdown(),
        busy.markdown(),
        shards.markdown(),
        machine::sentence(),
        moim::version()?,
        janus::version(),
    );
    report::deliver("sfu", &section, options.common.publish && !options.smoke)
}

/// What each server took, in turns; without rounds, once.
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

/// How many could subscribe to one publisher on a small share of a core.
fn climbed(rounds: usize, pair: cores::Pair) -> anyhow::Result<String> {
    if !Quota::is_possible() {
        return Ok(
            "How much each can bear was not measured: this kernel gives no shares of a core to \
                   threads. "
                .to_owned(),
        );
    }
    let climb = |which: &Which| {
        let rounds = (0..rounds.max(1)).map(|_| highest::subscribers(*which, &[pair.server]));
        rounds.collect::<anyhow::Result<Vec<_>>>()
    };
    let highest = Which::ALL.iter().map(climb).collect::<anyhow::Result<Vec<_>>>()?;
    let columns = ["", "subscribers without a loss", "beside Janus", "beside one shard"];
    let mut table = Table::new(&columns);
    let figures = highest.iter().map(|it| Figure::of(it.iter().copied().map(f64::from)));
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
        "One publisher, and as many subscribers as there can be, where each shard, and Janus as a \
         whole, has {} % of a core. A number of them counts where at one of three looks nobody missed \
         anything:\n\n{}\n",
        highest::PERCENT,
        table.markdown()
    ))
}

/// A figure's name, how it is taken from a measurement, and whether a ratio of it means something.
type Row<M> = (&'static str, fn(&M) -> f64, bool);

const ROWS: [Row<Measured>; 5] = [
    ("CPU per forwarded packet, µs", |it| it.cpu_per_packet, true),
    ("p99 from sending to receiving, ms", |it| it.p99_ms, false),
    ("memory of its own per link, KiB", |it| it.memory_per_link, true),
    ("packets a second", |it| it.rate, false),
    ("lost for good, %", |it| it.loss, false),
];

const SHARDS: [Row<Measured>; 4] = [
    ("packets a second", |it| it.rate, false),
    ("CPU per forwarded packet, µs", |it| it.cpu_per_packet, true),
    ("of that the busiest shard, µs", |it| it.busiest_per_packet, true),
    ("lost for good, %", |it| it.loss, false),
];

const BUSY: [Row<Busy>; 6] = [
    ("rooms", |it| it.rooms, false),
    ("server's CPU, of a core", |it| it.server, false),
    ("generator's CPU, of a core", |it| it.generator, false),
    ("p50 from sending to receiving, ms", |it| it.p50_ms, false),
    ("p99 from sending to receiving, ms", |it| it.p99_ms, false),
    ("lost for good, %", |it| it.loss, false),
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
