//! The scenarios and the rows of their table.

use std::time::Duration;

use super::{
    calls::{self, Calls},
    idle::{self, IdleLoad},
    relay::{self, Load},
    server::Server,
};

/// A scenario and the rows of its figures.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) rows: &'static [Row],
    /// Measures one value per row.
    pub(super) measure: fn(&Server, Size) -> anyhow::Result<Vec<f64>>,
}

/// A row of the table.
pub(super) struct Row {
    pub(super) what: &'static str,
    /// The maximum acceptable ratio.
    pub(super) target: Option<f64>,
    /// True if a ratio of the two servers makes sense.
    pub(super) compares: bool,
}

/// The size of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Full,
    Smoke,
}

/// The explanation below the table.
pub(super) const EXPLANATION: &str = "\
Clients and handlers are those of a tutorial's video chat (rooms of two), over WebSocket without
compression: 500 rooms and 10,000 messages per second of about 250 bytes. *Paced*: one client sends
one message, or ten clients do every millisecond. *Bursts*: every 100 ms a hundred clients send ten
messages each, like pages that gather candidates. CPU is the server's CPU time in user and kernel
mode; memory is private memory, read after four idle seconds. A call: two clients connect, join,
exchange `ready`, offer, answer and twelve candidates, and leave. Every message must arrive once and
in order. To repeat: `cargo xtask bench signal` on an idle machine with two cores.
";

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "paced",
        rows: &[
            target("CPU per message, paced, one every 100 µs, µs", 0.4),
            other("p99 delay, µs"),
            load("generator's CPU, cores"),
        ],
        measure: |server, size| relayed(server, size, (1, 1)),
    },
    Scenario {
        name: "ticks",
        rows: &[
            target("CPU per message, paced, ten every ms, µs", 0.4),
            other("p99 delay, µs"),
            load("generator's CPU, cores"),
        ],
        measure: |server, size| relayed(server, size, (1, 10)),
    },
    Scenario {
        name: "bursts",
        rows: &[
            target("CPU per message, bursts of 1,000 every 100 ms, µs", 0.2),
            other("p99 delay, bursts, µs"),
            load("generator's CPU, bursts, cores"),
        ],
        measure: |server, size| relayed(server, size, (10, 100)),
    },
    Scenario {
        name: "idle",
        rows: &[
            target("memory per idle connection, 5,000 of them, KiB", 0.35),
            other("retained per connection after closing, KiB"),
        ],
        measure: |server, size| idle_memory(server, size, false),
    },
    Scenario {
        name: "seated",
        rows: &[
            other("memory per connection in rooms of two, 5,000 of them, KiB"),
            other("retained per connection after closing, KiB"),
        ],
        measure: |server, size| idle_memory(server, size, true),
    },
    Scenario {
        name: "calls",
        rows: &[target("CPU per call, setup and teardown, µs", 0.25)],
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

fn idle_memory(server: &Server, size: Size, in_rooms: bool) -> anyhow::Result<Vec<f64>> {
    let (connections, idle_time) = match size {
        Size::Full => (5000, Duration::from_secs(4)),
        Size::Smoke => (20, Duration::ZERO),
    };
    let held = idle::measure(server, &IdleLoad { connections, in_rooms, idle_time })?;
    Ok(vec![held.per_connection / 1024.0, held.kept / 1024.0])
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
