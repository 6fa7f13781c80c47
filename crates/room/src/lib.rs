//! Rooms and participants, sans-IO.
//!
//! A [`Room`](protocol) is told the time and handed requests; it answers with effects. It knows
//! nothing of sockets, tasks or SDP.

pub mod name;
pub mod protocol;
