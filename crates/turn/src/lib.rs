//! STUN and TURN server, sans-IO.

pub mod rest;
