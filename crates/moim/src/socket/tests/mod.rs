//! The driver over loopback, as clients see it.

mod echo;
mod peer;
mod server;
mod suites;
