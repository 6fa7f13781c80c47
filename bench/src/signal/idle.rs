//! Memory of idle connections.

use std::{thread, time::Duration};

use super::{events::await_events, script, server::Server};
use crate::{fleet::Fleet, usage::Memory};

/// The connections to open.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdleLoad {
    pub(super) connections: usize,
    /// Puts them in rooms of two.
    pub(super) in_rooms: bool,
    /// Idle time before memory is read, and again after they are closed.
    pub(super) idle_time: Duration,
}

/// Private memory of the server in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldMemory {
    /// Memory per connection.
    pub(super) per_connection: f64,
    /// Memory per connection that remains after they are closed.
    pub(super) kept: f64,
}

/// Opens all connections, then closes them.
#[expect(clippy::cast_precision_loss, reason = "nothing here has 2^53 bytes")]
pub(super) fn measure(server: &Server, load: &IdleLoad) -> anyhow::Result<HeldMemory> {
    let mut fleet = Fleet::new(server.address())?;
    // The first connections allocate shared state.
    fleet.open_all(2)?;
    fleet.drop_all();
    let own = |memory: Memory| memory.private as f64;
    let settled = || -> anyhow::Result<f64> {
        thread::sleep(load.idle_time);
        Ok(own(server.process().memory()?))
    };
    let before = settled()?;
    let ids = fleet.open_all(load.connections)?;
    if load.in_rooms {
        for (index, id) in ids.iter().enumerate() {
            fleet.emit(*id, &script::about("join", index / 2))?;
        }
        let entered = |event: &str| ["created", "joined"].contains(&script::name(event));
        await_events(&mut fleet, ids.len(), |_, event| entered(event))?;
    }
    let during = settled()?;
    fleet.drop_all();
    let after = settled()?;
    let count = load.connections as f64;
    Ok(HeldMemory { per_connection: (during - before) / count, kept: (after - before) / count })
}
