//! What is measured, and what each figure is called.

use std::time::Duration;

use super::{
    calls::{self, Calls},
    idle::{self, Crowd},
    relay::{self, Load},
    server::Server,
};

/// One thing to measure, and the rows of its figures.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) rows: &'static [Row],
    /// A value for each row.
    pub(super) measure: fn(&Server, Size) -> anyhow::Result<Vec<f64>>,
}

/// A row of the table.
pub(super) struct Row {
    pub(super) what: &'static str,
    /// The largest ratio that is good enough.
    pub(super) target: Option<f64>,
    /// Whether a ratio of the two says anything.
    pub(super) compares: bool,
}

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Full,
    Smoke,
}

/// What the table's words mean.
pub(super) const EXPLANATION: &str = "\
Clients and handlers are those of a tutorial's video chat (rooms of two), Socket.IO 5 over WebSocket
without compression. Always 500 rooms, each client in its turn, and 10,000 messages of some 250 bytes
a second. *Paced*: one client after the other sends one; or ten clients do, every millisecond. *In
bursts*: every 100 ms a hundred clients send ten each at once, as pages do that find candidates. CPU is the server's processor time in user and kernel mode; memory is
its own (private) pages, read after four quiet seconds. A call: two connect, join, exchange `ready`,
offer, answer and twelve candidates, and leave. Every message is checked to arrive once and in order.
To repeat: `cargo xtask bench signal` on a machine with two cores that does nothing else.
";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "paced",
        rows: &[
            target("CPU a message, paced, one every 100 µs, µs", 0.4),
            other("p99 delay, so paced, µs"),
            load("generator's CPU, so paced, of a core"),
        ],
        measure: |server, size| relayed(server, size, (1, 1)),
    },
    Scenario {
        name: "ticks",
        rows: &[
            target("CPU a message, paced, ten every ms, µs", 0.4),
            other("p99 delay, so paced, µs"),
            load("generator's CPU, so paced, of a core"),
        ],
        measure: |server, size| relayed(server, size, (1, 10)),
    },
    Scenario {
        name: "bursts",
        rows: &[
            target("CPU a message, in bursts, a thousand every 100 ms, µs", 0.2),
            other("p99 delay, in bursts, µs"),
            load("generator's CPU, in bursts, of a core"),
        ],
        measure: |server, size| relayed(server, size, (10, 100)),
    },
    Scenario {
        name: "idle",
        rows: &[
            target("memory of an idle connection, of 5,000, KiB", 0.35),
            other("kept of that after they left, KiB"),
        ],
        measure: |server, size| crowd(server, size, false),
    },
    Scenario {
        name: "seated",
        rows: &[
            other("memory of a connection in a room of two, of 5,000, KiB"),
            other("kept of that after they left, KiB"),
        ],
        measure: |server, size| crowd(server, size, true),
    },
    Scenario {
        name: "calls",
        rows: &[target("CPU a call, set up and torn down, µs", 0.25)],
        measure: |server, size| {
            let calls = match size {
                Size::Full => Calls { warm_up: 300, count: 1500, per_second: 200 },
                Size::Smoke => Calls { warm_up: 2, count: 10, per_second: 100 },
            };
            Ok(vec![micros(calls::measure(server, &calls)?)])
        },
    },
];

const fn target(what: &'static str, target: f64) -> Row {
    Row { what, target: Some(target), compares: true }
}

const fn other(what: &'static str) -> Row {
    Row { what, target: None, compares: true }
}

const fn load(what: &'static str) -> Row {
    Row { what, target: None, compares: false }
}

#[expect(clippy::cast_precision_loss, reason = "no round has 2^53 messages")]
fn relayed(server: &Server, size: Size, burst: (u32, u32)) -> anyhow::Result<Vec<f64>> {
    let load = match size {
        Size::Full => Load {
            rooms: 500,
            per_second: 10_000,
            burst,
            warm_up: Duration::from_secs(1),
            duration: Duration::from_secs(4),
        },
        Size::Smoke => Load {
            rooms: 10,
            per_second: 1000,
            burst: (burst.0, burst.1.min(10)),
            warm_up: Duration::from_millis(20),
            duration: Duration::from_millis(150),
        },
    };
    let relayed = relay::measure(server, &load)?;
    let per_message = micros(relayed.server) / relayed.messages as f64;
    let own = relayed.generator.as_secs_f64() / load.duration.as_secs_f64();
    Ok(vec![per_message, micros(relayed.p99), own])
}

fn crowd(server: &Server, size: Size, in_rooms: bool) -> anyhow::Result<Vec<f64>> {
    let (connections, calm) = match size {
        Size::Full => (5000, Duration::from_secs(4)),
        Size::Smoke => (20, Duration::ZERO),
    };
    let held = idle::measure(server, &Crowd { connections, in_rooms, calm })?;
    Ok(vec![held.per_connection / 1024.0, held.kept / 1024.0])
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
