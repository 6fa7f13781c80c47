//! Connections that are open and say nothing.

use std::{thread, time::Duration};

use super::{script, server::Server};
use crate::{fleet::Fleet, usage::Memory};

/// How many, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crowd {
    pub(super) connections: usize,
    /// They sit in rooms of two, rather than in none.
    pub(super) in_rooms: bool,
    /// How long nothing happens before memory is read, and again after they are gone.
    pub(super) calm: Duration,
}

/// Memory of the server's own, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// For each connection.
    pub(super) per_connection: f64,
    /// What is left of that once they are gone.
    pub(super) kept: f64,
}

/// Opens them all, then closes them all.
#[expect(clippy::cast_precision_loss, reason = "nothing here has 2^53 bytes")]
pub(super) fn measure(server: &Server, crowd: &Crowd) -> anyhow::Result<Held> {
    let mut fleet = Fleet::new(server.address())?;
    // The first connections make what all share.
    fleet.open_all(2)?;
    fleet.drop_all();
    let own = |memory: Memory| memory.private as f64;
    let settled = || -> anyhow::Result<f64> {
        thread::sleep(crowd.calm);
        Ok(own(server.process().memory()?))
    };
    let before = settled()?;
    let ids = fleet.open_all(crowd.connections)?;
    if crowd.in_rooms {
        for (seat, id) in ids.iter().enumerate() {
            fleet.emit(*id, &script::about("join", seat / 2))?;
        }
        let entered = |event: &str| ["created", "joined"].contains(&script::name(event));
        super::await_events(&mut fleet, ids.len(), |_, event| entered(event))?;
    }
    let during = settled()?;
    fleet.drop_all();
    let after = settled()?;
    let count = crowd.connections as f64;
    Ok(Held { per_connection: (during - before) / count, kept: (after - before) / count })
}
