//! TURN: moim and coturn.

mod client;
mod load;
mod server;
mod wire;

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use self::{
    load::{Direction, Ends, Flow},
    server::{Server, Which},
    wire::Wire,
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
    /// Duration of each load in milliseconds.
    #[arg(long, default_value_t = 1000)]
    time: u64,
    /// Numbers of allocations to measure.
    #[arg(long, value_delimiter = ',', default_value = "1,100,5000")]
    allocations: Vec<usize>,
    /// Number of idle allocations whose memory is measured.
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
    /// Runs briefly to check that all works; measures nothing.
    #[arg(long)]
    smoke: bool,
    /// Skips the highest loss-free rates.
    #[arg(long)]
    fixed: bool,
    /// Measures only the flow of this name.
    #[arg(long)]
    flow: Option<String>,
}

/// Audio: 50 packets per second from each of 100 speakers. Video: 30 frames per second of 8 packets
/// each, from 100 cameras. Bulk: packets of a sender with segmentation offload.
const FLOWS: [Flow; 3] = [
    Flow { name: "audio", size: 160, burst: 1, joined: false, rate: 5_000.0 },
    Flow { name: "video", size: 1100, burst: 8, joined: false, rate: 24_000.0 },
    Flow { name: "bulk", size: 1200, burst: 40, joined: true, rate: 48_000.0 },
];

/// Maximum number of attempts to run without loss, three per rate.
const MAX_ATTEMPTS: u32 = 9;

/// The figures of one load and round.
#[derive(Debug, Clone, Copy)]
struct Measured {
    /// Microseconds per packet.
    cpu: f64,
    p99: f64,
}

/// Runs the benchmark and reports its results.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let cores = cores::Pair::take()?;
    cores::pin(&[cores.generator])?;
    raise_descriptors();
    if options.smoke {
        return smoke(cores.server);
    }
    let flows: Vec<_> = FLOWS
        .iter()
        .filter(|flow| options.flow.as_deref().is_none_or(|name| name == flow.name))
        .collect();
    ensure!(!flows.is_empty(), "no such flow");
    let time = Duration::from_millis(options.time);
    let mut cpu = Table::new(&[
        "flow, allocations",
        "direction",
        "moim, µs",
        "coturn, µs",
        "ratio",
        "moim, p99 µs",
        "coturn, p99 µs",
    ]);
    let mut highest =
        Table::new(&["flow", "direction", "moim, packets/s", "coturn, packets/s", "ratio"]);
    for &count in &options.allocations {
        let measured = rounds::alternate(&Which::ALL, options.common.rounds, |which| {
            let server = Server::start(*which, cores.server)?;
            let mut ends = ends(&server, count)?;
            let mut found = Vec::new();
            for flow in &flows {
                for direction in Direction::ALL {
                    found.push(fixed(&server, &mut ends, flow, direction, time)?);
                }
            }
            Ok(found)
        })?;
        let mut index = 0;
        for flow in &flows {
            for direction in Direction::ALL {
                row(&mut cpu, &format!("{}, {count}", flow.name), direction, &measured, index);
                index += 1;
            }
        }
    }
    if !options.fixed {
        let count = options.allocations.iter().copied().find(|count| *count > 1).unwrap_or(1);
        let rates = rounds::alternate(&Which::ALL, 1, |which| {
            let server = Server::start(*which, cores.server)?;
            let mut ends = ends(&server, count)?;
            let mut found = Vec::new();
            for flow in &flows {
                for direction in Direction::ALL {
                    found.push(ceiling(&mut ends, flow, direction)?);
                }
            }
            Ok(found)
        })?;
        if let [moim, coturn] = rates.as_slice() {
            let rows = flows
                .iter()
                .flat_map(|flow| Direction::ALL.map(|direction| (flow.name, direction)));
            for (index, (flow, direction)) in rows.enumerate() {
                let at = |rounds: &Vec<Vec<f64>>| {
                    rounds.first().and_then(|found| found.get(index).copied())
                };
                if let (Some(moim), Some(coturn)) = (at(moim), at(coturn)) {
                    let ratio = format!("{:.1}", moim / coturn);
                    highest.row(&[
                        flow,
                        direction.name(),
                        &format!("{moim:.0}"),
                        &format!("{coturn:.0}"),
                        &ratio,
                    ]);
                }
            }
        }
    }
    let memory = idle(options, cores.server)?;
    let section = section(options, &cpu, &highest, &memory)?;
    report::deliver("turn", &section, options.common.publish)
}

/// Opens the sockets and makes the allocations.
fn ends(server: &Server, count: usize) -> anyhow::Result<Ends> {
    let mut clients = Wire::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))?;
    let peer = Wire::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let relayed = client::allocate(&mut clients, server.address(), count, peer.address()?)?;
    Ok(Ends::new(clients, peer, server.address(), relayed))
}

/// The server's CPU time per packet at a rate without loss. A busy machine may lose a packet once;
/// the rate is halved if packets are lost repeatedly.
fn fixed(
    server: &Server,
    ends: &mut Ends,
    flow: &Flow,
    direction: Direction,
    time: Duration,
) -> anyhow::Result<Measured> {
    // Warms up caches and the kernel's routes.
    ends.run(flow, direction, flow.rate, time / 10)?;
    let mut rate = flow.rate;
    for attempt in 1..=MAX_ATTEMPTS {
        let before = server.process().time_on_cpu()?;
        let outcome = ends.run(flow, direction, rate, time)?;
        let used = server.process().time_on_cpu()?.saturating_sub(before);
        if outcome.is_loss_free() {
            let cpu = used.as_secs_f64() * 1e6 / packets(outcome.arrived);
            return Ok(Measured { cpu, p99: outcome.p99 });
        }
        if attempt.is_multiple_of(3) {
            rate /= 2.0;
        }
    }
    anyhow::bail!("{} {}: every rate has loss", flow.name, direction.name())
}

