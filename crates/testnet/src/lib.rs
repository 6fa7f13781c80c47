//! Virtual clock, seeded links and NATs for tests, and ports for those on a real loopback.
//!
//! A [`Network`] carries packets between hosts. Its [`Clock`] jumps to the next event, so a test of
//! an hour takes a moment and never sleeps.

mod clock;
mod link;
mod nat;
mod network;
mod path;
mod port;

pub use clock::{Clock, UNIX_START};
pub use link::{Bottleneck, Link};
pub use nat::NatKind;
pub use network::{Datagram, Network, Step};
pub use path::Path;
pub use port::claim_port;
