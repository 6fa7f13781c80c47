//! The driver over loopback, as clients see it.

mod echo;
mod frames;
mod http;
mod origins;
mod peer;
mod server;
mod suites;