/// The highest loss-free rate, in steps of 20 %.
fn ceiling(ends: &mut Ends, flow: &Flow, direction: Direction) -> anyhow::Result<f64> {
    const TIME: Duration = Duration::from_millis(400);
    let (mut rate, mut best) = (flow.rate, 0.0);
    let mut failures = 0;
    while failures < 3 {
        let outcome = ends.run(flow, direction, rate, TIME)?;
        // A generator that falls behind sends less than planned.
        let sent = packets(outcome.sent) / TIME.as_secs_f64();
        if outcome.is_loss_free() {
            failures = 0;
            best = f64::max(best, sent);
            if sent < 0.9 * rate {
                break;
            }
            rate *= 1.2;
        } else {
            failures += 1;
        }
    }
    Ok(best)
}

fn row(
    table: &mut Table,
    what: &str,
    direction: Direction,
    measured: &[Vec<Vec<Measured>>],
    index: usize,
) {
    let of = |peer: usize, value: fn(&Measured) -> f64| {
        let rounds = measured.get(peer)?;
        Figure::of(rounds.iter().filter_map(|found| found.get(index).map(value)))
    };
    let figures = (
        of(0, |measured| measured.cpu),
        of(1, |measured| measured.cpu),
        of(0, |measured| measured.p99),
        of(1, |measured| measured.p99),
    );
    if let (Some(moim), Some(coturn), Some(ours), Some(theirs)) = figures {
        table.row(&[
            what.to_owned(),
            direction.name().to_owned(),
            moim.to_string(),
            coturn.to_string(),
            format!("{:.2}", moim.beside(&coturn)),
            ours.to_string(),
            theirs.to_string(),
        ]);
    }
}

/// Memory with and without idle allocations.
fn idle(options: &Options, core: usize) -> anyhow::Result<Table> {
    let count = at_most(options.idle);
    let measured = rounds::alternate(&Which::ALL, 1, |which| {
        let server = Server::start(*which, core)?;
        let before = server.process().memory()?.private;
        let ends = ends(&server, count)?;
        ensure!(ends.relayed.len() == count, "an allocation is missing");
        let after = server.process().memory()?.private;
        Ok((mib(after), (mib(after) - mib(before)) * 1024.0 / packets(count as u64)))
    })?;
    let mut table = Table::new(&["private memory", "moim", "coturn", "ratio"]);
    if let [moim, coturn] = measured.as_slice()
        && let (Some(moim), Some(coturn)) = (moim.first(), coturn.first())
    {
        for (what, moim, coturn) in [
            (format!("{count} idle allocations, total, MiB"), moim.0, coturn.0),
            ("per allocation with a channel, KiB".to_owned(), moim.1, coturn.1),
        ] {
            let ratio = format!("{:.2}", moim / coturn);
            table.row(&[what, format!("{moim:.1}"), format!("{coturn:.1}"), ratio]);
        }
    }
    Ok(table)
}

fn section(
    options: &Options,
    cpu: &Table,
    highest: &Table,
    memory: &Table,
) -> anyhow::Result<String> {
    let flows = FLOWS.map(|flow| {
        let how = if flow.joined { "with segmentation offload" } else { "individually" };
        format!(
            "{}: {} bytes, bursts of {} sent {how}, {} packets per second",
            flow.name, flow.size, flow.burst, flow.rate
        )
    });
    Ok(format!(
        "## TURN\n\nThe server's CPU time per relayed packet (ChannelData over UDP, without loss) and \
         the 99th percentile of the delay.\n\n{}\n\
         {}.\n\nHighest loss-free rate, {} allocations:\n\n{}\n{}\n\
         {}; {}; coturn {} with one relay thread. `cargo xtask bench turn`\n",
        cpu.markdown(),
        flows.join("; "),
        options.allocations.iter().copied().find(|count| *count > 1).unwrap_or(1),
        highest.markdown(),
        memory.markdown(),
        machine::sentence(),
        moim::version()?,
        machine::version("turnserver", "--version"),
    ))
}

/// Checks that both servers relay in both directions without loss.
fn smoke(core: usize) -> anyhow::Result<()> {
    for which in Which::ALL {
        let server = Server::start(which, core)?;
        let mut ends = ends(&server, 3)?;
        for flow in FLOWS {
            let rate = flow.rate / 20.0;
            for direction in Direction::ALL {
                let time = Duration::from_millis(100);
                let outcome = ends.run(&flow, direction, rate, time)?;
                ensure!(
                    outcome.is_loss_free() && outcome.sent > 0,
                    "{} {} {}: {outcome:?}",
                    which.name(),
                    flow.name,
                    direction.name()
                );
            }
        }
        server.process().memory().context("no memory")?;
    }
    Ok(())
}

/// Raises the limit of file descriptors.
fn raise_descriptors() {
    let most = getrlimit(Resource::Nofile).maximum.map(|most| most.max(65_536));
    // Raising the hard limit needs a privilege.
    for most in [most, getrlimit(Resource::Nofile).maximum] {
        if setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).is_ok() {
            return;
        }
    }
}

/// Limits the number of allocations by the file descriptors: coturn needs two for each.
fn at_most(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    wanted.min(limit.saturating_sub(500) / 2)
}

#[expect(clippy::cast_precision_loss, reason = "there are not 2^53 of them")]
fn packets(count: u64) -> f64 {
    count as f64
}

fn mib(bytes: u64) -> f64 {
    packets(bytes) / f64::from(1 << 20)
}
